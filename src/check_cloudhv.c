/* SPDX-License-Identifier: MIT */
/* Rules on what cloud-hypervisor holds, read in its source (v40.0 to v53.0, and main of August
 * 2026), and on what Linux makes of its tables, which was run. SPM is a zone of plain RAM on its
 * node, behind all normal memory, and a parameter that tells the guest's kernel so. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

#include "firmware.h"
#include "kernel_parameters.h"
#include "layout_cloudhv.h"
#include "strbuf.h"

/* What the file does not say has no place of its own. */
static struct span place_or_name(struct span at, const struct vm *vm)
{
    return given(at) ? at : vm->name.at;
}

/* Linux's dax devices have this alignment (drivers/dax/hmem fails with -12 otherwise; run). */
#define DAX_UNIT (2 * MIB)

/* --- what is dropped ------------------------------------------------------------------------ */

void check_cloudhv_dropped(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct diag *d;
    if (given(vm->hmat_at)) {
        d = diag_add(c->diags, RULE_CLOUDHV_HMAT, vm->hmat_at,
                     "cloud-hypervisor has no HMAT: the guest will know distances only");
        diag_help(c->diags, d,
                  "say what matters in 'distances', and leave 'hmat' out or this rule "
                  "disabled");
    }
    uint64_t declared = vm_memory(vm, MEMORY_NORMAL) + vm_memory(vm, MEMORY_SPM);
    if (vm->max_memory.value > declared || vm->slots.value) {
        d = diag_add(c->diags, RULE_CLOUDHV_DEVICE_MEMORY,
                     vm->max_memory.value > declared ? vm->max_memory.at : vm->slots.at,
                     "cloud-hypervisor has no window for memory devices: nothing can be plugged");
        diag_help(c->diags, d, "leave 'device-memory' out");
    }
}

/* --- nodes ---------------------------------------------------------------------------------- */

/* The tables are written from 0xa0024 on without a look at SMBIOS, which is at 0xf0000 (layout.rs).
 * The least they take: SLIT one byte a pair; SRAT 40 a zone and 24 a vCPU; MADT 16 a vCPU; the DSDT
 * at least 90 a vCPU. */
static void check_tables(const struct vm *vm, struct diags *diags)
{
    enum { ROOM = 0xf0000 - 0xa0024, ZONE = 40, VCPU = 24 + 16 + 90 };
    uint64_t pairs = (uint64_t)vm->node_count * vm->node_count;
    uint64_t vcpus = vm->cpus.max.value * VCPU;
    uint64_t bytes = pairs + vcpus + (uint64_t)vm->region_count * ZONE;
    if (bytes <= ROOM)
        return;
    struct span at = pairs > vcpus ? vm->nodes_at : vm->cpus.at;
    struct diag *d = diag_add(diags, RULE_CLOUDHV_TABLES, at,
                              "the ACPI tables of %zu nodes and %" PRIu64 " vCPUs take %" PRIu64
                              " KiB or more, and cloud-hypervisor has %d KiB for them",
                              vm->node_count, vm->cpus.max.value, bytes / KIB, ROOM / 1024);
    diag_help(diags, d, "use fewer %s", pairs > vcpus ? "nodes" : "vCPUs");
}

/* The least that the emitted JSON takes: a pair of nodes has five lines, a zone four, a vCPU one. */
static void check_body(const struct vm *vm, struct diags *diags)
{
    enum { SAFE = 128 * 1024, PAIR = 74, ZONE = 70, VCPU = 11 };
    uint64_t pairs = given(vm->distances.at) ? (uint64_t)vm->node_count * (vm->node_count - 1) : 0;
    uint64_t bytes = pairs * PAIR + (uint64_t)vm->region_count * ZONE + vm->cpus.max.value * VCPU;
    if (bytes <= SAFE)
        return;
    struct diag *d =
        diag_add(diags, RULE_CLOUDHV_BODY,
                 place_or_name(pairs * PAIR > bytes / 2 ? vm->distances.at : vm->nodes_at, vm),
                 "as JSON this guest takes %" PRIu64 " KiB or more, and more than "
                 "%d KiB can kill cloud-hypervisor's API server",
                 bytes / KIB, SAFE / 1024);
    diag_help(diags, d, "start it by the command line: 'gen --format shell' or argv");
}

