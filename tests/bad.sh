#!/bin/sh
# SPDX-License-Identifier: MIT
# Every file in bad/ is refused with exactly the errors that its comments announce:
#   # expect: SPMnnn name[, SPMnnn name...]   on this line
#   # expect-above: ...                       on the line above
#   # expect-end: ...                         where the file ends
#   # expect-file: ...                        of the file as a whole
# and every rule has such a file.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

# Rules that no file can break, each with the reason.
exceptions='
SPM308 a note of expect only: gen does not depend on the vendor where it is given'

# announced FILE: "LINE ID NAME" of every announcement, sorted
announced()
{
    awk '{
        line = $0
        at = match(line, /# expect(-[a-z]+)?: SPM/)
        if (!at)
            next
        word = substr(line, at + 2, RLENGTH - 7)
        list = substr(line, at + RLENGTH - 3)
        place[++count] = word; where[count] = NR; what[count] = list
    }
    END {
        for (i = 1; i <= count; i++) {
            if (place[i] == "expect") n = where[i]
            else if (place[i] == "expect-above") n = where[i] - 1
            else if (place[i] == "expect-end") n = NR + 1
            else if (place[i] == "expect-file") n = 0
            else { print "what is " place[i] "?"; continue }
            parts = split(what[i], items, /, */)
            for (p = 1; p <= parts; p++)
                print n, items[p]
        }
    }' "$1" | sort
}

# reported FILE: the same of what the program printed
reported()
{
    awk -v file="$1" 'index($0, file ":") == 1 {
        rest = substr($0, length(file) + 2)
        n = 0
        if (match(rest, /^[0-9]+:[0-9]+: /)) {
            n = rest + 0
            rest = substr(rest, RLENGTH + 1)
        } else {
            sub(/^ /, "", rest)
        }
        if (rest ~ /^error: / && match(rest, /\[SPM[0-9][0-9][0-9] [a-z0-9-]+\]$/))
            print n, substr(rest, RSTART + 1, RLENGTH - 2)
    }' "$tmp/err" | sort
}

# form FILE: whether standard error is made of nothing but findings, in order of position, each with
# its source line, a caret under the column it names, and one line of help
form()
{
    awk -v file="$1" '
    function wrong(message) {
        print "line " FNR " of standard error: " message ": " $0
        failed = 1
    }
    function visible(text) {
        gsub(/\t/, " ", text)
        return text
    }
    function finish() {
        if (state != "")
            wrong("before this line the " state " is missing")
        if (error && helps != 1)
            wrong("before this line: " helps " lines of help for one error")
    }
    NR == FNR {
        source[NR] = $0
        next
    }
    index($0, file ":") == 1 {
        rest = substr($0, length(file) + 2)
        n = column = 0
        if (match(rest, /^[0-9]+:[0-9]+: /)) {
            split(rest, numbers, ":")
            n = numbers[1] + 0
            column = numbers[2] + 0
            rest = substr(rest, RLENGTH + 1)
            if (n < 1 || column < 1)
                wrong("not a position")
        } else if (!sub(/^ /, "", rest)) {
            wrong("not a position")
        }
        # A note without a rule belongs to the finding above it.
        if (rest ~ /^note: / && rest !~ / \[SPM[0-9]+ [a-z0-9-]+\]$/) {
            if (!error && !other)
                wrong("a note of nothing")
            if (state != "")
                wrong("before this line the " state " is missing")
        } else if (rest ~ /^(error|warning|note): .+ \[SPM[0-9][0-9][0-9] [a-z0-9-]+\]$/) {
            finish()
            error = rest ~ /^error/
            other = !error
            helps = 0
            if (n < last || (n == last && column < last_column))
                wrong("not in order of position")
            last = n
            last_column = column
        } else {
            wrong("not a finding")
        }
        state = n && source[n] != "" ? "source line" : ""
        next
    }
    state == "source line" {
        state = "caret"
        bar = index($0, " | ")
        if (!bar || substr($0, 1, bar) + 0 != n || length(substr($0, 1, bar)) < 6) {
            wrong("not source line " n)
            next
        }
        shown = substr($0, bar + 3)
        plain = source[n] !~ /[^ -~\t]/ && length(source[n]) <= 160
        if (plain && shown != visible(source[n]))
            wrong("not the text of line " n)
        next
    }
    state == "caret" {
        state = ""
        if ($0 !~ /^      \|  *\^~*$/)
            wrong("not a caret")
        else if (plain && index($0, "^") - 8 != column)
            wrong("the caret is not under column " column)
        else if (plain && length($0) - 8 > length(source[n]))
            wrong("underlined beyond the end of the line")
        next
    }
    /^  help: ./ {
        helps++
        next
    }
    { wrong("what is this?") }
    END {
        finish()
        exit failed
    }' "$1" "$tmp/err"
}

refused()
{
    ran 1 || return 1
    announced "$1" >"$tmp/announced"
    reported "$1" >"$tmp/reported"
    if [ ! -s "$tmp/announced" ]; then
        echo 'the file announces nothing'
        return 1
    fi
    if ! cmp -s "$tmp/announced" "$tmp/reported"; then
        echo 'announced (-) and reported (+):'
        diff -u "$tmp/announced" "$tmp/reported" | sed 1,2d
        return 1
    fi
    form "$1"
}

cd "$top/tests/bad" || bail_out 'no directory tests/bad'
for file in *.yaml; do
    [ -e "$file" ] || bail_out 'no files in tests/bad'
    run gen --target qemu "$file"
    check "$file" refused "$file"
done

# The table of rules: "ID NAME SEVERITY" a line. A row that is not read would be a rule not tested.
awk 'BEGIN { RS = "{" }
/^"SPM[0-9]+"/ { split($0, part, "\""); split(part[5], rest, /[ ,\n]+/); print part[2], part[4], rest[2] }
' "$top/src/rule.c" >"$tmp/rules"
whole_table()
{
    rows=$(grep -c '^ *\[RULE_[A-Z0-9_]*\] *=' "$top/src/rule.c")
    echo "$rows rows, of which these were read:"
    cat "$tmp/rules"
    [ "$rows" -gt 0 ] && [ "$rows" -eq "$(grep -c '^SPM[0-9][0-9][0-9] [a-z0-9-]* [EWN]$' "$tmp/rules")" ]
}
check 'the table of rules can be read' whole_table

for file in *.yaml; do
    announced "$file"
done | sed 's/^[0-9]* //' | sort -u >"$tmp/covered"

while read -r id name severity; do
    reason=$(echo "$exceptions" | sed -n "s/^$id //p")
    if grep -qx "$id $name" "$tmp/covered"; then
        if [ -n "$reason" ]; then
            not_ok "$id $name ($severity) has a file" 'it is among the exceptions, too'
        else
            ok "$id $name ($severity) has a file"
        fi
    elif [ -n "$reason" ]; then
        skip "$id $name ($severity) has a file" "$reason"
    else
        not_ok "$id $name ($severity) has a file" 'none announces it'
    fi
done <"$tmp/rules"

# Neither exceptions nor announcements of rules that there are not.
echo "$exceptions" | sed -n 's/ .*//p' | while read -r id; do
    grep -q "^$id " "$tmp/rules" || echo "$id is no rule"
done >"$tmp/strangers"
check 'the exceptions are rules' same /dev/null "$tmp/strangers"
tap_end
