"""What a topology file says, read again from the language page, and held against real tables.

This knows nothing of spmtopo: the file goes through PyYAML (scalars as
strings), the expectation is computed from the file alone, and the other side
is what QEMU handed over.
"""

import collections
import fractions
import re

import yaml

import qtest

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
SOFT_RESERVED = 0xefffffff
UNITS = {"KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": TIB, "PiB": 1 << 50, "B": 1,
         "K": KIB, "M": MIB, "G": GIB, "T": TIB}


def size(text):
    if text.strip() == "0":
        return 0
    match = re.match(r"^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)$", text.strip())
    if not match or match.group(2) not in UNITS:
        raise ValueError("not a size: %r" % text)
    value = fractions.Fraction(match.group(1)) * UNITS[match.group(2)]
    if value.denominator != 1:
        raise ValueError("not whole bytes: %r" % text)
    return int(value)


def address(text):
    return int(text, 16) if text.strip().lower().startswith("0x") else size(text)


def id_list(value):
    """Ids in the order written: '0-3,8', or a sequence of such."""
    if isinstance(value, list):
        return [number for item in value for number in id_list(item)]
    ids = []
    for part in str(value).replace(" ", "").split(","):
        low, _, high = part.partition("-")
        ids += range(int(low), int(high or low) + 1)
    return ids


LATENCY = {"ps": 1, "ns": 1000, "us": 1000000}
BANDWIDTH = {"MiB/s": MIB, "GiB/s": GIB, "TiB/s": TIB}


def quantity(text, units):
    match = re.match(r"^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z/]+)$", text.strip())
    return int(fractions.Fraction(match.group(1)) * units[match.group(2)])


Region = collections.namedtuple("Region", "size type address page")


def page_size(backend):
    """What a region's address must be a multiple of, by its backend."""
    kind = backend.get("kind", "ram")
    pages = 4 * KIB
    if backend.get("hugepages", "false") not in ("false", "off", "no"):
        pages = 2 * MIB if backend["hugepages"] in ("true", "on", "yes") else size(backend["hugepages"])
    if kind == "ram":
        return 2 * MIB
    return max(pages, size(backend["align"]) if "align" in backend else 0)


class Node:
    def __init__(self, number, fields, backend):
        self.id = number
        self.cpus = set(id_list(fields["cpus"])) if fields.get("cpus", "") != "" else set()
        self.initiator = int(fields["initiator"]) if "initiator" in fields else None
        memory = fields.get("memory", "")
        if memory == "":
            memory = []
        elif not isinstance(memory, list):
            memory = [memory]
        self.regions = [self._region(item, backend) for item in memory]

    @staticmethod
    def _region(item, backend):
        if isinstance(item, str):
            item = {"size": item}
        return Region(size(item["size"]), item.get("type", "normal"),
                      address(item["address"]) if "address" in item else None,
                      page_size(item.get("backend") or backend))

    def amount(self, kind):
        return sum(region.size for region in self.regions if region.type == kind)


