# SPDX-License-Identifier: MIT
"""The documents of the public YAML test suite through the loader: each is refused at a place, at once and whole; and
those that the YAML reader takes are read as the suite says, but for what is known of libyaml. Prints TAP."""

import json
import os
import re
import subprocess
import sys
import tempfile

SPMTOPO = os.path.abspath(os.environ["SPMTOPO"])
NODES = os.path.abspath(os.environ.get("NODES", "tests/yaml-suite/nodes"))
SECONDS = 20

# What the suite (YAML 1.2) calls an error and libyaml 0.2.5 (YAML 1.1) reads.
LENIENT = {"9C9N", "9JBA", "CVW2", "DK95/01", "G5U8", "MUS6/00", "QB6E", "S98Z", "SU5Z", "X4QW", "Y79Y/003", "YJV2"}
# What libyaml reads otherwise than the suite says.
DIFFERENT = {
    "652Z": ["+MAP", "=VAL foo", "=VAL bar", "=VAL bar", "=VAL 42", "-MAP"],
    "HM87/01": ["+SEQ", "+MAP", "=VAL x", "=VAL ", "-MAP", "-SEQ"],
    "JEF9/02": ["+SEQ", "=VAL ", "-SEQ"],
    "L24T/01": ["+MAP", "=VAL foo", r"=VAL x\n ", "-MAP"],
    "Y2GN": ["+MAP", "=VAL key", "=VAL :chor value", "-MAP"],
}


def refusal(path, *command):
    """What is wrong with what the program says of a file that is no topology; None: nothing."""
    try:
        done = subprocess.run([SPMTOPO, *command, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return "not done after %d seconds" % SECONDS
    said = done.stderr.decode("utf-8")
    if done.returncode != 1:
        return "status %d\n%s" % (done.returncode, said)
    if done.stdout:
        return "there is output"
    if not re.search(r"^%s:\d+:\d+: error: .* \[SPM\d+ [a-z0-9-]+\]$" % re.escape(path), said, re.MULTILINE):
        return "no error with a place\n" + said
    return None


def expected(events):
    """The suite's events as nodes.c prints them: with anchors taken in and without tags and styles. None for what
    is not one document."""
    anchors, open_nodes, out = {}, [], []
    if events.count("+DOC") != 1:
        return None
    for line in events.splitlines():
        kind, _, rest = line.partition(" ")
        if kind in ("+STR", "-STR", "+DOC", "-DOC"):
            continue
        anchor = None
        if kind in ("+SEQ", "+MAP", "=VAL"):
            while rest and rest[0] in "&<[{":
                word, _, rest = rest.partition(" ")
                anchor = word[1:] if word[0] == "&" else anchor
        start = len(out)
        if kind == "=ALI":
            out.extend(anchors[rest[1:]])
        elif kind == "=VAL":
            out.append("=VAL " + rest[1:])
            if anchor:
                anchors[anchor] = out[start:]
        elif kind in ("+SEQ", "+MAP"):
            out.append(kind)
            open_nodes.append((start, anchor))
        else:
            out.append(kind)
            start, anchor = open_nodes.pop()
            if anchor:
                anchors[anchor] = out[start:]
    return out


def main():
    with open(os.path.join(os.path.dirname(__file__), "cases.jsonl"), encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    print("TAP version 13")
    count = failed = 0

    def check(what, problem):
        nonlocal count, failed
        count += 1
        failed += bool(problem)
        print("%sok %d - %s" % ("not " if problem else "", count, what))
        for line in (problem or "").splitlines()[:20]:
            print("# " + line)

    with tempfile.TemporaryDirectory(prefix="yaml-suite-") as folder:
        paths = []
        for case in cases:
            path = os.path.join(folder, case["id"].replace("/", "-") + ".yaml")
            paths.append(path)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(case["yaml"])
            check("%s: %s" % (case["id"], case["name"].replace("#", "")),
                  refusal(path, "check") or refusal(path, "show", "--format", "yaml"))
        done = subprocess.run([NODES, *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              timeout=60)
        check("the YAML reader takes all", done.stderr.decode() if done.returncode else None)
        read = {}
        for part in done.stdout.decode("utf-8").split("FILE ")[1:]:
            path, *lines = part.split("\n")[:-1]
            read[path] = lines
        taken = 0
        for case, path in zip(cases, paths):
            name, lines = case["id"], read.get(path)
            if lines == ["refused"]:
                continue
            taken += 1
            if "error" in case:
                problem = None if name in LENIENT else "it is an error, and read as %s" % lines
            else:
                wanted = expected(case["events"])
                good = lines == wanted or lines == DIFFERENT.get(name)
                problem = None if good else "it is read as %s\nnot as %s" % (lines, wanted)
            check(name + " is read as the suite says", problem)
        print("# %d of %d documents are read, the others refused" % (taken, len(cases)))
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
