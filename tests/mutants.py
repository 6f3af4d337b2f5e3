# SPDX-License-Identifier: MIT
"""Mutation of captures that pass: one thing of a guest is altered, and `verify` must fail.

The captures are tests/guests/*/guest whose EXPECT begins with "pass". A mutant is a copy of the files in which one promised fact is another: an address, a type, a node, a CPU, a
distance, a size, a byte of a table. A variant is a copy that shows less, or the same in other words: a log without its
start or its end, one from a journal, files that are not there. `verify` must not fail on it.
SPMTOPO_ORACLE_SEED chooses which; without it they are the same each time. Prints TAP.
"""

import concurrent.futures
import glob
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPMTOPO = os.path.abspath(os.environ["SPMTOPO"])
EACH = 90  # mutants of a capture
CUTS = 40  # logs of a capture that begin late, end early, or both

TABLES = "sys/firmware/acpi/tables/"


def load_tree(folder):
    files = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, folder)] = file.read()
    return files


def captures():
    """(name, topology, files)"""
    for folder in sorted(glob.glob(os.path.join(TOP, "tests/guests/*/"))):
        with open(folder + "EXPECT", encoding="ascii") as file:
            if file.read().startswith("pass"):
                yield os.path.basename(folder[:-1]), folder + "topology.yaml", load_tree(folder + "guest")


# A mutator takes (files, random) and yields (what, path, bytes) of everything that it could do.

def replaced(path, data, match, text):
    return path, data[:match.start()] + text + data[match.end():]


def table_bytes(files, _):
    """Any byte of a table, with and without a checksum that fits."""
    for name in ("SRAT", "SLIT", "HMAT"):
        data = files.get(TABLES + name)
        for at in range(len(data or b"")):
            for bit in range(8):
                new = bytearray(data)
                new[at] ^= 1 << bit
                yield "%s byte %d bit %d" % (name, at, bit), TABLES + name, bytes(new)
                if at != 9:
                    new[9] = (new[9] - sum(new)) & 255
                    yield "%s byte %d bit %d, checksum" % (name, at, bit), TABLES + name, bytes(new)


def madt(files, _):
    """The id, or whether it is enabled, of a processor."""
    data = files.get(TABLES + "APIC")
    at = 44
    while data and at < len(data):
        if data[at] == 0:
            for offset in (at + 3, at + 4):
                new = bytearray(data)
                new[offset] ^= 1
                new[9] = (new[9] - sum(new)) & 255
                yield "APIC byte %d" % offset, TABLES + "APIC", bytes(new)
        at += data[at + 1]


def cut_tables(files, rand):
    for name in ("SRAT", "SLIT", "HMAT", "APIC"):
        data = files.get(TABLES + name)
        if data:
            at = rand.randrange(len(data))
            yield "%s cut at %d" % (name, at), TABLES + name, data[:at]
            yield "%s longer" % name, TABLES + name, data + b"\0"


