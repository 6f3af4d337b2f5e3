#!/bin/sh
# SPDX-License-Identifier: MIT
# Small files and a line of what is printed of them: values that no example has. The whole output is held by the
# golden files, and by the programs that read it.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

# file LINE...: the topology
file()
{
    printf '%s\n' 'spmtopo: 1' 'name: lines' "$@" >"$tmp/t.yaml"
}
# prints STATUS TEXT: of the last run
prints()
{
    if crashed "$status" || [ "$status" -ne "$1" ] || ! cat "$tmp/out" "$tmp/err" | grep -qF -- "$2"; then
        echo "status $status, and not '$2' in:"
        cat "$tmp/out" "$tmp/err"
        return 1
    fi
}
# says DESCRIPTION STATUS TEXT COMMAND...
says()
{
    description=$1
    wanted=$2
    text=$3
    shift 3
    run "$@" --quiet "$tmp/t.yaml"
    check "$description" prints "$wanted" "$text"
}

# --- cloud-hypervisor --------------------------------------------------------------------------------

file 'machine: {phys-bits: 44}' 'boot: {firmware: none, kernel: -kernel, cmdline: -x, initrd: "my initrd"}' 'cpus: 1' 'nodes:' \
    "  - {id: 0, cpus: 0, memory: {size: 1GiB, backend: {kind: file, path: '/mnt/a \"b\", c'}}}"
gen='gen --target cloud-hypervisor --format'
# shellcheck disable=SC2086 # words of a command
{
    says 'address bits' 0 'topology=1:1:1:1,max_phys_bits=44' $gen shell
    says 'a path with what its parser splits at' 0 ",file=\"/mnt/a \"\"b\"\", c\"'" $gen shell
    says 'a kernel that looks like an option' 0 '--kernel=-kernel' $gen shell
    says 'a command line that does' 0 '--cmdline=-x' $gen shell
    says 'address bits, JSON' 0 '"max_phys_bits": 44' $gen json
    says 'a path, JSON' 0 '"file": "/mnt/a \"b\", c"' $gen json
    says 'a kernel, JSON' 0 '"kernel": "-kernel"' $gen json
    file 'boot: {firmware: none, kernel: k}' 'cpus: 1' 'nodes:' \
        '  - {id: 0, cpus: 0, memory: {size: 1GiB, backend: {kind: file, path: /mnt/a}}}'
    says 'a plain path' 0 'size=1073741824,file=/mnt/a ' $gen shell
}

# --- QEMU ----------------------------------------------------------------------------------------------

file 'machine: {cpu-vendor: amd}' 'cpus: 1' 'nodes:' \
    '  - {id: 0, cpus: 0, memory: {size: 1GiB, backend: {kind: file, path: /dev/shm/x, pmem: true, share: true}}}'
says 'persistent memory' 0 'mem-path=/dev/shm/x,share=on,pmem=on' gen --target qemu

for firmware in seabios:none ovmf:'at most 896 MiB'; do
    file 'machine: {cpu-vendor: amd}' "boot: {firmware: ${firmware%%:*}}" 'cpus: 1' 'nodes:' \
        '  - {id: 0, cpus: 0, memory: 1GiB}' '  - {id: 1, memory: {size: 2GiB, type: spm}}' \
        'targets: {qemu: {spm-interface: kernel-parameter}}'
    run check "$tmp/t.yaml"
    check "SPM of which ${firmware%%:*} keeps the end" prints 0 \
        "at 0x80000000, and there firmware keeps its tables: of its 1 GiB there Linux can bring ${firmware#*:} online"
done

# --- libvirt -------------------------------------------------------------------------------------------

file 'machine: {cpu-vendor: amd}' 'cpus: 1' 'nodes:' \
    '  - {id: 0, cpus: 0, memory: {size: 1GiB, backend: {kind: memfd, prealloc: true}}}'
says 'memory that is there from the start' 0 "<allocation mode='immediate'/>" gen --target libvirt
file 'machine: {cpu-vendor: amd}' 'cpus: 2' 'nodes:' \
    '  - {id: 0, cpus: 0, memory: 1GiB}' '  - {id: 1, memory: {size: 1GiB, type: spm}}' \
    '  - {id: 2, memory: {size: 1GiB, type: spm}}' 'distances: {0: {1: 20, 2: 30}, 1: {2: 25}}' \
    'targets: {libvirt: {version: "9.2"}}'
