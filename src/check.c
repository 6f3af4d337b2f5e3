/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <inttypes.h>
#include <string.h>

#include "hmat_scale.h"
#include "strbuf.h"
#include "strmap.h"

/* Every region, in order of node and declaration. */
#define FOR_EACH_REGION(vm, owner, region)                                                         \
    for (const struct node *owner = (vm)->nodes; owner < (vm)->nodes + (vm)->node_count; owner++)  \
        for (const struct region *region = owner->regions;                                         \
             region < owner->regions + owner->region_count; region++)

/* --- CPUs ----------------------------------------------------------------------------------- */

static void check_cpu_topology(const struct vm *vm, struct diags *diags)
{
    const struct cpus *c = &vm->cpus;
    uint64_t product = c->sockets.value * c->dies.value * c->modules.value * c->cores.value *
                       c->threads.value;
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

/* --- regions -------------------------------------------------------------------------------- */

static void check_object_ids(const struct vm *vm, struct diags *diags)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    struct strmap seen = {0};
    FOR_EACH_REGION(vm, owner, region)
    {
        const char *id = region->id.value;
        struct span at = given(region->id.at) ? region->id.at : region->at;
        if (strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._") !=
                strlen(id) ||
            !strchr(letters, id[0]) || strlen(id) > 63) {
            struct diag *d = diag_add(diags, RULE_OBJECT_ID, at, "'%.70s' is not an object id", id);
            diag_help(diags, d, "write a letter, then letters, digits, '-', '.' and '_', at most 63");
            continue;
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
    if (given(b->hugepages.at) && b->hugepages.value &&
        (!power_of_two(b->hugepages.value) || b->hugepages.value < 2 * MIB ||
         b->hugepages.value > GIB)) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->hugepages.at, "x86 has no huge pages of this size");
        diag_help(diags, d, "write 2MiB, 1GiB, or true for 2MiB");
    }
    if (b->prealloc.value && !b->reserve.value) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->reserve.at,
                     "memory that is allocated at the start cannot do without a reservation");
        diag_note(diags, d, b->prealloc.at, "'prealloc' is here");
        diag_help(diags, d, "leave one of the two out: QEMU refuses both together");
    }
    if (given(b->align.at) && (!power_of_two(b->align.value) || b->align.value < 4 * KIB)) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->align.at, "'align' is not a power of two of at "
                     "least 4 KiB");
        diag_help(diags, d, "write 2MiB for a device dax, as its alignment is");
    }
    if (given(b->offset.at) && b->offset.value % (4 * KIB)) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->offset.at, "'offset' is not a multiple of 4 KiB");
        diag_help(diags, d, "write a whole number of pages");
    }
    bool bound = b->policy.value != POLICY_DEFAULT;
    if (bound != (b->host_nodes.count != 0)) {
        d = diag_add(diags, RULE_HOST_PLACEMENT, bound ? b->policy.at : b->host_nodes.at,
                     bound ? "the policy '%s' needs host nodes" : "the policy '%s' takes no host "
                     "nodes", policy_names[b->policy.value]);
        diag_help(diags, d, bound ? "add 'host-nodes'" : "write 'policy: bind', or leave 'host-nodes'"
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

static bool same_place(struct span a, struct span b)
{
    return a.line == b.line && a.column == b.column;
}

static void check_regions(const struct vm *vm, struct diags *diags)
{
    const struct backend *last = NULL;
    FOR_EACH_REGION(vm, owner, region)
    {
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

static bool node_has_type(const struct node *node, enum memory_type type, const struct region **at)
{
    for (size_t r = 0; r < node->region_count; r++)
        if (node->regions[r].type.value == (int)type) {
            if (at)
                *at = &node->regions[r];
            return true;
        }
    return false;
}

static void check_mixed(const struct vm *vm, struct diags *diags)
{
    for (size_t n = 0; n < vm->node_count && vm->mixed.value != MIXED_ALLOW; n++) {
        const struct region *normal;
        const struct region *spm;
        /* Of the equal nodes of an id list the first is reported. */
        if (n && same_place(vm->nodes[n].at, vm->nodes[n - 1].at))
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
        diag_help(diags, d, "give the SPM a node of its own, or write 'rules: {mixed-nodes: allow}'");
    }
}

/* --- HMAT ----------------------------------------------------------------------------------- */

static bool known_node(const struct vm *vm, const struct number *id, struct diags *diags)
{
    if (id->value < vm->node_count)
        return true;
    struct diag *d =
        diag_add(diags, RULE_NODE_UNKNOWN, id->at, "there is no node %" PRIu64, id->value);
    diag_help(diags, d, "the nodes are 0 to %zu", vm->node_count - 1);
    return false;
}

static bool cpu_node(const struct vm *vm, const struct number *id, struct diags *diags)
{
    if (!known_node(vm, id, diags))
        return false;
    if (vm->nodes[id->value].cpus.count)
        return true;
    struct diag *d = diag_add(diags, RULE_HMAT_INITIATOR, id->at,
                              "node %" PRIu64 " has no CPUs and cannot be an initiator", id->value);
    diag_help(diags, d, "name a node with 'cpus'");
    return false;
}

static void check_initiators(const struct vm *vm, struct diags *diags)
{
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        struct diag *d;
        if (!given(node->initiator.at) || !cpu_node(vm, &node->initiator, diags))
            continue;
        if (node->cpus.count && node->initiator.value != n) {
            d = diag_add(diags, RULE_HMAT_INITIATOR, node->initiator.at,
                         "node %zu has CPUs and is its own initiator", n);
            diag_help(diags, d, "leave 'initiator' out");
        } else if (!given(vm->hmat_at)) {
            d = diag_add(diags, RULE_HMAT_MISSING, node->initiator.at,
                         "an initiator is told to the guest in the HMAT, and there is none");
            diag_help(diags, d, "add 'hmat', or leave 'initiator' out");
        }
    }
}

static void check_pairs(const struct vm *vm, struct arena *arena, struct diags *diags)
{
    size_t n = vm->node_count;
    uint32_t *seen = arena_alloc(arena, vm->pair_count ? n * n : 0, sizeof(*seen));
    for (size_t i = 0; i < vm->pair_count; i++) {
        const struct hmat_pair *pair = &vm->pairs[i];
        bool from = cpu_node(vm, &pair->from, diags);
        bool to = known_node(vm, &pair->to, diags);
        bool any = false;
        for (int type = 0; type < HMAT_TYPES; type++) {
            any |= given(pair->values[type].at);
            if (!given(pair->values[type].at) || pair->values[type].value)
                continue;
            struct diag *d = diag_add(diags, RULE_HMAT_VALUE, pair->values[type].at,
                                      "0 tells the guest that the value is not known");
            diag_help(diags, d, "write the value, or leave it out");
        }
        for (int first = HMAT_ACCESS_LATENCY; first <= HMAT_ACCESS_BANDWIDTH; first += 3) {
            const struct number *access = &pair->values[first];
            const struct number *other =
                given(pair->values[first + 1].at) ? &pair->values[first + 1]
                                                  : &pair->values[first + 2];
            if (!given(access->at) || !given(other->at))
                continue;
            struct diag *d = diag_add(diags, RULE_KEY_CONFLICT, access->at,
                                      "one value for reads and writes, and one for reads or writes");
            diag_note(diags, d, other->at, "the other one");
            diag_help(diags, d, "write either one for both, or one for each");
        }
        struct diag *d;
        if (!any) {
            d = diag_add(diags, RULE_HMAT_PAIR, pair->at, "a pair without latency or bandwidth");
            diag_help(diags, d, "add 'latency' and 'bandwidth'");
        }
        if (!from || !to)
            continue;
        uint32_t *first = &seen[pair->from.value * n + pair->to.value];
        if (*first) {
            d = diag_add(diags, RULE_HMAT_PAIR, pair->at,
                         "the pair from node %" PRIu64 " to node %" PRIu64 " is given twice",
                         pair->from.value, pair->to.value);
            diag_note(diags, d, vm->pairs[*first - 1].at, "the first one");
            diag_help(diags, d, "put all its values into one item");
        }
        *first = (uint32_t)i + 1;
    }
}

/* What is known of the memory-side caches of each node. */
struct cached_node {
    const struct hmat_cache *levels[4]; /* by level, from 1 */
    bool latency, bandwidth;            /* given from some initiator */
};

static void check_cache(const struct hmat_cache *c, const struct cached_node *node,
                        struct diags *diags)
{
    const struct hmat_cache *lower = node->levels[c->level.value - 1];
    const struct hmat_cache *same = node->levels[c->level.value];
    struct diag *d;
    if (same != c) {
        d = diag_add(diags, RULE_HMAT_CACHE, c->at,
                     "node %" PRIu64 " has two caches of level %" PRIu64, c->node.value,
                     c->level.value);
        diag_note(diags, d, same->at, "the other one");
        diag_help(diags, d, "give each cache of a node a level of its own");
    } else if (c->level.value > 1 && !lower) {
        d = diag_add(diags, RULE_HMAT_CACHE, c->level.at,
                     "node %" PRIu64 " has no cache of level %" PRIu64 " below this one",
                     c->node.value, c->level.value - 1);
        diag_help(diags, d, "number the caches of a node from 1");
    } else if (lower && lower->size.value >= c->size.value) {
        d = diag_add(diags, RULE_HMAT_CACHE, c->size.at,
                     "a cache that is not larger than the one a level below it");
        diag_note(diags, d, lower->size.at, "the size of level %" PRIu64, lower->level.value);
        diag_help(diags, d, "the size grows with the level");
    }
    if (!node->latency || !node->bandwidth) {
        d = diag_add(diags, RULE_HMAT_CACHE, c->node.at,
                     "a cache before node %" PRIu64 ", to which no latency and bandwidth is given",
                     c->node.value);
        diag_help(diags, d, "add a pair 'to: %" PRIu64 "' with both to 'performance'", c->node.value);
    }
}

static void check_caches(const struct vm *vm, struct arena *arena, struct diags *diags)
{
    struct cached_node *nodes = arena_alloc(arena, vm->node_count, sizeof(*nodes));
    for (size_t i = 0; i < vm->pair_count; i++) {
        const struct hmat_pair *pair = &vm->pairs[i];
        for (int type = 0; type < HMAT_TYPES && pair->to.value < vm->node_count; type++) {
            bool *known = hmat_is_latency((enum hmat_type)type) ? &nodes[pair->to.value].latency
                                                                : &nodes[pair->to.value].bandwidth;
            *known |= given(pair->values[type].at);
        }
    }
    for (size_t i = vm->cache_count; i-- > 0;)
        if (vm->caches[i].node.value < vm->node_count)
            nodes[vm->caches[i].node.value].levels[vm->caches[i].level.value] = &vm->caches[i];
    for (size_t i = 0; i < vm->cache_count; i++)
        if (known_node(vm, &vm->caches[i].node, diags))
            check_cache(&vm->caches[i], &nodes[vm->caches[i].node.value], diags);
}

bool check_model(const struct vm *vm, struct arena *arena, struct diags *diags)
{
    size_t before = diags->errors;
    check_cpu_topology(vm, diags);
    if (diags->errors == before)
        check_cpu_nodes(vm, arena, diags);
    check_object_ids(vm, diags);
    check_regions(vm, diags);
    check_mixed(vm, diags);
    check_initiators(vm, diags);
    check_pairs(vm, arena, diags);
    check_caches(vm, arena, diags);
    if (vm_memory(vm, MEMORY_NORMAL) == 0) {
        struct diag *d = diag_add(diags, RULE_NO_BOOT_MEMORY, vm->nodes_at,
                                  "no node has normal memory: the guest has nothing to boot from");
        diag_help(diags, d, "give node 0 a 'memory'");
    }
    return diags->errors == before;
}

/* --- QEMU ----------------------------------------------------------------------------------- */

static void check_counts(const struct vm *vm, const struct qemu_target *t, struct diags *diags)
{
    struct diag *d;
    if (vm->node_count > QEMU_NODE_LIMIT) {
        d = diag_add(diags, RULE_NODE_COUNT, vm->nodes_at, "%zu nodes: QEMU has at most %d",
                     vm->node_count, QEMU_NODE_LIMIT);
        diag_help(diags, d, "use fewer nodes");
    }
    if (vm->cpus.max.value > t->max_cpus) {
        d = diag_add(diags, RULE_CPU_COUNT, vm->cpus.at,
                     "%" PRIu64 " vCPUs: the machine type '%s' has at most %u", vm->cpus.max.value,
                     vm->machine.type.value, t->max_cpus);
        diag_help(diags, d, t->machine == MACHINE_PC ? "write 'machine: q35', or fewer vCPUs"
                            : "use a machine type of QEMU 9.0 or newer, or fewer vCPUs");
    }
    if (vm->slots.value > QEMU_SLOT_LIMIT) {
        d = diag_add(diags, RULE_SLOT_COUNT, vm->slots.at, "%" PRIu64 " slots: QEMU has at most %d",
                     vm->slots.value, QEMU_SLOT_LIMIT);
        diag_help(diags, d, "SPM needs no slots; write as many as DIMMs are to be plugged");
    }
    if (vm->cpus.modules.value > 1 && t->version < QEMU_9_1) {
        d = diag_add(diags, RULE_CPU_TOPOLOGY, vm->cpus.modules.at,
                     "QEMU %u.%u has no CPU modules", t->version / 100, t->version % 100);
        diag_help(diags, d, "use dies or cores, or QEMU 9.1");
    }
}

static void check_apic_ids(const struct vm *vm, const struct qemu_target *t, struct diags *diags)
{
    uint32_t highest = apic_id(&vm->cpus, (uint32_t)vm->cpus.max.value - 1);
    uint32_t present = apic_id(&vm->cpus, (uint32_t)vm->cpus.count.value - 1);
    uint64_t per_socket = vm->cpus.max.value / vm->cpus.sockets.value;
    struct diag *d;
    if (!t->kvm && t->version < QEMU_9_0 && highest >= 255) {
        d = diag_add(diags, RULE_X2APIC, vm->cpus.at,
                     "the highest APIC id is %u; under tcg QEMU %u.%u stops at 254", highest,
                     t->version / 100, t->version % 100);
        diag_help(diags, d, "use fewer vCPUs, kvm, or QEMU 9.0");
    } else if (!t->kvm && present >= 255 && !t->model->x2apic) {
        d = diag_add(diags, RULE_X2APIC, vm->cpus.at,
                     "the APIC id %u needs x2APIC, which the CPU model '%s' has not under tcg",
                     present, vm->machine.cpu.value);
        diag_help(diags, d, "write 'cpu: max'");
    }
    if (t->version >= QEMU_9_0 && t->machine_version < QEMU_8_1 && per_socket >= 255) {
        d = diag_add(diags, RULE_CPU_TOPOLOGY, vm->cpus.at,
                     "%" PRIu64 " vCPUs in a socket: the SMBIOS of machine types before 8.1 holds "
                     "254", per_socket);
        diag_help(diags, d, "use more sockets, or a newer machine type");
    }
}

static void check_sizes(const struct vm *vm, const struct qemu_target *t, struct diags *diags)
{
    uint64_t boot = 0;
    bool reported = false;
    FOR_EACH_REGION(vm, owner, region)
    {
        const struct backend *b = &region->backend;
        bool device = t->interface == SPM_SP_MEM && region->type.value == MEMORY_SPM;
        boot += device ? 0 : region->size.value;
        /* Node RAM over anonymous memory may have any size. */
        uint64_t align = device || b->kind.value != BACKEND_RAM ? backend_alignment(b) : 1;
        if (region->size.value % align == 0)
            continue;
        reported = true;
        struct strbuf page = {0};
        struct strbuf size = {0};
        strbuf_add_size(&page, align, " ");
        strbuf_add_size(&size, round_up(region->size.value, align), "");
        struct diag *d = diag_add(diags, RULE_SIZE_ALIGNMENT, region->size.at,
                                  "the size is not a multiple of the %s that its backend needs",
                                  page.data);
        diag_help(diags, d, "write %s", size.data);
        strbuf_free(&page);
        strbuf_free(&size);
    }
    if (boot % QEMU_RAM_UNIT && !reported) {
        struct diag *d = diag_add(diags, RULE_SIZE_ALIGNMENT, vm->nodes_at,
                                  "boot memory is not a multiple of 8 KiB, to which QEMU rounds it");
        diag_help(diags, d, "make the sizes of the nodes whole MiB");
    }
}

/* Whether two regions can be one memdev: QEMU gives them the same memory then. */
static bool same_backend(const struct region *a, const struct region *b)
{
    const struct backend *x = &a->backend;
    const struct backend *y = &b->backend;
    return !given(b->id.at) && x->kind.value != BACKEND_FILE && x->kind.value == y->kind.value &&
           x->hugepages.value == y->hugepages.value && x->share.value == y->share.value &&
           x->prealloc.value == y->prealloc.value && x->reserve.value == y->reserve.value &&
           x->merge.value == y->merge.value && x->dump.value == y->dump.value &&
           x->policy.value == y->policy.value &&
           id_list_equal(&x->host_nodes, &y->host_nodes);
}

/* One memdev a node; and what the interfaces that type whole nodes can hold. */
static void check_node_regions(const struct vm *vm, const struct qemu_target *t,
                               struct diags *diags)
{
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        const struct region *boot = NULL;
        for (size_t r = 0; r < node->region_count; r++) {
            const struct region *region = &node->regions[r];
            int type = region->type.value;
            struct diag *d;
            if (type == MEMORY_RESERVED && t->interface != SPM_MEMMAP_TYPE) {
                d = diag_add(diags, RULE_RESERVED_INTERFACE, region->type.at,
                             "'%s' has no memory of type reserved",
                             spm_interface_names[t->interface]);
                diag_help(diags, d, "write 'type: spm', or choose 'targets.qemu.spm-interface: "
                          "memmap-type' (patched QEMU only)");
            } else if (type == MEMORY_SPM && !qemu_spm_is_boot_memory(t)) {
                continue;
            } else if (!boot) {
                boot = region;
            } else if (type != boot->type.value) {
                d = diag_add(diags, RULE_REGIONS_PER_NODE, region->at,
                             "'%s' types whole nodes: node %zu cannot have %s memory and %s memory",
                             spm_interface_names[t->interface], n,
                             memory_type_names[boot->type.value], memory_type_names[type]);
                diag_note(diags, d, boot->at, "the node's other memory");
                diag_help(diags, d, "use another node, or choose 'targets.qemu.spm-interface: sp-mem' "
                          "(QEMU 11.1)");
            } else if (type != MEMORY_NORMAL || !same_backend(boot, region)) {
                d = diag_add(diags, RULE_REGIONS_PER_NODE, region->at,
                             "QEMU gives node %zu one piece of %s memory, with one backend and one id",
                             n, memory_type_names[type]);
                diag_note(diags, d, boot->at, "the node's first piece");
                diag_help(diags, d, "write one region of both sizes, or use another node");
            }
        }
    }
}

static void check_hmat_values(const struct vm *vm, struct diags *diags)
{
    for (int type = 0; type < HMAT_TYPES; type++) {
        enum hmat_type t = (enum hmat_type)type;
        struct hmat_scale scale;
        bool ok = true;
        hmat_scale_start(&scale, t);
        for (size_t i = 0; ok && i < vm->pair_count; i++) {
            const struct number *value = &vm->pairs[i].values[type];
            if (!given(value->at))
                continue;
            struct diag *d;
            uint64_t unit = hmat_is_latency(t) ? 1000 : 1;
            if (value->value % (hmat_is_latency(t) ? 1000 : MIB)) {
                d = diag_add(diags, RULE_HMAT_VALUE, value->at, "QEMU takes whole %s",
                             hmat_is_latency(t) ? "nanoseconds" : "MiB/s");
                diag_help(diags, d, "round it");
                ok = false;
            } else if (!hmat_scale_add(&scale, t, value->value / unit)) {
                d = diag_add(diags, RULE_HMAT_VALUE, value->at,
                             "this value and those before it do not fit into 16 bits with one unit");
                diag_help(diags, d, hmat_is_latency(t)
                                        ? "use values with more common zeros, or a smaller range"
                                        : "use values with a larger common power of two, or a smaller "
                                          "range");
                ok = false;
            }
        }
        /* QEMU checks a latency against the unit before it, so the final one is checked here. */
        for (size_t i = 0; ok && i < vm->pair_count; i++) {
            const struct number *value = &vm->pairs[i].values[type];
            uint64_t v = hmat_is_latency(t) ? value->value / 1000 : value->value;
            if (!given(value->at) || v / scale.base < UINT16_MAX)
                continue;
            struct diag *d = diag_add(diags, RULE_HMAT_VALUE, value->at,
                                      "QEMU would cut this value to 16 bits of the unit that the "
                                      "other values need, without a word");
            diag_help(diags, d, "use values with more common zeros, or a smaller range");
            ok = false;
        }
    }
}

static void check_boot(const struct vm *vm, struct diags *diags)
{
    const struct boot *b = &vm->boot;
    bool confidential = vm->machine.confidential.value != CONFIDENTIAL_NONE;
    struct diag *d;
    if (b->firmware.value == FIRMWARE_NONE && !b->kernel.value) {
        d = diag_add(diags, RULE_KERNEL_MISSING, b->firmware.at,
                     "no firmware, and no kernel to boot without it");
        diag_help(diags, d, "add 'kernel', or name a firmware");
    }
    if ((b->initrd.value || b->cmdline.value) && !b->kernel.value) {
        d = diag_add(diags, RULE_KERNEL_MISSING, b->initrd.value ? b->initrd.at : b->cmdline.at,
                     "'%s' without a kernel: QEMU refuses it", b->initrd.value ? "initrd" : "cmdline");
        diag_help(diags, d, "add 'kernel', or leave it out");
    }
    if (b->firmware.value == FIRMWARE_NONE && (b->code.value || b->vars.value)) {
        d = diag_add(diags, RULE_FIRMWARE_FILES, b->code.value ? b->code.at : b->vars.at,
                     "a file of a firmware that is 'none'");
        diag_help(diags, d, "name the firmware's type");
    }
    if (b->vars.value && (b->firmware.value != FIRMWARE_OVMF || confidential)) {
        d = diag_add(diags, RULE_FIRMWARE_FILES, b->vars.at, confidential
                     ? "a confidential guest boots from one image, without 'vars'"
                     : "'%s' keeps no variables in a file", firmware_names[b->firmware.value]);
        diag_help(diags, d, "leave 'vars' out");
    }
}

static void check_features(const struct vm *vm, const struct qemu_target *t, struct diags *diags)
{
    struct diag *d;
    if (vm->machine.confidential.value != CONFIDENTIAL_NONE && !t->kvm) {
        d = diag_add(diags, RULE_CONFIDENTIAL, vm->machine.confidential.at,
                     "a confidential guest needs kvm");
        diag_help(diags, d, "write 'accel: kvm'");
    }
    FOR_EACH_REGION(vm, owner, region)
    {
        if (given(region->backend.offset.at) && t->version < QEMU_8_1) {
            d = diag_add(diags, RULE_BACKEND_KEY, region->backend.offset.at,
                         "file backends have an 'offset' since QEMU 8.1");
            diag_help(diags, d, "leave it out, or use a newer QEMU");
        }
    }
    if (t->interface == SPM_SP_MEM || t->interface == SPM_MEMMAP_TYPE || t->interface == SPM_FLAG ||
        vm_memory(vm, MEMORY_SPM) == 0)
        return;
    d = diag_add(diags, RULE_SPM_KERNEL_PARAMETER, vm->qemu_spm.at,
                 "SPM is plain RAM to QEMU and to firmware; the guest's kernel makes it "
                 "soft-reserved");
    diag_help(diags, d, vm->boot.kernel.value
                            ? "the emitted command line of the kernel holds the memmap= parameters"
                            : "add the memmap= parameters to the kernel's command line in the guest");
}

bool check_qemu(const struct vm *vm, const struct qemu_target *t, struct arena *arena,
                struct diags *diags)
{
    (void)arena;
    size_t before = diags->errors;
    check_counts(vm, t, diags);
    check_apic_ids(vm, t, diags);
    check_node_regions(vm, t, diags);
    check_sizes(vm, t, diags);
    check_hmat_values(vm, diags);
    check_boot(vm, diags);
    check_features(vm, t, diags);
    return diags->errors == before;
}
