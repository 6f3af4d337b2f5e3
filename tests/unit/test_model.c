/* SPDX-License-Identifier: MIT */
/* Documents to models: every key with its value and place, errors with their fixes, defaults. */
#include "unit.h"

/* --- every key ------------------------------------------------------------------------------- */

static const char everything[] = "spmtopo: 1\n"
                                 "name: every-key.1_x\n"
                                 "description: |\n"
                                 "  two\n"
                                 "  lines\n"
                                 "x-note: {any: [thing]}\n"
                                 "machine:\n"
                                 "  type: pc-q35-10.2\n"
                                 "  accel: tcg\n"
                                 "  cpu: Skylake-Server\n"
                                 "  cpu-vendor: intel\n"
                                 "  phys-bits: 46\n"
                                 "  confidential: sev-snp\n"
                                 "  migratable: yes\n"
                                 "  x-note: ignored\n"
                                 "boot:\n"
                                 "  firmware:\n"
                                 "    type: seabios\n"
                                 "    version: 1.17.0\n"
                                 "    code: /fw/code.fd\n"
                                 "    vars: /fw/vars.fd\n"
                                 "  kernel: /boot/vmlinuz\n"
                                 "  initrd: /boot/initrd\n"
                                 "  cmdline: console=ttyS0 quiet\n"
                                 "cpus:\n"
                                 "  count: 20\n"
                                 "  sockets: 2\n"
                                 "  dies: 3\n"
                                 "  modules: 1\n"
                                 "  cores: 4\n"
                                 "  threads: 5\n"
                                 "  max: 120\n"
                                 "defaults:\n"
                                 "  backend:\n"
                                 "    kind: memfd\n"
                                 "    hugepages: 1GiB\n"
                                 "nodes:\n"
                                 "  - id: 0\n"
                                 "    label: near\n"
                                 "    cpus: 0-3,8\n"
                                 "    memory: 16GiB\n"
                                 "    initiator: 0\n"
                                 "    host-nodes: 1,3-4\n"
                                 "    policy: interleave\n"
                                 "  - id: 1\n"
                                 "    cpus: [4-5, 6, \"7,9-119\"]\n"
                                 "    memory:\n"
                                 "      - size: 8GiB\n"
                                 "        type: normal\n"
                                 "      - size: 2TiB\n"
                                 "        type: spm\n"
                                 "        address: 0x40000000000\n"
                                 "        id: hbm0\n"
                                 "        backend:\n"
                                 "          kind: file\n"
                                 "          path: /dev/dax0.0\n"
                                 "          offset: 0x200000\n"
                                 "          hugepages: true\n"
                                 "          share: on\n"
                                 "          prealloc: TRUE\n"
                                 "          reserve: Off\n"
                                 "          merge: no\n"
                                 "          dump: false\n"
                                 "          align: 4MiB\n"
                                 "          pmem: Yes\n"
                                 "          host-nodes: [2]\n"
                                 "          policy: bind\n"
                                 "  - {id: 2-3, memory: {size: 1GiB, type: reserved}}\n"
                                 "distances:\n"
                                 "  0: {1: 21, 2: 31}\n"
                                 "  1: {0: 22}\n"
                                 "hmat:\n"
                                 "  performance:\n"
                                 "    - from: 0\n"
                                 "      to: 1\n"
                                 "      latency: 100ns\n"
                                 "      bandwidth: 200GiB/s\n"
                                 "    - from: 1\n"
                                 "      to: 2\n"
                                 "      read-latency: 0.5us\n"
                                 "      write-latency: 800ps\n"
                                 "      read-bandwidth: 1TiB/s\n"
                                 "      write-bandwidth: 5MiB/s\n"
                                 "  caches:\n"
                                 "    - node: 3\n"
                                 "      level: 2\n"
                                 "      size: 512MiB\n"
                                 "      line: 64\n"
                                 "      associativity: complex\n"
                                 "      write-policy: write-through\n"
                                 "device-memory:\n"
                                 "  max-memory: 3TiB\n"
                                 "  slots: 12\n"
                                 "rules:\n"
                                 "  disable: [mixed-node, SPM407]\n"
                                 "  error: hmat-missing\n"
                                 "  warning: [SPM308]\n"
                                 "  mixed-nodes: deny\n"
                                 "targets:\n"
                                 "  qemu:\n"
                                 "    version: 11.0\n"
                                 "    spm-interface: memmap-type\n"
                                 "    binary: /opt/qemu\n"
                                 "  libvirt:\n"
                                 "    uuid: 6ba7b810-9dad-11d1-80b4-00c04fd430c8\n"
                                 "    version: 12.7\n"
                                 "    emulator: /opt/emulator\n"
                                 "  cloud-hypervisor:\n"
                                 "    version: v50\n"
                                 "    spm-interface: kernel-parameter\n";

/* The place of `value` in a line that is `before` and it: found by text, not by counting. */
static void check_place(struct span at, const char *before, const char *value, int line)
{
    struct strbuf b = {.data = NULL};
    strbuf_addf(&b, "%s%s", before, value);
    const char *p = strstr(everything, b.data);
    if (!p || strstr(p + 1, b.data))
        fail_msg("line %d: '%s' is not in the text once", line, b.data);
    p += strlen(before);
    /* The text is ASCII: its code points are its bytes. */
    uint32_t start = (uint32_t)(p - everything) + 1;
    if (at.start != start || at.end != start + strlen(value))
        fail_msg("line %d: '%s' is at %u-%u, not %u", line, b.data, at.start, at.end, start);
    strbuf_free(&b);
}

/* A field's value, and that its place is that of `written` behind `before`. */
#define NUMBER(field, want, before, written)                                                       \
    do {                                                                                           \
        assert_int_equal((field).value, (want));                                                   \
        check_place((field).at, (before), (written), __LINE__);                                    \
    } while (0)
#define CHOICE NUMBER
#define TEXT(field, want, before, written)                                                         \
    do {                                                                                           \
        assert_string_equal((field).value, (want));                                                \
        check_place((field).at, (before), (written), __LINE__);                                    \
    } while (0)

static void load_everything(struct unit *u)
{
    unit_load(u, everything);
    assert_no_findings(&u->diags);
    assert_true(u->loaded);
}

