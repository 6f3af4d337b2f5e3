#!/bin/sh
# SPDX-License-Identifier: MIT
# In every file in bad/ 'check' finds exactly what its comments announce, at that line and column:
#   # expect: [SEVERITY] SPMnnn name COLUMN[, ...]   on this line
#   # expect-above: ...                              on the line above
#   # expect-end: ...                                where the file ends
#   # expect-file: [SEVERITY] SPMnnn name            of the file as a whole
# with the rule's own severity where none is said. Files are judged for the targets that they name;
# a line '# target: NAME' judges for that one. Where that is QEMU alone, 'gen' must say the same. Every
# rule has such a file.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

# "ID NAME SEVERITY" of every rule
"$SPMTOPO" rules --format json | "$PYTHON" -c '
import json, sys
for rule in json.load(sys.stdin):
    print(rule["id"], rule["name"], rule["severity"])' >"$tmp/rules"
check 'there are rules' test -s "$tmp/rules"

# announced FILE: "LINE COLUMN SEVERITY ID NAME" of every announcement, sorted
announced()
{
    awk 'NR == FNR { severity[$1] = $3; next }
    {
        at = match($0, /# expect(-[a-z]+)?: ((error|warning|note) )?SPM/)
        if (!at)
            next
        list = substr($0, at + 2)
        sub(/^[^ ]* /, "", list)
        place[++count] = substr($0, at + 2, length($0) - at - 3 - length(list)); where[count] = FNR; what[count] = list
    }
    END {
        for (i = 1; i <= count; i++) {
            if (place[i] == "expect") n = where[i]
            else if (place[i] == "expect-above") n = where[i] - 1
            else if (place[i] == "expect-end") n = FNR + 1
            else if (place[i] == "expect-file") n = 0
            else { print "what is " place[i] "?"; continue }
            parts = split(what[i], items, /, */)
            for (p = 1; p <= parts; p++) {
                words = split(items[p], word, " ")
                first = word[1] ~ /^SPM/ ? 1 : 2
                if (words != first + (n ? 2 : 1))
                    print "what is " items[p] "?"
                else
                    print n, n ? word[first + 2] : 0, first == 2 ? word[1] : severity[word[1]], word[first],
                        word[first + 1]
            }
        }
    }' "$tmp/rules" "$1" | sort
}

# reported FILE: the same of what the program printed
reported()
{
    awk -v file="$1" 'index($0, file ":") == 1 {
        rest = substr($0, length(file) + 2)
        n = column = 0
        if (match(rest, /^[0-9]+:[0-9]+: /)) {
            split(rest, numbers, ":")
            n = numbers[1] + 0
            column = numbers[2] + 0
            rest = substr(rest, RLENGTH + 1)
        } else {
            sub(/^ /, "", rest)
        }
        if (match(rest, /^(error|warning|note): /)) {
            severity = substr(rest, 1, RLENGTH - 2)
            if (match(rest, /\[SPM[0-9][0-9][0-9] [a-z0-9-]+\]$/))
                print n, column, severity, substr(rest, RSTART + 1, RLENGTH - 2)
        }
    }' "$tmp/err" | sort
}

# form FILE: whether standard error is made of nothing but findings, in order of position, each with
# its source line, a caret under the column it names, and one line of help; the counts come last
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
        if (found && helps != 1)
            wrong("before this line: " helps " lines of help for one finding")
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
            if (!found)
                wrong("a note of nothing")
            if (state != "")
                wrong("before this line the " state " is missing")
        } else if (rest ~ /^(error|warning|note): .+ \[SPM[0-9][0-9][0-9] [a-z0-9-]+\]$/) {
            finish()
            found++
            counts[substr(rest, 1, 1)]++
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
    function counted(n, word) {
        return n + 0 " " word (n == 1 ? "" : "s")
    }
    $0 == "1 file: " counted(counts["e"], "error") ", " counted(counts["w"], "warning") ", " counted(counts["n"], "note") {
        finish()
        found = 0
        sums++
        next
    }
    { wrong("what is this?") }
    END {
        if (sums != 1 || found)
            wrong("the counts are missing, or not at the end")
        exit failed
    }' "$1" "$tmp/err"
}

# Whether gen for QEMU ends and speaks as check did, without the counts.
gen_says_the_same()
{
    sed '$d' "$tmp/err" >"$tmp/checked"
    checked=$status
    run gen --target qemu "$1"
    ran "$checked" && same "$tmp/checked" "$tmp/err"
}

judged()
{
    announced "$1" >"$tmp/announced"
    target=$(sed -n 's/^# target: //p' "$1")
    wanted=0
    ! grep -q '^[0-9]* [0-9]* error ' "$tmp/announced" || wanted=1
    run check ${target:+--target "$target"} "$1"
    ran "$wanted" || return 1
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
    if [ -s "$tmp/out" ]; then
        echo 'there is output'
        return 1
    fi
    form "$1" || return 1
    # Of other targets, and of what is a prediction, gen says nothing.
    [ -n "$target" ] || grep -Eq '^([^#]*[ {])?(libvirt|cloud-hypervisor):( |$)' "$1" ||
        grep -q ' SPM308 ' "$tmp/announced" || gen_says_the_same "$1"
}

cd "$top/tests/bad" || bail_out 'no directory tests/bad'
for file in *.yaml; do
    [ -e "$file" ] || bail_out 'no files in tests/bad'
    check "$file" judged "$file"
done

for file in *.yaml; do
    announced "$file"
done | sed 's/^[0-9]* [0-9]* [a-z]* //' | sort -u >"$tmp/covered"

while read -r id name _; do
    check "$id $name has a file" grep -qx "$id $name" "$tmp/covered"
done <"$tmp/rules"
tap_end