sed -i 's/^cpus: 2/cpus: 1/' "$tmp/t.yaml"
says 'nodes that an older libvirt cannot hold' 0 'node,nodeid=2' gen --target libvirt
says 'and their distances' 0 'dist,src=1,dst=2,val=25' gen --target libvirt
says 'and the node of their SPM' 0 "<qemu:property name='node' type='unsigned' value='2'/>" gen --target libvirt

# --- expect, show, verify ------------------------------------------------------------------------------

file 'machine: {accel: tcg, cpu: max}' 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB}' \
    '  - {id: 1, memory: {size: 1GiB, type: spm}}'
says 'a target that refuses the file' 0 '"accepted":	false' expect --target all --format json
says 'and why' 0 '"error":' expect --target all --format json
file 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB}'
says 'what a prediction assumes' 0 '"assumption":	"' expect --target all --format json
file 'machine: {accel: tcg, cpu: max}' 'cpus: 200' 'nodes:' \
    "  - {id: 0, cpus: \"$(seq -s, 0 2 198)\", memory: 1GiB}" "  - {id: 1, cpus: \"$(seq -s, 1 2 199)\", memory: 1GiB}"
says 'a long list of CPUs is cut' 0 '36,38,40... ' show
file 'machine: {accel: tcg, cpu: none}' 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB}'
says 'a file that every target refuses' 1 'has no CPU model' expect --target all
mv "$tmp/t.yaml" "$tmp/none.yaml"
says 'no file, for every target' 2 'cannot read' expect --target all
file 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB}'
says 'QMP of a VMM that has none' 2 "QMP is QEMU's" verify --target cloud-hypervisor --qmp s
# shellcheck disable=SC2046 # words of a command
says 'more rules than there is room for' 2 'more than 256 rules' check $(yes -- '-W no-low-node' | head -n 257)
says 'distances that are all the same' 0 '<svg' show --format svg
file 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB}' 'distances: [[10]]'
says 'the distance of one node' 0 '<svg' show --format svg
file 'machine: {accel: tcg, cpu: max}' 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB}' \
    '  - {id: 1, memory: {size: 1GiB, type: spm}}' 'targets: {qemu: {spm-interface: spm-flag}}'
says 'SPM among the boot memory' 0 '0x0040000000-0x007fffffff     1 GiB  SPM       node 1' show

file 'machine: {accel: tcg, cpu: max}' 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB}' \
    '  - {id: 1, memory: {size: 1GiB, type: spm}}' 'device-memory: {max-memory: 8GiB, slots: 2}' \
    'targets: {qemu: {spm-interface: memmap-type}}'
says 'the window for memory devices behind SPM that is none' 0 '0x0100000000-0x02ffffffff     8 GiB  node 1  hot-pluggable' \
    expect --table srat

# --- check ---------------------------------------------------------------------------------------------

# quiet FORMAT: without what is not an error
quiet()
{
    run check --format "$1" "$tmp/t.yaml"
    grep -q spm-no-hmat "$tmp/out" || return 1
    run check --format "$1" --quiet "$tmp/t.yaml"
    [ "$status" -eq 0 ] && ! grep -E '"ruleId"|^::' "$tmp/out"
}
file 'machine: {cpu-vendor: amd}' 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB}' \
    '  - {id: 1, memory: {size: 1GiB, type: spm}}'
check '--quiet and SARIF' quiet sarif
check '--quiet and annotations of GitHub' quiet github
file 'machine: {cpu-vendor: amd}' 'cpus: 1' 'nodes:' \
    '  - {id: 0, label: "a # spmtopo-allow: low-node", cpus: 0, memory: 1GiB}' \
    '  - {id: 1, label: "b # spmtopo-allow: low-node", memory: {size: 1GiB, type: spm}}  # spmtopo-allow: spm-no-hmat'
