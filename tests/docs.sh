#!/bin/sh
# SPDX-License-Identifier: MIT
# What the documents say, held against the program and its tables:
# - the commands of every block "console runnable" in README.md, CONTRIBUTING.md, SECURITY.md and docs/ print what
#   is shown below them (standard error and output together), run in the source folder, and those of
#   docs/tutorial.md in an empty one, with guests of tests/guests; tests/tutorial.sh runs those that
#   need a VMM;
# - man/spmtopo.1 has the options that the commands' --help has, and man/spmtopo.yaml.5 the keys of
#   every table in src/load*.c, each no more and no less;
# - docs/rules.md and the list of rules in man/spmtopo-rules.7 are what tools/rules-doc.py makes of the program's;
# - what the pages link to is there;
# - mandoc and groff find nothing wrong with the manual, and its pages refer to sections that they
#   have.
set -u

spmtopo=${SPMTOPO:-./spmtopo}
top=${srcdir:-.}
man=$top/man/spmtopo.1
language=$top/man/spmtopo.yaml.5
# shellcheck source=tests/blocks.sh
. "$top/tests/blocks.sh"
unset NO_COLOR
LC_ALL=C.UTF-8
export LC_ALL

case $spmtopo in
/*) ;;
*) spmtopo=$(pwd)/$spmtopo ;;
esac
SOURCES=$(cd "$top" && pwd)
export SOURCES

number=0
failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/docs.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT PIPE TERM
mkdir "$work/bin" || exit 1
ln -s "$spmtopo" "$work/bin/spmtopo" || exit 1

# result STATUS DESCRIPTION
result()
{
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        failed=1
    fi
}

# skip DESCRIPTION WHY
skip()
{
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
    echo "docs.sh: SKIPPED: $1: $2" >&2
}

# same EXPECTED ACTUAL DESCRIPTION: two files, the documents' first. Two empty ones are no match.
same()
{
    if [ -s "$1" ] && diff -u "$1" "$2" >"$work/diff"; then
        result 0 "$3"
    else
        [ -s "$1" ] || echo "# nothing found in the document"
        sed 's/^/# /' "$work/diff" 2>/dev/null
        result 1 "$3"
    fi
}

# --- blocks ---------------------------------------------------------------------------------------

# check_blocks PAGE some|none FOLDER: runs them there
check_blocks()
{
    blocks_split "$1" "$work/blocks"
    for block in "$work/blocks"/*; do
        if [ ! -e "$block" ]; then
            [ "$2" = none ] || result 1 "${1##*/} has runnable blocks"
            return
        fi
        line=${block##*/}
        line=${line%%.*}
        case $block in
        *.runnable)
            (cd "$3" && PATH=$work/bin:$PATH && export PATH && block_run "$block") >"$work/printed"
            same "$block" "$work/printed" "${1##*/}, block at line $line: the output is what is shown"
            ;;
        *.vmm) ;;
        *)
            (cd "$3" && block_file "$block")
            result $? "${1##*/}, block at line $line: the file is written"
            ;;
        esac
    done
}

# A command that no test runs may be wrong.
check_all_run()
{
    sed -n '/^```console *$/=' "$1" | sed "s/^/# the block is not run: line /" >"$work/left"
    cat "$work/left"
    ! [ -s "$work/left" ]
    result $? "${1##*/}: every command is run by a test"
}

# --- lists of the manual --------------------------------------------------------------------------

# man_items KIND NAME: the items of the list between '.\" KIND: NAME' and '.\" end'; only of its
# outermost level
man_items()
{
    awk -v start=".\\\\\" $1:${2:+ $2}" '
        BEGIN { gsub(/\\\\/, "\\", start) }
        $0 == start { inside = 1; depth = 0; next }
        /^\.\\" end$/ { inside = 0 }
        !inside { next }
        /^\.Bl / { depth++ }
        /^\.El/ { depth-- }
        depth == 1' "$language"
}

# Options of a command as -x and --word, one a line, from the ".It Fl ..." lines of every list
# '.\" options: COMMAND...' that names it.
man_options()
{
    awk -v command="$1" '
        $1 == ".\\\"" && $2 == "options:" {
            depth = 0
            for (i = 3; i <= NF; i++)
                if ($i == command)
                    inside = 1
            next
        }
        /^\.\\" end$/ { inside = 0 }
        !inside { next }
        /^\.Bl / { depth++ }
        /^\.El/ { depth-- }
        depth == 1 && $1 == ".It" {
            for (i = 2; i < NF; i++)
                if ($i == "Fl") {
                    name = $(i + 1)
                    sub(/^\\&/, "", name)
                    print "-" name
                }
        }' "$man" | LC_ALL=C sort -u
}