class Topology:
    """The parts of a file that a guest can see."""

    def __init__(self, text):
        top = yaml.load(text, Loader=yaml.BaseLoader)
        self.top = top
        machine = top.get("machine", {})
        if isinstance(machine, str):
            machine = {"type": machine}
        self.machine = machine.get("type", "q35")
        self.accel = machine.get("accel", "kvm")
        self.cpu = machine.get("cpu", "host" if self.accel == "kvm" else "max")
        self.cpu_vendor = machine.get("cpu-vendor")
        self.qemu_version = (top.get("targets", {}) or {}).get("qemu", {}).get("version", "11.1")
        self.interface = (top.get("targets", {}) or {}).get("qemu", {}).get("spm-interface", "auto")
        backend = (top.get("defaults") or {}).get("backend") or {}
        self.nodes = sorted((Node(number, fields, backend) for fields in top["nodes"]
                             for number in id_list(fields["id"])), key=lambda node: node.id)
        self._cpus(top["cpus"])
        self._distances(top.get("distances"))
        window = top.get("device-memory", {}) or {}
        self.max_memory = window.get("max-memory", "auto")
        self.slots = window.get("slots", "auto")
        self.hmat = top.get("hmat")
        self.unit = 4 * KIB                      # of the maximum of memory

    def _cpus(self, given):
        if isinstance(given, str):
            given = {"count": given}
        number = {key: int(value) for key, value in given.items() if not key.startswith("x-")}
        dies, modules = number.get("dies", 1), number.get("modules", 1)
        sockets, cores, threads = (number.get(key) for key in ("sockets", "cores", "threads"))
        top = number.get("max", number.get("count"))
        if top is None:
            top = (sockets or 1) * dies * modules * (cores or 1) * (threads or 1)
        inner = dies * modules
        if cores is None:
            sockets, threads = sockets or 1, threads or 1
            cores = top // (sockets * inner * threads)
        elif sockets is None:
            threads = threads or 1
            sockets = top // (inner * cores * threads)
        if threads is None:
            threads = top // (sockets * inner * cores)
        if sockets * inner * cores * threads != top:
            raise ValueError("CPU factors do not make %d" % top)
        self.possible = top
        self.factors = (threads, cores, modules, dies, sockets)

    def apic_id(self, index):
        result, shift = 0, 0
        for factor in self.factors:
            result |= index % factor << shift
            index //= factor
            shift += (factor - 1).bit_length()
        return result

    def _distances(self, given):
        count = len(self.nodes)
        if given is None or given == "":
            self.distances = None
            return
        if isinstance(given, list):
            self.distances = [[int(value) for value in row] for row in given]
            return
        pairs = {(int(source), int(target)): int(value)
                 for source, row in given.items() if not source.startswith("x-")
                 for target, value in row.items()}
        self.distances = [[pairs.get((a, b), 10 if a == b else pairs.get((b, a), 20))
                           for b in range(count)] for a in range(count)]

    def spm_kind(self):
        """The type that SPM has in the guest's map: RAM where only the kernel is told."""
        return "normal" if self.interface == "kernel-parameter" else "spm"


def lost_to_hole(nodes, kind_sizes):
    """Bytes of each node's RAM that SRAT leaves out between 640 KiB and 1 MiB.

    QEMU walks the nodes by id; the node that reaches the hole loses what lies
    in it, and one that ends inside moves the next node's start to 1 MiB.
    """
    lost, cursor = {}, 0
    for node in nodes:
        amount = kind_sizes[node.id]
        end = cursor + amount
        if cursor <= 640 * KIB < end:
            if end <= MIB:
                lost[node.id] = end - 640 * KIB
                end = MIB
            else:
                lost[node.id] = 384 * KIB
        cursor = end
    return lost


def check(topology, tables):
    """Lines that say where the real TABLES differ from what the file says; empty if they agree."""
    problems = []

    def expect(what, wanted, found):
        if wanted != found:
            problems.append("%s: file says %s, QEMU's tables say %s"
                            % (what, _show(wanted), _show(found)))

    nodes = topology.nodes
    expect("node ids", list(range(len(nodes))), [node.id for node in nodes])
    e820 = qtest.decode_e820(tables.raw("e820"))
    srat = qtest.decode_srat(tables.raw("srat")) if tables.raw("srat") else qtest.Srat([], [], [])
    _check_memory(topology, e820, srat, expect, problems)

    wanted = {topology.apic_id(index): node.id for node in nodes for index in node.cpus}
    expect("number of vCPUs in nodes", topology.possible, len(wanted))
    expect("node of each APIC id", wanted, {apic: node for apic, node, _, _ in srat.cpus})
    expect("SRAT CPU entries", len(wanted), len(srat.cpus))
    expect("enabled CPUs", {1}, {flags for _, _, flags, _ in srat.cpus})

    expect("distances", topology.distances, qtest.decode_slit(tables.raw("slit")))
    _check_hmat(topology, tables, expect)
    return problems


def _show(value):
    if isinstance(value, dict):
        return "{" + ", ".join("%s: %s" % (_show(key), _show(item))
                               for key, item in sorted(value.items(), key=repr)) + "}"
    if isinstance(value, collections.Counter):
        return _show(dict(value))
    if isinstance(value, int) and value >= 1 << 20:
        return "%#x" % value
    if isinstance(value, (tuple, list, set)):
        inside = ", ".join(_show(item) for item in
                           (sorted(value, key=repr) if isinstance(value, set) else value))
        return "(%s)" % inside
    return str(value)


