#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the completions of bash, zsh and fish from the program's own help.

    completions.py             writes completions/
    completions.py --check     writes nothing; shows what differs, and exits with 1 where something does

Commands, options and what they do are those of --help. A word of an option's help is a value of it where
the program takes it as one. Names of rules are not written down: `spmtopo rules` is asked when they are needed.
Environment: SPMTOPO, the program (build/spmtopo). Exit status 2: the program cannot be asked.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.environ.get("SPMTOPO") or os.path.join(TOP, "build", "spmtopo")
MADE = "Made by tools/completions.py from spmtopo's own help: run 'make -C build update-docs'."
RULES = "spmtopo rules 2>/dev/null | while read -r _ name _; do echo \"$name\"; done"
OPTION = re.compile(r" {2,6}(?:-(?P<short>\S)(?:, | (?P<separate>\S+))?)?(?:--(?P<long>[\w-]+)"
                    r"(?P<optional>\[)?(?:=(?P<arg>[\w.]+))?\]?)? +(?P<doc>\S.*)")
FILES = {"FILE", "SOURCE", "SOCKET", "FILE..."}


class Problem(Exception):
    """The program cannot be asked."""


def ask(*arguments):
    try:
        return subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as why:
        raise Problem(f"no answer from '{PROGRAM}': {why}") from why


class Option:
    """An option of one command."""

    def __init__(self, command, match):
        self.short, self.long, self.doc = match["short"], match["long"], match["doc"]
        self.arg = match["arg"] or match["separate"]
        self.optional = bool(match["optional"])
        self.command = command
        self.values = []

    def complete(self):
        """Once the help is whole: which of its words are values."""
        if not self.arg or self.arg in FILES or "RULE" in self.arg or self.arg in ("N", "VERSION"):
            return
        for word in dict.fromkeys(re.findall(r"[a-z][a-z0-9-]*", self.doc)):
            refused = re.search(r"is not a (value|format) of|has no target", ask(self.command, f"--{self.long}={word}", "-").stderr)
            if not refused:
                self.values.append(word)
        if not self.values:
            raise Problem(f"no value of --{self.long} of {self.command} is in its help")


class Command:
    """A command with its options."""

    def __init__(self, name, doc):
        self.name, self.doc, self.options = name, doc, []
        lines = ask(name, "--help").stdout.splitlines()
        usage = re.match(r"Usage: spmtopo \S+ \[OPTION\.\.\.\] ?(\S*)", lines[0])
        self.arg = usage[1]
        for line in lines:
            match = OPTION.fullmatch(line)
            if match and (match["short"] or match["long"]):
                self.options.append(Option(name, match))
            elif re.match(r" {29}\S", line):
                self.options[-1].doc += " " + line.strip()
        for option in self.options:
            option.complete()


def commands():
    listed = re.findall(r"^  (\w+) +(.*)$", ask("--help").stdout.split("Commands:")[1], flags=re.M)
    if not listed:
        raise Problem(f"'{PROGRAM}' has no commands")
    return [Command(name, doc) for name, doc in listed]


def quoted(text):
    """A word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


# --- bash -------------------------------------------------------------------------------------------

BASH = r"""# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash completion for spmtopo. %(made)s

_spmtopo_rules()
{
    %(rules)s
}

_spmtopo()
{
    local cur=${COMP_WORDS[COMP_CWORD]} option='' command=${COMP_WORDS[1]} kind='' words='' word
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='%(commands)s --help --version'
    else
        # Bash takes "=" for a word of its own.
        if [ "$cur" = = ]; then
            cur='' option=${COMP_WORDS[COMP_CWORD - 1]}
        elif [ "${COMP_WORDS[COMP_CWORD - 1]}" = = ]; then
            option=${COMP_WORDS[COMP_CWORD - 2]}
        elif [ "${COMP_WORDS[COMP_CWORD - 1]}" != --Werror ]; then
            option=${COMP_WORDS[COMP_CWORD - 1]}
        fi
        case "$command $option" in
%(values)s
        *)
            case $command in
