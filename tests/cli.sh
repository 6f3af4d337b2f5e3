#!/bin/sh
# SPDX-License-Identifier: MIT
# The command line: exit status, output files, forms of the output, overrides, colours.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

small=$top/tests/good/hbm-guest.yaml
bad=$top/tests/bad/duplicate-key.yaml
mkdir "$tmp/bin" "$tmp/dir" || bail_out 'no room in the temporary directory'
q='--target qemu'

# expect_status STATUS DESCRIPTION ARGUMENT...
expect_status()
{
    wanted=$1
    title=$2
    shift 2
    run "$@"
    check "$title" ran "$wanted"
}

holds() # FILE TEXT: a line of the file holds the text
{
    grep -qF -- "$2" "$1" && return
    echo "no '$2' in:"
    cat "$1"
    return 1
}

holds_not()
{
    grep -qF -- "$2" "$1" || return 0
    echo "there is '$2' in:"
    cat "$1"
    return 1
}

# --- exit status ---------------------------------------------------------------------------------

# shellcheck disable=SC2086 # $q is two words, here and below
{
    run gen $q "$small"
    check 'gen: status 0, nothing on standard error' ran 0 quiet
    cp "$tmp/out" "$tmp/gen"
    expect_status 1 'gen of a bad file: status 1' gen $q "$bad"
    for command in expect show; do
        run "$command" "$small"
        check "$command: status 0" ran 0
        expect_status 1 "$command of a bad file: status 1" "$command" "$bad"
        expect_status 2 "$command of a file that is not there: status 2" "$command" "$tmp/none"
    done
    expect_status 2 'gen of a file that is not there: status 2' gen $q "$tmp/none"
    check 'the message names the file' holds "$tmp/err" "$tmp/none"
    expect_status 2 'no command: status 2'
    expect_status 2 'unknown command: status 2' generate "$small"
    check 'the message names the command' holds "$tmp/err" generate
    expect_status 2 'no file: status 2' gen $q
    expect_status 2 'two files: status 2' gen $q "$small" "$small"
    expect_status 2 'gen without a target: status 2' gen "$small"
    expect_status 2 'unknown target: status 2' gen --target xen "$small"
    expect_status 2 'unknown option: status 2' gen $q --fast "$small"
    expect_status 2 'unknown short option: status 2' gen $q -z "$small"
    expect_status 2 'option of another command: status 2' show --fragment "$small"
    expect_status 2 'unknown format: status 2' gen $q --format xml "$small"
    expect_status 2 'format of another command: status 2' gen $q --format yaml "$small"
    expect_status 2 'option without its value: status 2' gen "$small" --target
    expect_status 2 'unknown table: status 2' expect --table dsdt "$small"
    expect_status 2 'unknown stage: status 2' expect --stage guests "$small"
    expect_status 2 'unknown colour: status 2' show --color sometimes "$small"
    expect_status 2 'unknown rule of -W: status 2' show -W nonsense "$small"
    expect_status 2 'unknown rule of -W no-: status 2' show -W no-nonsense "$small"
    expect_status 2 'unknown rule of --Werror: status 2' show --Werror=nonsense "$small"
    expect_status 2 'unknown SPM interface: status 2' show --spm-interface hmem "$small"
    expect_status 2 'unknown firmware: status 2' show --firmware bios "$small"
    for wrong in 'gen --target xen|qemu, libvirt or cloud-hypervisor' \
        'expect --target xen|qemu, libvirt, cloud-hypervisor or all' \
        'check --format yaml|json, text, sarif or github' \
        'expect --table dsdt|e820, srat, slit, hmat or all' 'expect --stage guests|vmm or guest' \
        'show --color sometimes|auto, always or never' 'show --firmware bios|ovmf, seabios, qboot or none' \
        'show --spm-interface hmem|auto, sp-mem, memmap-type, spm-flag or kernel-parameter' \
        'gen --target qemu --format xml|shell, json or argv'; do
        # shellcheck disable=SC2086 # words of a command
        run ${wrong%|*} "$small"
        check "${wrong%|*}: the message names the words" holds "$tmp/err" ": write ${wrong#*|}"
    done
    expect_status 2 'raw without a table: status 2' expect --format raw "$small"
    expect_status 2 'raw of all tables: status 2' expect --format raw --table all "$small"
    run expect --format raw --table srat "$small"
    check 'raw of one table: status 0' ran 0
    run expect --format raw --table slit -q "$small"
    check 'an absent SLIT: status 0, silently' ran 0 quiet
    check 'an absent SLIT: no output' same /dev/null "$tmp/out"
}

# --- input ---------------------------------------------------------------------------------------

status=0
"$SPMTOPO" gen --target qemu - <"$small" >"$tmp/out" 2>"$tmp/err" || status=$?
check "gen of '-': status 0" ran 0 quiet
check "gen of '-': the same output" same "$tmp/gen" "$tmp/out"
status=0
"$SPMTOPO" gen --target qemu - <"$bad" >"$tmp/out" 2>"$tmp/err" || status=$?
check "a bad file from '-': status 1" ran 1
check "a bad file from '-': the source line is shown" holds "$tmp/err" "$(sed -n '/# expect/p' "$bad")"
status=0
"$SPMTOPO" gen --target qemu - <&- >"$tmp/out" 2>"$tmp/err" || status=$?
check "'-' without a standard input: status 2" ran 2

# --- help and version ----------------------------------------------------------------------------

