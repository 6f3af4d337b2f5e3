#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what the documents say of the rules, from `spmtopo rules --format json`.

    rules-doc.py             writes docs/rules.md, and the list of rules in man/spmtopo-rules.7
    rules-doc.py --check     writes nothing; shows what differs, and exits with 1 where something does

The list in the manual is what stands between the lines '.\\" rules:' and '.\\" end'.
Environment: SPMTOPO, the program (build/spmtopo). Exit status 2: the rules or a page cannot be read.
"""

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import textwrap

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = "docs/rules.md"
MANUAL = "man/spmtopo-rules.7"
BEGIN, END = '.\\" rules:', '.\\" end'

HUNDREDS = {
    "1": "syntax and language",
    "2": "CPUs and nodes",
    "3": "sizes, alignment, addresses",
    "4": "placement of SPM",
    "5": "distances and HMAT",
    "6": "what a target or a version cannot hold",
    "7": "firmware and guest",
    "8": "host placement and backends",
}
TARGETS = ["qemu", "libvirt", "cloud-hypervisor"]

INTRODUCTION = """\
# The rules

<!-- Made by tools/rules-doc.py from `spmtopo rules --format json`: change src/rules.c, then run
     `make -C build update-docs`. -->

`spmtopo check` holds a topology against {count} rules: {counts}.
`spmtopo rules` lists them, and `spmtopo explain RULE` prints one of the sections below. Ids and names never
change their meaning.

An *error* cannot work, or would silently be something else; but for those of firmware and the guest (SPM41x, SPM70x) it cannot be turned off. A *warning* is likely
wrong, a *note* is good to know: `rules:` in the file and the options `-W` and `--Werror` turn both off or
make them harder, and a comment `# spmtopo-allow: NAME` allows them on a line. Where a rule does not concern
every target, its section says which it does. libvirt runs QEMU: what QEMU refuses concerns both.
"""


class Problem(Exception):
    """The rules or a page cannot be read."""


def read_rules(program):
    """The rules in order of their ids."""
    try:
        run = subprocess.run([program, "rules", "--format", "json"], stdout=subprocess.PIPE, check=True)
        rules = json.loads(run.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError) as why:
        raise Problem(f"no rules from '{program}': {why}") from why
    for rule in rules:
        if not re.fullmatch(r"SPM[1-8]\d\d", rule["id"]):
            raise Problem(f"'{rule['id']}' is of no known hundred")
    if not rules:
        raise Problem(f"'{program}' has no rules")
    return sorted(rules, key=lambda rule: rule["id"])


def read_page(name):
    try:
        with open(os.path.join(TOP, name), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as why:
        raise Problem(f"cannot read {name}: {why}") from why


def write_page(name, text):
    path = os.path.join(TOP, name)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)
    except OSError as why:
        raise Problem(f"cannot write {name}: {why}") from why


def some_targets(rule):
    """The targets of a rule that does not concern all of them, else ''."""
    return "" if rule["targets"] == TARGETS else ", ".join(rule["targets"])


# --- the page ---------------------------------------------------------------------------------------

def markdown(text):
    """Plain text as Markdown that shows the same; a line that would begin a list or a heading stays text."""
    text = re.sub(r"[\\`*<>|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\[(?=[^\]]*\][\[(:])|&(?=#?\w+;)",
                  lambda match: "\\" + match[0], text)
    text = re.sub(r"^(\s*)([-+=#])", r"\1\\\2", text, flags=re.M)
    return re.sub(r"^(\s*\d+)([.)])(?=\s|$)", r"\1\\\2", text, flags=re.M)


def plural(count, word):
    return f"{count} {word}" + ("" if count == 1 else "s")


def anchor(heading):
    """The fragment that GitHub and GitLab give a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def section(rule):
    out = [f"### {rule['id']} {rule['name']}", ""]
    targets = some_targets(rule)
    out += [f"**{rule['severity']}**" + (f" ({targets})" if targets else "") +
            f": {markdown(rule['summary'])}", ""]
    if rule["explanation"].strip():
        out += [markdown(rule["explanation"].strip("\n")), ""]
    for title, key in (("It is found here:", "bad"), ("It is not found here:", "good")):
        if rule[key].strip():
            out += [title, "", "```yaml", rule[key].rstrip("\n"), "```", ""]
    return out


def page(rules):
    by_severity = [plural(sum(rule["severity"] == severity for rule in rules), severity)
                   for severity in ("error", "warning", "note")]
    out = [INTRODUCTION.format(count=len(rules),
                               counts=f"{by_severity[0]}, {by_severity[1]} and {by_severity[2]}")]
    groups = [(digit, f"SPM{digit}xx: {title}", [rule for rule in rules if rule["id"][3] == digit])
              for digit, title in HUNDREDS.items()]
    for _, title, members in groups:
        if not members:
            continue
        out += [f"- [{title}](#{anchor(title)})"]
        out += [f"  - [{rule['id']} {rule['name']}](#{anchor(rule['id'] + ' ' + rule['name'])})"
                for rule in members]
    out.append("")
    for _, title, members in groups:
        if members:
            out += [f"## {title}", ""]
        for rule in members:
            out += section(rule)
    return "\n".join(out).rstrip("\n") + "\n"


# --- the manual -------------------------------------------------------------------------------------

def mdoc(text):
    """Lines of plain text as lines of mdoc."""
    lines = textwrap.wrap(text.replace("\\", "\\e"), 79, break_long_words=False, break_on_hyphens=False)
    return ["\\&" + line if line[0] in ".'" else line for line in lines]


def manual_list(rules):
    out = [".Bl -tag -width Ds"]
    for rule in rules:
        out.append(f".It Cm {rule['id']} {rule['name']} Pq {rule['severity']}")
        targets = some_targets(rule)
        out += mdoc(rule["summary"] + (f" ({targets})" if targets else ""))
    return out + [".El"]


def manual(rules):
    """The manual with a new list."""
    lines = read_page(MANUAL).split("\n")
    if lines.count(BEGIN) != 1:
        raise Problem(f"{MANUAL} has {lines.count(BEGIN)} lines '{BEGIN}', not one")
    begin = lines.index(BEGIN)
    if END not in lines[begin:]:
        raise Problem(f"{MANUAL} has no line '{END}' behind '{BEGIN}'")
    end = lines.index(END, begin)
    return "\n".join(lines[:begin + 1] + manual_list(rules) + lines[end:])


def main():
    parser = argparse.ArgumentParser(description="Writes what the documents say of the rules.")
    parser.add_argument("--check", action="store_true",
                        help="write nothing, exit with 1 where a page differs")
    check = parser.parse_args().check
    program = os.environ.get("SPMTOPO") or os.path.join(TOP, "build", "spmtopo")
    rules = read_rules(program)
    differ = False
    for name, text in ((PAGE, page(rules)), (MANUAL, manual(rules))):
        old = read_page(name)
        if old == text:
            continue
        differ = True
        if check:
            print(f"{name} is not what the rules say: run 'make -C build update-docs'")
            difference = difflib.unified_diff(old.split("\n"), text.split("\n"), name,
                                              name + " as it should be", lineterm="", n=1)
            print("\n".join(difference))
        else:
            write_page(name, text)
            print(f"{name} is rewritten")
    return 1 if check and differ else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        print(f"rules-doc.py: {problem}", file=sys.stderr)
        sys.exit(2)
