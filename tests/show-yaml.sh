#!/bin/sh
# SPDX-License-Identifier: MIT
# 'show --format yaml' gives a topology that compiles to the same bytes and shows as itself.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

# printed FILE ARGUMENT...: what the program prints, into FILE; it must succeed
printed()
{
    into=$1
    shift
    run "$@"
    cp "$tmp/out" "$into"
    ran 0
}

round_trip()
{
    printed "$tmp/shown.yaml" show -q --format yaml "$1" || return 1
    if [ ! -s "$tmp/shown.yaml" ]; then
        echo 'nothing is shown'
        return 1
    fi
    set -- "$1" "$tmp/shown.yaml"
    # Neighbouring SPM of an interface that types nodes is joined by OVMF, and so an error of gen.
    firmware=
    case $1 in *memmap-type*) firmware=--firmware=qboot ;; esac
    printed "$tmp/argv" gen -q --target qemu --format argv $firmware "$1" || return 1
    printed "$tmp/argv.shown" gen -q --target qemu --format argv $firmware "$2" || {
        cat "$2"
        return 1
    }
    tr '\0' '\n' <"$tmp/argv" >"$tmp/lines"
    tr '\0' '\n' <"$tmp/argv.shown" >"$tmp/lines.shown"
    same "$tmp/lines" "$tmp/lines.shown" && same "$tmp/argv" "$tmp/argv.shown" || return 1
    for table in e820 srat slit hmat; do
        printed "$tmp/table" expect -q --format raw --table "$table" "$1" || return 1
        printed "$tmp/table.shown" expect -q --format raw --table "$table" "$2" || return 1
        same "$tmp/table" "$tmp/table.shown" || return 1
    done
    printed "$tmp/again" show -q --format yaml "$2" && same "$2" "$tmp/again"
}

for directory in examples tests/corpus tests/memmap-type; do
    for file in "$top/$directory"/*.yaml; do
        [ -e "$file" ] || bail_out "no files in $directory"
        check "$directory/${file##*/}" round_trip "$file"
    done
done
tap_end
