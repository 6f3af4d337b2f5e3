# SPDX-License-Identifier: MIT
"""Reads the reports of 'check' for check.sh, and says what is wrong with them; nothing if all is well.

    agree TEXT JSON SARIF GITHUB   the same findings in all four; in each file in order, none twice
    json JSON SCHEMA               valid by the schema; status 77 where there is no validator
    sarif SARIF SCHEMA
    files JSON [NAME...]           the files with findings, in this order
    uris SARIF [NAME...]           the same of SARIF's URIs, decoded
    findings JSON                  prints "LINE:COLUMN SEVERITY NAME" of each finding
"""
import json
import os
import re
import sys
import urllib.parse

problems = []


def complain(text):
    problems.append(text)


def load(path):
    return json.loads(open(path, "rb").read().decode("utf-8"))


def visible(text):
    """As it is shown: controls, and what is not UTF-8, as question marks."""
    text = text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")
    return "".join("?" if c < " " or "\x7f" <= c < "\xa0" or "\udc80" <= c <= "\udcff" else c for c in text)


# A finding is (file, line, column, severity, id, message, help, notes); a note (line, column, text).

def from_json(report):
    found = []
    for d in report["diagnostics"]:
        if any(n["file"] != d["file"] for n in d["notes"]):
            complain("a note in another file: %r" % d)
        if (d["endLine"], d["endColumn"]) < (d["line"], d["column"]):
            complain("ends before it begins: %r" % d)
        found.append((visible(d["file"]), d["line"], d["column"], d["severity"], "%s %s" % (d["id"], d["rule"]), d["message"],
                      d["help"], tuple((n["line"], n["column"], n["message"]) for n in d["notes"])))
    return found


def from_sarif(report):
    run, = report["runs"]
    rules = run["tool"]["driver"]["rules"]
    if len({r["id"] for r in rules}) != len(rules) or run["tool"]["driver"]["name"] != "spmtopo":
        complain("not the rules")
    for rule in rules:
        if not (rule["help"]["text"] and rule["fullDescription"]["text"] and rule["shortDescription"]["text"]):
            complain("a rule without texts: %r" % rule)
    found = []

    def place(location):
        physical = location["physicalLocation"]
        name = urllib.parse.unquote_to_bytes(physical["artifactLocation"]["uri"])
        region = physical.get("region", {"startLine": 1, "startColumn": 1})
        return visible(name), region["startLine"], region["startColumn"]

    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        if rule["id"] != result["ruleId"]:
            complain("ruleIndex %d is not %s" % (result["ruleIndex"], result["ruleId"]))
        location, = result["locations"]
        file, line, column = place(location)
        text, _, help_text = result["message"]["text"].partition("\n")
        notes = []
        for related in result.get("relatedLocations", []):
            name, n, c = place(related)
            notes.append((n, c, related["message"]["text"]))
            if name != file:
                complain("a related location in another file: %r" % result)
        found.append((file, line, column, result["level"], "%s %s" % (rule["id"], rule["name"]), text, help_text or None,
                      tuple(notes)))
    return found


def from_github(data):
    """Without notes. GitHub takes columns within one line only."""
    found = []
    for row in data.decode("utf-8", "surrogateescape").split("\n")[:-1]:
        match = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", row)
        if not match:
            complain("not a workflow command: %r" % row)
            continue
        properties = dict(part.split("=", 1) for part in match[2].split(","))
        if set(properties) - {"line", "endLine", "col", "endColumn"} != {"file", "title"}:
            complain("properties: %r" % properties)

        def plain(text):
            return re.sub("%(25|0D|0A|3A|2C)", lambda m: chr(int(m[1], 16)), text)

        text, _, help_text = plain(match[3]).partition("\n")
        found.append((visible(plain(properties["file"])), int(properties.get("line", 1)), int(properties.get("col", 0)),
                      {"notice": "note"}.get(match[1], match[1]), plain(properties["title"]), text, help_text or None))
    return found