static void machine_and_boot(void **state)
{
    (void)state;
    struct unit u;
    load_everything(&u);
    const struct vm *vm = &u.vm;
    TEXT(vm->name, "every-key.1_x", "name: ", "every-key.1_x");
    assert_string_equal(vm->description.value, "two\nlines\n");
    assert_int_equal(unit_line(&u.source, vm->description.at), 3);
    TEXT(vm->machine.type, "pc-q35-10.2", "type: ", "pc-q35-10.2");
    CHOICE(vm->machine.accel, ACCEL_TCG, "accel: ", "tcg");
    TEXT(vm->machine.cpu, "Skylake-Server", "cpu: ", "Skylake-Server");
    CHOICE(vm->machine.cpu_vendor, VENDOR_INTEL, "cpu-vendor: ", "intel");
    NUMBER(vm->machine.phys_bits, 46, "phys-bits: ", "46");
    CHOICE(vm->machine.confidential, CONFIDENTIAL_SEV_SNP, "confidential: ", "sev-snp");
    CHOICE(vm->machine.migratable, true, "migratable: ", "yes");
    CHOICE(vm->boot.firmware, FIRMWARE_SEABIOS, "type: ", "seabios");
    TEXT(vm->boot.version, "1.17.0", "version: ", "1.17.0");
    TEXT(vm->boot.code, "/fw/code.fd", "code: ", "/fw/code.fd");
    TEXT(vm->boot.vars, "/fw/vars.fd", "vars: ", "/fw/vars.fd");
    TEXT(vm->boot.kernel, "/boot/vmlinuz", "kernel: ", "/boot/vmlinuz");
    TEXT(vm->boot.initrd, "/boot/initrd", "initrd: ", "/boot/initrd");
    TEXT(vm->boot.cmdline, "console=ttyS0 quiet", "cmdline: ", "console=ttyS0 quiet");
    NUMBER(vm->cpus.count, 20, "count: ", "20");
    NUMBER(vm->cpus.sockets, 2, "sockets: ", "2");
    NUMBER(vm->cpus.dies, 3, "dies: ", "3");
    NUMBER(vm->cpus.modules, 1, "modules: ", "1");
    NUMBER(vm->cpus.cores, 4, "cores: ", "4");
    NUMBER(vm->cpus.threads, 5, "threads: ", "5");
    NUMBER(vm->cpus.max, 120, "max: ", "120");
    assert_true(given(vm->cpus.at));
    unit_free(&u);
}

static void assert_ids(const struct id_list *list, const struct id_range *want, size_t count)
{
    assert_int_equal(list->count, count);
    assert_true(given(list->at));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(list->ranges[i].first, want[i].first);
        assert_int_equal(list->ranges[i].last, want[i].last);
    }
}

#define IDS(list, ...)                                                                             \
    assert_ids(&(list), (const struct id_range[]){__VA_ARGS__},                                    \
               ARRAY_SIZE(((const struct id_range[]){__VA_ARGS__})))

static void nodes_and_regions(void **state)
{
    (void)state;
    struct unit u;
    load_everything(&u);
    const struct vm *vm = &u.vm;
    assert_int_equal(vm->node_count, 4);
    assert_int_equal(vm->region_count, 5);
    assert_true(given(vm->nodes_at));
    const struct node *n = &vm->nodes[0];
    assert_int_equal(n->id, 0);
    check_place(n->at, "- id: ", "0", __LINE__);
    TEXT(n->label, "near", "label: ", "near");
    IDS(n->cpus, {0, 3}, {8, 8});
    check_place(n->cpus.at, "cpus: ", "0-3,8", __LINE__);
    assert_int_equal(id_list_size(&n->cpus), 5);
    assert_int_equal(n->region_count, 1);
    NUMBER(n->regions[0].size, 16 * GIB, "memory: ", "16GiB");
    assert_int_equal(n->regions[0].type.value, MEMORY_NORMAL);
    assert_false(given(n->regions[0].type.at));
    assert_int_equal(n->regions[0].node, 0);
    NUMBER(n->initiator, 0, "initiator: ", "0");
    IDS(n->host_nodes, {1, 1}, {3, 4});
    CHOICE(n->policy, POLICY_INTERLEAVE, "policy: ", "interleave");
    n = &vm->nodes[1];
    assert_int_equal(n->id, 1);
    IDS(n->cpus, {4, 5}, {6, 6}, {7, 7}, {9, 119});
    assert_int_equal(n->region_count, 2);
    NUMBER(n->regions[0].size, 8 * GIB, "size: ", "8GiB");
    CHOICE(n->regions[0].type, MEMORY_NORMAL, "type: ", "normal");
    assert_int_equal(unit_line(&u.source, n->regions[0].address.at), 0);
    assert_null(n->regions[0].id.value);
    const struct region *r = &n->regions[1];
    NUMBER(r->size, 2 * TIB, "size: ", "2TiB");
    CHOICE(r->type, MEMORY_SPM, "type: ", "spm");
    NUMBER(r->address, UINT64_C(0x40000000000), "address: ", "0x40000000000");
    TEXT(r->id, "hbm0", "id: ", "hbm0");
    assert_int_equal(r->node, 1);
    const struct backend *b = &r->backend;
    CHOICE(b->kind, BACKEND_FILE, "kind: ", "file");
    TEXT(b->path, "/dev/dax0.0", "path: ", "/dev/dax0.0");
    NUMBER(b->offset, 0x200000, "offset: ", "0x200000");
    NUMBER(b->hugepages, 2 * MIB, "hugepages: ", "true");
    CHOICE(b->share, true, "share: ", "on");
    CHOICE(b->prealloc, true, "prealloc: ", "TRUE");
    CHOICE(b->reserve, false, "reserve: ", "Off");
    CHOICE(b->merge, false, "merge: ", "no");
    CHOICE(b->dump, false, "dump: ", "false");
    NUMBER(b->align, 4 * MIB, "align: ", "4MiB");
    CHOICE(b->pmem, true, "pmem: ", "Yes");
    IDS(b->host_nodes, {2, 2});
    CHOICE(b->policy, POLICY_BIND, "policy: ", "bind");
    CHOICE(vm->default_backend.kind, BACKEND_MEMFD, "kind: ", "memfd");
    NUMBER(vm->default_backend.hugepages, GIB, "hugepages: ", "1GiB");
    /* one item for two nodes */
    for (uint32_t i = 2; i < 4; i++) {
        assert_int_equal(vm->nodes[i].id, i);
        check_place(vm->nodes[i].at, "id: ", "2-3", __LINE__);
        assert_int_equal(vm->nodes[i].region_count, 1);
        assert_int_equal(vm->nodes[i].regions[0].node, i);
        assert_int_equal(vm->nodes[i].regions[0].type.value, MEMORY_RESERVED);
    }
    assert_ptr_not_equal(vm->nodes[2].regions, vm->nodes[3].regions);
    assert_int_equal(vm_memory(vm, MEMORY_NORMAL), 24 * GIB);
    assert_int_equal(vm_memory(vm, MEMORY_SPM), 2 * TIB);
    assert_int_equal(vm_memory(vm, MEMORY_RESERVED), 2 * GIB);
    unit_free(&u);
}

