# SPDX-License-Identifier: MIT
"""What `gen` and `expect` make for cloud-hypervisor, against three others. Prints TAP.

- The schema of the API (schema.json): every example, file of the corpus and random topology that
  cloud-hypervisor can hold is valid, with no key that the schema has not.
- A second implementation (model.py): random topologies, of which the JSON and the command line mean the
  same and what the file says, and E820, SRAT and SLIT are byte for byte what it makes of the JSON.
- What the real cloud-hypervisor made of a configuration (seen/): the same bytes.
- What Linux logged in a guest that it started (boots/): what `verify` expects.

    test.py [--keep FOLDER]     FOLDER gets the configurations and predictions

Environment: srcdir, SPMTOPO, SPMTOPO_REQUIRE_VMM, SPMTOPO_ORACLE_SEED (which random topologies; printed),
SPMTOPO_CLOUDHV_COUNT (how many; 200).
"""
import copy
import json
import os
import pathlib
import random
import re
import subprocess
import sys

import yaml

import model
from random_topology import Generator

try:
    import jsonschema
except ImportError:
    jsonschema = None

TOP = pathlib.Path(os.environ.get("srcdir", ".")).resolve()
HERE = TOP / "tests" / "cloud-hypervisor"
SPMTOPO = os.environ.get("SPMTOPO", "./spmtopo")
TABLES = ("e820", "srat", "slit")
UNITS = {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40, "K": 10, "M": 20, "G": 30, "T": 40, "B": 0}


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def result(self, description, problems):
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {description}")
        for problem in problems[:20]:
            print("# " + str(problem).replace("\n", " ")[:400])
        sys.stdout.flush()

    def missing(self, description, reason):
        if os.environ.get("SPMTOPO_REQUIRE_VMM") == "1":
            self.result(description, [reason])
            return
        self.count += 1
        print(f"ok {self.count} - {description} # SKIP {reason}")


def check_boot(path):
    """A boot log against the topology that was started, and against one with a node less in it."""
    def judge(text):
        done = subprocess.run([SPMTOPO, "verify", "-q", "--target", "cloud-hypervisor", "--guest",
                               str(path.with_suffix(".dmesg")), "-"], input=text.encode(), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout.decode() + done.stderr.decode()
    text = path.read_text(encoding="utf-8")
    status, report = judge(text)
    problems = [] if status == 0 else [f"status {status}: {report}"]
    for line in ("log.tables", "log.srat", "log.ram"):
        if f"ok    {line} " not in report:
            problems.append(f"{line} is not ok: {report}")
    other, report = judge(text.replace("512MiB", "514MiB"))
    if other != 1 or "FAIL  log.srat" not in report:
        problems.append(f"with another size: status {other}: {report}")
    return problems


def spmtopo(text, *words):
    done = subprocess.run([SPMTOPO, *words, "-"], input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1) or (done.returncode == 1 and done.stdout):
        raise RuntimeError(f"status {done.returncode}: {done.stderr.decode()}")
    return done


class Outputs:
    """All that the program makes of one file; refused: what it says instead."""

    def __init__(self, text):
        self.refused = None
        done = spmtopo(text, "gen", "--target", "cloud-hypervisor", "-q")
        if done.returncode:
            self.refused = done.stderr.decode()
            return
        self.json = done.stdout.decode()
        done = spmtopo(text, "gen", "--target", "cloud-hypervisor", "--format", "argv", "-q")
        self.argv = done.stdout
        self.raw = {name: spmtopo(text, "expect", "--target", "cloud-hypervisor", "--format", "raw",
                                  "--table", name, "-q").stdout for name in TABLES + ("hmat",)}
        done = spmtopo(text, "expect", "--target", "cloud-hypervisor", "--stage", "guest", "--format",
                       "json", "-q")
        self.guest = json.loads(done.stdout)

    def words(self):
        return self.argv.decode().split("\0")[:-1]


# --- what a file says ----------------------------------------------------------------------------

def size_of(value):
    if isinstance(value, int):
        return value
    match = re.fullmatch(r"([0-9]+)([A-Za-z]+)", value)
    return int(match[1]) << UNITS[match[2]]


def ids_of(text):
    found = set()
    for part in str(text).split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def meaning(data):
    """Nodes with their CPUs and sizes by type, and the distances."""
    nodes = {}
    for row in data["nodes"]:
        regions = row.get("memory", [])
        regions = regions if isinstance(regions, list) else [regions]
        sizes = [(size_of(r["size"]), r.get("type", "normal")) for r in regions]
        nodes[row["id"]] = (ids_of(row["cpus"]) if "cpus" in row else set(), sizes)
    given = data.get("distances", {})
    count = len(nodes)
    return nodes, [[10 if i == j else given.get(i, {}).get(j, given.get(j, {}).get(i, 20))
                    for j in range(count)] for i in range(count)]


def soft_ranges(cmdline):
    found = []
    for word in cmdline.split():
        match = re.fullmatch(r"memmap=(\d+)([KMG]?)%(0x[0-9a-f]+)-1\+0xefffffff", word)
        if match:
            found.append((int(match[3], 16), int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]]))
    return sorted(found)


