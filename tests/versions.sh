#!/bin/sh
# SPDX-License-Identifier: MIT
# What must follow when a release of a target is added to those that the program knows: the random
# topologies and the corpus, which the real QEMU judges, the default, and every text that names the range.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

top=${srcdir:-.}

# topology TARGET VERSION [TYPE]
topology()
{
    cat <<YAML
spmtopo: 1
name: versions
machine: {type: ${3-q35}, cpu-vendor: intel}
boot: {firmware: none, kernel: /boot/vmlinux}
cpus: 1
nodes:
  - {id: 0, cpus: 0, memory: 1GiB}
targets: {$1: {version: "$2"}}
YAML
}

# known TARGET FIRST LAST: the releases from FIRST.0 to LAST.10 that are known, one a line
known()
{
    major=$2
    while [ "$major" -le "$3" ]; do
        for minor in 0 1 2 3 4 5 6 7 8 9 10; do
            topology "$1" "$major.$minor" >"$tmp/$1-$major.$minor.yaml"
        done
        major=$((major + 1))
    done
    "$SPMTOPO" check --format json "$tmp/$1"-*.yaml >"$tmp/report" 2>/dev/null
    "$PYTHON" - "$tmp/report" "$tmp/$1"-*.yaml <<'PYTHON'
import json, os, sys
report = json.load(open(sys.argv[1]))
refused = {d["file"] for d in report["diagnostics"] if d["rule"] == "version-unknown"}
names = [os.path.basename(f)[:-5].rpartition("-")[2] for f in sys.argv[2:] if f not in refused]
print("\n".join(sorted(names, key=lambda name: [int(part) for part in name.split(".")])))
PYTHON
}

known qemu 1 20 >"$tmp/qemu"
known libvirt 1 20 >"$tmp/libvirt"
known cloud-hypervisor 30 70 >"$tmp/cloud-hypervisor"

# range TARGET: "FIRST to LAST"
range()
{
    echo "$(head -n 1 "$tmp/$1") to $(tail -n 1 "$tmp/$1" | sed "${2-}")"
}

newest=$(tail -n 1 "$tmp/qemu")
check "there are releases of QEMU, $(range qemu)" [ "$(wc -l <"$tmp/qemu")" -ge 15 ]
qemu=$(range qemu)
libvirt=$(range libvirt)
# the second number makes no difference there
cloudhv=$(range cloud-hypervisor 's/\..*/.0/')

# says TEXT FILE: whether the file says it, over the ends of lines and in any markup of a manual
says()
{
    tr -s '\n' ' ' <"$top/$2" | sed 's/\\n" *"//g' | grep -qF -- "$1" && return
    echo "'$1' is not in $2"
    return 1
}

# --- QEMU ------------------------------------------------------------------------------------------

# Machine types are named after the same releases.
machines()
{
    for family in pc-q35 pc-i440fx; do
        while read -r version; do
            topology qemu "$newest" "$family-$version" >"$tmp/machine.yaml"
            run check "$tmp/machine.yaml"
            ran 0 || return 1
        done <"$tmp/qemu"
    done
}
check 'every release has its machine types' machines

random_versions()
{
    PYTHONPATH=$top/tests/oracle PYTHONDONTWRITEBYTECODE=1 "$PYTHON" -c '
import random_topology
for version in random_topology.VERSIONS:
    print("%d.%d" % version)' >"$tmp/random" && same "$tmp/qemu" "$tmp/random"
}
check 'VERSIONS of tests/oracle/random_topology.py' random_versions