static void tables_and_targets(void **state)
{
    (void)state;
    struct unit u;
    load_everything(&u);
    const struct vm *vm = &u.vm;
    assert_true(given(vm->distances.at));
    assert_int_equal(vm->distances.values[1], 21);
    check_place(vm->distances.spans[1], "0: {1: ", "21", __LINE__);
    assert_int_equal(vm->distances.values[2], 31);
    assert_int_equal(vm->distances.values[4], 22);
    check_place(vm->distances.spans[4], "1: {0: ", "22", __LINE__);
    assert_int_equal(vm->distances.values[3], 0);
    assert_true(given(vm->hmat_at));
    assert_int_equal(vm->pair_count, 2);
    const struct hmat_pair *p = &vm->pairs[0];
    NUMBER(p->from, 0, "- from: ", "0");
    assert_int_equal(p->to.value, 1);
    NUMBER(p->values[HMAT_ACCESS_LATENCY], 100000, " latency: ", "100ns");
    NUMBER(p->values[HMAT_ACCESS_BANDWIDTH], 200 * GIB, " bandwidth: ", "200GiB/s");
    assert_false(given(p->values[HMAT_READ_LATENCY].at));
    p = &vm->pairs[1];
    NUMBER(p->to, 2, "to: ", "2");
    NUMBER(p->values[HMAT_READ_LATENCY], 500000, "read-latency: ", "0.5us");
    NUMBER(p->values[HMAT_WRITE_LATENCY], 800, "write-latency: ", "800ps");
    NUMBER(p->values[HMAT_READ_BANDWIDTH], TIB, "read-bandwidth: ", "1TiB/s");
    NUMBER(p->values[HMAT_WRITE_BANDWIDTH], 5 * MIB, "write-bandwidth: ", "5MiB/s");
    assert_int_equal(vm->cache_count, 1);
    const struct hmat_cache *c = &vm->caches[0];
    NUMBER(c->node, 3, "node: ", "3");
    NUMBER(c->level, 2, "level: ", "2");
    NUMBER(c->size, 512 * MIB, "size: ", "512MiB");
    NUMBER(c->line, 64, "line: ", "64");
    CHOICE(c->associativity, ASSOCIATIVITY_COMPLEX, "associativity: ", "complex");
    CHOICE(c->policy, CACHE_WRITE_THROUGH, "write-policy: ", "write-through");
    NUMBER(vm->max_memory, 3 * TIB, "max-memory: ", "3TiB");
    NUMBER(vm->slots, 12, "slots: ", "12");
    static const struct {
        enum rule_action action;
        const char *rule;
    } settings[] = {{ACTION_DISABLE, "mixed-node"},
                    {ACTION_DISABLE, "SPM407"},
                    {ACTION_ERROR, "hmat-missing"},
                    {ACTION_WARNING, "SPM308"}};
    assert_int_equal(vm->setting_count, ARRAY_SIZE(settings));
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        assert_int_equal(vm->settings[i].action, settings[i].action);
        assert_string_equal(vm->settings[i].rule.value, settings[i].rule);
        assert_true(given(vm->settings[i].rule.at));
    }
    CHOICE(vm->mixed, MIXED_DENY, "mixed-nodes: ", "deny");
    TEXT(vm->qemu_version, "11.0", "version: ", "11.0");
    CHOICE(vm->qemu_spm, SPM_MEMMAP_TYPE, "spm-interface: ", "memmap-type");
    TEXT(vm->qemu_binary, "/opt/qemu", "binary: ", "/opt/qemu");
    TEXT(vm->libvirt_uuid, "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
         "uuid: ", "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    TEXT(vm->libvirt_version, "12.7", "version: ", "12.7");
    TEXT(vm->libvirt_emulator, "/opt/emulator", "emulator: ", "/opt/emulator");
    TEXT(vm->cloudhv_version, "v50", "version: ", "v50");
    CHOICE(vm->cloudhv_spm, SPM_KERNEL_PARAMETER, "spm-interface: ", "kernel-parameter");
    unit_free(&u);
}

#define SMALL "spmtopo: 1\nname: x\ncpus: 1\n"
#define NODES "nodes: [{id: 0, cpus: 0, memory: 1GiB}]\n"

static void short_forms(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, "spmtopo: 1\nname: x\ncpus: 8\nmachine: pc\nboot: {firmware: qboot}\n"
                  "nodes: [{id: [0], memory: [1GiB, {size: 2GiB}]}]\ndistances: [[10]]\n"
                  "device-memory: {max-memory: auto, slots: auto}\n"
                  "defaults: {backend: {hugepages: off}}\n");
    assert_no_findings(&u.diags);
    assert_string_equal(u.vm.machine.type.value, "pc");
    assert_int_equal(unit_line(&u.source, u.vm.machine.type.at), 4);
    assert_int_equal(u.vm.boot.firmware.value, FIRMWARE_QBOOT);
    assert_int_equal(u.vm.cpus.count.value, 8);
    assert_int_equal(u.vm.nodes[0].region_count, 2);
    assert_int_equal(u.vm.nodes[0].regions[0].size.value, GIB);
    assert_int_equal(u.vm.nodes[0].regions[1].size.value, 2 * GIB);
    assert_false(given(u.vm.max_memory.at));
    assert_false(given(u.vm.slots.at));
    assert_int_equal(u.vm.default_backend.hugepages.value, 0);
    assert_true(given(u.vm.default_backend.hugepages.at));
    unit_free(&u);
}