def from_text(data):
    """The findings, and the last line."""
    found = []
    rows = data.decode("utf-8").split("\n")
    place = r"(?P<file>.+?):(?:(?P<line>\d+):(?P<column>\d+):)? "
    for row in rows[:-2]:
        match = re.fullmatch(place + r"(?P<severity>error|warning|note): (?P<text>.*) \[(?P<rule>SPM\d{3} [a-z0-9-]+)\]", row)
        note = re.fullmatch(place + "note: (?P<text>.*)", row)
        at = match or note
        at = at and (int(at["line"] or 1), int(at["column"] or 1))
        if match:
            found.append([match["file"], *at, match["severity"], match["rule"], match["text"], None, []])
        elif row.startswith("  help: "):
            found[-1][6] = row[8:]
        elif note:
            found[-1][7].append((*at, note["text"]))
    return [(*f[:7], tuple(f[7])) for f in found], rows[-2]


def agree(text, plain, sarif, github):
    report = load(plain)
    wanted = from_json(report)
    from_text_report, last = from_text(open(text, "rb").read())
    for name, other in [("text", from_text_report), ("sarif", from_sarif(load(sarif))),
                        ("github", from_github(open(github, "rb").read()))]:
        mine = wanted
        if name == "sarif":
            # A URI needs no './'.
            mine = [(re.sub(r"^(\./)+", "", f[0]), *f[1:]) for f in wanted]
        if name == "github":
            mine = [(f[0], f[1], f[2] if d["line"] == d["endLine"] and f[1:3] != (1, 1) else 0, *f[3:7])
                    for f, d in zip(wanted, report["diagnostics"])]
            other = [(*f[:2], 0 if f[1:3] == (1, 1) else f[2], *f[3:]) for f in other]
        if mine != other:
            for one in sorted(set(mine) ^ set(other), key=str)[:10]:
                complain("%s has %r" % ("json" if one in mine else name, one))
            if set(mine) == set(other):
                complain("%s has another order, or some twice" % name)
    summary = report["summary"]
    counts = {s + "s": sum(f[3] == s for f in wanted) for s in ("error", "warning", "note")}
    if counts != {k: summary[k] for k in counts}:
        complain("summary: %r, found: %r" % (summary, counts))
    words = ["%d %s%s" % (summary[k], k[:-1], "" if summary[k] == 1 else "s") for k in ("files", "errors", "warnings", "notes")]
    if last != "%s: %s, %s, %s" % tuple(words):
        complain("the last line is %r" % last)
    files = []
    for i, finding in enumerate(wanted):
        if not i or finding[0] != wanted[i - 1][0]:
            if finding[0] in files:
                complain("%s is there twice" % finding[0])
            files.append(finding[0])
        elif finding[1:3] < wanted[i - 1][1:3]:
            complain("not in order: %r" % (finding,))
        if finding in wanted[:i]:
            complain("twice: %r" % (finding,))


def valid(report, schema):
    try:
        import jsonschema
    except ImportError:
        print("there is no python3-jsonschema")
        sys.exit(77)
    schema = load(schema)
    kind = jsonschema.validators.validator_for(schema)
    for error in kind(schema).iter_errors(load(report)):
        complain("%s: %s" % (error.json_path, error.message))


def same_names(found, wanted):
    found = [f for i, f in enumerate(found) if not i or f != found[i - 1]]
    if found != wanted:
        complain("found  %r\nwanted %r" % (found, wanted))


def main():
    command, path, *rest = sys.argv[1:]
    if command == "agree":
        agree(path, *rest)
    elif command in ("json", "sarif"):
        valid(path, *rest)
    elif command == "files":
        same_names([visible(d["file"]) for d in load(path)["diagnostics"]], [visible(os.fsencode(n)) for n in rest])
    elif command == "uris":
        names = []
        for result in load(path)["runs"][0]["results"]:
            uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            if not re.fullmatch(r"([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri):
                complain("not a URI of plain characters: %r" % uri)
            names.append(urllib.parse.unquote_to_bytes(uri))
        same_names(names, [os.fsencode(n) for n in rest])
    elif command == "findings":
        for d in load(path)["diagnostics"]:
            print("%d:%d %s %s" % (d["line"], d["column"], d["severity"], d["rule"]))
    else:
        complain("what is %r?" % command)
    print("\n".join(problems[:40]), end="\n" if problems else "")
    sys.exit(bool(problems))


main()