void check_cloudhv_nodes(struct check_context *c)
{
    const struct vm *vm = c->vm;
    for (size_t n = 0; n < vm->node_count; n++) {
        if (vm->nodes[n].cpus.count || vm->nodes[n].region_count || node_repeats(vm, n))
            continue;
        struct diag *d = diag_add(c->diags, RULE_CLOUDHV_EMPTY_NODE, vm->nodes[n].at,
                                  "node %zu has neither CPUs nor memory, and cloud-hypervisor "
                                  "refuses it",
                                  n);
        diag_help(c->diags, d, "give it memory, or leave it out");
    }
    check_tables(vm, c->diags);
    check_body(vm, c->diags);
}

/* Linux numbers nodes as they come in the SRAT, and its entries of CPUs are read first. */
void check_cloudhv_order(struct check_context *c)
{
    const struct vm *vm = c->vm;
    size_t first = 0;
    size_t last = vm->node_count;
    while (first < vm->node_count && vm->nodes[first].cpus.count)
        first++;
    while (last > first && !vm->nodes[last - 1].cpus.count)
        last--;
    if (first >= last)
        return;
    struct diag *d = diag_add(c->diags, RULE_CLOUDHV_NODE_ORDER, vm->nodes[first].at,
                              "node %zu has no CPUs, and nodes with CPUs follow: Linux gives its "
                              "nodes other numbers",
                              first);
    diag_note(c->diags, d, vm->nodes[last - 1].at, "node %zu has CPUs", last - 1);
    diag_help(c->diags, d, "give the nodes with CPUs the lowest ids");
}

/* --- CPUs and machine ----------------------------------------------------------------------- */

void check_cloudhv_cpus(struct check_context *c)
{
    const struct cpus *cpus = &c->vm->cpus;
    unsigned release = cloudhv_release(c->vm->cloudhv_version.value);
    struct diag *d;
    if (cpus->threads.value > 2) {
        d = diag_add(c->diags, RULE_CLOUDHV_CPUS,
                     given(cpus->threads.at) ? cpus->threads.at : cpus->at,
                     "%" PRIu64 " threads in a core: cloud-hypervisor has at most 2",
                     cpus->threads.value);
        diag_help(c->diags, d, "write 'threads: 2', and more cores");
    }
    if (cpus->modules.value > 1) {
        d = diag_add(c->diags, RULE_CLOUDHV_CPUS, cpus->modules.at,
                     "the CPU topology of cloud-hypervisor has no modules");
        diag_help(c->diags, d, "use dies or cores");
    }
    if (release && release < CLOUDHV_WIDE_CPUS && cpus->max.value > UINT8_MAX) {
        d = diag_add(c->diags, RULE_CLOUDHV_CPUS, cpus->at,
                     "%" PRIu64 " vCPUs: cloud-hypervisor %u has at most 255", cpus->max.value,
                     release);
        diag_help(c->diags, d, "use fewer vCPUs, or cloud-hypervisor 48");
    }
}

static void check_phys_bits(const struct check_context *c)
{
    const struct number *bits = &c->vm->machine.phys_bits;
    const struct zone_map map = zone_map(c->vm, c->arena);
    if (!bits->value || map.end <= (UINT64_C(1) << bits->value) - CLOUDHV_TOP_ROOM)
        return;
    struct diag *d = diag_add(c->diags, RULE_CLOUDHV_MACHINE, bits->at,
                              "memory ends at 0x%" PRIx64 ", beyond what %" PRIu64 " address bits "
                              "leave to it",
                              map.end, bits->value);
    diag_help(c->diags, d, "write at least %u, or leave 'phys-bits' out", bits_for(map.end) + 1);
}