static void defaults_of_the_language(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, SMALL NODES);
    assert_no_findings(&u.diags);
    model_complete(&u.vm, &u.arena);
    const struct vm *vm = &u.vm;
    assert_string_equal(vm->machine.type.value, "q35");
    assert_int_equal(vm->machine.accel.value, ACCEL_KVM);
    assert_string_equal(vm->machine.cpu.value, "host");
    assert_int_equal(vm->machine.cpu_vendor.value, VENDOR_UNSTATED);
    assert_int_equal(vm->boot.firmware.value, FIRMWARE_OVMF);
    assert_int_equal(vm->mixed.value, MIXED_WARN);
    assert_string_equal(vm->qemu_version.value, "11.1");
    assert_string_equal(vm->qemu_binary.value, "qemu-system-x86_64");
    assert_int_equal(vm->qemu_spm.value, SPM_AUTO);
    assert_string_equal(vm->libvirt_version.value, "12.8");
    assert_int_equal(vm->cloudhv_spm.value, SPM_NONE);
    assert_false(given(vm->distances.at));
    assert_null(vm->distances.values);
    assert_false(given(vm->hmat_at));
    assert_int_equal(vm->nodes[0].initiator.value, 0);
    assert_string_equal(vm->nodes[0].regions[0].id.value, "node0-mem");
    unit_free(&u);
    unit_load(&u, SMALL NODES "machine: {accel: tcg}\n");
    model_complete(&u.vm, &u.arena);
    assert_string_equal(u.vm.machine.cpu.value, "max");
    unit_free(&u);
}

/* --- what is refused ------------------------------------------------------------------------- */

static void unknown_keys_name_the_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *typed, *help;
    } cases[] = {
        {SMALL NODES "machin: q35\n", 5, 1, "'machin'", "did you mean 'machine'?"},
        {SMALL NODES "device_memory: {}\n", 5, 1, "'device_memory'", "'device-memory'"},
        {SMALL NODES "Hmat: {}\n", 5, 1, "'Hmat'", "'hmat'"},
        {SMALL NODES "machine: {acel: tcg}\n", 5, 11, "'acel'", "'accel'"},
        {SMALL NODES "boot: {kernal: x}\n", 5, 8, "'kernal'", "'kernel'"},
        {SMALL NODES "boot: {firmware: {type: ovmf, vresion: x}}\n", 5, 31, "'vresion'",
         "'version'"},
        {SMALL "nodes: [{id: 0, cpu: 0, memory: 1GiB}]\n", 4, 17, "'cpu'", "'cpus'"},
        {SMALL "nodes: [{id: 0, memory: {siz: 1GiB, size: 1GiB}}]\n", 4, 26, "'siz'", "'size'"},
        {SMALL "nodes: [{id: 0, memory: {size: 1GiB, backend: {hugepage: true}}}]\n", 4, 48,
         "'hugepage'", "'hugepages'"},
        {SMALL NODES "hmat: {cache: []}\n", 5, 8, "'cache'", "'caches'"},
        {SMALL NODES "device-memory: {slot: 1}\n", 5, 17, "'slot'", "'slots'"},
        {SMALL NODES "rules: {mixed-node: deny}\n", 5, 9, "'mixed-node'", "'mixed-nodes'"},
        {SMALL NODES "targets: {qemo: {}}\n", 5, 11, "'qemo'", "'qemu'"},
        {SMALL NODES "targets: {libvirt: {uid: x}}\n", 5, 21, "'uid'", "'uuid'"},
        {SMALL "nodes: [{id: 0, memory: {size:1GiB, type: spm}}]\n", 4, 26, "'size:1GiB'",
         "write a blank behind the colon: 'size: 1GiB'"},
        {SMALL NODES "targets:qemu: {}\n", 5, 1, "'targets:qemu'", "'targets: qemu'"},
        {SMALL NODES "target:qemu: {}\n", 5, 1, "'target:qemu'", "the keys are spmtopo, name"},
        {SMALL NODES "zzzzzzzz: 1\n", 5, 1, "'zzzzzzzz'", "the keys are spmtopo, name"},
        {SMALL NODES "x: 1\n", 5, 1, "'x'", ""},
        {SMALL NODES "X-note: 1\n", 5, 1, "'X-note'", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct unit u;
        unit_load(&u, cases[i].text);
        assert_false(u.loaded);
        const struct diag *d = assert_finding(&u.diags, RULE_UNKNOWN_KEY);
        assert_int_equal(u.diags.count, 1);
        assert_contains(d->message, cases[i].typed);
        assert_contains(d->help, cases[i].help);
        assert_int_equal(unit_line(&u.source, d->at), cases[i].line);
        assert_int_equal(unit_column(&u.source, d->at), cases[i].column);
        unit_free(&u);
    }
}

