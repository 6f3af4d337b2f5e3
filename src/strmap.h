/* SPDX-License-Identifier: MIT */
/* A map from text to pointers. Layer 0. */
#ifndef SPMTOPO_STRMAP_H
#define SPMTOPO_STRMAP_H

#include "util.h"

/* Open addressing; keys are borrowed. Zero-initialise; strmap_free() frees the slots only. */
struct strmap {
    struct strmap_slot *slots;
    size_t cap;
    size_t count;
};

/* The value of a key; NULL where it has none. */
void *strmap_get(const struct strmap *map, const char *key);
/* Sets a key's value (not NULL) and returns the one it had before, or NULL. */
void *strmap_set(struct strmap *map, const char *key, void *value);
/* Forgets all keys and keeps the memory of a small map. */
void strmap_clear(struct strmap *map);
void strmap_free(struct strmap *map);

#endif
