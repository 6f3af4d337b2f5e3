#!/bin/sh
# SPDX-License-Identifier: MIT
# `verify` and `expect --stage guest` against what real guests showed of themselves: tests/guests/*, made by
# booting qemu.args. EXPECT begins with "pass", or is the cause that must be named.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

cases=$top/tests/guests
seconds=60
good=$cases/ovmf-linux7

# verdict STATUS: of the last run; a report comes with 0 and 1, and nothing else with 2
verdict()
{
    if crashed "$status"; then
        echo "crashed with status $status"
        cat "$tmp/err"
        return 1
    fi
    if [ "$status" -ne "$1" ] || { [ "$1" -eq 2 ] && { [ -s "$tmp/out" ] || [ ! -s "$tmp/err" ]; }; } ||
        { [ "$1" -ne 2 ] && [ ! -s "$tmp/out" ]; }; then
        echo "status $status, not $1"
        cat "$tmp/out" "$tmp/err"
        return 1
    fi
}

# says STATUS TEXT...: and the report or the error holds each text
says()
{
    verdict "$1" || return 1
    shift
    for text; do
        cat "$tmp/out" "$tmp/err" | grep -qF -- "$text" || {
            echo "it does not say '$text'"
            cat "$tmp/out" "$tmp/err"
            return 1
        }
    done
}

# line ID STATUS: the report's verdict of one check
line()
{
    grep -q "^$2  *$1\\( \\|\$\\)" "$tmp/out" && return
    echo "$1 is not '$2'"
    cat "$tmp/out"
    return 1
}

# --- the cases, as a directory, a tar, a log, and a stream -----------------------------------------

as_expected()
{
    case $1 in
    pass*) verdict 0 ;;
    *) says 1 "$1" ;;
    esac
}