static void refused_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rule_id rule;
        const char *message, *help;
    } cases[] = {
        {SMALL NODES "machine: {accel: kvn}\n", RULE_BAD_VALUE, "'kvn'", "did you mean 'kvm'?"},
        {SMALL NODES "machine: {cpu-vendor: via}\n", RULE_BAD_VALUE, "'via'", "amd or intel"},
        {SMALL NODES "machine: {phys-bits: 53}\n", RULE_BAD_VALUE, "out of range", "from 32 to 52"},
        {SMALL NODES "machine: {phys-bits: 31}\n", RULE_BAD_VALUE, "out of range", "from 32 to 52"},
        {SMALL NODES "machine: {migratable: maybe}\n", RULE_BAD_VALUE, "'maybe'", "true or false"},
        {SMALL NODES "machine: [q35]\n", RULE_WRONG_KIND, "a sequence", NULL},
        {SMALL NODES "machine:\n", RULE_WRONG_KIND, "nothing", NULL},
        {SMALL NODES "machine: {cpu: \"a\\nb\"}\n", RULE_BAD_VALUE, "control character", ""},
        {SMALL NODES "machine: {cpu: ''}\n", RULE_BAD_VALUE, "is empty", NULL},
        {SMALL NODES "boot: {firmware: {version: x}}\n", RULE_MISSING_KEY, "'type'", "type"},
        {SMALL "nodes: [{id: 0, memory: 1GB}]\n", RULE_BAD_VALUE, "'GB'", "write 1GiB"},
        {SMALL "nodes: [{id: 0, memory: 1024}]\n", RULE_BAD_VALUE, "needs a unit", "1024MiB"},
        {SMALL "nodes: [{id: 0, memory: 0GiB}]\n", RULE_BAD_VALUE, "is 0", "above 0"},
        {SMALL "nodes: [{id: 0, memory: {type: spm}}]\n", RULE_MISSING_KEY, "'size'", "size"},
        {SMALL "nodes: [{id: 0, memory: {size: 1GiB, type: smp}}]\n", RULE_BAD_VALUE, "'smp'",
         "did you mean 'spm'?"},
        {SMALL "nodes: [{id: 0, cpus: 3-1}]\n", RULE_BAD_VALUE, "backwards", "write 1-3"},
        {SMALL "nodes: [{id: 0, cpus: []}]\n", RULE_BAD_VALUE, "list is empty", ""},
        {SMALL "nodes: [{id: 0, cpus: }]\n", RULE_WRONG_KIND, "nothing", NULL},
        {SMALL "nodes: {id: 0}\n", RULE_WRONG_KIND, "a mapping", "'- '"},
        {SMALL "nodes: []\n", RULE_BAD_VALUE, "no node", ""},
        {SMALL "nodes: [{id: 0}, {id: 0}]\n", RULE_NODE_TWICE, "node 0", "0 to 1"},
        {SMALL "nodes: [{id: 0}, {id: 2}]\n", RULE_NODE_GAP, "no node 1", "0 to 1"},
        {SMALL "nodes: [{id: 0-1, cpus: 0}]\n", RULE_NODE_LIST_CPUS, "list of nodes", ""},
        {SMALL "nodes: [{id: 0-1024}]\n", RULE_LIMIT, "more than 1024 nodes", ""},
        {SMALL "nodes: [{id: 0-4294967295}]\n", RULE_LIMIT, "more than 1024 nodes", ""},
        {SMALL "nodes: [{id: 0-1023, memory: [1M, 1M, 1M, 1M, 1M]}]\n", RULE_LIMIT,
         "more than 4096 regions", NULL},
        {"spmtopo: 1\nname: x\ncpus: 8193\n" NODES, RULE_BAD_VALUE, "8193", "from 1 to 8192"},
        {"spmtopo: 1\nname: x\ncpus: 0\n" NODES, RULE_BAD_VALUE, "out of range", ""},
        {"spmtopo: 1\nname: x\ncpus: 01\n" NODES, RULE_BAD_VALUE, "leading zero", ""},
        {"spmtopo: 2\nname: x\ncpus: 1\n" NODES, RULE_LANGUAGE_VERSION, "version", "spmtopo: 1"},
        {"name: x\ncpus: 1\n" NODES, RULE_MISSING_KEY, "'spmtopo'", "spmtopo"},
        {"spmtopo: 1\ncpus: 1\n" NODES, RULE_MISSING_KEY, "'name'", "name"},
        {"spmtopo: 1\nname: x\n" NODES, RULE_MISSING_KEY, "'cpus'", "cpus"},
        {SMALL, RULE_MISSING_KEY, "'nodes'", "nodes"},
        {"spmtopo: 1\nname: -x\ncpus: 1\n" NODES, RULE_BAD_VALUE, "'-x'", "1 to 63"},
        {"spmtopo: 1\nname: a b\ncpus: 1\n" NODES, RULE_BAD_VALUE, "'a b'", "1 to 63"},
        {"spmtopo: 1\nname: é\ncpus: 1\n" NODES, RULE_BAD_VALUE, "'é'", "1 to 63"},
        {SMALL NODES "hmat: {performance: [{from: 0, to: 0, latency: 100}]}\n", RULE_BAD_VALUE,
         "needs a unit", "100ns"},
        {SMALL NODES "hmat: {performance: [{from: 0}]}\n", RULE_MISSING_KEY, "'to'", "to"},
        {SMALL NODES "hmat: {caches: [{node: 0, level: 4, size: 1M, line: 0, associativity: none, "
                     "write-policy: none}]}\n",
         RULE_BAD_VALUE, "'level' of 4", "from 1 to 3"},
        {SMALL NODES "rules: {disable: mixed-nod}\n", RULE_BAD_VALUE, "no rule 'mixed-nod'",
         "did you mean 'mixed-node'?"},
        {SMALL NODES "targets: {qemu: {spm-interface: none}}\n", RULE_BAD_VALUE, "'none'",
         "sp-mem"},
        {SMALL NODES "targets: {cloud-hypervisor: {spm-interface: auto}}\n", RULE_BAD_VALUE,
         "'auto'", "kernel-parameter or none"},
        {SMALL NODES "device-memory: {slots: 4294967296}\n", RULE_BAD_VALUE, "'slots'", ""},
        {"[1]\n", RULE_WRONG_KIND, "a sequence", NULL},
        {"x\n", RULE_WRONG_KIND, "a scalar", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct unit u;
        unit_load(&u, cases[i].text);
        if (u.loaded)
            fail_msg("accepted: %s", cases[i].text);
        const struct diag *d = assert_finding(&u.diags, cases[i].rule);
        assert_contains(d->message, cases[i].message);
        if (cases[i].help)
            assert_contains(d->help, cases[i].help);
        assert_true(given(d->at));
        unit_free(&u);
    }
}

static void name_lengths(void **state)
{
    (void)state;
    for (int len = 62; len <= 65; len++) {
        struct unit u;
        struct strbuf b = {.data = NULL};
        strbuf_addf(&b, "spmtopo: 1\nname: a%0*d\ncpus: 1\n" NODES, len - 1, 7);
        unit_load(&u, b.data);
        assert_int_equal(u.loaded, len <= 63);
        unit_free(&u);
        strbuf_free(&b);
    }
}

