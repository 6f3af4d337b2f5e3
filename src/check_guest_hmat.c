/* SPDX-License-Identifier: MIT */
/* Rules on what the guest's kernel makes of the HMAT. "Measured" is as in firmware.h. */
#include "check.h"

#include <inttypes.h>

/* Whether a node has memory that a guest can use, now or through a driver. */
static bool has_memory(const struct node *node)
{
    return node_has_type(node, MEMORY_NORMAL, NULL) || node_has_type(node, MEMORY_SPM, NULL);
}

/* The pairs of 'performance' by their nodes; each is given once. */
struct pair_table {
    const struct hmat_pair **pairs; /* nodes * nodes, row = from; NULL: not given */
    bool *named;                    /* by node: the target of some pair */
};

static struct pair_table index_pairs(const struct check_context *c)
{
    const struct vm *vm = c->vm;
    size_t n = vm->node_count;
    struct pair_table t = {
        .pairs = arena_alloc(c->arena, vm->pair_count ? n * n : 0, sizeof(*t.pairs)),
        .named = arena_alloc(c->arena, n, sizeof(*t.named)),
    };
    for (size_t i = 0; i < vm->pair_count; i++) {
        t.pairs[vm->pairs[i].from.value * n + vm->pairs[i].to.value] = &vm->pairs[i];
        t.named[vm->pairs[i].to.value] = true;
    }
    return t;
}

/* A value of a pair for reads or writes: `type` of reads or writes, else the one for both. 0 where
 * it is not known, as in the table. */
static uint64_t pair_value(const struct hmat_pair *pair, enum hmat_type type)
{
    enum hmat_type both = type <= HMAT_WRITE_LATENCY ? HMAT_ACCESS_LATENCY : HMAT_ACCESS_BANDWIDTH;
    if (!pair)
        return 0;
    return given(pair->values[type].at) ? pair->values[type].value : pair->values[both].value;
}

static bool has_latency(const struct hmat_pair *pair)
{
    return pair_value(pair, HMAT_READ_LATENCY) || pair_value(pair, HMAT_WRITE_LATENCY);
}

static bool has_bandwidth(const struct hmat_pair *pair)
{
    return pair_value(pair, HMAT_READ_BANDWIDTH) || pair_value(pair, HMAT_WRITE_BANDWIDTH);
}

/* Linux puts a node into a tier by its latency and bandwidth as seen from its nearest CPUs, and
 * without either one takes memory that a driver adds for slower than DRAM (mm/memory-tiers.c,
 * mt_perf_to_adistance; measured). A node with normal memory has the tier of that. */
void check_tiers(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct pair_table t = index_pairs(c);
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct region *spm;
        if (!node_has_spm_alone(&vm->nodes[n]) || t.named[n] || node_repeats(vm, n) ||
            !node_has_type(&vm->nodes[n], MEMORY_SPM, &spm))
            continue;
        struct diag *d =
            diag_add(c->diags, RULE_SPM_NO_HMAT, spm->type.at,
                     "without values in an HMAT the guest takes the SPM of node %zu for "
                     "slower than its RAM",
                     n);
        if (given(vm->hmat_at))
            diag_note(c->diags, d, vm->hmat_at, "the HMAT");
        if (vm->pair_count)
            diag_help(c->diags, d,
                      "add '- {from: …, to: %zu, latency: …, bandwidth: …}' for each CPU node", n);
        else
            diag_help(c->diags, d, "add %s from each CPU node to each node with memory",
                      given(vm->hmat_at) ? "'performance' to 'hmat',"
                                         : "'hmat', with 'performance'");
    }
}

/* Linux takes nothing of a node that it knows one of the two of (measured). */
static void check_half_pairs(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct hmat_pair *first = NULL;
    size_t more = 0;
    for (size_t i = 0; i < vm->pair_count; i++) {
        if (has_latency(&vm->pairs[i]) == has_bandwidth(&vm->pairs[i]))
            continue;
        more += first != NULL;
        first = first ? first : &vm->pairs[i];
    }
    if (!first)
        return;
    const char *missing = has_latency(first) ? "bandwidth" : "latency";
    struct diag *d = diag_add(c->diags, RULE_HMAT_PARTIAL, first->at,
                              "a %s from node %" PRIu64 " to node %" PRIu64 ", but no %s%s",
                              has_latency(first) ? "latency" : "bandwidth", first->from.value,
                              first->to.value, missing, and_more(c->arena, more, "pair"));
    diag_help(c->diags, d, "add '%s': Linux ignores one without the other", missing);
}

