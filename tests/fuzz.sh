#!/bin/sh
# SPDX-License-Identifier: MIT
# The seeds of the fuzz targets, and pieces of them, given to each without a fuzzer.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

replay=${REPLAY:-tests/fuzz/replay}
[ -x "$replay" ] || bail_out "no program '$replay'"

# replays TARGET: the seeds, each also cut in the middle and with a byte changed
replays()
{
    "$top/tests/fuzz/seeds" "$1" "$tmp/$1" || return 1
    for file in "$tmp/$1"/*; do
        size=$(wc -c <"$file")
        head -c $((size / 2)) "$file" >"$file.cut"
        { head -c $((size / 3)) "$file" && printf '\377' && tail -c +$((size / 3 + 2)) "$file"; } >"$file.changed"
    done
    "$replay" "$1" "$tmp/$1"/* || return 1
}
for target in topology document tables guest tar log memmap iomem node dax qmp; do
    check "$target: the seeds, whole, cut and changed" replays "$target"
done
no_target()
{
    ! "$replay" none "$top/README.md" 2>/dev/null
}
check 'a target that does not exist is a failure' no_target
tap_end