static void limits_are_reached(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, "spmtopo: 1\nname: x\ncpus: 8192\n"
                  "nodes: [{id: 0, cpus: 0-8191}, {id: 1-1023, memory: [1M, 1M, 1M, 1M]}]\n");
    assert_no_findings(&u.diags);
    assert_int_equal(u.vm.node_count, NODE_LIMIT);
    assert_int_equal(u.vm.region_count, 4 * (NODE_LIMIT - 1));
    unit_free(&u);
}

static void several_errors_in_one_run(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, "spmtopo: 1\n"                           /* 1 */
                  "name: a b\n"                            /* 2 */
                  "cpus: many\n"                           /* 3 */
                  "machine: {accel: kvmm, phys-bits: x}\n" /* 4 */
                  "nodez: []\n"                            /* 5 */
                  "nodes:\n"                               /* 6 */
                  "  - {id: 0, memory: 1GB, cpus: 0-}\n"   /* 7 */
                  "  - {id: 1, memry: 1GiB}\n"             /* 8 */
                  "rules: {mixed-nodes: no}\n");           /* 9 */
    assert_false(u.loaded);
    diag_sort(&u.diags);
    static const uint32_t lines[] = {2, 3, 4, 4, 5, 7, 7, 8, 9};
    if (u.diags.count != ARRAY_SIZE(lines))
        unit_print_findings(&u.diags);
    assert_int_equal(u.diags.count, ARRAY_SIZE(lines));
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_int_equal(unit_line(&u.source, u.diags.items[i]->at), lines[i]);
    unit_free(&u);
}

static void duplicate_keys_keep_the_first(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, SMALL NODES "name: other\n");
    const struct diag *d = assert_finding(&u.diags, RULE_DUPLICATE_KEY);
    assert_int_equal(unit_line(&u.source, d->at), 5);
    assert_int_equal(unit_line(&u.source, d->notes->at), 2);
    assert_string_equal(u.vm.name.value, "x");
    assert_true(diag_count(&u.diags, SEVERITY_ERROR) == 1);
    unit_free(&u);
    struct compilation c;
    unit_compile(&c, SMALL NODES "name: other\n");
    assert_false(c.ok);
    compile_free(&c);
}

static void nodes_are_sorted(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, SMALL "nodes: [{id: 3}, {id: \"1,4-5\"}, {id: 0, label: zero}, {id: [2]}]\n");
    assert_no_findings(&u.diags);
    assert_int_equal(u.vm.node_count, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(u.vm.nodes[i].id, i);
    assert_string_equal(u.vm.nodes[0].label.value, "zero");
    unit_free(&u);
}

/* --- distances ------------------------------------------------------------------------------- */

static void distance_rows(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, SMALL
              "nodes: [{id: 0-2}]\ndistances: [[10, 21, 255], [22, 10, 254], [11, 33, 10]]\n");
    assert_no_findings(&u.diags);
    model_complete(&u.vm, &u.arena);
    static const uint8_t want[] = {10, 21, 255, 22, 10, 254, 11, 33, 10};
    assert_memory_equal(u.vm.distances.values, want, sizeof(want));
    assert_int_equal(vm_distance(&u.vm, 1, 2), 254);
    unit_free(&u);
}

static void distance_mapping(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, SMALL "distances: {0: {1: 21, 2: 31}, 1: {2: 17, 0: 99}, x-y: 1}\n"
                        "nodes: [{id: 0-3}]\n");
    assert_no_findings(&u.diags);
    /* before completion only what was written, and the language's defaults by vm_distance() */
    assert_int_equal(u.vm.distances.values[2 * 4 + 0], 0);
    assert_int_equal(vm_distance(&u.vm, 3, 3), 10);
    assert_int_equal(vm_distance(&u.vm, 3, 0), 20);
    model_complete(&u.vm, &u.arena);
    static const uint8_t want[] = {10, 21, 31, 20, 99, 10, 17, 20, 31, 17, 10, 20, 20, 20, 20, 10};
    assert_memory_equal(u.vm.distances.values, want, sizeof(want));
    unit_free(&u);
}

static void refused_distances(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rule_id rule;
        const char *message;
    } cases[] = {
        {"[[10, 21]]", RULE_DISTANCE_SHAPE, "1 rows of distances for 2 nodes"},
        {"[[10, 21], [21, 10], [1, 2]]", RULE_DISTANCE_SHAPE, "3 rows"},
        {"[[10, 21], [21]]", RULE_DISTANCE_SHAPE, "1 distances from node 1"},
        {"[[10, 9], [21, 10]]", RULE_DISTANCE_VALUE, "9 is not a distance"},
        {"[[10, 256], [21, 10]]", RULE_DISTANCE_VALUE, "256"},
        {"[[10, 266], [21, 10]]", RULE_DISTANCE_VALUE, "266"},
        {"[[10, 10], [21, 10]]", RULE_DISTANCE_VALUE, "10 is not a distance from node 0 to node 1"},
        {"[[11, 21], [21, 10]]", RULE_DISTANCE_VALUE, "11"},
        {"[[10, x], [21, 10]]", RULE_BAD_VALUE, "'x'"},
        {"[10, 21]", RULE_WRONG_KIND, "a row of distances"},
        {"{0: {2: 21}}", RULE_NODE_UNKNOWN, "no node 2"},
        {"{2: {0: 21}}", RULE_NODE_UNKNOWN, "no node 2"},
        {"{0: 21}", RULE_WRONG_KIND, "a mapping"},
        {"{a: {0: 21}}", RULE_BAD_VALUE, "'a'"},
        {"20", RULE_WRONG_KIND, "rows or a mapping"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct unit u;
        struct strbuf b = {.data = NULL};
        strbuf_addf(&b, "%snodes: [{id: 0-1}]\ndistances: %s\n", SMALL, cases[i].text);
        unit_load(&u, b.data);
        if (u.loaded)
            fail_msg("accepted: %s", cases[i].text);
        assert_contains(assert_finding(&u.diags, cases[i].rule)->message, cases[i].message);
        unit_free(&u);
        strbuf_free(&b);
    }
}

/* --- completion ------------------------------------------------------------------------------ */

