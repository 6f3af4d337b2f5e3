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
};

/* The height of a document bounds the walk's depth, its weight the walk. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void find_marked(struct marked *marked, const struct doc_node *node)
{
    if (node->kind == DOC_SCALAR) {
        if (!strstr(node->text, marker))
            return;
        marked->spans = arena_grow(marked->arena, marked->spans, marked->count, &marked->cap,
                                   sizeof(*marked->spans));
        marked->spans[marked->count++] = node->at;
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == DOC_SEQUENCE) {
            find_marked(marked, node->items[i]);
        } else {
            find_marked(marked, node->pairs[i].key);
            find_marked(marked, node->pairs[i].value);
        }
    }
}

static bool before(uint32_t line, uint32_t column, uint32_t other_line, uint32_t other_column)
{
    return line < other_line || (line == other_line && column < other_column);
}

static int by_place(const void *left, const void *right)
{
    const struct span *a = left;
    const struct span *b = right;
    return before(a->line, a->column, b->line, b->column)   ? -1
           : before(b->line, b->column, a->line, a->column) ? 1
                                                            : 0;
}

static int contains(const void *key, const void *item)
{
    const struct span *place = key;
    const struct span *scalar = item;
    if (before(place->line, place->column, scalar->line, scalar->column))
        return -1;
    return before(place->line, place->column, scalar->end_line, scalar->end_column) ? 0 : 1;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The '#' that makes the text at `at` a comment of this form, or NULL. */
static const char *comment_start(const char *line, const char *at)
{
    while (at > line && blank(at[-1]))
        at--;
    if (at == line || at[-1] != '#')
        return NULL;
    at--;
    return at == line || blank(at[-1]) ? at : NULL;
}

size_t doc_allows(const struct source *source, const struct doc_node *root, struct arena *arena,
                  const struct doc_allow **allows)
{
    struct marked marked = {.arena = arena};
    struct doc_allow *found = NULL;
    size_t count = 0;
    size_t cap = 0;
    const char *end = source->text + source->len;
    const char *next = memmem(source->text, source->len, marker, sizeof(marker) - 1);
    if (next) {
        find_marked(&marked, root);
        if (marked.count)
            qsort(marked.spans, marked.count, sizeof(*marked.spans), by_place);
    }
    for (; next; next = memmem(next, (size_t)(end - next), marker, sizeof(marker) - 1)) {
        struct span at = {0};
        size_t len;
        source_position(source, (size_t)(next - source->text), &at.line, &at.column);
        const char *line = source_line(source, at.line, &len);
        const char *hash = comment_start(line, next);
        const char *p = next;
        next += sizeof(marker) - 1;
        if (!hash || (marked.count &&
                      bsearch(&at, marked.spans, marked.count, sizeof(*marked.spans), contains)))
            continue;
        bool alone = strspn(line, " \t") == (size_t)(hash - line);
        for (const char *name = next;;) {
            name += strspn(name, " \t,");
            size_t left = name < line + len ? (size_t)(line + len - name) : 0;
            size_t name_len = strcspn(name, " \t,\r\n");
            if (!left || !name_len)
                break;
            name_len = name_len < left ? name_len : left;
            uint32_t column = at.column + (uint32_t)(name - p);
            found = arena_grow(arena, found, count, &cap, sizeof(*found));
            found[count++] = (struct doc_allow){
                .line = at.line + alone,
                .rule = arena_strndup(arena, name, name_len),
                .at = {at.line, column, at.line, column + (uint32_t)name_len},
            };
            name += name_len;
        }
    }
    *allows = found;
    return count;
}
