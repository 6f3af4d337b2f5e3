/* SPDX-License-Identifier: MIT */
/* Rules on what a file says of CPUs, nodes, regions and firmware, whatever the target. */
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "strmap.h"

/* --- CPUs ----------------------------------------------------------------------------------- */

static void check_cpu_topology(const struct vm *vm, struct diags *diags)
{
    const struct cpus *c = &vm->cpus;
    uint64_t product = cpu_product(c);
    struct diag *d;
    if (c->max.value < c->count.value) {
        d = diag_add(diags, RULE_CPU_TOPOLOGY, c->max.at,
                     "at most %" PRIu64 " vCPUs, but %" PRIu64 " to start with", c->max.value,
                     c->count.value);
        diag_note(diags, d, c->count.at, "the count");
        diag_help(diags, d, "'max' counts all vCPUs: write at least %" PRIu64, c->count.value);
    } else if (product != c->max.value) {
        d = diag_add(diags, RULE_CPU_TOPOLOGY, c->at,
                     "sockets %" PRIu64 " × dies %" PRIu64 " × modules %" PRIu64 " × cores %" PRIu64
                     " × threads %" PRIu64 " are %" PRIu64 " vCPUs, not %" PRIu64,
                     c->sockets.value, c->dies.value, c->modules.value, c->cores.value,
                     c->threads.value, product, c->max.value);
        diag_help(diags, d, "make the product equal '%s', or leave a factor out",
                  given(c->max.at) ? "max" : "count");
    } else if (c->max.value > VCPU_LIMIT) {
        d = diag_add(diags, RULE_LIMIT, c->at, "%" PRIu64 " vCPUs", c->max.value);
        diag_help(diags, d, "write at most %d", VCPU_LIMIT);
    }
}

static void unassigned(const struct vm *vm, struct diags *diags, uint32_t first, uint32_t last)
{
    struct diag *d;
    if (first == last) {
        d = diag_add(diags, RULE_CPU_UNASSIGNED, vm->cpus.at, "vCPU %u is in no node", first);
        diag_help(diags, d, "add %u to the 'cpus' of a node", first);
    } else {
        d = diag_add(diags, RULE_CPU_UNASSIGNED, vm->cpus.at, "vCPUs %u-%u are in no node", first,
                     last);
        diag_help(diags, d, "add %u-%u to the 'cpus' of a node", first, last);
    }
}

static void check_cpu_nodes(const struct vm *vm, struct arena *arena, struct diags *diags)
{
    uint32_t max = (uint32_t)vm->cpus.max.value;
    const struct node **owner = arena_alloc(arena, max, sizeof(*owner));
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        for (size_t i = 0; i < node->cpus.count; i++) {
            struct id_range range = node->cpus.ranges[i];
            if (range.last >= max) {
                struct diag *d = diag_add(diags, RULE_CPU_UNKNOWN, node->cpus.at,
                                          "node %u has vCPU %u, but there are only 0 to %u",
                                          node->id, range.last, max - 1);
                diag_note(diags, d, vm->cpus.at, "the CPUs of the guest");
                diag_help(diags, d, "raise 'cpus', or leave the vCPU out");
                range.last = max - 1;
            }
            bool twice = false;
            for (uint32_t v = range.first; v <= range.last && v < max; v++) {
                if (!owner[v]) {
                    owner[v] = node;
                    continue;
                }
                if (twice)
                    continue;
                twice = true;
                struct diag *d =
                    diag_add(diags, RULE_CPU_TWICE, node->cpus.at,
                             owner[v] == node ? "vCPU %u is named twice in node %u"
                                              : "vCPU %u is in node %u and in another node",
                             v, node->id);
                if (owner[v] != node)
                    diag_note(diags, d, owner[v]->cpus.at, "node %u", owner[v]->id);
                diag_help(diags, d, "leave it in one place");
            }
        }
    }
    for (uint32_t v = 0; v < max; v++) {
        uint32_t first = v;
        while (v < max && !owner[v])
            v++;
        if (v > first)
            unassigned(vm, diags, first, v - 1);
    }
}

