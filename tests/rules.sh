#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of rules, as 'rules' and 'explain' show it: ids and names, texts, and that the examples do
# what the explanations say they do.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

run rules --format json
check 'rules --format json' ran 0 quiet
cp "$tmp/out" "$tmp/rules.json"
run rules
check 'rules' ran 0 quiet
cp "$tmp/out" "$tmp/rules.text"

# Reads the table, tries the examples, and prints "ID NAME" a line; what is wrong with a rule goes into
# a file by its id, and what is wrong with the table into the file "table".
cat >"$tmp/judge.py" <<'EOF'
import json, os, re, subprocess, sys

program, directory = sys.argv[1:3]
rules = json.load(open(os.path.join(directory, "rules.json"), encoding="utf-8"))
text = open(os.path.join(directory, "rules.text"), encoding="utf-8").read().splitlines()
targets = ["qemu", "libvirt", "cloud-hypervisor"]
keys = ["id", "name", "severity", "targets", "summary", "explanation", "bad", "good"]
# What a name begins with and the hundreds that go with it.
hundreds = [("yaml-", 1), ("language-", 1), ("node-", 26), ("cpu-", 236), ("core-", 2), ("socket-", 2), ("size-", 3),
            ("address-", 34), ("spm-", 4), ("mixed-", 4), ("distance-", 5), ("hmat-", 5), ("libvirt-", 6),
            ("cloud-hypervisor-", 6), ("machine-", 6), ("version-", 6), ("firmware-", 7), ("kernel-", 7),
            ("cmdline-", 7), ("backend-", 8), ("host-placement", 8)]


