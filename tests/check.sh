#!/bin/sh
# SPDX-License-Identifier: MIT
# The command 'check': its reports in four formats, many files and directories, jobs, status, what
# turns rules off and on, and targets. What the rules find is the business of bad.sh and good.sh.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

for other in "$PYTHON" /usr/bin/python3; do
    if "$other" -c 'import jsonschema' 2>/dev/null; then
        PYTHON=$other
        break
    fi
done

reports()
{
    "$PYTHON" "$top/tests/check_reports.py" "$@"
}

holds() # FILE TEXT: a line of the file holds the text
{
    grep -qF -- "$2" "$1" && return
    echo "no '$2' in:"
    cat "$1"
    return 1
}

last() # TEXT: the last line on standard error
{
    tail -n 1 "$tmp/err" >"$tmp/last"
    echo "$1" | same - "$tmp/last"
}

# ended STATUS: as ran, but output beside a status of 1 is the report
ended()
{
    if crashed "$status" || [ "$status" -ne "$1" ]; then
        echo "status $status, not $1"
        cat "$tmp/err"
        return 1
    fi
}

# A topology without findings, and parts to make others of.
clean=$top/tests/good/hbm-guest.yaml
bad=$top/tests/bad/duplicate-key.yaml
cat >"$tmp/warned.yaml" <<'END'
spmtopo: 1
name: warned
machine: {cpu-vendor: intel}
cpus: 1
nodes:
  - {id: 0, cpus: 0, memory: 4GiB}
  - {id: 1, memory: {size: 1GiB, type: spm}}
END
cat >"$tmp/noted.yaml" <<'END'
spmtopo: 1
name: noted
cpus: 1
nodes:
  - {id: 0, cpus: 0, memory: 4GiB}
END
warned=$tmp/warned.yaml
noted=$tmp/noted.yaml

# --- formats -------------------------------------------------------------------------------------

# in_all DIRECTORY ARGUMENT...: the four reports, into DIRECTORY
in_all()
{
    directory=$1
    shift
    mkdir -p "$directory"
    wanted=
    for format in text json sarif github; do
        run check --format "$format" "$@"
        crashed "$status" && return 1
        if [ "$format" = text ]; then
            cp "$tmp/err" "$directory/text"
            wanted=$status
            [ ! -s "$tmp/out" ] || return 1
        else
            cp "$tmp/out" "$directory/$format"
            if [ "$status" -ne "$wanted" ] || [ -s "$tmp/err" ]; then
                echo "$format: status $status after $wanted"
                cat "$tmp/err"
                return 1
            fi
        fi
    done
}

agree() # DIRECTORY
{
    reports agree "$1/text" "$1/json" "$1/sarif" "$1/github"
}

valid() # DESCRIPTION KIND REPORT SCHEMA
{
    status=77
    if [ ! -e "$4" ]; then
        echo "there is no ${4#"$top/"}" >"$tmp/check"
    else
        status=0
        reports "$2" "$3" "$4" >"$tmp/check" 2>&1 || status=$?
    fi
    if [ "$status" -eq 77 ] && [ "${SPMTOPO_REQUIRE_VMM:-}" != 1 ]; then
        skip "$1" "$(cat "$tmp/check")"
        echo "check.sh: SKIPPED: $1: $(cat "$tmp/check")" >&2
    elif [ "$status" -ne 0 ]; then
        not_ok "$1" "$(cat "$tmp/check")"
    else
        ok "$1"
    fi
}

