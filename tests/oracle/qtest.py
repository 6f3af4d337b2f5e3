"""Start a real QEMU that runs no guest, and read what it would hand to one.

Everything goes over the qtest protocol on QEMU's standard input and output,
which works under any accelerator as long as the virtual CPUs do not run:
`-accel qtest` where the binary has it, else `-accel tcg -S` or
`-accel kvm -S`.  fw_cfg is read through its DMA interface, so that even an
ACPI blob of several hundred KiB costs a few round trips.
"""

import base64
import collections
import os
import shlex
import shutil
import struct
import subprocess
import threading

DEFAULT_TREE = "/var/cache/spmtopo/forky"
TABLES = ("e820", "srat", "slit", "hmat")

# None of these adds or moves memory, a CPU or a NUMA node: -nodefaults drops
# the default display, network, serial and floppy devices, all of them PCI or
# ISA devices without a place in E820, SRAT, SLIT or HMAT.
EXTRAS = ["-nodefaults", "-display", "none", "-monitor", "none",
          "-serial", "none", "-parallel", "none"]

FW_CFG_SELECT, FW_CFG_DATA, FW_CFG_DMA = 0x510, 0x511, 0x514
FW_CFG_SIGNATURE, FW_CFG_ID, FW_CFG_FILE_DIR = 0x00, 0x01, 0x19
DMA_CONTROL, DMA_BUFFER = 0x1000, 0x100000
DMA_CHUNK = 1 << 20


class OracleError(Exception):
    """The harness itself cannot go on (not a verdict about spmtopo)."""


class QemuRefused(Exception):
    """QEMU exited before it answered."""

    def __init__(self, status, stderr, argv):
        self.status = status
        self.stderr = stderr
        self.argv = argv
        super().__init__("QEMU exited with status %s: %s"
                         % (status, stderr.strip() or "(no message)"))


class Qemu:
    """How to run one QEMU: a command prefix, and the root its paths are seen from."""

    def __init__(self, prefix):
        self.prefix = list(prefix)
        self.root = "/"
        names = [os.path.basename(word) for word in self.prefix]
        if "chroot" in names:
            at = names.index("chroot") + 1
            while at < len(self.prefix) and self.prefix[at].startswith("-"):
                at += 1
            if at < len(self.prefix):
                self.root = self.prefix[at]
        self._version = None
        self._machines = None
        self._kvm = {}

    def path(self, inside):
        """A path as QEMU sees it -> the same file's path out here."""
        return os.path.join(self.root, inside.lstrip("/")) if self.root != "/" else inside

    def exists(self, inside):
        return os.path.exists(resolve_in_root(self.root, inside))

    def _output(self, *options):
        done = subprocess.run(self.prefix + list(options), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, timeout=60)
        if done.returncode:
            raise OracleError("%s: %s" % (" ".join(self.prefix), done.stderr.strip()))
        return done.stdout

    @property
    def version(self):
        """(major, minor, micro)"""
        if self._version is None:
            words = self._output("--version").split()
            number = words[words.index("version") + 1]
            self._version = tuple(int(part) for part in number.split(".")[:3])
        return self._version

    @property
    def version_text(self):
        return ".".join(str(part) for part in self.version)

    @property
    def machines(self):
        if self._machines is None:
            lines = self._output("-machine", "help").splitlines()[1:]
            self._machines = [line.split()[0] for line in lines if line.strip()]
        return self._machines

    @property
    def has_qtest(self):
        """Debian builds the qtest accelerator from some release on; 7.2 has none."""
        return self.version >= (8, 0, 0)

    @property
    def tables_accel(self):
        """The accelerator options that show the tables without running a guest."""
        return ["-accel", "qtest"] if self.has_qtest else ["-accel", "tcg", "-S"]

    def prepare(self):
        """What a bare tree lacks for `reserve=off`: QEMU first reads the overcommit policy.

        A plain file with this machine's value stands in for a mounted /proc,
        which would be in the way of whoever removes the tree.
        """
        real = "/proc/sys/vm/overcommit_memory"
        inside = self.path(real)
        if inside != real and not os.path.exists(inside):
            try:
                os.makedirs(os.path.dirname(inside), exist_ok=True)
                shutil.copyfile(real, inside)
            except OSError:
                pass

    def prepare_kvm(self):
        """Make /dev/kvm visible inside a tree, where this machine has it."""
        inside = self.path("/dev/kvm")
        if inside != "/dev/kvm" and not os.path.exists(inside) and os.path.exists("/dev/kvm"):
            try:
                os.mknod(inside, 0o600 | 0o020000, os.stat("/dev/kvm").st_rdev)
            except OSError:
                pass

    def kvm_problem(self, cpu="host"):
        """None if `-accel kvm -S -cpu CPU` works here, else why not."""
        if cpu not in self._kvm:
            self.prepare_kvm()
            if not os.path.exists(self.path("/dev/kvm")):
                self._kvm[cpu] = "no /dev/kvm"
            else:
                argv = ["-machine", "q35", "-cpu", cpu, "-m", "64M", "-accel", "kvm", "-S"]
                try:
                    read_tables(self, argv)
                    self._kvm[cpu] = None
                except QemuRefused as refused:
                    self._kvm[cpu] = last_line(refused.stderr) or str(refused)
        return self._kvm[cpu]


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def resolve_in_root(root, path, depth=0):
    """Follow symbolic links as a process whose root directory is ROOT would."""
    if root == "/":
        return path
    if depth > 40:
        return os.path.join(root, path.lstrip("/"))
    done = "/"
    parts = collections.deque(part for part in path.split("/") if part)
    while parts:
        part = parts.popleft()
        if part == ".":
            continue
        if part == "..":
            done = os.path.dirname(done)
            continue
        step = os.path.join(done, part)
        outside = os.path.join(root, step.lstrip("/"))
        if os.path.islink(outside):
            target = os.readlink(outside)
            rest = "/".join(parts)
            joined = os.path.join(done, target, rest) if rest else os.path.join(done, target)
            return resolve_in_root(root, joined, depth + 1)
        done = step
    return os.path.join(root, done.lstrip("/"))


