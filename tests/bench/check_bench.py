#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spmtopo check` over many generated files, beside yamllint and xmllint --relaxng on equivalents.

Environment: SPMTOPO, srcdir; CHECK_BENCH_FILES: how many files (10000).
Prints files per second on one core, the gain of --jobs 2, and what memory a further file takes. Exit
status 1 where a bound is missed: at least 20 times yamllint, memory that grows by the paths of the files
alone, near twice the speed with two jobs (where there are two cores).

Memory is the most of the heap at once, in bytes, as valgrind --tool=dhat counts it: the same with every
run, which the resident set is not. Of times the best of three counts: other work only makes them longer.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from figures import add  # pylint: disable=wrong-import-position

SPMTOPO = os.environ.get("SPMTOPO", "./spmtopo")
SRCDIR = os.environ.get("srcdir", ".")
FILES = int(os.environ.get("CHECK_BENCH_FILES", "10000"))


def numbers(i):
    """Nodes with CPUs, nodes with SPM, and a size for file number i."""
    return 1 + i % 4, i % 5, 1 + i % 7


def as_yaml(i):
    cpu_nodes, spm_nodes, gib = numbers(i)
    out = ["---", "spmtopo: 1", f"name: guest-{i}", "machine: {type: q35, accel: tcg, cpu: max}",
           f"cpus: {cpu_nodes * 2}", "nodes:"]
    for n in range(cpu_nodes):
        out += [f"  - id: {n}", f"    cpus: {2 * n}-{2 * n + 1}", f"    memory: {gib}GiB"]
    for n in range(spm_nodes):
        out += [f"  - id: {cpu_nodes + n}", "    initiator: 0",
                f"    memory: {{size: {gib}GiB, type: spm}}"]
    out += ["hmat:", "  performance:"]
    for f in range(cpu_nodes):
        for t in range(cpu_nodes + spm_nodes):
            out.append(f"    - {{from: {f}, to: {t}, latency: {100 + 10 * t}ns, bandwidth: 100GiB/s}}")
    return "\n".join(out) + "\n"


def as_xml(i):
    cpu_nodes, spm_nodes, gib = numbers(i)
    out = ["<?xml version='1.0'?>", "<topology version='1'>", f"  <name>guest-{i}</name>",
           "  <machine type='q35' accel='tcg' cpu='max'/>", f"  <cpus count='{cpu_nodes * 2}'/>",
           "  <nodes>"]
    for n in range(cpu_nodes):
        out.append(f"    <node id='{n}' cpus='{2 * n}-{2 * n + 1}'><memory size='{gib}' type='normal'/></node>")
    for n in range(spm_nodes):
        out.append(f"    <node id='{cpu_nodes + n}' initiator='0'><memory size='{gib}' type='spm'/></node>")
    out += ["  </nodes>", "  <hmat>"]
    for f in range(cpu_nodes):
        for t in range(cpu_nodes + spm_nodes):
            out.append(f"    <pair from='{f}' to='{t}' latency='{100 + 10 * t}' bandwidth='100'/>")
    return "\n".join(out + ["  </hmat>", "</topology>"]) + "\n"


def ran(command):
    """What the command wrote on standard error; it must find nothing."""
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        sys.exit(f"check_bench: {command[:8]}: status {run.returncode}\n{run.stderr[-2000:]}")
    return run.stderr


def seconds(command, times=3):
    """The shortest of that many runs."""
    best = float("inf")
    for _ in range(times):
        began = time.monotonic()
        ran(command)
        best = min(best, time.monotonic() - began)
    return best


def heap(command):
    """Bytes of heap, at their most."""
    report = ran(["valgrind", "--tool=dhat", "--dhat-out-file=/dev/null", *command])
    return int(re.search(r"At t-gmax: ([\d,]+) bytes", report).group(1).replace(",", ""))


def main():
    for tool in ("yamllint", "xmllint", "taskset", "valgrind"):
        if not shutil.which(tool):
            sys.exit(f"check_bench: {tool} is missing")
    core = ["taskset", "-c", "0"]
    check = [SPMTOPO, "check", "-q", "--target", "qemu"]
    with tempfile.TemporaryDirectory() as folder:
        for kind, text in (("yaml", as_yaml), ("xml", as_xml)):
            for i in range(FILES):
                # A tenth of the files in a folder of its own, and a tenth of these again.
                part = "rest" if i % 10 else "few/rest" if i % 100 else "few/fewer"
                os.makedirs(f"{folder}/{kind}/{part}", exist_ok=True)
                with open(f"{folder}/{kind}/{part}/{i:05}.{kind}", "w", encoding="utf-8") as file:
                    file.write(text(i))
        rng = os.path.join(SRCDIR, "tests", "bench", "topology.rng")
        one = seconds(core + check + [f"{folder}/yaml"])
        two = seconds(check + ["--jobs", "2", f"{folder}/yaml"])
        # yamllint is slow: a tenth tells its speed, and once is enough.
        lint = seconds(core + ["yamllint", "-d", "{extends: relaxed, rules: {line-length: disable}}",
                               f"{folder}/yaml/few"], 1)
        names = sorted(glob.glob(f"{folder}/xml/**/*.xml", recursive=True))
        xml = seconds(core + ["xmllint", "--noout", "--relaxng", rng] + names)
        more = sorted(glob.glob(f"{folder}/yaml/few/rest/*.yaml"))
        fewer, few = heap(check + [f"{folder}/yaml/few/fewer"]), heap(check + [f"{folder}/yaml/few"])

    speeds = {"spmtopo check": FILES / one, "spmtopo check --jobs 2": FILES / two,
              "yamllint": FILES / 10 / lint, "xmllint --relaxng": FILES / xml}
    for name, speed in speeds.items():
        print(f"{name:24} {speed:10.0f} files per second")
    each, path = (few - fewer) / len(more), len(more[0])
    print(f"heap: {fewer} bytes over {FILES // 100} files, {few} over {FILES // 10}: "
          f"{each:.0f} bytes a file, whose path has {path}")
    reached = add("check, times yamllint's speed", speeds["spmtopo check"] / speeds["yamllint"], ">=", 20)
    reached &= add("check, gain of two jobs", one / two, ">=", 1.6 if os.cpu_count() > 1 else 0)
    # The path with its end, a pointer to it and a flag, in a list that grows by doubling.
    reached &= add("check, memory of a further file, over its path's", each / (path + 1 + 16), "<=", 1.5)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