cd "$top/tests" || bail_out "no directory tests"
check 'bad and good files: four reports' in_all "$tmp/all" bad/*.yaml good/*.yaml
check 'bad and good files: the same in all four' agree "$tmp/all"
valid 'bad and good files: JSON is valid by its schema' json "$tmp/all/json" "$top/schema/spmtopo-check.schema.json"
valid 'bad and good files: SARIF is valid by the schema of OASIS' sarif "$tmp/all/sarif" "$top/tests/sarif-schema-2.1.0.json"
"$SPMTOPO" check --format json good/*.yaml bad/*.yaml >"$tmp/turned"
# shellcheck disable=SC2046 # names without blanks
check 'each bad file has findings, in the order of the arguments' reports files "$tmp/all/json" $(echo bad/*.yaml)
# shellcheck disable=SC2046
check 'good files first: the bad ones still in their order' reports files "$tmp/turned" $(echo bad/*.yaml)

check 'a clean file: four reports' in_all "$tmp/none" "$clean"
check 'a clean file: the same in all four' agree "$tmp/none"
valid 'a clean file: JSON is valid by its schema' json "$tmp/none/json" "$top/schema/spmtopo-check.schema.json"
valid 'a clean file: SARIF is valid by the schema of OASIS' sarif "$tmp/none/sarif" "$top/tests/sarif-schema-2.1.0.json"
check 'a clean file: no workflow commands' same /dev/null "$tmp/none/github"
check 'no place, for the option is at fault: four reports' in_all "$tmp/nowhere" --spm-interface memmap-type --qemu-version 9.9 "$clean" "$warned"
check '... the same in all four' agree "$tmp/nowhere"
check '... without a position in text' holds "$tmp/nowhere/text" "$clean: error: "
valid '... JSON is valid' json "$tmp/nowhere/json" "$top/schema/spmtopo-check.schema.json"
valid '... SARIF is valid' sarif "$tmp/nowhere/sarif" "$top/tests/sarif-schema-2.1.0.json"
run check --format json -q "$bad" "$warned"
check 'JSON, -q: errors only, all are counted' holds "$tmp/out" '"errors":1,"warnings":1,"notes":0}'
cp "$tmp/out" "$tmp/quiet"
check 'JSON, -q: the file with an error' reports files "$tmp/quiet" "$bad"

# --- many files ----------------------------------------------------------------------------------

# Names that mean something to URIs, to workflow commands, to shells and to terminals.
mkdir "$tmp/odd" "$tmp/tree" || bail_out 'no room in the temporary directory'
cd "$tmp/odd" || bail_out 'no room in the temporary directory'
newline='
'
for name in 'a b' 'a,b' 'a:b' 'a%2Cb' 'a%b' "a${newline}b" 'a#b?c' 'a&b=c' 'é ☃' 'a\b' ';::error::c' '[x]' '<x>' "it's" '"' '~'; do
    cp "$warned" "$name.yaml" || bail_out "cannot write '$name'"
done
# shellcheck disable=SC2035 # no name begins with a dash, here and below
{
    check 'odd names: four reports' in_all "$tmp/odd.reports" *.yaml
    check 'odd names: the same in all four' agree "$tmp/odd.reports"
    check 'odd names: JSON has all' reports files "$tmp/odd.reports/json" *.yaml
    check 'odd names: the URIs of SARIF are these' reports uris "$tmp/odd.reports/sarif" *.yaml
}
valid 'odd names: JSON is valid' json "$tmp/odd.reports/json" "$top/schema/spmtopo-check.schema.json"
valid 'odd names: SARIF is valid' sarif "$tmp/odd.reports/sarif" "$top/tests/sarif-schema-2.1.0.json"
check 'odd names: GitHub escapes what separates' holds "$tmp/odd.reports/github" '::warning file=a%2Cb.yaml,line=7,'
check 'odd names: GitHub escapes a colon' holds "$tmp/odd.reports/github" 'file=a%3Ab.yaml,'
check 'odd names: GitHub escapes a percent sign' holds "$tmp/odd.reports/github" 'file=a%252Cb.yaml,'
check 'odd names: GitHub escapes a newline' holds "$tmp/odd.reports/github" 'file=a%0Ab.yaml,'
check 'odd names: one workflow command a file' test "$(wc -l <"$tmp/odd.reports/github")" -eq 16
name=$(printf 'a\377b\033[31m.yaml')
if cp "$warned" "$name" 2>"$tmp/check"; then
    check 'a name that is not UTF-8: four reports' in_all "$tmp/raw.reports" "$name"
    check 'a name that is not UTF-8: the same in all four' agree "$tmp/raw.reports"
    check 'a name that is not UTF-8: its URI' holds "$tmp/raw.reports/sarif" '"uri":"a%FFb%1B%5B31m.yaml"'
else
    skip 'a name that is not UTF-8' 'this file system has none'
fi

# A key that turns the terminal red, and is cut inside a letter.
{
    cat "$clean"
    printf '"\\e[31m%s\303\251\303\251": 1\n' xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
} >"$tmp/red.yaml"
can_be_shown() # FILE
{
    "$PYTHON" -c '
import sys
text = open(sys.argv[1], "rb").read().decode("utf-8")
sys.exit("unknown-key" not in text or any(c < " " and c != "\n" for c in text))' "$1"
}
check 'a text of controls, cut: four reports' in_all "$tmp/red.reports" "$tmp/red.yaml"
check 'a text of controls, cut: the same in all four' agree "$tmp/red.reports"
for format in text json github; do
    check "a text of controls, cut: $format shows it harmlessly" can_be_shown "$tmp/red.reports/$format"
done
valid 'a text of controls, cut: SARIF is valid' sarif "$tmp/red.reports/sarif" "$top/tests/sarif-schema-2.1.0.json"

# Directories: YAML that says it is a topology, by name, nothing hidden.
cd "$tmp/tree" || bail_out 'no room in the temporary directory'
mkdir -p b/deep .hidden empty c.yaml
for name in z.yaml a.yml b/one.yaml b/deep/two.yaml c.yaml/inside.yaml B.yaml; do
    cp "$warned" "$name"
done
for name in .hidden/file.yaml .hidden.yaml b/no-yaml.txt b/yaml b/upper.YAML; do
    cp "$warned" "$name"
done
printf '%s\n' '# a comment' 'x: 1' >b/other.yaml
printf '%s\n' 'x: {' ' spmtopo: 1}' >b/nested.yaml
printf '%s\n' '# spmtopo: 1' 'x: |' '  spmtopo: 1' >b/comment.yaml
printf '%s\n' 'x: 1' >b/claimed.spmtopo.yaml
printf '%s\n' 'x: 1' 'spmtopo: 1' >b/later.yaml
: >b/void.yaml
ln -s ../z.yaml b/link.yaml
ln -s .. b/loop
check 'a directory: four reports' in_all "$tmp/tree.reports" .
check 'a directory: the same in all four' agree "$tmp/tree.reports"
found='./B.yaml ./a.yml ./b/claimed.spmtopo.yaml ./b/deep/two.yaml ./b/later.yaml ./b/one.yaml ./c.yaml/inside.yaml ./z.yaml'
# shellcheck disable=SC2086 # a list
check 'a directory: topologies, by name, without links and what is hidden' reports files "$tmp/tree.reports/json" $found
run check b/
sed -n 's/^\(b[^:]*\):.*: \(error\|warning\): .*/\1/p' "$tmp/err" | uniq >"$tmp/actual"
printf '%s\n' b/claimed.spmtopo.yaml b/deep/two.yaml b/later.yaml b/one.yaml >"$tmp/wanted"
check 'a directory with a slash at its end: no second one' same "$tmp/wanted" "$tmp/actual"
run check b/other.yaml
check 'what is no topology, by its own name: judged' ran 1
run check .hidden .hidden.yaml b/link.yaml b/upper.YAML b/no-yaml.txt
check 'hidden and linked, by their own names: judged' ran 0
check '... all of them' last '5 files: 0 errors, 5 warnings, 0 notes'
run check empty
check 'an empty directory: status 2, for a path may be mistaken' ended 2
check '... which it says' holds "$tmp/err" 'there is no topology'
run check empty a.yml
check 'an empty directory and a file: judged' ran 0
run check z.yaml z.yaml ./z.yaml
check 'a file that is named twice is judged twice' last '3 files: 0 errors, 3 warnings, 0 notes'