run --help
check '--help: status 0, on standard output only' ran 0 quiet
sed -n 's/^  \([a-z][a-z]*\)  *[A-Z].*/\1/p' "$tmp/out" >"$tmp/commands"
check '--help lists the commands' test -s "$tmp/commands"
run --version
check '--version: status 0, on standard output only' ran 0 quiet
cp "$tmp/out" "$tmp/version"
run -V
check '-V is the same' same "$tmp/version" "$tmp/out"
check '--version is one line' test "$(wc -l <"$tmp/version")" -eq 1
while read -r command; do
    run "$command" --help
    check "$command --help: status 0, on standard output only" ran 0 quiet
    check "$command --help names its options" holds "$tmp/out" --version
    run "$command" --version
    check "$command --version: status 0" ran 0 quiet
    check "$command --version: the program's" same "$tmp/version" "$tmp/out"
done <"$tmp/commands"

# --- a full disk ---------------------------------------------------------------------------------

# to_full ARGUMENT...: standard output is full
to_full()
{
    status=0
    : >"$tmp/out"
    "$SPMTOPO" "$@" >/dev/full 2>"$tmp/err" || status=$?
    ran 2
}

if [ -c /dev/full ]; then
    for form in shell json argv; do
        check "gen --format $form to a full disk: status 2" to_full gen --target qemu --format "$form" "$small"
    done
    check 'expect to a full disk: status 2' to_full expect "$small"
    check 'expect --format raw to a full disk: status 2' to_full expect --format raw --table srat "$small"
    check 'show to a full disk: status 2' to_full show "$small"
    check '--help to a full disk: status 2' to_full --help
    check '--version to a full disk: status 2' to_full --version
    while read -r command; do
        check "$command --help to a full disk: status 2" to_full "$command" --help
        check "$command --version to a full disk: status 2" to_full "$command" --version
    done <"$tmp/commands"
    expect_status 2 '-o /dev/full: status 2' gen --target qemu -o /dev/full "$small"
    check '-o /dev/full: it is still a device' test -c /dev/full
else
    skip 'a full disk' 'no /dev/full'
fi
status=0
"$SPMTOPO" gen --target qemu "$small" >&- 2>"$tmp/err" || status=$?
: >"$tmp/out"
check 'standard output closed: status 2' ran 2

# --- -o ------------------------------------------------------------------------------------------

