#!/bin/sh
# SPDX-License-Identifier: MIT
# What is for other people's editors and CI: .pre-commit-hooks.yaml and contrib/.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

hooks=$top/.pre-commit-hooks.yaml
matcher=$top/contrib/problem-matcher.json
actions=$top/contrib/github-actions.yml
gitlab=$top/contrib/gitlab-ci.yml

# --- the problem matcher -------------------------------------------------------------------------

# What GitHub's runner asks of a matcher (IssueMatcherConfig.Validate).
matcher_valid()
{
    "$PYTHON" - "$matcher" <<'EOF'
import json, re, sys

owners = set()
for matcher in json.load(open(sys.argv[1]))["problemMatcher"]:
    assert matcher["owner"] and matcher["owner"] not in owners, matcher["owner"]
    owners.add(matcher["owner"])
    assert matcher.get("severity", "") in ("", "error", "warning", "notice"), matcher["severity"]
    assert len(matcher["pattern"]) == 1
    pattern = dict(matcher["pattern"][0])
    groups = re.compile(pattern.pop("regexp")).groups
    assert {"file", "line", "column", "message", "code"} <= set(pattern)
    assert sorted(pattern.values()) == list(range(1, groups + 1)), "each group has one use"
    # The runner knows these words where a group gives the severity; it drops a line with another.
    assert "severity" in pattern or matcher.get("severity")
EOF
}

# matched TEXT REPORT: the findings that the matcher sees in the text form are those of the JSON form
matched()
{
    "$PYTHON" - "$matcher" "$1" "$2" <<'EOF'
import json, re, sys

matchers = json.load(open(sys.argv[1]))["problemMatcher"]
found = []
for line in open(sys.argv[2], encoding="utf-8").read().split("\n"):
    for matcher in matchers:
        pattern = matcher["pattern"][0]
        match = re.search(pattern["regexp"], line)
        if match:
            severity = match[pattern["severity"]] if "severity" in pattern else matcher["severity"]
            place = tuple(int(match[pattern[k]] or 1) for k in ("line", "column"))
            found.append((match[pattern["file"]],) + place + (severity, match[pattern["code"]],
                          match[pattern["message"]]))
wanted = [(d["file"], d["line"], d["column"], {"note": "notice"}.get(d["severity"], d["severity"]), d["id"],
           f"{d['message']} [{d['id']} {d['rule']}]") for d in json.load(open(sys.argv[3]))["diagnostics"]]
severities = {w[3] for w in wanted}
assert severities == {"error", "warning", "notice"}, f"not every severity is there: {severities}"
for entry in found:
    assert entry in wanted, f"not a finding: {entry}"
for entry in wanted:
    assert entry in found, f"not matched: {entry}"
assert len(found) == len(wanted), f"{len(found)} matches, {len(wanted)} findings"
EOF
}

check 'the problem matcher is one that the runner takes' matcher_valid

mkdir "$tmp/files" || bail_out 'no room in the temporary directory'
cp "$top/tests/bad/unknown-key-everywhere.yaml" "$tmp/files/errors in a name, with blanks.yaml"
cat >"$tmp/files/mixed.yaml" <<'EOF'
spmtopo: 1
name: mixed
cpus: 1
nodes:
  - id: 0
    cpus: 0
    memory: [1GiB, {size: 1GiB, type: spm}]
EOF
cat >"$tmp/files/note.yaml" <<'EOF'
spmtopo: 1
name: note
machine: {accel: tcg}
cpus: 1
nodes:
  - {id: 0, cpus: 0, memory: 4GiB}
  - {id: 1, memory: {size: 1GiB, type: spm}}
