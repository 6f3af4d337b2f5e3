/* SPDX-License-Identifier: MIT */
#include "diag.h"

#include <stdlib.h>
#include <string.h>

/* The latest finding that is not an error, to be replaced by one that is. There must be one. */
static struct diag *drop_lesser(struct diags *diags)
{
    size_t i = diags->count;
    while (rule_info(diags->items[i - 1]->rule)->severity == SEVERITY_ERROR)
        i--;
    diags->lesser--;
    return diags->items[i - 1];
}

struct diag *diag_add(struct diags *diags, enum rule_id rule, struct span at, const char *format,
                      ...)
{
    bool error = rule_info(rule)->severity == SEVERITY_ERROR;
    bool full = diags->count >= DIAG_LIMIT;
    diags->errors += rule_is_final(rule_info(rule));
    diags->dropped += full;
    if (full && !(error && diags->lesser)) {
        diags->overflow = (struct diag){.rule = rule, .severity = rule_info(rule)->severity};
        return &diags->overflow;
    }
    struct diag *diag;
    if (full) {
        diag = drop_lesser(diags);
    } else {
        diags->items = arena_grow(diags->arena, diags->items, diags->count, &diags->cap,
                                  sizeof(*diags->items));
        diag = diags->items[diags->count++] = arena_alloc(diags->arena, 1, sizeof(*diag));
        diags->lesser += !error;
    }
    va_list args;
    va_start(args, format);
    *diag = (struct diag){
        .rule = rule,
        .severity = rule_info(rule)->severity,
        .at = at,
        .message = arena_vprintf(diags->arena, format, args),
        .order = diags->count + diags->dropped,
    };
    va_end(args);
    return diag;
}

void diag_help(struct diags *diags, struct diag *diag, const char *format, ...)
{
    if (diag == &diags->overflow)
        return;
    va_list args;
    va_start(args, format);
    diag->help = arena_vprintf(diags->arena, format, args);
    va_end(args);
}

void diag_note(struct diags *diags, struct diag *diag, struct span at, const char *format, ...)
{
    if (diag == &diags->overflow)
        return;
    struct diag_note *note = arena_alloc(diags->arena, 1, sizeof(*note));
    va_list args;
    va_start(args, format);
    *note = (struct diag_note){.at = at, .text = arena_vprintf(diags->arena, format, args)};
    va_end(args);
    struct diag_note **end = &diag->notes;
    while (*end)
        end = &(*end)->next;
    *end = note;
}

static int by_place(const void *left, const void *right)
{
    const struct diag *a = *(const struct diag *const *)left;
    const struct diag *b = *(const struct diag *const *)right;
    if (a->at.start != b->at.start)
        return a->at.start < b->at.start ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static bool same_finding(const struct diag *a, const struct diag *b)
{
    return a->rule == b->rule && strcmp(a->message, b->message) == 0;
}

/* Whether one of the first `count` findings, which are sorted, says the same at the same place. */
static bool is_known(struct diag *const *items, size_t count, const struct diag *diag)
{
    while (count-- && same_place(items[count]->at, diag->at))
        if (same_finding(items[count], diag))
            return true;
    return false;
}

/* Says how many findings are not there, in every form of report. */
static void add_rest(struct diags *diags)
{
    struct diag *rest = arena_alloc(diags->arena, 1, sizeof(*rest));
    *rest = (struct diag){
        .rule = RULE_LIMIT,
        .severity = SEVERITY_NOTE,
        .message = arena_printf(diags->arena, "%zu more findings are not shown", diags->dropped),
    };
    diags->items =
        arena_grow(diags->arena, diags->items, diags->count, &diags->cap, sizeof(*diags->items));
    diags->items[diags->count++] = rest;
}

void diag_sort(struct diags *diags)
{
    if (!diags->count)
        return;
    qsort(diags->items, diags->count, sizeof(*diags->items), by_place);
    size_t kept = 0;
    for (size_t i = 0; i < diags->count; i++)
        if (!is_known(diags->items, kept, diags->items[i]))
            diags->items[kept++] = diags->items[i];
    diags->count = kept;
    if (diags->dropped)
        add_rest(diags);
}

size_t diag_count(const struct diags *diags, enum severity severity)
{
    size_t count = 0;
    for (size_t i = 0; i < diags->count; i++)
        count += diags->items[i]->severity == severity;
    return count;
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] =
        {[SEVERITY_NOTE] = "note", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error"};
    return names[severity];
}
