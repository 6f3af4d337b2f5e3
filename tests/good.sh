#!/bin/sh
# SPDX-License-Identifier: MIT
# In the files of good/ 'check' finds nothing, no error, no warning, no note; for the targets that they
# name, and for each of the three. A line
#   # not for TARGET: REASON
# says that a file cannot be had there: then check must find an error. What is clean for QEMU compiles.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

echo '1 file: 0 errors, 0 warnings, 0 notes' >"$tmp/nothing"

# clean FILE [OPTION...]
clean()
{
    run check "$@"
    ran 0 && same "$tmp/nothing" "$tmp/err" && same /dev/null "$tmp/out"
}

# An error, and not a failure of another kind.
impossible()
{
    run check "$@"
    ran 1 && grep -q '^[^ ]*:[0-9]*:[0-9]*: error: .*\[SPM' "$tmp/err"
}

compiles()
{
    for command in 'gen --target qemu' expect 'show --format yaml'; do
        # shellcheck disable=SC2086 # words of a command
        run $command "$1"
        ran 0 quiet && [ -s "$tmp/out" ] || return 1
    done
}

# With every default filled in it is as good; comments are not shown.
shown_is_clean()
{
    run show --format yaml "$1"
    ran 0 quiet || return 1
    cp "$tmp/out" "$tmp/shown.yaml"
    clean "$tmp/shown.yaml"
}

cd "$top/tests/good" || bail_out 'no directory tests/good'
count=0
for file in *.yaml; do
    [ -e "$file" ] || bail_out 'no files in tests/good'
    count=$((count + 1))
    check "$file: nothing is found" clean "$file"
    for target in qemu libvirt cloud-hypervisor; do
        if grep -q "^# not for $target: ." "$file"; then
            check "$file: an error for $target" impossible --target "$target" "$file"
        else
            check "$file: nothing is found for $target" clean --target "$target" "$file"
        fi
    done
    grep -q 'spmtopo-allow' "$file" || check "$file: nothing is found in what 'show' makes of it" shown_is_clean "$file"
    grep -q '^# not for qemu: .' "$file" || check "$file: compiles" compiles "$file"
done
check 'there are enough of them' test "$count" -ge 15

# Typing errors in such comments would make a file good for a target that it is not for.
grep '^# not for' ./*.yaml | grep -Ev ':# not for (qemu|libvirt|cloud-hypervisor): .' >"$tmp/strangers"
check 'the comments can be read' same /dev/null "$tmp/strangers"
tap_end