void check_cloudhv_machine(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct machine *m = &vm->machine;
    struct diag *d;
    if (!cloudhv_release(vm->cloudhv_version.value)) {
        d = diag_add(c->diags, RULE_VERSION_UNKNOWN, vm->cloudhv_version.at,
                     "cloud-hypervisor '%.40s' is not a version that is known",
                     vm->cloudhv_version.value);
        struct version_text plain = version_without_zeros(vm->cloudhv_version.value);
        if (cloudhv_release(plain.text))
            diag_help(c->diags, d, "write %s", plain.text);
        else
            diag_help(c->diags, d, "write a release from %d.0 to %d.0", CLOUDHV_OLDEST,
                      CLOUDHV_NEWEST);
    }
    /* The default's name stands for the machine that a VMM has. */
    if (strcmp(m->type.value, "q35") != 0) {
        d = diag_add(c->diags, RULE_CLOUDHV_MACHINE, m->type.at,
                     "cloud-hypervisor has one machine, which is not '%.40s'", m->type.value);
        diag_help(c->diags, d, "leave 'type' out");
    }
    if (m->accel.value != ACCEL_KVM) {
        d = diag_add(c->diags, RULE_CLOUDHV_MACHINE, m->accel.at,
                     "cloud-hypervisor has no '%s': it needs a hypervisor",
                     accel_names[m->accel.value]);
        diag_help(c->diags, d, "write 'accel: kvm'");
    } else if (strcmp(m->cpu.value, "host") != 0 && strcmp(m->cpu.value, "max") != 0) {
        d = diag_add(c->diags, RULE_CLOUDHV_MACHINE, m->cpu.at,
                     "cloud-hypervisor has no CPU models: the guest gets the host's CPU");
        diag_help(c->diags, d, "write 'cpu: host'");
    }
    if (m->confidential.value != CONFIDENTIAL_NONE) {
        d = diag_add(c->diags, RULE_CLOUDHV_MACHINE, m->confidential.at,
                     "cloud-hypervisor runs no '%s' guests on kvm",
                     confidential_names[m->confidential.value]);
        diag_help(c->diags, d, "leave 'confidential' out, or choose another target");
    }
    check_phys_bits(c);
}

/* --- backends ------------------------------------------------------------------------------- */

/* A trailing slash, or a directory that every Linux has. */
static bool is_directory(const char *path)
{
    static const char *const known[] = {"/dev/shm", "/dev/hugepages", "/tmp", "/var/tmp", "/run"};
    size_t len = strlen(path);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(path, known[i]) == 0)
            return true;
    return len && path[len - 1] == '/';
}

static void check_file(const struct backend *b, struct diags *diags)
{
    const char *path = b->path.value;
    struct diag *d;
    if (path && (is_directory(path) || strncmp(path, "/dev/dax", 8) == 0)) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->path.at,
                     "cloud-hypervisor maps regular files only, no %s",
                     is_directory(path) ? "directories" : "device dax");
        diag_help(diags, d, "name a file that is as large as the region, or write 'kind: memfd'");
        return;
    }
    if (b->offset.value) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->offset.at,
                     "cloud-hypervisor maps files from their beginning");
        diag_help(diags, d, "leave 'offset' out, and give each region a file of its own");
    }
    if (b->align.value) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->align.at,
                     "cloud-hypervisor cannot be told the alignment of a mapping");
        diag_help(diags, d, "leave 'align' out");
    }
    if (b->pmem.value) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->pmem.at,
                     "the zones of cloud-hypervisor make nothing persistent");
        diag_help(diags, d, "leave 'pmem' out");
    }
}