def _check_memory(topology, e820, srat, expect, problems):
    nodes = topology.nodes
    spm_kind = topology.spm_kind()
    wanted_sizes = {}
    for kind in ("normal", "spm", "reserved"):
        wanted_sizes[kind] = {node.id: node.amount(kind) for node in nodes}
    if spm_kind == "normal":
        for node in nodes:
            wanted_sizes["normal"][node.id] += wanted_sizes["spm"][node.id]
            wanted_sizes["spm"][node.id] = 0

    soft = [(base, length) for base, length, kind in e820 if kind == SOFT_RESERVED]
    ram = [(base, length) for base, length, kind in e820 if kind == 1]
    expect("RAM in E820", sum(wanted_sizes["normal"].values()), sum(length for _, length in ram))
    expect("soft-reserved memory in E820", sum(wanted_sizes["spm"].values()),
           sum(length for _, length in soft))

    inside = sorted(ram + soft)
    for (base, length), (following, _) in zip(inside, inside[1:]):
        if base + length > following:
            problems.append("E820: %#x+%#x overlaps what begins at %#x" % (base, length, following))

    # Per node, by the type E820 gives to the addresses SRAT gives to the node.
    found = {"normal": collections.Counter(), "spm": collections.Counter()}
    spm_pieces = []
    hotplug = []
    for node, base, length, flags in srat.memory:
        if not flags & 1:
            if (node, base, length, flags) != (0, 0, 0, 0):
                problems.append("SRAT: disabled entry %s" % _show((node, base, length, flags)))
            continue
        if flags & 2:
            hotplug.append((node, base, length))
            if any(base < at + size_ and at < base + length for at, size_ in soft + ram):
                problems.append("SRAT: hotplug range %#x+%#x overlaps present memory" % (base, length))
            continue
        # Not by overlap: where the hole below 1 MiB shifts the nodes of a tiny guest, SRAT gives
        # the last one a piece of RAM at 4 GiB that there is not, and SPM may lie there.
        if (base, length) in soft:
            spm_pieces.append((node, base, length))
            found["spm"][node] += length
        else:
            found["normal"][node] += length
    lost = lost_to_hole(nodes, wanted_sizes["normal"])
    for node in nodes:
        expect("node %d: normal memory" % node.id,
               wanted_sizes["normal"][node.id] - lost.get(node.id, 0), found["normal"][node.id])
        expect("node %d: SPM" % node.id, wanted_sizes["spm"][node.id], found["spm"][node.id])
    expect("nodes in SRAT that the file lacks", set(),
           {entry[0] for entry in srat.memory} - {node.id for node in nodes})

    start = window_start(ram, soft, hotplug)
    if spm_kind == "spm":
        expect("SPM in E820 and in SRAT", collections.Counter(soft),
               collections.Counter((base, length) for _, base, length in spm_pieces))
        places = [sorted(placement(topology, start, block)) for block in blocks(topology, ram)]
        found_places = sorted(spm_pieces)
        expect("SPM by node, address and size",
               found_places if found_places in places else places[0], found_places)
    _check_window(topology, start, ram, soft, hotplug, expect)


def blocks(topology, ram):
    """The sizes of the guest's memory block that may be reckoned with.

    128 MiB, or 2 GiB where boot memory ends at the address 64 GiB or above: that is what Linux asks.
    """
    del topology
    end = max(base + length for base, length in ram)
    return [2 * GIB] if end >= 64 * GIB else [128 * MIB]


def placement(topology, start, block):
    """[(node, address, size)] of SPM in a window that begins at START, by "Where SPM goes".

    Given addresses stay. The others, by node id and then declaration, take the
    lowest free multiple of the memory block that is a block away from other
    nodes' SPM; a region behind another of its node follows it without a gap.
    """
    taken = [(node.id, region.address, region.size) for node in topology.nodes
             for region in node.regions if region.type == "spm" and region.address is not None]

    def free(node, at, length):
        return at >= start and all(
            at + length + gap <= other or other + other_length + gap <= at
            for owner, other, other_length in taken for gap in (0 if owner == node else block,))

    for node in topology.nodes:
        behind = None
        for region in node.regions:
            if region.type != "spm":
                continue
            if region.address is not None:
                behind = None
                continue
            at = None
            if behind is not None:
                at = _up(behind, region.page)
            if at is None or not free(node.id, at, region.size):
                step = max(block, region.page)
                at = min(place for place in
                         [_up(start, step)] + [_up(other + length + gap, step)
                                               for _, other, length in taken for gap in (0, block)]
                         if free(node.id, place, region.size))
            taken.append((node.id, at, region.size))
            behind = at + region.size
    return taken


