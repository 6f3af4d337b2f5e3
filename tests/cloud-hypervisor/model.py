# SPDX-License-Identifier: MIT
"""What cloud-hypervisor makes of a configuration: memory map, SRAT and SLIT, as bytes.

Written from a description of cloud-hypervisor's source (memory_manager.rs, acpi.rs, arch/src/x86_64), with
nothing of spmtopo's. It starts from the configuration alone, as cloud-hypervisor does.
"""
import re
import struct

LOW_END = 3 << 30
HIGH = 4 << 30


class Refused(Exception):
    """cloud-hypervisor would not take it."""


# --- the command line ----------------------------------------------------------------------------

def split_outside(text, separator):
    parts, depth, quoted, current = [], 0, False, ""
    for char in text:
        if char == '"':
            quoted = not quoted
        if not quoted:
            depth += {"[": 1, "]": -1}.get(char, 0)
            if char == separator and depth == 0:
                parts.append(current)
                current = ""
                continue
        current += char
    if depth or quoted:
        raise Refused(f"unbalanced: {text}")
    return parts + [current]


def unquote(text):
    out, quoted, i = "", False, 0
    while i < len(text):
        if text[i] == '"':
            if quoted and text[i + 1:i + 2] == '"':
                out += '"'
                i += 1
            else:
                quoted = not quoted
        else:
            out += text[i]
        i += 1
    return out


def options(text, known):
    found = {}
    for part in split_outside(text.strip(), ","):
        if "=" not in part:
            raise Refused(f"no '=' in {part!r}")
        key, value = part.split("=", 1)
        if key not in known:
            raise Refused(f"unknown option {key!r}")
        found[key] = value.strip()
    return found


def brackets(text):
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def integers(text):
    found = []
    for part in brackets(text).split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if not match:
            raise Refused(f"not a list of integers: {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if match[2] and last <= first:
            raise Refused(f"a range without an end above its start: {part!r}")
        found += range(first, last + 1)
    return found


def toggle(text):
    return {"on": True, "true": True, "off": False, "false": False}[text.lower()]


def byte_size(text):
    match = re.fullmatch(r"(\d+)([KMG]?)", text)
    if not match:
        raise Refused(f"not a size: {text!r}")
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]]


ZONE_KEYS = {"id": unquote, "size": byte_size, "file": unquote, "shared": toggle, "hugepages": toggle,
             "hugepage_size": byte_size, "prefault": toggle, "mergeable": toggle, "reserve": toggle,
             "host_numa_node": int}


def parse_command_line(words):
    """The same configuration that the API would get."""
    if words[0] != "cloud-hypervisor":
        raise Refused("another program")
    config = {"memory": {}, "payload": {}}
    rest = list(words[1:])
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if not equals:
            if not rest or rest[0].startswith("-"):
                raise Refused(f"no value of {name}")
            value = rest.pop(0)
        if name == "--cpus":
            found = options(value, {"boot", "max", "topology", "max_phys_bits"})
            config["cpus"] = {"boot_vcpus": int(found["boot"]), "max_vcpus": int(found["max"])}
            parts = [int(part) for part in found["topology"].split(":")]
            keys = ["threads_per_core", "cores_per_die", "dies_per_package", "packages"]
            config["cpus"]["topology"] = dict(zip(keys, parts, strict=True))
            if "max_phys_bits" in found:
                config["cpus"]["max_phys_bits"] = int(found["max_phys_bits"])
        elif name == "--memory":
            config["memory"]["size"] = byte_size(options(value, {"size"})["size"])
        elif name == "--memory-zone":
            found = options(value, ZONE_KEYS)
            zone = {key: ZONE_KEYS[key](text) for key, text in found.items()}
            config["memory"].setdefault("zones", []).append(zone)
        elif name == "--numa":
            found = options(value, {"guest_numa_id", "cpus", "distances", "memory_zones"})
            node = {"guest_numa_id": int(found["guest_numa_id"])}
            if "cpus" in found:
                node["cpus"] = integers(found["cpus"])
            if "distances" in found:
                if not found["distances"].startswith("["):
                    raise Refused("distances without brackets")
                pairs = [pair.split("@") for pair in brackets(found["distances"]).split(",")]
                node["distances"] = [{"destination": int(to), "distance": int(value)}
                                     for to, value in pairs]
            if "memory_zones" in found:
                node["memory_zones"] = brackets(found["memory_zones"]).split(",")
            config.setdefault("numa", []).append(node)
        elif name in ("--kernel", "--initramfs", "--cmdline", "--firmware"):
            config["payload"][name[2:]] = value
        else:
            raise Refused(f"unknown option {name}")
    return config


