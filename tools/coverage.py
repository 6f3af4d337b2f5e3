# SPDX-License-Identifier: MIT
"""Prints the lines and branches of src/ that tests reached, from what gcov counted in a build folder:
    coverage.py BUILD [--lines FILE]
Names each file that is below the bounds; with --lines the lines of a file that nothing reached. Needs gcovr."""

import json
import os
import subprocess
import sys

LINES, BRANCHES = 95.0, 85.0
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOP + "/tests")
from figures import add  # pylint: disable=wrong-import-position


def gcovr(build, *options):
    return subprocess.run(["gcovr", "--root", TOP, "--object-directory", build, "--filter", TOP + "/src/",
                           "--exclude-throw-branches", "--exclude-unreachable-branches", *options, build],
                          stdout=subprocess.PIPE, check=True).stdout


def ranges(numbers):
    out = []
    for n in sorted(numbers):
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return " ".join(str(a) if a == b else "%d-%d" % (a, b) for a, b in out)


def main():
    build = sys.argv[1]
    wanted = sys.argv[3:] if sys.argv[2:3] == ["--lines"] else []
    report = json.loads(gcovr(build, "--json", "-"))
    total = [0, 0, 0, 0]
    rows = []
    for file in report["files"]:
        lines = [line for line in file["lines"] if not line.get("gcovr/noncode")]
        branches = [b for line in lines for b in line["branches"]]
        figures = [sum(line["count"] > 0 for line in lines), len(lines),
                   sum(b["count"] > 0 for b in branches), len(branches)]
        total = [a + b for a, b in zip(total, figures)]
        rows.append((file["file"], figures))
        if os.path.basename(file["file"]) in wanted:
            print("%s: not reached: %s" % (file["file"], ranges(l["line_number"] for l in lines if not l["count"])))
            print("%s: half taken:  %s" % (file["file"], ranges(
                l["line_number"] for l in lines if l["count"] and any(not b["count"] for b in l["branches"]))))

    def percent(part, whole):
        return 100.0 * part / whole if whole else 100.0

    def row(name, figures):
        a, b, c, d = figures
        below = percent(a, b) < LINES or percent(c, d) < BRANCHES
        print("%-28s lines %6.2f %%  branches %6.2f %%%s" % (name, percent(a, b), percent(c, d),
                                                            "  below" if below else ""))
        return below
    if not wanted:
        print("asked: lines %.0f %%, branches %.0f %%" % (LINES, BRANCHES))
        for name, figures in sorted(rows, key=lambda r: percent(r[1][2], r[1][3])):
            row(name, figures)
        row("all of src/", total)
        lines = add("coverage of src/, % of lines", percent(*total[:2]), ">=", LINES)
        branches = add("coverage of src/, % of branches", percent(*total[2:]), ">=", BRANCHES)
        return not (lines and branches)
    return 0


if __name__ == "__main__":
    sys.exit(main())
