#!/usr/bin/python3
"""Faults put into valid random topologies, and what the real QEMU says of each.

    faults.py                            the list
    faults.py SEED NUMBER [FAULT]        the faulty topology of that number, and the options for QEMU

A fault changes the data structure of a valid topology in one place.  It names
the rules of `spmtopo check` that report it, and what QEMU makes of the same
thing said in its own options: it refuses it, it silently makes something else
of it, or it cannot see it, and then the reason stands here.

translate() says a topology, faulty or not, in QEMU's options.  It is written
from the memory-map page and shares nothing with spmtopo but the addresses and
the window that `gen` chose for the valid original.
"""

import collections
import copy
import fractions
import json
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import yaml

import argv as argv_module
import compare
import meaning
import qtest
import random_topology
from meaning import GIB, KIB, MIB, TIB
from random_topology import up

REFUSED, ALTERED, BLIND = "refused", "altered", "not seen"

Fault = collections.namedtuple("Fault", "name apply rules sees says why may_pass needs qemu")
FAULTS = []


class Skip(Exception):
    """This topology has no place for the fault."""


def fault(name, rules, sees=REFUSED, says="", why="", may_pass=False, needs="", qemu="11.1"):
    """RULES: those that may report it. SEES: what QEMU may do of it. SAYS: its message.
    WHY: the reason where it does not see it. MAY_PASS: not every draw is a fault;
    one that `check` passes must run and be what `expect` says."""
    def add(function):
        FAULTS.append(Fault(name, function, rules.split(), sees if isinstance(sees, tuple) else (sees,),
                            says, why, may_pass, needs.split(), qemu))
        return function
    return add


# A valid topology, ready to be spoiled

def kib(amount):
    """A size in the language, exact to the byte."""
    whole, rest = divmod(amount, KIB)
    return "%dKiB" % whole if not rest else "%d.%010dKiB" % (whole, rest * 10 ** 10 // KIB)


class Case:
    """A valid topology, what `gen` made of it, and the dice."""

    def __init__(self, top, command, rng):
        self.top = top
        self.rng = rng
        pairs = argv_module._pairs(command[1:])
        memory = next(argv_module.split_keyval(value) for name, value in pairs if name == "-m")
        self.ram = argv_module.size_bytes(argv_module.get(memory, "size"))
        self.max_memory = argv_module.size_bytes(argv_module.get(memory, "maxmem", str(self.ram)))
        self.slots = int(argv_module.get(memory, "slots", "0"))
        self.machine = top["machine"]
        self.tcg = self.machine.get("accel") == "tcg"
        self.parameter = interface(top) == "kernel-parameter"
        self.nodes = sorted(top["nodes"], key=lambda node: node["id"])
        for node in self.nodes:
            memory = node.get("memory", [])
            node["memory"] = [dict(item) if isinstance(item, dict) else {"size": item}
                              for item in (memory if isinstance(memory, list) else [memory])]
            if not node["memory"]:
                del node["memory"]
        self.regions = [(node, region) for node in self.nodes for region in node.get("memory", [])]
        self.spm = [(node, region) for node, region in self.regions if region.get("type") == "spm"]
        self.normal = [(node, region) for node, region in self.regions
                       if region.get("type", "normal") == "normal"]
        if self.parameter:
            self.spm_devices = []
        else:
            self.spm_devices = self.spm
        devices = [argv_module.split_keyval(value) for name, value in pairs if name == "-device"]
        self.at = {id(region): int(argv_module.get(items, "addr"), 16)
                   for (_, region), items in zip(self.spm_devices, devices)}
        self.spm_sum = sum(meaning.size(region["size"]) for _, region in self.spm_devices)
        self.cpu_nodes = [node for node in self.nodes if node.get("cpus", "") != ""]
        self.bare = [node for node in self.nodes if node.get("cpus", "") == ""]
        self.hmat = top.get("hmat")
        self.possible = meaning.Topology(dump(top)).possible
        version = re.search(r"-(\d+)\.(\d+)$", self.machine["type"])
        self.version = tuple(int(part) for part in version.groups()) if version else (11, 1)
        self.q35 = "q35" in self.machine["type"]
        self.after = None                       # changes QEMU's options at the very end
        self.before = None                      # ... or before the harness makes them start here

    @property
    def default(self):
        return (self.top.get("defaults") or {}).get("backend") or {}

    def backend(self, region):
        """The backend that stands for a region; changes to it stay in the file's region."""
        if "backend" not in region:
            region["backend"] = dict(self.default)
        return region["backend"]

    def plain(self, region, **keys):
        """The region gets a backend of its own, with these keys alone."""
        region["backend"] = {key.replace("_", "-"): value for key, value in keys.items()}

    def some_spm(self):
        return self.rng.choice(self.spm_devices or skip())

    def pin(self):
        """Everything that `gen` chose stands in the file: the window, and each address."""
        for _, region in self.spm_devices:
            region["address"] = "%#x" % self.at[id(region)]
        if self.max_memory > self.ram:
            self.top["device-memory"] = {"max-memory": kib(self.max_memory), "slots": self.slots}

    def window(self):
        """(start, end) of the window for memory devices, as QEMU makes it."""
        vendor = self.machine.get("cpu-vendor")
        if self.tcg:
            vendor = random_topology.MODELS[self.machine.get("cpu", "max")][0]
        layout = random_topology.Layout("q35" if self.q35 else "pc", self.version, vendor == "amd",
                                        self.ram, self.max_memory, self.slots)
        return layout.base, layout.base + layout.size, layout

    def make_hmat(self):
        """A whole HMAT with plain values."""
        self.hmat = self.top["hmat"] = {"performance": [
            {"from": source["id"], "to": target["id"], "latency": "%dns" % self.rng.randint(10, 999),
             "bandwidth": "%dGiB/s" % self.rng.randint(1, 999)}
            for source in self.cpu_nodes for target in self.nodes]}
        return self.hmat["performance"]

    def need_hmat(self):
        if len(self.nodes) > 24:
            skip()
        return self.hmat["performance"] if self.hmat else self.make_hmat()

    def rows(self):
        """Distances as rows."""
        count = len(self.nodes)
        if not 2 <= count <= 40:
            skip()
        rows = self.top.get("distances")
        if not isinstance(rows, list):
            value = self.rng.randint(11, 250)
            rows = self.top["distances"] = [
                [10 if a == b else value + abs(a - b) % 5 for b in range(count)] for a in range(count)]
        return rows


def skip():
    raise Skip


def one(case, kind=None):
    """A region that is its node's only one."""
    single = [(node, region) for node, region in case.regions if len(node["memory"]) == 1 and
              kind in (None, region.get("type", "normal"))]
    return case.rng.choice(single or skip())


def page(case, region):
    """What the address and the size of a region as SPM must be a multiple of."""
    backend = region["backend"] if "backend" in region else case.default
    return meaning.page_size({key: str(value).lower() if isinstance(value, bool) else str(value)
                              for key, value in backend.items()})


def interface(top):
    return ((top.get("targets") or {}).get("qemu") or {}).get("spm-interface", "auto")


def dump(top):
    return yaml.dump(top, Dumper=random_topology._Dumper, default_flow_style=None, sort_keys=False,
                     width=100)


# The topology in QEMU's options, faulty as it is

def qemu_size(text):
    match = re.match(r"^([0-9.]+)([KMGTP])(?:iB)?$", str(text))
    return match.group(1) + match.group(2) if match else str(text)


def amount(region):
    try:
        return meaning.size(str(region["size"]))
    except (ValueError, KeyError):
        return 0


def on_off(value):
    return {True: "on", False: "off"}.get(value, str(value))


def parts(value):
    items = value if isinstance(value, list) else [value]
    return [part for item in items for part in str(item).split(",")]


def keyval(first, items):
    return ",".join([first] + ["%s=%s" % (key, str(value).replace(",", ",,")) for key, value in items])


def backend_option(identity, total, region, node, default):
    backend = region["backend"] if "backend" in region else default
    kind = backend.get("kind", "ram")
    items = [("id", identity), ("size", total)]
    if "path" in backend:
        items.append(("mem-path", backend["path"]))
    if "offset" in backend:
        items.append(("offset", qemu_size(backend["offset"])))
    pages = backend.get("hugepages")
    if pages not in (None, False) and kind != "file":
        items += [("hugetlb", "on"), ("hugetlbsize", "2M" if pages is True else qemu_size(pages))]
    if "align" in backend:
        items.append(("align", qemu_size(backend["align"])))
    for key in ("share", "pmem", "prealloc", "reserve", "merge", "dump"):
        if key in backend:
            items.append((key, on_off(backend[key])))
    place = next((place for place in (region.get("backend", {}), node, default)
                  if "host-nodes" in place or "policy" in place), {})
    if "host-nodes" in place:
        items += [("host-nodes", part) for part in parts(place["host-nodes"])]
    if "policy" in place or "host-nodes" in place:
        items.append(("policy", place.get("policy", "bind")))
    return keyval("memory-backend-" + kind, items)


def latency_text(text):
    match = re.match(r"^([0-9.]+)(ps|ns|us)$", str(text))
    if not match:
        return str(text)
    value = fractions.Fraction(match.group(1)) * {"ps": 1, "ns": 1000, "us": 10 ** 6}[match.group(2)] / 1000
    return str(value) if value.denominator == 1 else str(float(value))


def bandwidth_text(text):
    match = re.match(r"^([0-9.]+)([MGT])iB/s$", str(text))
    return match.group(1) + match.group(2) if match else str(text)


LISTS = (("latency", "access-latency"), ("read-latency", "read-latency"),
         ("write-latency", "write-latency"), ("bandwidth", "access-bandwidth"),
         ("read-bandwidth", "read-bandwidth"), ("write-bandwidth", "write-bandwidth"))


def model_vendor(name):
    """'amd' or another, of a CPU model under tcg, with or without a version and features."""
    name = re.sub(r"-v[0-9]+$", "", name.split(",")[0])
    return "amd" if name in ("max", "qemu64", "phenom", "athlon") or name.startswith(("EPYC", "Opteron")) \
        else "other"


def place(top, as_ram):
    """({(node, region number): address}, max-memory in bytes or None) by "Where SPM goes".

    ({}, None) where the file has no such meaning; QEMU then places the devices.
    """
    try:
        topology = meaning.Topology(dump(top))
        nodes = topology.nodes
        if as_ram or not any(node.amount("spm") for node in nodes):
            return {}, None
        ram = sum(region.size for node in nodes for region in node.regions if region.type != "spm")
        given = None if topology.max_memory == "auto" else meaning.size(topology.max_memory)
        slots = 0 if topology.slots == "auto" else int(topology.slots)
        version = re.search(r"-(\d+)\.(\d+)$", topology.machine)
        version = tuple(int(part) for part in version.groups()) if version else (11, 1)
        vendor = topology.cpu_vendor if topology.accel == "kvm" else model_vendor(topology.cpu)
        board = "q35" if "q35" in topology.machine else "pc"
        plain = random_topology.Layout(board, version, False, ram, ram, 0)
        for high in (4 * GIB, TIB):
            start = up(high + plain.above, GIB)
            end = high + plain.above if plain.above else plain.below
            places = meaning.placement(topology, start, 2 * GIB if end >= 64 * GIB else 128 * MIB)
            most = given or ram + up(max(at + length for _, at, length in places) - start, 4 * KIB)
            layout = random_topology.Layout(board, version, vendor == "amd", ram, most, slots)
            if layout.moved == (high == TIB):
                break
        else:
            return {}, given
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, re.error):
        return {}, None
    keys = [(node.id, at) for fixed in (True, False) for node in nodes
            for at, region in enumerate(node.regions)
            if region.type == "spm" and (region.address is not None) == fixed]
    return {key: at for key, (_, at, _) in zip(keys, places)}, most