# Failures among others: those are reported, and the status is 2.
mkdir closed
cp "$warned" closed/file.yaml
ln -s nowhere dangling.yaml
run check --format json a.yml none.yaml z.yaml
check 'a missing file among others: status 2' ended 2
check '... and named' holds "$tmp/err" "'none.yaml'"
cp "$tmp/out" "$tmp/report"
check '... and the others are reported' reports files "$tmp/report" a.yml z.yaml
check '... and counted' holds "$tmp/report" '"files":2,"errors":0,"warnings":2,"notes":0}'
run check a.yml none.yaml z.yaml
check 'the same in text: status 2' ended 2
check '... and two are counted' last '2 files: 0 errors, 2 warnings, 0 notes'
run check --format json -o "$tmp/report" dangling.yaml z.yaml "$bad"
check 'a missing file and an error, -o: status 2' ended 2
check '... and the report is there' reports files "$tmp/report" z.yaml "$bad"
head -c 16777217 /dev/zero | tr '\0' '#' >large.yaml
run check --format json large.yaml z.yaml
check 'a file beyond the limit among others: an error of its own' ended 1
cp "$tmp/out" "$tmp/report"
check '... and the others are reported' reports files "$tmp/report" large.yaml z.yaml
rm -f large.yaml
"$PYTHON" - <<'EOF' || bail_out 'cannot make deep directories'
import os
os.mkdir("deep")
os.chdir("deep")
for _ in range(21):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
EOF
run check deep a.yml
check 'a path that is too long, below a directory: status 2' ended 2
check '... which is said' holds "$tmp/err" "cannot read 'deep/ddd"
check '... and the others are judged' last '1 file: 0 errors, 1 warning, 0 notes'
rm -rf deep
chmod 0 closed z.yaml
if [ -r closed ]; then
    skip 'a file and a directory that cannot be read' 'this user may read everything'
