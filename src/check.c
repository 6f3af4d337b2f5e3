/* SPDX-License-Identifier: MIT */
/* Rules on what a file says, whatever the target; and what runs all rules. */
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hmat_scale.h"
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

const char *and_more(struct arena *arena, size_t more, const char *what)
{
    if (!more)
        return "";
    return arena_printf(arena, " (and %zu more %s%s)", more, what, more > 1 ? "s" : "");
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
        } else if (!given(vm->hmat_at) && !node->cpus.count) {
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
            const struct number *other = given(pair->values[first + 1].at)
                                             ? &pair->values[first + 1]
                                             : &pair->values[first + 2];
            if (!given(access->at) || !given(other->at))
                continue;
            struct diag *d = diag_add(diags, RULE_KEY_CONFLICT, access->at,
                                      "a %s for both directions, and one for reads or writes",
                                      first == HMAT_ACCESS_LATENCY ? "latency" : "bandwidth");
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
        diag_help(diags, d, "add a pair 'to: %" PRIu64 "' with both to 'performance'",
                  c->node.value);
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

void check_cpus(struct check_context *c)
{
    size_t before = c->diags->errors;
    check_cpu_topology(c->vm, c->diags);
    if (c->diags->errors == before)
        check_cpu_nodes(c->vm, c->arena, c->diags);
}

void check_hmat(struct check_context *c)
{
    check_initiators(c->vm, c->diags);
    check_pairs(c->vm, c->arena, c->diags);
    check_caches(c->vm, c->arena, c->diags);
}

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

bool check_run(const struct check_context *context, enum phase phase)
{
    size_t before = context->diags->errors;
    struct arena arena = {0};
    struct check_context run = *context;
    run.arena = &arena;
    void (*done[RULE_COUNT])(struct check_context *);
    size_t count = 0;
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_info((enum rule_id)i);
        if (rule->phase != phase || !rule->check || !(rule->targets & context->targets))
            continue;
        /* One function may serve several rules. */
        size_t d = 0;
        while (d < count && done[d] != rule->check)
            d++;
        if (d < count)
            continue;
        done[count++] = rule->check;
        rule->check(&run);
    }
    arena_free(&arena);
    return context->diags->errors == before;
}

/* --- SPM nodes, shared backends, firmware ----------------------------------------------------- */

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

/* Host memory that regions map from one file. */
struct file_range {
    const struct region *region;
    uint64_t start, end;
    size_t order;
};

/* A device dax of the host, such as /dev/dax0.0. */
static bool is_device_dax(const struct backend *b)
{
    return b->kind.value == BACKEND_FILE && b->path.value &&
           strncmp(b->path.value, "/dev/dax", 8) == 0;
}

/* Whether a path is evidently a directory, in which each backend gets a file of its own. */
static bool is_directory(const struct backend *b)
{
    const char *path = b->path.value;
    size_t len = strlen(path);
    return b->hugepages.value || path[len - 1] == '/' || strcmp(path, "/dev/shm") == 0 ||
           strcmp(path, "/dev/hugepages") == 0;
}