run check --Werror "$tmp/t.yaml"
check 'what allows a finding inside a scalar is no comment' ran 0
fewer()
{
    run check "$tmp/t.yaml"
    ! grep -E 'spm-no-hmat|allow-unused' "$tmp/err"
}
check 'and beside it is' fewer
if [ -c /dev/full ]; then
    # what cannot be said is a failure, whatever it was
    for command in "gen --target qemu" "check" "verify --guest $top/tests/guests/ovmf-linux7/guest"; do
        status=0
        # shellcheck disable=SC2086 # words of a command
        "$SPMTOPO" $command "$top/examples/hbm-guest.yaml" >"$tmp/out" 2>/dev/full || status=$?
        : >"$tmp/err"
        unsaid()
        {
            [ "$status" -eq 2 ] && [ ! -s "$tmp/out" ]
        }
        check "${command%% *}: findings that nobody can read" unsaid
    done
fi

# --- values that are almost right ------------------------------------------------------------------------

for version in 12 12.11 12-8 12. 12.8.1.1 100.0; do
    file 'cpus: 1' 'nodes: [{id: 0, cpus: 0, memory: 1GiB}]' "targets: {libvirt: {version: '$version'}}"
    says "libvirt $version" 1 "libvirt '$version' is not a version" check
done
for uuid in 6ba7b810-9dad-11d1-80b4+00c04fd430c8 6ba7b810-9dad-11d1-80b4-00c04fd430cg 6ba7b8109dad11d180b400c04fd430cg; do
    file 'cpus: 1' 'nodes: [{id: 0, cpus: 0, memory: 1GiB}]' "targets: {libvirt: {uuid: '$uuid'}}"
    says "the UUID $uuid" 1 libvirt-value check
done
file 'machine: {cpu-vendor: amd}' 'cpus: 1' 'nodes:' '  - {id: 0, cpus: 0, memory: 1GiB, host-nodes: 0}' \
    '  - {id: 1, memory: {size: 1GiB, type: spm}}' "targets: {libvirt: {version: '9.0'}}"
says 'no cell that could hold the SPM' 0 "<qemu:arg value='sp-mem,id=ua-node1-mem," gen --target libvirt
# memmap= as the kernel reads it, for a firmware that drops SPM
memmap()
{
    file 'machine: {cpu-vendor: amd}' "boot: {firmware: seabios, kernel: /k, cmdline: memmap=$1}" 'cpus: 1' 'nodes:' \
        '  - {id: 0, cpus: 0, memory: 2GiB}' '  - {id: 1, memory: {size: 1GiB, type: spm}}'
    run check --quiet "$tmp/t.yaml"
}
for value in 1G%0x100000000 1G%4G 0x40000000%4G 010000000000%4G 1E%4G 1048576k%4g; do
    memmap "$value+0xefffffff"
    check "memmap=$value tells of the SPM" ran 0 quiet
done
for value in 1M%4G 99E%4G %4G 1G%4Gx 1G@4G 1A%4G; do
    memmap "$value+0xefffffff"
    check "memmap=$value does not" prints 1 firmware-drops-spm
done
file 'cpus: 1' 'nodes: []' 'distances: [[10]]'
says 'distances of no node' 1 'there is no node' check
file 'machine: {cpu-vendor: amd}' 'cpus: 1' 'nodes: [{id: 0, cpus: 0, memory: 1GiB}, {id: 1, memory: 1GiB}]' \
    'distances: [[10, 20], [20, 10]]'
says 'a heat map of one distance' 0 'id="distance-0-1" class="cell h2"' show --format svg

# --- what a guest shows --------------------------------------------------------------------------------

cp -R "$top/tests/guests/ovmf-linux7/guest" "$tmp/guest"
chmod -R u+w "$tmp/guest"
awk '{ sub(/, BIOS /, ", BIOS \007a") } { print }' "$tmp/guest/dmesg" >"$tmp/dmesg" && mv "$tmp/dmesg" "$tmp/guest/dmesg"
cp "$top/tests/guests/ovmf-linux7/topology.yaml" "$tmp/t.yaml"
run verify "$tmp/t.yaml" --guest "$tmp/guest"
harmless()
{
    prints 0 'log.firmware      \x07a' && ! grep -q "$(printf '\007')" "$tmp/out"
}
check 'what a guest writes does not reach the terminal' harmless
tap_end
