#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables that a QEMU with the memmap-type patch series built, measured, against expect: byte for
# byte, with their checksums (the files are as the guest reads them, after QEMU's loader filled those
# in). Of a case without .slit the guest has no SLIT.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

measured=$top/tests/memmap-type

# bytes WANTED ACTUAL: as same, for what is not text
bytes()
{
    cmp -s "$1" "$2" && return
    echo "measured $(wc -c <"$1") bytes, expect $(wc -c <"$2")"
    cmp -l "$1" "$2" 2>&1 | awk 'NR <= 16 { print "offset " $1 - 1 ": measured 0" $2 ", expect 0" $3 " (octal)" }'
    return 1
}

# table CASE KIND: and the interface must be the one that was measured
table()
{
    run expect -q --table "$2" --format raw "$1.yaml"
    ran 0 quiet || return 1
    if [ -e "$1.$2" ]; then
        bytes "$1.$2" "$tmp/out"
    else
        bytes /dev/null "$tmp/out"
    fi
}

for file in "$measured"/*.yaml; do
    [ -e "$file" ] || bail_out "no cases in $measured"
    case=${file%.yaml}
    for kind in e820 srat slit; do
        # Only a SLIT may be missing.
        if [ -e "$case.$kind" ]; then
            check "${case##*/}.$kind" table "$case" "$kind"
        elif [ "$kind" = slit ]; then
            check "${case##*/}: no $kind" table "$case" "$kind"
        else
            not_ok "${case##*/}.$kind" 'the measured table is missing'
        fi
    done
done

# A table whose topology is missing would not be compared.
for file in "$measured"/*.e820 "$measured"/*.srat "$measured"/*.slit; do
    [ -e "${file%.*}.yaml" ] || echo "${file##*/} has no topology"
done >"$tmp/strangers"
check 'every measured table has its topology' same /dev/null "$tmp/strangers"
tap_end