def translate(case):
    """The argument vector that says CASE's topology to QEMU, whether or not it can be."""
    top = case.top
    machine = top.get("machine", {})
    if isinstance(machine, str):
        machine = {"type": machine}
    accel = machine.get("accel", "kvm")
    typed = interface(top) in ("memmap-type", "spm-flag")
    as_ram = typed or interface(top) == "kernel-parameter"
    default = (top.get("defaults") or {}).get("backend") or {}
    nodes = []
    for node in top["nodes"]:
        for number in parts(node["id"]):
            low, _, high = number.partition("-")
            nodes += [(each, node) for each in range(int(low), int(high or low) + 1)]
    nodes.sort(key=lambda item: item[0])

    argv = ["qemu-system-x86_64"]
    options = [machine.get("type", "q35")]
    if "hmat" in top:
        options.append("hmat=on")
    if machine.get("confidential", "none") != "none":
        options.append("confidential-guest-support=cgs0")
        argv += ["-object", {"sev-snp": "sev-snp-guest,id=cgs0,cbitpos=51,reduced-phys-bits=1",
                             "tdx": "tdx-guest,id=cgs0"}[machine["confidential"]]]
    argv += ["-machine", ",".join(options), "-accel", accel]
    cpu = model = machine.get("cpu", "host" if accel == "kvm" else "max")
    if "phys-bits" in machine:
        cpu += (",host-phys-bits=off" if accel == "kvm" else "") + ",phys-bits=%s" % machine["phys-bits"]
    elif accel != "kvm" and model not in MODELS_32:
        cpu += ",phys-bits=52"                  # wide enough for any layout, and no table shows it
    elif accel == "kvm" and model not in ("host", "max") and model not in MODELS_32:
        cpu += ",host-phys-bits=on"
    argv += ["-cpu", cpu]

    objects, numa, devices = [], [], []
    places, most = place(top, as_ram)
    ram = spm = 0
    for number, node in nodes:
        memory = node.get("memory", [])
        memory = memory if isinstance(memory, list) else [memory]
        memory = [item if isinstance(item, dict) else {"size": item} for item in memory]
        boot, extra = [], []
        for at, region in enumerate(memory):
            kind = region.get("type", "normal")
            identity = region.get("id", "m%d-%d-%d" % (len(numa), number, at))
            if kind == "spm" and not as_ram:
                spm += amount(region)
                objects.append(backend_option(identity, qemu_size(region.get("size", "NONE")), region, node,
                                              default))
                items = [("id", "d%d-%d-%d" % (len(numa), number, at)), ("memdev", identity), ("node", number)]
                address = region.get("address", places.get((number, at)))
                if address is not None:
                    text = str(address)
                    items.append(("addr", text if text.startswith("0x") or text.isdigit()
                                  else "%#x" % meaning.size(text)))
                devices.append(keyval("sp-mem", items))
                continue
            ram += amount(region)
            same = boot and all(other.get("backend") == region.get("backend") and "id" not in region and
                                other.get("type") == region.get("type") for other in boot)
            if boot and not same:
                extra.append((identity, region))
            else:
                boot.append(region)
        text = "node,nodeid=%d" % number
        if "cpus" in node:
            text += "".join(",cpus=" + part for part in parts(node["cpus"]))
        if boot:
            identity = boot[0].get("id", "m%d-%d" % (len(numa), number))
            total = qemu_size(boot[0].get("size", "NONE")) if len(boot) == 1 else \
                "%dB" % sum(amount(region) for region in boot)
            objects.append(backend_option(identity, total, boot[0], node, default))
            text += ",memdev=" + identity
            if typed and boot[0].get("type", "normal") != "normal" or boot[0].get("type") == "reserved":
                text += ",memmap-type=" + boot[0]["type"]
        for identity, region in extra:
            objects.append(backend_option(identity, qemu_size(region.get("size", "NONE")), region, node, default))
            text += ",memdev=" + identity
            if typed and region.get("type", "normal") != "normal":
                text += ",memmap-type=" + region["type"]
        if "hmat" in top and "initiator" in node:
            text += ",initiator=%s" % node["initiator"]
        numa.append(text)

    memory = "size=%dB" % ram
    window = top.get("device-memory") or {}
    if "slots" in window and window["slots"] != "auto":
        memory += ",slots=%s" % window["slots"]
    if window.get("max-memory", "auto") != "auto":
        memory += ",maxmem=" + qemu_size(window["max-memory"])
    elif spm:
        # without a meaning: room for each, wherever QEMU puts it
        memory += ",maxmem=%d" % (most or ram + up(spm, GIB) + len(devices) * 2 * GIB)
    argv += ["-m", memory]
    cpus = top["cpus"] if isinstance(top["cpus"], dict) else {"count": top["cpus"]}
    names = {"count": "cpus", "max": "maxcpus"}
    argv += ["-smp", ",".join("%s=%s" % (names.get(key, key), value) for key, value in cpus.items()
                              if not key.startswith("x-"))]
    boot = top.get("boot") or {}
    for key, option in (("kernel", "-kernel"), ("initrd", "-initrd"), ("cmdline", "-append")):
        if key in boot:
            argv += [option, boot[key]]

    for text in objects:
        argv += ["-object", text]
    given = top.get("distances")
    if isinstance(given, list):
        numa += ["dist,src=%d,dst=%d,val=%s" % (a, b, value)
                 for a, row in enumerate(given) for b, value in enumerate(row)]
    elif given:
        said = {(int(a), int(b)): value for a, row in given.items() for b, value in row.items()}
        count = len(nodes)
        for a in range(count):
            for b in range(count):
                if a != b:
                    said.setdefault((a, b), given.get(b, {}).get(a, 20))
        numa += ["dist,src=%d,dst=%d,val=%s" % (a, b, value) for (a, b), value in said.items()]
    hmat = top.get("hmat") or {}
    for item in hmat.get("performance") or []:
        for key, kind in LISTS:
            if key in item:
                text = latency_text(item[key]) if "latency" in key else bandwidth_text(item[key])
                numa.append("hmat-lb,initiator=%s,target=%s,hierarchy=memory,data-type=%s,%s=%s" % (
                    item["from"], item["to"], kind, key.split("-")[-1], text))
    for cache in sorted(hmat.get("caches") or [], key=lambda item: (item["node"], item["level"])):
        numa.append("hmat-cache,node-id=%s,size=%s,level=%s,associativity=%s,policy=%s,line=%s" % (
            cache["node"], qemu_size(cache["size"]), cache["level"], cache["associativity"],
            cache["write-policy"], cache["line"]))
    for text in numa:
        argv += ["-numa", text]
    for text in devices:
        argv += ["-device", text]
    if case.before:
        argv = case.before(argv)
    return argv


MODELS_32 = ("486", "athlon", "coreduo", "kvm32", "n270", "pentium", "pentium2", "pentium3", "qemu32")


# --- controls: no fault at all ------------------------------------------------------------------

@fault("control", "", sees=BLIND, why="there is no fault", may_pass=True)
def control(case):
    """nothing is changed"""


@fault("control-pinned", "", sees=BLIND, why="there is no fault", may_pass=True)
def control_pinned(case):
    """the addresses and the window that gen chose are written into the file"""
    case.pin()


CONTROLS = ("control", "control-pinned")


# --- sizes --------------------------------------------------------------------------------------

@fault("size-ram-odd", "size-alignment", says="total memory for NUMA nodes")
def _(case):
    """a node's RAM grows by 4 KiB: the sum is no multiple of 8 KiB"""
    if case.default:
        skip()
    _, region = case.rng.choice([item for item in case.normal if "backend" not in item[1]] or skip())
    region["size"] = kib(meaning.size(region["size"]) + 4 * KIB)
    loosen(case)


@fault("size-memfd-odd", "size-alignment", sees=REFUSED, says="NUMA nodes|resize|multiple|too small")
def _(case):
    """RAM on a memfd, its size no multiple of 4 KiB"""
    _, region = one(case, "normal")
    case.plain(region, kind="memfd")
    region["size"] = kib(meaning.size(region["size"]) + case.rng.choice((1, 2, 3)) * KIB)
    loosen(case)


@fault("size-hugepages", "size-alignment", says="resize|multiple|page size|NUMA nodes")
def _(case):
    """a memfd of huge pages, its size not a multiple of them"""
    _, region = one(case)
    pages = case.rng.choice((2 * MIB, GIB))
    case.plain(region, kind="memfd", hugepages=kib(pages))
    region["size"] = kib(up(meaning.size(region["size"]), pages) + case.rng.choice((8 * KIB, MIB)))
    loosen(case)


def loosen(case):
    """The window fits whatever is declared."""
    case.top.pop("device-memory", None)
    for _, region in case.spm:
        region.pop("address", None)


@fault("size-spm-ram", "size-alignment", says="multiple of 0x200000", needs="spm")
def _(case):
    """SPM on anonymous memory, its size no multiple of 2 MiB"""
    _, region = case.some_spm()
    case.plain(region, kind="ram")
    region["size"] = kib(up(meaning.size(region["size"]), 2 * MIB) + case.rng.choice((4 * KIB, MIB)))
    loosen(case)


@fault("size-spm-memfd", "size-alignment", says="multiple of 0x1000|too small", needs="spm")
def _(case):
    """SPM on a memfd, its size no multiple of 4 KiB"""
    _, region = case.some_spm()
    case.plain(region, kind="memfd")
    region["size"] = kib(up(meaning.size(region["size"]), 4 * KIB) + case.rng.choice((KIB, 2 * KIB)))
    loosen(case)