alone() # NAME...: $tmp/dir holds these and nothing else
{
    : >"$tmp/names"
    [ $# -eq 0 ] || printf '%s\n' "$@" | sort >"$tmp/names"
    (cd "$tmp/dir" && find . ! -name . | sed 's,^\./,,' | sort) >"$tmp/actual"
    same "$tmp/names" "$tmp/actual"
}

# kept STATUS ARGUMENT...: a failure that leaves the file as it was, and nothing beside it
kept()
{
    wanted=$1
    shift
    echo 'what was here before' >"$tmp/dir/old"
    run "$@"
    ran "$wanted" || return 1
    echo 'what was here before' | same - "$tmp/dir/old" && alone old
}

run gen --target qemu -o "$tmp/dir/new" "$small"
check '-o: status 0, nothing on standard error' ran 0 quiet
check '-o: nothing on standard output' same /dev/null "$tmp/out"
check '-o: the same as on standard output' same "$tmp/gen" "$tmp/dir/new"
check '-o: nothing left behind' alone new
echo 'longer than what comes, or shorter' >"$tmp/dir/new"
run gen --target qemu --output="$tmp/dir/new" "$small"
check '--output over an old file: status 0' ran 0 quiet
check '--output over an old file: the new content' same "$tmp/gen" "$tmp/dir/new"
check '--output over an old file: nothing left behind' alone new
(cd "$tmp/dir" && rm new && "$SPMTOPO" gen --target qemu -o new "$small") >"$tmp/out" 2>&1
check '-o of a plain name: the same' same "$tmp/gen" "$tmp/dir/new"
check '-o of a plain name: nothing left behind' alone new
rm -f "$tmp/dir/new"
run gen --target qemu -o - "$small"
check "-o '-' is standard output" same "$tmp/gen" "$tmp/out"

check '-o and a bad file: the old file stays' kept 1 gen --target qemu -o "$tmp/dir/old" "$bad"
check '-o and a missing file: the old file stays' kept 2 gen --target qemu -o "$tmp/dir/old" "$tmp/none"
check '-o and a usage error: the old file stays' kept 2 gen -o "$tmp/dir/old" "$small"
rm -f "$tmp/dir/old"
run gen --target qemu -o "$tmp/dir/new" "$bad"
check '-o and a bad file: no new file' ran 1
check '-o and a bad file: nothing left behind' alone

# A limit on the size of files is a full disk for whoever runs this, reached at once or behind a part.
full_disk() # BLOCKS
{
    echo 'what was here before' >"$tmp/dir/old"
    {
        (
            # What a build for coverage writes when it ends is not to be cut.
            GCOV_PREFIX=$tmp/gcov
            export GCOV_PREFIX
            ulimit -f "$1"
            "$SPMTOPO" gen --target qemu -o "$tmp/dir/old" "$large"
            echo "status $?"
        ) 2>&1 | cat
    } >"$tmp/err"
    holds "$tmp/err" "$tmp/dir/old" && holds "$tmp/err" 'status 2' &&
        echo 'what was here before' | same - "$tmp/dir/old" && alone old
}
large=$top/examples/accelerators.yaml
check '-o on a full disk: said, the old file stays, nothing left behind' full_disk 0
check '-o on a disk that fills up: the same' full_disk 1
rm -f "$tmp/dir/old"

echo file >"$tmp/file"
expect_status 2 '-o below a regular file: status 2' gen --target qemu -o "$tmp/file/out" "$small"
check 'the message names the output' holds "$tmp/err" "$tmp/file/out"
expect_status 2 '-o in a directory that is not there: status 2' gen --target qemu -o "$tmp/no/out" "$small"
expect_status 2 '-o of a directory: status 2' gen --target qemu -o "$tmp/dir" "$small"
expect_status 2 '-o of an empty name: status 2' gen --target qemu -o '' "$small"
chmod 555 "$tmp/dir"
if (: >"$tmp/dir/probe") 2>"$tmp/check"; then
    rm -f "$tmp/dir/probe"
    skip '-o in a directory that cannot be written: status 2' 'this user may write everywhere'
else
    expect_status 2 '-o in a directory that cannot be written: status 2' \
        gen --target qemu -o "$tmp/dir/new" "$small"
fi
chmod 755 "$tmp/dir"

for mask in 022 027 077 000; do
    rm -f "$tmp/dir/new" "$tmp/dir/touched"
    (umask "$mask" && : >"$tmp/dir/touched" && "$SPMTOPO" gen --target qemu -o "$tmp/dir/new" "$small")
    # shellcheck disable=SC2012 # names of our own
    check "-o: the mode of a new file under umask $mask" \
        test "$(ls -l "$tmp/dir/new" | cut -c 1-10)" = "$(ls -l "$tmp/dir/touched" | cut -c 1-10)"
done
rm -f "$tmp/dir/touched" "$tmp/dir/new"

links()
{
    rm -f "$tmp/dir/link" "$tmp/dir/target"
    [ "$1" = dangling ] || echo old >"$tmp/dir/target"
    ln -s target "$tmp/dir/link"
    run gen --target qemu -o "$tmp/dir/link" "$small"
    if [ ! -h "$tmp/dir/link" ]; then
        echo 'the link is a file now'
        return 1
    fi
    # A link to nothing may be refused.
    if [ "$1" = dangling ] && [ "$status" -ne 0 ]; then
        ran 2 && alone link
        return
    fi
    ran 0 quiet || return 1
    same "$tmp/gen" "$tmp/dir/target" && alone link target
}
check '-o of a symbolic link: it stays one' links whole
check '-o of a dangling symbolic link: it stays one' links dangling

# --- forms of the command line ---------------------------------------------------------------------

# A path that means something to shells, to QEMU, to YAML and to printf. $HOME must stay as it is.
# shellcheck disable=SC2016
awkward='/a b/it'\''s "x" $HOME `id` \n,,c,%s é*?[~]#!&;|<>(){}=^ '
yaml_quoted() # TEXT
{
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/''/g")"
}

# prints its arguments, each ended by NUL; the first is the program as it was named
cat >"$tmp/stub" <<'EOF'
#!/bin/sh
printf '%s\0' "${0#"$STRIP"}" "$@"
EOF
chmod +x "$tmp/stub"

# A program with such a name, which can be run: $awkward has no directory of its own here.
odd_dir="$tmp/$(printf '%s' "$awkward" | tr / _)"
mkdir "$odd_dir" || bail_out "cannot make '$odd_dir'"
cp "$tmp/stub" "$odd_dir/qemu, x" || bail_out "cannot write into '$odd_dir'"
cat >"$tmp/awkward.yaml" <<EOF
spmtopo: 1
name: awkward
machine: {cpu-vendor: amd}
boot:
  firmware: {type: ovmf, code: $(yaml_quoted "$awkward"), vars: $(yaml_quoted "$awkward.vars")}
  kernel: $(yaml_quoted "$awkward")
  initrd: $(yaml_quoted "-$awkward")
  cmdline: $(yaml_quoted "console=ttyS0 $awkward")
cpus: 2
nodes:
  - id: 0
    cpus: 0-1
    memory: {size: 1GiB, backend: {kind: file, path: $(yaml_quoted "$awkward")}}
targets: {qemu: {binary: $(yaml_quoted "$odd_dir/qemu, x")}}
EOF
run gen --target qemu --format argv "$tmp/awkward.yaml"
check 'awkward paths: gen --format argv' ran 0 quiet
cp "$tmp/out" "$tmp/argv"

argument() # TEXT: one argument is this text
{
    tr '\0\n' '\n\001' <"$1" | grep -qxF -- "$2" && return
    echo "no argument '$2' in:"
    tr '\0' '\n' <"$1"
    return 1
}
doubled=$(printf '%s' "$awkward" | sed 's/,/,,/g')
check 'the kernel is as in the file' argument "$tmp/argv" "$awkward"
check 'the initrd is as in the file' argument "$tmp/argv" "-$awkward"
check 'the kernel command line is as in the file' argument "$tmp/argv" "console=ttyS0 $awkward"
check 'commas are doubled in mem-path' \
    argument "$tmp/argv" "memory-backend-file,id=node0-mem,size=1G,mem-path=$doubled"
check 'commas are doubled in file= of the flash' \
    argument "$tmp/argv" "if=pflash,format=raw,unit=1,file=$doubled.vars"
check 'the program is as in the file' argument "$tmp/argv" "$odd_dir/qemu, x"

# through_shell FILE ARGV [STRIP]: the shell form, run by a shell, gives the same arguments
through_shell()
{
    run gen --target qemu --format shell "$1"
    ran 0 || return 1
    if ! STRIP=${3-} PATH="$tmp/bin:$PATH" sh "$tmp/out" >"$tmp/echoed"; then
        cat "$tmp/out"
        return 1
    fi
    tr '\0' '\n' <"$2" >"$tmp/argv.lines"
    tr '\0' '\n' <"$tmp/echoed" >"$tmp/echoed.lines"
    same "$tmp/argv.lines" "$tmp/echoed.lines" && same "$2" "$tmp/echoed"
}
check 'awkward paths: the shell form means the same' through_shell "$tmp/awkward.yaml" "$tmp/argv"

cp "$tmp/stub" "$tmp/bin/stub"
# One character at a time, for a word of which the others need no quotes: each node has a path with one.
awk 'BEGIN {
    print "spmtopo: 1\nname: characters\nmachine: {cpu-vendor: amd}\ncpus: 1"
    print "rules: {disable: distance-alike}\ntargets: {qemu: {binary: stub}}\nnodes:"
    for (c = 32; c < 127; c++)
        printf "  - {id: %d, %s memory: {size: 1MiB, backend: {kind: file, path: '"'/a%s%cb'"'}}}\n", c - 32,
            c == 32 ? "cpus: 0," : "", c == 39 ? "'"'"'" : "", c
}' >"$tmp/characters.yaml"
run gen --target qemu --format argv "$tmp/characters.yaml"
check 'each character of ASCII in a path: gen --format argv' ran 0 quiet
cp "$tmp/out" "$tmp/argv"
tr '\0' '\n' <"$tmp/argv" | sed -n 's/^memory-backend-file,.*,mem-path=//p' >"$tmp/actual"
awk 'BEGIN { for (c = 32; c < 127; c++) printf c == 44 ? "/a,%cb\n" : "/a%cb\n", c }' >"$tmp/wanted"
check '... is there, and only the comma is doubled' same "$tmp/wanted" "$tmp/actual"
check '... and the shell form means the same' through_shell "$tmp/characters.yaml" "$tmp/argv" "$tmp/bin/"

