#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes what `spmtopo verify --guest` reads of this machine as a tar to standard output. POSIX sh and
# busybox are enough; run it as root, or tables and addresses are missing.
#
#   ssh root@guest sh -s <gather.sh | spmtopo verify FILE --guest -
#   sh gather.sh >/dev/ttyS1        the second serial port of a guest: -serial file:guest.tar
#   sh gather.sh | base64           for a console that is not clean
set -u
LC_ALL=C
export LC_ALL
umask 077

fail()
{
    echo "gather.sh: $*" >&2
    exit 1
}

tree=$(mktemp -d "${TMPDIR:-/tmp}/gather.XXXXXX") || fail 'no temporary directory'
trap 'rm -rf "$tree"' EXIT
trap 'exit 1' HUP INT PIPE TERM

# Files of /proc and /sys say that they are empty or 4096 bytes: cat reads what they hold.
for file in /proc/cmdline /proc/iomem /proc/version \
    /sys/firmware/acpi/tables/SRAT /sys/firmware/acpi/tables/SLIT \
    /sys/firmware/acpi/tables/HMAT /sys/firmware/acpi/tables/APIC \
    /sys/firmware/memmap/*/start /sys/firmware/memmap/*/end /sys/firmware/memmap/*/type \
    /sys/devices/system/node/online /sys/devices/system/node/possible \
    /sys/devices/system/node/node*/cpulist /sys/devices/system/node/node*/distance \
    /sys/devices/system/node/node*/meminfo \
    /sys/bus/dax/devices/*/resource /sys/bus/dax/devices/*/size \
    /sys/bus/dax/devices/*/target_node /sys/bus/dax/devices/*/numa_node; do
    [ -r "$file" ] || continue
    mkdir -p "$tree/guest/${file%/*}" || fail "cannot write to '$tree'"
    # one that this user may not read, or that has no value, is left out
    cat "$file" >"$tree/guest$file" 2>/dev/null || rm -f "$tree/guest$file"
done
mkdir -p "$tree/guest" || fail "cannot write to '$tree'"
dmesg >"$tree/guest/dmesg" 2>/dev/null || rm -f "$tree/guest/dmesg"
cd "$tree" && tar -cf - guest