# in_corpus VERSION: a machine type of that release, which the oracle gives to the real QEMU
in_corpus()
{
    grep -qE "pc-(q35|i440fx)-$(echo "$1" | sed 's/\./\\./')([^0-9.]|\$)" "$top"/tests/corpus/*.yaml && return
    echo "no file of tests/corpus has a machine type of QEMU $1"
    return 1
}
while read -r version; do
    check "QEMU $version in the corpus" in_corpus "$version"
done <"$tmp/qemu"

# default_is TARGET VERSION: what is taken where the file names none
default_is()
{
    topology "$1" x | sed "s/^targets:.*/targets: {$1: {}}/" >"$tmp/default.yaml"
    run show --format yaml "$tmp/default.yaml"
    ran 0 && sed -n "/^ *$1:/,\$p" "$tmp/out" | grep -m 1 ' version:' >"$tmp/said"
    grep -qx " *version: \"\{0,1\}$2\"\{0,1\}" "$tmp/said" && return
    cat "$tmp/said"
    return 1
}
check 'the newest QEMU is the default' default_is qemu "$newest"
check 'the newest libvirt is the default' default_is libvirt "$(tail -n 1 "$tmp/libvirt")"

# "6.2, 7.0 to 7.2, 10.0 or 11.1", one a line
manual_versions()
{
    sed -n '/^The QEMU that will run the guest:/,/third number/p' "$top/man/spmtopo.yaml.5" | tr '\n' ' ' |
        grep -oE '[0-9]+\.[0-9]+( to [0-9]+\.[0-9]+)?' | while read -r first to last; do
        minor=${first#*.}
        until [ "$minor" -gt "${last#*.}" ] 2>/dev/null; do
            echo "${first%.*}.$minor"
            [ "$to" ] || break
            minor=$((minor + 1))
        done
    done >"$tmp/manual"
    same "$tmp/qemu" "$tmp/manual"
}
check 'the list in spmtopo.yaml.5' manual_versions
check 'README.md: QEMU' says "QEMU $qemu" README.md
check 'README.md: machine types' says "versioned names from $qemu" README.md
check 'NEWS' says "QEMU $qemu" NEWS
check 'spmtopo.1: QEMU' says "releases $qemu" man/spmtopo.1
check 'spmtopo.yaml.5: default' says "version Pq $newest" man/spmtopo.yaml.5
check 'spmtopo.yaml.5: machine types' says \
    ".Cm pc-q35-${qemu% to *} and .Cm pc-i440fx-${qemu% to *} to .Cm pc-q35-$newest and .Cm pc-i440fx-$newest" man/spmtopo.yaml.5
check 'the schema' says "$qemu. Default: $newest." schema/spmtopo.schema.json
check 'the schema: machine types' says "such as pc-q35-$newest" schema/spmtopo.schema.json
check 'version-unknown' says "the releases from $qemu are" docs/rules.md
check 'machine-unknown' says "from ${qemu% to *} on, such as pc-q35-$newest" docs/rules.md

# --- others ----------------------------------------------------------------------------------------

check 'README.md: libvirt' says "libvirt $libvirt" README.md
check 'spmtopo.1: libvirt' says "libvirt, $libvirt" man/spmtopo.1
check 'spmtopo.yaml.5: libvirt' says "guest, $libvirt" man/spmtopo.yaml.5
check 'the schema: libvirt' says "Default: ${libvirt#* to }." schema/spmtopo.schema.json
check 'README.md: cloud-hypervisor' says "cloud-hypervisor $cloudhv" README.md
check 'spmtopo.1: cloud-hypervisor' says "of $cloudhv" man/spmtopo.1
check 'spmtopo.yaml.5: cloud-hypervisor' says "guest, $cloudhv" man/spmtopo.yaml.5

# --- what the program says -------------------------------------------------------------------------

# helps TARGET RANGE
helps()
{
    topology "$1" 0.9 >"$tmp/old.yaml"
    run check "$tmp/old.yaml"
    ran 1 && grep -qF "help: write a release from $2" "$tmp/err" && return
    grep help: "$tmp/err"
    return 1
}
check 'the help of QEMU' helps qemu "$qemu"
check 'the help of libvirt' helps libvirt "$libvirt"
check 'the help of cloud-hypervisor' helps cloud-hypervisor "$cloudhv"
tap_end
