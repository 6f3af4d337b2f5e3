#!/usr/bin/python3
"""Random valid topologies in spmtopo's language, the same for the same seed.

    random_topology.py [--qemu 11.1|7.2] SEED INDEX      print one

Valid means: by the language and memory-map pages nothing in it can be
refused.  Where that takes an address or a width, it is worked out here from
those pages and not asked of spmtopo.
"""

import random
import sys

import yaml

from meaning import GIB, KIB, MIB, TIB, size as meaning_size

VERSIONS = [(6, 2), (7, 0), (7, 1), (7, 2), (8, 0), (8, 1), (8, 2), (9, 0), (9, 1), (9, 2),
            (10, 0), (10, 1), (10, 2), (11, 0), (11, 1)]

# model: (vendor under tcg, x2APIC under tcg), as query-cpu-model-expansion says
MODELS = {
    "max": ("amd", True), "qemu64": ("amd", False), "phenom": ("amd", False),
    "Opteron_G1": ("amd", False), "Opteron_G5": ("amd", False), "EPYC": ("amd", False),
    "EPYC-v2": ("amd", False), "EPYC-IBPB": ("amd", False), "EPYC-Rome": ("amd", False),
    "EPYC-Milan-v1": ("amd", False), "EPYC-Genoa": ("amd", False), "EPYC-Turin": ("amd", False),
    "Dhyana": (None, False), "YongFeng": (None, True),
    "kvm64": ("intel", False), "core2duo": ("intel", False), "Conroe": ("intel", False),
    "Nehalem": ("intel", False), "Westmere-IBRS": ("intel", False), "SandyBridge": ("intel", True),
    "Haswell-noTSX": ("intel", True), "Skylake-Client": ("intel", True),
    "Skylake-Server-v5": ("intel", True), "Cascadelake-Server": ("intel", True),
    "Icelake-Server": ("intel", True), "KnightsMill": ("intel", True), "Denverton": ("intel", True),
    "SapphireRapids": ("intel", True), "GraniteRapids-v2": ("intel", True),
    "SierraForest": ("intel", True),
}
NEWER_THAN_7_2 = ("EPYC-Genoa", "EPYC-Turin", "YongFeng", "SapphireRapids", "GraniteRapids-v2",
                  "SierraForest")