/* Nodes with normal memory of which no pair speaks. SPM_NO_HMAT is for those with SPM alone. */
static void check_unnamed(struct check_context *c, struct pair_table *t)
{
    const struct vm *vm = c->vm;
    const struct node *first = NULL;
    size_t more = 0;
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        if (t->named[n] || !node_has_type(node, MEMORY_NORMAL, NULL))
            continue;
        if (!node->cpus.count && !given(node->initiator.at)) {
            if (node_repeats(vm, n))
                continue;
            struct diag *d = diag_add(c->diags, RULE_HMAT_NO_INITIATOR, node->at,
                                      "the HMAT does not say which CPUs are near to node %zu", n);
            diag_note(c->diags, d, vm->hmat_at, "the HMAT");
            diag_help(c->diags, d,
                      "add 'initiator' to the node, or pairs 'to: %zu' to 'performance'", n);
            continue;
        }
        more += first != NULL;
        first = first ? first : node;
    }
    if (!first || !vm->pair_count)
        return;
    struct diag *d = diag_add(c->diags, RULE_HMAT_PARTIAL, vm->hmat_at,
                              "the HMAT has values of some nodes with memory, but not of node %u%s",
                              first->id, and_more(c->arena, more, "node"));
    diag_note(c->diags, d, first->at, "node %u", first->id);
    diag_help(c->diags, d, "add '- {from: …, to: %u, latency: …, bandwidth: …}' for each CPU node",
              first->id);
}

/* Initiators that know of some only of the nodes that others know of. */
static void check_rows(struct check_context *c, struct pair_table *t)
{
    const struct vm *vm = c->vm;
    size_t n = vm->node_count;
    for (size_t from = 0; vm->pair_count && from < n; from++) {
        const struct hmat_pair **row = t->pairs + from * n;
        const struct hmat_pair *given_pair = NULL;
        size_t missing = 0, first = 0;
        for (size_t to = 0; to < n; to++) {
            given_pair = given_pair ? given_pair : row[to];
            if (row[to] || !t->named[to] || !has_memory(&vm->nodes[to]))
                continue;
            if (!missing++)
                first = to;
        }
        if (!missing || !vm->nodes[from].cpus.count)
            continue;
        struct diag *d = diag_add(c->diags, RULE_HMAT_PARTIAL,
                                  given_pair ? given_pair->from.at : vm->nodes[from].cpus.at,
                                  "the HMAT has no values from node %zu to node %zu%s", from, first,
                                  and_more(c->arena, missing - 1, "node"));
        diag_note(c->diags, d, vm->hmat_at, "the HMAT");
        diag_help(c->diags, d, "add '- {from: %zu, to: %zu, latency: …, bandwidth: …}'", from,
                  first);
    }
}

/* The CPU nodes that Linux links a node to without a stated initiator: of all of them those that
 * are best by each value in turn (drivers/acpi/numa/hmat.c, hmat_register_target_initiators). */
static void find_nearest(const struct vm *vm, const struct pair_table *t, size_t to, bool *nearest)
{
    static const enum hmat_type order[] = {HMAT_WRITE_LATENCY, HMAT_READ_LATENCY,
                                           HMAT_WRITE_BANDWIDTH, HMAT_READ_BANDWIDTH};
    size_t n = vm->node_count;
    for (size_t from = 0; from < n; from++)
        nearest[from] = vm->nodes[from].cpus.count;
    for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
        uint64_t best = 0;
        for (size_t from = 0; from < n; from++) {
            uint64_t v = nearest[from] ? pair_value(t->pairs[from * n + to], order[k]) : 0;
            bool better = order[k] <= HMAT_WRITE_LATENCY ? v < best : v > best;
            if (v && (!best || better))
                best = v;
        }
        for (size_t from = 0; from < n; from++)
            nearest[from] = nearest[from] && pair_value(t->pairs[from * n + to], order[k]) == best;
    }
}

/* QEMU writes an initiator for nodes with RAM alone (measured). Where the values lead Linux to the
 * same node, nothing is lost. */
