#!/bin/sh
# SPDX-License-Identifier: MIT
# What gen, expect and show print for every example, against golden/EXAMPLE.COMMAND: standard output,
# then standard error, then the status. 'golden.sh --update' rewrites the files and says which.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

update=
case ${1-} in
'') ;;
--update)
    [ -z "${CI:-}" ] || bail_out 'golden files are not rewritten in CI'
    update=yes
    ;;
*) bail_out "what is '$1'?" ;;
esac
golden=$top/tests/golden

# As the messages name the file, it must be the same wherever the sources are.
cd "$top" || bail_out "no directory '$top'"

# record EXAMPLE COMMAND...: all that the program does
record()
{
    file=$1
    shift
    run "$@" "$file"
    printf '$ spmtopo %s\n' "$* $file"
    cat "$tmp/out"
    printf '%s\n' '--- standard error'
    cat "$tmp/err"
    printf '%s\n' "--- status $status"
}

# compare NAME: $tmp/actual with the golden file
compare()
{
    ! crashed "$status" && [ -e "$golden/$1" ] && same "$golden/$1" "$tmp/actual" && return
    [ -e "$golden/$1" ] || echo "there is no golden/$1"
    echo "if this is as it should be: make update-golden"
    return 1
}

# settle NAME: compared, or rewritten where it differs
settle()
{
    echo "$1" >>"$tmp/names"
    if [ -n "$update" ] && ! crashed "$status" && ! cmp -s "$golden/$1" "$tmp/actual"; then
        cp "$tmp/actual" "$golden/$1" || bail_out "cannot write '$golden/$1'"
        echo "# rewrote $golden/$1"
    fi
    check "$1" compare "$1"
}

: >"$tmp/names"
for file in examples/*.yaml; do
    [ -e "$file" ] || bail_out 'there are no examples'
    name=${file##*/}
    name=${name%.yaml}
    record "$file" gen --target qemu >"$tmp/actual"
    settle "$name.gen"
    record "$file" gen --target libvirt >"$tmp/actual"
    settle "$name.gen-libvirt"
    record "$file" gen --target libvirt --fragment >"$tmp/actual"
    settle "$name.gen-libvirt-fragment"
    record "$file" gen --target cloud-hypervisor >"$tmp/actual"
    settle "$name.gen-cloud-hypervisor"
    record "$file" expect >"$tmp/actual"
    settle "$name.expect"
    record "$file" expect --stage guest >"$tmp/actual"
    settle "$name.guest"
    record "$file" expect --target libvirt >"$tmp/actual"
    settle "$name.expect-libvirt"
    record "$file" expect --target cloud-hypervisor >"$tmp/actual"
    settle "$name.expect-cloud-hypervisor"
    record "$file" expect --target all >"$tmp/actual"
    settle "$name.expect-all"
    record "$file" show >"$tmp/actual"
    settle "$name.show"
    record "$file" show --target cloud-hypervisor >"$tmp/actual"
    settle "$name.show-cloud-hypervisor"
    for format in svg dot; do
        record "$file" show --format "$format" >"$tmp/actual"
        settle "$name.show-$format"
    done
done

# A golden file without its example proves nothing.
for file in "$golden"/*; do
    name=${file##*/}
    grep -qxF "$name" "$tmp/names" && continue
    if [ -n "$update" ] && [ -e "$file" ]; then
        rm -f "$file"
        echo "# removed $file"
    else
        echo "golden/$name is of no example"
    fi
done >"$tmp/strangers"
grep '^#' "$tmp/strangers"
grep -v '^#' "$tmp/strangers" >"$tmp/left"
check 'every golden file has its example' same /dev/null "$tmp/left"
tap_end
