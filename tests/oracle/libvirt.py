"""A real libvirt in the tree of VMMs: its schema, its driver inside virsh, the command line it makes of a domain.

No daemon runs.  virsh holds the QEMU driver itself (qemu:///embed), as a user who is not root and
sees no /dev/kvm: with a KVM that opens and does not work libvirt asks QEMU anew what it can do at
every call, for a minute.
"""

import atexit
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as xml

import argv as argv_module
import qtest

SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
QEMU_SPACE = "{http://libvirt.org/schemas/domain/qemu/1.0}"
NOBODY = 65534

# What is changed in a domain so that this machine can hold it. Everything not named here reaches
# libvirt as spmtopo wrote it; the schema judges the file before any change.
CHANGES = {
    "type": "kvm becomes qemu: a host without KVM defines no such domain; the accelerator is changed for QEMU, "
            "too (argv.py)",
    "cpu": "host-passthrough becomes maximum, as in argv.py",
    "files": "kernel, initrd, loader, nvram and emulator that do not exist here are left out",
    "host-nodes": "host nodes become node 0, where this host lacks one of them",
}

# What is left out of libvirt's command line before the oracle runs it; no table depends on them:
# the monitor and serial ports are character devices, disks are on PCI, the flash holds firmware, which does not run,
# the sandbox and the secret guard QEMU itself; thread contexts say which host CPUs allocate memory.
LEFT_OUT = ("-S", "-add-fd", "-sandbox", "-chardev", "-mon", "-blockdev", "-name", "-display",
            "-msg", "-no-shutdown")


class Libvirt:
    """virsh in the tree, in a mount namespace of its own with /proc, /sys and a bare /dev."""

    def __init__(self, tree):
        self.tree = tree
        self.folder = tempfile.mkdtemp(prefix="spmtopo-libvirt-", dir=os.path.join(tree, "tmp"))
        atexit.register(shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o755)
        self.inside = self.folder[len(tree.rstrip("/")):]
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.state)
        os.chown(self.state, NOBODY, NOBODY)

    def path(self, name):
        """A file of the folder that both sides share."""
        return os.path.join(self.folder, name)

    def command(self, *words):
        setup = """
            tree=$1 home=$2; shift 2
            mount -t proc proc "$tree/proc" && mount -t sysfs -o ro sysfs "$tree/sys" &&
                mount -t tmpfs tmpfs "$tree/dev" && mkdir "$tree/dev/pts" "$tree/dev/shm" &&
                mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$tree/dev/pts" &&
                ln -s pts/ptmx "$tree/dev/ptmx" && chmod 1777 "$tree/dev/shm" || exit 125
            for node in null zero full random urandom; do
                : >"$tree/dev/$node" && mount --bind "/dev/$node" "$tree/dev/$node" || exit 125
            done
            exec chroot --userspec=%d:%d "$tree" env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 HOME="$home" "$@"
            """ % (NOBODY, NOBODY)
        return ["unshare", "-m", "sh", "-c", setup, "sh", self.tree, self.inside + "/state"] + list(words)

    def run(self, *words, timeout=300):
        """(status, output and messages)"""
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout)
        if done.returncode == 125:
            raise qtest.OracleError("no namespace for libvirt: " + done.stdout.decode("utf-8", "replace"))
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def virsh_command(self, script):
        return ["virsh", "-q", "-c", "qemu:///embed?root=%s/state/root" % self.inside, script]

    def virsh(self, commands, timeout=300):
        """The output of each command, all run by one virsh."""
        marks = ["@@%d@@" % index for index in range(len(commands))]
        script = " ; ".join("echo %s ; %s" % pair for pair in zip(marks, commands)) + " ; echo @@end@@"
        text = self.run(*self.virsh_command(script), timeout=timeout)[1]
        if "@@end@@" not in text:
            raise qtest.OracleError("virsh stopped: " + text[-2000:])
        outputs = []
        for index, mark in enumerate(marks):
            end = marks[index + 1] if index + 1 < len(marks) else "@@end@@"
            outputs.append(text.split(mark, 1)[1].split(end, 1)[0].strip())
        return outputs

    def invalid(self, names):
        """{name: messages} of the files that the schema refuses."""
        places = ["%s/%s" % (self.inside, name) for name in names]
        status, text = self.run("xmllint", "--noout", "--relaxng", SCHEMA, *places)
        found = {}
        for name, place in zip(names, places):
            if "%s validates" % place not in text:
                found[name] = "\n".join(line for line in text.splitlines() if place in line)[:2000] or text[:2000]
        if status and not found:
            raise qtest.OracleError("xmllint: " + text[-2000:])
        return found


def find_libvirt():
    """The Libvirt of the tree, or an OracleError that says what is missing."""
    tree = os.environ.get("SPMTOPO_VMM_TREE", qtest.DEFAULT_TREE)
    for program in ("usr/bin/virsh", "usr/bin/xmllint", SCHEMA.lstrip("/")):
        if not os.path.exists(os.path.join(tree, program)):
            raise qtest.OracleError("no %s in %s: run tests/oracle/vmm-tree" % (program, tree))
    if os.geteuid() != 0:
        raise qtest.OracleError("the tree at %s needs root to be entered" % tree)
    return Libvirt(tree)


# The domain, changed for this machine

def _leave_out(parent, child, changes):
    parent.remove(child)
    changes.add("files")


