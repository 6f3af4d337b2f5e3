# SPDX-License-Identifier: MIT
"""`verify --qmp` against a QEMU that is played here: answers that agree, each with one thing altered, and
servers that do not speak QMP, say too much, or nothing. Prints TAP. The real QEMU is asked by tests/oracle/boot."""

import copy
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

SPMTOPO = os.path.abspath(os.environ.get("SPMTOPO", "spmtopo"))
TOPOLOGY = """spmtopo: 1
name: qmp
machine: {type: q35, accel: tcg, cpu: max}
cpus: {count: 3, max: 4, sockets: 2, cores: 2}
nodes:
  - {id: 0, cpus: 0-1, memory: 2GiB}
  - {id: 1, cpus: 2-3, memory: 1GiB}
  - {id: 2, memory: {size: 256MiB, type: spm}}
"""
GREETING = {"QMP": {"version": {"qemu": {"micro": 2, "minor": 1, "major": 11}}, "capabilities": []}}
GOOD = {
    "qmp_capabilities": {},
    "query-memory-size-summary": {"base-memory": 3 << 30, "plugged-memory": 256 << 20},
    "query-memdev": [{"id": "node0-mem", "size": 2 << 30}, {"id": "node2-mem", "size": 256 << 20},
                     {"id": "node1-mem", "size": 1 << 30}],
    "query-memory-devices": [{"type": "sp-mem", "data": {"memdev": "/objects/node2-mem", "addr": 0x140000000,
                                                         "size": 256 << 20, "node": 2, "id": "node2-mem"}}],
    "query-hotpluggable-cpus": [
        {"props": {"socket-id": s, "core-id": c, "thread-id": 0, "node-id": s}, "vcpus-count": 1,
         **({"qom-path": "/machine/x"} if 2 * s + c < 3 else {})}
        for s in (1, 0) for c in (1, 0)],
}


def altered():
    """(what, answers) of guests that differ in one thing."""
    def change(what, command, edit):
        answers = copy.deepcopy(GOOD)
        edit(answers[command])
        return what, answers
    yield change("boot memory", "query-memory-size-summary", lambda a: a.update({"base-memory": 1 << 30}))
    yield change("memory of devices", "query-memory-size-summary", lambda a: a.update({"plugged-memory": 0}))
    yield change("a backend's size", "query-memdev", lambda a: a[0].update(size=1 << 30))
    yield change("a backend's id", "query-memdev", lambda a: a[0].update(id="ram"))
    yield change("a backend more", "query-memdev", lambda a: a.append({"id": "z", "size": 4096}))
    yield change("a backend less", "query-memdev", lambda a: a.pop())
    for key, value in (("addr", 0x148000000), ("size", 1 << 30), ("node", 1), ("memdev", "/objects/node1-mem")):
        yield change("a device's " + key, "query-memory-devices",
                     lambda a, k=key, v=value: a[0]["data"].update({k: v}))
    yield change("a device's type", "query-memory-devices", lambda a: a[0].update(type="dimm"))
    yield change("no device", "query-memory-devices", lambda a: a.pop())
    yield change("a device more", "query-memory-devices", lambda a: a.append(copy.deepcopy(a[0])))
    yield change("a vCPU's node", "query-hotpluggable-cpus", lambda a: a[0]["props"].update({"node-id": 0}))
    yield change("a vCPU of no node", "query-hotpluggable-cpus", lambda a: a[0]["props"].pop("node-id"))
    yield change("a vCPU's place", "query-hotpluggable-cpus", lambda a: a[0]["props"].update({"core-id": 7}))
    yield change("a vCPU less", "query-hotpluggable-cpus", lambda a: a.pop())
    yield change("a vCPU that is not plugged in", "query-hotpluggable-cpus", lambda a: a[3].pop("qom-path"))
    for command in GOOD:
        if command != "qmp_capabilities":
            answers = copy.deepcopy(GOOD)
            answers[command] = {"nonsense": [1e300, -1, None]}
            yield "nonsense for " + command, answers


