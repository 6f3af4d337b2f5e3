/* SPDX-License-Identifier: MIT */
/* Comments that allow a rule's findings. libyaml drops comments, so they are looked for in the
 * text. */
#include "doc.h"

#include <stdlib.h>
#include <string.h>

static const char marker[] = "spmtopo-allow:";

/* The scalars of a document that hold the marker, by place. */
struct marked {
    struct arena *arena;
    struct span *spans;
    size_t count;
    size_t cap;
    uint32_t seen; /* where the last node looked at begins */
};

/* The height of a document bounds the walk's depth. What an alias stands for is written before it, and so
 * was seen. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void find_marked(struct marked *marked, const struct doc_node *node)
{
    if (node->at.start < marked->seen)
        return;
    marked->seen = node->at.start;
    if (node->kind == DOC_SCALAR) {
        if (!strstr(doc_text(node), marker))
            return;
        marked->spans = arena_grow(marked->arena, marked->spans, marked->count, &marked->cap,
                                   sizeof(*marked->spans));
        marked->spans[marked->count++] = node->at;
        return;
    }
    for (size_t i = 0; i < doc_count(node); i++) {
        if (node->kind == DOC_SEQUENCE) {
            find_marked(marked, doc_items(node)[i]);
        } else {
            find_marked(marked, doc_pairs(node)[i].key);
            find_marked(marked, doc_pairs(node)[i].value);
        }
    }
}

static int by_place(const void *left, const void *right)
{
    const struct span *a = left;
    const struct span *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static int contains(const void *key, const void *item)
{
    const struct span *place = key;
    const struct span *scalar = item;
    if (place->start < scalar->start)
        return -1;
    return place->start < scalar->end ? 0 : 1;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What follows the marker behind a '#', or NULL where there is none. */
static const char *after_marker(const char *hash, const char *end)
{
    const char *p = hash + 1;
    size_t len = sizeof(marker) - 1;
    while (p < end && blank(*p))
        p++;
    return (size_t)(end - p) >= len && memcmp(p, marker, len) == 0 ? p + len : NULL;
}

/* A byte of the source and its place, which only moves forwards: finding each name's place from the start
 * would take a square of the file's size. */
struct cursor {
    const char *byte;
    uint32_t place;
};

static uint32_t place_of(struct cursor *cursor, const char *byte)
{
    for (; cursor->byte < byte; cursor->byte++)
        cursor->place += !utf8_continues(*cursor->byte);
    return cursor->place;
}

/* What is being collected. */
struct allows {
    struct arena *arena;
    struct doc_allow *items;
    size_t count;
    size_t cap;
};

/* Adds the names from `at` to the end of the line, which are for another line or for this one. */
static void add_names(struct allows *allows, struct cursor *cursor, const char *at,
                      const char *line_end, uint32_t line)
{
    for (;;) {
        while (at < line_end && (blank(*at) || *at == ','))
            at++;
        size_t len = 0;
        while (at + len < line_end && !blank(at[len]) && at[len] != ',')
            len++;
        if (!len)
            return;
        uint32_t start = place_of(cursor, at);
        allows->items = arena_grow(allows->arena, allows->items, allows->count, &allows->cap,
                                   sizeof(*allows->items));
        allows->items[allows->count++] = (struct doc_allow){
            .line = line,
            .rule = arena_strndup(allows->arena, at, len),
            .at = {start, place_of(cursor, at + len)},
        };
        at += len;
    }
}

size_t doc_allows(const struct source *source, const struct doc_node *root, struct arena *arena,
                  const struct doc_allow **allows)
{
    struct allows found = {.arena = arena};
    struct marked marked = {.arena = arena};
    struct cursor cursor = {source->text, 1};
    const char *end = source->text + source->len;
    bool looked = false; /* for the marker in scalars */
    for (const char *hash = source->text; (hash = memchr(hash, '#', (size_t)(end - hash)));
         hash++) {
        const char *names = after_marker(hash, end);
        if (!names)
            continue;
        if (!looked)
            find_marked(&marked, root);
        if (!looked && marked.count)
            qsort(marked.spans, marked.count, sizeof(*marked.spans), by_place);
        looked = true;
        struct span at = {place_of(&cursor, hash), 0};
        uint32_t number = source_place(source, at).line;
        size_t len;
        const char *line = source_line(source, number, &len);
        if ((hash > line && !blank(hash[-1])) ||
            (marked.count &&
             bsearch(&at, marked.spans, marked.count, sizeof(*marked.spans), contains)))
            continue;
        bool alone = strspn(line, " \t") == (size_t)(hash - line);
        add_names(&found, &cursor, names, line + len, number + alone);
        /* A comment ends with its line. */
        hash = line + len - 1;
    }
    *allows = found.items;
    return found.count;
}
