# SPDX-License-Identifier: MIT
"""The JSON schemas against the loader's tables, the program and the files of the source tree.

Prints TAP. What needs no validator is proven without one: that the schema has the keys, enumerations
and bounds of the tables in src/load*.c, each in its place, and no others. With python3-jsonschema:
- every example, every file of the corpus and every file that the program takes is valid, in each way
  that a reader may take YAML's plain scalars (1.1, 1.2, and as they are written);
- for every key, values are taken or refused by the schema and by the program alike;
- reports of `check` are valid: JSON by schema/spmtopo-check.schema.json, SARIF by OASIS's schema.
Environment: srcdir, SPMTOPO, SPMTOPO_REQUIRE_VMM.
"""
import copy
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

try:
    import jsonschema
except ImportError:
    jsonschema = None

TOP = pathlib.Path(os.environ.get("srcdir", ".")).resolve()
SPMTOPO = os.environ.get("SPMTOPO", "./spmtopo")
REQUIRED = os.environ.get("SPMTOPO_REQUIRE_VMM") == "1"


class Tap:
    """Counts and prints results; the first lines of what is wrong are comments."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, description, problems=()):
        problems = list(problems)
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {description}")
        for problem in problems[:20]:
            print("# " + str(problem).replace("\n", " ")[:300])
        if len(problems) > 20:
            print(f"# and {len(problems) - 20} more")
        sys.stdout.flush()

    def missing(self, description, reason):
        """Something is not there to test with: a loud skip, a failure where all is required."""
        if REQUIRED:
            self.result(description, [reason])
            return
        self.count += 1
        print(f"ok {self.count} - {description} # SKIP {reason}")
        print(f"schema.sh: SKIPPED: {description}: {reason}", file=sys.stderr)

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


# --- the tables of src/load*.c --------------------------------------------------------------------

SOURCE = "\n".join(path.read_text() for name in ("load*.c", "model.c", "units.c")
                   for path in sorted((TOP / "src").glob(name)))
HEADERS = (TOP / "src/model.h").read_text()


def balanced(text, start):
    """The text from the brace at start to the one that closes it; strings hold no braces here."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[start : i + 1]
    raise ValueError("unbalanced braces")


def name_tables():
    """The arrays of names, such as firmware_names, without their empty places."""
    found = re.finditer(r"^(?:static )?const char \*const (\w+)\[\] = (?=\{)", SOURCE, re.M)
    return {m[1]: re.findall(r'"([^"]*)"', balanced(SOURCE, m.end())) for m in found}


def unit_tables():
    found = re.finditer(r"^static const struct unit (\w+)\[\] = (?=\{)", SOURCE, re.M)
    return {m[1]: re.findall(r'"([^"]*)"', balanced(SOURCE, m.end())) for m in found}


def function_bodies():
    """Functions by name; a body is from a brace in the first column to the next closing one there."""
    found = re.finditer(r"^(?:static )?(?:void|bool) (\w+)\([^;{]*?\)\n\{\n(.*?)^\}", SOURCE, re.M | re.S)
    return {m[1]: m[2] for m in found}


def constant(text):
    known = {"UINT32_MAX": 2**32 - 1, "UINT16_MAX": 2**16 - 1}
    known.update((n, int(v)) for n, v in re.findall(r"(\w+_LIMIT) = (\d+)", HEADERS))
    return known[text] if text in known else int(text)


