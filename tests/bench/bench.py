#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts instructions (valgrind --tool=callgrind) of gen and expect on the examples and on large
generated topologies, beside a loop that only reads the YAML events of the same file.

Environment: SPMTOPO, BARE_LOOP: the programs; srcdir: the source directory.
Exit status 1 where a bound is missed: gen on the large file at most 1.5 times the bare loop, and
work that grows with the size of the file, not faster.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

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
    """KiB of the largest resident set, from GNU time; 0 where it is not installed."""
    try:
        run = subprocess.run(["/usr/bin/time", "-f", "%M", *command], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        return 0
    return int(run.stderr.strip().splitlines()[-1])


def main():
    row = "{:28} {:>9} {:>14} {:>14} {:>6} {:>14} {:>6}"
    print(row.format("file", "bytes", "bare loop", "gen", "ratio", "expect", "ratio"))
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(glob.glob(os.path.join(SRCDIR, "examples", "*.yaml")))
        for name, args in {"16-nodes": (16, 8), "32-nodes": (32, 16), "64-nodes": (64, 32),
                           "128-nodes": (128, 64)}.items():
            path = os.path.join(folder, name + ".yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(topology(*args))
            files.append(path)
        for path in files:
            size = os.path.getsize(path)
            bare = instructions(BARE_LOOP, path)
            gen = instructions(SPMTOPO, "gen", path, "--target", "qemu", "-q")
            expect = instructions(SPMTOPO, "expect", path, "--format", "raw", "--table", "hmat", "-q")
            name = os.path.basename(path)[:-5]
            results[name] = (size, bare, gen, expect)
            print(row.format(name, size, f"{bare:,}", f"{gen:,}", f"{gen / bare:.2f}",
                             f"{expect:,}", f"{expect / bare:.2f}"))
        large = os.path.join(folder, "128-nodes.yaml")
        memory = peak_memory(SPMTOPO, "gen", large, "--target", "qemu", "-q")
        print(f"peak memory of gen on 128-nodes: {memory} KiB, "
              f"{memory * 1024 / results['128-nodes'][0]:.1f} times the file")

    size128, bare128, gen128, expect128 = results["128-nodes"]
    size64, _, gen64, expect64 = results["64-nodes"]
    checks = [
        ("gen on 128-nodes over the bare loop", gen128 / bare128, 1.5),
        ("gen per byte, 128-nodes over 64-nodes", gen128 / size128 / (gen64 / size64), 1.1),
        ("expect per byte, 128-nodes over 64-nodes", expect128 / size128 / (expect64 / size64), 1.1),
    ]
    missed = 0
    for name, value, bound in checks:
        missed += value > bound
        print(f"{'ok  ' if value <= bound else 'MISS'} {name}: {value:.2f} (asked: at most {bound})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