/* 'reserve' and 'merge' are QEMU's defaults, and count where the file itself says them. */
static void check_flags(const struct backend *b, unsigned release, struct diags *diags)
{
    bool merge = given(b->merge.at) && b->merge.value;
    bool anonymous = b->kind.value == BACKEND_MEMFD && b->hugepages.value;
    struct diag *d;
    if (anonymous && !b->share.value) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->share.at,
                     "cloud-hypervisor shares huge pages whatever it is told");
        diag_note(diags, d, b->hugepages.at, "the huge pages");
        diag_help(diags, d, "leave 'share' out");
    }
    if (merge && b->hugepages.value) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->merge.at, "Linux merges no huge pages");
        diag_note(diags, d, b->hugepages.at, "the huge pages");
        diag_help(diags, d, "leave 'merge' out");
    } else if (merge && b->share.value) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->merge.at,
                     "cloud-hypervisor merges no pages of shared memory");
        if (given(b->share.at))
            diag_note(diags, d, b->share.at, "it is shared");
        diag_help(diags, d, "leave 'merge' out, or write 'share: false'");
    } else if (merge && release && release < CLOUDHV_MERGE) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->merge.at,
                     "cloud-hypervisor %u cannot merge the pages of a zone", release);
        diag_help(diags, d, "leave 'merge' out, or use cloud-hypervisor %d", CLOUDHV_MERGE);
    }
    if (given(b->reserve.at) && b->reserve.value && release && release < CLOUDHV_RESERVE) {
        d = diag_add(diags, RULE_CLOUDHV_BACKEND, b->reserve.at,
                     "cloud-hypervisor %u cannot reserve swap space for a zone", release);
        diag_help(diags, d, "leave 'reserve' out, or use cloud-hypervisor %d", CLOUDHV_RESERVE);
    }
}

/* Of a hugetlbfs, be it the file's or that of a memfd, Linux gives a page when it is touched first. */
static void check_huge_pages(const struct region *region, const struct vm *vm, unsigned release,
                             struct diags *diags)
{
    const struct backend *b = &region->backend;
    struct span at = b->hugepages.value ? b->hugepages.at : b->path.at;
    struct diag *d;
    if (!zone_is_huge(region))
        return;
    if (!b->prealloc.value && !zone_is_reserved(region, vm)) {
        d = diag_add(diags, RULE_CLOUDHV_HUGEPAGES, at,
                     "huge pages that nothing reserves: where the host has too few, the guest "
                     "starts, and stops later");
        if (given(b->reserve.at) && !b->reserve.value)
            diag_note(diags, d, b->reserve.at, "no reservation");
        if (release && release < CLOUDHV_RESERVE)
            diag_help(diags, d,
                      "add 'prealloc: true', or use cloud-hypervisor %d, which can "
                      "reserve them",
                      CLOUDHV_RESERVE);
        else
            diag_help(diags, d, "leave 'reserve' out, or write 'prealloc: true' instead");
    }
    if (b->kind.value == BACKEND_FILE && !b->share.value) {
        d = diag_add(diags, RULE_CLOUDHV_HUGEPAGES, at,
                     "a private mapping of huge pages: what the guest writes takes a second page "
                     "beside each of the file's");
        if (given(b->share.at))
            diag_note(diags, d, b->share.at, "it is private");
        diag_help(diags, d, "add 'share: true', or write 'kind: memfd' and 'hugepages'");
    }
}

static void check_placement(const struct backend *b, struct diags *diags)
{
    struct diag *d;
    if (b->policy.value == POLICY_PREFERRED || b->policy.value == POLICY_INTERLEAVE) {
        d = diag_add(diags, RULE_CLOUDHV_HOST_PLACEMENT, b->policy.at,
                     "cloud-hypervisor has no policy '%s'", policy_names[b->policy.value]);
        diag_help(diags, d, "write 'policy: bind' and one host node");
    } else if (b->policy.value == POLICY_BIND && id_list_size(&b->host_nodes) > 1) {
        d = diag_add(diags, RULE_CLOUDHV_HOST_PLACEMENT, b->host_nodes.at,
                     "cloud-hypervisor binds a zone to one host node, not to several");
        diag_help(diags, d, "name one, and make a region for each of them");
    } else if (b->policy.value == POLICY_BIND && b->kind.value == BACKEND_FILE && b->share.value) {
        d = diag_add(diags, RULE_CLOUDHV_HOST_PLACEMENT, b->host_nodes.at,
                     "cloud-hypervisor does not bind a shared file to a host node");
        diag_note(diags, d, b->share.at, "it is shared");
        diag_help(diags, d, "leave 'share' or the host node out");
    }
}