def pages_of(zone):
    """What it is told, else those of the file's file system, of which a name tells."""
    if "hugepage_size" in zone:
        return zone["hugepage_size"]
    mount = zone.get("file", "").rpartition("/")[0]
    return {"/dev/hugepages": 2 << 20, "/dev/hugepages1G": 1 << 30}.get(mount, 4096)


# --- what it refuses -----------------------------------------------------------------------------

def validate(config):
    cpus, memory, payload = config["cpus"], config["memory"], config["payload"]
    if ("kernel" in payload) == ("firmware" in payload):
        raise Refused("payload: a kernel or a firmware")
    if "firmware" in payload and len(payload) > 1:
        raise Refused("payload: what goes with a firmware is dropped")
    if cpus["max_vcpus"] < cpus["boot_vcpus"] or cpus["max_vcpus"] > 8192:
        raise Refused("vCPUs")
    topology = cpus["topology"]
    product = 1
    for part in topology.values():
        if not 0 < part < 65536:
            raise Refused("CPU topology: a part")
        product *= part
    if topology["threads_per_core"] > 2 or product != cpus["max_vcpus"]:
        raise Refused("CPU topology")
    if memory["size"] != 0 or not memory.get("zones"):
        raise Refused("memory beside zones")
    names, used, seen = set(), set(), set()
    for zone in memory["zones"]:
        page = zone.get("hugepage_size")
        if page is not None and (not zone.get("hugepages") or page & (page - 1) or not page):
            raise Refused("hugepage_size")
        if zone.get("shared") and zone.get("mergeable"):
            raise Refused("shared and mergeable")
        if zone.get("file") and zone.get("shared") and "host_numa_node" in zone:
            raise Refused("a shared file on a host node")
        if not re.fullmatch(r"(?!__)[A-Za-z0-9_.-]+", zone["id"]) or zone["id"] in names:
            raise Refused("id of a zone")
        if not zone["size"] or zone["size"] % pages_of(zone):
            raise Refused("size of a zone")
        names.add(zone["id"])
    ids = [node["guest_numa_id"] for node in config["numa"]]
    if ids != list(range(len(ids))):
        raise Refused("node ids: Linux reads the SLIT by them")
    for node in config["numa"]:
        if not node.get("cpus") and not node.get("memory_zones"):
            raise Refused("an empty node")
        if node.get("cpus") == [] or node.get("memory_zones") == []:
            raise Refused("an empty list")
        for zone in node.get("memory_zones", []):
            if zone not in names or zone in used:
                raise Refused("memory_zones")
            used.add(zone)
        for cpu in node.get("cpus", []):
            if cpu in seen or cpu >= cpus["max_vcpus"]:
                raise Refused("cpus")
            seen.add(cpu)
        given = [pair["destination"] for pair in node.get("distances", [])]
        if len(set(given)) != len(given) or not set(given) <= set(ids) - {node["guest_numa_id"]}:
            raise Refused("distances")
        if any(not 10 < pair["distance"] < 256 for pair in node.get("distances", [])):
            raise Refused("a distance: Linux drops the SLIT")
    if used != names or len(seen) != cpus["max_vcpus"]:
        raise Refused("a zone or vCPU of no node: Linux drops the configuration")