def find_qemu(which):
    """The Qemu for '11.1' or '7.2', or an OracleError that says what is missing."""
    if which == "7.2":
        words = os.environ.get("SPMTOPO_QEMU72")
        prefix = shlex.split(words) if words else ["qemu-system-x86_64"]
        if not shutil.which(prefix[0]):
            raise OracleError("no %s on this machine (SPMTOPO_QEMU72)" % prefix[0])
        qemu = Qemu(prefix)
        try:
            found = qemu.version
        except (OSError, OracleError, subprocess.SubprocessError) as why:
            raise OracleError("QEMU 7.2: %s" % why)
        if found[:2] != (7, 2):
            raise OracleError("%s is QEMU %s, not 7.2 (SPMTOPO_QEMU72)"
                              % (" ".join(prefix), qemu.version_text))
        return qemu
    words = os.environ.get("SPMTOPO_QEMU")
    tree = os.environ.get("SPMTOPO_VMM_TREE", DEFAULT_TREE)
    if words:
        prefix = shlex.split(words)
    elif os.path.exists(os.path.join(tree, "usr/bin/qemu-system-x86_64")):
        if os.geteuid() != 0:
            raise OracleError("the tree at %s needs root to be entered" % tree)
        prefix = ["chroot", tree, "qemu-system-x86_64"]
    else:
        raise OracleError("no QEMU %s: run tests/oracle/vmm-tree, or set SPMTOPO_QEMU" % which)
    qemu = Qemu(prefix)
    try:
        qemu.version
    except (OSError, OracleError, subprocess.SubprocessError) as why:
        raise OracleError("QEMU %s: %s" % (which, why))
    if qemu.version < (11, 1):
        raise OracleError("%s is QEMU %s, older than 11.1" % (" ".join(prefix), qemu.version_text))
    qemu.prepare()
    return qemu