void check_cloudhv_backends(struct check_context *c)
{
    const struct backend *last = NULL;
    unsigned release = cloudhv_release(c->vm->cloudhv_version.value);
    FOR_EACH_REGION(c->vm, node, region) {
        const struct backend *b = &region->backend;
        /* What many regions take from one place is judged once. */
        if (b->kind.value == BACKEND_FILE && (!last || !same_place(b->at, last->at)))
            check_file(b, c->diags);
        if (!last || !same_place(b->at, last->at)) {
            check_flags(b, release, c->diags);
            if (b->kind.value != BACKEND_FILE || b->path.value)
                check_huge_pages(region, c->vm, release, c->diags);
        }
        if (!last || !same_place(b->at, last->at) || !same_place(b->policy.at, last->policy.at) ||
            !same_place(b->host_nodes.at, last->host_nodes.at))
            check_placement(b, c->diags);
        last = b;
    }
}

/* --- boot ----------------------------------------------------------------------------------- */

/* What goes with a firmware's file, and what cloud-hypervisor would drop with a mere warning. */
static void check_firmware_payload(const struct boot *b, struct diags *diags)
{
    const struct text *dropped = b->initrd.value ? &b->initrd : &b->cmdline;
    struct diag *d;
    if (b->kernel.value) {
        d = diag_add(diags, RULE_CLOUDHV_BOOT, b->kernel.at,
                     "cloud-hypervisor takes a firmware or a kernel, not both");
        diag_note(diags, d, b->code.at, "the firmware");
        diag_help(diags, d, "leave one of the two out");
    } else if (dropped->value) {
        d = diag_add(diags, RULE_CLOUDHV_BOOT, dropped->at,
                     "cloud-hypervisor drops '%s' when it boots a firmware",
                     b->initrd.value ? "initrd" : "cmdline");
        diag_note(diags, d, b->code.at, "the firmware");
        diag_help(diags, d, "leave it out, or boot a 'kernel' instead of 'code'");
    }
    if (b->firmware.value == FIRMWARE_NONE) {
        d = diag_add(diags, RULE_CLOUDHV_BOOT, b->code.at, "a file of a firmware that is 'none'");
        diag_help(diags, d, "leave 'code' out, or write 'type: ovmf'");
    }
}

/* The payload is a firmware's file or a kernel; there is no default of either. */
static void check_payload(const struct vm *vm, struct diags *diags)
{
    const struct boot *b = &vm->boot;
    struct diag *d;
    if (b->firmware.value == FIRMWARE_SEABIOS || b->firmware.value == FIRMWARE_QBOOT) {
        d = diag_add(diags, RULE_CLOUDHV_BOOT, b->firmware.at,
                     "there is no '%s' for cloud-hypervisor", firmware_names[b->firmware.value]);
        diag_help(diags, d, "write 'firmware: none' and a 'kernel', or ovmf and its 'code'");
    } else if (b->code.value) {
        check_firmware_payload(b, diags);
    } else if (!b->kernel.value) {
        d = diag_add(diags, RULE_CLOUDHV_BOOT, place_or_name(b->firmware.at, vm),
                     "nothing to boot: cloud-hypervisor comes without firmware");
        diag_help(diags, d,
                  "add a 'kernel' to 'boot', or the 'code' of a firmware, such as "
                  "CLOUDHV.fd");
    } else if (b->firmware.value != FIRMWARE_NONE) {
        d = diag_add(diags, RULE_CLOUDHV_DIRECT_BOOT, b->kernel.at,
                     "cloud-hypervisor boots the kernel itself, and the firmware '%s' has no part "
                     "in it",
                     firmware_names[b->firmware.value]);
        diag_help(diags, d, "write 'firmware: none' if that is what you mean");
    }
}