def _up(value, step):
    return -(-value // step) * step


def window_start(ram, soft, hotplug):
    """Where the window for memory devices begins: at the end of RAM, never below 4 GiB.

    On a guest whose RAM is all low, a window that moved to 1 TiB shows only in
    what lies in it.
    """
    start = _up(max([4 * GIB] + [base + length for base, length in ram]), GIB)
    inside = [base for _, base, _ in hotplug] + [base for base, _ in soft]
    return TIB if inside and min(inside) >= TIB > start else start


def _check_window(topology, start, ram, soft, hotplug, expect):
    """The window for memory devices has the size asked for, and the last node owns what is free."""
    boot = sum(length for _, length in ram)
    last = len(topology.nodes) - 1
    expect("node of the free window", set() if not hotplug else {last}, {node for node, _, _ in hotplug})
    window = sum(length for _, _, length in hotplug) + sum(length for _, length in soft)
    slots = 0 if topology.slots == "auto" else int(topology.slots)
    if topology.max_memory != "auto":
        budget = size(topology.max_memory) - boot
        expect("window for memory devices", budget + slots * GIB if budget > 0 else 0, window)
    elif soft:
        end = max(base + length for base, length in soft)
        expect("window for memory devices", _up(end - start, topology.unit) + slots * GIB, window)
    elif not slots:
        expect("window for memory devices", 0, window)


# HMAT: hierarchy memory; (data type, unit, keys of the file that give it)
LISTS = {0: ("latency", LATENCY), 1: ("read-latency", LATENCY), 2: ("write-latency", LATENCY),
         3: ("bandwidth", BANDWIDTH), 4: ("read-bandwidth", BANDWIDTH),
         5: ("write-bandwidth", BANDWIDTH)}
ASSOCIATIVITY = {"none": 0, "direct": 1, "complex": 2}
POLICY = {"none": 0, "write-back": 1, "write-through": 2}


def _check_hmat(topology, tables, expect):
    found = qtest.decode_hmat(tables.raw("hmat"))
    given = topology.hmat
    if given is None or given == "":
        expect("HMAT", "absent", "absent" if found is None else "present")
        return
    expect("HMAT", "present", "absent" if found is None else "present")
    if found is None:
        return
    initiators = {}
    for node in topology.nodes:
        # QEMU 9.0 and later leave out nodes whose boot memory is empty
        boot = node.amount("normal")
        if topology.spm_kind() == "normal":
            boot += node.amount("spm")
        if boot or tuple(int(part) for part in topology.qemu_version.split(".")) < (9, 0):
            initiators[node.id] = node.id if node.cpus else node.initiator
    expect("initiators", initiators, found.domains)

    cpu_nodes = [node.id for node in topology.nodes if node.cpus]
    everyone = [node.id for node in topology.nodes]
    wanted = {}
    for item in given.get("performance") or []:
        pair = int(item["from"]), int(item["to"])
        for number, (key, units) in LISTS.items():
            if key in item:
                wanted.setdefault(number, {})[pair] = quantity(item[key], units)
    expect("HMAT lists", sorted((0, number) for number in wanted), sorted(found.lists))
    for number, values in wanted.items():
        matrix = {(source, target): values.get((source, target), 0)
                  for source in cpu_nodes for target in everyone}
        expect("HMAT %s" % LISTS[number][0], matrix, found.lists.get((0, number)))

    caches = given.get("caches") or []
    levels = collections.Counter(int(cache["node"]) for cache in caches)
    expect("memory-side caches",
           collections.Counter((int(cache["node"]), int(cache["level"]), size(cache["size"]),
                                ASSOCIATIVITY[cache.get("associativity", "none")],
                                POLICY[cache.get("write-policy", "none")], int(cache["line"]),
                                levels[int(cache["node"])]) for cache in caches),
           collections.Counter(found.caches))
