/* SPDX-License-Identifier: MIT */
/* Rules on what the guest's kernel makes of distances. */
#include "check.h"

static void check_asymmetry(struct check_context *c)
{
    const struct distances *s = &c->vm->distances;
    size_t n = c->vm->node_count;
    for (size_t i = 0; i < n; i++) {
        size_t other = 0;
        size_t count = 0;
        for (size_t j = i + 1; j < n; j++) {
            if (s->values[i * n + j] == s->values[j * n + i])
                continue;
            if (!count++)
                other = j;
        }
        if (!count)
            continue;
        /* Both are given: a missing direction equals the other one. */
        struct diag *d =
            diag_add(c->diags, RULE_DISTANCE_ASYMMETRIC, s->spans[other * n + i],
                     "node %zu is at %u from node %zu, and node %zu at %u from node %zu%s", i,
                     s->values[other * n + i], other, other, s->values[i * n + other], i,
                     and_more(c->arena, count - 1, "pair"));
        diag_note(c->diags, d, s->spans[i * n + other], "the other direction");
        diag_help(c->diags, d, "write the same distance for both directions");
    }
}

static void check_missing_distances(struct check_context *c)
{
    const struct distances *s = &c->vm->distances;
    size_t n = c->vm->node_count;
    size_t from = 0, to = 0, missing = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            if (given(s->spans[i * n + j]) || given(s->spans[j * n + i]))
                continue;
            if (!missing++) {
                from = i;
                to = j;
            }
        }
    if (!missing)
        return;
    struct diag *d = diag_add(c->diags, RULE_DISTANCE_MISSING, s->at,
                              "no distance between nodes %zu and %zu, which are then at 20%s", from,
                              to, and_more(c->arena, missing - 1, "pair"));
    diag_help(c->diags, d, "add '%zu: {%zu: …}'; one direction is enough", from, to);
}

static void check_alike(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct distances *s = &vm->distances;
    size_t n = vm->node_count;
    size_t with_cpus = 0;
    if (n < 3)
        return;
    for (size_t i = 0; i < n; i++)
        with_cpus += vm->nodes[i].cpus.count != 0;
    for (size_t i = 0; given(s->at) && i < n * n; i++)
        if (i / n != i % n && s->values[i] != s->values[1])
            return;
    /* Sockets that are all linked to each other are as far as this says; memory nodes are not. */
    if (given(s->at) && with_cpus == n)
        return;
    struct diag *d =
        diag_add(c->diags, RULE_DISTANCE_ALIKE, given(s->at) ? s->at : vm->nodes_at,
                 given(s->at) ? "%zu nodes that are all at %u from each other: the guest "
                                "cannot tell near from far"
                              : "%zu nodes without distances are all at %u from each "
                                "other: the guest cannot tell near from far",
                 n, vm_distance(vm, 0, 1));
    diag_help(c->diags, d,
              given(s->at) ? "write smaller distances to nearer nodes"
                           : "add 'distances', with smaller ones to nearer nodes");
}

void check_distances(struct check_context *c)
{
    if (given(c->vm->distances.at)) {
        check_asymmetry(c);
        check_missing_distances(c);
    }
    check_alike(c);
}
