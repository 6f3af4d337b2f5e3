#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts instructions (valgrind --tool=callgrind) of check, gen and expect on the examples and on large
generated topologies, beside a loop that only reads the YAML events of the same file; peak memory; and
what a start costs.

Environment: SPMTOPO, BARE_LOOP: the programs; srcdir: the source directory.
Exit status 1 where a figure falls short of what is asked.
"""

import glob
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from figures import add  # pylint: disable=wrong-import-position

SPMTOPO = os.environ.get("SPMTOPO", "./spmtopo")
BARE_LOOP = os.environ.get("BARE_LOOP", "tests/bench/bare_loop")
SRCDIR = os.environ.get("srcdir", ".")


def topology(nodes, initiators, matrix=None):
    """A guest of `nodes` nodes, the first `initiators` of them with CPUs, the others with SPM, with a
    matrix of distances and an HMAT pair from each initiator to each of `nodes` (or `matrix`) nodes."""
    out = ["spmtopo: 1", f"name: bench-{nodes}",
           "machine: {type: q35, accel: tcg, cpu: max}", "boot: {firmware: qboot}",
           f"cpus: {initiators}", "nodes:"]
    for n in range(nodes):
        if n < initiators:
            out.append(f"  - {{id: {n}, cpus: {n}, memory: 256MiB}}")
        else:
            out.append(f"  - {{id: {n}, initiator: {n % initiators}, "
                       f"memory: {{size: 128MiB, type: spm}}}}")
    out.append("distances:")
    for i in range(nodes):
        row = ", ".join(str(10 if i == j else 11 + (i * 7 + j * 13) % 200) for j in range(nodes))
        out.append(f"  - [{row}]")
    out += ["hmat:", "  performance:"]
    for i in range(initiators):
        for j in range(nodes):
            out.append(f"    - {{from: {i}, to: {j}, latency: {100 + (i + j) % 50}ns, "
                       f"bandwidth: {10 + (i * j) % 90}GiB/s}}")
    return "\n".join(out) + "\n"


def instructions(*command):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
                              *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True, check=False)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"bench: {' '.join(command)}: status {run.returncode}\n{run.stderr}")
    return int(found.group(1))


def peak_memory(*command):
    """KiB of the largest resident set: the middle of nine runs, as where pages lie changes it a little."""
    found = []
    for _ in range(9):
        run = subprocess.run(["/usr/bin/time", "-f", "%M", *command], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, check=False)
        if run.returncode != 0:
            sys.exit(f"bench: {' '.join(command)}: status {run.returncode}\n{run.stderr}")
        found.append(int(run.stderr.strip().splitlines()[-1]))
    return statistics.median(found)


COMMANDS = {
    "check": lambda path: (SPMTOPO, "check", path, "--target", "qemu", "-q"),
    "gen": lambda path: (SPMTOPO, "gen", path, "--target", "qemu", "-q"),
    "expect": lambda path: (SPMTOPO, "expect", path, "--format", "raw", "--table", "hmat", "-q"),
}
SIZES = {"16-nodes": (16, 8), "32-nodes": (32, 16), "64-nodes": (64, 32), "128-nodes": (128, 64)}


def main():
    for tool in ("valgrind", "/usr/bin/time"):
        if not shutil.which(tool):
            sys.exit(f"bench: {tool} is missing")
    row = "{:18} {:>8} {:>12}" + 3 * " {:>12} {:>5}" + " {:>9}"
    print(row.format("file", "bytes", "bare loop", "check", "", "gen", "", "expect", "", "peak KiB"))
    sizes, counts, peaks = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(glob.glob(os.path.join(SRCDIR, "examples", "*.yaml")))
        for name, args in SIZES.items():
            files.append(os.path.join(folder, name + ".yaml"))
            with open(files[-1], "w", encoding="utf-8") as file:
                file.write(topology(*args))
        for path in files:
            name = os.path.basename(path)[:-5]
            sizes[name] = os.path.getsize(path)
            bare = instructions(BARE_LOOP, path)
            counts[name] = {"bare": bare}
            cells = []
            for command, words in COMMANDS.items():
                count = counts[name][command] = instructions(*words(path))
                cells += [f"{count:,}", f"{count / bare:.2f}"]
            peaks[name] = max(peak_memory(*words(path)) for words in COMMANDS.values())
            print(row.format(name, sizes[name], f"{bare:,}", *cells, f"{peaks[name]:,}"))
    print()

    small, large = counts["hbm-guest"], counts["128-nodes"]
    reached = True
    for command in COMMANDS:
        reached &= add(f"{command} on hbm-guest, over only parsing it", small[command] / small["bare"],
                       "<=", 2)
        reached &= add(f"{command} on 128 nodes, over only parsing it", large[command] / large["bare"],
                       "<=", 1.3)
    for half, whole in (("16", "32"), ("32", "64"), ("64", "128")):
        for command in COMMANDS:
            each = [counts[f"{n}-nodes"][command] / sizes[f"{n}-nodes"] for n in (half, whole)]
            reached &= add(f"{command}, a byte of {whole} nodes over one of {half}", each[1] / each[0],
                           "<=", 1.1)
    reached &= add("peak memory on 128 nodes, over the file",
                   peaks["128-nodes"] * 1024 / sizes["128-nodes"], "<=", 12)
    # A program that does nothing but link the same libraries is the bare loop on an empty file.
    with tempfile.NamedTemporaryFile(suffix=".yaml") as empty:
        reached &= add("--version, over the bare loop on nothing",
                       instructions(SPMTOPO, "--version") / instructions(BARE_LOOP, empty.name),
                       "<=", 2)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
