#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spmtopo check` over many generated files, beside yamllint and xmllint --relaxng on equivalents.

Environment: SPMTOPO, srcdir; CHECK_BENCH_FILES: how many files (10000).
Prints files per second on one core, the peak memory over a tenth of the files and over all of them, and
the gain of --jobs 2. Exit status 1 where a bound is missed: at least 20 times yamllint, memory that
grows by the names of the files alone, near twice the speed with two jobs (where there are two cores).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from figures import add  # pylint: disable=wrong-import-position

SPMTOPO = os.environ.get("SPMTOPO", "./spmtopo")
SRCDIR = os.environ.get("srcdir", ".")
# A path here, a pointer to it and a flag, and the allocator's share.
NAME_BYTES = 96
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


def timed(command, cores=None):
    """(seconds, peak KiB); the command must find nothing."""
    if cores:
        command = ["taskset", "-c", cores] + command
    began = time.monotonic()
    run = subprocess.run(["/usr/bin/time", "-f", "%M"] + command, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True, check=False)
    seconds = time.monotonic() - began
    if run.returncode:
        sys.exit(f"check_bench: {command[:4]}: status {run.returncode}\n{run.stderr[-2000:]}")
    return seconds, int(run.stderr.strip().splitlines()[-1])


def main():
    for tool in ("yamllint", "xmllint", "taskset", "/usr/bin/time"):
        if not shutil.which(tool):
            sys.exit(f"check_bench: {tool} is missing")
    with tempfile.TemporaryDirectory() as folder:
        for kind, text in (("yaml", as_yaml), ("xml", as_xml)):
            os.mkdir(f"{folder}/{kind}")
            for i in range(FILES):
                # A tenth of the files in a folder of its own, for the growth of memory.
                part = "few" if i % 10 == 0 else "rest"
                os.makedirs(f"{folder}/{kind}/{part}", exist_ok=True)
                with open(f"{folder}/{kind}/{part}/{i:05}.{kind}", "w", encoding="utf-8") as file:
                    file.write(text(i))
        rng = os.path.join(SRCDIR, "tests", "bench", "topology.rng")
        check = [SPMTOPO, "check", "-q", "--target", "qemu"]
        timed(check + [f"{folder}/yaml/few"])
        _, few_memory = timed(check + [f"{folder}/yaml/few"], "0")
        one, memory = timed(check + [f"{folder}/yaml"], "0")
        two, _ = timed(check + ["--jobs", "2", f"{folder}/yaml"])
        # yamllint is slow: a tenth tells its speed.
        lint, _ = timed(["yamllint", "-d", "{extends: relaxed, rules: {line-length: disable}}",
                         f"{folder}/yaml/few"], "0")
        names = []
        for part in ("few", "rest"):
            names += [f"{folder}/xml/{part}/{name}" for name in sorted(os.listdir(f"{folder}/xml/{part}"))]
        xml, _ = timed(["xmllint", "--noout", "--relaxng", rng] + names, "0")

    speeds = {"spmtopo check": FILES / one, "spmtopo check --jobs 2": FILES / two,
              "yamllint": FILES / 10 / lint, "xmllint --relaxng": FILES / xml}
    for name, speed in speeds.items():
        print(f"{name:24} {speed:10.0f} files per second")
    print(f"peak memory: {few_memory} KiB over {FILES // 10} files, {memory} KiB over {FILES}")
    reached = add("check, times yamllint's speed", speeds["spmtopo check"] / speeds["yamllint"], ">=", 20)
    reached &= add("check, gain of two jobs", one / two, ">=", 1.6 if os.cpu_count() > 1 else 0)
    reached &= add("check, memory over a tenth of the files, over all",
                   few_memory / (memory - NAME_BYTES * (FILES - FILES // 10) / 1024), ">=", 0.95)
    print(f"memory a file: {(memory - few_memory) * 1024 / (FILES - FILES // 10):.0f} bytes, "
          f"of which {NAME_BYTES} are its name, to report in order")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