def compare_meaning(data, config, guest):
    nodes, distances = meaning(data)
    zones = {zone["id"]: zone["size"] for zone in config["memory"]["zones"]}
    placed = model.place(config["memory"]["zones"])
    problems, spm = [], []
    if len(config["numa"]) != len(nodes):
        return ["another number of nodes"]
    for node in config["numa"]:
        cpus, sizes = nodes[node["guest_numa_id"]]
        if set(node.get("cpus", [])) != cpus:
            problems.append(f"node {node['guest_numa_id']}: CPUs")
        names = node.get("memory_zones", [])
        if [zones[name] for name in names] != [size for size, _ in sizes]:
            problems.append(f"node {node['guest_numa_id']}: sizes")
        for name, (_, kind) in zip(names, sizes):
            spm += placed[name] if kind == "spm" else []
        own = {pair["destination"]: pair["distance"] for pair in node.get("distances", [])}
        want = distances[node["guest_numa_id"]]
        if any(own.get(to, 20) != value for to, value in enumerate(want)
               if to != node["guest_numa_id"]):
            problems.append(f"node {node['guest_numa_id']}: distances")
    cmdline = config["payload"].get("cmdline", "")
    if "firmware" not in config["payload"] and soft_ranges(cmdline) != sorted(spm):
        problems.append(f"memmap= is not the SPM: {cmdline}")
    soft = sorted((int(r["address"], 16), int(r["size"], 16)) for r in guest["softReserved"])
    if soft != sorted(spm):
        problems.append("the guest's soft-reserved ranges are not the SPM")
    for start, size in spm:
        for entry in guest["ram"]:
            ram = int(entry["address"], 16)
            if ram < start + size and start < ram + int(entry["size"], 16):
                problems.append("SPM is RAM of the guest")
    return problems


# --- the tests -----------------------------------------------------------------------------------

def compare(outputs, data=None):
    """The differences between the program and model.py."""
    try:
        config = json.loads(outputs.json)
        if model.parse_command_line(outputs.words()) != config:
            return ["the command line and the JSON differ"]
        want = model.guest(config)
    except model.Refused as error:
        return [f"cloud-hypervisor would refuse it: {error}"]
    problems = [f"{name}: {outputs.raw[name].hex()} is not {want[name].hex()}"
                for name in TABLES if outputs.raw[name] != want[name]]
    if outputs.raw["hmat"]:
        problems.append("there is an HMAT")
    return problems + (compare_meaning(data, config, outputs.guest) if data else [])


def blind_spots():
    """What of a wrong output the comparison would not see."""
    data = Generator("self-test", 0).topology()
    text = yaml.safe_dump(data, sort_keys=False)
    outputs = Outputs(text)
    found = []
    for name in TABLES:
        altered = copy.deepcopy(outputs)
        altered.raw[name] = altered.raw[name][:-1] + bytes([altered.raw[name][-1] ^ 1])
        found += [] if compare(altered, data) else [name]
    config = json.loads(outputs.json)
    for change in (lambda c: c["numa"][0].pop("memory_zones"),
                   lambda c: c["memory"]["zones"][0].update(size=c["memory"]["zones"][0]["size"] + 4096),
                   lambda c: c["memory"].update(size=4096),
                   lambda c: c["memory"]["zones"][0].update(hugepage_size=3),
                   lambda c: c["cpus"].update(max_vcpus=c["cpus"]["max_vcpus"] + 1),
                   lambda c: c["payload"].pop("kernel", None) or c["payload"].pop("firmware", None)):
        altered = copy.deepcopy(outputs)
        other = copy.deepcopy(config)
        change(other)
        altered.json = json.dumps(other)
        found += [] if compare(altered, data) else [altered.json]
    return found