# shellcheck disable=SC2016 # names, to stay as they are
for name in 'A=b' if '!' '{' '~' '#x' 'a b' 'then' '$x' '*' 'é'; do
    cp "$tmp/stub" "$tmp/bin/$name"
    cat "$small" - >"$tmp/named.yaml" <<EOF
targets: {qemu: {binary: $(yaml_quoted "$name")}}
EOF
    "$SPMTOPO" gen --target qemu --format argv "$tmp/named.yaml" >"$tmp/argv"
    check "a program named '$name': the shell form runs it" \
        through_shell "$tmp/named.yaml" "$tmp/argv" "$tmp/bin/"
done

# json_is_argv FILE OPTION...
json_is_argv()
{
    run gen --target qemu --format json "$@"
    ran 0 || return 1
    "$SPMTOPO" gen --target qemu --format argv -q "$@" >"$tmp/argv" || return 1
    "$PYTHON" - "$tmp/out" "$tmp/argv" <<'EOF'
import json, sys
listed = json.load(open(sys.argv[1], encoding="utf-8"))
raw = open(sys.argv[2], "rb").read()
assert raw.endswith(b"\0"), "the last argument is not ended"
plain = [arg.decode("utf-8") for arg in raw[:-1].split(b"\0")]
assert listed and all(isinstance(arg, str) for arg in listed), "not an array of strings"
assert listed == plain, "json %r\nargv %r" % (listed, plain)
EOF
}
sed 's|^  kernel:.*|  kernel: "/\\U0001F600 \\\\ \\x7e \\u20ac\\xff"|' "$tmp/awkward.yaml" >"$tmp/unicode.yaml"
for file in "$tmp/awkward.yaml" "$tmp/unicode.yaml" "$top"/examples/*.yaml; do
    check "${file##*/}: --format json is --format argv" json_is_argv "$file"
    check "${file##*/}: the same of a fragment" json_is_argv "$file" --fragment
done

# What cli.md says a fragment leaves out, the name and the kernel with them, and nothing else.
fragment()
{
    "$SPMTOPO" gen --target qemu --format argv -q "$1" >"$tmp/argv" || return 1
    run gen --target qemu --format argv --fragment "$1"
    ran 0 || return 1
    tr '\0' '\n' <"$tmp/argv" | awk '
        NR == 1 { next }
        option == "-machine" { if (/,hmat=on(,|$)/) print "-machine\nhmat=on" }
        option { option = ""; next }
        /^-(name|machine|accel|cpu|drive|bios|kernel|initrd|append)$/ { option = $0; next }
        { print }' >"$tmp/wanted"
    tr '\0' '\n' <"$tmp/out" >"$tmp/actual"
    grep -q '^-numa$' "$tmp/actual" && same "$tmp/wanted" "$tmp/actual"
}
for file in "$tmp/awkward.yaml" "$top"/examples/*.yaml; do
    check "${file##*/}: --fragment leaves out what it should" fragment "$file"
done

# --- overrides -----------------------------------------------------------------------------------

# like FILE1 FILE2 OPTION...: the first as it is, and the second with the options
like()
{
    first=$1
    second=$2
    shift 2
    status=0
    "$SPMTOPO" gen --target qemu -q "$first" >"$tmp/wanted" 2>"$tmp/wanted.err" || status=$?
    wanted=$status
    run gen --target qemu -q "$@" "$second"
    ran "$wanted" && same "$tmp/wanted" "$tmp/out"
}
for interface in sp-mem memmap-type spm-flag kernel-parameter auto; do
    (cat "$small" && echo "targets: {qemu: {spm-interface: $interface}}") >"$tmp/said.yaml"
    check "--spm-interface $interface is as the file would say it" like "$tmp/said.yaml" "$small" --spm-interface "$interface"
    (cat "$small" && echo 'targets: {qemu: {spm-interface: spm-flag}}') >"$tmp/other.yaml"
    check "--spm-interface $interface over another" like "$tmp/said.yaml" "$tmp/other.yaml" --spm-interface "$interface"
