#!/usr/bin/python3
"""One topology file: spmtopo's predictions against the tables of the real QEMU.

    compare.py [--accel tables|kvm] FILE...
"""

import difflib
import json
import os
import re
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True

import argv as argv_module                                # noqa: E402
import meaning                                            # noqa: E402
import qtest                                              # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
KVM_ENTRY = struct.pack("<QQI", 0xfeffc000, 0x4000, 2)


class NoProgram(Exception):
    """There is no spmtopo to prove."""


def spmtopo_program():
    given = os.environ.get("SPMTOPO")
    if given:
        if not shutil.which(given):
            raise NoProgram("SPMTOPO=%s is not a program" % given)
        return given
    for place in ("build/spmtopo", "spmtopo", "build/src/spmtopo", "src/spmtopo"):
        path = os.path.join(TOP, place)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise NoProgram("no spmtopo program: build it, or set SPMTOPO")


class Refused(Exception):
    """spmtopo printed nothing to compare."""


def run_spmtopo(*arguments):
    """(standard output, standard error) of a spmtopo that succeeds."""
    done = subprocess.run([spmtopo_program()] + list(arguments), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if done.returncode:
        raise Refused("spmtopo %s: status %d\n%s" % (" ".join(arguments), done.returncode,
                                                     done.stderr.decode("utf-8", "replace")))
    return done.stdout, done.stderr.decode("utf-8", "replace")


def predictions(path, target="qemu"):
    """{table: bytes} as spmtopo expects them for a target, and what it noted."""
    expected, noted = {}, ""
    for table in qtest.TABLES:
        expected[table], messages = run_spmtopo("expect", path, "--target", target, "--table", table,
                                                "--format", "raw")
        noted += messages
    return expected, noted


def state_vendor(topology, noted):
    """For a KVM topology that leaves the vendor open: the one spmtopo said that it assumed.

    Without such a note no table may depend on the vendor, so any will do; the
    one that adds to the tables is the one to try.
    """
    if topology.accel == "kvm" and topology.cpu_vendor is None:
        assumed = re.search(r"assumed that the host's CPU is (\w+)'s", noted)
        topology.cpu_vendor = assumed.group(1).lower() if assumed else "amd"


def difference(expected, tables, kvm_entry_missing=False):
    """Lines that show where EXPECTED ({table: bytes}) and the real TABLES differ; empty if equal.

    KVM_ENTRY_MISSING: the topology is for KVM and QEMU ran without it, so the
    prediction has KVM's entry, first, and QEMU must not; the rest is compared.
    """
    problems = []
    for table in qtest.TABLES:
        want, have = expected[table], tables.raw(table)
        if table == "e820" and kvm_entry_missing:
            if want[:20] != KVM_ENTRY:
                problems.append("e820: the prediction for KVM does not begin with feffc000+4000 reserved")
            else:
                want = want[20:]
            if KVM_ENTRY in [have[at:at + 20] for at in range(0, len(have), 20)]:
                problems.append("e820: QEMU without KVM has KVM's entry")
        if want == have:
            continue
        problems.append("%s differs: predicted %d bytes, QEMU has %d" % (table, len(want), len(have)))
        try:
            lines = list(difflib.unified_diff(qtest.describe(table, want), qtest.describe(table, have),
                                              "predicted", "QEMU", lineterm="", n=1))
        except Exception as why:                       # a prediction may be any bytes
            lines = ["(cannot be decoded: %s)" % why]
        if len(lines) < 3:
            lines = ["predicted " + want.hex(), "QEMU      " + have.hex()]
        problems += ["  " + line for line in lines[:60]]
        if len(lines) > 60:
            problems.append("  ... %d more lines" % (len(lines) - 60))
    return problems


class Verdict:
    def __init__(self, problems, notes=()):
        self.problems = list(problems)
        self.notes = list(notes)

    @property
    def ok(self):
        return not self.problems


def compare(path, qemu, accel="tables", timeout=180):
    """Everything about one file on one QEMU -> Verdict."""
    notes = []
    try:
        with open(path, encoding="utf-8") as file:
            topology = meaning.Topology(file.read())
        command = json.loads(run_spmtopo("gen", path, "--target", "qemu", "--format", "json")[0].decode())
        expected, noted = predictions(path)
        state_vendor(topology, noted)
    except Refused as why:
        return Verdict(str(why).splitlines())
    with argv_module.adapt(qemu, command, topology, accel) as applied:
        notes.append("changed: " + ", ".join(applied.changes))
        try:
            tables = qtest.read_tables(qemu, applied.options, timeout)
        except qtest.QemuRefused as why:
            return Verdict(["QEMU %s refused what spmtopo accepted:" % qemu.version_text]
                           + ["  " + line for line in str(why).splitlines()]
                           + ["  ran: " + " ".join(why.argv)], notes)
    problems = difference(expected, tables, topology.accel == "kvm" and accel != "kvm")
    if problems:
        problems.append("  ran: " + " ".join(tables.argv))
    problems += ["meaning: " + line for line in meaning.check(topology, tables)]
    return Verdict(problems, notes)


def main(arguments):
    accel = "tables"
    if arguments[:1] == ["--accel"]:
        accel, arguments = arguments[1], arguments[2:]
    bad = 0
    for path in arguments:
        with open(path, encoding="utf-8") as file:
            version = meaning.Topology(file.read()).qemu_version
        verdict = compare(path, qtest.find_qemu("7.2" if version.startswith("7.2") else "11.1"), accel)
        print("%s: %s" % (path, "ok" if verdict.ok else "DIFFERS"))
        for line in verdict.notes + verdict.problems:
            print("  " + line)
        bad += not verdict.ok
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
