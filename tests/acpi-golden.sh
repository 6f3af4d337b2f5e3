#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables 'spmtopo expect' prints against QEMU's own expected tables; see acpi-golden/README.
set -u

spmtopo=${SPMTOPO:-./spmtopo}
golden=${srcdir:-.}/tests/acpi-golden
versions='7.2 10.0' # QEMU's files are the same in both

number=0
failed=0
actual=$(mktemp "${TMPDIR:-/tmp}/acpi-golden.XXXXXX") || exit 1
trap 'rm -f "$actual"' EXIT
trap 'exit 1' HUP INT PIPE TERM

# compare CASE KIND FILE: what is expected of every version of QEMU against FILE
compare()
{
    for version in $versions; do
        if ! message=$("$spmtopo" expect "$golden/$1.yaml" -q --qemu-version "$version" \
            --table "$2" --format raw 2>&1 >"$actual"); then
            printf '# QEMU %s: the program failed\n%s\n' "$version" "$message" | sed 's/^[^#]/# &/'
            return 1
        fi
        if ! cmp -s "$3" "$actual"; then
            echo "# QEMU $version: golden $(($(wc -c <"$3"))) bytes, expect $(($(wc -c <"$actual")))"
            cmp -l "$3" "$actual" 2>/dev/null | awk 'NR <= 16 {
                print "# offset " $1 - 1 ": golden 0" $2 ", expect 0" $3 " (octal)" }'
            return 1
        fi
    done
}

# test_table CASE KIND FILE DESCRIPTION
test_table()
{
    number=$((number + 1))
    if compare "$1" "$2" "$3"; then
        echo "ok $number - $4"
    else
        echo "not ok $number - $4"
        failed=1
    fi
}

# Of a kind that a case has no file of, QEMU's guest has no table: its test would fail without the file.
present=
absent=
for kind in srat slit hmat; do
    for file in "$golden"/*."$kind"; do
        name=${file##*/}
        [ -e "$file" ] && present="$present $name"
    done
    for file in "$golden"/*.yaml; do
        name=${file##*/}
        [ -e "$file" ] && [ ! -e "${file%.yaml}.$kind" ] && absent="$absent ${name%.yaml}.$kind"
    done
done

echo 'TAP version 13'
if [ -z "$present" ]; then
    echo "Bail out! no tables in $golden"
    exit 1
fi
# shellcheck disable=SC2086 # names without blanks
set -- $present $absent
echo "1..$#"
for table in $present; do
    test_table "${table%.*}" "${table##*.}" "$golden/$table" "$table"
done
for table in $absent; do
    test_table "${table%.*}" "${table##*.}" /dev/null "no $table"
done
exit "$failed"