class QTest:
    """One running QEMU and its qtest connection."""

    def __init__(self, qemu, options, timeout=120):
        # A write to guest RAM on huge pages that nobody reserved is a SIGBUS.
        self.may_touch_ram = not any("hugetlb" in word or "hugepages" in word for word in options)
        self.argv = qemu.prefix + list(options) + EXTRAS + [
            "-qtest", "stdio", "-qtest-log", "none"]
        environment = dict(os.environ, LC_ALL="C")
        self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment)
        self.errors = []
        self._drain = threading.Thread(target=self._read_errors, daemon=True)
        self._drain.start()
        self._timer = threading.Timer(timeout, self.process.kill)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line.decode("utf-8", "replace"))

    @property
    def stderr(self):
        return "".join(self.errors)

    def close(self):
        self._timer.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._drain.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except OSError:
                pass

    def _refused(self):
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        status = self.process.poll()
        self.close()
        return QemuRefused(status, self.stderr, self.argv)

    def ask(self, *commands):
        """Send commands, return their answers without the leading OK."""
        try:
            self.process.stdin.write("".join(c + "\n" for c in commands).encode())
            self.process.stdin.flush()
        except OSError:
            raise self._refused() from None
        answers = []
        while len(answers) < len(commands):
            line = self.process.stdout.readline()
            if not line:
                raise self._refused()
            words = line.decode().split()
            if not words or words[0] == "IRQ":
                continue
            if words[0] != "OK":
                raise OracleError("qtest: %s -> %s" % (commands[len(answers)], line.decode().strip()))
            answers.append(words[1] if len(words) > 1 else "")
        return answers

    # fw_cfg

    def _read_ports(self, key, size):
        self.ask("outw 0x%x 0x%x" % (FW_CFG_SELECT, key))
        data = bytearray()
        while len(data) < size:
            # few enough that neither pipe fills while the other is not read
            answers = self.ask(*["inb 0x%x" % FW_CFG_DATA] * min(2048, size - len(data)))
            data += bytes(int(word, 16) for word in answers)
        return bytes(data)

    def _read_dma(self, key, size):
        data = b""
        select = True
        while len(data) < size:
            chunk = min(DMA_CHUNK, size - len(data))
            control = 2 | ((key << 16 | 8) if select else 0)     # read [, select]
            request = struct.pack(">IIQ", control, chunk, DMA_BUFFER)
            answers = self.ask(
                "b64write 0x%x 0x%x %s" % (DMA_CONTROL, len(request),
                                           base64.b64encode(request).decode()),
                # the port is big-endian, outl swaps on this machine
                "outl 0x%x 0x0" % FW_CFG_DMA,
                "outl 0x%x 0x%x" % (FW_CFG_DMA + 4,
                                    struct.unpack("<I", struct.pack(">I", DMA_CONTROL))[0]),
                "readl 0x%x" % DMA_CONTROL,
                "b64read 0x%x 0x%x" % (DMA_BUFFER, chunk))
            if int(answers[3], 16) & 0xffffffff:
                raise OracleError("fw_cfg DMA failed for item 0x%x" % key)
            data += base64.b64decode(answers[4])
            select = False
        return data

    def read_fw_cfg(self, key, size):
        if size == 0:
            return b""
        return self._read_dma(key, size) if self.has_dma else self._read_ports(key, size)

    def files(self):
        """{name: (key, size)} of the fw_cfg directory."""
        self.has_dma = False
        if self._read_ports(FW_CFG_SIGNATURE, 4) != b"QEMU":
            raise OracleError("fw_cfg does not answer")
        dma = self.may_touch_ram and self._read_ports(FW_CFG_ID, 4)[0] & 2
        # the buffer needs guest RAM behind it
        if dma:
            self.ask("writel 0x%x 0x5aa55aa5" % DMA_BUFFER,
                     "writel 0x%x 0x12345678" % (DMA_BUFFER + DMA_CHUNK - 4))
            seen = self.ask("readl 0x%x" % DMA_BUFFER, "readl 0x%x" % (DMA_BUFFER + DMA_CHUNK - 4))
            dma = [int(word, 16) for word in seen] == [0x5aa55aa5, 0x12345678]
        self.has_dma = bool(dma)
        count, = struct.unpack(">I", self._read_ports(FW_CFG_FILE_DIR, 4))
        blob = self.read_fw_cfg(FW_CFG_FILE_DIR, 4 + 64 * count)[4:]
        entries = {}
        for at in range(0, len(blob), 64):
            size, key, _, name = struct.unpack(">IHH56s", blob[at:at + 64])
            entries[name.split(b"\0", 1)[0].decode()] = (key, size)
        return entries


class Tables:
    """What QEMU hands over: E820 records, ACPI tables by name, the reserved end."""

    def __init__(self, e820, acpi, reserved_end, stderr="", argv=()):
        self.e820 = e820
        self.acpi = acpi
        self.reserved_end = reserved_end
        self.stderr = stderr
        self.argv = list(argv)

    def raw(self, table):
        """The bytes of e820, srat, slit or hmat; empty when absent."""
        return self.e820 if table == "e820" else self.acpi.get(table.upper(), b"")


