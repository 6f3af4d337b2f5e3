#!/bin/sh
# SPDX-License-Identifier: MIT
# Captures of guests with one thing altered or left out: which check of `verify` says so, and with what cause or
# reason.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

cases=$top/tests/guests
nodes=sys/devices/system/node
dax=sys/bus/dax/devices

# fresh NAME: its topology and guest, to be altered
fresh()
{
    rm -rf "$tmp/guest"
    cp -R "$cases/$1/guest" "$tmp/guest"
    chmod -R u+w "$tmp/guest"
    cp "$cases/$1/topology.yaml" "$tmp/t.yaml"
    chmod u+w "$tmp/t.yaml"
}
# put TEXT FILE: what a file of the guest holds
put()
{
    mkdir -p "$tmp/guest/${2%/*}"
    printf '%s\n' "$1" >"$tmp/guest/$2"
}
# verdict ID STATUS TEXT: one check of the report, with the lines that belong to it
verdict()
{
    awk -v id="$1" '/^[a-zA-Z]/ { inside = $2 == id } inside' "$tmp/out" >"$tmp/line"
    grep -q "^$2 " "$tmp/line" && grep -qF -- "$3" "$tmp/line" && return
    echo "$1 is not $2 with '$3', but:"
    cat "$tmp/line" "$tmp/err"
    return 1
}
# says DESCRIPTION ID STATUS TEXT
says()
{
    run verify "$tmp/t.yaml" --guest "$tmp/guest"
    if crashed "$status"; then
        not_ok "$1" "status $status" "$(cat "$tmp/err")"
        return
    fi
    check "$1" verdict "$2" "$3" "$4"
}

# --- dax devices -----------------------------------------------------------------------------------

fresh apart
put 1 $dax/dax1.0/target_node
says 'a device on another node' dax.devices FAIL 'wrong target node: this is SPM of node 2'
fresh apart
put 1073741824 $dax/dax1.0/size
says 'a device that is too large' dax.devices FAIL 'it is larger than the SPM there'
put 0 $dax/dax1.0/size
says 'a device that was given nothing of its SPM' dax.devices skip 'not given to its device'
put 5 $dax/dax1.0/target_node
says 'the same on another node' dax.devices FAIL 'dax1.0 of no size at 0x128000000 on node 5'
fresh apart
put 18446744073709547520 $dax/dax1.0/size
says 'a device that wraps round' dax.devices FAIL 'an impossible size'
put 134217728 $dax/dax1.0/size
says 'a device of a part of the SPM' dax.devices FAIL 'a part of the SPM has no device'
put 0x140000000000 $dax/dax1.0/resource
says 'a device where no SPM is' dax.devices FAIL 'there is no SPM there'
rm "$tmp/guest/$dax/dax1.0/target_node"
says 'a device where no SPM is, on no node' dax.devices FAIL 'on no node'
rm "$tmp/guest/$dax/dax1.0/resource"
says 'a device of which only root sees the place' dax.devices skip 'only root sees'
fresh apart
rm "$tmp/guest/$dax/dax1.0/size"
says 'a device without a size' dax.devices FAIL "a damaged source: 'dax1.0' is incomplete"
put many $dax/dax1.0/size
says 'a size that is none' dax.devices FAIL "'dax1.0/size' is not what Linux writes"
put none $dax/dax1.0/target_node
says 'a target node that is none' dax.devices FAIL "'dax1.0/target_node' is not what Linux writes"
fresh apart
put -1 $dax/dax1.0/target_node
says 'a device without a target node' dax.devices FAIL 'no target node: Linux does not know node 2'
fresh apart
for number in 2 3 4 5; do
    put 0x128000000 $dax/dax$number.0/resource
    put 4096 $dax/dax$number.0/size
    put 1 $dax/dax$number.0/target_node
done
says 'more devices than are listed' dax.devices FAIL 'and 2 more'
put 1 $dax/dax_with_a_name_that_is_longer_than_any/size
says 'a name that is too long' dax.devices FAIL 'there are too many dax devices'
# SPM of two nodes that touches is one range to firmware.
fresh apart
cat >"$tmp/t.yaml" <<'EOF'
spmtopo: 1
name: touching
machine: {type: q35, accel: tcg, cpu: max}
boot: {firmware: ovmf, kernel: /kernel}
cpus: 2
nodes:
  - {id: 0, cpus: 0-1, memory: 1GiB}
  - {id: 1, memory: {size: 512MiB, type: spm, address: 4GiB}}
  - {id: 2, memory: {size: 512MiB, type: spm, address: 4608MiB}}