def adapt_domain(text, qemu):
    """(XML that this machine can hold, names of the changes)"""
    root = xml.fromstring(text)
    changes = set()
    if root.get("type") == "kvm":
        root.set("type", "qemu")
        changes.add("type")
    cpu = root.find("cpu")
    if cpu is not None and cpu.get("mode") == "host-passthrough":
        cpu.set("mode", "maximum")
        changes.add("cpu")
    system = root.find("os")
    for tag in ("kernel", "loader"):
        child = system.find(tag)
        if child is None or not child.text or qemu.exists(child.text):
            continue
        for name in {"kernel": ("kernel", "initrd", "cmdline"), "loader": ("loader", "nvram")}[tag]:
            for gone in system.findall(name):
                _leave_out(system, gone, changes)
    for child in root.findall("devices/emulator"):
        if not qemu.exists(child.text):
            _leave_out(root.find("devices"), child, changes)
    present = argv_module.host_nodes()
    for item in root.findall("numatune/memnode"):
        if not _nodes(item.get("nodeset")) <= present:
            item.set("nodeset", str(min(present)))
            changes.add("host-nodes")
    for item in root.findall("devices/memory/source/nodemask"):
        if not _nodes(item.text) <= present:
            item.text = str(min(present))
            changes.add("host-nodes")
    xml.register_namespace("qemu", QEMU_SPACE[1:-1])
    return xml.tostring(root, encoding="unicode"), sorted(changes)


def _nodes(text):
    found = set()
    for part in text.split(","):
        low, _, high = part.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return found


# A fragment in a domain of a user's

def _parent(domain, name):
    if name == "domain":
        return domain
    found = domain.find(name)
    return xml.SubElement(domain, name) if found is None else found


def paste(domain_text, fragment):
    """The domain with the fragment's elements where its comments say: what they replace is taken out."""
    domain = xml.fromstring(domain_text)
    parser = xml.XMLParser(target=xml.TreeBuilder(insert_comments=True))
    pieces = xml.fromstring("<fragment>%s</fragment>" % fragment, parser=parser)
    parent = None
    for piece in pieces:
        if piece.tag is xml.Comment:
            place = re.search(r"(?:in|end of) <(\w+)>", piece.text)
            if not place:
                continue
            parent = _parent(domain, place.group(1))
            replaced = re.search(r", for (.*)", piece.text)
            for name in re.findall(r"<(\w+)>", replaced.group(1)) if replaced else []:
                for old in parent.findall(name):
                    parent.remove(old)
        elif piece.tag.startswith(QEMU_SPACE) and domain.find(piece.tag) is not None:
            # a domain has one of each
            domain.find(piece.tag).extend(list(piece))
        elif not (piece.tag == "acpi" and parent.find("acpi") is not None):
            parent.append(piece)
    xml.register_namespace("qemu", QEMU_SPACE[1:-1])
    return xml.tostring(domain, encoding="unicode")


# What libvirt made of it

def lost(ours, theirs, place=""):
    """Lines that name what THEIRS, an element as libvirt prints it, lacks of OURS."""
    place += "/" + ours.tag.replace(QEMU_SPACE, "qemu:")
    problems = []
    for name, value in ours.attrib.items():
        have = theirs.get(name)
        if place == "/domain/os/type" and name == "machine":
            if have == value or value in ("q35", "pc") and have and have.startswith(
                    {"q35": "pc-q35-", "pc": "pc-i440fx-"}[value]):
                continue
        if name == "cpus" and have and _nodes(have) == _nodes(value):
            continue
        if have != value:
            problems.append("%s: %s='%s' became %s" % (place, name, value, have))
    text = (ours.text or "").strip()
    # what is left open, as <loader stateless='no'/>, libvirt may fill in
    if len(ours) == 0 and text and text != (theirs.text or "").strip():
        problems.append("%s: '%s' became '%s'" % (place, text, theirs.text))
    rest = list(theirs)
    for child in ours:
        # an element may be there several times: the first in whose place nothing is lost
        best = None
        for index, other in enumerate(rest):
            if other.tag != child.tag:
                continue
            differs = lost(child, other, place)
            if best is None or len(differs) < len(best[1]):
                best = (index, differs)
            if not differs:
                break
        if best is None:
            problems.append("%s: no %s" % (place, child.tag))
            continue
        problems += best[1]
        del rest[best[0]]
    return problems


def command_line(text):
    """The arguments in what domxml-to-native prints, the program first."""
    words = shlex.split(text)
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    return words


def for_oracle(words):
    """libvirt's command line without what no table depends on."""
    kept = [words[0]]
    for name, value in argv_module._pairs(words[1:]):
        if name in LEFT_OUT:
            continue
        if name in ("-object", "-device") and value.startswith("{"):
            item = json.loads(value)
            if item.get("qom-type") in ("secret", "monitor-qmp", "thread-context") or {"chardev", "drive"} & set(item):
                continue
            if item.pop("prealloc-context", None):
                value = json.dumps(item)
        if name == "-machine":
            value = argv_module.join_keyval(argv_module.drop(argv_module.split_keyval(value), "pflash0", "pflash1",
                                                             "memory-backend"))
        kept += [name] if value is None else [name, value]
    return kept


def devices(words):
    """{driver: [ids]} of a command line."""
    found = {}
    for name, value in argv_module._pairs(words[1:]):
        if name != "-device":
            continue
        if value.startswith("{"):
            item = json.loads(value)
            driver, ident = item.get("driver"), item.get("id")
        else:
            items = argv_module.split_keyval(value)
            driver, ident = items[0][0], argv_module.get(items, "id")
        found.setdefault(driver, []).append(ident)
    return found