class Key:
    """A row of a table: a key of the language, and how its value is read."""

    def __init__(self, name, text, names):
        self.name = name
        self.required = ".required = true" in text
        choice = re.search(r"CHOICE\((\w+)\)", text)
        number = re.search(r"NUMBER\((\w+), (\w+)\)", text)
        loader = re.search(r"\b((?:load|keep)_\w+)", text)
        parse = re.search(r"\.parse = (\w+)_parse", text)
        most = re.search(r"\.most = (\w+)", text)
        self.choices = names[choice[1]] if choice else None
        self.bounds = (constant(number[1]), constant(number[2])) if number else None
        if most:
            self.bounds = (0, constant(most[1]))
        if choice:
            self.kind = "choice"
        elif number:
            self.kind = "number"
        elif loader and loader[1] == "load_number_or_auto":
            self.kind = parse[1] + "-or-auto"
        elif parse:
            self.kind = parse[1]
        else:
            macros = {"SIZE": "size", "BOOLEAN": "boolean", "LATENCY": "latency", "BANDWIDTH": "bandwidth"}
            macro = re.search(r"\b(SIZE|BOOLEAN|LATENCY|BANDWIDTH)\b", text)
            self.kind = macros[macro[1]] if macro else loader[1].split("_", 1)[1]
        if self.kind == "text" and ".many_lines = true" in text:
            self.kind = "free-text"
        self.loader = loader[1] if loader else None


def read_tables():
    names = name_tables()
    tables = {}
    for m in re.finditer(r"^static const struct key (\w+)\[\] = (?=\{)", SOURCE, re.M):
        text = balanced(SOURCE, m.end())
        rows = [balanced(text, row.end() - 2) for row in re.finditer(r'^    \{"', text, re.M)]
        tables[m[1]] = [Key(re.match(r'\{"([^"]+)"', row)[1], row, names) for row in rows]
    return tables


# --- the schema -----------------------------------------------------------------------------------

def leaves(schema, root):
    """The forms that a value can have: references resolved, alternatives and items opened."""
    if "$ref" in schema:
        return leaves(resolve(schema["$ref"], root), root)
    inner = schema.get("allOf", []) + schema.get("anyOf", [])
    if isinstance(schema.get("items"), dict):
        inner = inner + [schema["items"]]
    return [leaf for part in inner for leaf in leaves(part, root)] or [schema]