static int by_file(const void *left, const void *right)
{
    const struct file_range *a = left;
    const struct file_range *b = right;
    int order = strcmp(a->region->backend.path.value, b->region->backend.path.value);
    if (order)
        return order;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void report_shared(const struct file_range *first, const struct file_range *second,
                          struct diags *diags)
{
    const struct region *a = first->region;
    const struct region *b = second->region;
    struct diag *d;
    if (same_place(a->backend.path.at, b->backend.path.at)) {
        d = diag_add(diags, RULE_BACKEND_SHARED, b->backend.path.at,
                     "one file behind regions of nodes %u and %u: they would be the same memory",
                     a->node, b->node);
    } else {
        d = diag_add(diags, RULE_BACKEND_SHARED, b->backend.path.at,
                     "this file is behind another region too: they would be the same memory");
        diag_note(diags, d, a->backend.path.at, "the other region, of node %u", a->node);
    }
    diag_help(diags, d,
              "name another file, or add an 'offset' of 0x%" PRIx64
              "; end the path of a directory with '/'",
              first->end);
}

/* Private mappings of a file have no memory in common once it is written to. */
static void check_shared_files(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct file_range *files = arena_alloc(c->arena, vm->region_count, sizeof(*files));
    size_t count = 0;
    FOR_EACH_REGION(vm, owner, region) {
        const struct backend *b = &region->backend;
        if (b->kind.value != BACKEND_FILE || !b->path.value || is_directory(b))
            continue;
        files[count] = (struct file_range){region, b->offset.value,
                                           b->offset.value + region->size.value, count};
        count++;
    }
    if (count)
        qsort(files, count, sizeof(*files), by_file);
    const struct file_range *all = NULL;    /* of this path, the one that reaches farthest */
    const struct file_range *shared = NULL; /* of these, of those that write to the file */
    struct span last = {0};
    for (size_t i = 0; i < count; i++) {
        const struct backend *b = &files[i].region->backend;
        if (i && strcmp(b->path.value, files[i - 1].region->backend.path.value) != 0)
            all = shared = NULL;
        bool writes = b->share.value || is_device_dax(b);
        const struct file_range *other = writes ? all : shared;
        if (other && other->end > files[i].start && !same_place(b->path.at, last)) {
            report_shared(other, &files[i], c->diags);
            last = b->path.at;
        }
        all = all && all->end >= files[i].end ? all : &files[i];
        if (writes)
            shared = shared && shared->end >= files[i].end ? shared : &files[i];
    }
}

/* QEMU: "backing store align 0x200000 is larger than 'align' option 0x0" (system/physmem.c,
 * qemu_ram_alloc_from_fd). Linux: no private mapping of a device dax (drivers/dax/device.c). */
static void check_device_dax(const struct backend *b, struct diags *diags)
{
    struct diag *d;
    if (!b->align.value) {
        d = diag_add(diags, RULE_BACKEND_DAX_ALIGN, b->path.at,
                     "QEMU maps a device dax only with its alignment");
        diag_help(diags, d, "add 'align: 2MiB', or what the host's 'daxctl list' calls its align");
    }
    if (!b->share.value) {
        d = diag_add(diags, RULE_BACKEND_DAX_ALIGN, b->path.at,
                     "a device dax cannot be mapped privately");
        diag_help(diags, d, "add 'share: true'");
    }
}

/* Where host nodes are named for some memory, other memory still comes from anywhere. A device dax
 * is where it is, and an explicit policy is meant. */
static void check_partial_placement(struct check_context *c)
{
    const struct region *bound = NULL;
    struct span last = {0};
    FOR_EACH_REGION(c->vm, owner, region)
        if (!bound && region->backend.policy.value != POLICY_DEFAULT)
            bound = region;
    FOR_EACH_REGION(c->vm, owner, region) {
        if (!bound || given(region->backend.policy.at) || is_device_dax(&region->backend) ||
            region->backend.policy.value != POLICY_DEFAULT || same_place(region->at, last))
            continue;
        last = region->at;
        struct diag *d = diag_add(c->diags, RULE_HOST_PLACEMENT_PARTIAL, region->at,
                                  "this memory of node %u comes from any host node, while other "
                                  "memory is placed",
                                  region->node);
        diag_note(c->diags, d, bound->backend.host_nodes.at, "host nodes of node %u", bound->node);
        diag_help(c->diags, d, "add 'host-nodes' to its node or backend, or 'policy: default'");
    }
}

void check_backend_paths(struct check_context *c)
{
    struct span last = {0};
    check_shared_files(c);
    FOR_EACH_REGION(c->vm, owner, region) {
        const struct backend *b = &region->backend;
        if (!(c->targets & TARGET_RUNS_QEMU) || !b->path.value || !is_device_dax(b) ||
            same_place(b->path.at, last))
            continue;
        check_device_dax(b, c->diags);
        last = b->path.at;
    }
    check_partial_placement(c);
}

/* The HBM of one socket of a Xeon Max (Intel, 2023): what nobody has on any host node by chance. */
#define LARGE_SPM (64 * GIB)

void check_host_placement_spm(struct check_context *c)
{
    struct span last = {0};
    FOR_EACH_REGION(c->vm, owner, region)
        if (region->backend.policy.value != POLICY_DEFAULT)
            return; /* RULE_HOST_PLACEMENT_PARTIAL speaks of those that are forgotten */
    FOR_EACH_REGION(c->vm, owner, region) {
        const struct backend *b = &region->backend;
        if (region->type.value != MEMORY_SPM || region->size.value < LARGE_SPM ||
            b->kind.value == BACKEND_FILE || given(b->policy.at) || same_place(region->at, last))
            continue;
        last = region->at;
        struct diag *d =
            diag_add(c->diags, RULE_HOST_PLACEMENT_SPM, region->size.at,
                     "the host's memory for the SPM of node %u comes from any of its "
                     "nodes%s",
                     region->node,
                     b->prealloc.value ? "" : ", page by page as the guest touches it");
        diag_help(c->diags, d,
                  "add 'host-nodes: N', 'policy: bind' and 'prealloc: true' to its backend, or "
                  "'policy: default'");
    }
}

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
    bool digit = false;
    for (; *text; text++) {
        if (*text == '.' ? !digit : *text < '0' || *text > '9')
            return false;
        digit = *text != '.';
    }
    return digit;
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