def split_acpi(blob):
    """The tables of etc/acpi/tables by signature, each with its checksum made up.

    The blob begins with the 64-byte FACS, tables follow, and zeroes pad it.
    """
    tables = {}
    at = 0
    while at + 8 <= len(blob):
        signature = blob[at:at + 4]
        size, = struct.unpack("<I", blob[at + 4:at + 8])
        if signature == b"\0\0\0\0":
            at += 4
            continue
        if size < 8 or at + size > len(blob):
            raise OracleError("ACPI blob: table %r at %d claims %d bytes" % (signature, at, size))
        table = bytearray(blob[at:at + size])
        if signature != b"FACS":
            table[9] = 0
            table[9] = -sum(table) & 0xff
        tables.setdefault(signature.decode("latin-1"), bytes(table))
        at += size
    return tables


def read_tables(qemu, options, timeout=120):
    """Start QEMU with OPTIONS (accelerator included) and read everything."""
    with QTest(qemu, options, timeout) as running:
        files = running.files()

        def content(name):
            return running.read_fw_cfg(*files[name]) if name in files else b""
        acpi = split_acpi(content("etc/acpi/tables"))
        e820 = content("etc/e820")
        end = content("etc/reserved-memory-end")
        tables = Tables(e820, acpi, struct.unpack("<Q", end)[0] if end else None,
                        argv=running.argv)
    tables.stderr = running.stderr
    return tables


# decoders, for diffs and for the check of meaning

def decode_e820(raw):
    return [struct.unpack("<QQI", raw[at:at + 20]) for at in range(0, len(raw) - 19, 20)]


class Srat(collections.namedtuple("Srat", "cpus memory other")):
    """cpus: (apic, node, flags, x2apic); memory: (node, base, length, flags)."""


def decode_srat(raw):
    cpus, memory, other = [], [], []
    at = 48
    while at + 2 <= len(raw):
        kind, size = raw[at], raw[at + 1]
        if size < 2:
            raise OracleError("SRAT: structure of %d bytes at %d" % (size, at))
        body = raw[at:at + size]
        if kind == 0 and size == 16:
            node = body[2] | body[9] << 8 | body[10] << 16 | body[11] << 24
            cpus.append((body[3], node, struct.unpack("<I", body[4:8])[0], False))
        elif kind == 2 and size == 24:
            node, apic, flags = struct.unpack("<III", body[4:16])
            cpus.append((apic, node, flags, True))
        elif kind == 1 and size == 40:
            node, _, base, length, _, flags = struct.unpack("<IHQQII", body[2:32])
            memory.append((node, base, length, flags))
        else:
            other.append((kind, bytes(body)))
        at += size
    return Srat(cpus, memory, other)


def decode_slit(raw):
    if not raw:
        return None
    count = struct.unpack("<Q", raw[36:44])[0] if len(raw) >= 44 else 0
    if len(raw) != 44 + count * count:
        raise OracleError("SLIT: %d bytes for %d nodes" % (len(raw), count))
    return [list(raw[44 + row * count:44 + (row + 1) * count]) for row in range(count)]


class Hmat(collections.namedtuple("Hmat", "domains lists caches")):
    """domains: {node: initiator or None}; lists: {(hierarchy, type): {(from, to): value}}
    in picoseconds or bytes per second; caches: [(node, level, size, assoc, policy, line, levels)]."""


