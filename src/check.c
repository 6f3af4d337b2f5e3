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

void check_address_types(struct check_context *c)
{
    FOR_EACH_REGION(c->vm, owner, region) {
        if (!given(region->address.at) || region->type.value == MEMORY_SPM)
            continue;
        struct diag *d = diag_add(c->diags, RULE_ADDRESS_TYPE, region->address.at,
                                  "only SPM has an address of its own, not %s memory",
                                  memory_type_names[region->type.value]);
        diag_help(c->diags, d, "leave 'address' out, or write 'type: spm'");
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