/* qemu-x86.md 3.1, machines from 6.2 on. 0: not given. */
static void cpu_topology_defaults(void **state)
{
    (void)state;
    static const struct {
        unsigned count, sockets, dies, modules, cores, threads, max; /* given */
        unsigned want[7];                                            /* the same, completed */
    } cases[] = {
        {8, 0, 0, 0, 0, 0, 0, {8, 1, 1, 1, 8, 1, 8}},
        {8, 2, 0, 0, 0, 0, 0, {8, 2, 1, 1, 4, 1, 8}},
        {8, 0, 0, 0, 2, 0, 0, {8, 4, 1, 1, 2, 1, 8}},
        {8, 0, 0, 0, 0, 2, 0, {8, 1, 1, 1, 4, 2, 8}},
        {8, 2, 0, 0, 2, 0, 0, {8, 2, 1, 1, 2, 2, 8}},
        {8, 2, 0, 0, 0, 2, 0, {8, 2, 1, 1, 2, 2, 8}},
        {8, 0, 0, 0, 2, 2, 0, {8, 2, 1, 1, 2, 2, 8}},
        {8, 2, 0, 0, 2, 2, 0, {8, 2, 1, 1, 2, 2, 8}},
        {4, 0, 0, 0, 0, 0, 16, {4, 1, 1, 1, 16, 1, 16}},
        {4, 2, 0, 0, 0, 0, 16, {4, 2, 1, 1, 8, 1, 16}},
        {4, 0, 2, 0, 0, 0, 16, {4, 1, 2, 1, 8, 1, 16}},
        {4, 0, 2, 0, 2, 0, 16, {4, 4, 2, 1, 2, 1, 16}},
        {16, 0, 2, 2, 0, 2, 0, {16, 1, 2, 2, 2, 2, 16}},
        {16, 0, 0, 2, 4, 0, 0, {16, 2, 1, 2, 4, 1, 16}},
        {0, 0, 0, 0, 0, 0, 12, {12, 1, 1, 1, 12, 1, 12}},
        {0, 0, 0, 0, 3, 0, 12, {12, 4, 1, 1, 3, 1, 12}},
        {0, 2, 0, 0, 3, 0, 0, {6, 2, 1, 1, 3, 1, 6}},
        {0, 2, 2, 3, 5, 2, 0, {120, 2, 2, 3, 5, 2, 120}},
        {0, 0, 3, 0, 0, 0, 0, {3, 1, 3, 1, 1, 1, 3}},
        /* not a product: left to the rule cpu-topology */
        {7, 2, 0, 0, 0, 0, 0, {7, 2, 1, 1, 3, 1, 7}},
    };
    static const char *const names[] = {"count", "sockets", "dies", "modules",
                                        "cores", "threads", "max"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct unit u;
        struct strbuf b = {.data = NULL};
        const unsigned said[] = {cases[i].count, cases[i].sockets, cases[i].dies, cases[i].modules,
                                 cases[i].cores, cases[i].threads, cases[i].max};
        strbuf_adds(&b, "spmtopo: 1\nname: x\n" NODES "cpus:\n");
        for (size_t k = 0; k < ARRAY_SIZE(said); k++)
            if (said[k])
                strbuf_addf(&b, "  %s: %u\n", names[k], said[k]);
        unit_load(&u, b.data);
        assert_no_findings(&u.diags);
        model_complete(&u.vm, &u.arena);
        const struct cpus *c = &u.vm.cpus;
        const uint64_t got[] = {c->count.value, c->sockets.value, c->dies.value, c->modules.value,
                                c->cores.value, c->threads.value, c->max.value};
        for (size_t k = 0; k < ARRAY_SIZE(got); k++)
            if (got[k] != cases[i].want[k])
                fail_msg("case %zu: %s is %" PRIu64 ", not %u", i, names[k], got[k],
                         cases[i].want[k]);
        unit_free(&u);
        strbuf_free(&b);
    }
}

/* The backend of node 0's region after completion. */
static struct backend complete(struct unit *u, const char *defaults, const char *node)
{
    struct strbuf b = {.data = NULL};
    strbuf_addf(&b, "%s%snodes: [{id: 0, %s}]\n", SMALL, defaults, node);
    unit_load(u, b.data);
    strbuf_free(&b);
    assert_no_findings(&u->diags);
    model_complete(&u->vm, &u->arena);
    return u->vm.nodes[0].regions[0].backend;
}

static void backend_defaults(void **state)
{
    (void)state;
    struct unit u;
    struct backend b = complete(&u, "", "memory: 1GiB");
    assert_int_equal(b.kind.value, BACKEND_RAM);
    assert_false(b.share.value);
    assert_false(b.prealloc.value);
    assert_true(b.reserve.value);
    assert_true(b.merge.value);
    assert_true(b.dump.value);
    assert_false(b.pmem.value);
    assert_int_equal(b.hugepages.value, 0);
    assert_int_equal(b.policy.value, POLICY_DEFAULT);
    assert_false(given(b.at));
    unit_free(&u);
    /* QEMU's memfd is shared unless it is said not to be */
    b = complete(&u, "", "memory: {size: 1GiB, backend: {kind: memfd}}");
    assert_true(b.share.value);
    unit_free(&u);
    b = complete(&u, "", "memory: {size: 1GiB, backend: {kind: memfd, share: false}}");
    assert_false(b.share.value);
    unit_free(&u);
}

/* A region's backend stands for itself: nothing of the default's is left. */
static void backends_replace_the_default(void **state)
{
    (void)state;
    struct unit u;
    static const char defaults[] =
        "defaults: {backend: {kind: memfd, hugepages: true, prealloc: true, merge: false}}\n";
    struct backend b = complete(&u, defaults, "memory: 1GiB");
    assert_int_equal(b.kind.value, BACKEND_MEMFD);
    assert_int_equal(b.hugepages.value, 2 * MIB);
    assert_true(b.prealloc.value);
    assert_false(b.merge.value);
    assert_int_equal(unit_line(&u.source, b.at), unit_line(&u.source, u.vm.default_backend.at));
    unit_free(&u);
    b = complete(&u, defaults, "memory: {size: 1GiB, backend: {dump: false}}");
    assert_int_equal(b.kind.value, BACKEND_RAM);
    assert_int_equal(b.hugepages.value, 0);
    assert_false(b.prealloc.value);
    assert_true(b.merge.value);
    assert_false(b.dump.value);
    unit_free(&u);
}