def decode_hmat(raw):
    if not raw:
        return None
    domains, lists, caches = {}, {}, []
    at = 40
    while at + 8 <= len(raw):
        kind, _, size = struct.unpack("<HHI", raw[at:at + 8])
        if size < 8:
            raise OracleError("HMAT: structure of %d bytes at %d" % (size, at))
        body = raw[at:at + size]
        if kind == 0:
            flags, _, initiator, node = struct.unpack("<HHII", body[8:20])
            domains[node] = initiator if flags & 1 else None
        elif kind == 1:
            hierarchy, what, _, starts, ends, _, unit = struct.unpack("<BBHIIIQ", body[8:32])
            place = 32
            if 32 + 4 * starts + 4 * ends + 2 * starts * ends != size:
                raise OracleError("HMAT: %d bytes for %d x %d values" % (size, starts, ends))
            sources = struct.unpack("<%dI" % starts, body[place:place + 4 * starts])
            place += 4 * starts
            targets = struct.unpack("<%dI" % ends, body[place:place + 4 * ends])
            place += 4 * ends
            values = struct.unpack("<%dH" % (starts * ends), body[place:place + 2 * starts * ends])
            if what >= 3:
                unit <<= 20
            lists[hierarchy, what] = {
                (source, target): values[row * ends + column] * unit
                for row, source in enumerate(sources) for column, target in enumerate(targets)}
        elif kind == 2:
            node, _, cache, attributes = struct.unpack("<IIQI", body[8:28])
            caches.append((node, attributes >> 4 & 15, cache, attributes >> 8 & 15,
                           attributes >> 12 & 15, attributes >> 16, attributes & 15))
        at += size
    return Hmat(domains, lists, caches)


E820_TYPES = {1: "RAM", 2: "reserved", 3: "ACPI data", 4: "ACPI NVS", 0xefffffff: "soft reserved"}


def describe(table, raw):
    """Lines of text that show a table, for a diff."""
    if not raw:
        return ["(absent)"]
    if table == "e820":
        lines = ["%#018x %#x %s" % (base, size, E820_TYPES.get(kind, "type %#x" % kind))
                 for base, size, kind in decode_e820(raw)]
        return lines + (["+ %d odd bytes" % (len(raw) % 20)] if len(raw) % 20 else [])
    lines = ["header %s" % raw[:36].hex()]
    if table == "srat":
        srat = decode_srat(raw)
        lines.append("body %s" % raw[36:48].hex())
        lines += ["cpu apic %d node %d flags %d%s" % (apic, node, flags, " x2apic" if wide else "")
                  for apic, node, flags, wide in srat.cpus]
        lines += ["memory node %d %#x..%#x (%#x) flags %d" % (node, base, base + size, size, flags)
                  for node, base, size, flags in srat.memory]
        lines += ["structure type %d %s" % (kind, body.hex()) for kind, body in srat.other]
    elif table == "slit":
        lines += ["%d: %s" % (row, values) for row, values in enumerate(decode_slit(raw))]
    else:
        at = 40
        while at + 8 <= len(raw):
            kind, _, size = struct.unpack("<HHI", raw[at:at + 8])
            lines.append("structure type %d %s" % (kind, raw[at:at + max(size, 8)].hex()))
            at += max(size, 8)
        hmat = decode_hmat(raw)
        lines += ["domain %d initiator %s" % item for item in sorted(hmat.domains.items())]
        for (hierarchy, what), values in sorted(hmat.lists.items()):
            lines += ["list hierarchy %d type %d %d->%d %d" % (hierarchy, what, pair[0], pair[1], value)
                      for pair, value in sorted(values.items())]
        lines += ["cache node %d level %d size %d assoc %d policy %d line %d levels %d" % cache
                  for cache in hmat.caches]
    return lines


if __name__ == "__main__":
    # the worked example of the memory-map page, or the options given
    import sys
    example = shlex.split(
        "-M q35 -cpu max -m 2G,slots=2,maxmem=8G -smp 4 "
        "-object memory-backend-ram,size=2G,id=m0 -numa node,memdev=m0,cpus=0-3 -numa node -numa node "
        "-object memory-backend-ram,size=1G,id=s0 -device sp-mem,memdev=s0,node=1 "
        "-object memory-backend-ram,size=1100M,id=s1 -device sp-mem,memdev=s1,node=2")
    arguments = sys.argv[1:]
    wanted = "11.1"
    if arguments[:1] == ["--7.2"]:
        wanted, arguments = "7.2", arguments[1:]
    chosen = find_qemu(wanted)
    accel = [] if "-accel" in arguments else chosen.tables_accel
    try:
        got = read_tables(chosen, (arguments or example) + accel)
    except QemuRefused as refusal:
        sys.exit(str(refusal))
    sys.stderr.write(got.stderr)
    for name in TABLES:
        if got.raw(name) or name == "e820":
            print("%s (%d bytes)" % (name, len(got.raw(name))))
            for text in describe(name, got.raw(name)):
                print("  " + text)
    print("reserved-memory-end", "%#x" % got.reserved_end if got.reserved_end else None)
