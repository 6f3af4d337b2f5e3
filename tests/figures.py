#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Figures that this project promises: what is reached, what is asked.

    figures.py add NAME VALUE '<=' BOUND     notes one; status 1 where it falls short and is not noted
    figures.py table FILE                    prints all that a file holds; status 1 where one falls short

SPMTOPO_FIGURES names the file that figures are noted in; without it they are only printed. With it a figure
that falls short ends nothing: the table does, when all have been measured.
"""

import os
import sys

HOLDS = {"<=": lambda value, bound: value <= bound, ">=": lambda value, bound: value >= bound}
ROW = "{:52} {:>12} {:>12}  {}"


def add(name, value, relation, bound):
    """Prints a figure, notes it, and returns whether what asks may go on."""
    reached = HOLDS[relation](value, bound)
    shown = f"{value:,.0f}" if value == int(value) else f"{value:,.3f}"
    row = (name, shown, f"{relation} {bound:,g}", "reached" if reached else "FALLS SHORT")
    print(ROW.format(*row), flush=True)
    if "SPMTOPO_FIGURES" in os.environ:
        with open(os.environ["SPMTOPO_FIGURES"], "a", encoding="utf-8") as file:
            file.write("\t".join(row) + "\n")
        return True
    return reached


def table(path):
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    print(ROW.format("figure", "reached", "asked", ""))
    for row in rows:
        print(ROW.format(*row))
    short = [row[0] for row in rows if row[3] != "reached"]
    print(f"{len(rows)} figures, {len(short)} fall short" + "".join(f"; {name}" for name in short))
    return bool(short) or not rows


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "add" and sys.argv[4] in HOLDS:
        return not add(sys.argv[2], float(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
    if len(sys.argv) == 3 and sys.argv[1] == "table":
        return table(sys.argv[2])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