done
for firmware in ovmf seabios qboot none; do
    (cat "$small" && echo "boot: {firmware: $firmware}") >"$tmp/said.yaml"
    (cat "$small" && echo 'boot: {firmware: {type: ovmf, version: 202605, code: /a, vars: /b}}') >"$tmp/other.yaml"
    check "--firmware $firmware is as the file would say it" like "$tmp/said.yaml" "$small" --firmware "$firmware"
    check "--firmware $firmware over another" like "$tmp/said.yaml" "$tmp/other.yaml" --firmware "$firmware"
done
for version in 11.1 10.0 7.2 6.2 99.9; do
    (cat "$small" && echo "targets: {qemu: {version: '$version'}}") >"$tmp/said.yaml"
    check "--qemu-version $version is as the file would say it" like "$tmp/said.yaml" "$small" --qemu-version "$version"
    check "--qemu-version 11.1 over $version" like "$small" "$tmp/said.yaml" --qemu-version 11.1
done
# nothing is read into a version that is not one
version_refused() # VERSION HELP
{
    run gen --target qemu --qemu-version "$1" "$small"
    ran 1 && holds "$tmp/err" "QEMU '$1' is not a version" && holds "$tmp/err" "help: $2"
}
for version in 011.1 11.01 0011.0001; do
    check "--qemu-version $version has a zero too many" version_refused "$version" 'write 11.1'
done
check '--qemu-version 011.01.2' version_refused 011.01.2 'write 11.1.2'
for version in 09.9 +11.1 ' 11.1' '11.1 ' 0x11.1 11.1x 11.1. 11.1.2.3 11,1 1e1 11 '' 4294967307.1 11.4294967297 11.1.9999; do
    check "--qemu-version '$version' is none" version_refused "$version" 'write a release from'
done
expect_status 1 '--qemu-version 11.0 has no sp-mem: status 1' gen --target qemu --qemu-version 11.0 "$small"
check '... by its rule' holds "$tmp/err" '[SPM401 spm-interface]'

# --- findings ------------------------------------------------------------------------------------

cat >"$tmp/mixed.yaml" <<'EOF'
spmtopo: 1
name: mixed
machine: {cpu-vendor: amd}
cpus: 1
nodes:
  - id: 0
    cpus: 0
    memory: [1GiB, {size: 1GiB, type: spm}]
EOF

# finding SEVERITY STATUS ARGUMENT...: the last run's findings are one of this severity, or none
finding()
{
    severity=$1
    wanted=$2
    shift 2
    run "$@"
    if [ "$severity" = none ]; then
        ran "$wanted" quiet
    else
        ran "$wanted" && holds "$tmp/err" ": $severity: " &&
            [ "$(grep -c ' \[SPM[0-9]* [a-z0-9-]*\]$' "$tmp/err")" -eq 1 ]
    fi
}
mixed=$tmp/mixed.yaml
"$SPMTOPO" gen --target qemu "$mixed" >"$tmp/mixed.out" 2>"$tmp/err"
for command in 'gen --target qemu' expect show; do
    # shellcheck disable=SC2086 # words of a command
    {
        check "$command: a warning" finding warning 0 $command "$mixed"
        check "$command -q: no warning" finding none 0 $command -q "$mixed"
        check "$command -W no-RULE: no warning" finding none 0 $command -W no-mixed-node "$mixed"
        check "$command -W no-ID: no warning" finding none 0 $command -W no-SPM402 "$mixed"
        check "$command -W RULE: a warning" finding warning 0 $command -W mixed-node "$mixed"
        check "$command --Werror: an error" finding error 1 $command --Werror "$mixed"
        check "$command --Werror=RULE: an error" finding error 1 $command --Werror=mixed-node "$mixed"
        check "$command --Werror=another: a warning" finding warning 0 $command --Werror=hmat-missing "$mixed"
        check "$command --Werror -W no-RULE: nothing" finding none 0 $command --Werror -W no-mixed-node "$mixed"
        check "$command --Werror of a clean file: status 0" finding none 0 $command --Werror "$top/tests/good/memmap-type.yaml"
        check "$command -q of a bad file: the error" finding error 1 $command -q "$bad"
    }
done
run gen --target qemu -q "$mixed"
check '-q: the same output' same "$tmp/mixed.out" "$tmp/out"

# An error of the language stays one, whatever the command line says.
check '-W no-RULE does not silence an error' finding error 1 gen --target qemu -W no-duplicate-key "$bad"
check '-W RULE does not soften an error' finding error 1 gen --target qemu -W duplicate-key "$bad"

# What a file denies and allows at once: never a failure without a word.
never_silent()
{
    [ "$status" -eq 0 ] || ran 1
}
for allow in '# spmtopo-allow: mixed-node' '# nothing'; do
    for rules in '{mixed-nodes: deny}' '{mixed-nodes: deny, disable: mixed-node}' '{error: mixed-node, disable: SPM402}'; do
        sed "s/^  - id: 0/& $allow/" "$mixed" >"$tmp/denied.yaml"
        echo "rules: $rules" >>"$tmp/denied.yaml"
        for option in -q '--Werror' '-Wno-mixed-node' '-Wmixed-node'; do
            run gen --target qemu "$option" "$tmp/denied.yaml"
            check "never a failure without a word: $allow, $rules, $option" never_silent
        done
    done