def resolve(reference, root):
    node = root
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def references(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def mappings(schema, root):
    """The mappings among the forms; one that several alternatives lead to is one."""
    return list({id(leaf): leaf for leaf in leaves(schema, root) if "properties" in leaf}.values())


def words(schema, root):
    return {w for leaf in leaves(schema, root) for w in leaf.get("enum", []) if isinstance(w, str)}


class Walk:
    """The schema and the tables side by side, from the top."""

    def __init__(self, schema, tables, bodies):
        self.root = schema
        self.tables = tables
        self.bodies = bodies
        self.problems = {what: [] for what in ("keys", "required", "open", "words", "bounds", "told")}
        self.seen = set()
        self.places = []  # (path of keys, table)
        self.keys = []  # (path of keys, Key)
        self.visit(schema, "top_keys", ())

    def visit(self, schema, table, path):
        rows = self.tables[table]
        where = "/" + "/".join(path)
        found = mappings(schema, self.root)
        self.seen.add(table)
        self.places.append((path, table))
        if len(found) != 1:
            self.problems["keys"].append(f"{where}: {len(found)} mappings for {table}")
            return
        mapping = found[0]
        properties = mapping["properties"]
        ours, theirs = set(properties), {row.name for row in rows}
        self.problems["keys"] += [f"{where}: '{k}' is in the schema only" for k in sorted(ours - theirs)]
        self.problems["keys"] += [f"{where}: '{k}' is in {table} only" for k in sorted(theirs - ours)]
        required = {row.name for row in rows if row.required}
        if set(mapping.get("required", [])) != required:
            self.problems["required"].append(f"{where}: {mapping.get('required')} are not {required}")
        if mapping.get("patternProperties") != {"^x-": True} or mapping.get("additionalProperties") is not False:
            self.problems["open"].append(where)
        for row in rows:
            if row.name in properties:
                self.visit_key(row, properties[row.name], path + (row.name,))

    def visit_key(self, row, schema, path):
        where = "/" + "/".join(path)
        self.keys.append((path, row))
        told = schema.get("description", "")
        if not re.search(r"Required\.$|Default: .*\.$", told):
            self.problems["told"].append(f"{where}: the description says no default: {told}")
        if row.choices and words(schema, self.root) != set(row.choices):
            self.problems["words"].append(f"{where}: {words(schema, self.root)} are not {row.choices}")
        inline = re.search(r"CHOICE\((\w+)\)", self.bodies.get(row.loader or "", ""))
        if inline and not set(name_tables()[inline[1]]) <= words(schema, self.root):
            self.problems["words"].append(f"{where}: not all words of {inline[1]}")
        if row.bounds:
            found = {(leaf["minimum"], leaf["maximum"]) for leaf in leaves(schema, self.root)
                     if leaf.get("type") == "integer"}
            if found != {row.bounds}:
                self.problems["bounds"].append(f"{where}: {found} are not {row.bounds}")
        nested = self.nested(row)
        if nested:
            self.visit(schema, nested, path)
        elif mappings(schema, self.root):
            self.problems["keys"].append(f"{where}: a mapping that the loader does not know")

    def nested(self, row):
        """The table of the mapping that stands under a key: the nearest that its function leads to."""
        queue, seen = [row.loader], set()
        while queue:
            function = queue.pop(0)
            if function in seen or function not in self.bodies or function == "load_keys":
                continue
            seen.add(function)
            found = re.findall(r"ARRAY_SIZE\((\w+_keys)\)", self.bodies[function])
            if found:
                return found[0]
            queue += re.findall(r"\bload_\w+", self.bodies[function])
        return None


def check_structure(tap, schema):
    tables, bodies = read_tables(), function_bodies()
    walk = Walk(schema, tables, bodies)
    tap.result("src/load*.c could be read: tables, keys and functions",
               [] if len(tables) >= 17 and sum(map(len, tables.values())) >= 80 else [sorted(tables)])
    tap.result("every key of every table is in the schema at its place, and no other", walk.problems["keys"])
    tap.result("every table was reached", sorted(set(tables) - walk.seen))
    tap.result("required keys are the loader's", walk.problems["required"])
    tap.result("every mapping is closed but for keys that begin with x-", walk.problems["open"])
    tap.result("enumerations are the loader's", walk.problems["words"])
    tap.result("bounds are the loader's", walk.problems["bounds"])
    tap.result("every key says what it means, and its default", walk.problems["told"])
    problems = []
    for name, table in (("size", "size_units"), ("latency", "latency_units"), ("bandwidth", "bandwidth_units")):
        pattern = schema["definitions"][name]["pattern"]
        ours = set(re.search(r"\(([^()]*)\)\$$", pattern)[1].split("|"))
        if ours != set(unit_tables()[table]):
            problems.append(f"{name}: {ours} are not {unit_tables()[table]}")
    tap.result("units are those of src/units.c", problems)
    problems = [f"{r['$ref']} has {sorted(r)} beside it, which draft-07 ignores" for r in references(schema)
                if len(r) > 1]
    used = {r["$ref"] for r in references(schema)}
    problems += [f"{d} is not used" for d in schema["definitions"] if "#/definitions/" + d not in used]
    for reference in used:
        try:
            resolve(reference, schema)
        except KeyError:
            problems.append(f"{reference} leads nowhere")
    tap.result("every reference leads somewhere, stands alone, and no definition is left over", problems)
    return walk


# --- three ways to read YAML ----------------------------------------------------------------------

# libyaml's parser where PyYAML has it: it is ten times as fast.
Reader11 = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Texts = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Reader12(Reader11):
    """YAML 1.2's core schema, as editors read it: on, off, yes and no are texts, 010 is ten."""

    yaml_implicit_resolvers = {}


Reader12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"),
                               list("tTfF"))
Reader12.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(~|null|Null|NULL|)$"),
                               ["~", "n", "N", ""])
Reader12.add_implicit_resolver("tag:yaml.org,2002:int",
                               re.compile("^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789"))
Reader12.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
    list("-+.0123456789"))
Reader12.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(
    node.value, {"0x": 16, "0o": 8}.get(node.value[:2], 10)))

READERS = {"YAML 1.1": Reader11, "YAML 1.2": Reader12, "all scalars as texts": Texts}


class TooLarge(Exception):
    pass