for case in "$cases"/*/; do
    name=$(basename "$case")
    wanted=$(cat "$case/EXPECT")
    run verify "$case/topology.yaml" --guest "$case/guest"
    check "$name: $wanted" as_expected "$wanted"
    tar -C "$case" -cf "$tmp/guest.tar" guest
    run verify "$case/topology.yaml" --guest "$tmp/guest.tar"
    check "$name, as a tar" as_expected "$wanted"
    status=0
    tar -C "$case/guest" --format=pax -cf - . | "$SPMTOPO" verify "$case/topology.yaml" --guest - \
        >"$tmp/out" 2>"$tmp/err" || status=$?
    check "$name, as a stream of a pax tar" as_expected "$wanted"
    run verify "$case/topology.yaml" --guest "$case/guest/dmesg"
    check "$name, its log alone" as_expected "$wanted"
    run verify "$case/topology.yaml" --guest "$case/guest" --format json
    check "$name, JSON" "$PYTHON" - "$tmp/out" "$top/schema/spmtopo-verify.schema.json" <<'PYTHON'
import json, jsonschema, sys
report = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator(json.load(open(sys.argv[2]))).validate(report)
counts = {"ok": 0, "fail": 0, "skip": 0}
for c in report["checks"]:
    counts[c["status"]] += 1
assert counts == report["summary"], counts
assert len({c["id"] for c in report["checks"]}) == len(report["checks"])
PYTHON
    run verify "$case/topology.yaml" --guest "$case/guest" --format tap
    plan()
    {
        grep -q "^1\\.\\.$(grep -Ec '^(not )?ok ' "$tmp/out")\$" "$tmp/out"
    }
    check "$name, TAP has its plan" plan
done

has_dax()
{
    grep -q '^ok *dax.devices .*dax0.0 0x100000000-0x11fffffff on node 1$' "$tmp/out"
}
run verify "$cases/hmat-dax/topology.yaml" --guest "$cases/hmat-dax/guest"
check 'the dax device is on its target node' has_dax

# --- each topology against the others' guests ------------------------------------------------------

# Without names; two that say the same are not told apart.
meaning()
{
    grep -v '^name:' "$1/topology.yaml"
}
for case in "$cases"/*/; do
    for other in "$cases"/*/; do
        meaning "$case" >"$tmp/a"
        meaning "$other" >"$tmp/b"
        [ "$case" != "$other" ] || continue
        if cmp -s "$tmp/a" "$tmp/b"; then
            case $(cat "$other/EXPECT") in
            pass*) expected=0 ;;
            *) expected=1 ;;
            esac
        else
            expected=1
        fi
        for source in guest guest/dmesg; do
            run verify "$case/topology.yaml" --guest "$other/$source"
            check "$(basename "$case") against $(basename "$other")/${source#guest}" verdict "$expected"
        done
    done
done

run verify "$cases/hmat-dax/topology.yaml" --guest "$good/guest"
check 'another topology is named' says 1 'the guest was started from another topology'
sed 's/max-memory: 8GiB/max-memory: 16GiB/' "$good/topology.yaml" >"$tmp/t.yaml"
run verify "$tmp/t.yaml" --guest "$good/guest"
check 'another window for memory devices is named' says 1 'another window for memory devices'

# --- what a source does not show is skipped --------------------------------------------------------

run verify "$good/topology.yaml" --guest "$good/guest/dmesg"
shows()
{
    line log.spm ok && line memmap.spm skip && line srat.table skip && line dax.devices skip &&
        line node0.cpus skip && line log.srat ok
}
check 'a log alone: the rest is skipped' shows
mkdir -p "$tmp/iomem/proc"
cp "$good/guest/proc/version" "$good/guest/proc/iomem" "$tmp/iomem/proc/"
chmod -R u+w "$tmp/iomem"
run verify "$good/topology.yaml" --guest "$tmp/iomem"
check 'Linux 7.1 and newer do not show SPM in /proc/iomem' line iomem.spm skip
sed -i '1s/7\.2\.12+deb14/7.0.1/' "$tmp/iomem/proc/version"
run verify "$good/topology.yaml" --guest "$tmp/iomem"
check 'Linux 7.0 does' line iomem.spm FAIL
sed -i 's/^\( *\)[0-9a-f]*-[0-9a-f]* :/\100000000-00000000 :/' "$tmp/iomem/proc/iomem"
cp -r "$good/guest/sys" "$tmp/iomem/"
chmod -R u+w "$tmp/iomem"
run verify "$good/topology.yaml" --guest "$tmp/iomem"
check 'without privilege /proc/iomem shows nothing' line iomem.spm skip
rm -r "$tmp/iomem/sys/firmware/acpi"
run verify "$good/topology.yaml" --guest "$tmp/iomem"
check 'without privilege there are no tables' line srat.table skip
mkdir "$tmp/empty"
run verify "$good/topology.yaml" --guest "$tmp/empty"
check 'an empty directory shows nothing' says 2 'shows nothing of a Linux guest'
run verify "$good/topology.yaml" --guest /dev/null
check 'an empty log shows nothing' says 2 'shows nothing of a Linux guest'
run verify "$good/topology.yaml" --guest "$tmp/nowhere"
check 'a source that is not there' says 2 'nowhere'
run verify - --guest - <"$good/topology.yaml"
check 'two standard inputs' says 2 'standard input'
gzip -c "$good/guest/dmesg" >"$tmp/log.gz"
run verify "$good/topology.yaml" --guest "$tmp/log.gz"
check 'a compressed file' says 2 'gunzip'

run verify "$good/topology.yaml" --guest "$good/guest" -o "$tmp/report"
wrote()
{
    [ "$status" -eq 0 ] && [ ! -s "$tmp/out" ] && grep -q '^ok *memmap.spm' "$tmp/report"
}
check '-o' wrote
run verify "$cases/hmat-dax/topology.yaml" --guest "$good/guest" -o "$tmp/report"
wrote()
{
    [ "$status" -eq 1 ] && grep -q '^FAIL *srat.table' "$tmp/report"
}
check 'a report of differences is written, too' wrote
if [ -c /dev/full ]; then
    status=0
    "$SPMTOPO" verify "$good/topology.yaml" --guest "$good/guest" >/dev/full 2>"$tmp/err" || status=$?
    : >"$tmp/out"
    check 'a full disk' says 2 'cannot write'
fi
run verify "$good/topology.yaml" --guest "$good/guest" --format yaml
check 'a format that it has not' says 2 'write json, text or tap'
run verify "$good/topology.yaml" --guest live --qmp s
check '--guest and --qmp' says 2 'one of them'
sed 's/size: 1GiB/size: 1GB/' "$good/topology.yaml" >"$tmp/t.yaml"
status=0
"$SPMTOPO" verify "$tmp/t.yaml" --guest "$good/guest" >"$tmp/out" 2>"$tmp/err" || status=$?
wrong()
{
    [ "$status" -eq 1 ] && [ ! -s "$tmp/out" ] && grep -q SPM108 "$tmp/err"
}
check 'a topology with errors: they are said, and nothing is verified' wrong

# --- logs ------------------------------------------------------------------------------------------

log=$good/guest/dmesg
# against LOG STATUS CHECK VERDICT
against()
{
    run verify "$good/topology.yaml" --guest "$1"
    check "$2" eval "verdict $3 && line $4 $5"
}
sed 's/^\[[^]]*\] //' "$log" >"$tmp/log"
against "$tmp/log" 'a log without time stamps' 0 log.spm ok
sed 's/^/<6>/; s/\] /][    T0] /; s/$/\r/' "$log" >"$tmp/log"
against "$tmp/log" 'a serial console with levels, callers and carriage returns' 0 log.spm ok
sed 's/^/Nov 25 22:00:00 host kernel: /' "$log" >"$tmp/log"
against "$tmp/log" 'a journal' 0 log.spm ok
awk '{ print } NR % 2 { print "\033[2J\033[0mservice " NR ": starting \\xff e820 SRAT mem" }' "$log" >"$tmp/log"
printf 'BdsDxe: loading Boot0001\r\n\033[01;01H' | cat - "$tmp/log" >"$tmp/log2"
against "$tmp/log2" 'a serial console with noise' 0 log.spm ok
esc=$(printf '\033')
sed "s/^\(\[[^]]*\] \)\([^:]*: \)/${esc}[32m\1${esc}[0m${esc}[33m\2${esc}[0m/" "$log" >"$tmp/log"
against "$tmp/log" 'a log with colors' 0 log.spm ok
sed '/soft reserved/s/$/Welcome to the guest/' "$log" >"$tmp/log"
against "$tmp/log" 'text of another in the same line' 0 log.spm ok
sed '/soft reserved/s/0x0000000100000000/0x00000001login: 00000000/' "$log" >"$tmp/log"
against "$tmp/log" 'a line that is torn is not known' 0 log.spm skip
sed '/soft reserved/s/13fffffff/13effffff/; /PXM 0/s/PXM/PX/' "$log" >"$tmp/log"
against "$tmp/log" 'and what differs beside it is' 1 log.spm FAIL
cat "$cases/nosoftreserve/guest/dmesg" "$log" >"$tmp/log"
against "$tmp/log" 'of two boots the last one counts' 0 log.spm ok
cat "$log" "$cases/nosoftreserve/guest/dmesg" >"$tmp/log"
against "$tmp/log" 'of two boots the last one counts, and fails' 1 log.spm FAIL
sed -n '1,20p' "$log" >"$tmp/log"
run verify "$good/topology.yaml" --guest "$tmp/log" --format json
check 'a log that ends inside the map shows nothing' says 2 'shows nothing that the topology promises'
# shellcheck disable=SC2016 # addresses and commands of sed
sed -n '1,/gap 0x0000000080000000/p; $aa line of another' "$log" | sed '$!b' >"$tmp/log"
run verify "$good/topology.yaml" --guest "$tmp/log"
check 'nor does one that ends there with noise behind it' says 2 'the log ends with it, or inside it'
sed '1,20d' "$log" >"$tmp/log"
against "$tmp/log" 'a log without its start' 0 log.spm skip
mkdir -p "$tmp/told/sys/firmware" "$tmp/told/proc"
cp -r "$cases/seabios-linux7/guest/sys/firmware/memmap" "$tmp/told/sys/firmware/"
echo 'console=ttyS0 memmap=64M!2G' >"$tmp/told/proc/cmdline"
against "$tmp/told" 'a memmap= that has nothing to do with SPM is no excuse' 1 memmap.spm FAIL
echo 'console=ttyS0 memmap=1G%0x100000000+0xefffffff' >"$tmp/told/proc/cmdline"
against "$tmp/told" 'one that has is' 0 memmap.spm skip
echo 'console=ttyS0 memmap=512M%0x100000000+0xefffffff,512M%0x120000000+0xefffffff' >"$tmp/told/proc/cmdline"
against "$tmp/told" 'in pieces, too' 0 memmap.spm skip
for words in 'memmap=1G%0x200000000+0xefffffff' 'memmap=512M%0x100000000+0xefffffff' \
    'memmap=1G%0x100000000-1+0xefffffff' 'quiet -- memmap=1G%0x100000000+0xefffffff'; do
    echo "$words" >"$tmp/told/proc/cmdline"
    against "$tmp/told" "and $words is none" 1 memmap.spm FAIL
done

# Linux 6 and 7 in each other's words.
sed 's/\]  System RAM$/] usable/; s/\]  device reserved$/] reserved/; s/\]  \([As]\)/] \1/; /gap/d' "$log" >"$tmp/log"
against "$tmp/log" 'the older wording' 0 log.spm ok

# --- tables that are malformed ---------------------------------------------------------------------

cp -r "$good/guest" "$tmp/bad"
chmod -R u+w "$tmp/bad"
tables=$tmp/bad/sys/firmware/acpi/tables
broken()
{
    run verify "$good/topology.yaml" --guest "$tmp/bad"
    check "$1" says 1 'a malformed table' "$2"
    cp -f "$good/guest/sys/firmware/acpi/tables"/* "$tables/"
    chmod -R u+w "$tables"
}
# poke FILE OFFSET OCTAL...: bytes in place
poke()
{
    file=$1
    offset=$2
    shift 2
    # shellcheck disable=SC2059 # the octal numbers are the format
    printf "$(printf '\\%s' "$@")" | dd of="$file" bs=1 seek="$offset" conv=notrunc 2>/dev/null
}
# fix FILE: its checksum
fix()
{
    "$PYTHON" - "$1" <<'PYTHON'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[9] = 0
b[9] = -sum(b) & 255
open(sys.argv[1], "wb").write(b)
PYTHON
}
head -c 300 "$good/guest/sys/firmware/acpi/tables/SRAT" >"$tables/SRAT"
broken 'a table that is cut' 'says that it has 352'
printf 'more' >>"$tables/SRAT"
broken 'a table that is longer than it says' 'says that it has 352'
poke "$tables/SRAT" 60 377
broken 'a wrong checksum' 'checksum'
poke "$tables/SRAT" 49 0
fix "$tables/SRAT"
broken 'a structure of length 0' 'a length of 0'
poke "$tables/SRAT" 49 377
fix "$tables/SRAT"
broken 'a structure beyond the end' 'a length of 255'
poke "$tables/SRAT" 0 130
fix "$tables/SRAT"
broken 'another signature' 'signature'
printf 'SRAT' >"$tables/SRAT"
broken 'a table of four bytes' 'too few'
: >"$tables/SRAT"
broken 'an empty table' 'too few'
poke "$tables/APIC" 45 1
fix "$tables/APIC"
broken 'a MADT with a structure of length 1' 'a length of 1'
rm "$tables/SRAT"
run verify "$good/topology.yaml" --guest "$tmp/bad"
check 'a table that is missing beside others' says 1 'no such table'
cp "$good/guest/sys/firmware/acpi/tables"/* "$tables/"
rm "$tmp/bad/sys/firmware/memmap/3/end"
run verify "$good/topology.yaml" --guest "$tmp/bad"
check 'a map with an incomplete entry' says 1 'its entry 3 is incomplete'
cp "$good/guest/sys/firmware/memmap/3/end" "$tmp/bad/sys/firmware/memmap/3/"
echo junk >"$tmp/bad/sys/devices/system/node/node0/cpulist"
run verify "$good/topology.yaml" --guest "$tmp/bad"
check 'a file that is not what Linux writes' says 1 'node0/cpulist'

# --- tars that are damaged -------------------------------------------------------------------------

tar -C "$good" -cf "$tmp/guest.tar" guest
size=$(wc -c <"$tmp/guest.tar")
for part in 3 5 7; do
    head -c $((size * part / 10 / 512 * 512 + 100)) "$tmp/guest.tar" >"$tmp/cut.tar"
    run verify "$good/topology.yaml" --guest "$tmp/cut.tar"
    check "a tar that is cut at $part tenths" says 2 'the tar'
done
cp "$tmp/guest.tar" "$tmp/cut.tar"
poke "$tmp/cut.tar" 130 71
run verify "$good/topology.yaml" --guest "$tmp/cut.tar"
check 'a tar with a damaged header' says 2 'the tar has a damaged header'

# --- bounded memory --------------------------------------------------------------------------------

limit='ulimit -v 262144'
sh -c "$limit; exec \"\$0\" --version" "$SPMTOPO" >/dev/null 2>&1 || limit=:
big()
{
    status=0
    # shellcheck disable=SC2016 # for the inner shell
    timeout "$seconds" sh -c "$limit"'; exec "$@"' sh "$SPMTOPO" verify "$good/topology.yaml" --guest - \
        <"$tmp/big" >"$tmp/out" 2>"$tmp/err" || status=$?
}
{
    cat "$log"
    head -c 100000000 /dev/zero | tr '\0' 'x'
    echo
} >"$tmp/big"
big
check '100 MB in one line' verdict 0
{
    head -c 60000000 /dev/zero | tr '\0' '\n'
    i=0
    while [ $i -lt 1000 ]; do
        cat "$log"
        i=$((i + 1))
    done
} >"$tmp/big"
big
check '90 MB of log, and a thousand boots' verdict 0
{
    echo 'BIOS-provided physical RAM map:'
    yes 'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable' | head -n 1000000
} >"$tmp/big"
big
check 'a million entries' verdict 1

# --- expect --stage guest --------------------------------------------------------------------------

# linux_of CASE: the version that its guest logged
linux_of()
{
    sed -n 's/.*Linux version \([0-9.]*\).*/\1/p' "$1/guest/dmesg" | head -n 1
}

