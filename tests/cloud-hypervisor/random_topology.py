# SPDX-License-Identifier: MIT
"""Random topologies that cloud-hypervisor can hold, the same for the same seed."""
import random

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def size_text(value):
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if value % unit == 0:
            return f"{value // unit}{name}"
    return f"{value}B"


class Generator:
    def __init__(self, seed, index):
        self.rng = random.Random(f"cloud-hypervisor/{seed}/{index}")
        self.name = f"random-{seed}-{index}"

    def cpus(self):
        rng = self.rng
        while True:
            parts = {"sockets": rng.choice([1, 1, 2, 2, 3, 4]), "dies": rng.choice([1, 1, 1, 2, 3]),
                     "cores": rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 12]), "threads": rng.choice([1, 1, 2])}
            total = parts["sockets"] * parts["dies"] * parts["cores"] * parts["threads"]
            if total <= 96 or rng.random() < 0.05:
                break
        count = total if rng.random() < 0.7 else rng.randint(1, total)
        cpus = dict(parts, count=count)
        if count != total:
            cpus["max"] = total
        return cpus, total

    def share(self, total, nodes):
        """vCPUs by node; some nodes may have none."""
        rng = self.rng
        owners = rng.sample(range(nodes), rng.randint(1, nodes))
        lists = {node: [] for node in range(nodes)}
        if rng.random() < 0.3:
            for cpu in range(total):
                lists[rng.choice(owners)].append(cpu)
        else:
            cuts = sorted(rng.randint(0, total) for _ in owners[1:])
            for node, first, last in zip(sorted(owners), [0] + cuts, cuts + [total]):
                lists[node] = list(range(first, last))
        return lists

    def ranges(self, cpus):
        parts, first = [], None
        for i, cpu in enumerate(cpus):
            first = cpu if first is None else first
            if i + 1 == len(cpus) or cpus[i + 1] != cpu + 1:
                parts.append(str(cpu) if first == cpu else f"{first}-{cpu}")
                first = None
        self.rng.shuffle(parts)
        return ",".join(parts)

    def backend(self, unit):
        rng = self.rng
        kind = rng.choice(["ram", "ram", "memfd", "memfd", "file"])
        backend = {"kind": kind}
        if kind == "file":
            backend["path"] = rng.choice(["/srv/mem/a", "/srv/mem/a,b", '/srv/q"x[1]', "/srv/with blank"])
        if kind != "ram" and unit % (2 * MIB) == 0:
            pages = [2 * MIB] + [GIB] * (unit % GIB == 0)
            if rng.random() < 0.6:
                backend["hugepages"] = size_text(rng.choice(pages))
            elif kind == "file":
                backend["path"] = f"/dev/hugepages{'1G' * (unit % GIB == 0)}/guest"
        if rng.random() < 0.3 and not (kind == "memfd" and "hugepages" in backend):
            backend["share"] = rng.random() < 0.5
        if rng.random() < 0.2:
            backend["prealloc"] = True
        if rng.random() < 0.2 and not (kind == "file" and backend.get("share")):
            backend["host-nodes"] = str(rng.randint(0, 3))
            backend["policy"] = "bind"
        if rng.random() < 0.1 and not backend.get("share") and kind != "memfd" and "hugepages" not in backend:
            backend["merge"] = backend["reserve"] = True
        return backend

    def region(self, unit, spm):
        rng = self.rng
        count = rng.choice([1, 1, 2, 3, 4, 5, 8, 16, rng.randint(1, 64)])
        if unit < MIB:
            count *= 1024
        region = {"size": size_text(max(count * unit, 2 * MIB if unit >= MIB else unit))}
        if spm:
            region["type"] = "spm"
        if rng.random() < 0.5:
            region["backend"] = self.backend(unit)
        return region

    def version(self, rows):
        text = str(rows)
        return "53.0" if "'reserve'" in text else self.rng.choice(["48.0", "51.1", "53.0"])

    def topology(self):
        rng = self.rng
        nodes = rng.choice([1, 2, 2, 3, 3, 4, 5, 8, 17])
        cpus, total = self.cpus()
        lists = self.share(total, nodes)
        wants_spm = rng.random() < 0.7
        units = [128 * MIB, 256 * MIB, GIB, GIB, 2 * MIB] + ([] if wants_spm else [4 * KIB, MIB])
        if rng.random() < 0.5: # of one kind: no holes
            units = [rng.choice(units)]
        rows = []
        for node in range(nodes):
            row = {"id": node}
            if lists[node]:
                row["cpus"] = self.ranges(lists[node])
            regions = []
            if node == 0 or not lists[node] or rng.random() < 0.8:
                spm = wants_spm and node > 0 and (not lists[node] or rng.random() < 0.2)
                regions = [self.region(rng.choice(units), spm) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
                if wants_spm and rng.random() < 0.1:
                    regions.insert(rng.randint(0, 1), self.region(rng.choice(units), True))
            if node == 0:
                unit = rng.choice(units)
                size = unit * (1024 if unit < MIB else 2)
                if rng.random() < 0.3: # larger pages do not fit in what is left below 3 GiB
                    size = MIB * rng.choice([1536, 2304] + ([] if wants_spm else [3069, 3071]))
                regions.insert(0, {"size": size_text(size)})
            if regions:
                row["memory"] = regions
            rows.append(row)
        rng.shuffle(rows)
        data = {"spmtopo": 1, "name": self.name, "cpus": cpus, "nodes": rows,
                "boot": rng.choice([{"firmware": "none", "kernel": "/srv/vmlinux"},
                                    {"firmware": "none", "kernel": "-vmlinux", "cmdline": "--help x"},
                                    {"firmware": "none", "kernel": "bzImage", "cmdline": "quiet x=\"a b\""},
                                    {"firmware": "none", "kernel": "vmlinux-6.1", "initrd": "/srv/initrd",
                                     "cmdline": "console=hvc0"},
                                    {"firmware": {"type": "ovmf", "code": "/srv/CLOUDHV.fd"}}]),
                "rules": {"mixed-nodes": "allow"},
                "targets": {"cloud-hypervisor": {"version": self.version(rows),
                                                 "spm-interface": "kernel-parameter"}}}
        if nodes > 1 and rng.random() < 0.7:
            distances = {}
            for i in range(nodes):
                for j in range(nodes):
                    if i != j and (i < j or rng.random() < 0.3):
                        distances.setdefault(i, {})[j] = rng.randint(11, 254)
            data["distances"] = distances
        if rng.random() < 0.2:
            data["machine"] = {"phys-bits": rng.choice([46, 48, 52])}
        return data
