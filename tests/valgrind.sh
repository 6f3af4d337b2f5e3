#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory as valgrind sees it: nothing is read before it is written, or past its end, and nothing is lost at the
# end. Every example with every command, the files of tests/bad, input made to hurt, and captures of guests.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

finding=99
kinds=definite,indirect,possible
watch="valgrind --quiet --vgdb=no --read-inline-info=no --error-exitcode=$finding --leak-check=full --show-leak-kinds=$kinds --errors-for-leak-kinds=$kinds"

skip_all()
{
    skip 'memory as valgrind sees it' "$1"
    tap_end
}
command -v valgrind >/dev/null 2>&1 || skip_all 'NOT RUN: valgrind is not there'
$watch --log-file="$tmp/log" "$SPMTOPO" --version >/dev/null 2>&1 ||
    skip_all 'NOT RUN: valgrind cannot run this program; is it built with a sanitizer?'
cd "$top" || bail_out "no directory '$top'"

# watched STATUS... -- ARGUMENT...: one of the statuses, and nothing found
watched()
{
    wanted=
    while [ "$1" != -- ]; do
        wanted="$wanted $1"
        shift
    done
    shift
    found=0
    # shellcheck disable=SC2086 # a command and its options
    $watch --log-file="$tmp/log" "$SPMTOPO" "$@" >"$tmp/out" 2>"$tmp/err" || found=$?
    case "$wanted " in
    *" $found "*) [ ! -s "$tmp/log" ] && return ;;
    esac
    echo "status $found, not$wanted: spmtopo $*"
    tail -n 5 "$tmp/err"
    cat "$tmp/log"
    return 1
}

# A lost block must be a finding, or all below proves nothing.
proves()
{
    printf 'int main(void) { return __builtin_malloc(10) == 0; }\n' >"$tmp/lost.c"
    ${CC:-cc} -O0 -o "$tmp/lost" "$tmp/lost.c" || return 0
    found=0
    $watch --log-file="$tmp/log" "$tmp/lost" || found=$?
    [ "$found" -eq "$finding" ]
}
check 'a lost block is found' proves

for format in text json sarif github; do
    check "check --format $format, all examples" watched 0 -- check --format "$format" --jobs 2 examples
done
for file in examples/*.yaml; do
    name=${file##*/}
    check "$name: gen" watched 0 1 -- gen --target qemu "$file"
    check "$name: gen --target libvirt" watched 0 1 -- gen --target libvirt "$file"
    check "$name: gen --target cloud-hypervisor" watched 0 1 -- gen --target cloud-hypervisor "$file"
    check "$name: expect" watched 0 -- expect --format json "$file"
    check "$name: expect --target all" watched 0 -- expect --target all "$file"
    check "$name: expect --stage guest" watched 0 -- expect --stage guest --format json "$file"
    for format in yaml svg dot; do
        check "$name: show --format $format" watched 0 -- show --format "$format" "$file"
    done
done
check 'rules' watched 0 -- rules --format json
check 'explain' watched 0 -- explain firmware-drops-spm
check 'a rule that is not there' watched 2 -- explain firmware-drops-spn

check 'files with errors' watched 1 -- check --format sarif tests/bad/*.yaml
check 'files with errors, as text' watched 1 -- check tests/bad/*.yaml
check 'corner cases' watched 1 0 -- check tests/good tests/corpus

# Input made to hurt; tests/hostile.sh has more of it, without valgrind.
"$PYTHON" - "$tmp" <<'EOF'
import os, sys
def put(name, data):
    with open(os.path.join(sys.argv[1], name + ".hostile"), "wb") as file:
        file.write(data)
head = b"spmtopo: 1\nname: a\ncpus: 1\n"
put("deep", b"[" * 100000)
put("half", b"{a: [b, {c: &d 'e")
put("laughs", b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (i + 1, i + 1, i, i) for i in range(97, 120)))
put("inside", b"a: &a [*a]\n")
put("bytes", bytes(range(256)) * 10)
put("bom", b"\xff\xfes\0p\0")
put("nul", b'a: "\\0"\n')
put("keys", b"".join(b"k%d: 1\n" % i for i in range(2000)) + b"k7: 2\n")
put("nodes", head + b"nodes:\n" + b"".join(b"  - {id: %d, memory: 1GiB, cpus: 0}\n" % i for i in range(200)))
put("empty", b"")
put("long", b"a" * 100000 + b": b\n")
EOF
for file in "$tmp"/*.hostile; do
    check "input made to hurt: ${file##*/}" watched 1 -- check "$file"
done

for guest in seabios-linux7 ovmf-linux7 hmat-dax; do
    case=tests/guests/$guest
    tar -C "$case/guest" -cf "$tmp/$guest.tar" .
    check "verify: $guest, a folder" watched 0 1 -- verify "$case/topology.yaml" --guest "$case/guest" --format json
    check "verify: $guest, a tar" watched 0 1 -- verify "$case/topology.yaml" --guest "$tmp/$guest.tar"
    check "verify: $guest, a log" watched 0 1 -- verify "$case/topology.yaml" --guest "$case/guest/dmesg" --format tap
done
head -c 20000 "$tmp/hmat-dax.tar" >"$tmp/cut.tar"
check 'verify: a tar that ends too soon' watched 2 -- verify tests/guests/hmat-dax/topology.yaml --guest "$tmp/cut.tar"
play_qemu
check 'verify --qmp' watched 0 -- verify "$tmp/qmp.yaml" --qmp "$tmp/socket"
tap_end