@fault("size-spm-align", "size-alignment", says="multiple of 0x", needs="spm")
def _(case):
    """SPM on a file with 'align', its size no multiple of it"""
    _, region = case.some_spm()
    align = case.rng.choice((2 * MIB, 128 * MIB, GIB))
    case.plain(region, kind="file", path="/mnt/spmtopo/fault", align=kib(align))
    region["size"] = kib(up(meaning.size(region["size"]), align) + align // 2)
    loosen(case)


@fault("size-ram-align", "size-alignment", sees=BLIND, says="",
       why="'align' binds the address of the mapping; of RAM behind a node QEMU asks no multiple of it. "
           "A device dax does, of mmap")
def _(case):
    """RAM on a file with 'align', its size no multiple of it"""
    if case.default or case.ram > 2 * TIB:
        skip()
    _, region = one(case, "normal")
    case.plain(region, kind="file", path="/mnt/spmtopo/fault", align="128MiB")
    region["size"] = kib(up(meaning.size(region["size"]), 128 * MIB) + 64 * MIB)
    loosen(case)


@fault("size-zero", "bad-value", says="value '0'|size")
def _(case):
    """a size of 0"""
    one(case)[1]["size"] = "0MiB"


@fault("size-unit", "bad-value", says="expects a size|'size'|size")
def _(case):
    """a size in GB"""
    _, region = one(case)
    case.plain(region, kind="ram")
    region["size"] = "%d%s" % (case.rng.randint(1, 64), case.rng.choice(("GB", "MB", "Gb", "gib", " GiB")))


@fault("size-bare", "bad-value", sees=(REFUSED, ALTERED), says="size|NUMA nodes|memory device")
def _(case):
    """a size without a unit: bytes to a backend of QEMU's, MiB to -m"""
    one(case)[1]["size"] = case.rng.randint(1, 64) * 1024


@fault("size-fraction", "bad-value", sees=(REFUSED, ALTERED), says="size|NUMA nodes|multiple|memory device")
def _(case):
    """a size that is no whole number of bytes"""
    one(case)[1]["size"] = "%d.3KiB" % (case.rng.randint(1, 64) * 1024)


@fault("size-huge", "bad-value limit", says="allocate|memory|size|limit|map", needs="spm")
def _(case):
    """a size beyond any address"""
    region = case.some_spm()[1]
    case.plain(region, kind="ram")
    region["size"] = case.rng.choice(("4PiB", "4096TiB", "99999999TiB", "5000T"))
    loosen(case)


@fault("size-random", "size-alignment", sees=(REFUSED, ALTERED), may_pass=True,
       says="multiple|NUMA nodes|resize|page|too small")
def _(case):
    """a size of any number of KiB"""
    _, region = one(case)
    region["size"] = kib(meaning.size(region["size"]) + case.rng.choice((4, 8, 12, 1020, 1024, 2048, 3)) * KIB)
    if case.rng.random() < .5:
        region["backend"] = {"kind": case.rng.choice(("ram", "memfd"))}
    loosen(case)


@fault("no-boot-memory", "no-boot-memory", says="memory|RAM", needs="spm")
def _(case):
    """no normal memory at all"""
    for node in case.nodes:
        if "memory" in node:
            node["memory"] = [region for region in node["memory"] if region.get("type") == "spm"]
            if not node["memory"]:
                del node["memory"]
    loosen(case)


# --- addresses and the window -------------------------------------------------------------------

def pinned(case):
    region = case.some_spm()[1]
    case.pin()
    return region, case.at[id(region)]


@fault("address-unaligned", "address-alignment", says="aligned to", needs="spm")
def _(case):
    """an address that is no multiple of the backend's page"""
    region, address = pinned(case)
    grain = page(case, region)
    region["address"] = "%#x" % (address + case.rng.choice((grain // 2, KIB, grain // 4)))


@fault("address-below", "address-window", says="outside|usable range|range", needs="spm")
def _(case):
    """an address below the window"""
    region, _ = pinned(case)
    start = case.window()[0]
    region["address"] = "%#x" % case.rng.choice((start - 2 * GIB, start - GIB, 3 * GIB, GIB))


@fault("address-above", "address-window", says="outside|usable range|range", needs="spm")
def _(case):
    """an address with which the region ends beyond the window"""
    region, _ = pinned(case)
    end = case.window()[1]
    region["address"] = "%#x" % (up(end, 2 * GIB) - case.rng.choice((0, 2 * GIB)) +
                                 case.rng.choice((0, 2, 6)) * GIB)
    if int(region["address"], 16) + meaning.size(region["size"]) <= end:
        skip()


@fault("address-overlap", "address-overlap address-window", says="conflicts|overlap", needs="spm")
def _(case):
    """a region over another"""
    if len(case.spm_devices) < 2:
        skip()
    (_, first), (_, second) = case.rng.sample(case.spm_devices, 2)
    case.pin()
    address = case.at[id(first)]
    grain = page(case, second)
    inside = up(address, grain) + case.rng.choice((0, grain))
    if inside >= address + meaning.size(first["size"]) or \
            inside + meaning.size(second["size"]) > case.window()[1]:
        skip()
    second["address"] = "%#x" % inside


@fault("address-zero", "address-window", sees=(ALTERED, REFUSED), says="conflicts", needs="spm")
def _(case):
    """the address 0, which QEMU takes for 'anywhere'"""
    region, _ = pinned(case)
    region["address"] = case.rng.choice(("0x0", 0))


@fault("address-huge", "bad-value", says="range|addr", needs="spm")
def _(case):
    """an address beyond 52 bits"""
    region, _ = pinned(case)
    region["address"] = case.rng.choice(("0x10000000000000", "0xffffffffe0000000", "0x8000000000000000"))


@fault("address-normal", "address-type", sees=BLIND,
       why="node RAM has no address in QEMU's options, so there is nothing to say to it")
def _(case):
    """an address of normal memory"""
    case.rng.choice(case.normal)[1]["address"] = "0x100000000"


@fault("address-random", "address-window address-overlap address-alignment spm-touching-nodes window-full max-memory",
       sees=(REFUSED, BLIND), says="range|conflicts|aligned", may_pass=True, needs="spm",
       why="touching regions of two nodes are joined by the guest's firmware, which QEMU does not know")
def _(case):
    """any address near another region or an end of the window"""
    region, address = pinned(case)
    start, end, _ = case.window()
    size = meaning.size(region["size"])
    base = case.rng.choice([start, end - size, address] +
                           [case.at[id(other)] + meaning.size(other["size"])
                            for _, other in case.spm_devices])
    base += case.rng.choice((-1, 0, 0, 1)) * case.rng.choice((4 * KIB, 2 * MIB, 128 * MIB, GIB))
    region["address"] = "%#x" % (base // (4 * KIB) * (4 * KIB))


@fault("address-touching", "spm-touching-nodes address-window", sees=BLIND, may_pass=True, needs="spm",
       why="firmware joins touching ranges and Linux gives them to one node; QEMU announces them apart")
def _(case):
    """SPM of two nodes without a gap"""
    pairs = [(a, b) for na, a in case.spm_devices for nb, b in case.spm_devices if na is not nb]
    first, second = case.rng.choice(pairs or skip())
    case.pin()
    end = case.at[id(first)] + meaning.size(first["size"])
    if end % (2 * MIB) or any(
            case.at[id(other)] < end + meaning.size(second["size"]) and
            case.at[id(other)] + meaning.size(other["size"]) > end
            for _, other in case.spm_devices if other is not second):
        skip()
    if end % page(case, second):
        skip()
    second["address"] = "%#x" % end
    if end + meaning.size(second["size"]) > case.window()[1]:
        skip()


@fault("max-memory-below-boot", "max-memory", says="maxmem|maximum memory")
def _(case):
    """max-memory below boot memory"""
    loosen(case)
    less = case.rng.choice((8 * KIB, case.ram // 2))
    case.top["device-memory"] = {"max-memory": kib(
        max(4 * KIB, (case.ram - less) // (4 * KIB) * 4 * KIB))}


@fault("max-memory-no-spm", "max-memory window-full address-window", needs="spm",
       says="not enough space|no DIMM|memory device|usable range|maxmem|space")
def _(case):
    """max-memory that does not hold the SPM"""
    if case.rng.random() < .5:
        case.pin()
    else:
        loosen(case)
    case.top["device-memory"] = {"max-memory": kib(case.ram + case.spm_sum - case.rng.choice(
        (4 * KIB, MIB, case.spm_sum // 8 * 4 // (4 * KIB) * 4 * KIB, case.spm_sum))),
        "slots": 0}


@fault("max-memory-slots", "max-memory window-full", needs="spm", says="not enough space")
def _(case):
    """SPM that fits only into the slack of slots"""
    loosen(case)
    case.top["device-memory"] = {"max-memory": kib(case.ram + case.spm_sum // 2 // (4 * KIB) * 4 * KIB),
                                 "slots": min(256, 2 + case.spm_sum // GIB * 2 + 64)}


@fault("max-memory-unaligned", "max-memory", says="multiple of 4096")
def _(case):
    """max-memory that is no multiple of 4 KiB"""
    loosen(case)
    case.top["device-memory"] = {"max-memory": kib(
        case.max_memory + 64 * GIB + case.rng.choice((1, 2, 3)) * KIB)}


@fault("slots-alone", "max-memory", says="maxmem|no max-size", needs="no-spm")
def _(case):
    """slots without max-memory, and no SPM that would make a window"""
    case.top["device-memory"] = {"slots": case.rng.randint(1, 256)}


@fault("slots-no-room", "max-memory", says="maxmem|maximum memory size", needs="no-spm")
def _(case):
    """slots, and max-memory as large as boot memory"""
    case.top["device-memory"] = {"max-memory": kib(case.ram), "slots": case.rng.randint(1, 256)}


@fault("slots-257", "slot-count", says="slots")
def _(case):
    """more than 256 slots"""
    loosen(case)
    case.top["device-memory"] = {"max-memory": kib(up(case.max_memory + 64 * GIB, 4 * KIB)),
                                 "slots": case.rng.choice((257, 300, 4096, 100000))}
    case.machine.pop("phys-bits", None)


@fault("slots-random", "slot-count phys-bits", says="slots|phys-bits", may_pass=True,
       sees=REFUSED)
def _(case):
    """about 256 slots"""
    loosen(case)
    case.top["device-memory"] = {"max-memory": kib(up(case.max_memory + 3 * TIB, 4 * KIB)),
                                 "slots": case.rng.choice((0, 1, 255, 256, 257))}


@fault("max-memory-random", "max-memory window-full phys-bits address-window", sees=(REFUSED, BLIND),
       says="not enough|maxmem|maximum memory|multiple|range|phys-bits|fragmented|find|space",
       may_pass=True, needs="spm",
       why="QEMU places the devices side by side where the window has no room for whole memory blocks "
           "and for the gap that keeps firmware from joining two nodes")
def _(case):
    """max-memory about as large as the SPM needs"""
    loosen(case)
    step = case.rng.choice((4 * KIB, 2 * MIB, 128 * MIB, GIB))
    case.top["device-memory"] = {"max-memory": kib(
        case.ram + up(case.spm_sum, 4 * KIB) + case.rng.randint(-2, 12) * step),
        "slots": case.rng.choice((0, 0, 1, 4))}


@fault("max-memory-huge", "phys-bits bad-value", sees=(REFUSED, BLIND), may_pass=True, needs="tcg",
       says="phys-bits|maxmem|memory size|too large",
       why="the option of this harness says phys-bits=52, and of QEMU's 64-bit window 52 bits are enough")
def _(case):
    """max-memory of hundreds of TiB"""
    loosen(case)
    case.machine.pop("phys-bits", None)
    case.top["device-memory"] = {"max-memory": case.rng.choice(
        ("1024TiB", "2048TiB", "4095TiB", "4095.99TiB", "512TiB", "4096TiB"))}


# --- nodes --------------------------------------------------------------------------------------

@fault("nodes-129", "node-count", says="NUMA nodes|nodeid|node")
def _(case):
    """more than 128 nodes"""
    case.top.pop("distances", None)
    wanted = case.rng.choice((129, 130, 200))
    case.top["nodes"] += [{"id": number} for number in range(len(case.nodes), wanted)]


@fault("node-gap", "node-gap", says="Node ID missing|node|NUMA")
def _(case):
    """ids with a gap"""
    case.top.pop("distances", None)
    case.top.pop("hmat", None)
    for node in case.nodes:
        node.pop("initiator", None)
    case.nodes[-1]["id"] += case.rng.randint(1, 3)


@fault("node-far", "node-gap", says="NUMA|nodeid")
def _(case):
    """an id of 128 and more"""
    case.top.pop("distances", None)
    case.top.pop("hmat", None)
    for node in case.nodes:
        node.pop("initiator", None)
    case.nodes[-1]["id"] = case.rng.choice((128, 129, 1000, 65536))


@fault("node-twice", "node-twice", says="Duplicate NUMA nodeid")
def _(case):
    """two nodes with one id"""
    if len(case.nodes) < 2:
        skip()
    case.top.pop("distances", None)
    case.top.pop("hmat", None)
    for node in case.nodes:
        node.pop("initiator", None)
    first, second = case.rng.sample(case.nodes, 2)
    second["id"] = first["id"]


# --- CPUs ---------------------------------------------------------------------------------------

def numbers(node):
    return meaning.id_list(node["cpus"])


@fault("cpu-unassigned", "cpu-unassigned", sees=(ALTERED, REFUSED), says="initiator of CPU NUMA node 0")
def _(case):
    """a vCPU in no node: QEMU puts it into node 0, and refuses that where node 0 has another initiator"""
    node = case.rng.choice([node for node in case.cpu_nodes if len(numbers(node)) > 1] or skip())
    own = numbers(node)
    own.remove(case.rng.choice(own))
    node["cpus"] = own


@fault("cpu-twice", "cpu-twice", says="already|assigned")
def _(case):
    """a vCPU in two nodes"""
    if len(case.nodes) < 2:
        skip()
    node = case.rng.choice(case.cpu_nodes)
    other = case.rng.choice([item for item in case.nodes if item is not node])
    mine = case.rng.choice(numbers(node))
    if "initiator" in other:
        del other["initiator"]
    other["cpus"] = (numbers(other) if "cpus" in other else []) + [mine]


@fault("cpu-again", "cpu-twice", sees=BLIND,
       why="a vCPU named twice in its own node is there once; QEMU does not mind, the language does")
def _(case):
    """a vCPU twice in one node"""
    node = case.rng.choice(case.cpu_nodes)
    node["cpus"] = numbers(node) + [case.rng.choice(numbers(node))]


@fault("cpu-too-high", "cpu-unknown", says="CPU index|maxcpus")
def _(case):
    """a vCPU that there is not"""
    node = case.rng.choice(case.cpu_nodes)
    node["cpus"] = numbers(node) + [case.possible + case.rng.choice((0, 1, 100))]


@fault("cpu-reversed", "bad-value", says="cpus|range|uint16|expects")
def _(case):
    """a range that runs backwards"""
    node = case.rng.choice([node for node in case.cpu_nodes if len(numbers(node)) > 1] or skip())
    node["cpus"] = "%d-%d" % (max(numbers(node)), min(numbers(node)))


def explicit(case):
    """All factors of the CPU topology, written out."""
    threads, cores, modules, dies, sockets = meaning.Topology(dump(case.top)).factors
    given = case.top["cpus"] if isinstance(case.top["cpus"], dict) else {"count": case.top["cpus"]}
    case.top["cpus"] = {"count": given.get("count", case.possible), "max": case.possible,
                        "sockets": sockets, "dies": dies, "cores": cores, "threads": threads}
    if modules > 1:
        case.top["cpus"]["modules"] = modules
    return case.top["cpus"]


@fault("cpu-product", "cpu-topology", says="product of the hierarchy")
def _(case):
    """factors that do not make the number of vCPUs"""
    cpus = explicit(case)
    cpus[case.rng.choice(("sockets", "cores", "threads", "dies"))] += case.rng.randint(1, 3)


@fault("cpu-factor", "cpu-topology bad-value", says="product of the hierarchy|greater than zero|Invalid")
def _(case):
    """a factor that does not divide the number of vCPUs, with one left out"""
    cpus = explicit(case)
    cpus.pop(case.rng.choice(("cores", "sockets", "threads")))
    left = case.rng.choice([key for key in ("cores", "sockets", "threads") if key in cpus])
    cpus[left] = case.possible + case.rng.randint(1, 5)


@fault("cpu-max", "cpu-topology", says="maxcpus")
def _(case):
    """fewer vCPUs at most than to start with"""
    cpus = explicit(case)
    cpus["count"] = cpus["max"] + case.rng.randint(1, 9)


@fault("cpu-zero", "bad-value", says="greater than zero|zero")
def _(case):
    """a factor of 0"""
    explicit(case)[case.rng.choice(("sockets", "cores", "threads", "dies"))] = 0


def flood(case, count, model, kind=None):
    """COUNT vCPUs in one thread per socket, all in the node of the first."""
    case.top["cpus"] = {"count": count, "sockets": count, "cores": 1, "threads": 1}
    for node in case.cpu_nodes:
        del node["cpus"]
    case.cpu_nodes[0].pop("initiator", None)
    case.cpu_nodes[0]["cpus"] = "0-%d" % (count - 1)
    for node in case.nodes:
        node.pop("initiator", None)
    case.top.pop("hmat", None)
    if kind:
        case.machine["type"] = kind
    if model:
        case.machine["accel"] = "tcg"
        case.machine.pop("cpu-vendor", None)
        case.machine.pop("phys-bits", None)
        case.machine["cpu"] = model
        loosen(case)
    

@fault("cpus-too-many", "cpu-count", says="max CPUs supported")
def _(case):
    """more vCPUs than the machine holds"""
    kind, least = case.rng.choice((("pc", 256), ("pc-i440fx-9.0", 256), ("pc-q35-8.0", 289),
                                   ("pc-q35-7.2", 289), ("pc-q35-8.2", 1025), ("q35", 4097)))
    flood(case, least + case.rng.randint(0, 5), "max", kind)


@fault("cpus-at-limit", "cpu-count x2apic cpu-topology", sees=REFUSED, may_pass=True,
       says="max CPUs supported|x2APIC|SMBIOS")
def _(case):
    """vCPUs about as many as the machine or the model holds"""
    kind, least = case.rng.choice((("pc", 255), ("pc-i440fx-9.0", 255), ("pc-q35-8.0", 288),
                                   ("pc-q35-7.2", 288), ("q35", 255), ("q35", 256)))
    flood(case, least + case.rng.randint(-1, 1), case.rng.choice(("max", "EPYC", "Skylake-Server", "Nehalem")),
          kind)


@fault("x2apic", "x2apic", says="x2APIC")
def _(case):
    """an APIC id above 254, and under tcg a model without x2APIC"""
    flood(case, case.rng.randint(256, 300), case.rng.choice(
        ("EPYC", "qemu64", "EPYC-Rome", "Opteron_G5", "Nehalem", "kvm64", "phenom", "Dhyana")), "q35")


@fault("x2apic-sparse", "x2apic", says="x2APIC")
def _(case):
    """few vCPUs, whose APIC ids have holes and reach 255"""
    flood(case, 99, case.rng.choice(("EPYC", "qemu64", "kvm64")), "q35")
    case.top["cpus"] = {"count": 99, "sockets": 11, "dies": 3, "cores": 3, "threads": 1}
    case.top["cpus"] = {"count": 153, "sockets": 17, "dies": 3, "cores": 3, "threads": 1}
    case.cpu_nodes[0]["cpus"] = "0-152"


@fault("smbios", "cpu-topology", says="SMBIOS|smbios")
def _(case):
    """255 and more threads in a socket, and the SMBIOS of an old machine"""
    count = case.rng.randint(255, 280)
    flood(case, count, "max", case.rng.choice(("pc-q35-8.0", "pc-q35-7.2", "pc-q35-6.2")))
    case.top["cpus"] = {"count": count, "sockets": 1, "cores": count, "threads": 1}


@fault("modules-old", "cpu-topology", sees=BLIND,
       why="the file says that an older QEMU will run it; the QEMU that is asked has modules",
       needs="no-spm")
def _(case):
    """CPU modules, and a QEMU before 9.1"""
    count = 8
    flood(case, count, "max", "q35")
    case.top["cpus"] = {"count": count, "modules": 2, "cores": 4, "sockets": 1, "threads": 1}
    case.top["targets"] = {"qemu": {"version": "9.0"}}


@fault("node-list-cpus", "node-list-cpus cpu-twice", says="already|assigned|Node ID|NUMA|total memory")
def _(case):
    """a list of nodes that has CPUs"""
    case.top.pop("distances", None)
    node = case.rng.choice(case.cpu_nodes)
    if node is not case.nodes[-1]:
        skip()
    node["id"] = "%d-%d" % (node["id"], node["id"] + 1)
    node.pop("memory", None)
    if not any(region.get("type", "normal") == "normal"
               for other in case.nodes for region in other.get("memory", [])):
        skip()
    loosen(case)


# --- the machine --------------------------------------------------------------------------------

@fault("phys-bits-small", "phys-bits", says="phys-bits", needs="tcg")
def _(case):
    """fewer address bits than the layout needs"""
    case.machine.pop("phys-bits", None)
    case.pin()
    bits = case.window()[2].bits
    if bits <= 32:
        skip()
    case.machine["phys-bits"] = max(32, bits - case.rng.choice((1, 1, 2, 4)))


@fault("phys-bits-random", "phys-bits", says="phys-bits", may_pass=True)
def _(case):
    """any number of address bits"""
    case.machine["phys-bits"] = case.rng.randint(32, 52)


@fault("phys-bits-53", "bad-value", sees=(BLIND, REFUSED), says="phys-bits", needs="tcg",
       why="x86-64 has 52 bits; QEMU 11.1 takes up to 63 under tcg")
def _(case):
    """more address bits than x86 has, or fewer than 32"""
    case.machine["phys-bits"] = case.rng.choice((31, 53, 64, 0))
    if case.machine["phys-bits"] == 0:
        case.machine["phys-bits"] = 16


@fault("cpu-model-unknown", "cpu-model", says="unable to find CPU model", needs="tcg")
def _(case):
    """a CPU model that QEMU has not"""
    case.machine["cpu"] = case.rng.choice(("EPYCC", "Skylake", "epyc", "EPYC-v9", "SapphireRapids-v99",
                                           "Haswell-v0", "Max", "Opteron", "EPYC-Naples"))
    loosen(case)


@fault("cpu-model-features", "cpu-model", sees=BLIND, needs="tcg",
       why="-cpu takes a model and its features; the file names the model alone")
def _(case):
    """features behind the name of the model"""
    case.machine["cpu"] = case.machine.get("cpu", "max") + ",+avx"


@fault("cpu-model-random", "cpu-model cpu-count x2apic", says="unable to find CPU model|x2APIC", may_pass=True,
       needs="tcg")
def _(case):
    """a model, and perhaps a version of it that there is not"""
    case.machine["cpu"] = "%s-v%d" % (case.rng.choice(
        ("EPYC", "EPYC-Rome", "EPYC-Milan", "EPYC-Genoa", "EPYC-Turin", "Skylake-Server", "Cascadelake-Server",
         "SapphireRapids", "GraniteRapids", "SierraForest", "Icelake-Server", "Denverton", "Broadwell",
         "Haswell", "Nehalem", "qemu64", "kvm64", "YongFeng", "Dhyana", "ClearwaterForest",
         "DiamondRapids", "Cooperlake", "Snowridge", "KnightsMill")), case.rng.randint(1, 10))
    loosen(case)


@fault("cpu-model-32", "cpu-model", sees=(BLIND, REFUSED, ALTERED), needs="tcg", says="phys-bits|RAM|memory|Address space|x2APIC",
       why="QEMU runs it; SPM above 4 GiB is out of reach of a 32-bit kernel, so the language wants a 64-bit model")
def _(case):
    """a CPU model without a 64-bit mode"""
    case.machine.pop("phys-bits", None)
    case.machine["cpu"] = case.rng.choice(MODELS_32)
    loosen(case)


@fault("cpu-host-tcg", "cpu-model", says="host", needs="tcg")
def _(case):
    """the model 'host' without KVM"""
    case.machine["cpu"] = "host"
    loosen(case)


@fault("cpu-vendor", "cpu-vendor", sees=ALTERED, needs="tcg",
       why="the option has no place for it")
def _(case):
    """a vendor that the model has not: the table of another one"""
    model = case.machine.get("cpu", "max")
    vendor = random_topology.MODELS[model][0]
    if vendor is None or case.version < (7, 1):
        skip()
    case.machine.pop("phys-bits", None)
    case.machine["cpu-vendor"] = "intel" if vendor == "amd" else "amd"


@fault("machine-unknown", "machine-unknown", sees=(REFUSED, ALTERED, BLIND), says="machine|not supported|NUMA|memory",
       why="a machine that QEMU has, or an old one that it still has, and whose tables are not known here")
def _(case):
    """a machine type that is not known"""
    case.machine["type"] = case.rng.choice(("q36", "Q35", "pc-q35", "pc-q35-12.0", "pc-i440fx-11.3", "pc-q35-8.3",
                                            "isapc", "microvm", "none", "pc-q35-5.2", "virt"))


@fault("machine-newer", "machine-version", sees=BLIND, needs="no-spm",
       why="the file says that an older QEMU will run it; the QEMU that is asked has the machine")
def _(case):
    """a machine type newer than the QEMU that will run it"""
    board = "q35" if case.q35 else "i440fx"
    case.machine["type"] = "pc-%s-%s" % (board, case.rng.choice(("11.1", "11.0", "10.2")))
    case.top["targets"] = {"qemu": {"version": case.rng.choice(("9.0", "8.2", "10.1"))}}


def no_offset(case):
    """Nothing of a backend that QEMU 7.2 lacks."""
    for _, region in case.regions:
        region.get("backend", {}).pop("offset", None)
    case.default.pop("offset", None)


@fault("machine-newer-7.2", "machine-version", says="machine", needs="no-spm tcg", qemu="7.2")
def _(case):
    """the same, and a real QEMU 7.2 to ask"""
    flood(case, 4, "max")
    no_offset(case)
    board = "q35" if case.q35 else "i440fx"
    case.machine["type"] = "pc-%s-%s" % (board, case.rng.choice(("8.0", "11.0", "9.2")))
    case.top["targets"] = {"qemu": {"version": "7.2"}}


@fault("version-unknown", "version-unknown", sees=BLIND,
       why="it says which QEMU will run the guest; QEMU itself is not told")
def _(case):
    """a version of QEMU that is not known"""
    qemu = case.top.setdefault("targets", {}).setdefault("qemu", {})
    qemu["version"] = case.rng.choice(("12.0", "5.2", "eleven", "11", "7.3", "11.1-rc0", "99.1"))


@fault("spm-old-version", "spm-interface", sees=BLIND, needs="spm",
       why="the file says that an older QEMU will run it; the QEMU that is asked has sp-mem")
def _(case):
    """SPM, and a QEMU before 11.1"""
    case.top["targets"] = {"qemu": {"version": case.rng.choice(("11.0", "10.2", "9.2"))}}
    case.machine["type"] = "q35" if case.q35 else "pc"


@fault("spm-old-version-7.2", "spm-interface", says="sp-mem", needs="spm tcg", qemu="7.2")
def _(case):
    """SPM, and a real QEMU 7.2 to ask"""
    flood(case, 4, "max", "q35" if case.q35 else "pc")
    no_offset(case)
    case.top["targets"] = {"qemu": {"version": "7.2"}}


@fault("offset-old-version-7.2", "backend-key", says="offset", needs="no-spm tcg", qemu="7.2")
def _(case):
    """the offset of a file, and a real QEMU 7.2 to ask"""
    if case.default or case.ram > 2 * TIB:
        skip()
    flood(case, 4, "max", "q35" if case.q35 else "pc")
    no_offset(case)
    case.plain(one(case)[1], kind="file", path="/mnt/spmtopo/fault", offset="2MiB")
    case.top["targets"] = {"qemu": {"version": "7.2"}}


@fault("confidential-tcg", "confidential", says="sev|SEV|tdx|TDX|confidential|KVM|kvm", needs="tcg")
def _(case):
    """a confidential guest without KVM"""
    case.machine["confidential"] = case.rng.choice(("sev-snp", "tdx"))
    # QEMU 11.1.2 hangs over sev-snp-guest with share=on and without KVM
    for backend in [case.default] + [region.get("backend", {}) for _, region in case.regions]:
        backend.pop("share", None)
    case.top["boot"] = {"firmware": "ovmf"}


@fault("reserved-sp-mem", "reserved-interface", says="memmap-type", needs="spm")
def _(case):
    """memory of type reserved, and the interface sp-mem"""
    node, region = case.some_spm()
    node["memory"] = [{"size": region["size"], "type": "reserved"}]
    if not any(other.get("type", "normal") == "normal" for item in case.nodes
               for other in item.get("memory", [])):
        skip()
    loosen(case)


@fault("mixed-memmap-type", "regions-per-node mixed-node spm-crosses-4g spm-low-memory address-fixed",
       says="memmap-type", needs="spm mixed",
       )
def _(case):
    """a mixed node, and an interface that types whole nodes"""
    loosen(case)
    case.top.setdefault("targets", {}).setdefault("qemu", {})["spm-interface"] = "memmap-type"


@fault("mixed-kernel-parameter", "regions-per-node mixed-node address-fixed", sees=(BLIND, REFUSED, ALTERED), needs="spm mixed",
       says="memdev|NUMA nodes",
       why="QEMU is told of plain RAM only; which part of a node the kernel takes away it does not know")
def _(case):
    """a mixed node, and SPM as plain RAM of whole nodes"""
    loosen(case)
    case.top.setdefault("targets", {}).setdefault("qemu", {})["spm-interface"] = "kernel-parameter"
    case.top["boot"] = {"firmware": "ovmf", "kernel": "/boot/vmlinuz-spmtopo"}


@fault("mixed-deny", "mixed-node", sees=BLIND, needs="spm mixed",
       why="QEMU 11.1 takes mixed nodes; the file itself forbids them")
def _(case):
    """a mixed node, and rules that deny it"""
    case.top["rules"] = {"mixed-nodes": "deny"}


# --- distances ----------------------------------------------------------------------------------

def off_diagonal(case, rows):
    a, b = case.rng.sample(range(len(rows)), 2)
    return a, b


@fault("distance-low", "distance-value", says="distance|Distance")
def _(case):
    """a distance below 10"""
    rows = case.rows()
    a, b = off_diagonal(case, rows)
    rows[a][b] = case.rng.randint(0, 9)


@fault("distance-high", "distance-value", says="val|uint8|distance")
def _(case):
    """a distance above 255"""
    rows = case.rows()
    a, b = off_diagonal(case, rows)
    rows[a][b] = case.rng.choice((256, 300, 65536 + 20))


@fault("distance-self", "distance-value", says="[Ll]ocal distance")
def _(case):
    """a node that is not at 10 from itself"""
    rows = case.rows()
    a = case.rng.randrange(len(rows))
    rows[a][a] = case.rng.choice((11, 20, 255))


@fault("distance-same", "distance-value", sees=BLIND,
       why="ACPI: 10 is the distance of a node to itself, and Linux takes such nodes for one; QEMU "
           "only asks for 10 and more")
def _(case):
    """10 from a node to another"""
    rows = case.rows()
    a, b = off_diagonal(case, rows)
    rows[a][b] = 10


@fault("distance-short-row", "distance-shape", sees=(REFUSED, ALTERED), says="distance|asymmetrical")
def _(case):
    """a row too short"""
    rows = case.rows()
    del rows[case.rng.randrange(len(rows))][-1]


@fault("distance-few-rows", "distance-shape", sees=(REFUSED, ALTERED), says="distance|asymmetrical")
def _(case):
    """a row too few"""
    del case.rows()[-1]


@fault("distance-long-row", "distance-shape", says="missing|NUMA node|[Dd]estination")
def _(case):
    """a row too long"""
    rows = case.rows()
    rows[case.rng.randrange(len(rows))].append(20)


@fault("distance-many-rows", "distance-shape", says="missing|NUMA node|[Ss]ource")
def _(case):
    """a row too many"""
    rows = case.rows()
    rows.append([20] * len(rows))


@fault("distance-unknown-node", "node-unknown", says="missing|NUMA node")
def _(case):
    """a distance to a node that there is not"""
    count = len(case.nodes)
    if not 2 <= count <= 40:
        skip()
    case.top["distances"] = {0: {1: 30, count + case.rng.randint(0, 3): 20}}


@fault("distance-text", "bad-value", says="val|dist")
def _(case):
    """a distance that is no whole number"""
    rows = case.rows()
    a, b = off_diagonal(case, rows)
    rows[a][b] = case.rng.choice(("near", "20.5", "-20", "0x14"))
    if rows[a][b] == "0x14":
        rows[a][b] = "2e1"


@fault("distance-random", "distance-value", sees=(REFUSED, BLIND), says="distance|val|Distance", may_pass=True,
       why="10 to another node, see distance-same")
def _(case):
    """any distance"""
    rows = case.rows()
    a, b = off_diagonal(case, rows)
    rows[a][b] = case.rng.choice((9, 10, 11, 254, 255, 256, case.rng.randint(0, 300)))


# --- HMAT ---------------------------------------------------------------------------------------

@fault("hmat-initiator", "hmat-initiator", says="initiator|[Ii]nvalid", needs="bare")
def _(case):
    """performance seen from a node without CPUs"""
    case.rng.choice(case.need_hmat())["from"] = case.rng.choice(case.bare)["id"]


@fault("hmat-initiator-unknown", "node-unknown", says="initiator")
def _(case):
    """performance seen from a node that there is not"""
    case.rng.choice(case.need_hmat())["from"] = len(case.nodes) + case.rng.choice((0, 1, 200))


@fault("hmat-target-unknown", "node-unknown", says="target")
def _(case):
    """performance of a node that there is not"""
    case.rng.choice(case.need_hmat())["to"] = len(case.nodes) + case.rng.choice((0, 1, 200))


@fault("initiator-without-cpus", "hmat-initiator", says="initiator", needs="bare")
def _(case):
    """a node whose initiator has no CPUs"""
    case.need_hmat()
    node, other = case.rng.choice(case.bare), case.rng.choice(case.bare)
    node["initiator"] = other["id"]


@fault("initiator-unknown", "node-unknown", sees=(REFUSED, ALTERED), says="initiator|NUMA|memory", needs="bare")
def _(case):
    """a node whose initiator there is not"""
    case.need_hmat()
    case.rng.choice(case.bare)["initiator"] = case.rng.choice((len(case.nodes), 127, 128, 500))


@fault("initiator-other", "hmat-initiator", says="initiator")
def _(case):
    """a node with CPUs whose initiator is another"""
    case.need_hmat()
    if len(case.cpu_nodes) < 2:
        skip()
    node, other = case.rng.sample(case.cpu_nodes, 2)
    node["initiator"] = other["id"]


@fault("latency-zero", "hmat-value", sees=(BLIND, REFUSED), says="before memory side cache",
       why="0 means 'not known' and QEMU stores it as that; the language has leaving out for it")
def _(case):
    """a latency or bandwidth of 0"""
    item = case.rng.choice(case.need_hmat())
    key = case.rng.choice([key for key in item if key not in ("from", "to")])
    item[key] = "0ns" if "latency" in key else "0MiB/s"


@fault("latency-ratio", "hmat-value", says="[Ll]atency")
def _(case):
    """latencies too far apart for 16 bits of one unit"""
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    if len(items) < 2:
        skip()
    items[0]["latency"] = "1ns"
    items[case.rng.randrange(1, len(items))]["latency"] = "%dns" % case.rng.choice((65535, 70001, 10 ** 9 + 1))


@fault("latency-first", "hmat-value", sees=ALTERED, says="[Ll]atency")
def _(case):
    """the same with the large one first: QEMU does not check it, and cuts it"""
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    items[0]["latency"] = "%dns" % case.rng.choice((65536, 65537, 70001, 131073))
    items[-1]["latency"] = "1ns"
    if len(items) < 2:
        skip()


@fault("latency-65535", "hmat-value", sees=BLIND,
       why="65535 is 'not reachable' in an HMAT; QEMU checks a first latency too late and writes it")
def _(case):
    """a first latency of 65535 units"""
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    items[0]["latency"] = "65535ns"
    items[-1]["latency"] = "1ns"
    if len(items) < 2:
        skip()


@fault("latency-sub-ns", "hmat-value", says="latency")
def _(case):
    """a latency that is no whole number of nanoseconds"""
    item = case.rng.choice(case.make_hmat() if len(case.nodes) <= 24 else skip())
    item["latency"] = case.rng.choice(("1500ps", "0.5ns", "1ps", "1.0001us"))


@fault("latency-unit", "bad-value", says="latency")
def _(case):
    """a latency without a unit that is known"""
    item = case.rng.choice(case.make_hmat() if len(case.nodes) <= 24 else skip())
    item["latency"] = case.rng.choice(("5ms", "1s", "10 ns", "fast"))


@fault("bandwidth-span", "hmat-value", says="[Bb]andwidth")
def _(case):
    """bandwidths that no common power of two holds in 16 bits"""
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    if len(items) < 2:
        skip()
    first, second = case.rng.sample(items, 2)
    first["bandwidth"] = "%dMiB/s" % (2 * case.rng.randint(0, 99) + 1)
    second["bandwidth"] = "%dGiB/s" % case.rng.choice((64, 100, 4096))


@fault("bandwidth-single", "hmat-value", says="[Bb]andwidth")
def _(case):
    """one bandwidth of more than 16 bits"""
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    case.rng.choice(items)["bandwidth"] = "%dMiB/s" % case.rng.choice((65535, 65537, 131071, 2 ** 30 + 1))


@fault("bandwidth-not-mib", "hmat-value", says="[Bb]andwidth|1MB|multiple")
def _(case):
    """a bandwidth that is no whole number of MiB/s"""
    item = case.rng.choice(case.make_hmat() if len(case.nodes) <= 24 else skip())
    item["bandwidth"] = case.rng.choice(("1.5MiB/s", "0.5MiB/s", "1.00048828125GiB/s", "100.25MiB/s"))
    if item["bandwidth"].startswith("1.0004"):
        item["bandwidth"] = "1.00146484375GiB/s"


@fault("hmat-random", "hmat-value", sees=(REFUSED, ALTERED, BLIND), says="[Ll]atency|[Bb]andwidth",
       may_pass=True, why="a first latency of 65535 units, see latency-65535")
def _(case):
    """latencies and bandwidths of any magnitude"""
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    scale = case.rng.choice((1, 1, 10, 1000))
    shift = case.rng.choice((0, 4, 10))
    for item in items:
        if case.rng.random() < .5:
            item["latency"] = "%dns" % (case.rng.choice((1, 9, 6553, 6554, 65534, 65535, 65536, 99999))
                                        * case.rng.choice((1, scale)))
        if case.rng.random() < .5:
            item["bandwidth"] = "%dMiB/s" % (case.rng.choice((1, 3, 32767, 32768, 65534, 65535, 65536, 65537))
                                             << case.rng.choice((0, shift)))


@fault("hmat-duplicate", "hmat-pair", says="[Dd]uplicate")
def _(case):
    """a pair given twice"""
    items = case.need_hmat()
    items.append(dict(case.rng.choice(items)))


@fault("hmat-empty-pair", "hmat-pair hmat-cache", sees=BLIND,
       why="a pair that says nothing has no option")
def _(case):
    """a pair without latency and bandwidth"""
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    item = case.rng.choice(items)
    for key in list(item):
        if key not in ("from", "to"):
            del item[key]


@fault("hmat-conflict", "key-conflict", sees=BLIND,
       why="QEMU writes the list for accesses and the one for reads; which of them the guest takes is open")
def _(case):
    """a latency for both directions and one for reads"""
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    case.rng.choice(items)["read-latency"] = "77ns"


def cache(case, **keys):
    items = case.make_hmat() if len(case.nodes) <= 24 else skip()
    target = case.rng.choice(items)["to"]
    entry = {"node": target, "level": 1, "size": "64MiB", "line": 64, "associativity": "direct",
             "write-policy": "write-back"}
    entry.update({key.replace("_", "-"): value for key, value in keys.items()})
    case.hmat["caches"] = [entry]
    return entry, case.hmat["caches"]


@fault("cache-gap", "hmat-cache", says="[Cc]ache level|level")
def _(case):
    """a cache of level 2 or 3 without the one below"""
    cache(case, level=case.rng.choice((2, 3)))


@fault("cache-sizes", "hmat-cache", says="[Ss]ize")
def _(case):
    """a cache that is not larger than the one below"""
    entry, caches = cache(case)
    caches.append(dict(entry, level=2, size=case.rng.choice(("64MiB", "32MiB", "1KiB"))))


@fault("cache-twice", "hmat-cache", says="[Dd]uplicate")
def _(case):
    """two caches of one level"""
    entry, caches = cache(case)
    caches.append(dict(entry, size="128MiB"))


@fault("cache-no-performance", "hmat-cache", says="latency and bandwidth|should be provided|before")
def _(case):
    """a cache of a node of which no latency or no bandwidth is given"""
    entry, _ = cache(case)
    performance = case.hmat["performance"]
    gone = case.rng.choice(("latency", "bandwidth", "both"))
    for item in list(performance):
        if item["to"] == entry["node"]:
            for key in ("latency", "bandwidth"):
                if gone in (key, "both"):
                    item.pop(key)
            if gone == "both":
                performance.remove(item)
    if not performance:
        skip()


@fault("cache-level", "bad-value", says="[Ll]evel|level")
def _(case):
    """a cache of level 0 or 4"""
    cache(case, level=case.rng.choice((0, 4, 9)))


@fault("cache-line", "bad-value", says="line")
def _(case):
    """a line that 16 bits do not hold"""
    cache(case, line=case.rng.choice((65536, 100000)))


@fault("cache-node", "node-unknown", says="node")
def _(case):
    """a cache of a node that there is not"""
    cache(case, node=len(case.nodes) + case.rng.choice((0, 5, 200)))


@fault("cache-word", "bad-value", says="associativity|policy|Invalid")
def _(case):
    """a word that there is not"""
    cache(case, **case.rng.choice(({"associativity": "full"}, {"write_policy": "writeback"})))


# --- backends -----------------------------------------------------------------------------------

@fault("policy-alone", "host-placement", says="host-nodes must be set|host-nodes")
def _(case):
    """a policy without host nodes"""
    case.plain(one(case)[1], kind="ram", policy=case.rng.choice(("bind", "preferred", "interleave")))
    realign(case)


@fault("policy-node-alone", "host-placement", says="host-nodes")
def _(case):
    """the same of a node"""
    node, region = one(case)
    case.plain(region, kind="ram")
    node["policy"] = "bind"
    node.pop("host-nodes", None)
    realign(case)


@fault("host-nodes-default", "host-placement", says="host-nodes must be empty|policy default")
def _(case):
    """host nodes with the policy 'default'"""
    case.plain(one(case)[1], kind="ram", policy="default", host_nodes=0)
    realign(case)


@fault("host-node-128", "host-placement", says="host-nodes")
def _(case):
    """a host node that no host has"""
    case.plain(one(case)[1], kind="ram", policy="bind", host_nodes=case.rng.choice((128, "0,200", "0-128")))
    realign(case)


def realign(case):
    """Sizes that suit any backend, and no address that suits only another."""
    for _, region in case.regions:
        region["size"] = kib(up(meaning.size(region["size"]), 2 * MIB))
    loosen(case)


@fault("prealloc-reserve", "backend-key", says="incompatible|reserve")
def _(case):
    """memory that is allocated at the start, without a reservation"""
    case.plain(one(case)[1], kind=case.rng.choice(("ram", "memfd")), prealloc=True, reserve=False)
    realign(case)

    def put_back(options):
        for at, word in enumerate(options):
            if word.startswith("memory-backend") and "reserve=off" in word:
                options[at] = word + ",prealloc=on"
        return options
    case.after = put_back


@fault("align-odd", "backend-key", says="align|power of", sees=(REFUSED, BLIND),
       why="QEMU hands 'align' to mmap and rounds the address; only a device's address must be a multiple")
def _(case):
    """an alignment that is no power of two"""
    if case.ram > 2 * TIB:
        skip()
    case.plain(one(case)[1], kind="file", path="/mnt/spmtopo/fault", align=case.rng.choice(("3MiB", "6MiB", "12KiB")))
    realign(case)


@fault("align-small", "backend-key", says="align|page size", sees=(REFUSED, BLIND),
       why="below a page 'align' has no effect in QEMU")
def _(case):
    """an alignment below a page"""
    if case.ram > 2 * TIB:
        skip()
    case.plain(one(case)[1], kind="file", path="/mnt/spmtopo/fault", align=case.rng.choice(("1KiB", "2KiB")))
    realign(case)


@fault("hugepages-odd", "backend-key", says="[Hh]uge|power of|memfd|page")
def _(case):
    """huge pages of a size that x86 has not"""
    case.plain(one(case)[1], kind="memfd", hugepages=case.rng.choice(("3MiB", "4MiB", "64KiB", "16GiB", "4KiB")))
    realign(case)


@fault("hugepages-ram", "backend-key", says="hugetlb")
def _(case):
    """huge pages of anonymous memory"""
    case.plain(one(case)[1], kind="ram", hugepages="2MiB")
    realign(case)


@fault("hugepages-file", "size-alignment backend-key", sees=BLIND, may_pass=True,
       why="the pages of a file are those of its file system, which is the host's")
def _(case):
    """huge pages of a file"""
    if case.ram > 2 * TIB:
        skip()
    case.plain(one(case)[1], kind="file", path="/mnt/spmtopo/fault", hugepages="2MiB")
    realign(case)


@fault("align-ram", "backend-key", says="align")
def _(case):
    """'align' of what is no file"""
    case.plain(one(case)[1], kind=case.rng.choice(("ram", "memfd")), align="2MiB")
    realign(case)


@fault("offset-ram", "backend-key", says="offset")
def _(case):
    """'offset' of what is no file"""
    case.plain(one(case)[1], kind=case.rng.choice(("ram", "memfd")), offset="2MiB")
    realign(case)


@fault("path-ram", "backend-key", says="mem-path")
def _(case):
    """'path' of what is no file"""
    case.plain(one(case)[1], kind=case.rng.choice(("ram", "memfd")), path="/mnt/spmtopo/fault")
    realign(case)


@fault("pmem-ram", "backend-key", says="pmem")
def _(case):
    """'pmem' of what is no file"""
    case.plain(one(case)[1], kind=case.rng.choice(("ram", "memfd")), pmem=True)
    realign(case)


@fault("dax-private", "backend-dax-align", sees=BLIND,
       why="the kernel's driver refuses the mapping; here a plain file stands for the device")
def _(case):
    """a device dax, mapped privately"""
    if case.ram > 2 * TIB:
        skip()
    case.plain(one(case)[1], kind="file", path="/dev/dax0.0", align="2MiB", share=False)
    realign(case)


@fault("file-no-path", "backend-path", says="mem-path|path")
def _(case):
    """a file without a path"""
    case.plain(one(case)[1], kind="file")
    realign(case)


@fault("offset-odd", "backend-key", says="offset|align|page")
def _(case):
    """an offset that is no multiple of a page"""
    if case.ram > 2 * TIB:
        skip()
    case.plain(one(case)[1], kind="file", path="/mnt/spmtopo/fault",
               offset=case.rng.choice(("1KiB", "0x200", "2049KiB")))
    realign(case)


@fault("backend-kind", "bad-value", says="memory-backend-|object type|qom-type")
def _(case):
    """a kind of backend that there is not"""
    case.plain(one(case)[1], kind=case.rng.choice(("hugetlbfs", "memf", "epc2", "RAM")))
    realign(case)


@fault("id-twice", "object-id", says="[Dd]uplicate")
def _(case):
    """two regions with one id"""
    if len(case.regions) < 2:
        skip()
    (_, first), (_, second) = case.rng.sample(case.regions, 2)
    first["id"] = second["id"] = "twin"


@fault("id-invalid", "object-id bad-value", says="identifier")
def _(case):
    """an id that QEMU does not take"""
    one(case)[1]["id"] = case.rng.choice(("1st", "a b", "hbm@0", "-x", "_x", "ä", "a/b"))


@fault("id-long", "object-id", sees=BLIND,
       why="QEMU holds any length; libvirt and log lines do not, and the language has one limit for all")
def _(case):
    """an id of more than 63 letters"""
    one(case)[1]["id"] = "x" * case.rng.randint(64, 100)


@fault("id-implied", "object-id", sees=(REFUSED, BLIND), says="[Dd]uplicate",
       why="the name of the other region's object is spmtopo's own choice, which this harness does not share")
def _(case):
    """an id that is another region's by default"""
    plain = [(node, region) for node, region in case.regions if "id" not in region and
             len(node["memory"]) == 1]
    node, _ = case.rng.choice(plain or skip())
    other, region = one(case)
    if other is node:
        skip()
    region["id"] = "node%d-mem" % node["id"]


@fault("id-confidential", "object-id", says="[Dd]uplicate")
def _(case):
    """the id that spmtopo gives to the object of a confidential guest"""
    case.top["machine"] = {"type": "q35", "accel": "kvm", "cpu-vendor": "amd", "confidential": "sev-snp"}
    for backend in [case.default] + [region.get("backend", {}) for _, region in case.regions]:
        backend.pop("share", None)               # see confidential-tcg
    case.top["boot"] = {"firmware": "ovmf"}
    for _, region in case.spm_devices:
        region.pop("type")                       # firmware makes RAM of a confidential guest's SPM
        region.pop("address", None)
    case.top.pop("device-memory", None)
    if case.parameter or any(len(node.get("memory", [])) > 1 for node in case.nodes):
        skip()
    one(case)[1]["id"] = "cgs0"


@fault("two-backends", "regions-per-node", says="memdev|NUMA nodes|Parameter")
def _(case):
    """a node with two pieces of normal memory of different backends"""
    node, region = case.rng.choice(case.normal)
    case.plain(region, kind="ram")
    node["memory"].append({"size": "16MiB", "backend": {"kind": "memfd"}})
    realign(case)


@fault("cpu-random", "cpu-topology bad-value cpu-count x2apic", says="product|maxcpus|Invalid|zero|greater|max CPUs", may_pass=True)
def _(case):
    """any factors of the CPU topology"""
    rng = case.rng
    count = rng.randint(1, 24)
    flood(case, count, "max")
    cpus = {"count": count}
    for key in ("sockets", "dies", "modules", "cores", "threads"):
        if rng.random() < .4:
            cpus[key] = rng.choice((1, 1, 2, 2, 3, 4, 6, 8))
    if rng.random() < .3:
        cpus["max"] = count + rng.choice((-1, 0, 1, 8))
    if rng.random() < .1:
        del cpus["count"]
    case.top["cpus"] = cpus
    try:
        possible = meaning.Topology(dump(case.top)).possible
    except (ValueError, ZeroDivisionError):
        possible = cpus.get("max", count)
    if possible < 1:
        skip()
    case.cpu_nodes[0]["cpus"] = "0-%d" % (possible - 1)


@fault("backend-random", "backend-key backend-path size-alignment host-placement backend-dax-align bad-value", sees=(REFUSED, BLIND, ALTERED), may_pass=True,
       says="", why="align, hugepages and a device dax, as in the faults named after them")
def _(case):
    """any keys of a backend"""
    rng = case.rng
    if case.ram > TIB:
        skip()
    keys = {"kind": rng.choice(("ram", "memfd", "file"))}
    if rng.random() < (.9 if keys["kind"] == "file" else .05):
        keys["path"] = rng.choice(("/mnt/spmtopo/x", "/tmp", "/dev/shm", "/dev/dax0.0", "relative/file"))
    for key, chance, values in (
            ("offset", .15, ("0x0", "4KiB", "2MiB", "6KiB", "1GiB")),
            ("hugepages", .2, (True, False, "2MiB", "1GiB", "4MiB", "4KiB")),
            ("align", .25, ("4KiB", "8KiB", "2MiB", "1GiB", "3MiB", "512MiB", "1KiB")),
            ("share", .3, (True, False)), ("prealloc", .15, (True, False)), ("pmem", .1, (True, False)),
            ("merge", .2, (True, False)), ("dump", .2, (True, False)),
            ("policy", .15, ("default", "bind", "preferred", "interleave")),
            ("host-nodes", .15, (0, "0-1", "0,2", 127))):
        if rng.random() < chance:
            keys[key] = rng.choice(values)
    one(case)[1]["backend"] = keys
    if rng.random() < .8:
        for _, region in case.regions:
            region["size"] = kib(up(meaning.size(region["size"]), rng.choice((2 * MIB, GIB))))
    loosen(case)


@fault("path-random", "backend-path backend-key bad-value", sees=(REFUSED, BLIND), may_pass=True,
       why="an empty path, or one with a control character, is for the language to refuse")
def _(case):
    """any path of a file"""
    if case.ram > TIB:
        skip()
    case.plain(one(case)[1], kind="file", path="/mnt/spmtopo/" + case.rng.choice(
        ("a,b", "a=b", "a b", "a,,b", "share=on", ",", "=", "'a'", '"a"', "$HOME", "%d", "a\\b", "ä", "-x", ".", "..x",
         "a,share=off", "{a}", "[a]", "a;b", "a:b")))
    realign(case)


@fault("id-random", "object-id bad-value", sees=(REFUSED, BLIND), says="identifier|[Dd]uplicate|already registered",
       may_pass=True,
       why="the name of a piece of memory that QEMU has on other machines or with other firmware")
def _(case):
    """any id"""
    one(case)[1]["id"] = case.rng.choice(("a", "a.b", "a-b", "a_b", "A1", "pc.ram", "m0", "mem", "a..b", "machine", "ram",
                                          "pc.bios", "pc.rom", "system.flash0", "vga.vram", "isa-bios", "a" * 63, "x.", "a:b", "a,b", "0a", "node0", "cgs0"))


@fault("name-random", "bad-value", sees=(BLIND, REFUSED), may_pass=True,
       why="-name takes any text; the language has one alphabet for all targets")
def _(case):
    """any name of the VM"""
    case.top["name"] = case.rng.choice(("a,b", "a=b", "1", "a b", "0x10", "a" * 63, "a" * 64, "debug-threads=on", ".a", "a.b",
                                        "true", "on"))


@fault("tiny-nodes", "size-alignment no-boot-memory low-node spm-low-memory", sees=(REFUSED, ALTERED, BLIND), may_pass=True,
       says="NUMA nodes|size|multiple|RAM",
       why="SPM in the first megabyte is RAM to QEMU; firmware boots from it")
def _(case):
    """nodes of a few KiB, about the holes below 1 MiB"""
    if case.default:
        skip()
    for _, region in case.normal:
        region.pop("backend", None)
        if case.rng.random() < .7:
            region["size"] = kib(case.rng.choice((4, 8, 16, 248, 384, 512, 640, 648, 1024, 1032, 65536)) * KIB)
    loosen(case)


@fault("cache-random", "hmat-cache bad-value", says="[Ll]evel|[Ss]ize|[Dd]uplicate|line|latency and bandwidth", may_pass=True)
def _(case):
    """any caches of a node"""
    entry, caches = cache(case)
    del caches[0]
    for level in case.rng.sample((1, 2, 3), case.rng.randint(1, 3)):
        caches.append(dict(entry, level=level, size=case.rng.choice(("1KiB", "64KiB", "1MiB", "64MiB", "1GiB")),
                           line=case.rng.choice((0, 1, 64, 65535, 65536))))


@fault("machine-random", "machine-unknown cpu-count cpu-topology machine-version x2apic", sees=(REFUSED, ALTERED, BLIND),
       says="machine|max CPUs|SMBIOS|x2APIC", may_pass=True,
       why="a machine type older than those whose tables are known here")
def _(case):
    """any version of a machine"""
    case.machine["type"] = "pc-%s-%s" % (case.rng.choice(("q35", "i440fx")), case.rng.choice(
        ("5.2", "6.0", "6.1", "6.2", "7.0", "7.1", "7.2", "8.0", "8.1", "8.2", "9.0", "9.1", "9.2", "10.0", "10.1", "10.2",
         "11.0", "11.1", "11.2", "2.12")))
    case.machine.pop("phys-bits", None)
    loosen(case)


@fault("initiator-random", "hmat-initiator node-unknown", sees=(REFUSED, ALTERED), says="initiator|NUMA|memory", may_pass=True)
def _(case):
    """any initiator of any node"""
    case.need_hmat()
    case.rng.choice(case.nodes)["initiator"] = case.rng.randrange(len(case.nodes) + 1)


# --- boot ---------------------------------------------------------------------------------------

@fault("cmdline-alone", "kernel-missing", says="-append only allowed")
def _(case):
    """a command line without a kernel"""
    case.top["boot"] = {"firmware": "ovmf", "cmdline": "console=ttyS0"}


@fault("initrd-alone", "kernel-missing", says="-initrd only allowed")
def _(case):
    """an initrd without a kernel"""
    case.top["boot"] = {"firmware": "ovmf", "initrd": "/etc/passwd"}


@fault("nothing-to-boot", "kernel-missing", sees=BLIND,
       why="QEMU then takes its own firmware, SeaBIOS")
def _(case):
    """no firmware and no kernel"""
    case.top["boot"] = {"firmware": "none"}


@fault("firmware-vars", "firmware-files", sees=BLIND,
       why="a variable store is a flash drive to QEMU, whatever the firmware makes of it")
def _(case):
    """a variable store of a firmware that has none"""
    case.top["boot"] = {"firmware": {"type": "qboot", "vars": "/tmp/vars.fd"}}


@fault("firmware-drops", "firmware-drops-spm", sees=BLIND, may_pass=True, needs="spm",
       why="the firmware drops SPM when the guest boots; QEMU announces it")
def _(case):
    """a firmware that drops SPM"""
    case.top["boot"] = {"firmware": case.rng.choice(("seabios", {"type": "ovmf", "version": "202511"}))}


@fault("migratable", "spm-migration", sees=BLIND, may_pass=True, needs="spm",
       why="QEMU migrates the guest and leaves the content of SPM behind, without a word")
def _(case):
    """a guest with SPM that is to be migrated"""
    case.machine["migratable"] = True


@fault("nosoftreserve", "spm-nosoftreserve", sees=BLIND, may_pass=True, needs="spm",
       why="the command line is the guest kernel's")
def _(case):
    """a kernel that is told to take SPM as RAM"""
    case.top["boot"] = {"firmware": "ovmf", "kernel": "/boot/vmlinuz-spmtopo", "cmdline": "efi=nosoftreserve"}


@fault("cmdline-long", "cmdline-length bad-value limit", sees=BLIND, may_pass=True,
       why="the command line is the guest kernel's, which cuts it")
def _(case):
    """a command line longer than the kernel reads"""
    case.top["boot"] = {"firmware": "ovmf", "kernel": "/boot/vmlinuz-spmtopo", "cmdline": "x" * 2100}


# --- the language -------------------------------------------------------------------------------

@fault("key-unknown", "unknown-key", sees=BLIND, why="an unknown key has no option")
def _(case):
    """a key that there is not"""
    place = case.rng.choice((case.top, case.machine, case.rng.choice(case.nodes), one(case)[1]))
    place["sise"] = "1GiB"


@fault("key-missing", "missing-key", says="size")
def _(case):
    """a region without a size"""
    node, region = one(case)
    region.pop("size")
    region["type"] = region.get("type", "normal")
    case.before = lambda argv: [word.replace(",size=NONE", "") for word in argv]


@fault("type-unknown", "bad-value", sees=(BLIND, ALTERED, REFUSED), needs="spm", says="NUMA nodes|conflicts|range",
       why="a type has no option of its own; what it should become is not known")
def _(case):
    """a type of memory that there is not"""
    one(case, "spm")[1]["type"] = case.rng.choice(("hbm", "SPM", "specific-purpose"))
    loosen(case)


BY_NAME = {item.name: item for item in FAULTS}


# Making one

def fits(item, top, generator):
    """Whether a topology has what a fault needs; cheap, before anything is run."""
    spm = bool(generator.regions) and not generator.parameter
    for need in item.needs:
        if need == "spm" and not spm or need == "no-spm" and (spm or generator.parameter) or \
                need == "tcg" and generator.kvm or need == "mixed" and not generator.mixed or \
                need == "bare" and len(generator.cpu_nodes) == generator.count:
            return False
    return True


def make(item, seed, number, compile_, machines=None):
    """A Case with the fault in it. COMPILE_(text) is gen's argument vector of a valid topology."""
    rng = random.Random("%s/%s/%s" % (seed, number, item.name))
    for attempt in range(400):
        generator = random_topology.Generator(seed, "%s.%s" % (number, attempt), "11.1", machines)
        top = generator.topology()
        if not fits(item, top, generator):
            continue
        command = compile_(dump(top))
        if command is None:
            continue
        case = Case(top, command, rng)
        case.valid = dump(copy.deepcopy(top))
        case.attempt = attempt
        try:
            item.apply(case)
        except Skip:
            continue
        return case
    raise RuntimeError("no topology for the fault " + item.name)


# What check and the real QEMU say

Judged = collections.namedtuple("Judged", "outcome rules message problems")


def compiled(text, folder):
    """`gen`'s argument vector of a topology, or None where it refuses it."""
    path = os.path.join(folder, "base.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        out, _ = compare.run_spmtopo("gen", path, "--target", "qemu", "--format", "json")
    except compare.Refused:
        return None
    return json.loads(out.decode())


def findings(path):
    """(names of the rules that found errors, all findings) of `check --target qemu`."""
    done = subprocess.run([compare.spmtopo_program(), "check", "--target", "qemu", "--format", "json", path],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if done.returncode not in (0, 1):
        raise compare.Refused("spmtopo check: status %d: %s"
                              % (done.returncode, done.stderr.decode("utf-8", "replace")[-300:]))
    found = json.loads(done.stdout.decode())["diagnostics"]
    errors = {item["rule"] for item in found if item["severity"] == "error"}
    if bool(errors) != (done.returncode == 1):
        raise compare.Refused("spmtopo check: status %d with the errors %s"
                              % (done.returncode, sorted(errors)))
    return errors, found


Machine = collections.namedtuple("Machine", "accel cpu_vendor")
PATIENCE = 60                                   # seconds for one QEMU


def last_words(refusal):
    """QEMU's own message, without its name and the option it quotes."""
    lines = [line for line in refusal.stderr.splitlines() if line.strip() and "warning:" not in line]
    if not lines:
        return "(exit %s without a message)" % refusal.status
    named = [line for line in lines if line.startswith("qemu-system")] or lines
    text = re.sub(r"^qemu-system-x86_64: ", "", named[0])
    cut = re.sub(r"^-(?:[a-z]+) .{0,4000}?: (?=[A-Z'a-z])", "", text) if len(text) > 160 else text
    return cut[-300:]


def ask(case, text, qemu):
    """(verdict, message) of the real QEMU on a topology that `check` refuses."""
    machine = case.top.get("machine", {})
    vm = Machine(machine.get("accel", "kvm"), machine.get("cpu-vendor"))
    with argv_module.adapt(qemu, translate(case), vm) as applied:
        options = case.after(applied.options) if case.after else applied.options
        try:
            tables = qtest.read_tables(qemu, options, PATIENCE)
        except qtest.QemuRefused as why:
            if why.status == -9:
                raise qtest.OracleError("QEMU gave no answer in %d s: %s" % (PATIENCE, " ".join(why.argv)))
            return REFUSED, last_words(why)
    try:
        topology = meaning.Topology(text)
        topology.qemu_version = qemu.version_text         # this one runs it, whatever the file says
        differences = meaning.check(topology, tables)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as why:
        differences = ["the file has no meaning (%s: %s)" % (type(why).__name__, why)]
    vendor = machine.get("cpu-vendor")
    version = re.search(r"-([0-9]+)\.([0-9]+)$", machine.get("type", "q35"))
    if vendor and (not version or tuple(int(part) for part in version.groups()) >= (7, 1)):
        hole = any(entry == (0xfd00000000, 0x300000000, 2) for entry in qtest.decode_e820(tables.raw("e820")))
        if hole != (vendor == "amd") and int(machine.get("phys-bits", 52)) >= 40:
            differences.append("E820 is that of a CPU that is %s AMD's" % ("" if hole else "not"))
    errors = [line for line in tables.stderr.splitlines() if line.startswith("qemu-system") and
              "warning" not in line]
    if differences:
        return ALTERED, "; ".join(differences[:2] + errors[:1])[:300]
    return BLIND, "; ".join(errors[:1])


def agree(case, path, qemu):
    """Whether translate() says of a valid topology what spmtopo says: the tables must be the same."""
    topology = meaning.Topology(dump(case.top))
    expected, noted = compare.predictions(path)
    compare.state_vendor(topology, noted)
    with argv_module.adapt(qemu, translate(case), topology) as applied:
        try:
            tables = qtest.read_tables(qemu, applied.options)
        except qtest.QemuRefused as why:
            return ["translate(): QEMU refused a valid topology: " + last_words(why)]
    return ["translate(): " + line for line in
            compare.difference(expected, tables, topology.accel == "kvm")]


def judge(item, case, path, qemu):
    """Judged: what `check` says of the file at PATH, what QEMU says, and what is wrong with that."""
    text = dump(case.top)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    errors, _ = findings(path)
    problems = []
    if not errors:
        if not item.may_pass:
            problems.append("check passes a fault that it should report as %s" % ", ".join(item.rules))
        verdict = compare.compare(path, qemu)
        if item.name in CONTROLS:
            problems += agree(case, path, qemu)
        return Judged("passed", errors, "", problems + [line for line in verdict.problems
                                                         if "qemu-system-x86_64: warning: " not in line])
    if item.name in CONTROLS:
        problems.append("check finds an error in a valid topology: " + ", ".join(sorted(errors)))
    elif not errors & set(item.rules):
        problems.append("check reports %s, not %s" % (", ".join(sorted(errors)), ", ".join(item.rules) or "nothing"))
    verdict, message = ask(case, text, qemu)
    if verdict not in item.sees:
        problems.append("QEMU: %s (%s), where %s was expected" % (verdict, message or "no message",
                                                                   " or ".join(item.sees)))
    elif verdict == REFUSED and item.says and not re.search(item.says, message):
        problems.append("QEMU refuses it for another reason: " + message)
    elif verdict == BLIND and not item.why:
        problems.append("QEMU takes it as it stands, and no reason is listed")
    return Judged(verdict, errors, message, problems)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        for each in FAULTS:
            print("%-24s %-10s %s: %s" % (each.name, "/".join(each.sees), ",".join(each.rules),
                                          (each.apply.__doc__ or "").strip()))
        sys.exit(0)
    chosen = BY_NAME[sys.argv[3]] if len(sys.argv) > 3 else FAULTS[int(sys.argv[2]) % len(FAULTS)]
    with tempfile.TemporaryDirectory(prefix="spmtopo-fault-") as scratch:
        made = make(chosen, sys.argv[1], sys.argv[2], lambda text: compiled(text, scratch))
    print(dump(made.top))
    print(" ".join(shlex.quote(word) for word in translate(made)))
