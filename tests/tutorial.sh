#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/tutorial.md with the VMMs of the tree (tests/oracle/vmm-tree, guest-tree): all of its commands
# in order, the guests that it boots, under TCG, and what verify says of them. tests/docs.sh runs it
# with guests that were kept. --keep FOLDER keeps what the commands leave.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"
# shellcheck source=tests/blocks.sh
. "$top/tests/blocks.sh"

keep=
if [ "${1-}" = --keep ]; then
    keep=$2
fi
tree=${SPMTOPO_VMM_TREE:-/var/cache/spmtopo/forky}
SOURCES=$top
export SOURCES

# without REASON: ends the test
without()
{
    [ "${SPMTOPO_REQUIRE_VMM-}" != 1 ] || bail_out "$1"
    echo "1..0 # SKIP $1"
    echo "tutorial.sh: SKIPPED: $1" >&2
    exit 0
}
[ -e "$tree/var/lib/spmtopo/guest/done" ] || without 'no guests to boot: run tests/oracle/guest-tree as root'
[ "$(id -u)" -eq 0 ] || without "the tree at $tree needs root to be entered"

# This folder is inside the tree, for virsh.
lab=$(mktemp -d "$tree/tmp/tutorial.XXXXXX") || bail_out "cannot write to $tree/tmp"
trap 'rm -rf "$tmp" "$lab"' EXIT
chmod 755 "$lab"
mkdir "$tmp/bin"
ln -s "$SPMTOPO" "$tmp/bin/spmtopo"
# A guest that hangs is ended.
cat >"$tmp/bin/chroot" <<SH
#!/bin/sh
exec timeout 150 $(command -v chroot) "\$@"
SH
cat >"$tmp/bin/virsh" <<SH
#!$(command -v "$PYTHON")
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, "$top/tests/oracle")
import libvirt
virt = libvirt.find_libvirt()
script = 'cd "\$1" && shift && exec virsh -c "qemu:///embed?root=%s/state/root" "\$@"' % virt.inside
status, said = virt.run("sh", "-c", script, "sh", "${lab#"$tree"}", *sys.argv[1:])
print(said.rstrip("\n"))
sys.exit(status)
SH
chmod 755 "$tmp/bin/chroot" "$tmp/bin/virsh"

# What a kernel and a firmware say of themselves, and take for themselves, is not the tutorial's.
steady()
{
    sed 's/^\(ok *log.firmware *\)[^ ].*/\1FIRMWARE/; s/^\(ok *node[0-9]*.memory *\)[0-9]* KiB$/\1KIB/' "$1"
}
as_shown()
{
    (cd "$lab" && PATH=$tmp/bin:$PATH && export PATH && block_run "$block") >"$tmp/printed"
    steady "$block" >"$tmp/wanted"
    steady "$tmp/printed" >"$tmp/found"
    same "$tmp/wanted" "$tmp/found"
}
written()
{
    (cd "$lab" && block_file "$block")
}

blocks_split "$top/docs/tutorial.md" "$tmp/blocks"
for block in "$tmp/blocks"/*; do
    [ -e "$block" ] || bail_out 'the tutorial has no blocks'
    line=${block##*/}
    line=${line%%.*}
    case $block in
    *.vmm) check "line $line: with a VMM, the output is what is shown" as_shown ;;
    *.runnable) check "line $line: the output is what is shown" as_shown ;;
    *) check "line $line: the file is written" written ;;
    esac
done
[ -z "$keep" ] || cp -R "$lab/." "$keep"
tap_end