%(options)s
            esac
            ;;
        esac
    fi
    case $kind in
    files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
        ;;
    rules)
        words="$words $(_spmtopo_rules)"
        ;;
    no-rules)
        words="$words $(_spmtopo_rules) $(_spmtopo_rules | while read -r word; do echo "no-$word"; done)"
        ;;
    esac
    [ -z "$words" ] || while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$cur")
    [ "${#COMPREPLY[@]}" -ne 1 ] || [ "${COMPREPLY[0]%%=}" = "${COMPREPLY[0]}" ] || compopt -o nospace 2>/dev/null
}
complete -F _spmtopo spmtopo
"""


def bash(all_commands):
    values, options = [], []
    for command in all_commands:
        names = []
        for o in command.options:
            long = f"--{o.long}" + ("=" if o.arg and not o.optional else "") if o.long else f"-{o.short}"
            names.append(long)
            if not o.arg:
                continue
            patterns = " | ".join(quoted(f"{command.name} {n}") for n in
                                  ([f"--{o.long}"] if o.long else []) + ([f"-{o.short}"] if o.short else []))
            does = f"kind={kind(o.arg)}" if kind(o.arg) else f"words={quoted(' '.join(o.values))}"
            values.append(f"        {patterns}) {does} ;;")
        does = {"": "", "files": "kind=files", "rules": "kind=rules"}[kind(command.arg)]
        # shellcheck-clean: options where a dash begins, else the arguments
        options.append(f"            {command.name}) case $cur in -*) words={quoted(' '.join(names))} ;; "
                       f"*) {does or ':'} ;; esac ;;")
    return BASH % {"made": MADE, "rules": RULES, "commands": " ".join(c.name for c in all_commands),
                   "values": "\n".join(values), "options": "\n".join(options)}


def kind(arg):
    """What an argument is that is not one of a few words."""
    if arg in FILES:
        return "files"
    return {"RULE": "rules", "[no-]RULE": "no-rules"}.get(arg, "")


# --- zsh --------------------------------------------------------------------------------------------

def zsh_text(text):
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def zsh_action(arg, values):
    does = {"files": "_files", "rules": "_spmtopo_rules", "no-rules": "_spmtopo_no_rules"}.get(kind(arg), "")
    return f":{zsh_text(arg)}:" + (does or (f"({' '.join(values)})" if values else ""))


def zsh(all_commands):
    out = ["#compdef spmtopo", "# SPDX-License-Identifier: MIT", f"# zsh completion for spmtopo. {MADE}", "",
           "_spmtopo_rules() {", "    local -a names", f"    names=(${{(f)\"$({RULES})\"}})",
           "    compadd -a names", "}", "", "_spmtopo_no_rules() {", "    local -a names",
           f"    names=(${{(f)\"$({RULES})\"}})", "    compadd -a names", "    compadd -- no-${^names}", "}", "",
           "_spmtopo() {", "    local -a commands", "    commands=("]
    out += ["        " + quoted(f"{c.name}:{zsh_text(c.doc)}") for c in all_commands]
    out += ["    )", "    if (( CURRENT == 2 )); then", "        _describe command commands", "        return",
            "    fi", "    local command=$words[2]", "    shift words", "    (( CURRENT-- ))", "    case $command in"]
    for command in all_commands:
        out += [f"    {command.name})", "        _arguments -S \\"]
        for o in command.options:
            doc = f"[{zsh_text(o.doc)}]"
            for name in ([f"--{o.long}"] if o.long else []) + ([f"-{o.short}"] if o.short else []):
                form = name
                if o.arg:
                    form += "=-" if o.optional else "=" if name.startswith("--") else "+"
                out.append("            " + quoted(form + doc + (
                    (":" if o.optional else "") + zsh_action(o.arg, o.values) if o.arg else "")) + " \\")
        many = "*" if command.arg.endswith("...") else "1"
        out.append("            " + quoted(f"{many}{zsh_action(command.arg, [])}") if command.arg else "            && return")
        out.append("        ;;")
    return "\n".join(out + ["    esac", "}", "", "_spmtopo \"$@\""]) + "\n"


# --- fish -------------------------------------------------------------------------------------------

def fish_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(all_commands):
    rules = "(spmtopo rules 2>/dev/null | string replace -rf '^\\s*\\S+\\s+(\\S+).*' '$1')"
    no_rules = "(spmtopo rules 2>/dev/null | string replace -rf '^\\s*\\S+\\s+(\\S+).*' 'no-$1')"
    out = ["# SPDX-License-Identifier: MIT", f"# fish completion for spmtopo. {MADE}", "", "complete -c spmtopo -f"]
    for c in all_commands:
        out.append(f"complete -c spmtopo -n __fish_use_subcommand -a {c.name} -d {fish_text(c.doc)}")
    for c in all_commands:
        seen = f"complete -c spmtopo -n '__fish_seen_subcommand_from {c.name}'"
        for o in c.options:
            line = seen + (f" -s {fish_text(o.short)}" if o.short else "") + (f" -l {o.long}" if o.long else "")
            if o.arg and not o.optional:
                line += " -rF" if kind(o.arg) == "files" else " -x"
            if kind(o.arg) in ("rules", "no-rules"):
                line += f" -a {fish_text(rules)}"
            elif o.values:
                line += f" -a {fish_text(' '.join(o.values))}"
            out.append(line + f" -d {fish_text(o.doc)}")
            if kind(o.arg) == "no-rules":
                out.append(seen + f" -s {o.short} -x -a {fish_text(no_rules)}")
        if kind(c.arg) == "files":
            out.append(seen + " -F")
        elif kind(c.arg) == "rules":
            out.append(seen + f" -a {fish_text(rules)}")
    return "\n".join(out) + "\n"


FORMS = {"completions/bash/spmtopo": bash, "completions/zsh/_spmtopo": zsh, "completions/fish/spmtopo.fish": fish}


def main():
    parser = argparse.ArgumentParser(description="Writes the completions of shells.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 where one differs")
    check = parser.parse_args().check
    all_commands = commands()
    differ = False
    for name, make in FORMS.items():
        path = os.path.join(TOP, name)
        text = make(all_commands)
        old = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                old = file.read()
        if old == text:
            continue
        differ = True
        if check:
            print(f"{name} is not what the program's help says: run 'make -C build update-docs'")
            print("\n".join(difflib.unified_diff(old.split("\n"), text.split("\n"), name,
                                                 name + " as it should be", lineterm="", n=1)))
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            print(f"{name} is rewritten")
    return 1 if check and differ else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        print(f"completions.py: {problem}", file=sys.stderr)
        sys.exit(2)
