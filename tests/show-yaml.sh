#!/bin/sh
# SPDX-License-Identifier: MIT
# 'show --format yaml' gives a topology that compiles to the same bytes, shows as itself, and passes
# 'check' where the file does.
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
    printed "$tmp/argv" gen -q --target qemu --format argv ${firmware:+"$firmware"} "$1" || return 1
    printed "$tmp/argv.shown" gen -q --target qemu --format argv ${firmware:+"$firmware"} "$2" || {
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
    judged "$1" "$2"
}

# judged FILE SHOWN: by 'check', for the file's own targets
judged()
{
    printed "$tmp/again" show -q --format yaml "$2" && same "$2" "$tmp/again" || return 1
    run check -q "$1"
    wanted=$status
    run check -q "$2"
    [ "$status" -eq "$wanted" ] && return
    echo "check: status $status, not $wanted"
    cat "$tmp/err"
    return 1
}

# The same for a file that is for cloud-hypervisor alone.
cloud_hypervisor_round_trip()
{
    printed "$tmp/shown.yaml" show -q --format yaml "$1" || return 1
    for command in 'gen -q --format argv' 'expect -q'; do
        # shellcheck disable=SC2086 # words
        printed "$tmp/wanted" $command --target cloud-hypervisor "$1" &&
            printed "$tmp/found" $command --target cloud-hypervisor "$tmp/shown.yaml" &&
            same "$tmp/wanted" "$tmp/found" || return 1
    done
    judged "$1" "$tmp/shown.yaml"
}

for directory in examples tests/corpus tests/memmap-type; do
    for file in "$top/$directory"/*.yaml; do
        [ -e "$file" ] || bail_out "no files in $directory"
        check "$directory/${file##*/}" round_trip "$file"
    done
done
for file in "$top"/tests/cloud-hypervisor/*/*.yaml; do
    grep -q '^targets: {cloud-hypervisor' "$file" || continue
    check "cloud-hypervisor: ${file##*/}" cloud_hypervisor_round_trip "$file"
done
follows()
{
    run show -q "$top/tests/cloud-hypervisor/boots/spm.yaml"
    ran 0 && grep -q '^spm: x86-64 on cloud-hypervisor, ' "$tmp/out" || return 1
    run show -q --target qemu "$top/tests/cloud-hypervisor/boots/spm.yaml"
    ran 0 && grep -q '^spm: q35 on qemu, ' "$tmp/out" || return 1
    run show -q "$top/examples/cloud-hypervisor.yaml"
    ran 0 && grep -q ': q35 on qemu, ' "$tmp/out" || return 1
    run show -q --target cloud-hypervisor "$top/examples/cloud-hypervisor.yaml"
    ran 0 && grep -q '^cloud-hypervisor: x86-64 on cloud-hypervisor, ' "$tmp/out"
}
check 'the layout is that of the target asked for, or the first that the file names' follows
tap_end