void check_cpus(struct check_context *c)
{
    size_t before = c->diags->errors;
    check_cpu_topology(c->vm, c->diags);
    if (c->diags->errors == before)
        check_cpu_nodes(c->vm, c->arena, c->diags);
}

/* --- regions -------------------------------------------------------------------------------- */

void check_object_ids(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct diags *diags = c->diags;
    struct strmap seen = {0};
    FOR_EACH_REGION(vm, owner, region) {
        const char *id = region->id.value;
        struct span at = given(region->id.at) ? region->id.at : region->at;
        if (strspn(id, LETTERS DIGITS "-._") != strlen(id) || !strchr(LETTERS, id[0]) ||
            strlen(id) > 63) {
            struct diag *d = diag_add(diags, RULE_OBJECT_ID, at, "'%.70s' is not an object id", id);
            diag_help(diags, d,
                      "write a letter, then letters, digits, '-', '.' and '_', at most 63");
            continue;
        }
        static const char *const taken[] = {"pc.", "vga.", "system.", "isa-bios", "cgs0"};
        for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
            if (strncmp(id, taken[i], strlen(taken[i])) == 0) {
                struct diag *d = diag_add(diags, RULE_OBJECT_ID, at,
                                          "the id '%s' may be that of QEMU's own memory", id);
                diag_help(diags, d, "choose one that does not begin with '%s'", taken[i]);
            }
        const struct region *other = strmap_set(&seen, id, (void *)(uintptr_t)region);
        if (other) {
            struct diag *d = diag_add(diags, RULE_OBJECT_ID, at, "the id '%s' is taken", id);
            diag_note(diags, d, given(other->id.at) ? other->id.at : other->at,
                      "by this region of node %u", other->node);
            diag_help(diags, d, "choose another, or leave 'id' out: each region then gets its own");
        }
    }
    strmap_free(&seen);
}

static bool power_of_two(uint64_t v)
{
    return v && (v & (v - 1)) == 0;
}

static void backend_key(struct diags *diags, struct span at, const char *key,
                        const struct backend *backend, const char *help)
{
    struct diag *d = diag_add(diags, RULE_BACKEND_KEY, at, "a %s backend has no '%s'",
                              backend_kind_names[backend->kind.value], key);
    diag_help(diags, d, "%s", help);
}

/* QEMU 11.1.2 on a hugetlbfs: "offset 0x1000 must be multiples of page size 0x200000", and so for
 * 'align' (system/physmem.c). */
static void check_backend_pages(const struct backend *b, struct diags *diags)
{
    bool huge = b->hugepages.value != 0;
    uint64_t page = huge ? b->hugepages.value : 4 * KIB;
    const char *kind = huge ? "the huge page of " : "";
    struct strbuf text = {0};
    struct diag *d;
    strbuf_add_size(&text, page, " ");
    if (given(b->align.at) && (!power_of_two(b->align.value) || b->align.value < page)) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->align.at,
                     "'align' is not a power of two of at least %s%s", kind, text.data);
        diag_help(diags, d,
                  huge ? "leave it out: huge pages have their own"
                       : "write 2MiB for a device dax, as its alignment is");
    }
    if (given(b->offset.at) && b->offset.value % page) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->offset.at, "'offset' is not a multiple of %s%s",
                     kind, text.data);
        diag_help(diags, d, "write a whole number of pages");
    }
    strbuf_free(&text);
}

