/* SPDX-License-Identifier: MIT */
/* Distances, as rows or as a mapping. */
#include <inttypes.h>
#include <string.h>

#include "load_keys.h"

static void set_distance(struct loader *l, size_t from, size_t to, const struct doc_node *value)
{
    struct distances *distances = &l->vm->distances;
    struct unit_error error;
    uint64_t v = 0;
    const char *text = load_scalar(l, value, "a distance");
    if (!text)
        return;
    /* Without its value the pair is as if not given. */
    if (!number_parse(text, &v, &error)) {
        load_bad_value(l, value->at, &error);
        l->harmless++;
        return;
    }
    /* ACPI 6.5, section 5.2.17: 0-9 are reserved, 10 is local, 255 is unreachable. */
    if (v < 10 || v > 255 || (v == 10) != (from == to)) {
        struct diag *d = diag_add(l->diags, RULE_DISTANCE_VALUE, value->at,
                                  "%" PRIu64 " is not a distance from node %zu to %s%zu", v, from,
                                  from == to ? "itself, node " : "node ", to);
        l->harmless++;
        if (from == to)
            diag_help(l->diags, d, "a node is at 10 from itself");
        else
            diag_help(l->diags, d,
                      "write 11 to 254, or 255 for unreachable; 10 means the same "
                      "node");
        return;
    }
    distances->values[from * l->vm->node_count + to] = (uint8_t)v;
    distances->spans[from * l->vm->node_count + to] = value->at;
}

static void load_distance_rows(struct loader *l, const struct doc_node *rows)
{
    size_t n = l->vm->node_count;
    if (doc_count(rows) != n) {
        struct diag *d =
            diag_add(l->diags, RULE_DISTANCE_SHAPE, rows->at,
                     "there are %zu rows of distances for %zu nodes", doc_count(rows), n);
        diag_help(l->diags, d, "write one row for each node, in order of node id");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct doc_node *row = doc_items(rows)[i];
        if (row->kind != DOC_SEQUENCE) {
            load_wrong_kind(l, row, "a row of distances");
            continue;
        }
        if (doc_count(row) != n) {
            struct diag *d =
                diag_add(l->diags, RULE_DISTANCE_SHAPE, row->at,
                         "%zu distances from node %zu to %zu nodes", doc_count(row), i, n);
            diag_help(l->diags, d, "write one distance for each node, in order of node id");
            continue;
        }
        for (size_t j = 0; j < n; j++)
            set_distance(l, i, j, doc_items(row)[j]);
    }
}

/* The node that a key of the mapping form names; false with an error where there is none. */
static bool node_key(struct loader *l, const struct doc_node *key, size_t *node)
{
    struct unit_error error;
    uint64_t v;
    if (strncmp(doc_text(key), "x-", 2) == 0)
        return false;
    if (!number_parse(doc_text(key), &v, &error)) {
        load_bad_value(l, key->at, &error);
        return false;
    }
    if (v >= l->vm->node_count) {
        struct diag *d =
            diag_add(l->diags, RULE_NODE_UNKNOWN, key->at, "there is no node %" PRIu64, v);
        diag_help(l->diags, d, "the nodes are 0 to %zu", l->vm->node_count - 1);
        return false;
    }
    *node = (size_t)v;
    return true;
}

static void load_distance_map(struct loader *l, const struct doc_node *map)
{
    for (size_t i = 0; i < doc_count(map); i++) {
        size_t from;
        const struct doc_node *row = doc_pairs(map)[i].value;
        if (!node_key(l, doc_pairs(map)[i].key, &from))
            continue;
        if (row->kind != DOC_MAPPING) {
            diag_help(l->diags, load_wrong_kind(l, row, "a mapping of nodes to distances"),
                      "write {1: 21, 2: 31}");
            continue;
        }
        for (size_t j = 0; j < doc_count(row); j++) {
            size_t to;
            if (node_key(l, doc_pairs(row)[j].key, &to))
                set_distance(l, from, to, doc_pairs(row)[j].value);
        }
    }
}

void load_distances(struct loader *l)
{
    struct distances *distances = &l->vm->distances;
    const struct doc_node *value = l->distances;
    size_t n = l->vm->node_count;
    distances->at = value->at;
    if (!n)
        return;
    distances->values = arena_alloc(l->arena, n * n, sizeof(*distances->values));
    distances->spans = arena_alloc(l->arena, n * n, sizeof(*distances->spans));
    if (value->kind == DOC_SEQUENCE)
        load_distance_rows(l, value);
    else if (value->kind == DOC_MAPPING)
        load_distance_map(l, value);
    else
        diag_help(l->diags, load_wrong_kind(l, value, "rows or a mapping of distances"),
                  "write [[10, 21], [21, 10]] or {0: {1: 21}}");
}