for case in "$cases"/*/; do
    run expect "$case/topology.yaml" --stage guest --format dmesg --kernel "$(linux_of "$case")"
    cp "$tmp/out" "$tmp/wanted"
    sed -n 's/^\[[^]]*\] \(BIOS-e820: \[mem [^]]*\] *soft reserved\)$/\1/p' "$case/guest/dmesg" >"$tmp/found"
    case $(basename "$case") in
    # which their guests' command line and firmware did, and the files do not say
    nosoftreserve | two-sockets-seabios) continue ;;
    esac
    check "$(basename "$case"): expect --stage guest is what its log says" same "$tmp/wanted" "$tmp/found"
done
# SRAT lines are the same behind firmware: the log has every one that is expected, in both wordings.
for case in ovmf-linux6 ovmf-linux7 hmat-dax distances apart; do
    kernel=$(linux_of "$cases/$case")
    run expect "$cases/$case/topology.yaml" --format dmesg --table srat --kernel "$kernel"
    cp "$tmp/out" "$tmp/wanted"
    sed -n 's/^\[[^]]*\] \(\(ACPI: \)\{0,1\}SRAT: \(Node\|PXM\) .*\)$/\1/p' "$cases/$case/guest/dmesg" >"$tmp/found"
    check "$case: expect --format dmesg --kernel $kernel has the SRAT lines of its log" same "$tmp/wanted" "$tmp/found"
done
run expect "$good/topology.yaml" --format dmesg --table e820 --kernel 7.2
check 'the words of Linux 7' says 0 ']  System RAM' ']  soft reserved' '[gap 0x0000000080000000-0x00000000ffffffff]'
run expect "$good/topology.yaml" --format dmesg --kernel seven
check 'a kernel that is none' says 2 'not a version of Linux'
run expect "$good/topology.yaml" --format dmesg --kernel 06.1
check 'a kernel with a zero before it' says 2 'not a version of Linux'
for format in text json raw; do
    run expect "$good/topology.yaml" --format $format --table srat --kernel 7.2
    check "--kernel would have no effect on --format $format" says 2 'alters no other'
    run expect "$good/topology.yaml" --format $format --table srat
    check "--format $format goes without it" ran 0
done
run expect "$good/topology.yaml" --stage guest --kernel 7.2
check '--kernel would have no effect on --stage guest' says 2 'alters no other'
run expect "$cases/seabios-linux7/topology.yaml" --stage guest
check 'SeaBIOS: nothing will be there' says 0 'nothing of it will be there: this SeaBIOS drops'
run expect "$good/topology.yaml" --stage guest --format json
check 'expect --stage guest --format json' "$PYTHON" - "$tmp/out" <<'PYTHON'
import json, sys
e = json.load(open(sys.argv[1]))
assert e["stage"] == "guest" and e["spm"] == "arrives"
assert e["softReserved"] == [{"address": "0x100000000", "size": "0x40000000", "node": 1}], e
assert [d["targetNode"] for d in e["dax"]] == [1]
assert e["distances"] == [[10, 20], [20, 10]]
assert [n["online"] for n in e["nodes"]] == [True, False]
PYTHON
sed 's/{firmware: ovmf}/{firmware: seabios, kernel: k, cmdline: "memmap=1G%0x100000000+0xefffffff"}/' \
    "$good/topology.yaml" >"$tmp/t.yaml"
run expect "$tmp/t.yaml" --stage guest --format dmesg
check 'SeaBIOS with memmap= for the kernel' says 0 'user: [mem 0x0000000100000000-0x000000013fffffff] soft reserved'
run expect "$good/topology.yaml" --stage guest --format raw --table srat
check '--stage guest has no bytes' says 2 "'--format raw' is the bytes of a table" '--stage guest'
run expect "$good/topology.yaml" --stage guest --format json --table srat
check '--stage guest has no tables' says 2 "'--table' chooses among the tables" '--stage guest'
tap_end