else
    run check --format json closed z.yaml a.yml
    check 'a file and a directory that cannot be read: status 2' ended 2
    check '... both are named' holds "$tmp/err" "'closed'"
    check '... both' holds "$tmp/err" "'z.yaml'"
    cp "$tmp/out" "$tmp/report"
    check '... and the others are reported' reports files "$tmp/report" a.yml
fi
chmod 755 closed z.yaml
run check nodir/
check 'a directory that is not there: status 2' ended 2
run check
check 'nothing to judge: status 2' ran 2
status=0
"$SPMTOPO" check - <"$warned" >"$tmp/out" 2>"$tmp/err" || status=$?
check "'-' is standard input" ended 0
check '... with a name of its own' holds "$tmp/err" '<stdin>:7:40: warning: '
status=0
"$SPMTOPO" check --format sarif a.yml - z.yaml <"$warned" >"$tmp/report" 2>"$tmp/err" || status=$?
check "'-' among files" ended 0
check "... in its place" reports uris "$tmp/report" a.yml '<stdin>' z.yaml
status=0
"$SPMTOPO" check - a.yml <&- >"$tmp/out" 2>"$tmp/err" || status=$?
check "'-' without a standard input: status 2" ended 2
check '... and the other is reported' holds "$tmp/err" 'a.yml:7:40: warning: '

# --- jobs ----------------------------------------------------------------------------------------

mkdir "$tmp/many" || bail_out 'no room in the temporary directory'
cd "$tmp/many" || bail_out 'no room in the temporary directory'
for file in "$top"/tests/bad/*.yaml "$top"/tests/good/*.yaml; do
    cp "$file" "${file##*/}"
    mkdir -p more
    cp "$file" "more/${file##*/}"
done
check 'there are 500 files' test "$(find . -type f | wc -l)" -ge 500

same_by_jobs() # FORMAT
{
    for jobs in 1 8 64; do
        status=0
        "$SPMTOPO" check --format "$1" --jobs "$jobs" . none.yaml more >"$tmp/jobs.$jobs" 2>"$tmp/jobs.$jobs.err" || status=$?
        if [ "$status" -ne 2 ]; then
            echo "status $status with $jobs jobs"
            return 1
        fi
        # Of failures the order is that in which they are met.
        grep '^spmtopo: ' "$tmp/jobs.$jobs.err" >"$tmp/complaint"
        grep -v '^spmtopo: ' "$tmp/jobs.$jobs.err" >"$tmp/jobs.$jobs.report"
        same "$tmp/jobs.1" "$tmp/jobs.$jobs" && same "$tmp/jobs.1.report" "$tmp/jobs.$jobs.report" || return 1
        [ "$(wc -l <"$tmp/complaint")" -eq 1 ] || return 1
    done
    cat "$tmp/jobs.1" "$tmp/jobs.1.report" >"$tmp/both"
    [ "$(wc -l <"$tmp/both")" -gt 500 ]
}
for format in text json sarif github; do
    check "--jobs 1, 8 and 64, $format: the same bytes" same_by_jobs "$format"
done
for jobs in 0 -1 65 '' x 1x 4294967297; do
    run check --jobs "$jobs" "$clean"
    check "--jobs '$jobs': status 2" ran 2
done
run check --jobs 3 "$clean"
check '--jobs 3 of one file' ran 0
cd "$tmp" || bail_out 'no temporary directory'