# --- memory --------------------------------------------------------------------------------------

def place(zones):
    """Each zone's ranges, in the order of zones."""
    banks = [(0, LOW_END), (HIGH, 1 << 60)]
    bank, cursor, placed = 0, 0, {}
    for zone in zones:
        align = pages_of(zone)
        rest, ranges = zone["size"], []
        while rest:
            room = (banks[bank][1] - cursor) // align * align
            take = min(rest, room)
            if take:
                ranges.append((cursor, take))
                cursor += take
                rest -= take
            if take == room:
                bank += 1
                cursor = banks[bank][0]
        placed[zone["id"]] = ranges
    return placed


def memory_map(placed, pvh):
    ranges = sorted(part for parts in placed.values() for part in parts)
    last = max(start + size for start, size in ranges) - 1
    entries = [(0, 0xA0000, 1)]
    if pvh:
        runs = []
        for start, size in ranges:
            if runs and runs[-1][1] == start:
                runs[-1][1] = start + size
            else:
                runs.append([start, start + size])
        if not 0x100000 < runs[0][1] <= LOW_END:
            raise Refused("the first run of RAM")
        runs[0][0] = 0x100000
        entries += [(start, end - start, 1) for start, end in runs]
    elif last < LOW_END:
        entries.append((0x100000, last + 1 - 0x100000, 1))
    else:
        entries.append((0x100000, LOW_END - 0x100000, 1))
        if last > HIGH:
            entries.append((HIGH, last + 1 - HIGH, 1))
    entries.append((0xE8000000, 0x10000000, 2))
    return b"".join(struct.pack("<QQI", *entry) for entry in entries)


# --- tables --------------------------------------------------------------------------------------

def table(signature, revision, body):
    head = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), revision, 0, b"CLOUDH",
                       (b"CH" + signature).ljust(8), 1, b"RVAT", 0x01000000)
    whole = bytearray(head + body)
    whole[9] = -sum(whole) & 0xFF
    return bytes(whole)


def x2apic_id(cpu, topology):
    threads, cores, dies = (topology[key] for key in
                            ("threads_per_core", "cores_per_die", "dies_per_package"))
    wide = [(count - 1).bit_length() for count in (threads, cores, dies)]
    return (cpu % threads | cpu // threads % cores << wide[0] |
            cpu // (threads * cores) % dies << wide[0] + wide[1] |
            cpu // (threads * cores * dies) << sum(wide))


def srat(config, placed):
    body = bytes(12)
    for node in sorted(config["numa"], key=lambda node: node["guest_numa_id"]):
        domain = node["guest_numa_id"]
        for zone in node.get("memory_zones", []):
            for start, size in placed[zone]:
                body += struct.pack("<BBIHQQIIQ", 1, 40, domain, 0, start, size, 0, 1, 0)
        for cpu in node.get("cpus", []):
            number = x2apic_id(cpu, config["cpus"]["topology"])
            body += struct.pack("<BBHIIIII", 2, 24, 0, domain, number, 1, 0, 0)
    return table(b"SRAT", 3, body)


def slit(config):
    given = {node["guest_numa_id"]: {pair["destination"]: pair["distance"]
                                     for pair in node.get("distances", [])}
             for node in config["numa"]}
    ids = sorted(given)
    body = struct.pack("<Q", len(ids))
    for i in ids:
        for j in ids:
            body += bytes([10 if i == j else given[i].get(j, given[j].get(i, 20))])
    return table(b"SLIT", 1, body)


def guest(config):
    """The tables of a configuration: e820 as records of 20 bytes, srat, slit."""
    validate(config)
    placed = place(config["memory"]["zones"])
    payload = config["payload"]
    kernel = payload.get("kernel", "vmlinux").rsplit("/", 1)[-1]
    return {"e820": memory_map(placed, kernel.startswith("vmlinux")),
            "srat": srat(config, placed), "slit": slit(config)}