EOF
put 1073741824 $dax/dax0.0/size
rm -r "$tmp/guest/$dax/dax1.0"
says 'one device over the SPM of two nodes' dax.devices FAIL 'joined by firmware: touching SPM of nodes 1 and 2 is one device, on node 1'
grep -l 'Soft Reserved' "$tmp/guest/sys/firmware/memmap"/*/type | while read -r type; do
    case $(cat "${type%type}start") in
    0x100000000) echo 0x13fffffff >"${type%type}end" ;;
    *) echo Reserved >"$type" ;;
    esac
done
says 'one range over it' memmap.spm FAIL 'joined by firmware: touching SPM of nodes 1 and 2 is one range'

cat >>"$tmp/t.yaml" <<'EOF'
hmat: {performance: [{from: 0, to: 1, latency: 100ns}, {from: 0, to: 2, latency: 100ns}]}
EOF
says 'with an HMAT Linux knows them apart' memmap.spm ok '0x100000000-0x13fffffff'
put 'console=ttyS0 numa=nohmat' proc/cmdline
says 'and with numa=nohmat it does not' memmap.spm FAIL 'joined by firmware: touching SPM of nodes 1 and 2 is one range'

# --- nodes -----------------------------------------------------------------------------------------

fresh apart
rm "$tmp/guest/$nodes/online"
says 'which nodes are online is not shown' nodes.online skip 'does not show which nodes are online'
says 'and so no distances' node0.distance skip 'the source does not show its distances'
fresh apart
put 0-1 $nodes/online
says 'a node that should be online' nodes.online ok 0-1
put 1-2 $nodes/online
says 'node 0 is not online' nodes.online FAIL 'node 0 is not online'
says 'and shows nothing' node0.cpus skip 'the node is not online'
put 0-3 $nodes/online
says 'a node that is not in the file' nodes.online FAIL 'node 3 is online and not in the file'
says 'and has no distance' node0.distance FAIL '10 20 20 ?'
put 'initrd=initrd numa=off' proc/cmdline
says 'numa=off is named' nodes.online FAIL 'numa=off'
put 0 $nodes/possible
says 'nodes that Linux does not know' nodes.possible FAIL '0: without node 1'
put 0-7 $nodes/possible
says 'nodes that may be plugged in' nodes.possible ok 0-7
put 3-1 $nodes/online
says 'a list that is none' nodes.source FAIL "'online' is not what Linux writes"
fresh apart
rm "$tmp/guest/$nodes/node0/cpulist" "$tmp/guest/$nodes/node0/meminfo" "$tmp/guest/$nodes/node0/distance"
put 'Node 0 MemTotal: 1000 kB' $nodes/node1/meminfo
says 'a node of which nothing is shown' node0.cpus skip 'the node is not online'
for file in cpulist:cpus:CPUs meminfo:memory:memory distance:distance:distances; do
    fresh apart
    rm "$tmp/guest/$nodes/node0/${file%%:*}"
    check_id=${file#*:}
    says "no ${file%%:*}" "node0.${check_id%:*}" skip "does not show its ${file##*:}"
done
put 'Node 1 MemTotal: 0 kB' $nodes/node1/meminfo
says 'SPM that no driver brought online' node1.memory skip 'no driver has brought its SPM online'
put 'Node 1 MemTotal: 393216 kB' $nodes/node1/meminfo
says 'SPM of another size' node1.memory FAIL '384 MiB'
put 'Node 1 MemTotal: 1048576 kB' $nodes/node1/meminfo
says 'SPM of two nodes in one' node1.memory FAIL "it has another node's SPM"
put 'initrd=initrd efi=nosoftreserve' proc/cmdline
says 'nosoftreserve is named' node1.memory FAIL 'efi=nosoftreserve'
put 'Node 1 MemFree: 1 kB' $nodes/node1/meminfo
says 'a meminfo without a total' nodes.source FAIL 'node1/meminfo'
put 'Node 1 MemTotal: 99999999999999999999 kB' $nodes/node1/meminfo
says 'a total beyond all' nodes.source FAIL 'node1/meminfo'
put 'Node 1 MemTotal: 5 MB' $nodes/node1/meminfo
says 'a total in another unit' nodes.source FAIL 'node1/meminfo'
fresh apart
put '10 256' $nodes/node1/distance
says 'a distance beyond 255' nodes.source FAIL 'node1/distance'
put '' $nodes/node1/distance
says 'no distance at all' nodes.source FAIL 'node1/distance'
put '0,1' $nodes/node0/cpulist
says 'CPUs one by one' node0.cpus ok '0,1'
put '0' $nodes/node0/cpulist
says 'a CPU is missing' node0.cpus FAIL 'without CPU 1'
put 'initrd=initrd maxcpus=1' proc/cmdline
says 'maxcpus= is named' node0.cpus FAIL 'told to use fewer CPUs'
put '0-2' $nodes/node0/cpulist
says 'a CPU too many' node0.cpus FAIL 'with CPU 2'
fresh apart
sed -i 's/size: 512MiB/size: 514MiB/' "$tmp/t.yaml"
says 'what is not whole memory blocks' node1.memory FAIL 'truncated to whole memory blocks of 128 MiB'
echo '[    1.0] kmem dax0.0: mapping0: 0x100000000-0x1201fffff truncated by 2 MiB' >>"$tmp/guest/dmesg"
says "and what the log says of it" node1.memory FAIL 'truncated to whole memory blocks: '
# A node without memory or CPUs is no node of Linux's: the numbers behind it are others.
fresh apart
cat >"$tmp/t.yaml" <<'EOF'
spmtopo: 1
name: apart
machine: {type: q35, accel: tcg, cpu: max}
boot: {firmware: ovmf, kernel: /kernel, initrd: /initrd, cmdline: "console=ttyS0 panic=-1"}
cpus: 2
nodes:
  - {id: 0, cpus: 0-1, memory: 1GiB}
  - {id: 1}
  - {id: 2, memory: {size: 512MiB, type: spm}}
  - {id: 3, memory: {size: 512MiB, type: spm}}
EOF
put 2 $dax/dax0.0/target_node
says "Linux's own number of a node" dax.devices FAIL "(Linux's "

# --- what the kernel was told ------------------------------------------------------------------------

cat >"$tmp/t.yaml" <<'EOF'
spmtopo: 1
name: told
machine: {type: q35, accel: tcg, cpu: max}
boot: {firmware: ovmf, kernel: /kernel}
cpus: 2
nodes:
  - {id: 0, cpus: 0-1, memory: 1GiB}
  - {id: 1, memory: {size: 512MiB, type: spm}}
targets: {qemu: {spm-interface: kernel-parameter}}
EOF
word=$("$SPMTOPO" gen --target qemu --quiet "$tmp/t.yaml" | grep -o 'memmap=[^ ]*' | tr -d "'\"" | head -n 1)
put "console=ttyS0 $word" proc/cmdline
says 'a range of which the kernel was told' cmdline.memmap ok 'every range of SPM is on it'
put 'console=ttyS0' proc/cmdline
says 'one of which it was not' cmdline.memmap FAIL 'the kernel was not told of its SPM'
rm "$tmp/guest/proc/cmdline"
sed '/ommand line: /d' "$tmp/guest/dmesg" >"$tmp/dmesg" && mv "$tmp/dmesg" "$tmp/guest/dmesg"
says 'a command line that is not shown' cmdline.memmap skip "does not show the kernel's command line"

# --- maps --------------------------------------------------------------------------------------------

map=sys/firmware/memmap
fresh apart
entry=$(grep -l 'Soft Reserved' "$tmp/guest/$map"/*/type | head -n 1)
entry=$map/$(basename "$(dirname "$entry")")
put 0x0 "$entry/start"
says 'RAM under SPM' memmap.ram FAIL 'overlapping entries'
fresh apart
put 'System RAM' "$entry/type"
says 'a range of SPM is RAM' memmap.spm FAIL 'its SPM is elsewhere, or of another size'
put Unknown "$entry/type"
says 'a type that is not known' memmap.spm FAIL 'its SPM is elsewhere, or of another size'
put 0x11fffffff "$entry/start"
put 0x100000000 "$entry/end"
says 'an entry that ends before it starts' memmap.spm FAIL 'ends before it starts'
put 100000000 "$entry/start"
says 'an address without 0x' memmap.spm FAIL 'is not an address'
fresh apart
put 0x14fffffff $map/99999/end
says 'an entry beyond all' memmap.spm FAIL 'it has too many entries'
fresh apart
rm -r "$tmp/guest/$map"
says 'no map' memmap.spm skip 'the source does not show /sys/firmware/memmap'

