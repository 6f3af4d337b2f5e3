/* SPDX-License-Identifier: MIT */
/* Text in aligned columns. Layer 1. */
#ifndef SPMTOPO_COLUMNS_H
#define SPMTOPO_COLUMNS_H

#include "strbuf.h"

enum { COLUMNS_MOST = 8 };

/* Zero-initialise; set `width`, at most COLUMNS_MOST, and `right` for columns whose cells go to the right.
 * columns_end() frees. */
struct columns {
    struct strbuf cells; /* each ended by NUL */
    size_t count;        /* cells */
    size_t width;        /* cells a row */
    uint32_t right;      /* bit i: column i is aligned to the right */
};

void columns_add(struct columns *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* Writes the rows, two blanks before each and between columns, and frees the cells. */
void columns_end(struct columns *c, struct strbuf *out);

#endif