help_options()
{
    "$spmtopo" "$1" --help | awk '
        /^  *-/ {
            for (i = 1; i <= NF && $i ~ /^-/; i++) {
                option = $i
                sub(/,$/, "", option)
                sub(/[[=].*/, "", option)
                print option
            }
        }' | LC_ALL=C sort -u
}

check_options()
{
    for command in $("$spmtopo" --help | awk '/^Commands:/ { inside = 1; next } inside && NF == 0 { exit }
                                              inside { print $1 }'); do
        man_options "$command" >"$work/man"
        help_options "$command" >"$work/program"
        same "$work/man" "$work/program" "the manual has the options of '$command', and no others"
        grep -q "^\\.It Cm $command\$" "$man" && grep -q "^\\.Cm $command\$" "$man"
        result $? "the manual has the command '$command', in its synopsis too"
    done
}

check_rules()
{
    SPMTOPO=$spmtopo "${PYTHON:-python3}" "$top/tools/rules-doc.py" --check >"$work/drift" 2>&1
    status=$?
    head -n 40 "$work/drift" | sed 's/^/# /'
    result "$status" "docs/rules.md and the manual's list of rules are the program's"
}

# Links of a page to files, relative to it: [text](path), without a fragment.
check_links()
{
    # shellcheck disable=SC2016 # backquotes of Markdown
    sed '/^```/,/^```/d' "$1" | grep -o '](\([^)#]*\)' | sed 's/^](//' | grep -v '^[a-z]*:' |
        LC_ALL=C sort -u | while read -r link; do
        [ -z "$link" ] || [ -e "$(dirname "$1")/$link" ] || echo "$link is not there"
    done >"$work/missing"
    sed 's/^/# /' "$work/missing"
    ! [ -s "$work/missing" ]
    result $? "what ${1##*/} links to is there"
}

# What a page names in backquotes: files of the source, by their path, are there; NAME and * stand for
# some; functions and tables of the code, `name()` and `name[]`, are in it.
check_names()
{
    # shellcheck disable=SC2016 # backquotes of Markdown
    sed '/^```/,/^```/d' "$1" | grep -o '`[^`]*`' | tr -d '`' | LC_ALL=C sort -u >"$work/names"
    grep -E '^(src|tests|docs|man|schema|tools|guest|examples|contrib|completions)/[A-Za-z0-9_./*-]*$' "$work/names" |
        sed 's/NAME/*/' | while read -r path; do
        # shellcheck disable=SC2086 # patterns
        ls -d "$top"/$path >/dev/null 2>&1 || [ -e "$top/$path.c" ] || echo "$path is not there"
    done >"$work/missing"
    grep -oE '^[a-z0-9_]+(\(\)|\[\])$' "$work/names" | sed 's/..$//' | while read -r name; do
        grep -qw "$name" "$top"/src/*.[ch] || echo "$name is not in the code"
    done >>"$work/missing"
    sed 's/^/# /' "$work/missing"
    ! [ -s "$work/missing" ] && [ -s "$work/names" ]
    result $? "the files and functions that ${1##*/} names are there"
}

# The table of layers in docs/design.md: every file of src/ is in the row of its layer.
check_layers()
{
    awk -F '|' '/^\| [0-9] \|/ {
            count = split($3, words, "`")
            for (i = 2; i <= count; i += 2)
                print $2 + 0, words[i]
        }' "$top/docs/design.md" >"$work/rows"
    (cd "$top/src" && ls ./*.[ch]) | sed 's/^..//; s/\.[ch]$//' | LC_ALL=C sort -u | while read -r name; do
        layer=$(sed -n 's/.*Layer \([0-9]\)\..*/\1/p; s/^ \* Layer \([0-9]\)\..*/\1/p' "$top/src/$name.h" 2>/dev/null | head -n 1)
        while read -r row pattern; do
            # shellcheck disable=SC2254 # a pattern
            case $name in $pattern) echo "$row" ;; esac
        done <"$work/rows" >"$work/found"
        [ -s "$work/found" ] || echo "$name is in no row"
        [ -z "$layer" ] || grep -qx "$layer" "$work/found" || echo "$name is not in the row of layer $layer"
    done >"$work/missing"
    sed 's/^/# /' "$work/missing"
    ! [ -s "$work/missing" ] && [ -s "$work/rows" ]
    result $? "docs/design.md has every file of src/ in its layer"
}

