"""What is changed in a command line of `spmtopo gen` so that it starts here.

The command line is for the user's host: its /dev/dax0.0, its huge pages, its
firmware files, its KVM.  Each change below says why QEMU's tables cannot
depend on it.  Everything not named here reaches QEMU as spmtopo wrote it.
"""

import collections
import json
import os
import shutil
import tempfile

Change = collections.namedtuple("Change", "name why")

CHANGES = {change.name: change for change in (
    Change("program",
           "the path of the QEMU to run; the binary's version decides tables, its name does not"),
    Change("accelerator",
           "kvm or tcg becomes qtest (tcg -S on QEMU 7.2, which has no qtest; kvm -S when KVM itself is "
           "asked): tables are built before a virtual CPU runs. KVM's one entry in E820, first and "
           "FEFFC000+4000 reserved, is compared apart (compare.py) and again under KVM"),
    Change("cpu",
           "host exists under kvm only; max with vendor= stands for it, since tables look at nothing but "
           "vendor, long mode and address width, and KVM gives every model the host's vendor and x2APIC. "
           "The address width is the host's there: 52 bits stand for a host that is wide enough"),
    Change("cpu-host",
           "under kvm, where this host's vendor is not the topology's, vendor= makes it so; "
           "arch-capabilities=off leaves out an MSR that KVM inside another VM may not let QEMU set"),
    Change("reserve",
           "reserve=off and no prealloc: how the host backs the memory; size and alignment stay"),
    Change("file",
           "a path that does not exist here becomes a sparse file; the tables know size and alignment only"),
    Change("host-nodes",
           "host node 0 joins the list where it names only nodes this host lacks: placement on the host"),
    Change("firmware",
           "QEMU's tables are made for any firmware; a missing file is left out, and the variable store "
           "is opened with snapshot=on, so that two QEMUs can have it open"),
    Change("kernel",
           "-kernel, -initrd and -append go to the guest; left out when a file is missing"),
)}


class Applied:
    """An argv that starts here, what was changed, and the files made for it."""

    def __init__(self, options, changes, folder):
        self.options = options
        self.changes = changes
        self._folder = folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


# QEMU's key=value,key=value with doubled commas

def split_keyval(text):
    """[(key, value)] in order, keys may repeat; a bare word has value None."""
    items, word, at = [], "", 0
    while at < len(text):
        if text[at] == ",":
            if text[at + 1:at + 2] == ",":
                word += ","
                at += 2
                continue
            items.append(word)
            word = ""
        else:
            word += text[at]
        at += 1
    items.append(word)
    return [tuple(item.split("=", 1)) if "=" in item else (item, None) for item in items]


def join_keyval(items):
    return ",".join((key if value is None else key + "=" + value).replace(",", ",,")
                    for key, value in items)


def get(items, key, default=None):
    found = default
    for name, value in items:
        if name == key:
            found = value
    return found


def drop(items, *keys):
    return [item for item in items if item[0] not in keys]


SUFFIXES = {"B": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50}


def size_bytes(text):
    text = str(text)
    if text[-1:].upper() in SUFFIXES:
        return int(float(text[:-1]) * 2 ** SUFFIXES[text[-1].upper()]) if "." in text \
            else int(text[:-1]) << SUFFIXES[text[-1].upper()]
    return int(text, 0)


HOST_ON = ("on", "true", "yes")
VENDORS = {"amd": "AuthenticAMD", "intel": "GenuineIntel"}


def host_vendor():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("vendor_id"):
                return line.split(":", 1)[1].strip()
    return ""


def host_nodes():
    try:
        return {int(name[4:]) for name in os.listdir("/sys/devices/system/node")
                if name.startswith("node") and name[4:].isdigit()} or {0}
    except OSError:
        return {0}


def node_set(value):
    """Host nodes named by '0-3', a number, or a JSON list of numbers."""
    if isinstance(value, list):
        return {int(item) for item in value}
    low, _, high = str(value).partition("-")
    return set(range(int(low), int(high or low) + 1))


class _Backends:
    """The memory backends' changes; objects are keyval or JSON."""

    def __init__(self, qemu, changes, new_file):
        self.qemu = qemu
        self.changes = changes
        self.new_file = new_file
        self.present = host_nodes()

    def change(self, text):
        if text.lstrip().startswith("{"):
            return self._json(text)
        return self._keyval(text)

    def _json(self, text):
        backend = json.loads(text, object_pairs_hook=collections.OrderedDict)
        if not backend.get("qom-type", "").startswith("memory-backend-"):
            return text
        backend.pop("prealloc", None)
        backend.pop("prealloc-threads", None)
        backend["reserve"] = False
        self.changes.add("reserve")
        if "host-nodes" in backend and not node_set(backend["host-nodes"]) & self.present:
            backend["host-nodes"].insert(0, min(self.present))
            self.changes.add("host-nodes")
        if "mem-path" in backend:
            backend["mem-path"] = self._path(backend["mem-path"], backend["size"],
                                             backend.get("offset", 0))
        return json.dumps(backend)

    def _keyval(self, text):
        items = split_keyval(text)
        kind = items[0][0] if items[0][1] is None else get(items, "qom-type", "")
        if not kind.startswith("memory-backend-"):
            return text
        items = drop(items, "prealloc", "prealloc-threads", "reserve") + [("reserve", "off")]
        self.changes.add("reserve")
        named = [node_set(value) for key, value in items if key.split(".")[0] == "host-nodes"]
        if named and not set().union(*named) & self.present:
            at = [key.split(".")[0] for key, _ in items].index("host-nodes")
            items.insert(at, ("host-nodes", str(min(self.present))))
            self.changes.add("host-nodes")
        path = get(items, "mem-path")
        if path is not None:
            new = self._path(path, get(items, "size"), get(items, "offset", "0"))
            items = [(key, new if key == "mem-path" else value) for key, value in items]
        return join_keyval(items)

    def _path(self, path, size, offset):
        if self.qemu.exists(path) and os.path.isdir(self.qemu.path(path)):
            return path
        self.changes.add("file")
        return self.new_file(path, size_bytes(size) + size_bytes(offset))