done

# Two comments near each other are both read.
cat >"$tmp/two.yaml" <<'EOF'
spmtopo: 1
name: two
machine: {cpu-vendor: amd}
cpus: 1
nodes:
  - {id: 0, cpus: 0, memory: [1GiB, {size: 1GiB, type: spm}]} # spmtopo-allow: SPM402
  # spmtopo-allow: SPM402
  - {id: 1, memory: [1GiB, {size: 1GiB, type: spm}]}
EOF
check 'two spmtopo-allow comments in a row' finding none 0 gen --target qemu "$tmp/two.yaml"

# A note of expect obeys the same options as others.
unstated=$tmp/unstated.yaml
sed 's/, cpu-vendor: [a-z]*//' "$top/examples/cxl-expander.yaml" >"$unstated"
check 'expect: a note' finding note 0 expect "$unstated"
run expect --target all "$top/examples/hbm-guest.yaml"
check 'expect --target all' ran 0
check '... marks what differs' holds "$tmp/out" '  ~  SRAT '
check '... and names who refuses' holds "$tmp/out" 'cloud-hypervisor refuses it: 5:7: '
run expect --target all --format json "$top/examples/cloud-hypervisor.yaml"
check 'expect --target all --format json' ran 0
check '... says whether they are equivalent' holds "$tmp/out" '"equivalent":'
run expect --target all --Werror "$top/examples/cloud-hypervisor.yaml"
check 'expect --target all --Werror: equivalent guests' ran 0
sed 's/cpus: 0-3/cpus: 0-2/' "$top/examples/cloud-hypervisor.yaml" >"$tmp/all.yaml"
run expect --target all "$tmp/all.yaml"
check 'expect --target all: nobody accepts it' ran 1
check '... nothing is written' test ! -s "$tmp/out"
run expect --target all --firmware seabios "$top/examples/cloud-hypervisor.yaml"
check 'expect --target all: a refusal without a place shows none' grep -q '^cloud-hypervisor refuses it: [^0-9]' "$tmp/out"
sed 's/  cloud-hypervisor: {/&version: aééééééééééééééééééééééééééééééééééééééé, /' "$top/examples/cloud-hypervisor.yaml" >"$tmp/torn.yaml"
run expect --target all --format json "$tmp/torn.yaml"
check 'expect --target all: what was cut in a character is UTF-8' "$PYTHON" -c '
import json, sys
json.loads(open(sys.argv[1], "rb").read().decode("utf-8"))' "$tmp/out"
for option in --qemu-version=10.0 --spm-interface=kernel-parameter; do
    run gen --target cloud-hypervisor "$option" "$top/examples/cloud-hypervisor.yaml"
    check "gen --target cloud-hypervisor $option: status 2" ran 2
done
run expect --target all - <"$top/examples/hbm-guest.yaml"
check 'expect --target all of standard input' ran 0
run expect --target all --table srat "$top/examples/hbm-guest.yaml"
check 'expect --target all --table: status 2' ran 2
check 'expect -q: no note' finding none 0 expect -q "$unstated"
check 'expect -W no-RULE: no note' finding none 0 expect -W no-cpu-vendor-unstated "$unstated"
check 'expect -W RULE: a warning' finding warning 0 expect -W cpu-vendor-unstated "$unstated"
check 'expect --Werror=RULE: an error' finding error 1 expect --Werror=cpu-vendor-unstated "$unstated"
check 'expect --Werror leaves a note alone' finding note 0 expect --Werror "$unstated"
echo 'rules: {disable: [cpu-vendor-unstated]}' >>"$unstated"
check 'expect: a rule that the file disables' finding none 0 expect "$unstated"

# --- colours -------------------------------------------------------------------------------------

escape=$(printf '\033')
run show "$mixed"
cp "$tmp/err" "$tmp/plain"
check 'no colours in a file' holds_not "$tmp/plain" "$escape"
run show --color never "$mixed"
check '--color never: the same' same "$tmp/plain" "$tmp/err"
run show --color always "$mixed"
check '--color always: colours' holds "$tmp/err" "${escape}["
sed "s/${escape}\\[[0-9;]*m//g" "$tmp/err" >"$tmp/stripped"
check '--color always: the same text' same "$tmp/plain" "$tmp/stripped"
NO_COLOR=1 "$SPMTOPO" show --color always "$mixed" >"$tmp/out" 2>"$tmp/err"
check '--color always over NO_COLOR' holds "$tmp/err" "${escape}["