void check_cloudhv_boot(struct check_context *c)
{
    const struct boot *b = &c->vm->boot;
    struct diag *d;
    check_payload(c->vm, c->diags);
    if (b->vars.value) {
        d = diag_add(c->diags, RULE_CLOUDHV_BOOT, b->vars.at,
                     "under cloud-hypervisor firmware keeps no variables in a file");
        diag_help(c->diags, d, "leave 'vars' out");
    }
    for (const char *p = b->cmdline.value; p && *p; p++) {
        if (*p >= 0x20 && *p < 0x7f)
            continue;
        d = diag_add(c->diags, RULE_CLOUDHV_BOOT, b->cmdline.at,
                     "cloud-hypervisor takes a command line of printable ASCII only");
        diag_help(c->diags, d, "leave out letters with accents and the like");
        break;
    }
}

/* --- SPM ------------------------------------------------------------------------------------ */

static void check_types(const struct vm *vm, struct diags *diags)
{
    const struct region *spm = NULL;
    struct diag *d;
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        for (size_t r = 0; r < node->region_count && !node_repeats(vm, n); r++) {
            const struct region *region = &node->regions[r];
            if (region->type.value == MEMORY_SPM && !spm)
                spm = region;
            if (region->type.value != MEMORY_RESERVED)
                continue;
            d = diag_add(diags, RULE_CLOUDHV_SPM, region->type.at,
                         "cloud-hypervisor has no memory of type reserved");
            diag_help(diags, d, "write 'type: spm', or leave the region out");
        }
    }
    if (!spm || vm->cloudhv_spm.value == SPM_KERNEL_PARAMETER)
        return;
    d = diag_add(diags, RULE_CLOUDHV_SPM, spm->type.at,
                 "cloud-hypervisor has no interface for SPM");
    diag_help(diags, d,
              "choose 'targets.cloud-hypervisor.spm-interface: kernel-parameter' (plain "
              "RAM that the guest's kernel is told to reserve), or another target");
}

/* Zones lie in their order, and no option moves one. */
static void check_addresses(const struct zone_map *map, struct diags *diags)
{
    const struct region *last = NULL;
    for (size_t i = 0; i < map->count; i++) {
        const struct region *region = map->pieces[i].region;
        bool first_piece = region != last;
        last = region;
        if (!first_piece || !given(region->address.at) || region->type.value != MEMORY_SPM ||
            region->address.value == map->pieces[i].address)
            continue;
        struct diag *d =
            diag_add(diags, RULE_CLOUDHV_ADDRESS, region->address.at,
                     "cloud-hypervisor puts this region at 0x%" PRIx64, map->pieces[i].address);
        diag_help(diags, d, "leave 'address' out, or write 0x%" PRIx64, map->pieces[i].address);
    }
}

static void note_parameter(const struct vm *vm, const struct zone_map *map, struct diags *diags)
{
    const struct region *last = NULL;
    struct diag *d =
        diag_add(diags, RULE_CLOUDHV_KERNEL_PARAMETER, place_or_name(vm->cloudhv_spm.at, vm),
                 "SPM is plain RAM to cloud-hypervisor and to firmware; the guest's "
                 "kernel makes it soft-reserved");
    for (size_t i = 0; i < map->count; i++) {
        const struct region *region = map->pieces[i].region;
        if (region == last && region->type.value == MEMORY_SPM)
            diag_note(diags, d, region->at,
                      "this region lies on both sides of the hole at 3 GiB "
                      "and becomes two devices in the guest");
        last = region;
    }
    struct strbuf parameters = {0};
    for (size_t i = 0; i < map->count; i++)
        if (map->pieces[i].region->type.value == MEMORY_SPM)
            kernel_memmap(&parameters, map->pieces[i].address, map->pieces[i].size, true);
    if (vm->boot.code.value)
        diag_help(diags, d, "add to the kernel's command line in the guest: %s", parameters.data);
    else
        diag_help(diags, d, "the emitted command line of the kernel holds the memmap= parameters");
    strbuf_free(&parameters);
}

void check_cloudhv_spm(struct check_context *c)
{
    check_types(c->vm, c->diags);
    if (c->vm->cloudhv_spm.value != SPM_KERNEL_PARAMETER || !vm_memory(c->vm, MEMORY_SPM))
        return;
    const struct zone_map map = zone_map(c->vm, c->arena);
    check_addresses(&map, c->diags);
    note_parameter(c->vm, &map, c->diags);
}

