#!/bin/sh
# SPDX-License-Identifier: MIT
# The tarball holds what git tracks, and two of them are the same bytes; so are two builds in two folders. What
# `make install` installs is what there is to install, and `make uninstall` leaves nothing of it.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

build=$(dirname "$SPMTOPO")
[ -e "$build/Makefile" ] || bail_out "'$build' is no folder of a build"
top=$(cd "$top" && pwd -P)
# This make is not a part of the one that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS TESTS DESTDIR XZ_OPT
value()
{
    sed -n "s/^$1 = //p" "$build/Makefile"
}
version=$(value PACKAGE_VERSION)
name=spmtopo-$version
jobs=$(nproc 2>/dev/null || echo 1)

# try COMMAND...: what it says is shown if it fails
try()
{
    "$@" >"$tmp/log" 2>&1 </dev/null && return
    tail -n 30 "$tmp/log"
    return 1
}

# listed FOLDER: its files and links, sorted
listed()
{
    (cd "$1" && find . ! -type d) | sed 's,^\./,,' | LC_ALL=C sort
}

# dist FOLDER TO [VARIABLE=VALUE...]: the tarball that is made there
dist()
{
    dist_in=$1
    dist_to=$2
    shift 2
    try env "$@" make -C "$dist_in" -s dist && mv "$dist_in/$name.tar.xz" "$dist_to"
}

# --- the tarball ----------------------------------------------------------------------------------

umask 022
# The folder of a build may be that of a check that came from a tarball, which cannot be written to.
if ! check 'make dist' dist "$build" "$tmp/one.tar.xz" || [ ! -e "$tmp/one.tar.xz" ]; then
    bail_out 'there is no tarball'
fi
umask 077
check 'make dist, another time and umask' dist "$build" "$tmp/two.tar.xz" TZ=Asia/Tokyo
umask 022
check 'they are the same bytes' cmp "$tmp/one.tar.xz" "$tmp/two.tar.xz"

mkdir "$tmp/a" "$tmp/b" "$tmp/b/another-folder" || bail_out 'no room in the temporary directory'
for folder in a b/another-folder; do
    tar -C "$tmp/$folder" -xf "$tmp/one.tar.xz" || bail_out 'the tarball cannot be unpacked'
done
listed "$tmp/a/$name" >"$tmp/listed"
# What autoreconf makes.
generated='Makefile.in aclocal.m4 build-aux/ar-lib build-aux/compile build-aux/depcomp build-aux/install-sh
build-aux/missing build-aux/tap-driver.sh configure'
if [ "$(git -C "$top" rev-parse --show-toplevel 2>/dev/null)" = "$top" ]; then
    # shellcheck disable=SC2086 # words
    { git -C "$top" -c core.quotePath=false ls-files && printf '%s\n' $generated; } | LC_ALL=C sort >"$tmp/tracked"
    check 'it holds what git tracks and what autoreconf makes, and nothing else' same "$tmp/tracked" "$tmp/listed"
else
    skip 'it holds what git tracks' 'this is no checkout of git'
fi
strangers()
{
    tar --numeric-owner -tvf "$tmp/one.tar.xz" | awk '{ print $1, $2, $4, $5 }' |
        LC_ALL=C sort -u | awk '
            $2 != "0/0" || $1 !~ /^[d-]rwxr-xr-x$|^-rw-r--r--$/ { print; failed = 1 }
            { dates[$3 " " $4] }
            END { for (d in dates) n++; if (n != 1) { print n " dates"; failed = 1 } exit failed }'
}
check 'no owner, no umask and no time of this machine is in it' strangers
changelog()
{
    sed 1q "$top/debian/changelog" | grep -F "spmtopo ($version) "
}
check 'debian/changelog begins with this version' changelog

# --- two builds from it ---------------------------------------------------------------------------

# built FOLDER: installed to FOLDER/root
built()
{
    mkdir "$1/build" && cd "$1/build" &&
        try "../$name/configure" -q "CC=$(value CC)" CFLAGS='-O1 -g' --prefix=/usr && try make -s -j"$jobs" &&
        try make -s install DESTDIR="$1/root"
}
modes()
{
    (cd "$1" && find . ! -type d -exec ls -ln {} +) | awk '{ print $1, $NF }' | LC_ALL=C sort
}
same_trees()
{
    diff -r "$tmp/a/root" "$tmp/b/another-folder/root" &&
        modes "$tmp/a/root" >"$tmp/modes" && modes "$tmp/b/another-folder/root" >"$tmp/other-modes" &&
        same "$tmp/modes" "$tmp/other-modes"
}
(built "$tmp/a") >"$tmp/said" 2>&1
check 'the tarball builds and installs' test ! -s "$tmp/said" -a -x "$tmp/a/root/usr/bin/spmtopo"
umask 027
(built "$tmp/b/another-folder") >"$tmp/said" 2>&1
umask 022
check 'so it does in another folder' test ! -s "$tmp/said" -a -x "$tmp/b/another-folder/root/usr/bin/spmtopo"
if grep -q '^PREFIX_MAP = .' "$tmp/a/build/Makefile"; then
    check 'what is installed is the same bytes' same_trees
else
    skip 'what is installed is the same bytes' 'this compiler has no -ffile-prefix-map'
fi
check 'the tarball of the tarball' dist "$tmp/a/build" "$tmp/three.tar.xz"
check 'it is the same bytes' cmp "$tmp/one.tar.xz" "$tmp/three.tar.xz"

# --- what is installed ----------------------------------------------------------------------------

# A file in these folders is for users: a new one that is not installed fails here.
share=usr/share
{
    echo usr/bin/spmtopo
    sed -n "s,^man/\\(.*\\)\\.\\([1-9]\\)\$,$share/man/man\\2/\\1.\\2,p
        s,^\\(README.md\\|SECURITY.md\\|NEWS\\|LICENSE\\|docs/.*\\|examples/.*\\|contrib/.*\\)\$,$share/doc/spmtopo/\\1,p
        s,^schema/,$share/spmtopo/&,p" "$tmp/listed"
    echo "$share/spmtopo/gather.sh"
    echo "$share/bash-completion/completions/spmtopo"
    echo "$share/zsh/site-functions/_spmtopo"
    echo "$share/fish/vendor_completions.d/spmtopo.fish"
} | LC_ALL=C sort >"$tmp/wanted"
listed "$tmp/a/root" >"$tmp/installed"
check 'what is installed is what is for users' same "$tmp/wanted" "$tmp/installed"
runs()
{
    "$tmp/a/root/usr/bin/spmtopo" check --quiet "$tmp/a/root/$share/doc/spmtopo/examples"
}
check 'the installed program takes the installed examples' runs
# Folders of others, such as man1, are not ours to remove.
check 'make uninstall' try make -C "$tmp/a/build" -s uninstall DESTDIR="$tmp/a/root"
listed "$tmp/a/root" >"$tmp/left"
check 'it leaves nothing' same /dev/null "$tmp/left"
(cd "$tmp/a/root" && find . -path '*spmtopo*') >"$tmp/left"
check '... and no folder of its own' same /dev/null "$tmp/left"
tap_end
