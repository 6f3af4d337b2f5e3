# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What the test scripts share; they read it with '.'. A script ends with tap_end: one that stops
# before it has no plan, and fails.
# shellcheck disable=SC2034 # some are for the scripts only

set -u
LC_ALL=C
export LC_ALL
unset NO_COLOR

srcdir=${srcdir:-.}
SPMTOPO=${SPMTOPO:-./spmtopo}
PYTHON=${PYTHON:-python3}
case $SPMTOPO in
/*) ;;
*/*) SPMTOPO=$PWD/$SPMTOPO ;;
esac
case $srcdir in
/*) top=$srcdir ;;
*) top=$PWD/$srcdir ;;
esac
TAB=$(printf '\t')

# What a sanitizer finds must not look like a refusal, of which the status is 1.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=199
UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}halt_on_error=1:exitcode=199
export ASAN_OPTIONS UBSAN_OPTIONS

tap_count=0
tap_failed=0

echo 'TAP version 13'

bail_out()
{
    echo "Bail out! $*"
    exit 1
}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/spmtopo-test.XXXXXX") || bail_out 'no temporary directory'
played=
clean_up()
{
    [ -z "$played" ] || kill "$played"
    # Copies of folders from a source that cannot be written to are like it.
    chmod -R u+w "$tmp" 2>/dev/null
    rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' HUP INT PIPE TERM

# diagnostics: a comment of each line of standard input, whatever it holds
diagnostics()
{
    cat -v | head -n 40 | cut -c 1-300 | sed 's/^/# /'
}

# ok DESCRIPTION
ok()
{
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1"
}

# not_ok DESCRIPTION [WHAT-WAS-WRONG...]
not_ok()
{
    tap_count=$((tap_count + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $1"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" | diagnostics
}

# skip DESCRIPTION REASON
skip()
{
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

# check DESCRIPTION COMMAND...: the command's status decides, its output explains
check()
{
    check_description=$1
    shift
    if "$@" >"$tmp/check" 2>&1; then
        ok "$check_description"
    else
        not_ok "$check_description" "$(cat "$tmp/check")"
    fi
}

tap_end()
{
    [ "$tap_count" -gt 0 ] || bail_out 'no test ran'
    echo "1..$tap_count"
    [ "$tap_failed" -eq 0 ]
    exit
}

# crashed STATUS: a signal, the sanitizers' status, or that of a command that is not there
crashed()
{
    [ "$1" -ge 126 ] || grep -q 'runtime error:' "$tmp/err"
}

# run ARGUMENT...: the program, its output in $tmp/out and $tmp/err, its status in $status
run()
{
    status=0
    "$SPMTOPO" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
}

# ran STATUS [quiet]: whether the last run ended as it should, and says what is wrong otherwise.
# A failure must print nothing to standard output and something to standard error; a quiet success
# nothing to standard error.
ran()
{
    if crashed "$status"; then
        echo "crashed with status $status"
        cat "$tmp/err"
        return 1
    fi
    if [ "$status" -ne "$1" ]; then
        echo "status $status, not $1"
        cat "$tmp/err"
        return 1
    fi
    if [ "$1" -ne 0 ] && [ -s "$tmp/out" ]; then
        echo 'there is output'
        head -n 5 "$tmp/out"
        return 1
    fi
    if [ "$1" -ne 0 ] && [ ! -s "$tmp/err" ]; then
        echo 'nothing is said on standard error'
        return 1
    fi
    if [ "${2-}" = quiet ] && [ -s "$tmp/err" ]; then
        echo 'standard error is not empty'
        cat "$tmp/err"
        return 1
    fi
}

# play_qemu: until the script ends, a QEMU that agrees with $tmp/qmp.yaml has its QMP at $tmp/socket
play_qemu()
{
    "$PYTHON" "$top/tests/qmp.py" serve "$tmp/socket" "$tmp/qmp.yaml" &
    played=$!
    tries=0
    while [ ! -S "$tmp/socket" ] && [ $tries -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
}

# same WANTED ACTUAL: byte for byte, with the difference in words
same()
{
    cmp -s "$1" "$2" && return
    echo "'$2' is not what '$1' is:"
    diff -u "$1" "$2" || cmp "$1" "$2"
    return 1
}
