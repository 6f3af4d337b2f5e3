#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory and disks that end, and signals: every command on every example, with one allocation made to fail in each
# run, or one call that writes, or a signal sent with such a call. The status must be 2, with a message, no output and
# nothing left behind; or all be as without the failure. After a signal a file is as it was, or whole.
# SPMTOPO_FAULTS=all makes every allocation fail, not only those of different places.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

faults=$PWD/tests/faults/faults
FAULTS_LIBRARY=$PWD/tests/faults/fail.so
export FAULTS_LIBRARY TMPDIR="$tmp"
[ -x "$faults" ] || bail_out "no program '$faults'"
all=
[ "${SPMTOPO_FAULTS:-}" != all ] || all=--all
cd "$top" || bail_out "no directory '$top'"

# each KIND: every command of $tmp/lines, a line each; $1 is alloc, write or signal. What follows '<' in a line is
# the standard input.
each()
{
    failed=0
    while read -r line; do
        input=/dev/null
        case $line in
        *' <'*)
            input=${line#* <}
            line=${line% <*}
            ;;
        esac
        # shellcheck disable=SC2086 # words of a command
        "$faults" "$1" $all --quota 60 --input "$input" -- "$SPMTOPO" $line >"$tmp/said" 2>&1 || {
            failed=1
            echo "spmtopo $line"
            cat "$tmp/said"
        }
        tail -n 1 "$tmp/said" >>"$tmp/figures.$1"
    done <"$tmp/lines"
    return "$failed"
}

# commands FILE: those that take a topology
commands()
{
    echo "check $1"
    echo "check --quiet --target libvirt $1"
    echo "check --quiet --target cloud-hypervisor $1"
    for format in json sarif github; do
        echo "check --format $format $1"
    done
    for format in shell json argv; do
        echo "gen --target qemu --format $format $1"
    done
    echo "gen --target libvirt $1"
    for format in json shell argv; do
        echo "gen --target cloud-hypervisor --format $format $1"
    done
    for target in qemu libvirt cloud-hypervisor; do
        echo "gen --target $target --fragment $1"
        echo "gen --target $target -o {}/out $1"
        echo "show --target $target $1"
        echo "expect --target $target --stage guest $1"
    done
    echo "gen --target qemu - <$1"
    for format in yaml svg dot; do
        echo "show --format $format $1"
    done
    for target in qemu libvirt cloud-hypervisor all; do
        echo "expect --target $target $1"
        echo "expect --target $target --format json $1"
    done
    for table in e820 srat slit hmat; do
        echo "expect --format raw --table $table $1"
        echo "expect --table $table $1"
    done
    echo "expect --format raw --table srat -o {}/out $1"
    for format in json dmesg; do
        echo "expect --stage guest --format $format $1"
    done
    echo "expect --format dmesg $1"
    echo "expect --format dmesg --kernel 7 $1"
}

# both DESCRIPTION: the commands in $tmp/lines with each kind of failure
both()
{
    for kind in $kinds; do
        case $kind in
        alloc) check "$1: allocations" each alloc ;;
        write) check "$1: calls that write" each write ;;
        signal) check "$1: a signal with each call that writes" each signal ;;
        esac
    done
}

kinds=
for kind in alloc write signal; do
    status=0
    "$faults" $kind -- "$SPMTOPO" --version >"$tmp/said" 2>&1 || status=$?
    case $status in
    0) kinds="$kinds $kind" ;;
    # linked statically, built with a sanitizer, or a kernel that does not hand over calls
    *) skip "$kind" "cannot be made to fail here: $(tail -n 1 "$tmp/said")" ;;
    esac
done

for file in examples/*.yaml; do
    commands "$file" >"$tmp/lines"
    both "${file##*/}"
done

{
    echo '--help'
    echo '--version'
    for command in check gen expect verify show rules explain; do
        echo "$command --version"
    done
    echo 'gen --target qemu --color always --qemu-version 10.0 --spm-interface kernel-parameter --firmware seabios -W spm-no-hmat -W no-mixed-node --Werror=address-window examples/hbm-guest.yaml'
    echo 'explain firmware-drops-spm -o {}/out'
    echo 'check tests/bad'
    echo 'rules'
    echo 'rules --format json'
    echo 'rules --format json -o {}/out'
    echo 'explain firmware-drops-spm'
    echo 'explain firmware-drops-spn'
    echo 'gen --target qemu examples/none.yaml'
    echo 'gen --target qemu tests/bad/alias-unknown.yaml'
    echo 'check examples'
    echo 'check --jobs 2 --format json examples'
    echo 'check --format sarif -o {}/out examples tests/bad'
    echo 'check --format json examples/none.yaml examples'
    echo 'show --format svg -o {}/out examples/hbm-guest.yaml'
    echo 'gen --target qemu -o {}/none/out examples/hbm-guest.yaml'
} >"$tmp/lines"
both 'other commands'

# The C library's argp prints these, and where memory ends for it, it aborts or leaves a part out.
{
    for command in check gen expect verify show rules explain; do
        echo "$command --help"
        echo "$command --usage"
        echo "$command --what"
        echo "$command"
    done
    echo 'what'
    echo 'gen --target what examples/hbm-guest.yaml'
} >"$tmp/lines"
every=$kinds
kinds=$(echo "$kinds" | sed 's/alloc//')
both 'help, and usage that is wrong'
kinds=$every

for guest in seabios-linux7 hmat-dax; do
    case=tests/guests/$guest
    tar -C "$case/guest" -cf "$tmp/$guest.tar" .
    for source in "$case/guest" "$tmp/$guest.tar" "$case/guest/dmesg"; do
        for format in text json tap; do
            echo "verify $case/topology.yaml --guest $source --format $format"
        done
    done >"$tmp/lines"
    {
        echo "verify $case/topology.yaml --guest $source -o {}/out"
        echo "verify $case/topology.yaml --guest - <$source"
        echo "verify $case/topology.yaml --guest - <$tmp/$guest.tar"
        echo "verify - --guest $source <$case/topology.yaml"
    } >>"$tmp/lines"
    both "verify $guest"
done
for case in tests/guests/*/; do
    echo "verify --quiet ${case}topology.yaml --guest ${case}guest"
done >"$tmp/lines"
both 'verify, the other guests'

play_qemu
for format in text json tap; do
    echo "verify --format $format $tmp/qmp.yaml --qmp $tmp/socket"
done >"$tmp/lines"
echo "verify $tmp/qmp.yaml --qmp $tmp/socket -o {}/out" >>"$tmp/lines"
both 'verify --qmp'

# The figures: the sums of the numbers in the lines.
for kind in $kinds; do
    awk -v kind="$kind" '
    { for (i = 2; i <= NF; i++) { gsub(/,/, "", $i); if ($(i - 1) ~ /^[0-9]+$/) sum[$i] += $(i - 1) } }
    END { printf "# %s: ", kind
          if (kind == "alloc") printf "%d allocations, %d made to fail, %d done without\n", sum["allocations"], sum["made"], sum["done"]
          else printf "%d calls, %d runs, %d done without\n", sum["calls"], sum["runs"], sum["done"] }' "$tmp/figures.$kind"
done
tap_end