def as_json(value, budget):
    """What a reader of YAML gives, as JSON has it; aliases are expanded, up to a budget."""
    budget[0] -= 1
    if budget[0] < 0:
        raise TooLarge
    if isinstance(value, dict):
        return {json.dumps(k) if not isinstance(k, str) else k: as_json(v, budget) for k, v in value.items()}
    if isinstance(value, list):
        return [as_json(v, budget) for v in value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return value


def read(text, reader):
    """A file's document; None where it is no YAML, or too large to be expanded."""
    try:
        return as_json(yaml.load(text, reader), [200000])
    except (yaml.YAMLError, TooLarge, RecursionError, ValueError, TypeError):
        return None


# --- the program ----------------------------------------------------------------------------------

def report(files, form="json"):
    """What `check` says of files: its report as text."""
    done = subprocess.run([SPMTOPO, "check", "--format", form, "--jobs", "2", "--", *map(str, files)],
                          capture_output=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"check --format {form}: status {done.returncode}: {done.stderr[:300]!r}")
    return done.stdout


def findings(files):
    """Findings by file."""
    found = {str(f): [] for f in files}
    for finding in json.loads(report(files))["diagnostics"]:
        found[finding["file"]].append(finding)
    return found


# What the form of a file is refused by; other rules judge what a well-formed file says.
FORM = {"unknown-key", "missing-key", "wrong-kind", "bad-value", "language-version", "distance-value",
        "distance-shape", "object-id", "limit"}
SHAPE = {"unknown-key", "missing-key", "wrong-kind"}


def refused(found, rules):
    return any(f["severity"] == "error" and f["rule"] in rules for f in found)


# --- values ---------------------------------------------------------------------------------------

# Samples by kind: texts of YAML that are taken, and that are refused.
SAMPLES = {
    "size": ("512MiB|1.5GiB|2T|'16GiB'|0.5GiB|1.50M", "16|007K|16GB|0MiB|0.0G|16 GiB|16gib|-1GiB|1.GiB|.5GiB|''|[1GiB]|1KB|GiB"),
    "address": ("0x100000000|0|4GiB|'0x180000000'|0MiB|0x000000000000100000000|0xFFFFFFFFFFFFF",
                "abc|04GiB|0xfg|'0x'|-1|4GB|0x10000000000000|[0]|{}|''|0X10|1.5"),
    "ids": ("0|0-3|'0-3,8'|[0, 1-2, '5,7']|7|'0'", "a|0-|'0-3,'|',1'|[]|-1|'1 - 2'|'0, 1'|1.5|true|[[0]]|[a]|[-1]|{a: b}|''|[1.5]"),
    "boolean": ("true|false|on|off|yes|no|'on'|ON|True|nO|'FALSE'", "1|0|y|maybe|[]|{}|''|null|2"),
    "latency": ("100ns|1.5us|350000ps|'90ns'", "100|0100ns|100ms|ns|100 ns|-1ns|[1ns]|''|1NS"),
    "bandwidth": ("200GiB/s|512MiB/s|1.5TiB/s|'1GiB/s'", "200|00.5GiB/s|200GB/s|200GiB|1KiB/s|-1GiB/s|[]|''|1GiB/S"),
    "text": ("abc|11.1|202605|true|'a b'|2026-01-01|1.17.0|\"caf\\u00e9\"|'/a,b'", "''|[]|\"a\\tb\"|\"a\\nb\"|\"a\\u202eb\"|\"a\\u0085b\"|[a]|\"\\ufeffa\""),
    "free-text": ("abc|11.1|''|\"a\\nb\\tc\"|true|~", "[]|{a: b}|\"a\\rb\"|\"a\\u2028b\"|\"a\\x1bb\""),
    "name": ("vm|vm.1_a-b|11|1.5|true|2026-01-01|" + "a" * 63, "''|a b|-a|.a|[]|{}|a/b|'a,b'|" + "a" * 64),
    "object-id": ("hbm0|a.b_c-d|true|A|" + "a" * 63, "''|0a|1|1.5|-a|a b|[]|{}|a/b|" + "a" * 64),
    "version": ("1|'1'", "2|0|one|''|[]|[1]|{}|true"),
    "hugepages": ("true|false|off|2MiB|1GiB", "2|2MB|''|[]|{}|maybe"),
    "settings": ("mixed-node|SPM402|[mixed-node]|[SPM402, low-node]|[]", "Mixed|''|[Mixed]|{}|[[low-node]]|SPM|3"),
    "machine": ("q35|pc-q35-11.1|{type: pc}|{}|'pc'", "''|[]|{type: ''}|[q35]"),
    "firmware": ("ovmf|none|{type: qboot}|'seabios'", "''|[]|OVMF|{}|{version: 1}|{type: bios}|true"),
    "cpus": ("8|'8'|8192|{count: 8}|{}|{max: 8}", "0|8193|-1|1.5|''|[]|[8]|eight|{count: 0}"),
    "memory": ("1GiB|{size: 1GiB}|[1GiB, {size: 128MiB, type: spm}]|[]|'1GiB'", "1|''|{}|[1]|{size: 1}|[{}]|{type: spm}|true"),
    "nodes": ("[{id: 0, cpus: 0-7, memory: 1GiB}]", "[]|{}|1|''|[1]|[[]]|[{}]"),
    "distances": ("[[10, 21], [21, 10]]|{0: {1: 21}}|{0: {1: 255, x-a: 1}, x-b: [2]}|[['10', '21'], [21, 10]]|{}|{0: {}}",
                  "20|''|[]|[[]]|{a: {1: 20}}|{0: 20}|{0: {b: 20}}|{0: {1: 9}}|[[10, 256], [21, 10]]|[[10, 9], [21, 10]]|[[10, 2.5], [21, 10]]|[10, 20]|{-1: {1: 20}}"),
    "mapping": ("{}|{x-a: 1}", "1|''|[]|a|[{}]|true"),
    "sequence": ("[]", "1|''|{}|a|[1]|[[]]|[{}]|true"),
}
SPECIAL = {("name",): "name", ("nodes", "memory", "id"): "object-id", ("spmtopo",): "version"}


def samples(path, row):
    """Lists of values that the key takes and that it refuses."""
    kind = SPECIAL.get(path, row.kind)
    if kind == "choice":
        return row.choices + [f"'{row.choices[0]}'"], ["xyz", row.choices[0].upper(), "[]", "''", "{}", "1"]
    if kind == "number" or kind == "number-or-auto":
        low, high = row.bounds
        taken = [str(low), str(high), f"'{low}'"] + ["auto"] * kind.endswith("auto")
        return taken, [str(low - 1), str(high + 1) if high < 2**32 - 1 else "-2", "1.5", "abc", "[]", "''", "1K"]
    if kind == "size-or-auto":
        taken, not_taken = (s.split("|") for s in SAMPLES["size"])
        return taken + ["auto"], not_taken + ["Auto"]
    if kind in SAMPLES:
        return tuple(s.split("|") for s in SAMPLES[kind])
    return tuple(s.split("|") for s in SAMPLES["sequence" if kind in ("pairs", "caches") else "mapping"])


# A topology with every key there is; leaves are texts of YAML. Its keys stand at the same paths as in
# the tables, sequences left out. It is well formed, but it need not work.
ALL = {
    "spmtopo": "1", "name": "all", "description": "text", "x-note": "1",
    "machine": {"type": "q35", "accel": "kvm", "cpu": "host", "cpu-vendor": "amd", "phys-bits": "46",
                "confidential": "none", "migratable": "false"},
    "boot": {"firmware": {"type": "ovmf", "version": "202605", "code": "/a", "vars": "/b"}, "kernel": "/k",
             "initrd": "/i", "cmdline": "quiet"},
    "cpus": {"count": "8", "sockets": "1", "dies": "1", "modules": "1", "cores": "8", "threads": "1", "max": "8"},
    "defaults": {"backend": {"kind": "ram"}},
    "nodes": [
        {"id": "0", "label": "a", "cpus": "0-7", "memory": {"size": "1GiB"}, "initiator": "0", "host-nodes": "0",
         "policy": "bind"},
        {"id": "1", "memory": {"size": "1GiB", "type": "spm"}}],
    "distances": "[[10, 21], [21, 10]]",
    "hmat": {
        "performance": [{"from": "0", "to": "1", "latency": "1ns", "bandwidth": "1GiB/s", "read-latency": "1ns",
                         "write-latency": "1ns", "read-bandwidth": "1GiB/s", "write-bandwidth": "1GiB/s"}],
        "caches": [{"node": "0", "level": "1", "size": "1MiB", "line": "64", "associativity": "direct",
                    "write-policy": "write-back"}]},
    "device-memory": {"max-memory": "auto", "slots": "auto"},
    "rules": {"disable": "[]", "error": "[]", "warning": "[]", "mixed-nodes": "warn"},
    "targets": {"qemu": {"version": "11.1", "spm-interface": "auto", "binary": "q"},
                "libvirt": {"uuid": "8f0e2b9c-2f0a-4f0e-9f5d-0d5d8f6c1a11", "version": "12.8", "emulator": "q"},
                "cloud-hypervisor": {"version": "50.0", "spm-interface": "none"}},
}
ALL["nodes"][0]["memory"].update({"type": "normal", "address": "0x100000000", "id": "r0", "backend": {
    "kind": "file", "path": "/p", "offset": "0", "hugepages": "2MiB", "share": "on", "prealloc": "true",
    "reserve": "true", "merge": "true", "dump": "true", "align": "2MiB", "pmem": "false", "host-nodes": "0",
    "policy": "bind"}})
ALL["defaults"]["backend"] = copy.deepcopy(ALL["nodes"][0]["memory"]["backend"])


def flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return value


def document(value):
    return "".join(f"{k}: {flow(v)}\n" for k, v in value.items())


def place(value, path):
    """The mapping at a path of keys; of a sequence its first item."""
    for key in path:
        value = value[key]
        if isinstance(value, list):
            value = value[0]
    return value


def changed(path, change):
    """The topology with all keys, one mapping of it changed."""
    value = copy.deepcopy(ALL)
    change(place(value, path))
    return document(value)


class Cases:
    """Documents that schema and program shall both take, or both refuse."""

    def __init__(self, schema, folder):
        self.schema = schema
        self.folder = folder
        self.items = []  # (what, text, taken, rules by which the program would refuse)

    def add(self, what, text, taken, rules):
        self.items.append((what, text, taken, rules))

    def problems(self):
        files = []
        for i, (_, text, _, _) in enumerate(self.items):
            files.append(self.folder / f"{i}.yaml")
            files[-1].write_text(text)
        found = findings(files)
        for (what, text, taken, rules), file in zip(self.items, files):
            errors = [f for f in found[str(file)] if f["severity"] == "error" and f["rule"] in rules]
            if bool(errors) == taken:
                yield f"{what}: the program {'refuses' if taken else 'takes'} it: {[f['message'] for f in errors]}"
            for name, reader in READERS.items():
                value = read(text, reader)
                if self.schema.is_valid(value) != taken:
                    error = jsonschema.exceptions.best_match(self.schema.iter_errors(value))
                    yield f"{what}: the schema {'refuses' if taken else 'takes'} it ({name}): {error and error.message}"


def case_file(folder, name):
    made = pathlib.Path(folder) / name
    made.mkdir()
    return made


def check_values(tap, schema, walk, folder):
    missing = [path for path, row in walk.keys if row.name not in place(ALL, path[:-1])]
    tap.result("the topology of this test has every key", missing)
    if missing:
        return
    keys = Cases(schema, case_file(folder, "keys"))
    keys.add("all keys", document(ALL), True, FORM)
    for path, table in walk.places:
        where = "/" + "/".join(path)
        keys.add(f"{where}: an unknown key", changed(path, lambda m: m.update({"zzz": "1"})), False, {"unknown-key"})
        keys.add(f"{where}: x", changed(path, lambda m: m.update({"x": "1"})), False, {"unknown-key"})
        keys.add(f"{where}: X-a", changed(path, lambda m: m.update({"X-a": "1"})), False, {"unknown-key"})
        keys.add(f"{where}: x- keys", changed(path, lambda m: m.update({"x-": "[1]", "x-zzz": "{a: 1}"})), True, FORM)
        for row in walk.tables[table]:
            if row.required:
                keys.add(f"{where}: no {row.name}", changed(path, lambda m, n=row.name: m.pop(n)), False,
                         {"missing-key"})
    tap.result(f"keys that are unknown, ignored or missing, in each of {len(walk.places)} mappings: "
               "the schema says what the program says", keys.problems())
    values = Cases(schema, case_file(folder, "values"))
    for path, row in walk.keys:
        taken, not_taken = samples(path, row)
        # Of a text the program's other rules may say more than its form does.
        rules = SHAPE if row.kind == "text" else FORM
        if path == ("nodes",):
            rules = SHAPE | {"bad-value"}
        for text in taken:
            values.add(f"/{'/'.join(path)}: {text}",
                       changed(path[:-1], lambda m, t=text, n=row.name: m.update({n: t})), True, rules)
        for text in not_taken:
            values.add(f"/{'/'.join(path)}: {text}",
                       changed(path[:-1], lambda m, t=text, n=row.name: m.update({n: t})), False, FORM)
    tap.result(f"{len(values.items)} values of {len(walk.keys)} keys: the schema says what the program says",
               values.problems())


# --- files ----------------------------------------------------------------------------------------

def check_files(tap, schema):
    folders = ("examples", "tests/corpus", "tests/memmap-type", "tests/good")
    good = [file for folder in folders for file in sorted((TOP / folder).glob("*.yaml"))]
    problems = []
    for file in good:
        text = file.read_text(encoding="utf-8")
        for name, reader in READERS.items():
            value = read(text, reader)
            if not schema.is_valid(value):
                error = jsonschema.exceptions.best_match(schema.iter_errors(value))
                problems.append(f"{file.relative_to(TOP)} ({name}): {error.json_path}: {error.message}")
    if len(good) < 150:
        problems.append(f"only {len(good)} files")
    tap.result(f"{len(good)} examples and test files are valid, as each reader of YAML takes them", problems)
    others = sorted(set(TOP.glob("tests/**/*.yaml")) - set(good))
    wrong = []
    for file in others:
        value = read(file.read_bytes(), Reader12)
        if value is not None and not schema.is_valid(value):
            wrong.append(file)
    found = findings(wrong) if wrong else {}
    tap.result(f"of {len(others)} other files of the tests the schema refuses {len(wrong)}: the program refuses them too",
               [f for f in wrong if not any(d["severity"] == "error" for d in found[str(f)])])


# --- reports --------------------------------------------------------------------------------------

FINDING = {"file": "a.yaml", "line": 1, "column": 1, "endLine": 1, "endColumn": 2, "severity": "error",
           "id": "SPM105", "rule": "unknown-key", "message": "m", "help": None,
           "notes": [{"file": "a.yaml", "line": 1, "column": 1, "endLine": 1, "endColumn": 2, "message": "n"}]}


def without(mapping, key):
    return {k: v for k, v in mapping.items() if k != key}


def check_report_schema(tap, schema):
    def wrap(finding):
        return {"spmtopo": 1, "diagnostics": [finding],
                "summary": {"files": 1, "errors": 1, "warnings": 0, "notes": 0}}

    note = FINDING["notes"][0]
    bad = [without(wrap(FINDING), k) for k in wrap(FINDING)] + [wrap(without(FINDING, k)) for k in FINDING]
    bad += [wrap({**FINDING, "notes": [without(note, k)]}) for k in note]
    bad += [wrap({**FINDING, k: v}) for k, v in {
        "line": 0, "column": 0, "endLine": "1", "severity": "fatal", "id": "SPM5", "rule": "Unknown", "message": "",
        "help": 1, "notes": None, "more": 1}.items()]
    bad += [{**wrap(FINDING), "more": 1}, {**wrap(FINDING), "spmtopo": 2}]
    problems = [f"refused: {e.message}" for e in schema.iter_errors(wrap(FINDING))]
    problems += [f"taken: {json.dumps(b)}" for b in bad if schema.is_valid(b)]
    tap.result("the schema of reports takes a report, and refuses it with a key gone, added or changed", problems)


def check_reports(tap, report_schema, folder):
    files = sorted(TOP.glob("tests/bad/*.yaml")) + sorted(TOP.glob("examples/*.yaml"))
    large = pathlib.Path(folder) / "large.yaml"
    large.write_bytes(b"# " + b"a" * (16 << 20) + b"\n")
    files.append(large)
    text = json.loads(report(files))
    problems = [f"{e.json_path}: {e.message}" for e in report_schema.iter_errors(text)]
    counts = {s: sum(d["severity"] == s for d in text["diagnostics"]) for s in ("error", "warning", "note")}
    if counts != {s: text["summary"][s + "s"] for s in counts} or text["summary"]["files"] != len(files):
        problems.append(f"the summary {text['summary']} is not what is there: {counts}, {len(files)} files")
    tap.result(f"the JSON report of {len(files)} files is valid, and its summary right", problems)
    nowhere = [d for d in text["diagnostics"] if d["file"] == str(large)]
    tap.result("a finding without a place is at line 1, column 1",
               [] if [(d["line"], d["column"]) for d in nowhere] == [(1, 1)] else [nowhere])
    tap.result("a report without findings is valid",
               [e.message for e in report_schema.iter_errors(json.loads(report([TOP / "tests/corpus/019-one-node-no-spm.yaml"])))])
    oasis = validator(TOP / "tests/sarif-schema-2.1.0.json")
    sarif = json.loads(report(files, "sarif"))
    problems = [f"{e.json_path}: {e.message}" for e in oasis.iter_errors(sarif)]
    if len(sarif["runs"][0]["results"]) != len(text["diagnostics"]):
        problems.append("not as many results as the JSON report has")
    rules = sarif["runs"][0]["tool"]["driver"]["rules"]
    problems += [f"ruleIndex of {r['ruleId']}" for r in sarif["runs"][0]["results"]
                 if rules[r["ruleIndex"]]["id"] != r["ruleId"]]
    tap.result("the SARIF report of the same files is valid by OASIS's schema", problems)


def validator(path):
    schema = json.loads(path.read_text(encoding="utf-8"))
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=jsonschema.FormatChecker())


