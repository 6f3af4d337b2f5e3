/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <string.h>

const char *const accel_names[] = {[ACCEL_KVM] = "kvm", [ACCEL_TCG] = "tcg"};
const char *const vendor_names[] = {
    [VENDOR_UNSTATED] = NULL, [VENDOR_AMD] = "amd", [VENDOR_INTEL] = "intel"};
const char *const confidential_names[] = {
    [CONFIDENTIAL_NONE] = "none", [CONFIDENTIAL_SEV_SNP] = "sev-snp", [CONFIDENTIAL_TDX] = "tdx"};
const enum cpu_vendor confidential_vendors[] = {[CONFIDENTIAL_NONE] = VENDOR_UNSTATED,
                                                [CONFIDENTIAL_SEV_SNP] = VENDOR_AMD,
                                                [CONFIDENTIAL_TDX] = VENDOR_INTEL};
const char *const firmware_names[] = {[FIRMWARE_OVMF] = "ovmf",
                                      [FIRMWARE_SEABIOS] = "seabios",
                                      [FIRMWARE_QBOOT] = "qboot",
                                      [FIRMWARE_NONE] = "none"};
const char *const memory_type_names[] = {
    [MEMORY_NORMAL] = "normal", [MEMORY_SPM] = "spm", [MEMORY_RESERVED] = "reserved"};
const char *const backend_kind_names[] = {
    [BACKEND_RAM] = "ram", [BACKEND_MEMFD] = "memfd", [BACKEND_FILE] = "file"};
const char *const policy_names[] = {[POLICY_DEFAULT] = "default",
                                    [POLICY_PREFERRED] = "preferred",
                                    [POLICY_BIND] = "bind",
                                    [POLICY_INTERLEAVE] = "interleave"};
const char *const mixed_names[] = {
    [MIXED_WARN] = "warn", [MIXED_ALLOW] = "allow", [MIXED_DENY] = "deny"};
const char *const spm_interface_names[] = {[SPM_AUTO] = "auto",
                                           [SPM_SP_MEM] = "sp-mem",
                                           [SPM_MEMMAP_TYPE] = "memmap-type",
                                           [SPM_FLAG] = "spm-flag",
                                           [SPM_KERNEL_PARAMETER] = "kernel-parameter",
                                           [SPM_NONE] = "none"};
const char *const associativity_names[] = {[ASSOCIATIVITY_NONE] = "none",
                                           [ASSOCIATIVITY_DIRECT] = "direct",
                                           [ASSOCIATIVITY_COMPLEX] = "complex"};
const char *const cache_policy_names[] = {[CACHE_POLICY_NONE] = "none",
                                          [CACHE_WRITE_BACK] = "write-back",
                                          [CACHE_WRITE_THROUGH] = "write-through"};

size_t id_list_size(const struct id_list *list)
{
    size_t size = 0;
    for (size_t i = 0; i < list->count; i++)
        size += (size_t)list->ranges[i].last - list->ranges[i].first + 1;
    return size;
}

bool id_list_equal(const struct id_list *a, const struct id_list *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->ranges, b->ranges, a->count * sizeof(*a->ranges)) == 0);
}

void id_list_text(struct strbuf *out, const struct id_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        strbuf_addf(out, i ? ",%u" : "%u", list->ranges[i].first);
        if (list->ranges[i].last != list->ranges[i].first)
            strbuf_addf(out, "-%u", list->ranges[i].last);
    }
}

struct span vm_vendor_place(const struct vm *vm)
{
    return given(vm->machine.accel.at) ? vm->machine.accel.at
           : given(vm->machine.cpu.at) ? vm->machine.cpu.at
                                       : vm->cpus.at;
}

const struct region *vm_first_region(const struct vm *vm, enum memory_type type)
{
    FOR_EACH_REGION(vm, node, region)
        if (region->type.value == (int)type)
            return region;
    return NULL;
}

uint64_t vm_memory(const struct vm *vm, enum memory_type type)
{
    uint64_t sum = 0;
    FOR_EACH_REGION(vm, node, region)
        if (region->type.value == (int)type)
            sum = u64_min(sum + region->size.value, ADDRESS_LIMIT);
    return sum;
}

bool node_has_type(const struct node *node, enum memory_type type, const struct region **at)
{
    for (size_t r = 0; r < node->region_count; r++)
        if (node->regions[r].type.value == (int)type) {
            if (at)
                *at = &node->regions[r];
            return true;
        }
    return false;
}

bool node_has_spm_alone(const struct node *node)
{
    return node_has_type(node, MEMORY_SPM, NULL) && !node_has_type(node, MEMORY_NORMAL, NULL);
}

uint8_t vm_distance(const struct vm *vm, size_t from, size_t to)
{
    uint8_t value = vm->distances.values ? vm->distances.values[from * vm->node_count + to] : 0;
    return value ? value : from == to ? 10 : 20;
}