targets: {qemu: {spm-interface: kernel-parameter}}
EOF
{
    printf '# '
    head -c 16777216 /dev/zero | tr '\0' a
    echo
} >"$tmp/files/too-large.yaml"
run check "$tmp"/files/*.yaml
check 'check of files with findings: status 1' ran 1
cp "$tmp/err" "$tmp/text"
run check --format json "$tmp"/files/*.yaml
cp "$tmp/out" "$tmp/json"
check 'it matches every finding of a real report, with its groups, and no other line' \
    matched "$tmp/text" "$tmp/json"

# --- the hook for pre-commit ----------------------------------------------------------------------

hook_valid()
{
    "$PYTHON" - "$hooks" <<'EOF'
import re, sys, yaml

(hook,) = yaml.safe_load(open(sys.argv[1]))
assert hook["id"] == "spmtopo-check" and hook["name"] and hook["language"] in ("system", "script")
assert hook["entry"] == "spmtopo check"
for name, wanted in {"a.spmtopo.yaml": True, "d/a.spmtopo.yml": True, "a.yaml": False,
                     "spmtopo.yaml": False, "a.spmtopo.yaml.in": False}.items():
    assert bool(re.search(hook["files"], name)) == wanted, name
EOF
}
check 'the hook for pre-commit is one, and for files of topologies' hook_valid

# --- fragments for CI -----------------------------------------------------------------------------

# formats FILE: the formats that it asks of `check`, of which there is one at least
formats()
{
    sed -n 's/.*spmtopo check.*--format \([a-z]*\).*/\1/p' "$1" | sort -u >"$tmp/formats"
    [ -s "$tmp/formats" ] || return 1
    while read -r format; do
        run check --format "$format" "$top/examples/hbm-guest.yaml"
        ran 0 || return 1
    done <"$tmp/formats"
}

fragment()
{
    if ! sed -n 2p "$1" | grep -q '^# [A-Z]'; then
        echo 'no comment at the top'
        return 1
    fi
    "$PYTHON" - "$1" "$2" <<'EOF'
import sys, yaml

value = yaml.load(open(sys.argv[1]), yaml.BaseLoader)
for key in sys.argv[2].split("/"):
    value = value[int(key) if key.isdigit() else key]
assert value
EOF
}

check 'the fragment for GitHub Actions can be read' fragment "$actions" jobs/check/steps/4/with/sarif_file
check 'it asks for formats that there are' formats "$actions"
check 'the fragment for GitLab CI can be read' fragment "$gitlab" spmtopo/artifacts/reports/codequality
check 'it asks for formats that there are' formats "$gitlab"

code_quality()
{
    "$PYTHON" - "$gitlab" >"$tmp/program" <<'EOF' &&
import sys, yaml

print(yaml.safe_load(open(sys.argv[1]))["spmtopo"]["variables"]["CODE_QUALITY"])
EOF
        jq -f "$tmp/program" "$tmp/json" >"$tmp/quality" && "$PYTHON" - "$tmp/json" "$tmp/quality" <<'EOF'
import json, sys

findings, quality = (json.load(open(f)) for f in sys.argv[1:])
findings = findings["diagnostics"]
assert len(quality) == len(findings) > 0
assert len({q["fingerprint"] for q in quality}) == len(quality), "fingerprints differ"
for q, f in zip(quality, findings):
    assert q["check_name"] == f["rule"] and f["message"] in q["description"]
    assert q["location"] == {"path": f["file"], "lines": {"begin": f["line"]}}
    assert q["severity"] == {"error": "major", "warning": "minor", "note": "info"}[f["severity"]]
EOF
}
no_variable()
{
    ! sed -n '/CODE_QUALITY: /,/before_script/p' "$gitlab" | grep '[$]'
}
check 'its jq program holds nothing that GitLab takes for a variable' no_variable
if command -v jq >/dev/null 2>&1; then
    check 'its jq program makes a code quality report of a real one' code_quality
elif [ "${SPMTOPO_REQUIRE_VMM:-}" = 1 ]; then
    not_ok 'its jq program makes a code quality report of a real one' 'there is no jq'
else
    skip 'its jq program makes a code quality report of a real one' 'there is no jq'
    echo 'contrib.sh: SKIPPED: the code quality report: there is no jq' >&2
fi

tap_end
