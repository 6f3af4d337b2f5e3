/* SPDX-License-Identifier: MIT */
/* What the HMAT says: performance of pairs of nodes, and caches. */
#include "load_keys.h"

#define BANDWIDTH .load = load_number, .parse = bandwidth_parse
#define LATENCY .load = load_number, .parse = latency_parse

static const struct key pair_keys[] = {
#define AT(field) .offset = offsetof(struct hmat_pair, field)
    {"from", NUMBER(0, UINT32_MAX), AT(from), .required = true},
    {"to", NUMBER(0, UINT32_MAX), AT(to), .required = true},
    {"latency", LATENCY, AT(values[HMAT_ACCESS_LATENCY])},
    {"bandwidth", BANDWIDTH, AT(values[HMAT_ACCESS_BANDWIDTH])},
    {"read-latency", LATENCY, AT(values[HMAT_READ_LATENCY])},
    {"write-latency", LATENCY, AT(values[HMAT_WRITE_LATENCY])},
    {"read-bandwidth", BANDWIDTH, AT(values[HMAT_READ_BANDWIDTH])},
    {"write-bandwidth", BANDWIDTH, AT(values[HMAT_WRITE_BANDWIDTH])},
#undef AT
};

static void load_pair(struct loader *l, const struct doc_node *item)
{
    struct hmat_pair *pair = APPEND(l, l->vm->pairs, l->vm->pair_count, l->vm->pair_cap);
    *pair = (struct hmat_pair){.at = item->at};
    load_keys(l, item, pair, pair_keys, ARRAY_SIZE(pair_keys), "a pair of 'performance'");
}

static void load_pairs(struct loader *l, const struct doc_node *value, void *into,
                       const struct key *key)
{
    (void)into;
    (void)key;
    /* As many as there are: a growing array would leave its former selves in the arena. */
    l->vm->pair_cap = value->kind == DOC_SEQUENCE ? doc_count(value) : 0;
    l->vm->pairs = arena_alloc(l->arena, l->vm->pair_cap, sizeof(*l->vm->pairs));
    load_items(l, value, "a sequence of {from, to, latency, bandwidth}", load_pair);
}

static const struct key cache_keys[] = {
#define AT(field) .offset = offsetof(struct hmat_cache, field)
    {"node", NUMBER(0, UINT32_MAX), AT(node), .required = true},
    {"level", NUMBER(1, 3), AT(level), .required = true},
    {"size", SIZE, AT(size), .required = true},
    {"line", NUMBER(0, UINT16_MAX), AT(line), .required = true},
    {"associativity", CHOICE(associativity_names), AT(associativity), .required = true},
    {"write-policy", CHOICE(cache_policy_names), AT(policy), .required = true},
#undef AT
};

static void load_cache(struct loader *l, const struct doc_node *item)
{
    struct hmat_cache *cache = APPEND(l, l->vm->caches, l->vm->cache_count, l->vm->cache_cap);
    *cache = (struct hmat_cache){.at = item->at};
    load_keys(l, item, cache, cache_keys, ARRAY_SIZE(cache_keys), "a cache");
}

static void load_caches(struct loader *l, const struct doc_node *value, void *into,
                        const struct key *key)
{
    (void)into;
    (void)key;
    load_items(l, value, "a sequence of caches", load_cache);
}

static const struct key hmat_keys[] = {
    {"performance", load_pairs, .offset = 0},
    {"caches", load_caches, .offset = 0},
};

void load_hmat(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    (void)key;
    l->vm->hmat_at = value->at;
    load_keys(l, value, into, hmat_keys, ARRAY_SIZE(hmat_keys), "'hmat'");
}