static void check_backend(const struct backend *b, struct diags *diags)
{
    bool file = b->kind.value == BACKEND_FILE;
    struct diag *d;
    if (file && !b->path.value) {
        d = diag_add(diags, RULE_BACKEND_PATH, b->kind.at, "a file backend without a path");
        diag_help(diags, d, "add 'path': a file, a directory, or a device such as /dev/dax0.0");
    }
    const char *file_only = "leave it out, or write 'kind: file'";
    if (!file && given(b->path.at))
        backend_key(diags, b->path.at, "path", b, file_only);
    if (!file && given(b->offset.at))
        backend_key(diags, b->offset.at, "offset", b, file_only);
    if (!file && given(b->pmem.at))
        backend_key(diags, b->pmem.at, "pmem", b, file_only);
    if (!file && given(b->align.at))
        backend_key(diags, b->align.at, "align", b, file_only);
    if (b->kind.value == BACKEND_RAM && b->hugepages.value)
        backend_key(diags, b->hugepages.at, "hugepages", b,
                    "write 'kind: memfd', or 'kind: file' with the path of a hugetlbfs");
    if (b->hugepages.value && b->hugepages.value != 2 * MIB && b->hugepages.value != GIB) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->hugepages.at,
                     "x86 has no huge pages of this size");
        diag_help(diags, d, "write 2MiB, 1GiB, or true for 2MiB");
    }
    if (b->prealloc.value && !b->reserve.value) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->reserve.at,
                     "memory that is allocated at the start cannot do without a reservation");
        diag_note(diags, d, b->prealloc.at, "'prealloc' is here");
        diag_help(diags, d, "leave one of the two out: QEMU refuses both together");
    }
    if (file)
        check_backend_pages(b, diags);
    bool bound = b->policy.value != POLICY_DEFAULT;
    if (bound != (b->host_nodes.count != 0)) {
        d = diag_add(diags, RULE_HOST_PLACEMENT, bound ? b->policy.at : b->host_nodes.at,
                     bound ? "the policy '%s' needs host nodes"
                           : "the policy '%s' takes no host "
                             "nodes",
                     policy_names[b->policy.value]);
        diag_help(diags, d,
                  bound ? "add 'host-nodes'"
                        : "write 'policy: bind', or leave 'host-nodes'"
                          " out");
    }
    for (size_t i = 0; i < b->host_nodes.count; i++)
        if (b->host_nodes.ranges[i].last >= QEMU_NODE_LIMIT) {
            d = diag_add(diags, RULE_HOST_PLACEMENT, b->host_nodes.at, "there is no host node %u",
                         b->host_nodes.ranges[i].last);
            diag_help(diags, d, "write ids below %d", QEMU_NODE_LIMIT);
            break;
        }
}

void check_regions(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct diags *diags = c->diags;
    const struct backend *last = NULL;
    FOR_EACH_REGION(vm, owner, region) {
        if (given(region->address.at) && region->type.value != MEMORY_SPM) {
            struct diag *d = diag_add(diags, RULE_ADDRESS_TYPE, region->address.at,
                                      "only SPM has an address of its own, not %s memory",
                                      memory_type_names[region->type.value]);
            diag_help(diags, d, "leave 'address' out, or write 'type: spm'");
        }
        /* What many regions take from one place is judged once. */
        const struct backend *b = &region->backend;
        if (!last || !same_place(b->at, last->at) || !same_place(b->policy.at, last->policy.at) ||
            !same_place(b->host_nodes.at, last->host_nodes.at))
            check_backend(b, diags);
        last = b;
    }
}

/* --- nodes and their memory ----------------------------------------------------------------- */

void check_boot_memory(struct check_context *c)
{
    uint64_t all = vm_memory(c->vm, MEMORY_NORMAL) + vm_memory(c->vm, MEMORY_SPM) +
                   vm_memory(c->vm, MEMORY_RESERVED);
    if (all >= ADDRESS_LIMIT) {
        struct diag *limit = diag_add(c->diags, RULE_LIMIT, c->vm->nodes_at,
                                      "more memory than the 4 PiB an x86-64 machine can address");
        diag_help(c->diags, limit, "use less memory");
    }
    if (vm_memory(c->vm, MEMORY_NORMAL))
        return;
    struct diag *d = diag_add(c->diags, RULE_NO_BOOT_MEMORY, c->vm->nodes_at,
                              "no node has normal memory: the guest has nothing to boot from");
    diag_help(c->diags, d, "give node 0 a region of 'type: normal'");
}

