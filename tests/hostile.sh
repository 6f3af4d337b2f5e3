#!/bin/sh
# SPDX-License-Identifier: MIT
# Input made to hurt: one clear error at once, in bounded memory, and nothing on standard output.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

seconds=${SPMTOPO_SECONDS:-10}
megabytes=1024

command -v timeout >/dev/null 2>&1 || bail_out 'timeout(1) not found'
# The address sanitizer maps terabytes and takes several times as long.
limit_memory="ulimit -v $((megabytes * 1024))"
sh -c "$limit_memory; exec \"\$0\" --version" "$SPMTOPO" >"$tmp/out" 2>&1 || {
    limit_memory=:
    seconds=60
    echo '# built with the address sanitizer: memory is not bounded here'
}
export limit_memory

# guarded INPUT: as run, with a time limit and bounded memory; '-' is the script's standard input
guarded()
{
    status=0
    # shellcheck disable=SC2016 # for the inner shell
    timeout -k 1 "$seconds" sh -c 'eval "$limit_memory"; exec "$@"' sh \
        "$SPMTOPO" "${2:-gen}" --target qemu "$1" >"$tmp/out" 2>"$tmp/err" || status=$?
}

# refused STATUS [RULE]: that status, nothing on standard output, no control characters on standard
# error, bounded messages; and with a rule, exactly one error, which is that rule's
refused()
{
    if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
        echo "not done after $seconds seconds"
        return 1
    fi
    ran "$1" || return 1
    if LC_ALL=C tr -d '\n' <"$tmp/err" | LC_ALL=C grep -q '[[:cntrl:]]'; then
        echo 'control characters on standard error'
        return 1
    fi
    if [ "$(wc -c <"$tmp/err")" -gt 1048576 ]; then
        echo "$(wc -c <"$tmp/err") bytes on standard error"
        return 1
    fi
    if [ "$(awk 'length > n { n = length } END { print n + 0 }' "$tmp/err")" -gt 1000 ]; then
        echo 'a line of more than 1000 bytes on standard error'
        return 1
    fi
    grep -q 'out of memory' "$tmp/err" && {
        echo 'out of memory'
        return 1
    }
    [ $# -lt 2 ] && return
    if [ "$(grep -c ' \[SPM[0-9]* [a-z0-9-]*\]$' "$tmp/err")" -ne 1 ] || ! grep -qF " [$2]" "$tmp/err"; then
        echo "not one finding, of rule $2:"
        cat "$tmp/err"
        return 1
    fi
}

# survived: done in time and memory, whatever the answer
survived()
{
    if [ "$status" -eq 0 ]; then
        return
    fi
    refused 1
}

# write PROGRAM: $tmp/input.yaml by some lines of Python; head and nodes make a good file
write()
{
    "$PYTHON" - "$tmp/input.yaml" <<EOF || bail_out 'cannot write the input'
import sys
head = b"spmtopo: 1\nname: hostile\ncpus: 1\n"
nodes = b"nodes: [{id: 0, cpus: 0, memory: 1GiB}]\n"
def write(*parts):
    with open(sys.argv[1], "wb") as file:
        for part in parts:
            file.write(part)
$1
EOF
}

# hostile STATUS RULE DESCRIPTION PROGRAM
hostile()
{
    write "$4"
    guarded "$tmp/input.yaml"
    if [ -n "$2" ]; then
        check "$3" refused "$1" "$2"
    else
        check "$3" refused "$1"
    fi
}

# --- aliases and nesting -------------------------------------------------------------------------

hostile 1 'SPM103 limit' 'an alias bomb' '
write(head, b"x-0: &a0 [1]\n", *[b"x-%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 30)], nodes)'
hostile 1 'SPM103 limit' 'an alias bomb of mappings' '
write(head, b"x-0: &a0 {a: 1}\n", *[b"x-%d: &a%d {%s}\n" % (i, i, b", ".join(b"k%d: *a%d" % (k, i - 1) for k in range(10))) for i in range(1, 30)], nodes)'
hostile 1 'SPM103 limit' 'nodes of aliased regions' '
write(head, b"x-r: &r [", b"1GiB, " * 4000, b"]\n", b"nodes:\n", b"- {id: 0, cpus: 0, memory: *r}\n", *[b"- {id: %d, memory: *r}\n" % i for i in range(1, 1000)])'
hostile 1 'SPM109 alias' 'a cyclic alias of a sequence' 'write(head, b"x-a: &a [*a]\n", nodes)'
hostile 1 'SPM109 alias' 'a cyclic alias of a mapping' 'write(head, b"x-a: &a {b: {c: *a}}\n", nodes)'
hostile 1 'SPM109 alias' 'the whole file in itself' 'write(b"&a\n", head, nodes, b"x-a: *a\n")'
hostile 1 '' '1,000,000 aliases of nothing' 'write(head, nodes, b"x-a: [", b"*a, " * 1000000, b"]\n")'
hostile 1 'SPM103 limit' '100,000 sequences deep in flow style' 'write(head, b"x-a: ", b"[" * 100000, b"]" * 100000, b"\n", nodes)'
hostile 1 'SPM103 limit' '100,000 mappings deep in flow style' 'write(head, b"x-a: ", b"{a: " * 100000, b"}" * 100000, b"\n", nodes)'
hostile 1 'SPM103 limit' '100,000 sequences deep in block style' 'write(b"- " * 100000, b"a\n")'
hostile 1 'SPM103 limit' '3,000 mappings deep in block style' 'write(*[b" " * i + b"a:\n" for i in range(3000)])'
hostile 1 '' '100,000 opening brackets and nothing more' 'write(head, b"x-a: ", b"[" * 100000)'
hostile 1 'SPM103 limit' 'deep by aliases' '
write(head, b"x-0: &a0 [1]\n", *[b"x-%d: &a%d [*a%d]\n" % (i, i, i - 1) for i in range(1, 200)], nodes)'

# --- bytes ---------------------------------------------------------------------------------------

hostile 1 'SPM102 encoding' 'a NUL byte' 'write(head, b"description: a\0b\n", nodes)'
hostile 1 'SPM102 encoding' 'NUL bytes only' 'write(bytes(1000000))'
hostile 1 'SPM102 encoding' 'an escaped NUL' 'write(head, b"description: \"a\\0b\"\n", nodes)'
hostile 1 'SPM102 encoding' 'an escaped NUL in a key' 'write(head, b"\"x-\\0\": 1\n", nodes)'
for bytes in 'xff' 'xc0\x80' 'xed\xa0\x80' 'xf4\x90\x80\x80' 'xe2\x82'; do
    hostile 1 'SPM102 encoding' "not UTF-8: \\$bytes" "write(head, b'description: \\$bytes\n', nodes)"
done
hostile 1 'SPM102 encoding' 'UTF-16, little-endian with its mark' 'write((head + nodes).decode().encode("utf-16"))'
hostile 1 'SPM102 encoding' 'UTF-16, big-endian with its mark' 'write(b"\xfe\xff", (head + nodes).decode().encode("utf-16-be"))'
hostile 1 '' 'UTF-16 without a mark' 'write((head + nodes).decode().encode("utf-16-le"))'
hostile 1 'SPM102 encoding' 'UTF-32 with its mark' 'write((head + nodes).decode().encode("utf-32"))'
hostile 1 'SPM102 encoding' 'a terminal escape in plain text' 'write(head, b"description: \x1b]0;title\x07\n", nodes)'
hostile 1 '' 'random bytes' 'import random; random.seed(2); write(random.randbytes(100000))'
hostile 1 'SPM101 yaml-syntax' 'a program' 'write(b"\x7fELF"[1:], b": [\n", b"}" * 100)'

write 'write(b"\xef\xbb\xbf", head, nodes)'
guarded "$tmp/input.yaml"
check 'a UTF-8 byte-order mark is accepted' ran 0
cp "$tmp/out" "$tmp/marked"
write 'write(head, nodes)'
guarded "$tmp/input.yaml"
check '... and means nothing' same "$tmp/out" "$tmp/marked"
write 'write((head + nodes).replace(b"\n", b"\r\n"))'
guarded "$tmp/input.yaml"
check 'lines that end as on Windows mean nothing' same "$tmp/out" "$tmp/marked"

# --- size ----------------------------------------------------------------------------------------

hostile 1 'SPM103 limit' '17 MiB' 'write(head, nodes, b"# comment\n" * (17 * 1024 * 1024 // 10))'
hostile 1 'SPM103 limit' 'one byte more than 16 MiB' 'write(head, nodes, b"#" * (16 * 1024 * 1024 + 1 - len(head + nodes)))'
write 'write(head, nodes, b"#" * (16 * 1024 * 1024 - len(head + nodes)))'
guarded "$tmp/input.yaml"
check '16 MiB are accepted' ran 0
hostile 1 'SPM108 bad-value' 'a name of 16 MiB' 'write(b"spmtopo: 1\ncpus: 1\n", nodes, b"name: ", b"a" * (16 * 1024 * 1024 - 100), b"\n")'
hostile 1 'SPM105 unknown-key' 'a quoted key of 500 bytes' 'write(head, nodes, b"? \"", b"a" * 500, b"\"\n: 1\n")'
hostile 1 '' 'a key of 16 MiB' 'write(head, nodes, b"? ", b"a" * (16 * 1024 * 1024 - 200), b"\n: 1\n")'
hostile 1 'SPM108 bad-value' 'a size of 16 MiB' 'write(head, b"nodes: [{id: 0, cpus: 0, memory: ", b"9" * (16 * 1024 * 1024 - 200), b"}]\n")'
hostile 1 'SPM108 bad-value' 'a wide character cut by a message' 'write(b"spmtopo: 1\ncpus: 1\n", nodes, b"name: ", "€".encode() * 1000, b"\n")'
hostile 1 '' '16 MiB of line ends and an error' 'write(b"\n" * (16 * 1024 * 1024 - 200), b"a: [\n")'
hostile 1 '' '16 MiB of blanks' 'write(b" " * (16 * 1024 * 1024))'
hostile 1 '' '16 MiB of dashes' 'write(b"-\n" * (8 * 1024 * 1024))'
write 'write(head, nodes, b"description: |\n", b"  text\n" * (2 * 1024 * 1024))'
guarded "$tmp/input.yaml"
check 'a description of 14 MiB is read' ran 0

guarded /dev/zero
check '/dev/zero' refused 1 'SPM103 limit'
guarded /dev/null
check '/dev/null' refused 1 'SPM101 yaml-syntax'
guarded "$tmp"
check 'a directory' refused 2
# 100 MB through a pipe; who writes is not waited for.
head -c 100000000 /dev/zero | tr '\0' '#' | (
    guarded -
    echo "$status" >"$tmp/status"
)
status=$(cat "$tmp/status")
check '100 MB through a pipe' refused 1 'SPM103 limit'

# --- number of things ----------------------------------------------------------------------------

hostile 1 'SPM103 limit' '1,000,000 keys' 'write(head, nodes, *[b"x-%d: 1\n" % i for i in range(1000000)])'
hostile 1 '' '400,000 unknown keys' 'write(head, nodes, *[b"k%d: 1\n" % i for i in range(400000)])'
hostile 1 '' '1,000,000 duplicate keys' 'write(head, nodes, b"a: 1\n" * 1000000)'
hostile 1 '' '450,000 duplicate keys' 'write(head, nodes, b"a: 1\n" * 450000)'
hostile 1 '' '900,000 bad sizes' 'write(head, b"nodes: [{id: 0, cpus: 0, memory: [", b"1,\n" * 900000, b"]}]\n")'
hostile 1 '' '4,000 bad sizes' 'write(head, b"nodes: [{id: 0, cpus: 0, memory: [", b"1,\n" * 4000, b"]}]\n")'
hostile 1 '' '200,000 unknown tags' 'write(head, nodes, b"x-a: [", b"!a 1, " * 200000, b"]\n")'
hostile 1 '' '200,000 bad nodes' 'write(head, b"nodes:\n", b"- {}\n" * 200000)'
hostile 1 'SPM110 yaml-feature' '1,000,000 documents' 'write(head, nodes, b"---\n" * 1000000)'
hostile 1 'SPM103 limit' 'id: 0-4294967295' 'write(head, b"nodes: [{id: 0-4294967295, memory: 1GiB}]\n")'
hostile 1 '' 'id: 0-4294967295, a million times' 'write(head, b"nodes: [{id: \"", b"0-4294967295," * 1000000, b"0\"}]\n")'
hostile 1 'SPM204 cpu-unknown' 'cpus: 0-4294967295' 'write(head, b"nodes: [{id: 0, cpus: 0-4294967295, memory: 1GiB}]\n")'
hostile 1 '' 'cpus: 0,0,0... three million times' 'write(head, b"nodes: [{id: 0, memory: 1GiB, cpus: \"", b"0," * 3000000, b"0\"}]\n")'
hostile 1 '' 'cpus: 0,0,0... aliased in 1,000 nodes' '
write(head, b"nodes:\n- {id: 0, memory: 1GiB, cpus: &c \"", b"0," * 3000000, b"0\"}\n", *[b"- {id: %d, cpus: *c}\n" % i for i in range(1, 1000)])'
hostile 1 '' 'host-nodes: 0,0,0... aliased in 1,000 nodes' '
write(head, b"nodes:\n- {id: 0, memory: 1GiB, cpus: 0, policy: bind, host-nodes: &c \"", b"0," * 3000000, b"0\"}\n", *[b"- {id: %d, memory: 1GiB, policy: bind, host-nodes: *c}\n" % i for i in range(1, 1000)])'
hostile 1 '' 'numbers beyond 64 bits' '
big = b"9" * 40
write(b"spmtopo: 1\nname: hostile\ncpus: {count: ", big, b", max: ", big, b", sockets: ", big, b"}\nnodes: [{id: ", big, b", cpus: ", big, b", initiator: ", big,
      b", memory: {size: ", big, b"GiB, type: spm, address: 0x", big, b"}}]\ndevice-memory: {max-memory: ", big, b"TiB, slots: ", big, b"}\n")'
hostile 1 '' 'products beyond 64 bits' 'write(b"spmtopo: 1\nname: hostile\ncpus: {sockets: 8192, dies: 8192, modules: 8192, cores: 8192, threads: 8192}\n", nodes)'
hostile 1 '' 'sums beyond 64 bits' '
write(head, b"nodes:\n- {id: 0, cpus: 0, memory: 1GiB}\n", *[b"- {id: %d, memory: [%s]}\n" % (i, b", ".join([b"4194303GiB"] * 32)) for i in range(1, 128)])'
hostile 1 '' 'SPM beyond 64 bits' '
write(head, b"nodes:\n- {id: 0, cpus: 0, memory: 1GiB}\n", *[b"- {id: %d, memory: [%s]}\n" % (i, b", ".join([b"{type: spm, size: 4194303GiB}"] * 32)) for i in range(1, 128)])'

# --- what takes longer the more there is of it -----------------------------------------------------

# quick DESCRIPTION PROGRAM: any answer will do, in time and memory
quick()
{
    write "$2"
    guarded "$tmp/input.yaml"
    check "$1" survived
}
quick 'one large mapping and 130,000 small ones' '
write(head, nodes, b"x-a: {", b",".join(b"k%d: 1" % i for i in range(270000)), b"}\nx-b: [", b"{a: 1}," * 130000, b"]\n")'
quick '700,000 comments that allow, over 900,000 scalars' '
write(head, nodes, b"x-a: [", b"1," * 900000, b"]\n", b"#spmtopo-allow:\n" * 700000)'
quick '800,000 comments that allow, in one line' '
write(head, nodes, b"# spmtopo-allow: a " * 800000, b"\n")'
quick '800,000 comments that allow, in one scalar' '
write(head, nodes, b"x-a: \"", b"# spmtopo-allow: a " * 800000, b"\"\n")'
quick '850,000 comments that allow, without a blank' '
write(head, nodes, b"#spmtopo-allow:a\xc2\x85" * 850000)'
quick 'a comment that allows, and 900,000 aliases of a scalar of 8 MiB' '
write(head, nodes, b"x-a: &a ", b"y" * (8 << 20), b"\nx-b: [", b"*a," * 900000, b"]\n# spmtopo-allow: a\n")'
quick 'a comment that allows 2,000,000 rules' '
write(head, b"nodes: [{id: 0, cpus: 0, memory: [1GiB, {size: 1GiB, type: spm}]}]  # spmtopo-allow: ", b"SPM402," * 2000000, b"\n")'
quick '300,000 settings of rules' '
write(head, b"nodes: [{id: 0, cpus: 0, memory: [1GiB, {size: 1GiB, type: spm}]}]\nrules: {warning: [", b"SPM402, " * 300000, b"]}\n")'
quick '35,000 caches and 35,000 pairs' '
write(head, nodes, b"x-c: &c {node: 0, level: 1, size: 1MiB, line: 64, associativity: none, write-policy: none}\nx-p: &p {from: 0, to: 0, latency: 1ns}\n",
      b"hmat: {caches: [", b"*c," * 35000, b"], performance: [", b"*p," * 35000, b"]}\n")'
quick '1,023 nodes with every distance' '
write(head, b"nodes: [{id: 0, cpus: 0, memory: 1GiB}, {id: 1-900}]\nx-r: &r [", b",".join([b"20"] * 901), b"]\ndistances: [", b"*r," * 901, b"]\n")'
quick '4,000 regions of SPM, in 127 nodes' '
write(head, b"nodes: [{id: 0, cpus: 0, memory: 1GiB}, {id: 1-127, memory: [", b"{size: 128MiB, type: spm}," * 31, b"]}]\n")'
quick '128 nodes, 8,192 pairs of hmat' '
write(b"spmtopo: 1\nname: hostile\nmachine: {accel: tcg}\ncpus: 64\nnodes:\n", *[b"- {id: %d, memory: 1GiB%s}\n" % (i, b", cpus: %d" % i if i < 64 else b"") for i in range(128)],
      b"hmat:\n  performance:\n", *[b"  - {from: %d, to: %d, latency: 10ns}\n" % (i, j) for i in range(64) for j in range(128)])'
quick '8,192 vCPUs, each named alone' '
write(b"spmtopo: 1\nname: hostile\ncpus: 8192\nnodes: [{id: 0, memory: 1GiB, cpus: [", b",".join(b"%d" % i for i in range(8192)), b"]}]\n")'
quick 'an error in each of 60,000 columns of a line' 'write(head, b"nodes: [{id: 0, cpus: 0, memory: 1GiB}]\nx-a: [", b"*a," * 60000, b"]\n")'

# --- terminals -----------------------------------------------------------------------------------

# Escapes in values: refused, or shown as something else, on standard error and in what is for people.
for escape in 'e' 'x1b' 'x9b' 'a' 'x7f' 'u0085' 'r' 'u202e' 'u2028'; do
    for key in name label machine description id kernel binary; do
        text="\"a\\\\${escape}[31mb\""
        case $key in
        name) body="name: $text\nnodes: [{id: 0, cpus: 0, memory: 1GiB}]" ;;
        label) body="name: a\nnodes: [{id: 0, cpus: 0, memory: 1GiB, label: $text}]" ;;
        id) body="name: a\nnodes: [{id: 0, cpus: 0, memory: {size: 1GiB, id: $text}}]" ;;
        kernel) body="name: a\nboot: {kernel: $text}\nnodes: [{id: 0, cpus: 0, memory: 1GiB}]" ;;
        binary) body="name: a\ntargets: {qemu: {binary: $text}}\nnodes: [{id: 0, cpus: 0, memory: 1GiB}]" ;;
        *) body="name: a\n$key: $text\nnodes: [{id: 0, cpus: 0, memory: 1GiB}]" ;;
        esac
        printf 'spmtopo: 1\ncpus: 1\n%b\n' "$body" >"$tmp/input.yaml"
        for command in show 'expect' 'gen --target qemu'; do
            # shellcheck disable=SC2086 # words of a command
            run $command "$tmp/input.yaml"
            cat "$tmp/out" "$tmp/err" >>"$tmp/shown.$escape"
            [ "$status" -le 1 ] || echo "status $status: $command, $key" >>"$tmp/shown.$escape.status"
        done
    done
    harmless()
    {
        "$PYTHON" - "$tmp/shown.$escape" <<'EOF' && [ ! -e "$tmp/shown.$escape.status" ]
import sys, unicodedata
text = open(sys.argv[1], "rb").read().decode("utf-8")
odd = sorted({hex(ord(c)) for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"})
assert text and not odd, "reaches the terminal: " + " ".join(odd)
EOF
    }
    check "an escaped \\$escape does not reach a terminal" harmless
done

# Names of files come from others, too.
name="$tmp/$(printf 'a\033[31m\233b').yaml"
printf 'spmtopo: 2\n' >"$name"
run gen --target qemu "$name"
check 'an escape in the name of a bad file' refused 1
run gen --target qemu "$name.none"
check 'an escape in the name of a missing file' refused 2
tap_end