static void odd_size(struct diags *diags, const struct region *region, uint64_t unit,
                     const char *whose)
{
    struct strbuf units = {0};
    struct strbuf size = {0};
    strbuf_add_size(&units, unit, " ");
    strbuf_add_size(&size, round_up(region->size.value, unit), "");
    struct diag *d = diag_add(diags, RULE_CLOUDHV_SIZE, region->size.at,
                              "the size is not a multiple of the %s of %s", units.data, whose);
    diag_help(diags, d, "write %s", size.data);
    strbuf_free(&units);
    strbuf_free(&size);
}

/* Zones begin where the one before ends: its size is at fault. */
static void check_starts(const struct zone_map *map, struct diags *diags)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct zone_piece *piece = &map->pieces[i];
        if (piece->region->type.value != MEMORY_SPM || piece->address % DAX_UNIT == 0)
            continue;
        struct diag *d = diag_add(diags, RULE_CLOUDHV_SIZE, piece->region->at,
                                  "this SPM begins at 0x%" PRIx64 ", and dax devices begin at "
                                  "multiples of 2 MiB",
                                  piece->address);
        diag_help(diags, d, "make the sizes of all normal memory multiples of 2 MiB");
        return;
    }
}

static void report_doubt(const struct region *region, struct diags *diags)
{
    const struct backend *b = &region->backend;
    struct strbuf page = {0};
    strbuf_add_size(&page, zone_page_size(region), " ");
    struct diag *d =
        diag_add(diags, RULE_CLOUDHV_FILE_PAGES, b->path.at,
                 "where memory lies from here on depends on the pages of this file's file system, "
                 "which are taken for %s",
                 page.data);
    diag_help(
        diags, d,
        "write 'hugepages: 2MiB' or 'hugepages: 1GiB' if it is on a hugetlbfs, of "
        "which cloud-hypervisor is then told, or let the memory before it end at a multiple of "
        "1 GiB");
    strbuf_free(&page);
}

void check_cloudhv_sizes(struct check_context *c)
{
    bool spm = c->vm->cloudhv_spm.value == SPM_KERNEL_PARAMETER;
    const struct region *odd = NULL;
    FOR_EACH_REGION(c->vm, node, region) {
        bool device = spm && region->type.value == MEMORY_SPM;
        uint64_t page = zone_page_size(region);
        uint64_t unit = device && region->size.value % page == 0 ? DAX_UNIT : page;
        if (region->size.value % unit == 0 || (odd && same_place(region->size.at, odd->size.at)))
            continue;
        odd = region;
        odd_size(c->diags, region, unit, unit == page ? "its pages" : "a dax device");
    }
    const struct zone_map map = zone_map(c->vm, c->arena);
    if (map.doubtful && !odd)
        report_doubt(map.doubtful, c->diags);
    if (map.end <= MIB) {
        struct diag *d = diag_add(c->diags, RULE_CLOUDHV_SIZE, c->vm->nodes_at,
                                  "cloud-hypervisor needs memory above the first megabyte");
        diag_help(c->diags, d, "give node 0 more memory");
    }
    if (spm && !odd)
        check_starts(&map, c->diags);
}

/* --- the guest's kernel --------------------------------------------------------------------- */

static void report_block(const struct zone_piece *piece, uint64_t block, struct diags *diags)
{
    const struct region *region = piece->region;
    bool size_at_fault = piece->size % block;
    struct strbuf unit = {0};
    strbuf_add_size(&unit, block, " ");
    struct diag *d =
        diag_add(diags, RULE_CLOUDHV_MEMORY_BLOCK, size_at_fault ? region->size.at : region->at,
                 "SPM of node %u at 0x%" PRIx64 "-0x%" PRIx64 " is not whole memory "
                 "blocks of %s: Linux cannot bring all of it online",
                 region->node, piece->address, piece->address + piece->size - 1, unit.data);
    diag_help(diags, d,
              size_at_fault ? "make its size a multiple of %s"
                            : "make the normal memory before it a multiple of %s",
              unit.data);
    strbuf_free(&unit);
}