# --- status, -q, -o --------------------------------------------------------------------------------

run check "$clean"
check 'clean: status 0' ran 0
check 'clean: the counts and nothing else' same "$tmp/err" "$tmp/none/text"
run check "$warned" "$noted"
check 'a warning and a note: status 0' ran 0
check 'the counts come last' last '2 files: 0 errors, 1 warning, 1 note'
run check "$warned" "$bad" "$clean"
check 'an error: status 1' ran 1
check '... and the counts come last' last '3 files: 1 error, 1 warning, 0 notes'
run check -q "$warned" "$noted" "$clean"
check '-q: nothing of warnings, notes and counts' ran 0 quiet
run check -q "$warned" "$bad"
check '-q: the error' ran 1
check '-q: ... alone' test "$(grep -c '\[SPM' "$tmp/err")" -eq 1
check '-q: ... without the counts' test "$(grep -c '^[0-9]* files*: ' "$tmp/err")" -eq 0
run check -q --Werror "$warned"
check '-q --Werror: status 1, not without a word' ran 1
for option in '--format xml' '--format shell' '--format raw' '--target xen' '--target all' '--stage guest' '--fragment' '-W nonsense' '-W no-nonsense' '--Werror=nonsense'; do
    # shellcheck disable=SC2086 # words of a command
    run check $option "$clean"
    check "check $option: status 2" ran 2
done
run check -o "$tmp/report" "$clean"
check '-o of text: status 2' ran 2
for format in json sarif github; do
    "$SPMTOPO" check --format "$format" "$bad" "$warned" >"$tmp/wanted"
    echo old >"$tmp/report"
    run check --format "$format" -o "$tmp/report" "$bad" "$warned"
    check "-o, $format: status 1" ended 1
    check "-o, $format: nothing on standard output" same /dev/null "$tmp/out"
    check "-o, $format: nothing on standard error" same /dev/null "$tmp/err"
    check "-o, $format: the same as on standard output" same "$tmp/wanted" "$tmp/report"
    run check --format "$format" -o "$tmp/no/report" "$warned"
    check "-o in a directory that is not there, $format: status 2" ran 2
done
if [ -c /dev/full ]; then
    for format in json sarif github; do
        : >"$tmp/out"
        status=0
        "$SPMTOPO" check --format "$format" "$warned" >/dev/full 2>"$tmp/err" || status=$?
        check "a full disk, $format: status 2" ran 2
        status=0
        "$SPMTOPO" check --format "$format" "$tmp/many" >/dev/full 2>"$tmp/err" || status=$?
        check "a full disk and a large report, $format: status 2" ran 2
        run check --format "$format" -o /dev/full "$warned"
        check "-o /dev/full, $format: status 2" ran 2
    done
else
    skip 'a full disk' 'no /dev/full'
fi

# --- what turns rules off and on -----------------------------------------------------------------

# found WANTED ARGUMENT...: the findings of the last argument are these, "LINE:COLUMN SEVERITY NAME; ..."
found()
{
    echo "$1" | tr ';' '\n' | sed 's/^ *//; /^$/d' >"$tmp/wanted"
    shift
    run check --format json "$@"
    cp "$tmp/out" "$tmp/report"
    reports findings "$tmp/report" >"$tmp/actual" && same "$tmp/wanted" "$tmp/actual" || return 1
    wanted=0
    ! grep -q ' error ' "$tmp/wanted" || wanted=1
    ended "$wanted"
}
W='7:40 warning spm-no-hmat'
E='7:40 error spm-no-hmat'
N='3:7 note cpu-vendor-unstated'
check 'a warning' found "$W" "$warned"
check 'a note' found "$N" "$noted"
check '-W no-NAME' found '' -W no-spm-no-hmat "$warned"
check '-W no-ID' found '' -W no-SPM413 "$warned"
check '-Wno-NAME' found '' -Wno-spm-no-hmat "$warned"
check '-W no-another' found "$W" -W no-hmat-partial "$warned"
check '-W NAME of a warning' found "$W" -W spm-no-hmat "$warned"
check '-W NAME of a note' found '3:7 warning cpu-vendor-unstated' -W cpu-vendor-unstated "$noted"
check '-W ID of a note' found '3:7 warning cpu-vendor-unstated' -W SPM308 "$noted"
check '-W no-NAME of a note' found '' -W no-SPM308 "$noted"
check '--Werror' found "$E" --Werror "$warned"
check '--Werror leaves notes' found "$N" --Werror "$noted"
check '--Werror=NAME' found "$E" --Werror=spm-no-hmat "$warned"
check '--Werror=ID of a note' found '3:7 error cpu-vendor-unstated' --Werror=SPM308 "$noted"
check '--Werror=another' found "$W" --Werror=SPM308 "$warned"
check '--Werror -W NAME of a note' found '3:7 error cpu-vendor-unstated' --Werror -W SPM308 "$noted"
check '--Werror -W no-NAME' found '' --Werror -W no-spm-no-hmat "$warned"
check '--Werror=NAME, then -W NAME: the later one' found "$W" --Werror=spm-no-hmat -W spm-no-hmat "$warned"
check '-W NAME, then --Werror=NAME: the later one' found "$E" -W spm-no-hmat --Werror=spm-no-hmat "$warned"
check 'an error of the language stays one' found '8:5 error duplicate-key' -W no-duplicate-key -W SPM104 "$bad"