def main():
    tap = Tap()
    print("TAP version 13")
    schemas = {}
    for name in ("spmtopo", "spmtopo-check"):
        schemas[name] = json.loads((TOP / f"schema/{name}.schema.json").read_text(encoding="utf-8"))
        named = schemas[name]["$schema"] == "http://json-schema.org/draft-07/schema#"
        tap.result(f"schema/{name}.schema.json is draft-07, and its name no address",
                   [] if named and schemas[name]["$id"].startswith("urn:spmtopo:") else [schemas[name]["$id"]])
    walk = check_structure(tap, schemas["spmtopo"])
    if not jsonschema:
        tap.missing("files, values and reports against the schemas", "there is no python3-jsonschema")
        return tap.end()
    problems = []
    for name in schemas:
        try:
            jsonschema.Draft7Validator.check_schema(schemas[name])
        except jsonschema.SchemaError as error:
            problems.append(f"{name}: {error.message}")
    tap.result("the schemas are valid by the schema of schemas", problems)
    if problems:
        return tap.end()
    topology = validator(TOP / "schema/spmtopo.schema.json")
    reports = validator(TOP / "schema/spmtopo-check.schema.json")
    check_files(tap, topology)
    with tempfile.TemporaryDirectory(prefix="spmtopo-schema.") as folder:
        check_values(tap, topology, walk, folder)
        check_report_schema(tap, reports)
        check_reports(tap, reports, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