static void check_lost_initiators(struct check_context *c, struct pair_table *t)
{
    const struct vm *vm = c->vm;
    bool *nearest = arena_alloc(c->arena, vm->node_count, sizeof(*nearest));
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        if (!given(node->initiator.at) || !t->named[n] || qemu_boot_memory(node, c->qemu).region ||
            node_repeats(vm, n))
            continue;
        find_nearest(vm, t, n, nearest);
        size_t other = 0;
        while (other < vm->node_count && (!nearest[other] || other == node->initiator.value))
            other++;
        if (other == vm->node_count)
            continue;
        struct diag *d = diag_add(
            c->diags, RULE_HMAT_INITIATOR_LOST, node->initiator.at,
            "QEMU writes no initiator for node %zu, which has SPM alone: by its values node "
            "%zu is %s",
            n, other, nearest[node->initiator.value] ? "as near" : "nearer");
        if (t->pairs[other * vm->node_count + n])
            diag_note(c->diags, d, t->pairs[other * vm->node_count + n]->at, "from node %zu",
                      other);
        diag_help(c->diags, d, "give node %" PRIu64 " the lowest latency to node %zu",
                  node->initiator.value, n);
    }
}

void check_hmat_complete(struct check_context *c)
{
    if (!given(c->vm->hmat_at))
        return;
    struct pair_table t = index_pairs(c);
    check_half_pairs(c);
    check_unnamed(c, &t);
    check_rows(c, &t);
    check_lost_initiators(c, &t);
}

/* The nodes at one distance from an initiator. */
struct ring {
    const struct hmat_pair *fast, *slow; /* of the lowest and of the highest latency; NULL: none */
};

enum { RING_COUNT = UINT8_MAX + 1 };

static void add_to_ring(struct ring *ring, const struct hmat_pair *pair)
{
    uint64_t latency = pair_value(pair, HMAT_READ_LATENCY);
    uint64_t fast = pair_value(ring->fast, HMAT_READ_LATENCY);
    uint64_t slow = pair_value(ring->slow, HMAT_READ_LATENCY);
    if (!ring->fast || latency < fast || (latency == fast && pair < ring->fast))
        ring->fast = pair;
    if (!ring->slow || latency > slow || (latency == slow && pair > ring->slow))
        ring->slow = pair;
}

static void report_contradiction(struct check_context *c, const struct hmat_pair *near,
                                 const struct hmat_pair *far)
{
    const struct vm *vm = c->vm;
    size_t from = near->from.value;
    struct diag *d =
        diag_add(c->diags, RULE_HMAT_DISTANCE, near->at,
                 "from node %zu, node %" PRIu64 " is nearer than node %" PRIu64 " by "
                 "distance (%u, %u) and farther by latency",
                 from, near->to.value, far->to.value, vm_distance(vm, from, near->to.value),
                 vm_distance(vm, from, far->to.value));
    diag_note(c->diags, d, far->at, "the lower latency");
    struct span at = vm->distances.spans[from * vm->node_count + near->to.value];
    if (!given(at))
        at = vm->distances.spans[near->to.value * vm->node_count + from];
    if (given(at))
        diag_note(c->diags, d, at, "the lower distance");
    diag_help(c->diags, d, "give the node with the lower latency the lower distance");
}

/* Nodes in order of distance must be in order of latency too. A node's own memory is at 10 whatever
 * it is, so it is left out. */
void check_hmat_distances(struct check_context *c)
{
    const struct vm *vm = c->vm;
    size_t n = vm->node_count;
    if (!given(vm->distances.at) || !vm->pair_count)
        return;
    struct pair_table t = index_pairs(c);
    for (size_t from = 0; from < n; from++) {
        struct ring rings[RING_COUNT] = {{NULL, NULL}};
        size_t count = 0;
        for (size_t to = 0; to < n; to++) {
            const struct hmat_pair *pair = t.pairs[from * n + to];
            if (to == from || !pair_value(pair, HMAT_READ_LATENCY))
                continue;
            add_to_ring(&rings[vm_distance(vm, from, to)], pair);
            count++;
        }
        /* The slowest of the nodes that are nearer than those at the distance in hand. */
        const struct hmat_pair *slow = NULL;
        for (size_t i = 0; count && i < RING_COUNT; i++) {
            const struct ring *ring = &rings[i];
            if (!ring->fast)
                continue;
            if (pair_value(slow, HMAT_READ_LATENCY) > pair_value(ring->fast, HMAT_READ_LATENCY)) {
                report_contradiction(c, slow, ring->fast);
                break;
            }
            if (pair_value(ring->slow, HMAT_READ_LATENCY) > pair_value(slow, HMAT_READ_LATENCY))
                slow = ring->slow;
        }
    }
}
