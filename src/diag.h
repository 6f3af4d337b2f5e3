/* SPDX-License-Identifier: MIT */
/* Findings: what, where, how hard, and what to write instead. Collected, sorted, rendered last.
 * Layer 1. */
#ifndef SPMTOPO_DIAG_H
#define SPMTOPO_DIAG_H

#include "rule.h"
#include "source.h"
#include "util.h"

static inline bool same_place(struct span a, struct span b)
{
    return a.start == b.start;
}

struct diag_note {
    struct span at;
    const char *text;
    struct diag_note *next;
};

struct diag {
    enum rule_id rule;
    enum severity severity;
    struct span at;
    const char *message;
    const char *help; /* NULL: none */
    struct diag_note *notes;
    size_t order; /* of being added; the tie-breaker among findings at one place */
};

/* More findings than this of one file are counted, not kept: a hostile file is full of them. */
enum { DIAG_LIMIT = 1000 };

struct diags {
    struct arena *arena; /* owns every finding and text; set by the owner */
    struct diag **items;
    size_t count;
    size_t cap;
    size_t errors;        /* findings of final rules (rule.h), kept or not: there is no output */
    size_t lesser;        /* kept findings of rules that are not errors */
    size_t dropped;       /* findings beyond DIAG_LIMIT; errors are kept before others */
    struct diag overflow; /* what diag_add() returns for them */
};

/* Adds a finding with its rule's severity. Never NULL; the finding is the list's. */
struct diag *diag_add(struct diags *diags, enum rule_id rule, struct span at, const char *format,
                      ...) PRINTF_LIKE(4, 5);
/* The help line of a finding. */
void diag_help(struct diags *diags, struct diag *diag, const char *format, ...) PRINTF_LIKE(3, 4);
/* Another place involved. */
void diag_note(struct diags *diags, struct diag *diag, struct span at, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Orders by place, rule, and order of being added; what is said twice at one place, of
 * several nodes or targets, is kept once. How many were dropped becomes the last finding. */
void diag_sort(struct diags *diags);
size_t diag_count(const struct diags *diags, enum severity severity);

/* "note", "warning" or "error". */
const char *severity_name(enum severity severity);

#endif