def memmap(files, _):
    """The soft-reserved entries of the firmware's map; RAM outside what the file has."""
    for path in files:
        match = re.match(r"(sys/firmware/memmap/\d+/)type$", path)
        if not match:
            continue
        kind = files[path].strip()
        start, end = match.group(1) + "start", match.group(1) + "end"
        low, high = int(files[start], 16), int(files[end], 16)
        if kind == b"Soft Reserved":
            for word in (b"System RAM\n", b"Reserved\n"):
                yield "%s %s" % (path, word.decode().strip()), path, word
            for step in (0x1000, 0x200000, 0x8000000):
                yield "%s + %x" % (start, step), start, b"0x%x\n" % (low + step)
                yield "%s - %x" % (start, step), start, b"0x%x\n" % (low - step)
                yield "%s + %x" % (end, step), end, b"0x%x\n" % (high + step)
                yield "%s - %x" % (end, step), end, b"0x%x\n" % (high - step)
        elif kind == b"Reserved" and low >= 0x80000000:
            yield "%s Soft Reserved" % path, path, b"Soft Reserved\n"
            yield "%s RAM" % path, path, b"System RAM\n"
        elif kind == b"System RAM" and high - low > 0x20000000:
            yield "%s Reserved" % path, path, b"Reserved\n"
            yield "%s Soft Reserved" % path, path, b"Soft Reserved\n"
            yield "%s halved" % end, end, b"0x%x\n" % ((low + high) // 2 | 0xfff)
            yield "%s beyond" % end, end, b"0x%x\n" % (high + 0x40000000)


def log_e820(files, _):
    data = files["dmesg"]
    last = list(re.finditer(rb"(?:BIOS-e820|user): \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\] +(soft reserved)", data))
    told = b"user-defined physical RAM map" in data
    for match in last:
        if told and not match.group(0).startswith(b"user"):
            continue
        for group in (1, 2):
            value = int(match.group(group), 16)
            for step in (0x1000, -0x1000, 0x8000000):
                yield ("log range %d %+x" % (group, step), "dmesg",
                       data[:match.start(group)] + b"%016x" % (value + step) + data[match.end(group):])
        for word in (b"usable", b"System RAM", b"reserved", b"device reserved"):
            yield ("log type " + word.decode(), "dmesg",
                   data[:match.start(3)] + word + data[match.end(3):])
    for match in re.finditer(rb"(?:BIOS-e820|user): \[mem 0x0*(f[df]\w+)-0x\w+\] +((?:device )?reserved)", data):
        if told and not match.group(0).startswith(b"user"):
            continue
        yield ("log reserved to soft reserved", "dmesg",
               data[:match.start(2)] + b"soft reserved" + data[match.end(2):])


def log_srat(files, _):
    data = files["dmesg"]
    for match in re.finditer(rb"SRAT: Node (\d+) PXM (\d+) \[mem 0x(\w+)-0x(\w+)\]( hotplug)?", data):
        for group in (1, 2):
            value = int(match.group(group))
            yield ("log SRAT %d" % group, "dmesg",
                   data[:match.start(group)] + b"%d" % (value + 1) + data[match.end(group):])
        for group in (3, 4):
            value = int(match.group(group), 16)
            yield ("log SRAT range %d" % group, "dmesg",
                   data[:match.start(group)] + b"%08x" % (value + 0x1000) + data[match.end(group):])
        if match.group(5):
            yield "log SRAT hotplug", "dmesg", data[:match.start(5)] + data[match.end(5):]
        else:
            yield "log SRAT hotplug", "dmesg", data[:match.end()] + b" hotplug" + data[match.end():]
        line = data[data.rindex(b"\n", 0, match.start()) + 1:data.index(b"\n", match.end()) + 1]
        yield "log SRAT line lost", "dmesg", data.replace(line, b"", 1)
        yield "log SRAT line twice", "dmesg", data.replace(line, line + line, 1)
    for match in re.finditer(rb"SRAT: PXM (\d+) -> APIC 0x(\w+) -> Node (\d+)", data):
        for group in (1, 2, 3):
            yield ("log SRAT processor %d" % group, "dmesg",
                   data[:match.start(group)] + b"%d" % (int(match.group(group), 16) + 1) + data[match.end(group):])
    for match in re.finditer(rb".*ACPI: (?:SRAT|SLIT|HMAT) 0x(\w+) \w+ \(v.*\n", data):
        yield ("log table twice", "dmesg",
               data[:match.end()] + match.group(0).replace(match.group(1), b"000000000BAD0000") + data[match.end():])
    for match in re.finditer(rb"ACPI: (?:SRAT|SLIT|HMAT) 0x\w+ (\w+) \(v", data):
        yield ("log table length", "dmesg",
               data[:match.start(1)] + b"%06x" % (int(match.group(1), 16) + 8) + data[match.end(1):])


def log_nodes(files, _):
    """Which nodes have memory as the kernel starts."""
    data = files["dmesg"]
    for match in re.finditer(rb"Initmem setup node (\d+) (as memoryless|\[mem .*\])", data):
        other = b"as memoryless" if match.group(2) != b"as memoryless" else b"[mem 0x0000000100000000-0x00000001ffffffff]"
        yield ("log node " + other.decode(), "dmesg", data[:match.start(2)] + other + data[match.end(2):])
        yield "log node 9", "dmesg", data[:match.start(1)] + b"9" + data[match.end(1):]
    at = data.index(b"\n", data.index(b"last_pfn")) + 1
    yield ("log made-up node", "dmesg",
           data[:at] + b"[    0.000000] Faking a node at [mem 0x0000000000000000-0x000000007fffffff]\n" + data[at:])


def nodes(files, _):
    base = "sys/devices/system/node/"
    for path, data in files.items():
        match = re.match(base + r"node(\d+)/(cpulist|distance|meminfo)$", path)
        if not match:
            continue
        if match.group(2) == "cpulist":
            yield path + " another", path, b"7\n"
            if data.strip():
                yield path + " none", path, b"\n"
                yield path + " one more", path, data.strip() + b",9\n"
        elif match.group(2) == "distance":
            values = data.split()
            for i in range(len(values)):
                new = values[:i] + [b"%d" % (int(values[i]) + 1)] + values[i + 1:]
                yield "%s %d" % (path, i), path, b" ".join(new) + b"\n"
            yield path + " one more", path, data.strip() + b" 20\n"
        else:
            total = re.search(rb"MemTotal: +(\d+)", data)
            for factor in (0, 0.4, 2.5):
                kib = b"%d" % int(int(total.group(1)) * factor)
                # no memory at all is also how a node of SPM is before a driver comes
                if factor or match.group(1) == "0":
                    yield ("%s x %s" % (path, factor), path,
                           data[:total.start(1)] + kib + data[total.end(1):])
    possible = base + "possible"
    if possible in files:
        yield "possible 0", possible, b"0\n"
        yield "possible without 0", possible, b"1-7\n"
    online = base + "online"
    if online in files:
        yield "online none", online, b"\n"
        yield "online one more", online, files[online].strip() + b",6\n"


def dax(files, _):
    for path, data in files.items():
        if not re.match(r"sys/bus/dax/devices/dax\d+\.\d+/(resource|size|target_node)$", path):
            continue
        if path.endswith("target_node"):
            for value in (b"-1\n", b"5\n", b"%d\n" % (int(data) + 1)):
                yield path + " " + value.decode().strip(), path, value
        elif path.endswith("size"):
            for step in (0x200000, -0x200000):
                yield "%s %+x" % (path, step), path, b"%d\n" % (int(data) + step)
        else:
            for step in (0x200000, -0x200000, 0x40000000):
                yield "%s %+x" % (path, step), path, b"0x%x\n" % (int(data, 16) + step)


def iomem(files, _):
    data = files.get("proc/iomem", b"")
    for match in re.finditer(rb"(?m)^ *(\w+)-(\w+) : (Soft Reserved|System RAM \(kmem\))$", data):
        low, high = int(match.group(1), 16), int(match.group(2), 16)
        yield "iomem RAM", "proc/iomem", data[:match.start(3)] + b"System RAM" + data[match.end(3):]
        yield ("iomem start", "proc/iomem",
               data[:match.start(1)] + b"%x" % (low - 0x1000) + data[match.end(1):])
        yield ("iomem end", "proc/iomem",
               data[:match.start(2)] + b"%x" % (high + 0x1000) + data[match.end(2):])
    yield "iomem RAM elsewhere", "proc/iomem", data + b"8000000000-80ffffffff : System RAM\n"


MUTATORS = (table_bytes, madt, cut_tables, memmap, log_e820, log_srat, log_nodes, nodes, dax, iomem)


# --- variants ---------------------------------------------------------------------------------------

def log_cuts(files, rand):
    """Pieces of the log, most of them of the lines that say something."""
    lines = files["dmesg"].splitlines(True)
    last = max(i for i, line in enumerate(lines) if b"Kernel command line:" in line) + 5
    for _ in range(CUTS):
        first, end = sorted(rand.sample(range(last), 2))
        for what, piece in (("from %d" % first, lines[first:]), ("up to %d" % end, lines[:end]),
                            ("%d-%d" % (first, end), lines[first:end])):
            yield "log " + what, {**files, "dmesg": b"".join(piece)}


def log_words(files, _):
    """The log as other programs write it, and with lines of it said again."""
    lines = files["dmesg"].splitlines(True)
    bare = [re.sub(rb"^\[[^]]*\] ", b"", line) for line in lines]
    prefixes = {"dmesg -t": b"", "dmesg -x -t": b"kern  :info  : ", "dmesg -r": b"<6>[    0.000000] ",
                "/dev/kmsg": b"6,42,0,-;", "a caller": b"[    0.000000][    T0] ",
                "a journal": b"Nov 26 09:00:00 guest kernel: ",
                "a journal with times": b"[    0.000000] guest kernel: "}
    for what, prefix in prefixes.items():
        yield what, {**files, "dmesg": b"".join(prefix + line for line in bare)}
    yield "line ends of a console", {**files, "dmesg": files["dmesg"].replace(b"\n", b"\r\r\n")}
    for text in (rb"e820", rb"SRAT", rb"soft reserved", rb"e820|SRAT|ACPI|node"):
        said = b"".join(line for line in lines if re.search(text, line))
        yield "dmesg | grep %s" % text.decode(), {**files, "dmesg": files["dmesg"] + b"# dmesg\n" + said}
    yield "dmesg", {**files, "dmesg": files["dmesg"] * 2}


def without(files, _):
    """Sources that are not there, one, two or all but one."""
    sources = ("dmesg", "proc/cmdline", "proc/iomem", "proc/version", "sys/firmware/memmap/", TABLES,
               "sys/devices/system/node/", "sys/bus/dax/")
    gone = [(one, other) for one in sources for other in sources if one <= other]
    gone += [tuple(other for other in sources if other != one) for one in sources]
    for names in gone:
        yield "without " + " ".join(names), {path: data for path, data in files.items()
                                             if not path.startswith(names)}


VARIANTS = (log_cuts, log_words, without)


def choose(files, rand):
    """EACH mutants, the same share of every mutator as far as it goes."""
    pools = []
    for mutator in MUTATORS:
        pool = [m for m in mutator(files, rand) if files.get(m[1]) != m[2]]
        rand.shuffle(pool)
        pools.append(pool)
    chosen = []
    while len(chosen) < EACH and any(pools):
        for pool in pools:
            if pool:
                chosen.append(pool.pop())
    return chosen


def write_tar(path, files):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo("guest/" + name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def verify(topology, tar):
    done = subprocess.run([SPMTOPO, "verify", topology, "--guest", tar, "--quiet"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60)
    return done.returncode, done.stdout.decode(errors="replace")


def try_one(work, topology, files, number, mutant):
    what, path, data = mutant
    tar = os.path.join(work, "%d.tar" % number)
    write_tar(tar, {**files, path: data})
    status, report = verify(topology, tar)
    if status == 1:
        os.unlink(tar)
        return None
    return "%s: status %d\n%s" % (what, status, report)


def try_variant(work, topology, number, variant):
    what, files = variant
    tar = os.path.join(work, "v%d.tar" % number)
    write_tar(tar, files)
    status, report = verify(topology, tar)
    # 2: it shows nothing at all
    if status == 0 or (status == 2 and "shows nothing" in report):
        os.unlink(tar)
        return None
    return "%s: status %d\n%s" % (what, status, report)


def each(function, items):
    """Two at a time, what is not None of their results."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(filter(None, pool.map(lambda item: function(*item), enumerate(items))))


def say(number, what, problems):
    print("%sok %d - %s" % ("not " if problems else "", number, what))
    for problem in problems[:5]:
        for line in problem.splitlines():
            print("# " + line)
    return bool(problems)


def main():
    seed = os.environ.get("SPMTOPO_ORACLE_SEED") or "verify"
    print("TAP version 13\n# seed %s" % seed)
    work = tempfile.mkdtemp(prefix="mutants-")
    number = failed = total = 0
    for name, topology, files in captures():
        rand = random.Random("%s/%s" % (seed, name))
        tar = os.path.join(work, "whole.tar")
        write_tar(tar, files)
        status, report = verify(topology, tar)
        mutants = choose(files, rand)
        problems = [] if status == 0 else ["the capture itself: status %d\n%s" % (status, report)]
        problems += each(lambda i, mutant: try_one(work, topology, files, i, mutant), mutants)
        total += len(mutants)
        number += 1
        failed += say(number, "%s: all of %d mutants fail" % (name, len(mutants)), problems)
        variants = [v for make in VARIANTS for v in make(files, rand)]
        problems = each(lambda i, variant: try_variant(work, topology, i, variant), variants)
        number += 1
        failed += say(number, "%s: none of %d variants fails" % (name, len(variants)), problems)
    number += 1
    print("%sok %d - %d mutants were tried" % ("" if total >= 300 else "not ", number, total))
    print("1..%d" % number)
    shutil.rmtree(work, ignore_errors=True)
    return 1 if failed or total < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