# with TEXT [FILE]: a file with more lines, in $tmp/with.yaml
with()
{
    (cat "${2:-$warned}" && echo "$1") >"$tmp/with.yaml"
}
with 'rules: {disable: spm-no-hmat}'
check 'rules: disable' found '' "$tmp/with.yaml"
check 'rules: disable, and -W NAME for it: stays off' found '' -W spm-no-hmat "$tmp/with.yaml"
with 'rules: {disable: [SPM413, distance-alike]}'
check 'rules: disable a list, by id' found '' "$tmp/with.yaml"
with 'rules: {error: [spm-no-hmat]}'
check 'rules: error' found "$E" "$tmp/with.yaml"
check 'rules: error, and -W NAME over it' found "$W" -W spm-no-hmat "$tmp/with.yaml"
check 'rules: error, and -W no-NAME over it' found '' -W no-spm-no-hmat "$tmp/with.yaml"
with 'rules: {warning: cpu-vendor-unstated}' "$noted"
check 'rules: warning of a note' found '3:7 warning cpu-vendor-unstated' "$tmp/with.yaml"
with 'rules: {disable: [size-alignment]}' "$top/tests/bad/size-alignment.yaml"
check 'rules: disable of an error: it stays' found "6:28 error size-alignment; 6:43 warning spm-no-hmat; 7:19 warning allow-unused" "$tmp/with.yaml"

cat >"$tmp/mixed.yaml" <<'END'
spmtopo: 1
name: mixed
machine: {cpu-vendor: intel}
cpus: 1
nodes:
  - id: 0
    cpus: 0
    memory: [4GiB, {size: 1GiB, type: spm}]
END
check 'mixed-nodes: a warning by default' found '6:9 warning mixed-node' "$tmp/mixed.yaml"
for word in allow warn deny; do
    with "rules: {mixed-nodes: $word}" "$tmp/mixed.yaml"
    case $word in
    allow) check 'mixed-nodes: allow' found '' "$tmp/with.yaml" ;;
    warn) check 'mixed-nodes: warn' found '6:9 warning mixed-node' "$tmp/with.yaml" ;;
    deny) check 'mixed-nodes: deny' found '6:9 error mixed-node' "$tmp/with.yaml" ;;
    esac
done

# comment LINE TEXT [FILE]: the file with a comment at the end of a line, in $tmp/with.yaml
comment()
{
    awk -v line="$1" -v text="$2" 'NR == line { $0 = $0 text } { print }' "${3:-$warned}" >"$tmp/with.yaml"
}
U='warning allow-unused'
for text in ' # spmtopo-allow: spm-no-hmat' ' # spmtopo-allow: SPM413' '	#spmtopo-allow:spm-no-hmat' ' #   spmtopo-allow:  spm-no-hmat  '; do
    comment 7 "$text"
    check "'$text' at the end of the line" found '' "$tmp/with.yaml"
    # libyaml takes no tab there.
    text="  ${text#"$TAB"}"
    comment 6 "
$text"
    check "'$text' alone on the line above" found '' "$tmp/with.yaml"