# --- where its SPM went ------------------------------------------------------------------------------

# A guest of RAM alone.
no_spm()
{
    fresh ovmf-linux7
    grep -l 'Soft Reserved' "$tmp/guest/$map"/*/type | while read -r type; do
        echo "$1" >"$type"
    done
}
no_spm Reserved
says 'dropped by firmware, for the SRAT has it' memmap.spm FAIL 'firmware dropped it, for the SRAT has it'
sed -i 's/, BIOS 20[0-9.]*+ds-[0-9]* /, BIOS 2025.02-8 /' "$tmp/guest/dmesg"
says 'dropped by an old OVMF' memmap.spm FAIL 'an OVMF before 202605 drops E820 type 0xEFFFFFFF, and this one calls itself 2025.02-8'
# bios VERSION: that the log says of it
bios()
{
    sed -i "s|, BIOS .* \([0-9/]*\)\$|, BIOS $1 \\1|" "$tmp/guest/dmesg"
}
bios 2026.02-3
says 'by one of February 2026' memmap.spm FAIL 'calls itself 2026.02-3'
bios 0.0.0
says 'by one of 2015' memmap.spm FAIL 'calls itself 0.0.0'
for new in 2026.05-1 2026.08-2 2027.02-1 2026 edk2-stable; do
    bios $new
    says "by another, $new" memmap.spm FAIL 'firmware dropped it, for the SRAT has it'
done
rm -r "$tmp/guest/sys/firmware/acpi" "$tmp/guest/dmesg"
says 'dropped by what is not known' memmap.spm FAIL "firmware, or the VMM's configuration, is without it"
no_spm 'System RAM'
says 'ordinary RAM for a reason that is not known' memmap.spm FAIL 'or a kernel without CONFIG_EFI_SOFT_RESERVE, made it so'
sed -i 's/{firmware: ovmf}/{firmware: ovmf, kernel: k, cmdline: efi=nosoftreserve}/' "$tmp/t.yaml"
says 'ordinary RAM, as the file has it' memmap.spm FAIL 'efi=nosoftreserve'
cp "$cases/ovmf-linux7/topology.yaml" "$tmp/t.yaml"
chmod u+w "$tmp/t.yaml"
cat >>"$tmp/t.yaml" <<'EOF'
targets: {qemu: {spm-interface: kernel-parameter}}
EOF
sed -i 's/{firmware: ovmf}/{firmware: ovmf, kernel: k}/; /^device-memory/d' "$tmp/t.yaml"
rm -r "$tmp/guest/sys/firmware/acpi"
sed -i 's/\]  soft reserved/]  System RAM/; /SRAT/d' "$tmp/guest/dmesg"
says 'RAM, as the kernel was not told' log.spm FAIL 'the kernel was not told by memmap='
sed -i '/\]  System RAM/{/0x0000000100000000/d}' "$tmp/guest/dmesg"
says 'nothing, as the kernel was not told' log.spm FAIL 'the kernel was not told by memmap='

# --- logs --------------------------------------------------------------------------------------------

fresh ovmf-linux6
log=$tmp/guest/dmesg
rm -r "$tmp/guest/sys/firmware"
sed -i 's/PXM 0 -> APIC 0x02 -> Node 0/PXM 0 -> APIC 0x02 -> No/' "$log"
says 'a torn line of a processor' log.cpus skip 'cannot be read'
fresh ovmf-linux6
sed -i '/SRAT: PXM 0 -> APIC 0x02/q' "$log"
says 'a log that ends among the processors' log.cpus skip 'the log ends with it, or inside it'
fresh ovmf-linux7
sed -i '0,/hotplug/s/ hotplug/& non-volatile/' "$log"
says 'memory that is not volatile' log.srat FAIL ''
fresh ovmf-linux7
sed -i 's/ACPI: SRAT 0x/ACPI: SRAT 0xq/' "$log"
says 'a torn line of a table' log.tables FAIL 'no SRAT'

fresh ovmf-linux7
log=$tmp/guest/dmesg
sed -i 's/^.*last_pfn.*/&\n[    0.000000] NUMA turned off\n[    0.000000] Faking a node at [mem 0x0-0x7fffffff]/; /SRAT: Node/d' "$log"
says 'a log of one node for all' log.nodes FAIL 'one that Linux makes up'
sed -i 's/\(ommand line: .*\)/\1 numa=off/' "$log"
rm "$tmp/guest/proc/cmdline"
says 'and numa=off is named' log.nodes FAIL 'the guest kernel was booted with numa=off'
fresh ovmf-linux7
sed -i 's/setup node 1 as memoryless/setup node 1 [mem 0x0000000100000000-0x000000013fffffff]/' "$log"
says 'a node that begins with memory' log.nodes FAIL 'node 1 with memory at the start'
sed -i 's/setup node 1 .*/setup node 1 [mem 0x0000000000000000-0x0000000000000000]/' "$log"
says 'one of an older kernel without' log.nodes ok ''
sed -i 's/setup node 1 .*/setup node 1 [me/' "$log"
says 'a torn line of a node' log.nodes skip 'damaged'
fresh ovmf-linux7
sed -i 's/setup node 0 .*/setup node 0 as memoryless/' "$log"
says 'a node that should begin with memory' log.nodes FAIL 'node 0 without memory at the start'
fresh ovmf-linux7
sed -i '/EFI v2/,$d' "$log"
says 'a log that ends before EFI' log.firmware skip 'the whole start'
fresh ovmf-linux7
sed -i 's/^.*ACPI: SRAT 0x0*\(.*\)/&\n[    0.000000] ACPI: SRAT 0x1\1/' "$log"
says 'a log of two SRATs' log.tables FAIL 'more than one SRAT'
fresh ovmf-linux7
sed -i '1,/ACPI: XSDT 0x/d' "$log"
says 'a log that begins among the tables' log.tables skip 'the whole list'
says 'has all of the SRAT' log.srat ok '4 ranges'
sed -i '1,/SRAT: Node/d' "$log"
says 'one that begins among its lines has not' log.srat skip 'its start is missing'
sed -i 's/PXM 1/PXM 2/' "$log"
says 'and is read' log.srat FAIL 'domain 2'
fresh ovmf-linux7
grep -e e820 -e SRAT "$cases/ovmf-linux7/guest/dmesg" >>"$log"
says 'lines that are said again' log.ram ok ''
echo 'BIOS-e820: [mem 0x0000000200000000-0x000000023fffffff]  System RAM' >>"$log"
says 'lines of another boot' log.ram skip 'more lines of its kind stand behind its end'

# What the kernel leaves out because it was told to is said as the cause.
fresh ovmf-linux7
rm "$log"
sed -i 's/MemTotal: .*/MemTotal: 600000 kB/' "$tmp/guest/$nodes/node0/meminfo"
put 'console=ttyS0 mem=700M' proc/cmdline
says 'mem= comes to nothing behind EFI with SPM' node0.memory FAIL ''
not_named()
{
    ! grep -q 'booted with mem=' "$tmp/out"
}
check 'and is not named' not_named
put 'console=ttyS0 memmap=1G!1G' proc/cmdline
says 'memmap= is named' node0.memory FAIL 'the guest kernel was booted with memmap=1G!1G'

# --- sources -----------------------------------------------------------------------------------------

# problem DESCRIPTION TEXT SOURCE: nothing is verified, and why
problem()
{
    run verify "$tmp/t.yaml" --guest "$3"
    complains()
    {
        ran 2 && grep -qF -- "$1" "$tmp/err" && return
        cat "$tmp/err"
        return 1
    }
    check "$1" complains "$2"
}
# passes DESCRIPTION SOURCE
passes()
{
    run verify "$tmp/t.yaml" --guest "$2"
    check "$1" ran 0
}

fresh apart
tar -C "$tmp/guest" -cf "$tmp/plain.tar" .
{ printf 'SeaBIOS (version 1.16)\r\nBooting from ROM..\r\n' && cat "$tmp/plain.tar"; } >"$tmp/serial.tar"
passes 'a tar behind what firmware wrote to the serial port' "$tmp/serial.tar"
rm -r "$tmp/guest/$nodes/possible" "$tmp/guest/proc/iomem" 2>/dev/null
mkfifo "$tmp/guest/$nodes/possible"
ln -s /dev/zero "$tmp/guest/proc/iomem"
# ends DESCRIPTION: it passes, and does not wait
ends()
{
    status=0
    timeout 60 "$SPMTOPO" verify "$tmp/t.yaml" --guest "$tmp/guest" >"$tmp/out" 2>"$tmp/err" || status=$?
    check "$1" ran 0
}
ends 'a pipe and a device, which are no files'
mv "$tmp/guest/dmesg" "$tmp/dmesg"
mkfifo "$tmp/guest/dmesg"
ends 'nor is a log that is a pipe'
fresh apart
head -c 100000 /dev/zero | tr '\0' '0' >"$tmp/guest/$nodes/node0/cpumap"
passes 'a file that is not read, of any length' "$tmp/guest"
head -c 5000000 /dev/zero | tr '\0' '\n' >"$tmp/guest/proc/iomem"
problem 'a file that is too large' 'is larger than 4 MiB' "$tmp/guest"
tar -C "$tmp/guest" -cf "$tmp/large.tar" .
problem 'the same in a tar' 'is larger than 4 MiB' "$tmp/large.tar"
fresh apart
head -c 200000 /dev/zero | tr '\0' '\n' >>"$tmp/guest/proc/iomem"
passes 'a file that is longer than others' "$tmp/guest"
"$PYTHON" - "$tmp/plain.tar" "$tmp/odd.tar" <<'EOF'
import sys
tar = bytearray(open(sys.argv[1], "rb").read())
# sizes with blanks before them, as old writers have them
at = 0
while at + 512 <= len(tar) and tar[at]:
    size = int(tar[at + 124:at + 135], 8)
    tar[at + 124:at + 136] = b"%11o " % size
    tar[at + 148:at + 156] = b" " * 8
    tar[at + 148:at + 156] = b"%6o\0 " % sum(tar[at:at + 512])
    at += 512 + (size + 511) // 512 * 512
open(sys.argv[2], "wb").write(tar)
EOF
passes 'a tar of an old writer' "$tmp/odd.tar"
head -c 1024 "$tmp/plain.tar" >"$tmp/short.tar"
problem 'a tar without its end' 'the tar ends ' "$tmp/short.tar"
{ head -c 1536 "$tmp/plain.tar" && head -c 2048 /dev/zero | tr '\0' x; } >"$tmp/junk.tar"
problem 'a tar that becomes something else' 'the tar ' "$tmp/junk.tar"
# What no check is about is passed over.
fresh hmat-dax
run verify "$tmp/t.yaml" --guest "$tmp/guest"
cp "$tmp/out" "$tmp/plain"
put root etc/passwd
put 1 $dax/dax
put 1 $nodes/node0/vmstat
put 'Minix 3' proc/version
for source in "$tmp/guest" "$tmp/more.tar"; do
    tar -C "$tmp/guest" -cf "$tmp/more.tar" .
    run verify "$tmp/t.yaml" --guest "$source"
    check "files of no concern in ${source##*/}" same "$tmp/plain" "$tmp/out"
done
fresh hmat-dax
awk 'BEGIN { for (i = 0; i < 17000; i++) printf "%x-%x : System RAM\n", i * 4096, i * 4096 + 4095 }' >"$tmp/guest/proc/iomem"
says 'more ranges than there can be' iomem.ram FAIL 'it has too many entries'
fresh apart
for n in 3 4 5 6; do
    echo "  - {id: $n, memory: {size: 128MiB, type: spm}}"
done >>"$tmp/t.yaml"
says 'more SPM than a line holds' dax.devices FAIL ' and 2 more'

run verify "$tmp/t.yaml"
this_machine()
{
    ! crashed "$status" && { [ "$status" -eq 1 ] || [ "$status" -eq 2 ]; }
}
check 'this machine is not that guest' this_machine
tap_end