# terminal WORD NO_COLOR [OPTION...]: whether there are colours where standard error is a terminal
terminal()
{
    "$PYTHON" - "$SPMTOPO" "$mixed" "$@" <<'EOF'
import os, pty, subprocess, sys
program, file, wanted, no_color = sys.argv[1:5]
env = dict(os.environ)
if no_color != "unset":
    env["NO_COLOR"] = no_color
master, slave = pty.openpty()
done = subprocess.run([program, "show", *sys.argv[5:], file], env=env, stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
text = b""
try:
    while chunk := os.read(master, 4096):
        text += chunk
except OSError:
    pass
assert done.returncode == 0, done.returncode
assert b"mixed-node" in text, text
assert (b"\x1b[" in text) == (wanted == "colours"), text
EOF
}
if "$PYTHON" -c 'import pty; pty.openpty()' 2>/dev/null || [ "${SPMTOPO_REQUIRE_VMM:-}" = 1 ]; then
    check 'a terminal: colours' terminal colours unset
    check 'a terminal and NO_COLOR=1: none' terminal none 1
    check 'a terminal and an empty NO_COLOR: colours' terminal colours ''
    check 'a terminal and --color never: none' terminal none unset --color never
    check 'a terminal, NO_COLOR=1 and --color always: colours' terminal colours 1 --color always
else
    skip 'a terminal: colours' 'no terminal can be opened here'
fi

# --- the same bytes, always ----------------------------------------------------------------------

same_bytes() # FILE ARGUMENT...
{
    file=$1
    shift
    "$SPMTOPO" "$@" "$file" >"$tmp/first" 2>"$tmp/first.err" || return 1
    "$SPMTOPO" "$@" "$file" >"$tmp/second" 2>"$tmp/second.err" || return 1
    same "$tmp/first" "$tmp/second" && same "$tmp/first.err" "$tmp/second.err" || return 1
    cat "$file" >"$tmp/dir/copy.yaml"
    (
        cd "$tmp/dir" && umask 077 && env -i HOME=/nonexistent TZ=Asia/Tokyo LC_ALL=de_DE.UTF-8 \
            ASAN_OPTIONS="$ASAN_OPTIONS" UBSAN_OPTIONS="$UBSAN_OPTIONS" "$SPMTOPO" "$@" copy.yaml
    ) >"$tmp/third" 2>"$tmp/third.err" || return 1
    same "$tmp/first" "$tmp/third"
}
for file in "$top"/examples/*.yaml; do
    check "${file##*/}: gen gives the same bytes again and elsewhere" same_bytes "$file" gen --target qemu
    check "${file##*/}: expect gives the same bytes again and elsewhere" same_bytes "$file" expect --format json
    check "${file##*/}: show gives the same bytes again and elsewhere" same_bytes "$file" show --format yaml
done

# --- the kernel parameter ------------------------------------------------------------------------

(cat "$small" && echo 'boot: {kernel: /vmlinuz, cmdline: quiet}') >"$tmp/kernel.yaml"
run gen --target qemu --spm-interface kernel-parameter --format argv "$tmp/kernel.yaml"
check 'kernel-parameter: status 0' ran 0
check 'kernel-parameter: a note' holds "$tmp/err" ': note: '
check '... by its rule' holds "$tmp/err" '[SPM407 spm-kernel-parameter]'
cp "$tmp/out" "$tmp/argv"
"$SPMTOPO" expect -q --spm-interface kernel-parameter --format json "$tmp/kernel.yaml" >"$tmp/expected"
parameter()
{
    "$PYTHON" - "$tmp/argv" "$tmp/expected" <<'EOF'
import json, re, sys
argv = open(sys.argv[1], "rb").read().decode().split("\0")
append = argv[argv.index("-append") + 1]
assert append.startswith("quiet "), append
found = re.fullmatch(r"quiet memmap=(\d+)([KMGT])%0x([0-9a-f]+)-1\+0xefffffff( nokaslr)?", append)
assert found, append
size = int(found[1]) << {"K": 10, "M": 20, "G": 30, "T": 40}[found[2]]
# The kernel unpacks itself anywhere below the size, which must not be where SPM is.
assert bool(found[4]) == (size > int(found[3], 16)), append
expected = json.load(open(sys.argv[2]))
memory = [(int(m["address"], 16), int(m["size"], 16)) for m in expected["srat"]["memory"] if m["node"] == 1 and m["enabled"]]
assert memory == [(int(found[3], 16), size)], (append, memory)
assert all(e["name"] != "soft-reserved" for e in expected["e820"]), expected["e820"]
EOF
}
check 'kernel-parameter: -append soft-reserves the range of the node' parameter
memmap=$(tr '\0' '\n' <"$tmp/argv" | sed -n 's/^quiet \(memmap=\)/\1/p')
for file in "$tmp/kernel.yaml" "$small"; do
    run gen --target qemu --spm-interface kernel-parameter "$file"
    check "${file##*/}: a comment in the shell form" grep -qF "#   $memmap" "$tmp/out"
    sed -n '/^[^#]/,$p' "$tmp/out" >"$tmp/command"
    case $file in
    */kernel.yaml) check "${file##*/}: ... and in the command" holds "$tmp/command" "$memmap" ;;
    *) check "${file##*/}: ... and not in the command" holds_not "$tmp/command" memmap= ;;
    esac
    run gen --target qemu --spm-interface kernel-parameter --fragment "$file"
    check "${file##*/}: a comment in the shell form of a fragment" grep -qF "#   $memmap" "$tmp/out"
done
run gen --target qemu "$tmp/kernel.yaml"
check 'sp-mem: no parameter, no comment' holds_not "$tmp/out" memmap=

# --- the vendor of a confidential guest's host ----------------------------------------------------

for kind in sev-snp:amd tdx:intel; do
    for vendor in '' ", cpu-vendor: ${kind#*:}"; do
        printf 'spmtopo: 1\nname: secret\nmachine: {confidential: %s%s}\ncpus: 1\nnodes: [{id: 0, cpus: 0, memory: 4GiB}]\n' \
            "${kind%:*}" "$vendor" >"$tmp/secret.yaml"
        run expect "$tmp/secret.yaml"
        check "${kind%:*}$vendor: nothing is assumed" ran 0 quiet
        cp "$tmp/out" "$tmp/secret${vendor:+-stated}"
    done
    check "${kind%:*}: the tables are those of ${kind#*:}" cmp "$tmp/secret" "$tmp/secret-stated"
done