def checked(rule, which, problems):
    """What check finds in an example, as (severity, id)."""
    path = os.path.join(directory, "example.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(rule[which])
    done = subprocess.run([program, "check", "--format", "json", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in (0, 1):
        problems.append("%s example: status %d: %s" % (which, done.returncode, done.stderr.decode()))
        return []
    return [(d["severity"], d["id"]) for d in json.loads(done.stdout)["diagnostics"]]


def explained(rule, problems):
    both = []
    for word in (rule["id"], rule["name"]):
        done = subprocess.run([program, "explain", word], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode or done.stderr:
            problems.append("explain %s: status %d: %s" % (word, done.returncode, done.stderr.decode()))
        both.append(done.stdout.decode("utf-8"))
    if both[0] != both[1]:
        problems.append("explain says one thing of the id and another of the name")
    some = rule["targets"] if len(rule["targets"]) < len(targets) else []
    head = "%s %s (%s): %s\n" % (rule["id"], rule["name"], ", ".join([rule["severity"]] + some), rule["summary"])
    if not both[0].startswith(head):
        problems.append("explain does not begin with " + head)
    parts = [rule["explanation"]]
    parts += ["".join("    " + line if line.strip() else line for line in rule[w].splitlines(True)) for w in ("bad", "good")]
    for part in parts:
        if part not in both[0]:
            problems.append("explain lacks:\n" + part)


def judge(rule, problems):
    if not re.fullmatch(r"SPM[1-8]\d\d", rule["id"]):
        problems.append("not an id")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", rule["name"]):
        problems.append("the name is not kebab-case")
    for start, digits in hundreds:
        if rule["name"].startswith(start) and rule["id"][3] not in str(digits):
            problems.append("'%s...' does not belong to SPM%sxx" % (start, rule["id"][3]))
    if rule["severity"] not in ("error", "warning", "note"):
        problems.append("the severity is " + rule["severity"])
    if not rule["targets"] or rule["targets"] != [t for t in targets if t in rule["targets"]]:
        problems.append("the targets are %r" % rule["targets"])
    for target in ("libvirt", "cloud-hypervisor"):
        if rule["name"].startswith(target + "-") != (rule["targets"] == [target]):
            problems.append("the name and the targets %r do not go together" % rule["targets"])
    if not re.fullmatch(r"(?![A-Z][a-z])[^\n]+[^.\n]", rule["summary"]) or len(rule["summary"]) > 90:
        problems.append("not a summary: " + rule["summary"])
    lines = rule["explanation"].split("\n")
    if len(lines) < 2 or max(map(len, lines)) > 96 or not rule["explanation"].endswith("."):
        problems.append("not an explanation: " + rule["explanation"])
    for which in ("bad", "good"):
        if not rule[which].endswith("\n") or max(map(len, rule[which].splitlines() or [""])) > 96:
            problems.append("no %s example, or one with long lines" % which)
    if rule["bad"] == rule["good"]:
        problems.append("both examples are the same")
    found = checked(rule, "bad", problems)
    if (rule["severity"], rule["id"]) not in found:
        problems.append("the bad example: no %s, but %r" % (rule["severity"], found))
    others = [f for f in found if f[1] != rule["id"] and f[0] != "note"]
    if others:
        problems.append("the bad example: others are found, too: %r" % others)
    found = checked(rule, "good", problems)
    if [f for f in found if f[1] == rule["id"] or f[0] != "note"]:
        problems.append("the good example: %r" % found)
    explained(rule, problems)


table = []
if len(rules) < 60:
    table.append("%d rules are fewer than 60" % len(rules))
for key in ("id", "name", "summary", "explanation"):
    values = [rule[key] for rule in rules]
    table += ["the %s '%s' is there twice" % (key, v) for v in sorted(set(values)) if values.count(v) > 1]
ids = [rule["id"] for rule in rules]
if ids != sorted(ids):
    table.append("the ids are not in order")
table += ["no rule SPM%dxx" % h for h in range(1, 9) if not any(i[3] == str(h) for i in ids)]
table += ["%s has the keys %r" % (rule["id"], list(rule)) for rule in rules if list(rule) != keys]
short = [re.split(r"  +", line.strip(), maxsplit=3) for line in text]
listed = [[rule[k] for k in ("id", "name", "severity", "summary")] for rule in rules]
table += ["rules says %r, and as JSON %r" % (a, b) for a, b in zip(short, listed) if a != b]
if len(short) != len(listed):
    table.append("rules has %d lines of %d rules" % (len(short), len(listed)))
with open(os.path.join(directory, "table"), "w", encoding="utf-8") as file:
    file.writelines(line + "\n" for line in table)

for rule in rules:
    problems = []
    judge(rule, problems)
    with open(os.path.join(directory, rule["id"]), "w", encoding="utf-8") as file:
        file.writelines(problem + "\n" for problem in problems)
    print(rule["id"], rule["name"])
EOF
"$PYTHON" "$tmp/judge.py" "$SPMTOPO" "$tmp" >"$tmp/list" 2>"$tmp/err" || not_ok 'the table is judged' "$(cat "$tmp/err")"
check 'ids, names and texts of the table' same /dev/null "$tmp/table"
while read -r id name; do
    check "$id $name: texts and examples" same /dev/null "$tmp/$id"
    check "$id $name: is in the manual" grep -q "^\\.It Cm $id $name " "$top/man/spmtopo-rules.7"
    check "$id $name: has a file in bad/" grep -Eq "# expect(-[a-z]+)?: .*$id $name" -r "$top/tests/bad"
done <"$tmp/list"

# --- explain: what it does not know ----------------------------------------------------------------

# unknown WORD TEXT: status 2, and the text on standard error
unknown()
{
    run explain "$1"
    ran 2 && grep -qF -- "$2" "$tmp/err" && return
    echo "no '$2' in:"
    cat "$tmp/err"
    return 1
}
check 'explain of a misspelt name names the nearest' unknown mixed-nodes "did you mean 'mixed-node'?"
check 'explain of another misspelt name' unknown touching-nodes 'spm'
check 'explain of a misspelt id names the nearest' unknown SPM4O2 "did you mean 'SPM402'?"
check 'explain of what is like no rule points to rules' unknown zzzzzzzzzzzzzzzzzzzz "'spmtopo rules'"
check 'explain of an empty name' unknown '' 'no rule'

refused()
{
    run "$@"
    ran 2
}
check 'explain without a rule: status 2' refused explain
check 'explain of two rules: status 2' refused explain SPM101 SPM102
check 'rules with an argument: status 2' refused rules SPM101
check 'rules --format sarif: status 2' refused rules --format sarif
check 'explain --target: status 2' refused explain --target qemu SPM101

# --- output ----------------------------------------------------------------------------------------

to_full()
{
    status=0
    : >"$tmp/out"
    "$SPMTOPO" "$@" >/dev/full 2>"$tmp/err" || status=$?
    ran 2
}
if [ -c /dev/full ]; then
    check 'rules to a full disk: status 2' to_full rules
    check 'rules --format json to a full disk: status 2' to_full rules --format json
    check 'explain to a full disk: status 2' to_full explain SPM101
else
    skip 'a full disk' 'no /dev/full'
fi
run rules --format json -o "$tmp/written"
check 'rules -o: the same' same "$tmp/rules.json" "$tmp/written"
run explain -o "$tmp/written" SPM402
"$SPMTOPO" explain SPM402 >"$tmp/wanted"
check 'explain -o: the same' same "$tmp/wanted" "$tmp/written"
tap_end