def keep(folder, name, outputs):
    if not folder:
        return
    base = pathlib.Path(folder) / name
    base.with_suffix(".json").write_text(outputs.json, encoding="utf-8")
    base.with_suffix(".argv").write_bytes(outputs.argv)
    kernel = json.loads(outputs.json)["payload"].get("kernel", "vmlinux")
    if not kernel.rsplit("/", 1)[-1].startswith("vmlinux"):
        base.with_suffix(".bz").write_text("", encoding="utf-8")
    for table in TABLES:
        base.with_suffix("." + table).write_bytes(outputs.raw[table])


def adapted(path):
    """A file for another target as one for cloud-hypervisor: what boots is named, SPM asked for."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    if not isinstance(data, dict):
        return None
    data = copy.deepcopy(data)
    data["boot"] = {"firmware": "none", "kernel": "vmlinux"}
    data["targets"] = {"cloud-hypervisor": {"spm-interface": "kernel-parameter"}}
    data.pop("machine", None)
    return yaml.safe_dump(data, sort_keys=False)


def main():
    folder = sys.argv[2] if sys.argv[1:2] == ["--keep"] else None
    tap = Tap()
    print("TAP version 13")
    valid = None
    if jsonschema:
        schema = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))
        valid = jsonschema.Draft7Validator(schema)
        one = {"cpus": {"boot_vcpus": 1, "max_vcpus": 1}, "payload": {"kernel": "k"}}
        bad = [dict(one, disk=[]), dict(one, memory={"zones": []}), dict(one, numa=[{"cpus": [0]}]),
               dict(one, memory={"size": "4G"}), {"cpus": one["cpus"], "memory": {"size": 0}}]
        tap.result("the schema refuses what it should",
                   [f"takes {each}" for each in bad if valid.is_valid(each)]
                   + ([] if valid.is_valid(one) else ["refuses the smallest"]))

    def check_schema(outputs):
        return [error.message for error in valid.iter_errors(json.loads(outputs.json))] if valid else []

    tap.result("what is altered in an output is found", blind_spots())
    held = 0
    problems, invalid = [], []
    files = sorted((TOP / "examples").glob("*.yaml")) + sorted((TOP / "tests" / "corpus").glob("*.yaml"))
    for path in files:
        for text in (path.read_text(encoding="utf-8"), adapted(path)):
            outputs = Outputs(text) if text else None
            if not outputs or outputs.refused:
                continue
            held += 1
            invalid += [f"{path.name}: {error}" for error in check_schema(outputs)]
            problems += [f"{path.name}: {problem}" for problem in compare(outputs)]
            keep(folder, "file-" + path.stem, outputs)
    tap.result(f"examples and corpus: {held} files that it can hold are as model.py says",
               problems or ([] if held > len(files) // 3 else [f"only {held} of {len(files)}"]))
    if valid:
        tap.result(f"examples and corpus: {held} files are valid by the schema", invalid)
    else:
        tap.missing("examples and corpus are valid by the schema", "no python3-jsonschema")

    seed = os.environ.get("SPMTOPO_ORACLE_SEED") or str(random.randrange(1 << 32))
    count = int(os.environ.get("SPMTOPO_CLOUDHV_COUNT", "200"))
    print(f"# SPMTOPO_ORACLE_SEED={seed}")
    problems, invalid = [], []
    for index in range(count):
        data = Generator(seed, index).topology()
        outputs = Outputs(yaml.safe_dump(data, sort_keys=False))
        if outputs.refused:
            problems.append(f"{index}: refused: {outputs.refused}")
            continue
        problems += [f"{index}: {problem}" for problem in compare(outputs, data)]
        invalid += [f"{index}: {error}" for error in check_schema(outputs)]
        keep(folder, f"random-{index}", outputs)
    tap.result(f"{count} random topologies are as model.py says", problems)
    if valid:
        tap.result(f"{count} random topologies are valid by the schema", invalid)

    for path in sorted((HERE / "seen").glob("*.yaml")):
        outputs = Outputs(path.read_text(encoding="utf-8"))
        if outputs.refused:
            tap.result(f"seen: {path.stem}", [outputs.refused])
            continue
        seen = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        problems = [f"{name}: {outputs.raw[name].hex()} is not {seen[name]}" for name in TABLES
                    if outputs.raw[name].hex() != seen[name]]
        if json.loads(outputs.json) != seen["config"] or model.parse_command_line(outputs.words()) != \
                model.parse_command_line(seen["commandLine"]):
            problems.append("the configuration is another than the one that was run")
        tap.result(f"seen: {path.stem} as the real one made it", problems)
    for path in sorted((HERE / "boots").glob("*.yaml")):
        tap.result(f"boots: {path.stem}: the guest saw what was promised", check_boot(path))
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
