/* SPDX-License-Identifier: MIT */
/* What the forms of a shown topology share. Layer 7. */
#ifndef SPMTOPO_SHOW_PARTS_H
#define SPMTOPO_SHOW_PARTS_H

#include "predict.h"

enum map_kind { MAP_NORMAL, MAP_SPM, MAP_RESERVED, MAP_FREE, MAP_HOLE, MAP_KINDS };

extern const char *const map_kind_names[MAP_KINDS];

/* A range of the guest's addresses; `end` is the first byte behind it. */
struct map_row {
    uint64_t address;
    uint64_t end;
    uint32_t node; /* NO_NODE: of none */
    enum map_kind kind;
};

/* The SRAT's memory and E820's reserved ranges in order of addresses, holes between them as rows of
 * their own. The caller frees what it gets. */
struct map_row *show_map_rows(const struct layout *layout, size_t *count);

/* Three lines on the guest as a whole; the first begins with its name and a colon. */
void show_summary(struct strbuf *out, const struct vm *vm, const struct prediction *prediction);

/* Bytes of a node's memory, by type. */
void show_sums(uint64_t sums[MEMORY_TYPES], const struct node *node);

/* Text in at most so many columns of a fixed-width font, with an ellipsis where some is left out;
 * what no XML may hold (section 2.2) is replaced. Valid until the next call with the same buffer. */
const char *show_fit(struct strbuf *b, const char *text, size_t columns);

#endif
