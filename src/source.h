/* SPDX-License-Identifier: MIT */
/* One input file, whole, with an index of its lines. Layer 1. */
#ifndef SPMTOPO_SOURCE_H
#define SPMTOPO_SOURCE_H

#include <stdio.h>

#include "util.h"

/* A stretch of a source, in code points from its start, counted from 1; `end` is the one after the last.
 * start 0: no place (a default, or the file as a whole). */
struct span {
    uint32_t start;
    uint32_t end;
};

/* The same for people: lines and columns from 1, columns in code points; end_column is the one after
 * the last. */
struct place {
    uint32_t line;
    uint32_t column;
    uint32_t end_line;
    uint32_t end_column;
};

/* Where a line begins, in bytes and in code points from the start, both counted from 0. */
struct source_line {
    uint32_t byte;
    uint32_t character;
};

/* The language's limit on a file (language reference, "Limits"). */
#define SOURCE_LIMIT (16 * (size_t)MIB)

struct source {
    const char *name; /* as diagnostics show it */
    char *text;       /* NUL-terminated; may hold NULs */
    size_t len;
    struct source_line *lines;
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
/* The code points in the `len` bytes from a byte offset on. */
struct span source_span(const struct source *source, size_t offset, size_t len);
/* Lines and columns of a span; all 0 for no place. One code point ends on its line, also where it is
 * that line's end. */
struct place source_place(const struct source *source, struct span span);

#endif