def play(answers):
    """A server that answers well, with events between."""
    def serve(connection):
        file = connection.makefile("rw")
        def say(thing):
            file.write(json.dumps(thing) + "\r\n")
            file.flush()
        say(GREETING)
        for line in file:
            command = json.loads(line)["execute"]
            say({"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 0}})
            say({"return": answers[command]})
    return serve


def no_greeting(connection):
    connection.recv(1)


def garbage(connection):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def hangs_up(connection):
    connection.sendall(json.dumps(GREETING).encode())


def breaks_off(connection):
    """Unread bytes make a reset of the end."""
    connection.sendall(json.dumps(GREETING).encode() + b"\n")
    connection.recv(1)


def refuses(connection):
    connection.sendall(json.dumps(GREETING).encode() + b"\n")
    connection.recv(1000)
    connection.sendall(b'{"error": {"class": "GenericError", "desc": "not \\u001b[31mnow"}}\n')
    connection.recv(1000)


def flood(connection):
    line = b'{"event": "X"}\n' * 1000
    for _ in range(100):
        connection.sendall(line)


def endless(connection):
    for _ in range(200):
        connection.sendall(b"[" * 1000000)


def deep(connection):
    connection.sendall(b"[" * 1000000 + b"\n")
    connection.recv(1)


class Test:
    """TAP, and a socket for each run."""

    def __init__(self, folder):
        self.folder = folder
        self.count = self.failed = 0
        self.topology = os.path.join(folder, "t.yaml")
        with open(self.topology, "w", encoding="ascii") as file:
            file.write(TOPOLOGY)

    def run(self, serve, *options):
        path = os.path.join(self.folder, "s%d" % self.count)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)

            def accept():
                try:
                    connection, _ = listener.accept()
                    with connection:
                        serve(connection)
                except (OSError, ValueError):
                    pass
            thread = threading.Thread(target=accept, daemon=True)
            thread.start()
            done = subprocess.run([SPMTOPO, "verify", self.topology, "--qmp", path, "--quiet", *options],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
            thread.join(5)
        return done

    def check_path(self, what, path, says):
        """A socket at which nobody plays."""
        done = subprocess.run([SPMTOPO, "verify", self.topology, "--qmp", path, "--quiet"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
        self.judge(what, done, 2, says)

    def check(self, what, serve, status, says="", options=()):
        self.judge(what, self.run(serve, *options), status, says)

    def judge(self, what, done, status, says):
        said = done.stdout.decode() + done.stderr.decode()
        good = (done.returncode == status and says in said and "\x1b" not in said and
                bool(done.stdout) == (status != 2))
        self.count += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, what))
        if not good:
            print("# status %d, not %d" % (done.returncode, status))
            for line in said.splitlines()[:20]:
                print("# " + line)


def write_seeds(folder):
    """For tests/fuzz: all that a QEMU says in a conversation, a file each."""
    commands = ("qmp_capabilities", "query-memory-size-summary", "query-memdev", "query-memory-devices",
                "query-hotpluggable-cpus")
    for number, (_, answers) in enumerate([("", GOOD), *altered()]):
        lines = [GREETING, *({"return": answers[command]} for command in commands)]
        lines.insert(2, {"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 0}})
        with open(os.path.join(folder, "%02d.json" % number), "w", encoding="ascii") as file:
            file.write("".join(json.dumps(line) + "\r\n" for line in lines))
    with open(os.path.join(folder, "refused.json"), "w", encoding="ascii") as file:
        file.write(json.dumps(GREETING) + '\n{"error": {"class": "GenericError", "desc": "no"}}\n')


def serve_forever(path, topology):
    """For play_qemu of tests/tap.sh: writes the topology, and plays the QEMU that agrees to one client after another."""
    with open(topology, "w", encoding="ascii") as file:
        file.write(TOPOLOGY)
    with socket.socket(socket.AF_UNIX) as listener:
        # It has its name only when it listens: whoever waits for the name connects at once.
        listener.bind(path + ".new")
        listener.listen(8)
        os.rename(path + ".new", path)
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    play(GOOD)(connection)
                except (OSError, ValueError):
                    pass


def main():
    if sys.argv[1:2] == ["seeds"]:
        write_seeds(sys.argv[2])
        return 0
    if sys.argv[1:2] == ["serve"]:
        serve_forever(*sys.argv[2:4])
    print("TAP version 13")
    with tempfile.TemporaryDirectory(prefix="qmp-") as folder:
        test = Test(folder)
        test.check("a QEMU that agrees", play(GOOD), 0, "4 ok, 0 failed")
        for what, answers in altered():
            test.check(what, play(answers), 1, "FAIL")
        answers = copy.deepcopy(GOOD)
        for backend, name in zip(answers["query-memdev"], ("ram-node0", "memdimm0", "ram-node1")):
            backend["id"] = name
        answers["query-memory-devices"][0]["data"].update({"memdev": "/objects/memdimm0", "id": "dimm0"})
        test.check("ids that libvirt gives", play(answers), 0, "4 ok, 0 failed", ("--target", "libvirt"))
        test.check("... are not plain QEMU's", play(answers), 1, "qmp.backends")
        answers["query-memory-devices"][0]["data"]["node"] = 1
        test.check("... and do not hide a difference", play(answers), 1, "qmp.devices", ("--target", "libvirt"))
        test.check("what does not speak QMP", garbage, 2, "does not speak QMP")
        test.check("a server that hangs up", hangs_up, 2, "closed its QMP socket")
        test.check("one that refuses", refuses, 2, "QMP: not ?[31mnow")
        test.check("a flood of events", flood, 2, "QMP")
        test.check("an endless line", endless, 2, "too long")
        test.check("deep nesting", deep, 2, "does not speak QMP")
        test.check_path("a socket that is not there", os.path.join(folder, "none"), "cannot connect to")
        test.check_path("a file that is no socket", test.topology, "cannot connect to")
        test.check_path("a name that is too long", "s" * 200, "is longer than a socket's name")
        test.check("one that breaks off", breaks_off, 2, "QMP: ")
        test.check("one that says nothing", no_greeting, 2, "does not answer")
    print("1..%d" % test.count)
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