done
comment 6 ' # spmtopo-allow: spm-no-hmat'
check 'at the end of the line above: not found there, and unused' found "6:53 $U; $W" "$tmp/with.yaml"
sed 's/^  - {id: 1,/  # spmtopo-allow: spm-no-hmat\n\n&/' "$warned" >"$tmp/with.yaml"
check 'alone, two lines above: unused' found "7:20 $U; 9:40 warning spm-no-hmat" "$tmp/with.yaml"
comment 7 ' # spmtopo-allow: mixed-node, spm-no-hmat'
check 'one of two is unused' found "7:63 $U" "$tmp/with.yaml"
comment 7 ' # spmtopo-allow: spm-no-hmat, SPM413'
check 'the same rule twice: both are used' found '' "$tmp/with.yaml"
comment 7 ' # spmtopo-allow: spm-no-hmt'
check 'an unknown name' found "7:40 warning spm-no-hmat; 7:63 $U" "$tmp/with.yaml"
check '... which --Werror makes an error' found "7:40 error spm-no-hmat; 7:63 error allow-unused" --Werror "$tmp/with.yaml"
check '... and which can be turned off' found "$W" -W no-allow-unused "$tmp/with.yaml"
sed 's/size: 1GiB, type: spm}}/size: 1025MiB, type: spm}} # spmtopo-allow: size-alignment/' "$warned" >"$tmp/with.yaml"
check 'an error cannot be allowed' found "7:28 error size-alignment; 7:43 warning spm-no-hmat; 7:66 $U" "$tmp/with.yaml"
comment 6 ' # spmtopo-allow: mixed-node' "$tmp/mixed.yaml"
echo 'rules: {mixed-nodes: deny}' >>"$tmp/with.yaml"
run check "$tmp/with.yaml"
check 'a mixed node that is denied and allowed: not without a word' test "$status" -le 1 -a -s "$tmp/err"
comment 7 ' # spmtopo-allow: spm-no-hmat'
check 'what is allowed is no error for --Werror' found '' --Werror --Werror=spm-no-hmat "$tmp/with.yaml"
check 'a comment is used though its rule is turned off' found '' -W no-spm-no-hmat "$tmp/with.yaml"
sed 's/$/\r/' "$tmp/with.yaml" >"$tmp/crlf.yaml"
check 'CRLF' found '' "$tmp/crlf.yaml"
(cat "$warned" && printf '%s' '# spmtopo-allow: spm-no-hmat') >"$tmp/with.yaml"
check 'alone on the last line, without its end: unused' found "$W; 8:18 $U" "$tmp/with.yaml"
with 'description: "x # spmtopo-allow: mixed-node"'
check 'in a quoted text: no comment' found "$W" "$tmp/with.yaml"
with 'description: |
  # spmtopo-allow: mixed-node'
check 'in a block of text: no comment' found "$W" "$tmp/with.yaml"
with 'description: x#spmtopo-allow:mixed-node'
check 'without a blank before it: no comment' found "$W" "$tmp/with.yaml"
with '# spmtopo-allow:'
check 'without a name: nothing' found "$W" "$tmp/with.yaml"
comment 7 ' # spmtopo-allow: libvirt-taint'
check 'a rule of a target that is not asked: not unused' found "$W" "$tmp/with.yaml"
check '... and used where it is' found "7:40 warning spm-no-hmat" --target libvirt "$tmp/with.yaml"

# Turning rules off and on never changes what is emitted.
off=
on=
for name in $("$SPMTOPO" rules | awk '{ print $2 }'); do
    off="$off -Wno-$name"
    on="$on -W$name"
