/* SPDX-License-Identifier: MIT */
/* Rules on what a file says of the HMAT, whatever the target. */
#include "check.h"

#include <inttypes.h>

#include "hmat_scale.h"

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

void check_hmat(struct check_context *c)
{
    check_initiators(c->vm, c->diags);
    check_pairs(c->vm, c->arena, c->diags);
    check_caches(c->vm, c->arena, c->diags);
}