static void host_placement(void **state)
{
    (void)state;
    static const struct {
        const char *defaults, *node;
        int policy;
        unsigned host;
    } cases[] = {
        {"", "host-nodes: 3, memory: 1GiB", POLICY_BIND, 3},
        {"", "host-nodes: 3, policy: preferred, memory: 1GiB", POLICY_PREFERRED, 3},
        /* with a backend of the region's own that does not place it */
        {"", "host-nodes: 3, memory: {size: 1GiB, backend: {kind: memfd}}", POLICY_BIND, 3},
        /* the region's goes first, and as a whole */
        {"", "host-nodes: 3, policy: preferred, memory: {size: 1GiB, backend: {host-nodes: 5}}",
         POLICY_BIND, 5},
        /* the node's goes before the default's */
        {"defaults: {backend: {kind: memfd, host-nodes: 7, policy: interleave}}\n",
         "host-nodes: 3, memory: 1GiB", POLICY_BIND, 3},
        {"defaults: {backend: {kind: memfd, host-nodes: 7, policy: interleave}}\n", "memory: 1GiB",
         POLICY_INTERLEAVE, 7},
        /* which is not there for a region with its own backend */
        {"defaults: {backend: {kind: memfd, host-nodes: 7, policy: interleave}}\n",
         "memory: {size: 1GiB, backend: {kind: ram}}", POLICY_DEFAULT, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct unit u;
        struct backend b = complete(&u, cases[i].defaults, cases[i].node);
        if (b.policy.value != cases[i].policy)
            fail_msg("case %zu: policy %s", i, policy_names[b.policy.value]);
        assert_int_equal(b.host_nodes.count, cases[i].host != 0);
        if (cases[i].host)
            assert_int_equal(b.host_nodes.ranges[0].first, cases[i].host);
        unit_free(&u);
    }
}

/* A policy that needs host nodes is refused wherever it was given. */
static void placement_is_checked_wherever_it_is_given(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "nodes: [{id: 0, cpus: 0, memory: 1GiB, policy: bind}]\n",
        ("nodes: [{id: 0, cpus: 0, memory: 1GiB}, {id: 1, policy: bind, memory: 1GiB}]\n"
         "defaults: {backend: {kind: memfd}}\n"),
        "nodes: [{id: 0, cpus: 0, memory: {size: 1GiB, backend: {policy: bind}}}]\n",
        "nodes: [{id: 0, cpus: 0, memory: 1GiB}]\ndefaults: {backend: {policy: bind}}\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct compilation c;
        struct strbuf b = {.data = NULL};
        strbuf_addf(&b, "%s%s", SMALL, texts[i]);
        unit_compile(&c, b.data);
        if (c.ok)
            fail_msg("accepted: %s", texts[i]);
        assert_finding(&c.diags, RULE_HOST_PLACEMENT);
        compile_free(&c);
        strbuf_free(&b);
    }
}

/* All on one line, as JSON is. */
static void backends_on_one_line_are_checked(void **state)
{
    (void)state;
    struct compilation c;
    unit_compile(&c, "{spmtopo: 1, name: x, cpus: 1, defaults: {backend: {kind: memfd}}, "
                     "nodes: [{id: 0, cpus: 0, memory: {size: 1GiB, backend: {kind: file}}}]}");
    assert_false(c.ok);
    assert_finding(&c.diags, RULE_BACKEND_PATH);
    compile_free(&c);
}

static void object_ids(void **state)
{
    (void)state;
    struct unit u;
    unit_load(&u, SMALL "nodes: [{id: 0, memory: [1GiB, {size: 1GiB, id: mine}, 1GiB]}, "
                        "{id: 1-2, memory: 1GiB}]\n");
    assert_no_findings(&u.diags);
    model_complete(&u.vm, &u.arena);
    assert_string_equal(u.vm.nodes[0].regions[0].id.value, "node0-mem0");
    assert_string_equal(u.vm.nodes[0].regions[1].id.value, "mine");
    assert_string_equal(u.vm.nodes[0].regions[2].id.value, "node0-mem2");
    assert_string_equal(u.vm.nodes[1].regions[0].id.value, "node1-mem");
    assert_string_equal(u.vm.nodes[2].regions[0].id.value, "node2-mem");
    unit_free(&u);
}

static void rules_by_id_and_name(void **state)
{
    (void)state;
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_info((enum rule_id)i);
        assert_non_null(rule->id);
        assert_ptr_equal(rule_find(rule->id), rule);
        assert_ptr_equal(rule_find(rule->name), rule);
        assert_int_equal(strspn(rule->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(rule->name));
        assert_true(strlen(rule->id) == 6 && strncmp(rule->id, "SPM", 3) == 0);
        /* the table is in the order of the ids */
        if (i)
            assert_true(strcmp(rule_info((enum rule_id)(i - 1))->id, rule->id) < 0);
    }
    assert_null(rule_find("no-such-rule"));
    assert_null(rule_find(""));
    assert_null(rule_find("spm101"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_and_boot),
        cmocka_unit_test(nodes_and_regions),
        cmocka_unit_test(tables_and_targets),
        cmocka_unit_test(short_forms),
        cmocka_unit_test(defaults_of_the_language),
        cmocka_unit_test(unknown_keys_name_the_nearest),
        cmocka_unit_test(refused_values),
        cmocka_unit_test(name_lengths),
        cmocka_unit_test(limits_are_reached),
        cmocka_unit_test(several_errors_in_one_run),
        cmocka_unit_test(duplicate_keys_keep_the_first),
        cmocka_unit_test(nodes_are_sorted),
        cmocka_unit_test(distance_rows),
        cmocka_unit_test(distance_mapping),
        cmocka_unit_test(refused_distances),
        cmocka_unit_test(cpu_topology_defaults),
        cmocka_unit_test(backend_defaults),
        cmocka_unit_test(backends_replace_the_default),
        cmocka_unit_test(host_placement),
        cmocka_unit_test(placement_is_checked_wherever_it_is_given),
        cmocka_unit_test(backends_on_one_line_are_checked),
        cmocka_unit_test(object_ids),
        cmocka_unit_test(rules_by_id_and_name),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