# --- expect: JSON and bytes ----------------------------------------------------------------------

cat >"$tmp/decode.py" <<'EOF'
"""Decodes what `expect --format raw` wrote and compares it with `expect --format json`."""
import json, struct, subprocess, sys

def u(data, at, size):
    return int.from_bytes(data[at:at + size], "little")

def raw(file, table):
    return subprocess.run([sys.argv[1], "expect", "-q", "--format", "raw", "--table", table, file],
                          stdout=subprocess.PIPE, check=True).stdout

def structures(data, signature, start, header):
    assert data[:4] == signature and u(data, 4, 4) == len(data), (data[:8], len(data))
    assert sum(data) % 256 == 0, "checksum"
    while start < len(data):
        kind, length = header(data, start)
        assert length > 0 and start + length <= len(data)
        yield kind, data[start:start + length]
        start += length

def e820(data):
    assert len(data) % 20 == 0
    return [list(struct.unpack_from("<QQI", data, at)) for at in range(0, len(data), 20)]

def srat(data):
    cpus, memory = [], []
    for kind, s in structures(data, b"SRAT", 48, lambda d, at: (d[at], d[at + 1])):
        if kind == 0:
            cpus.append({"node": s[2] | u(s, 9, 3) << 8, "apicId": s[3], "x2apic": False, "enabled": bool(u(s, 4, 4) & 1)})
        elif kind == 2:
            cpus.append({"node": u(s, 4, 4), "apicId": u(s, 8, 4), "x2apic": True, "enabled": bool(u(s, 12, 4) & 1)})
        else:
            assert kind == 1, kind
            flags = u(s, 28, 4)
            memory.append({"node": u(s, 2, 4), "address": hex(u(s, 8, 8)), "size": hex(u(s, 16, 8)), "enabled": bool(flags & 1),
                           "hotpluggable": bool(flags & 2), "nonVolatile": bool(flags & 4)})
    return {"processors": cpus, "memory": memory}

def slit(data):
    if not data:
        return None
    n = u(data, 36, 8)
    assert data[:4] == b"SLIT" and len(data) == u(data, 4, 4) == 44 + n * n and sum(data) % 256 == 0
    return [list(data[44 + i * n:44 + (i + 1) * n]) for i in range(n)]

TYPES = ["access-latency", "read-latency", "write-latency", "access-bandwidth", "read-bandwidth", "write-bandwidth"]

def hmat(data):
    if not data:
        return None
    domains, localities, caches = [], [], []
    for kind, s in structures(data, b"HMAT", 40, lambda d, at: (u(d, at, 2), u(d, at + 4, 4))):
        if kind == 0:
            domains.append({"memory": u(s, 16, 4), "initiator": u(s, 12, 4) if u(s, 8, 2) & 1 else None})
        elif kind == 1:
            i, t = u(s, 12, 4), u(s, 16, 4)
            cells = struct.unpack_from("<%dH" % (i * t), s, 32 + 4 * (i + t))
            assert len(s) == 32 + 4 * (i + t) + 2 * i * t and s[8] == 0
            localities.append({"hierarchy": "memory", "dataType": TYPES[s[9]], "unit": hex(u(s, 24, 8)), "unitOf": "ps" if s[9] < 3 else "MiB/s",
                               "initiators": list(struct.unpack_from("<%dI" % i, s, 32)), "targets": list(struct.unpack_from("<%dI" % t, s, 32 + 4 * i)),
                               "entries": [list(cells[r * t:(r + 1) * t]) for r in range(i)]})
        else:
            assert kind == 2, kind
            bits = u(s, 24, 4)
            caches.append({"node": u(s, 8, 4), "size": hex(u(s, 16, 8)), "levels": bits & 15, "level": bits >> 4 & 15,
                           "associativity": ["none", "direct", "complex"][bits >> 8 & 15],
                           "writePolicy": ["none", "write-back", "write-through"][bits >> 12 & 15], "line": bits >> 16})
    return {"proximityDomains": domains, "localities": localities, "caches": caches}

file = sys.argv[2]
shown = json.loads(subprocess.run([sys.argv[1], "expect", "-q", "--format", "json", file], stdout=subprocess.PIPE, check=True).stdout)
names = {1: "RAM", 2: "reserved", 0xefffffff: "soft-reserved"}
assert shown["spmtopo"] == 1 and shown["target"] == "qemu"
for entry in shown["e820"]:
    assert entry["name"] == names[entry["type"]], entry
for table, value in [("e820", [[int(e["address"], 16), int(e["size"], 16), e["type"]] for e in shown["e820"]]),
                     ("srat", shown["srat"]), ("slit", shown["slit"]), ("hmat", shown["hmat"])]:
    decoded = globals()[table](raw(file, table))
    assert decoded == value, "%s:\nraw  %r\njson %r" % (table, decoded, value)
    one = json.loads(subprocess.run([sys.argv[1], "expect", "-q", "--format", "json", "--table", table, file], stdout=subprocess.PIPE, check=True).stdout)
    assert one[table] == shown[table] and not {"e820", "srat", "slit", "hmat"} - {table} & set(one), "--table " + table
EOF
for file in "$top"/examples/*.yaml "$top"/tests/corpus/*hmat*.yaml "$top"/tests/corpus/*dist*.yaml \
    "$top"/tests/corpus/*vcpus*.yaml; do
    [ -e "$file" ] || bail_out "no such file: $file"
    check "${file##*/}: JSON says what the bytes say" "$PYTHON" "$tmp/decode.py" "$SPMTOPO" "$file"
done
tap_end