void check_cloudhv_blocks(struct check_context *c)
{
    const struct zone_map map = zone_map(c->vm, c->arena);
    uint64_t block = zone_memory_block(&map);
    uint64_t carried = 0; /* what an odd size before it shifts a piece by */
    struct span last = {0};
    for (size_t i = 0; i < map.count; i++) {
        const struct zone_piece *piece = &map.pieces[i];
        uint64_t start = piece->address % block;
        if (piece->region->type.value != MEMORY_SPM)
            continue;
        bool shifted = start && start != carried;
        carried = (piece->address + piece->size) % block;
        if ((!shifted && piece->size % block == 0) || same_place(piece->region->size.at, last))
            continue;
        last = piece->region->size.at;
        report_block(piece, block, c->diags);
    }
}

/* The decompressor does not know '%' and takes memmap=SIZE%... for mem=SIZE: it keeps the kernel
 * below the smallest of the sizes, and that only helps where no SPM begins below (2 of 4 boots went
 * into the SPM). */
static void check_kaslr(const struct vm *vm, const struct zone_map *map, struct diags *diags)
{
    uint64_t smallest = UINT64_MAX;
    const struct zone_piece *lowest = NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (map->pieces[i].region->type.value != MEMORY_SPM)
            continue;
        smallest = u64_min(smallest, map->pieces[i].size);
        if (!lowest)
            lowest = &map->pieces[i];
    }
    if (!lowest || smallest <= lowest->address ||
        cmdline_has_word(vm->boot.cmdline.value, "nokaslr"))
        return;
    struct diag *d = diag_add(diags, RULE_CLOUDHV_BZIMAGE, vm->boot.kernel.at,
                              "unless this is a vmlinux, the kernel may unpack itself into SPM, "
                              "which begins at 0x%" PRIx64,
                              lowest->address);
    diag_note(diags, d, lowest->region->at, "the SPM");
    diag_help(diags, d, "add 'nokaslr' to 'cmdline', or boot the vmlinux");
}

/* The command line as emitted, with a parameter for each piece of SPM. One that is too long by
 * itself is reported by check_cmdline(). */
static void check_length(const struct vm *vm, const struct layout *layout, struct diags *diags)
{
    struct strbuf text = {0};
    kernel_memmaps(&text, layout);
    size_t own = vm->boot.cmdline.value ? strlen(vm->boot.cmdline.value) : 0;
    size_t added = text.len + (own && text.len);
    strbuf_free(&text);
    if (own > KERNEL_READS || own + added <= KERNEL_READS)
        return;
    struct diag *d =
        diag_add(diags, RULE_CMDLINE_LENGTH, own ? vm->boot.cmdline.at : vm->boot.kernel.at,
                 "the kernel's command line would have %zu bytes, of which it reads "
                 "%d",
                 own + added, KERNEL_READS);
    diag_help(diags, d, "%zu of them are memmap= parameters: use fewer regions of SPM", added);
}

void check_cloudhv_kernel(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct boot *b = &vm->boot;
    if (!b->kernel.value || b->code.value)
        return;
    const struct zone_map map = zone_map(c->vm, c->arena);
    check_length(vm, c->layout, c->diags);
    if (kernel_is_vmlinux(b->kernel.value))
        return;
    check_kaslr(vm, &map, c->diags);
    if (map.low_end == CLOUDHV_LOW_END || map.end <= CLOUDHV_HIGH_BASE)
        return;
    struct diag *d = diag_add(c->diags, RULE_CLOUDHV_BZIMAGE, b->kernel.at,
                              "unless this is a vmlinux, the kernel is told that the hole "
                              "[0x%" PRIx64 "-0x%" PRIx64 "] is RAM",
                              map.low_end, CLOUDHV_LOW_END - 1);
    diag_note(c->diags, d, map.last->at, "the pages of this region do not fill it");
    diag_help(c->diags, d, "boot the vmlinux, or give the regions sizes that fill 3 GiB");
}
