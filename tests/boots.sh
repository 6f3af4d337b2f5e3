#!/bin/sh
# SPDX-License-Identifier: MIT
# Real guests, booted and verified; see tests/oracle/boot. The spmtopo that runs inside them is linked
# statically here.
top=${srcdir:-.}
guest=${SPMTOPO_VMM_TREE:-/var/cache/spmtopo/forky}/var/lib/spmtopo/guest
tmp=$(mktemp -d "${TMPDIR:-/tmp}/boots.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT PIPE TERM
if [ -e "$guest/done" ]; then
    source=$(cd "$top" && pwd)
    (
        cd "$tmp" || exit 1
        CC=${CC:-cc} "$source/configure" -q --enable-static CJSON_LIBS="$guest/libcjson.a" CFLAGS=-O1 &&
            make -s spmtopo
    ) >"$tmp/log" 2>&1 || {
        sed 's/^/# /' "$tmp/log"
        echo 'Bail out! there is no static spmtopo'
        exit 1
    }
    set -- --static "$tmp/spmtopo"
fi
"${PYTHON:-python3}" "$top/tests/oracle/boot" "$@"
