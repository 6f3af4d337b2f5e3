#!/bin/sh
# SPDX-License-Identifier: MIT
# The layers of the sources: includes point to the same or a lower one. A header says its layer in its
# first comment ("Layer N."); a .c file is in its header's.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

# .c files without a header of their own.
own='
parse_yaml.c 2
doc_allow.c 2
load_distances.c 3
load_hmat.c 3
load_machine.c 3
load_nodes.c 3
load_rules.c 3
load_targets.c 3
layout_qemu.c 5
rules.c 5
check_run.c 5
check_backends.c 5
check_hmat.c 5
check_qemu.c 5
check_guest_cmdline.c 5
check_guest_distances.c 5
check_guest_firmware.c 5
check_guest_hmat.c 5
check_guest_nodes.c 5
check_guest_spm.c 5
check_libvirt.c 5
check_cloudhv.c 5
tables_qemu.c 6
tables_cloudhv.c 6
dump_dax.c 7
show_dot.c 7
show_svg.c 7
dump_iomem.c 7
dump_log.c 7
dump_memmap.c 7
dump_node.c 7
dump_table.c 7
verify_map.c 8
verify_node.c 8
verify_qmp.c 8
verify_report.c 8
verify_table.c 8
cmd_check.c 9
cmd_gen.c 9
cmd_expect.c 9
cmd_expect_all.c 9
cmd_rules.c 9
cmd_show.c 9
cmd_verify.c 9
spmtopo.c 9'

# Where a library may be used: HEADER FILE...
libraries='
yaml.h parse_yaml.c
cjson/cJSON.h json.c report.c expect.c expect_all.c expect_guest.c qmp.c verify_qmp.c verify_report.c cmd_rules.c spmtopo.c
argp.h options.c spmtopo.c
malloc.h spmtopo.c
pthread.h cmd_check.c
dirent.h cmd_check.c guest_source.c
sys/klog.h guest_source.c
poll.h qmp.c
sys/socket.h qmp.c
sys/un.h qmp.c
time.h qmp.c'

src=${LAYERS_SRC:-$top/src}
cd "$src" || bail_out "no directory '$src'"

# header_layer FILE: the number in the first comment after the licence, if there is one
header_layer()
{
    awk '
    /SPDX-License-Identifier/ { next }
    /^\/\*/ { comment = 1 }
    comment { text = text " " $0 }
    comment && /\*\// { exit }
    !comment && NF { exit }
    END { if (match(text, /Layer [0-9]+\./)) print substr(text, RSTART + 6, RLENGTH - 7) }' "$1"
}

# "FILE LAYER" of every source; without a number where there is no layer
for file in *.h *.c; do
    [ -e "$file" ] || bail_out "no sources in '$src'"
    case $file in
    *.h) echo "$file $(header_layer "$file")" ;;
    *)
        listed=$(echo "$own" | awk -v file="$file" '$1 == file { print $2 }')
        header=${file%.c}.h
        if [ -e "$header" ]; then
            echo "$file $(header_layer "$header")${listed:+ and listed}"
        else
            echo "$file $listed"
        fi
        ;;
    esac
done >"$tmp/layers"

has_layer()
{
    grep -q "^$1 [0-9]$" "$tmp/layers" && return
    grep "^$1 " "$tmp/layers"
    return 1
}
for file in *.h *.c; do
    check "$file has one layer" has_layer "$file"
done

# "FILE LINE INCLUDED" of every #include, with the quotes or brackets
# shellcheck disable=SC2035 # no source begins with a dash
awk '/^[ \t]*#[ \t]*include/ {
    name = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
    sub(/[ \t].*/, "", name)
    print FILENAME, FNR, name
}' *.h *.c >"$tmp/includes"

downwards()
{
    awk -v file="$1" '
    NR == FNR { layer[$1] = $2; next }
    $1 != file || $3 !~ /^"/ { next }
    {
        name = substr($3, 2, length($3) - 2)
        if (layer[name] == "" || layer[name] + 0 > layer[file] + 0) {
            printf "%s:%d: layer %s includes %s of layer %s\n", $1, $2, layer[file], name, layer[name] == "" ? "?" : layer[name]
            failed = 1
        }
    }
    END { exit failed }' "$tmp/layers" "$tmp/includes"
}
while read -r file _; do
    check "$file includes what is below it" downwards "$file"
done <"$tmp/layers"
count=$(grep -c ' "' "$tmp/includes")
check 'the includes were read' test "$count" -ge "$(grep -c '\.c ' "$tmp/layers")"

allowed()
{
    awk -v header="<$1>" -v files=" $2 " '
    ($3 == header || $3 == "\"" substr(header, 2, length(header) - 2) "\"") && !index(files, " " $1 " ") {
        print $1 ":" $2 ": includes " header
        failed = 1
    }
    END { exit failed }' "$tmp/includes"
}
echo "$libraries" | sed '/^$/d' >"$tmp/libraries"
while read -r header files; do
    check "<$header> only in $files" allowed "$header" "$files"
done <"$tmp/libraries"

# Any other library's header would be a layer that nobody drew: the C library's are known by their
# being where the compiler's standard includes are not asked for a directory of a package.
awk '$3 ~ /^</ { print $3 }' "$tmp/includes" | sort -u >"$tmp/system"
known='assert ctype errno fcntl inttypes limits signal stdarg stdbool stddef stdint stdio stdlib string
strings sys/stat sys/types unistd'
unknown()
{
    failed=0
    while read -r header; do
        name=${header#<}
        name=${name%>}
        grep -q "^$name " "$tmp/libraries" && continue
        case " $(echo "$known" | tr '\n' ' ') " in
        *" ${name%.h} "*) ;;
        *)
            echo "$header is neither the C library's nor listed"
            failed=1
            ;;
        esac
    done <"$tmp/system"
    return "$failed"
}
check 'every other library is listed' unknown

# Below layer 9 nothing prints or exits; out of memory apart, which util.c says for all.
silent()
{
    awk -v skip="$([ "$1" = util.c ] && echo out_of_memory)" '
    # strings and comments hold no calls
    {
        line = $0
        gsub(/\\./, "", line)
        gsub(/"[^"]*"/, "", line)
        if (comment) {
            if (!sub(/^.*\*\//, "", line)) next
            comment = 0
        }
        gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line)
        if (sub(/\/\*.*/, "", line)) comment = 1
    }
    skip != "" && line ~ "(^|[^a-z0-9_])" skip "\\(void\\)" { inside = 1 }
    inside && line ~ /^}/ { inside = 0 }
    !inside && line ~ /(^|[^A-Za-z0-9_])(v?f?printf|v?dprintf|f?puts|f?putc|putchar|fwrite|perror|exit|_exit|_Exit|quick_exit|abort|errx?|warnx?|error|syslog)[ \t]*\(/ {
        print FILENAME ":" FNR ": " $0
        failed = 1
    }
    !inside && line ~ /(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)/ && FILENAME != "outfile.c" {
        print FILENAME ":" FNR ": " $0
        failed = 1
    }
    END { exit failed }' "$1"
}
while read -r file layer; do
    case $layer in
    9) ;;
    *) check "$file neither prints nor exits" silent "$file" ;;
    esac
done <"$tmp/layers"

# What the list above names must be there, and need it.
echo "$own" | sed '/^$/d' | while read -r file _; do
    [ -e "$file" ] || echo "$file is listed and not there"
done >"$tmp/strangers"
check 'the list is of files that there are' same /dev/null "$tmp/strangers"
tap_end