# Limits in SECURITY.md, as they stand in the code.
check_limits()
{
    # shellcheck disable=SC2016 # backquotes of Markdown
    sed -n '/^## Limits/,/^## /s/^|[^|]*|[^|]*[0-9][^|]*|\(.*\)|$/\1/p' "$top/SECURITY.md" | grep -o '`[^`]*`' | tr -d '`' >"$work/limits"
    while read -r limit; do
        cat "$top"/src/*.[ch] | grep -qF -e "$limit" || echo "not in the code: $limit"
    done <"$work/limits" >"$work/missing"
    sed 's/^/# /' "$work/missing"
    ! [ -s "$work/missing" ] && [ "$(wc -l <"$work/limits")" -gt 8 ]
    result $? "the limits in SECURITY.md are the code's"
}

# Ids of checks that stand in the code as they are.
check_ids()
{
    cat "$top"/src/verify_*.c | grep -v '^#include' | grep -oE '"(log|memmap|iomem|nodes|dax|cmdline|apic|qmp)\.[a-z]+"' | tr -d '"' |
        LC_ALL=C sort -u >"$work/program"
    sed -n '/^\.Sh VERIFICATION/,/^\.Sh /s/^\.It Cm //p' "$man" | tr -d ' ' | tr ',' '\n' |
        grep -E '^(log|memmap|iomem|nodes|dax|cmdline|apic|qmp)\.' | LC_ALL=C sort -u >"$work/man"
    same "$work/man" "$work/program" "the manual has the checks of verify, and no others"
}

# The names of the tables in src/load*.c that hold the language's keys.
key_tables()
{
    sed -n 's/^static const struct key \([a-z0-9_]*\)\[\] = {$/\1/p' "$top"/src/load*.c
}

check_keys()
{
    key_tables | LC_ALL=C sort >"$work/program"
    # defaults_keys has one key, which stands with 'defaults' itself.
    { sed -n 's/^\.\\" keys: //p' "$language"; echo defaults_keys; } | LC_ALL=C sort >"$work/man"
    same "$work/man" "$work/program" "the manual has a list for each table of keys"
    for table in $(key_tables); do
        [ "$table" = defaults_keys ] && continue
        man_items keys "$table" | sed -n 's/^\.It Cm \([^ ]*\).*/\1/p' | LC_ALL=C sort >"$work/man"
        sed -n "/^static const struct key $table\\[\\] = {\$/,/^};/s/^    {\"\\([^\"]*\\)\".*/\\1/p" \
            "$top"/src/load*.c | LC_ALL=C sort >"$work/program"
        same "$work/man" "$work/program" "the manual has the keys of $table, and no others"
        # A key without its default would be a hole in the language.
        ! man_items keys "$table" | grep '^\.It Cm' | grep -qv ' Pq '
        result $? "each key of $table has its default"
    done
}

# --- lint -----------------------------------------------------------------------------------------

# lint DESCRIPTION PROGRAM [ARGUMENT...]: it says nothing and succeeds
lint()
{
    description=$1
    shift
    program=${1#lint_}
    if ! command -v "$program" >/dev/null 2>&1; then
        skip "$description" "there is no $program"
        return
    fi
    "$@" >"$work/lint" 2>&1
    status=$?
    [ -s "$work/lint" ] && status=1
    sed 's/^/# /' "$work/lint"
    result "$status" "$description"
}

# Which other pages are installed here is not the manual's.
# shellcheck disable=SC2317,SC2329 # called through lint
lint_mandoc()
{
    mandoc -Tlint "$1" 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db'
    [ $? -eq 1 ]
}

# Sections that a page refers to by Sx, at the start of a line or inside one, are its own.
check_sections()
{
    sed -n 's/^\.S[hs] //p' "$1" | LC_ALL=C sort -u >"$work/has"
    sed -n 's/^\.\(.* \)\{0,1\}Sx \(.*\)$/\2/p' "$1" | sed 's/ [.,;:)]$//' | LC_ALL=C sort -u >"$work/wants"
    LC_ALL=C comm -13 "$work/has" "$work/wants" >"$work/missing"
    sed 's/^/# no section /' "$work/missing"
    ! [ -s "$work/missing" ]
    result $? "the sections that ${1##*/} refers to are there"
}

echo 'TAP version 13'
check_blocks "$top/README.md" some "$top"
check_blocks "$top/CONTRIBUTING.md" none "$top"
mkdir "$work/tutorial"
tar -C "$top/tests/guests/two-sockets" -cf "$work/tutorial/guest.tar" guest
tar -C "$top/tests/guests/two-sockets-seabios" -cf "$work/tutorial/wrong.tar" guest
check_blocks "$top/docs/tutorial.md" some "$work/tutorial"
check_all_run "$top/docs/tutorial.md"
check_blocks "$top/docs/design.md" none "$top"
check_blocks "$top/docs/ci.md" some "$top"
mkdir "$work/security"
check_blocks "$top/SECURITY.md" some "$work/security"
check_all_run "$top/SECURITY.md"
check_limits
check_options
check_rules
check_ids
check_layers
for page in "$top/README.md" "$top/CONTRIBUTING.md" "$top/SECURITY.md" "$top/docs/design.md" "$top/docs/tutorial.md"; do
    check_names "$page"
done
check_keys
check_links "$top/README.md"
check_links "$top/CONTRIBUTING.md"
check_links "$top/SECURITY.md"
for page in "$top"/docs/*.md; do
    check_links "$page"
done
for page in "$top"/man/*.[1-9]; do
    name=${page##*/}
    lint "mandoc finds nothing wrong with $name" lint_mandoc "$page"
    lint "groff -mdoc finds nothing wrong with $name" groff -ww -mdoc -z "$page"
    lint "groff -man finds nothing wrong with $name" groff -ww -man -z "$page"
    check_sections "$page"
done
echo "1..$number"
exit "$failed"