def up(value, step):
    return -(-value // step) * step


class Layout:
    """Where QEMU puts RAM and the window for memory devices (memory-map page, sections 2 and 4)."""

    def __init__(self, board, version, amd, ram, max_memory, slots):
        if board == "q35":
            low = 0x80000000 if ram >= 0xb0000000 else 0xb0000000
            hole = 32 * GIB
        else:
            low = 0xc0000000 if ram >= 0xe0000000 else 0xe0000000
            hole = 2 * GIB
        self.below = min(ram, low)
        self.above = ram - self.below
        self.moved = False
        self._place(4 * GIB, ram, max_memory, slots)
        self.highest = up(self.end, GIB) + hole - 1
        if amd and version >= (7, 1) and self.highest >= 0xfd00000000:
            self.moved = True
            self._place(TIB, ram, max_memory, slots)
            self.highest = up(self.end, GIB) + hole - 1

    def _place(self, start, ram, max_memory, slots):
        self.base = up(start + self.above, GIB)
        self.size = max_memory - ram + slots * GIB if max_memory > ram else 0
        self.end = self.base + self.size if self.size else start + self.above

    @property
    def bits(self):
        return max(self.highest.bit_length(), 32)


class Generator:
    def __init__(self, seed, index, qemu="11.1", machines=None):
        self.rng = random.Random("%s/%s/%s" % (seed, index, qemu))
        self.old = qemu == "7.2"
        self.machines = machines
        self.name = "random-%s-%s" % (seed, index)

    def chance(self, percent):
        return self.rng.random() * 100 < percent

    def pick(self, *weighted):
        """pick((weight, value), ...)"""
        return self.rng.choices([value for _, value in weighted], [weight for weight, _ in weighted])[0]

    # machine and CPU

    def machine(self):
        rng = self.rng
        self.board = "q35" if self.chance(70) else "pc"
        newest = (7, 2) if self.old else (11, 1)
        self.version = newest
        kind = self.board
        if self.chance(40):
            version = rng.choice([known for known in VERSIONS if known <= newest])
            name = "pc-%s-%d.%d" % (("q35" if self.board == "q35" else "i440fx",) + version)
            if self.machines is None or name in self.machines:
                kind, self.version = name, version
        self.kvm = not self.old and self.chance(30)
        if self.kvm:
            self.model = self.pick((60, "host"), (10, "max"), (30, rng.choice(list(MODELS))))
            self.vendor = rng.choice(("amd", "intel"))
            self.x2apic = True
        else:
            self.model = self.pick((50, "max"), (50, rng.choice(list(MODELS))))
            if self.old and self.model in NEWER_THAN_7_2:
                self.model = "max"
            self.vendor, self.x2apic = MODELS[self.model]
            if self.old:
                self.x2apic = False
        machine = {"type": kind, "accel": "kvm" if self.kvm else "tcg"}
        if self.kvm:
            machine["cpu-vendor"] = self.vendor
            if self.model != "host" or self.chance(50):
                machine["cpu"] = self.model
        elif self.model != "max" or self.chance(80):
            machine["cpu"] = self.model
        return machine

    def cpus(self):
        rng = self.rng
        if self.board == "pc":
            limit = 255
        else:
            limit = 288 if self.version <= (8, 0) or self.old else 1024 if self.version <= (8, 2) else 4096
        limit = min(limit, 300)
        goal = min(limit, self.pick((30, rng.randint(1, 4)), (40, rng.randint(1, 24)),
                                    (22, rng.randint(1, 96)), (8, rng.randint(1, 300))))
        while True:
            threads = self.pick((60, 1), (35, 2), (5, rng.randint(3, 4)))
            dies = self.pick((80, 1), (20, rng.randint(2, 3)))
            modules = 1 if self.old or isinstance(self, ForLibvirt) else self.pick((85, 1), (15, rng.randint(2, 3)))
            sockets = self.pick((40, 1), (40, rng.randint(1, 4)), (20, rng.randint(1, goal)))
            inner = threads * dies * modules * sockets
            cores = max(1, goal // inner)
            top = inner * cores
            if top > limit:
                continue
            apic, factor_bits = 0, 0
            for factor in (threads, cores, modules, dies, sockets):
                apic |= factor - 1 << factor_bits
                factor_bits += (factor - 1).bit_length()
            count = top if self.chance(75) else rng.randint(1, top)
            # an APIC id of 255 and more wants x2APIC, and QEMU 7.2 wants KVM for it
            if apic >= 255 and not self.x2apic:
                continue
            # a 32-bit SMBIOS cannot count that many threads in a socket
            if self.version <= (8, 0) and top // sockets >= 255:
                continue
            break
        self.possible = top
        given = {"sockets": sockets, "cores": cores, "threads": threads}
        if dies > 1 or self.chance(10):
            given["dies"] = dies
        if modules > 1:
            given["modules"] = modules
        style = self.pick((40, "all"), (20, "no cores"), (20, "no sockets"), (20, "no threads"))
        if style == "no cores":
            del given["cores"]
        elif style == "no sockets":
            del given["sockets"]
        elif style == "no threads":
            del given["threads"]
        # what the missing factor becomes must be what was drawn
        defaulted = {key: given.get(key) for key in ("sockets", "cores", "threads")}
        inner = dies * modules
        if defaulted["cores"] is None:
            guessed = (defaulted["sockets"] or 1) * (defaulted["threads"] or 1) * inner
        elif defaulted["sockets"] is None:
            guessed = defaulted["cores"] * (defaulted["threads"] or 1) * inner
        else:
            guessed = defaulted["cores"] * defaulted["sockets"] * inner
        assert top % guessed == 0
        if sockets == threads == dies == modules == 1 and count == top and self.chance(70):
            return count
        if count == top:
            given = dict({"count": count}, **given)
            if self.chance(20):
                given["max"] = top
        else:
            given = dict({"count": count, "max": top}, **given)
        return given

    def spread_cpus(self, count):
        """{node: [vCPU]}; every possible vCPU in one node, some nodes without."""
        rng = self.rng
        homes = rng.sample(range(count), rng.randint(1, min(count, self.possible)))
        if count > 1 and 0 not in homes and self.chance(80):
            homes[0] = 0
        homes.sort()
        cpus = {home: [] for home in homes}
        style = self.pick((50, "runs"), (25, "turns"), (25, "random"))
        for index in range(self.possible):
            if style == "runs":
                home = homes[index * len(homes) // self.possible]
            elif style == "turns":
                home = homes[index % len(homes)]
            else:
                home = rng.choice(homes)
            cpus[home].append(index)
        return {home: own for home, own in cpus.items() if own}

    def ids(self, numbers):
        runs, start, last = [], None, None
        for number in numbers:
            if start is not None and number == last + 1:
                last = number
                continue
            if start is not None:
                runs.append((start, last))
            start = last = number
        runs.append((start, last))
        parts = [str(low) if low == high else "%d-%d" % (low, high) for low, high in runs]
        if self.chance(25):
            return [int(part) if part.isdigit() else part for part in parts]
        return ",".join(parts)

    # memory

    def text(self, amount):
        units = [(name, unit) for name, unit in
                 (("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)) if amount % unit == 0]
        name, unit = units[0] if self.chance(75) else self.rng.choice(units)
        if self.chance(10):
            name = name[0]
        if name == "MiB" and amount % (256 * MIB) == 0 and amount < 64 * GIB and self.chance(30):
            return "%gGiB" % (amount / GIB)
        return "%d%s" % (amount // unit, name)

    def normal_total(self):
        """RAM of the whole guest, often near a place where the map changes."""
        rng = self.rng
        edge = rng.choice((2815, 2816, 2817, 3583, 3584, 3585, 4095, 4096, 4097, 2048, 3072)) * MIB
        tib = rng.choice((977, 978, 979, 980, 988, 989, 990, 991, 1008, 1009, 1010, 1011, 1012, 1023, 1024,
                          1025)) * GIB
        return self.pick((3, rng.randint(64, 512) * 8 * KIB), (42, rng.randint(16, 8192) * MIB),
                         (20, edge), (15, rng.randint(1, 128) * GIB), (6, rng.choice((63, 64, 65)) * GIB),
                         (8, tib + rng.choice((0, 0, 0, -MIB, MIB))), (4, rng.randint(1, 6 * 1024) * GIB),
                         (3, rng.randint(1, 8) * TIB))

    def split(self, total, parts, grain):
        """PARTS sizes, multiples of GRAIN but for the first, that make TOTAL."""
        cuts = sorted(self.rng.randint(1, max(1, total // grain - 1)) for _ in range(parts - 1))
        edges = [0] + [cut * grain for cut in cuts] + [total]
        return [high - low for low, high in zip(edges, edges[1:])]

    def backend(self, label, page_choices=True):
        """(mapping or None, what sizes must be a multiple of as node RAM, and as SPM)"""
        rng = self.rng
        kind = self.pick((45, "ram"), (35, "memfd"), (20, "file"))
        backend = {"kind": kind}
        grain, device_grain = 8 * KIB, 2 * MIB
        if kind == "memfd":
            device_grain = 4 * KIB
            if page_choices and self.chance(30):
                pages = self.pick((70, 2 * MIB), (15, GIB), (15, True))
                backend["hugepages"] = pages if pages is True else self.text(pages)
                grain = device_grain = 2 * MIB if pages is True else pages
        if kind == "file":
            device_grain = 4 * KIB
            backend["path"] = rng.choice(("/tmp", "/dev/shm", "/mnt/spmtopo/%s" % label,
                                          "/dev/dax%d.0" % rng.randint(0, 9),
                                          "/srv/a,b=%s" % label))
            if backend["path"].startswith("/dev/dax"):
                backend["path"] = "/dev/dax%s.0" % (label.replace("-", "") + "0")
                backend["align"] = "2MiB"
                device_grain = grain = 2 * MIB
            elif self.chance(25):
                align = rng.choice((MIB, 2 * MIB, 4 * MIB, 128 * MIB))
                backend["align"] = self.text(align)
                device_grain = grain = align
            if not self.old and backend["path"].startswith("/mnt") and self.chance(25):
                backend["offset"] = self.text(rng.randint(1, 64) * (2 * MIB))
        if self.chance(30):
            backend["share"] = rng.choice((True, False)) if kind != "memfd" else True
        if backend.get("path", "").startswith("/dev/dax"):
            backend["share"] = True                      # its driver refuses a private mapping
        for key in ("merge", "dump", "prealloc"):
            if self.chance(10):
                backend[key] = rng.choice((True, False))
        if self.chance(8) and not backend.get("prealloc"):
            backend["reserve"] = rng.choice((True, False))
        if self.chance(10):
            backend["policy"] = rng.choice(("bind", "preferred", "interleave"))
            backend["host-nodes"] = rng.choice((0, "0-1", "0,2")) if backend["policy"] != "preferred" else 0
        return backend, grain, device_grain

    def nodes(self):
        rng = self.rng
        count = self.pick((12, 1), (25, 2), (30, rng.randint(3, 4)), (22, rng.randint(5, 8)),
                          (9, rng.randint(9, 24)), (2, rng.randint(25, 128)))
        cpus = self.spread_cpus(count)
        spm_wanted = not self.old and self.chance(75)
        kinds = {}
        # SPM as plain RAM of its own node, for a kernel that is told: a command line holds some 50
        self.parameter = 1 < count <= 40 and self.chance(12 if self.old else 4)
        for number in range(count):
            if self.parameter:
                kinds[number] = "normal" if number == 0 else \
                    self.pick((40, "normal"), (50, "spm"), (10, "none"))
            elif spm_wanted:
                kinds[number] = self.pick((42, "normal"), (38, "spm"), (10, "mixed"), (10, "none"))
            else:
                kinds[number] = self.pick((85, "normal"), (15, "none"))
        if not any(kind in ("normal", "mixed") for kind in kinds.values()):
            kinds[0 if self.chance(80) else rng.randrange(count)] = "normal"
        if spm_wanted and count == 1 and kinds[0] == "normal":
            kinds[0] = "mixed"

        default = None
        grain, device_grain = 8 * KIB, 2 * MIB
        if self.chance(25):
            default, grain, device_grain = self.backend("all")
            if default["kind"] == "file" and not default["path"].startswith(("/tmp", "/dev/shm")):
                default["path"] = "/tmp"
            default.pop("offset", None)
        self.default_backend = default

        with_ram = [number for number in range(count)
                    if kinds[number] in ("normal", "mixed") or self.parameter and kinds[number] == "spm"]
        total = self.normal_total()
        if self.parameter:
            total = max(total, 64 * MIB * len(with_ram))
        if default:
            total = max(grain, total // grain * grain)
        unit = max(grain, MIB if total >= 64 * MIB else 8 * KIB)
        while len(with_ram) * unit * 2 > total:
            total += max(unit, total)
        sizes = dict(zip(with_ram, self.split(total, len(with_ram), unit)))
        for number in with_ram:
            if sizes[number] == 0:
                sizes[number] = unit
        self.ram = sum(sizes.values())
        layout = Layout(self.board, self.version, False, self.ram, self.ram, 0)
        self.block = 2 * GIB if max(layout.below, layout.end) >= 64 * GIB else 128 * MIB

        self.regions = []                    # of SPM: (node, mapping, size, what its address is a multiple of)
        nodes = []
        for number in range(count):
            node = {"id": number}
            if number in cpus:
                node["cpus"] = self.ids(cpus[number])
            if self.chance(8):
                node["label"] = rng.choice(("near", "far", "HBM stack", "accelerator & memory"))
            memory = []
            if number in sizes:
                memory += self.normal(number, sizes[number], unit)
            if self.parameter and kinds[number] == "spm":
                memory = [dict(memory[0] if isinstance(memory[0], dict) else {"size": memory[0]},
                               type="spm")]
            elif kinds[number] in ("spm", "mixed"):
                for part in range(self.pick((80, 1), (15, 2), (5, rng.randint(3, 4)))):
                    memory.append(self.spm(number, part, device_grain))
            if memory:
                node["memory"] = memory[0] if len(memory) == 1 and self.chance(80) else memory
            nodes.append(node)
        self.mixed = "mixed" in kinds.values()
        self.cpu_nodes = sorted(cpus)
        self.count = count
        return nodes

    def normal(self, number, amount, unit):
        """A bare size, a region, or two that make one piece of RAM."""
        region = {"size": self.text(amount)}
        if not self.default_backend and self.chance(20):
            backend, grain, _ = self.backend("n%d" % number, page_choices=amount % (2 * MIB) == 0)
            if amount % grain == 0 and not (backend["kind"] == "file" and amount > 4 * TIB):
                region["backend"] = backend
        if "backend" not in region:
            if self.chance(60):
                return [region["size"]]
            one_file = (self.default_backend or {}).get("kind") == "file"
            if self.chance(20) and amount >= 2 * unit and not self.parameter and not one_file:
                first = self.rng.randint(1, amount // unit - 1) * unit
                return [{"size": self.text(first)}, {"size": self.text(amount - first)}]
        if self.chance(20):
            region["type"] = "normal"
        if self.chance(10):
            region["id"] = "ram-%d" % number
        return [region]

    def spm(self, number, part, device_grain):
        rng = self.rng
        region = {"type": "spm"}
        if not self.default_backend and self.chance(30):
            backend, _, device_grain = self.backend("s%d-%d" % (number, part))
            region["backend"] = backend
        block = self.block
        amount = self.pick((40, rng.randint(1, 16) * block), (20, rng.randint(1, 32) * GIB),
                           (30, rng.randint(1, 2000) * 2 * MIB), (5, rng.randint(1, 1024) * GIB),
                           (5, rng.randint(1, 4000) * MIB + rng.randint(0, 255) * 4 * KIB))
        amount = max(device_grain, amount // device_grain * device_grain)
        region = dict({"size": self.text(amount)}, **region)
        if self.chance(10):
            region["id"] = "hbm.%d_%d" % (number, part)
        self.regions.append((number, region, amount, max(block, device_grain)))
        return region

    def window(self):
        """device-memory, and addresses for some SPM regions."""
        rng = self.rng
        amd = self.vendor == "amd"
        # No more than this from the window's start to the end of what the compiler places.
        # The block follows the address at which RAM ends, and AMD may move RAM to 1 TiB.
        block = 2 * GIB if amd else self.block
        reach = sum(up(amount, max(step, block)) + max(step, block) + block
                    for _, _, amount, step in self.regions)
        slots = self.pick((60, 0), (30, rng.randint(1, 16)), (10, rng.randint(17, 256)))
        extra = self.pick((30, 0), (50, rng.randint(1, 64) * GIB), (20, rng.randint(1, 4096) * MIB))
        style = self.pick((55, "absent"), (25, "max"), (20, "auto")) if self.regions else \
            self.pick((65, "absent"), (35, "max"))
        max_memory = up(self.ram + reach + extra, 4 * KIB)
        if style == "absent" or max_memory == self.ram:
            slots = 0
        memory = None
        if style == "max":
            memory = {"max-memory": self.text(max_memory)}
            if slots or self.chance(30):
                memory["slots"] = slots
        elif style == "auto":
            memory = {"max-memory": "auto", "slots": slots} if self.chance(70) else {"slots": slots}
        if style != "max":
            max_memory = self.ram + reach * 2 + 64 * GIB if self.regions else self.ram
        if self.regions and self.chance(30):
            self.pin(amd, max_memory, slots, reach)
        self.most = max_memory, slots
        self.bits_needed = Layout(self.board, self.version, amd, self.ram, max_memory, slots).bits
        return memory

    def pin(self, amd, max_memory, slots, reach):
        """Give all or some SPM regions an address that holds however small the window gets."""
        rng = self.rng
        least = Layout(self.board, self.version, amd, self.ram, self.ram + 4 * KIB, 0)
        most = Layout(self.board, self.version, amd, self.ram, max_memory, slots)
        if least.base != most.base:
            return                                    # the window's start depends on what it holds
        every = self.chance(50)
        # behind the last pinned region there is room for all that are not
        end = most.base + max_memory - self.ram - (0 if every else reach)
        cursor, last = most.base, None
        order = list(self.regions)
        rng.shuffle(order)
        for number, region, amount, step in order:
            if not every and self.chance(50):
                continue
            start = up(cursor + (self.block if last not in (None, number) else 0), step)
            jump = rng.randint(0, 4) * step if self.chance(50) else 0
            if start + jump + amount <= end:
                start += jump
            if start + amount > end:
                if every:
                    for _, other, _, _ in self.regions:
                        other.pop("address", None)
                return
            region["address"] = "%#x" % start if self.chance(70) else self.text(start)
            cursor, last = start + amount, number

    # distances and HMAT

    def distances(self):
        rng = self.rng
        if self.count > 40 or not self.chance(45):
            return None
        count = self.count
        symmetric = self.chance(60)
        rows = [[10] * count for _ in range(count)]
        for a in range(count):
            for b in range(count):
                if a != b:
                    rows[a][b] = rows[b][a] if symmetric and b < a else \
                        self.pick((96, rng.randint(11, 254)), (4, 255))
        if self.chance(60) or count == 1:
            return rows
        mapping = {}
        for a in range(count):
            row = {}
            for b in range(count):
                if self.chance(50) and (a != b or self.chance(10)):
                    row[b] = rows[a][b]
            if row or self.chance(5):
                mapping[a] = row or {a: 10}
        return mapping or {0: {1: rows[0][1]}}

    def hmat(self, nodes):
        rng = self.rng
        if self.count > 24 or not self.chance(30):
            return None
        for node in nodes:
            if node["id"] not in self.cpu_nodes and self.chance(75):
                node["initiator"] = rng.choice(self.cpu_nodes)
        scale = 10 ** rng.choice((0, 0, 0, 1, 3))
        shift = rng.randint(0, 10)
        keys = self.pick((60, [("latency", "bandwidth")]),
                         (40, [("read-latency", "read-bandwidth"), ("write-latency", "write-bandwidth")]))

        def latency():
            value = rng.randint(1, 6000) * scale
            if value % 1000 == 0 and self.chance(50):
                return "%dus" % (value // 1000)
            return "%dns" % value if self.chance(90) else "%dps" % (value * 1000)

        def bandwidth():
            value = rng.randint(1, 4095) << shift
            if value % 1024 == 0:
                return "%dGiB/s" % (value // 1024)
            if value % 256 == 0 and self.chance(30):
                return "%gGiB/s" % (value / 1024)
            return "%dMiB/s" % value
        performance = []
        complete = self.chance(75)
        covered = set()
        for source in self.cpu_nodes:
            for target in range(self.count):
                if not complete and self.chance(40):
                    continue
                item = {"from": source, "to": target}
                for first, second in keys:
                    item[first] = latency()
                    item[second] = bandwidth()
                performance.append(item)
                covered.add(target)
        if not performance:
            return None
        if self.chance(20):
            rng.shuffle(performance)
        hmat = {"performance": performance}
        caches = []
        for target in sorted(covered):
            if self.chance(15):
                amount = rng.randint(1, 64) * KIB
                for level in range(1, rng.randint(1, 3) + 1):
                    caches.append({"node": target, "level": level, "size": self.text(amount),
                                   "line": rng.choice((32, 64, 128, 256)),
                                   "associativity": rng.choice(("none", "direct", "complex")),
                                   "write-policy": rng.choice(("none", "write-back", "write-through"))})
                    amount *= rng.randint(2, 1024)
        if caches:
            hmat["caches"] = caches
        return hmat

    # all

    def topology(self):
        rng = self.rng
        top = {"spmtopo": 1, "name": self.name}
        machine = self.machine()
        cpus = self.cpus()
        nodes = self.nodes()
        window = self.window()
        if not self.kvm and self.chance(15):
            bits = [bits for bits in (36, 38, 39, 40, 41, 42, 44, 46, 48, 52) if bits >= self.bits_needed]
            if bits:
                machine["phys-bits"] = rng.choice(bits)
        top["machine"] = machine
        if self.parameter:
            top["boot"] = {"firmware": rng.choice(("seabios", "qboot", "ovmf")),
                           "kernel": "/boot/vmlinuz-spmtopo"}
            if self.chance(50):
                top["boot"]["cmdline"] = "console=ttyS0, quiet"
        elif self.chance(15):
            top["boot"] = {"firmware": "qboot" if self.regions else rng.choice(("seabios", "qboot"))}
        elif self.old or self.chance(20):
            top["boot"] = {"firmware": "ovmf"}
        top["cpus"] = cpus
        if self.default_backend:
            top["defaults"] = {"backend": self.default_backend}
        if window:
            top["device-memory"] = window
        distances = self.distances()
        hmat = self.hmat(nodes)
        if not hmat:
            for node in nodes:
                if node["id"] not in self.cpu_nodes and self.chance(10):
                    node["initiator"] = rng.choice(self.cpu_nodes)
        if self.chance(15):
            rng.shuffle(nodes)
        top["nodes"] = nodes
        if distances:
            top["distances"] = distances
        if hmat:
            top["hmat"] = hmat
        if self.mixed and self.chance(60):
            top["rules"] = {"mixed-nodes": rng.choice(("allow", "warn"))}
        if self.old or self.parameter:
            qemu = {"version": "7.2"} if self.old else {}
            if self.parameter:
                qemu["spm-interface"] = "kernel-parameter"
            top["targets"] = {"qemu": qemu}
        elif self.chance(10):
            top["targets"] = {"qemu": {"version": "11.1", "spm-interface": rng.choice(("auto", "sp-mem"))}}
        return top


class ForLibvirt(Generator):
    """What libvirt can say, most of it: one kind of backend in a guest, SPM without ids, no modules."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.kind = self.rng.choice(("ram", "memfd"))

    def backend(self, label, page_choices=True):
        backend, grain, device_grain = {"kind": self.kind}, 8 * KIB, 2 * MIB
        if self.kind == "memfd":
            grain = device_grain = 4 * KIB
            if self.chance(50):
                backend["share"] = self.rng.choice((True, False))
            if page_choices and self.chance(40):
                backend["hugepages"] = "2MiB"
                grain = device_grain = 2 * MIB
        if self.chance(20):
            backend["policy"], backend["host-nodes"] = self.rng.choice(
                (("bind", "0-1"), ("interleave", "0,2"), ("preferred", 0)))
        return backend, grain, device_grain

    def spm(self, number, part, device_grain):
        region = super().spm(number, part, device_grain)
        region.pop("id", None)
        return region

    def topology(self):
        top = super().topology()
        if self.chance(30):
            top.setdefault("targets", {})["libvirt"] = {"version": self.rng.choice(("9.0", "9.4", "9.5", "11.3", "12.7"))}
        return top


def vary(generator, top):
    """Changes a valid topology into another one, by what is not among the generator's own draws.

    Its dice are its own, so that the topologies of faults.py stay what they were.
    """
    rng = random.Random("vary/%s/%s" % (top["name"], generator.old))

    def chance(percent):
        return rng.random() * 100 < percent

    machine = top["machine"]
    amd = Layout(generator.board, generator.version, True, generator.ram, *generator.most)
    if generator.kvm and not amd.moved and chance(15):
        del machine["cpu-vendor"]                  # the layout is the same on any host
    elif generator.kvm and chance(10):
        machine["phys-bits"] = rng.choice([bits for bits in (40, 44, 46, 48, 52)
                                           if bits >= generator.bits_needed])
    vary_cpus(generator, top, rng)
    for node in top["nodes"]:
        memory = node.get("memory", [])
        regions = [region for region in (memory if isinstance(memory, list) else [memory])
                   if isinstance(region, dict)]
        for backend in [region["backend"] for region in regions if "backend" in region]:
            vary_backend(backend, rng)
        if chance(8) and not generator.default_backend:
            node["host-nodes"] = rng.choice((0, "0-1"))
        if isinstance(memory, list) and len(memory) > 1 and chance(50):
            rng.shuffle(memory)
    if generator.default_backend:
        vary_backend(generator.default_backend, rng)
    if not generator.regions and not generator.parameter and chance(10):
        top["boot"] = {"firmware": "none", "kernel": "/boot/vmlinuz-spmtopo"}
    elif top.get("boot", {}).get("firmware") == "ovmf" and chance(30):
        top["boot"]["firmware"] = {"type": "ovmf", "version": 202608, "vars": "/usr/share/OVMF/OVMF_VARS_4M.fd"}
    vary_hmat(generator, top, rng)
    if generator.count > 40 and chance(30):
        top["distances"] = [[10 if a == b else 11 + (a ^ b) for b in range(generator.count)]
                            for a in range(generator.count)]
    same_nodes(generator, top, rng)
    return top


def vary_cpus(generator, top, rng):
    """Room for many vCPUs more, up to the machine's limit, in nodes that have some."""
    if generator.old or generator.kvm or generator.board != "q35" or rng.random() > 0.05:
        return
    limit = 288 if generator.version <= (8, 0) else 1024 if generator.version <= (8, 2) else 4096
    threads, cores = rng.randint(1, 3), rng.randint(1, 16)
    modules, dies = rng.randint(1, 2), rng.randint(1, 3)
    inner = threads * cores * modules * dies
    possible = limit // inner * inner
    if possible <= generator.possible or generator.version <= (8, 0) and inner >= 255:
        return
    # an APIC id of a vCPU that is there may want x2APIC; the first 16 have none such
    top["cpus"] = {"count": rng.randint(1, 16), "max": possible, "sockets": limit // inner, "dies": dies,
                   "modules": modules, "cores": cores, "threads": threads}
    home = rng.choice([node for node in top["nodes"] if "cpus" in node])
    more = "%d-%d" % (generator.possible, possible - 1) if possible - generator.possible > 1 else possible - 1
    home["cpus"] = (home["cpus"] if isinstance(home["cpus"], list) else [home["cpus"]]) + [more]


def vary_backend(backend, rng):
    kind = backend.get("kind", "ram")
    if kind == "memfd" and rng.random() < 0.3:
        backend["share"] = False
    if kind == "file" and not backend["path"].startswith("/dev/dax") and rng.random() < 0.2:
        backend["pmem"] = rng.choice((True, False))
    if backend.get("policy") == "preferred" and rng.random() < 0.5:
        backend["host-nodes"] = "0-1"
    elif "policy" not in backend and rng.random() < 0.1:
        backend["policy"] = "default"


def vary_hmat(generator, top, rng):
    """An HMAT of extremes: each pair with its own kinds of values, units up to what QEMU holds."""
    if "hmat" not in top and rng.random() > 0.06 or "hmat" in top and rng.random() > 0.3:
        return
    if rng.random() < 0.1:
        top["hmat"] = {}
        return
    pairs = [(source, target) for source in generator.cpu_nodes for target in range(generator.count)]
    rng.shuffle(pairs)
    # no value has more in common with the others than this: QEMU cuts units to 32 bits
    scale, shift = 10 ** rng.randint(0, 6), rng.randint(0, 27)
    performance, whole = [], set()
    for source, target in pairs[:rng.randint(1, 300)]:
        item = {"from": source, "to": target}
        for what, value in (("latency", lambda: "%dns" % (rng.randint(0, 600) * 10 * scale + scale)),
                            ("bandwidth", lambda: "%dMiB/s" % ((rng.randint(0, 2047) * 2 + 1) << shift))):
            for way in rng.choice((("",), ("read-", "write-"), ("read-",), ("write-",), ())):
                item[way + what] = value()
        if len(item) > 2:
            performance.append(item)
        if any("latency" in key for key in item) and any("bandwidth" in key for key in item):
            whole.add(target)
    caches = []
    for target in whole:
        amount = rng.randint(1, 8) * KIB
        for level in range(1, rng.randint(0, 3) + 1):
            caches.append({"node": target, "level": level, "size": "%dKiB" % (amount // KIB),
                           "line": rng.choice((0, 1, 64, 65535)),
                           "associativity": rng.choice(("none", "direct", "complex")),
                           "write-policy": rng.choice(("none", "write-back", "write-through"))})
            amount *= rng.randint(2, 8192)
    rng.shuffle(caches)
    top["hmat"] = {"performance": performance, "caches": caches}


def same_nodes(generator, top, rng):
    """Nodes without CPUs that are alike become one, with an id list."""
    def plain(node):
        memory = node.get("memory")
        return isinstance(memory, dict) and set(memory) == {"size", "type"} and set(node) == {"id", "memory"}

    bare = [node for node in top["nodes"] if "cpus" not in node]
    alike = [node for node in bare if plain(node) and node["memory"]["type"] == "spm"]
    if len(alike) > 1 and not generator.parameter and rng.random() < 0.4:
        least = min((node["memory"] for node in alike), key=lambda memory: meaning_size(memory["size"]))
        for node in alike:                          # a smaller size fits wherever a larger one did
            node["memory"] = dict(least)
    if rng.random() < 0.5:
        return
    groups = {}
    for node in bare:
        rest = {key: value for key, value in node.items() if key != "id"}
        groups.setdefault(repr(sorted(rest.items())), []).append(node)
    for nodes in groups.values():
        if len(nodes) < 2 or "address" in repr(nodes) or "'id'" in repr(nodes[0].get("memory")) or \
                "'path'" in repr(nodes):
            continue
        numbers = sorted(node["id"] for node in nodes)
        nodes[0]["id"] = generator.ids(numbers)
        top["nodes"] = [node for node in top["nodes"] if not any(node is other for other in nodes[1:])]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def generate(seed, index, qemu="11.1", machines=None):
    """The text of topology INDEX of SEED."""
    generator = Generator(seed, index, qemu, machines)
    return text_of(vary(generator, generator.topology()))


def generate_for_libvirt(seed, index, machines):
    return text_of(ForLibvirt(seed, index, "11.1", machines).topology())


def text_of(top):
    return yaml.dump(top, Dumper=_Dumper, default_flow_style=None, sort_keys=False, width=100)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    which = "11.1"
    if arguments[:1] == ["--qemu"]:
        which, arguments = arguments[1], arguments[2:]
    if len(arguments) != 2:
        sys.exit(__doc__.strip())
    sys.stdout.write(generate(arguments[0], arguments[1], which))