done
lines=$("$SPMTOPO" rules | awk '{ printf "%s%s", (NR > 1 ? ", " : ""), $2 }')
untouched() # FILE
{
    run gen --target qemu "$1"
    plain=$status
    cp "$tmp/out" "$tmp/plain"
    cp "$tmp/err" "$tmp/plain.err"
    # shellcheck disable=SC2086 # many words
    run gen --target qemu $off "$1"
    # Errors of firmware and the guest's kernel can be turned off, and no others.
    if [ "$plain" -eq 1 ] && [ "$status" -eq 0 ]; then
        ! grep ': error: ' "$tmp/plain.err" | grep -v '\[SPM\(410\|412\|415\|703\|704\|705\|707\|710\) '
        return
    fi
    [ "$status" -eq "$plain" ] && same "$tmp/plain" "$tmp/out" || return 1
    if [ "$plain" -eq 0 ] && [ -s "$tmp/err" ]; then
        echo 'not all is turned off'
        cat "$tmp/err"
        return 1
    fi
    # What could not be compiled says why, with all rules off.
    [ "$plain" -eq 0 ] || ran "$plain" || return 1
    # shellcheck disable=SC2086
    run gen --target qemu $on "$1"
    [ "$status" -eq "$plain" ] && same "$tmp/plain" "$tmp/out" || return 1
    if ! grep -q '^ *rules:' "$1" && ! grep -q '^\[\|^{' "$1"; then
        (cat "$1" && echo "rules: {disable: [$lines]}") >"$tmp/disabled.yaml"
        run gen --target qemu "$tmp/disabled.yaml"
        [ "$plain" -ne 0 ] || { ran 0 quiet && same "$tmp/plain" "$tmp/out"; }
    fi
}
tried=0
for file in "$top"/tests/bad/*.yaml "$top"/tests/good/*.yaml "$top"/examples/*.yaml; do
    # What is an error by 'rules' alone may be turned off.
    ! grep -Eq 'rules: .*(error:|deny)' "$file" || continue
    tried=$((tried + 1))
    untouched "$file" >"$tmp/check" 2>&1 || not_ok "rules off and on: ${file##*/} is emitted as before" "$(cat "$tmp/check")"
done
check 'rules off and on: what is emitted is the same, and errors stay' test "$tried" -gt 200

# --- very many findings ------------------------------------------------------------------------

{ cat "$warned" && seq -f 'bogus-%g: 1' 1100; } >"$tmp/many.yaml"
for format in text json sarif github; do
    run check --format "$format" "$tmp/many.yaml"
    cat "$tmp/err" >>"$tmp/out"
    check "$format: how many findings are not shown" holds "$tmp/out" '100 more findings are not shown'
done

# --- targets -------------------------------------------------------------------------------------

cat >"$tmp/three.yaml" <<'END'
spmtopo: 1
name: three
machine: {cpu-vendor: intel}
cpus: 1
nodes:
  - {id: 0, cpus: 0, memory: 4GiB}
  - {id: 1, memory: {size: 1GiB, type: spm}}
END
T='7:40 note libvirt-taint'
C='2:7 error cloud-hypervisor-boot; 7:40 error cloud-hypervisor-spm'
three=$tmp/three.yaml
check 'without targets: QEMU' found "$W" "$three"
check '--target qemu' found "$W" --target qemu "$three"
check '--target libvirt: what holds for QEMU, too' found "$W; $T" --target libvirt "$three"
check '--target cloud-hypervisor: its own alone' found "$C" --target cloud-hypervisor "$three"
with 'targets: {libvirt: {}}' "$three"
check 'a file that names libvirt' found "$W; $T" "$tmp/with.yaml"
check '... and --target qemu over it' found "$W" --target qemu "$tmp/with.yaml"
with 'targets: {cloud-hypervisor: {}}' "$three"
check 'a file that names cloud-hypervisor' found "$C" "$tmp/with.yaml"
with 'targets: {qemu: {}, libvirt: {}}' "$three"
check 'a file that names two' found "$W; $T" "$tmp/with.yaml"
with 'boot: {firmware: none, kernel: /vmlinux, cmdline: module_blacklist=kmem}
rules: {disable: cloud-hypervisor-kernel-parameter}
targets: {qemu: {version: 11.0, spm-interface: kernel-parameter}, libvirt: {}, cloud-hypervisor: {spm-interface: kernel-parameter}}' "$three"
check 'a file that names three: each one'"'"'s' found "$W; 10:48 note spm-kernel-parameter" "$tmp/with.yaml"
check '... of which one is asked' found '' --target cloud-hypervisor "$tmp/with.yaml"
with 'targets: {}' "$three"
check 'a file that names none: QEMU' found "$W" "$tmp/with.yaml"
check '--qemu-version and --spm-interface' found "7:40 error spm-interface; $W" --qemu-version 10.0 "$three"
run check --firmware seabios "$three"
check '--firmware' ran 1
check '... by its rule' holds "$tmp/err" '[SPM703 firmware-drops-spm]'
tap_end