FIRMWARE_FOLDERS = ("/usr/share/qemu", "/usr/share/seabios", "/usr/lib/ipxe/qemu")


def adapt(qemu, argv, vm, accel="tables"):
    """ARGV of `spmtopo gen` -> Applied, for accelerator 'tables' (qtest or tcg -S) or 'kvm'.

    VM gives machine.accel and machine.cpu-vendor (vm.accel, vm.cpu_vendor).
    """
    changes = {"program", "accelerator"}
    folder = None
    made = {}

    def new_file(path, size):
        nonlocal folder
        if folder is None:
            folder = tempfile.mkdtemp(prefix="spmtopo-oracle-", dir=qemu.path("/tmp"))
        if path not in made:
            made[path] = os.path.join(folder, "file%d" % len(made))
        with open(made[path], "ab") as handle:
            if handle.tell() < size:
                handle.truncate(size)
        outside = made[path]
        return outside if qemu.root == "/" else outside[len(qemu.root.rstrip("/")):]

    def exists(path):
        return bool(path) and qemu.exists(path)

    try:
        options = _adapt(qemu, argv, vm, accel, changes, new_file, exists)
    except BaseException:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return Applied(options, sorted(changes), folder)


def _adapt(qemu, argv, vm, accel, changes, new_file, exists):
    pairs = _pairs(argv[1:])
    backends = _Backends(qemu, changes, new_file)

    kernel = [value for name, value in pairs if name in ("-kernel", "-initrd")]
    if kernel and not all(exists(path) for path in kernel):
        pairs = [pair for pair in pairs if pair[0] not in ("-kernel", "-initrd", "-append")]
        changes.add("kernel")

    flash = [get(split_keyval(value), "file", get(split_keyval(value), "filename"))
             for name, value in pairs
             if name == "-drive" and get(split_keyval(value), "if") == "pflash"]
    flash_missing = any(not exists(path) for path in flash)

    options = []
    for name, value in pairs:
        if name == "-accel":
            continue
        if name in ("-machine", "-M"):
            value = join_keyval(drop(split_keyval(value), "accel"))
        elif name == "-cpu":
            value = _cpu(value, vm, accel, changes)
        elif name == "-object":
            value = backends.change(value)
        elif name == "-bios":
            places = [value] if value.startswith("/") else \
                [os.path.join(at, value) for at in FIRMWARE_FOLDERS]
            if not any(exists(place) for place in places):
                changes.add("firmware")
                continue
        elif name == "-drive":
            items = split_keyval(value)
            if get(items, "if") == "pflash":
                if flash_missing:
                    changes.add("firmware")
                    continue
                if get(items, "readonly", "off") not in HOST_ON:
                    changes.add("firmware")
                    value = join_keyval(items + [("snapshot", "on")])
        options.append(name)
        if value is not None:
            options.append(value)
    if not any(name == "-cpu" for name, _ in pairs) and vm.accel == "kvm":
        options += ["-cpu", _cpu("host", vm, accel, changes)]
    return options + (["-accel", "kvm", "-S"] if accel == "kvm" else qemu.tables_accel)


# Options of QEMU that stand alone, without a value; the rest take one.
ALONE = {"-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-no-shutdown", "-S",
         "-enable-kvm", "-no-acpi", "-no-hpet", "-snapshot", "-daemonize", "-preconfig"}


def _pairs(words):
    pairs, at = [], 0
    while at < len(words):
        if words[at] in ALONE:
            pairs.append((words[at], None))
            at += 1
        else:
            if at + 1 >= len(words) or not words[at].startswith("-"):
                raise ValueError("not an option with its value: %r" % words[at:at + 2])
            pairs.append((words[at], words[at + 1]))
            at += 2
    return pairs


def _cpu(value, vm, accel, changes):
    items = split_keyval(value)
    model = items[0][0]
    if accel == "kvm":
        changes.add("cpu-host")
        items = drop(items, "arch-capabilities") + [("arch-capabilities", "off")]
        wanted = VENDORS.get(vm.cpu_vendor)
        if wanted and wanted != host_vendor() and get(items, "vendor") is None:
            items.append(("vendor", wanted))
        return join_keyval(items)
    if vm.accel != "kvm":
        return value
    changes.add("cpu")
    host_wide = model in ("host", "max")
    given = get(items, "host-phys-bits")
    if given is not None:
        host_wide = given in HOST_ON
    limit = get(items, "host-phys-bits-limit")
    items = drop(items, "host-phys-bits", "host-phys-bits-limit", "migratable")
    if host_wide:
        # KVM takes the host's width then, whatever phys-bits says
        bits = min(52, int(limit)) if limit and limit != "0" else 52
        items = drop(items, "phys-bits") + [("phys-bits", str(bits))]
    if model == "host":
        items[0] = ("max", None)
    if vm.cpu_vendor in VENDORS and get(items, "vendor") is None:
        items.append(("vendor", VENDORS[vm.cpu_vendor]))
    if get(items, "x2apic") is None:
        items.append(("x2apic", "on"))
    return join_keyval(items)
