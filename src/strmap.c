/* SPDX-License-Identifier: MIT */
#include "strmap.h"

#include <stdlib.h>
#include <string.h>

struct strmap_slot {
    const char *key;
    void *value;
};

/* Multiplies and folds, from a start that differs from run to run (the address of the table), so that
 * no file can be made whose keys collide. Nothing depends on the order of the slots. */
static uint64_t hash(const struct strmap *map, const char *key)
{
    uint64_t h = (uint64_t)(uintptr_t)map->slots * UINT64_C(0x9e3779b97f4a7c15);
    for (; *key; key++) {
        h = (h ^ (unsigned char)*key) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h;
}

static struct strmap_slot *slot_of(const struct strmap *map, const char *key)
{
    size_t i = hash(map, key) & (map->cap - 1);
    while (map->slots[i].key && strcmp(map->slots[i].key, key) != 0)
        i = (i + 1) & (map->cap - 1);
    return &map->slots[i];
}

void *strmap_get(const struct strmap *map, const char *key)
{
    return map->count ? slot_of(map, key)->value : NULL;
}

void *strmap_set(struct strmap *map, const char *key, void *value)
{
    if (2 * (map->count + 1) > map->cap) {
        struct strmap grown = {.cap = map->cap ? 2 * map->cap : 16};
        grown.slots = xcalloc(grown.cap, sizeof(*grown.slots));
        for (size_t i = 0; i < map->cap; i++)
            if (map->slots[i].key)
                *slot_of(&grown, map->slots[i].key) = map->slots[i];
        grown.count = map->count;
        free(map->slots);
        *map = grown;
    }
    struct strmap_slot *slot = slot_of(map, key);
    void *old = slot->value;
    map->count += slot->key == NULL;
    *slot = (struct strmap_slot){.key = key, .value = value};
    return old;
}

void strmap_clear(struct strmap *map)
{
    /* A table that has grown large would cost its whole size at every later use. */
    if (map->cap > 1024)
        strmap_free(map);
    else if (map->count)
        memset(map->slots, 0, map->cap * sizeof(*map->slots));
    map->count = 0;
}

void strmap_free(struct strmap *map)
{
    free(map->slots);
    *map = (struct strmap){0};
}