void check_mixed(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct diags *diags = c->diags;
    for (size_t n = 0; n < vm->node_count && vm->mixed.value != MIXED_ALLOW; n++) {
        const struct region *normal;
        const struct region *spm;
        /* Of the equal nodes of an id list the first is reported. */
        if (node_repeats(vm, n))
            continue;
        if (!node_has_type(&vm->nodes[n], MEMORY_NORMAL, &normal) ||
            !node_has_type(&vm->nodes[n], MEMORY_SPM, &spm))
            continue;
        struct diag *d = diag_add(diags, RULE_MIXED_NODE, vm->nodes[n].at,
                                  "node %zu has normal memory and SPM", n);
        if (vm->mixed.value == MIXED_DENY)
            d->severity = SEVERITY_ERROR;
        diag_note(diags, d, normal->at, "its normal memory");
        diag_note(diags, d, spm->type.at, "its SPM");
        diag_help(diags, d,
                  "give the SPM a node of its own, or write 'rules: {mixed-nodes: allow}'");
    }
}

void check_spm_cpus(struct check_context *c)
{
    const struct vm *vm = c->vm;
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        const struct region *spm;
        if (!node->cpus.count || !node_has_type(node, MEMORY_SPM, &spm) ||
            node_has_type(node, MEMORY_NORMAL, NULL))
            continue;
        struct diag *d = diag_add(c->diags, RULE_SPM_NODE_CPUS, node->cpus.at,
                                  "node %zu has CPUs, and SPM as its only memory", n);
        diag_note(c->diags, d, spm->type.at, "its SPM");
        diag_help(c->diags, d,
                  "give the CPUs to a node with normal memory, and make that this "
                  "node's 'initiator'");
    }
}

/* --- firmware ------------------------------------------------------------------------------- */

/* Whether a version is what releases of edk2 are called: YYYYMM, or a day, YYYYMMDD. */
static bool is_edk2_version(const char *text)
{
    size_t len = strspn(text, DIGITS);
    if (text[len] || (len != 6 && len != 8))
        return false;
    unsigned long number = strtoul(text, NULL, 10);
    unsigned long day = len == 8 ? number % 100 : 1;
    unsigned long month = (len == 8 ? number / 100 : number) % 100;
    return text[0] == '2' && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Numbers with points, as SeaBIOS has them. */
static bool is_dotted_version(const char *text)
{
    unsigned parts[3];
    return version_parts(text, parts) > 0;
}

void check_firmware_version(struct check_context *c)
{
    const struct boot *boot = &c->vm->boot;
    const char *version = boot->version.value;
    struct diag *d = NULL;
    if (!version)
        return;
    if (boot->firmware.value == FIRMWARE_NONE) {
        d = diag_add(c->diags, RULE_FIRMWARE_VERSION, boot->version.at,
                     "the version of a firmware that is 'none'");
        diag_help(c->diags, d, "leave it out, or name the firmware's type");
    } else if (boot->firmware.value == FIRMWARE_OVMF && !is_edk2_version(version)) {
        d = diag_add(c->diags, RULE_FIRMWARE_VERSION, boot->version.at,
                     "'%.60s' is not a version of OVMF", version);
        diag_help(c->diags, d,
                  "write the year and month of its edk2-stable release, such as 202605, or a day, "
                  "20260522");
    } else if (boot->firmware.value == FIRMWARE_SEABIOS && !is_dotted_version(version)) {
        d = diag_add(c->diags, RULE_FIRMWARE_VERSION, boot->version.at,
                     "'%.60s' is not a version of SeaBIOS", version);
        diag_help(c->diags, d, "write a version such as 1.17.0");
    }
}