uint64_t cpu_product(const struct cpus *c)
{
    const uint64_t factors[] = {c->sockets.value, c->dies.value, c->modules.value, c->cores.value,
                                c->threads.value};
    uint64_t product = 1;
    for (size_t i = 0; i < ARRAY_SIZE(factors); i++)
        product = u64_min(product * factors[i], VCPU_LIMIT + 1);
    return product;
}

static uint64_t or_else(struct number *n, uint64_t value)
{
    if (!given(n->at))
        n->value = value;
    return n->value;
}

/* QEMU >= 6.2 fills missing factors so: cores before sockets (hw/core/machine-smp.c). A factor that
 * would become 0 is left to the rule cpu-topology. */
static void complete_cpus(struct cpus *c)
{
    or_else(&c->dies, 1);
    or_else(&c->modules, 1);
    uint64_t group = c->dies.value * c->modules.value;
    uint64_t max = given(c->max.at) ? c->max.value : c->count.value;
    if (!given(c->count.at) && !given(c->max.at)) {
        or_else(&c->sockets, 1);
        or_else(&c->cores, 1);
        or_else(&c->threads, 1);
        max = cpu_product(c);
    } else if (!given(c->cores.at)) {
        or_else(&c->sockets, 1);
        or_else(&c->threads, 1);
        uint64_t per_core = c->sockets.value * group * c->threads.value;
        c->cores.value = per_core ? max / per_core : 0;
    } else if (!given(c->sockets.at)) {
        or_else(&c->threads, 1);
        uint64_t per_socket = group * c->cores.value * c->threads.value;
        c->sockets.value = per_socket ? max / per_socket : 0;
    }
    uint64_t per_thread = c->sockets.value * group * c->cores.value;
    or_else(&c->threads, per_thread ? max / per_thread : 0);
    or_else(&c->max, max);
    or_else(&c->count, max);
}

/* The properties that say where host memory comes from go together: a list of host nodes that was
 * given for one place does not meet a policy that was given for another. */
static void inherit_placement(struct id_list *nodes, struct choice *policy,
                              const struct id_list *from_nodes, const struct choice *from_policy)
{
    if (given(nodes->at) || given(policy->at))
        return;
    *nodes = *from_nodes;
    *policy = *from_policy;
}

static void default_choice(struct choice *choice, int value)
{
    if (!given(choice->at))
        choice->value = value;
}

/* A region's own backend stands for itself; the file's default is for regions without one. The
 * values filled in are QEMU's own (qapi/qom.json, MemoryBackendProperties), so that saying one in
 * the file changes nothing. */
static void complete_backend(struct backend *own, const struct node *node,
                             const struct backend *from)
{
    const struct backend none = {0};
    struct backend fallback = given(own->at) ? none : *from;
    struct backend said = *own;
    if (!given(own->at))
        *own = fallback;
    own->host_nodes = said.host_nodes;
    own->policy = said.policy;
    inherit_placement(&own->host_nodes, &own->policy, &node->host_nodes, &node->policy);
    inherit_placement(&own->host_nodes, &own->policy, &fallback.host_nodes, &fallback.policy);
    default_choice(&own->kind, BACKEND_RAM);
    default_choice(&own->share, own->kind.value == BACKEND_MEMFD);
    default_choice(&own->prealloc, false);
    default_choice(&own->reserve, true);
    default_choice(&own->merge, true);
    default_choice(&own->dump, true);
    default_choice(&own->pmem, false);
    default_choice(&own->policy, own->host_nodes.count ? POLICY_BIND : POLICY_DEFAULT);
}

static void complete_distances(struct vm *vm)
{
    size_t n = vm->node_count;
    uint8_t *values = vm->distances.values;
    if (!values)
        return;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (!values[i * n + j])
                values[i * n + j] = values[j * n + i];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (!values[i * n + j])
                values[i * n + j] = i == j ? 10 : 20;
}

void model_complete(struct vm *vm, struct arena *arena)
{
    complete_cpus(&vm->cpus);
    if (!vm->machine.cpu.value)
        vm->machine.cpu.value = vm->machine.accel.value == ACCEL_KVM ? "host" : "max";
    for (size_t n = 0; n < vm->node_count; n++) {
        struct node *node = &vm->nodes[n];
        for (size_t r = 0; r < node->region_count; r++) {
            struct region *region = &node->regions[r];
            if (!region->id.value)
                region->id.value = node->region_count > 1
                                       ? arena_printf(arena, "node%u-mem%zu", node->id, r)
                                       : arena_printf(arena, "node%u-mem", node->id);
            complete_backend(&region->backend, node, &vm->default_backend);
        }
        if (!given(node->initiator.at) && node->cpus.count)
            node->initiator.value = node->id;
    }
    complete_distances(vm);
}
