/* SPDX-License-Identifier: MIT */
/* What the unit tests share: cmocka, assertions on text and findings, and text to any stage.
 *
 * A test's standard output is TAP: write to it with print_message("# ...") only. cmocka's skip()
 * prints a "not ok" in TAP, so nothing is skipped. */
#ifndef SPMTOPO_UNIT_H
#define SPMTOPO_UNIT_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compile.h"
#include "load.h"

/* --- assertions ------------------------------------------------------------------------------ */

#define assert_contains(text, part) unit_contains((text), (part), __FILE__, __LINE__)
#define assert_lacks(text, part) unit_lacks((text), (part), __FILE__, __LINE__)
/* The text of a strbuf, and its length: a NUL inside is seen. */
#define assert_buffer(buffer, text)                                                                \
    unit_buffer((buffer), (text), sizeof(text) - 1, __FILE__, __LINE__)
#define assert_span(source, at, l, c, el, ec)                                                      \
    unit_span((source), (at), (struct place){l, c, el, ec}, __FILE__, __LINE__)

static inline void unit_contains(const char *text, const char *part, const char *file, int line)
{
    if (text && strstr(text, part))
        return;
    print_error("\"%s\" lacks \"%s\"\n", text ? text : "(null)", part);
    _fail(file, line);
}

static inline void unit_lacks(const char *text, const char *part, const char *file, int line)
{
    if (!strstr(text, part))
        return;
    print_error("\"%s\" has \"%s\"\n", text, part);
    _fail(file, line);
}

static inline void unit_buffer(const struct strbuf *b, const char *text, size_t len,
                               const char *file, int line)
{
    if (b->len == len && (len == 0 || memcmp(b->data, text, len) == 0))
        return;
    print_error("\"%.*s\" (%zu) != \"%s\" (%zu)\n", (int)b->len, b->data ? b->data : "", b->len,
                text, len);
    _fail(file, line);
}

static inline void unit_span(const struct source *source, struct span span, struct place want,
                             const char *file, int line)
{
    struct place at = source_place(source, span);
    if (at.line == want.line && at.column == want.column && at.end_line == want.end_line &&
        at.end_column == want.end_column)
        return;
    print_error("span %u:%u-%u:%u, not %u:%u-%u:%u\n", at.line, at.column, at.end_line,
                at.end_column, want.line, want.column, want.end_line, want.end_column);
    _fail(file, line);
}

/* --- findings -------------------------------------------------------------------------------- */

/* The line of a place, from 1; 0 for none. */
static inline uint32_t unit_line(const struct source *source, struct span at)
{
    return source_place(source, at).line;
}

static inline uint32_t unit_column(const struct source *source, struct span at)
{
    return source_place(source, at).column;
}

/* The nth finding (from 0) of a rule, or NULL. */
static inline const struct diag *unit_find(const struct diags *diags, enum rule_id rule, size_t nth)
{
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i]->rule == rule && nth-- == 0)
            return diags->items[i];
    return NULL;
}

static inline void unit_print_findings(const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        print_error("finding at %u: %s: %s\n", diags->items[i]->at.start,
                    rule_info(diags->items[i]->rule)->name, diags->items[i]->message);
}

#define assert_finding(diags, rule) unit_finding((diags), (rule), __FILE__, __LINE__)
#define assert_no_findings(diags) unit_no_findings((diags), __FILE__, __LINE__)

static inline const struct diag *unit_finding(const struct diags *diags, enum rule_id rule,
                                              const char *file, int line)
{
    const struct diag *d = unit_find(diags, rule, 0);
    if (d)
        return d;
    print_error("no finding of rule %s\n", rule_info(rule)->name);
    unit_print_findings(diags);
    _fail(file, line);
    return NULL;
}

static inline void unit_no_findings(const struct diags *diags, const char *file, int line)
{
    if (!diags->count)
        return;
    unit_print_findings(diags);
    _fail(file, line);
}

/* --- text to document, model, compilation ---------------------------------------------------- */

struct unit {
    struct source source;
    struct arena arena;
    struct diags diags;
    const struct doc_node *root; /* in the same arena */
    struct vm vm;
    bool loaded;
};

static inline void unit_parse_bytes(struct unit *u, const char *text, size_t len)
{
    *u = (struct unit){.diags = {.arena = NULL}};
    u->diags.arena = &u->arena;
    source_from_memory(&u->source, "test.yaml", text, len);
    u->root = doc_parse(&u->source, &u->arena, &u->diags);
}

static inline void unit_parse(struct unit *u, const char *text)
{
    unit_parse_bytes(u, text, strlen(text));
}

static inline void unit_load(struct unit *u, const char *text)
{
    unit_parse(u, text);
    u->loaded = u->root && model_load(&u->vm, u->root, &u->arena, &u->diags) &&
                u->diags.errors == 0;
}

static inline void unit_free(struct unit *u)
{
    source_free(&u->source);
    arena_free(&u->arena);
}

/* Compiles for QEMU without overrides; compile_free() frees. */
static inline void unit_compile(struct compilation *c, const char *text)
{
    *c = (struct compilation){.ok = false};
    source_from_memory(&c->source, "test.yaml", text, strlen(text));
    compile(c, &(struct overrides){.targets = TARGET_QEMU, .spm_interface = -1, .firmware = -1});
}

#define assert_compiles(c, text) unit_compiles((c), (text), __FILE__, __LINE__)

static inline void unit_compiles(struct compilation *c, const char *text, const char *file,
                                 int line)
{
    unit_compile(c, text);
    if (c->ok)
        return;
    print_error("does not compile: %s\n", text);
    unit_print_findings(&c->diags);
    _fail(file, line);
}

/* --- random numbers -------------------------------------------------------------------------- */

/* xorshift64*: the same numbers everywhere for one seed. */
struct unit_random {
    uint64_t state;
};

static inline uint64_t unit_next(struct unit_random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0 ... n-1 */
static inline uint64_t unit_below(struct unit_random *r, uint64_t n)
{
    return (unit_next(r) >> 11) % n;
}

/* The seed of a run: UNIT_SEED, else a fixed one. It is printed, so that a failure can be run again. */
static inline struct unit_random unit_seed(const char *what)
{
    const char *wanted = getenv("UNIT_SEED");
    uint64_t seed = wanted ? strtoull(wanted, NULL, 0) : 0;
    if (!seed)
        seed = UINT64_C(0x5ee0d);
    print_message("# %s: UNIT_SEED=%" PRIu64 "\n", what, seed);
    return (struct unit_random){.state = seed};
}

#endif
