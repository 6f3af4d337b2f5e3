/* SPDX-License-Identifier: MIT */
/* One input file, whole, with an index of its lines. Layer 1. */
#ifndef SPMTOPO_SOURCE_H
#define SPMTOPO_SOURCE_H

#include <stdio.h>

#include "util.h"

/* The language's limit on a file (language reference, "Limits"). */
#define SOURCE_LIMIT (16 * (size_t)MIB)

struct source {
    const char *name; /* as diagnostics show it */
    char *text;       /* NUL-terminated; may hold NULs */
    size_t len;
    size_t *lines; /* byte offset of the start of each line */
    size_t line_count;
    bool too_large; /* text is cut at SOURCE_LIMIT */
};

/* Reads a file, or standard input for "-", at most SOURCE_LIMIT bytes of it. false with errno set
 * when it cannot be read. The source is freed with source_free() either way; `name` is borrowed. */
bool source_load(struct source *source, const char *name);
/* The same for text that is in memory already; it is copied. */
void source_from_memory(struct source *source, const char *name, const char *text, size_t len);
void source_free(struct source *source);

/* The bytes of a line (1-based), without its line break; empty beyond the end. */
const char *source_line(const struct source *source, size_t line, size_t *len);
/* Line and column (1-based, the column in code points) of a byte offset. */
void source_position(const struct source *source, size_t offset, uint32_t *line, uint32_t *column);

#endif
