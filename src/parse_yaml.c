/* SPDX-License-Identifier: MIT */
/* YAML text to a document, from libyaml's events, so that limits act before memory does. The only
 * file that knows libyaml. */
#include "doc.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "strmap.h"

/* Room for the items of the collections being read: one stack for all, of which each open
 * collection has the part above its `first`. */
struct parser {
    const struct source *source;
    struct arena *arena;
    struct diags *diags;
    yaml_parser_t yaml;
    struct strmap anchors; /* name to node */
    struct strmap open;    /* names of anchors whose collection is still being read */
    struct strmap keys;    /* of the mapping being closed */
    uint64_t weight;       /* nodes so far, aliases expanded */
    const struct doc_node **items;
    size_t item_count;
    size_t item_cap;
    struct level {
        struct span at;
        enum doc_kind kind;
        char *anchor;
        size_t first;
    } levels[DOC_DEPTH_LIMIT + 1];
    size_t depth;
    const struct doc_node *root;
    bool failed;
};

static struct span span_of(const yaml_mark_t *start, const yaml_mark_t *end)
{
    return (struct span){(uint32_t)start->index + 1, (uint32_t)end->index + 1};
}

static struct span point_at_mark(const yaml_mark_t *mark)
{
    return (struct span){(uint32_t)mark->index + 1, (uint32_t)mark->index + 2};
}

static struct span point_at_offset(const struct source *source, size_t offset)
{
    struct span at = source_span(source, offset, 0);
    at.end++;
    return at;
}

static struct diag *fail(struct parser *p, enum rule_id rule, struct span at, const char *message)
{
    p->failed = true;
    return diag_add(p->diags, rule, at, "%s", message);
}

static bool core_tag(const char *tag, const char *const *names)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    if (strcmp(tag, "!") == 0)
        return true;
    if (strncmp(tag, prefix, sizeof(prefix) - 1) != 0)
        return false;
    for (; *names; names++)
        if (strcmp(tag + sizeof(prefix) - 1, *names) == 0)
            return true;
    return false;
}

static void check_tag(struct parser *p, const yaml_char_t *tag, enum doc_kind kind, struct span at)
{
    static const char *const names[][6] = {
        [DOC_SCALAR] = {"str", "int", "float", "bool", "null", NULL},
        [DOC_SEQUENCE] = {"seq", NULL},
        [DOC_MAPPING] = {"map", NULL},
    };
    if (!tag || core_tag((const char *)tag, names[kind]))
        return;
    struct diag *d = diag_add(p->diags, RULE_YAML_FEATURE, at,
                              "the tag '%.60s' does not belong here", (const char *)tag);
    diag_help(p->diags, d, "leave the tag out: the key decides what its value is");
    p->failed = true;
}

static void limit(struct parser *p, struct span at, const char *message, const char *help)
{
    if (!p->failed)
        diag_help(p->diags, fail(p, RULE_LIMIT, at, message), "%s", help);
}

static void add_weight(struct parser *p, uint64_t weight, struct span at)
{
    p->weight += weight;
    if (p->weight > DOC_NODE_LIMIT)
        limit(p, at, "more than 1,000,000 nodes with aliases expanded",
              "use fewer or smaller aliases");
}

/* Hands a finished node to the collection it is in. */
static inline void deliver(struct parser *p, const struct doc_node *node)
{
    if (p->depth == 0) {
        p->root = node;
        return;
    }
    if (p->depth + node->height > DOC_DEPTH_LIMIT) {
        limit(p, node->at, "nested more than 64 levels deep", "use less nesting");
        return;
    }
    if (p->item_count == p->item_cap) {
        p->item_cap = p->item_cap ? 2 * p->item_cap : 256;
        p->items = xrealloc(p->items, p->item_cap, sizeof(struct doc_node *));
    }
    p->items[p->item_count++] = node;
}

static void remember_anchor(struct parser *p, const char *anchor, const struct doc_node *node)
{
    if (anchor)
        strmap_set(&p->anchors, arena_strndup(p->arena, anchor, strlen(anchor)),
                   (void *)(uintptr_t)node);
}

static void on_scalar(struct parser *p, const yaml_event_t *event)
{
    struct span at = span_of(&event->start_mark, &event->end_mark);
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    check_tag(p, event->data.scalar.tag, DOC_SCALAR, at);
    /* Only an escape can put one there: libyaml reads no NUL in a text. */
    if (event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE && memchr(text, '\0', len)) {
        diag_help(p->diags, fail(p, RULE_ENCODING, at, "a NUL character in a scalar"),
                  "remove the \\0");
        return;
    }
    struct doc_node *node = arena_take(p->arena, DOC_TEXT_OFFSET + len + 1);
    node->at = at;
    node->kind = DOC_SCALAR;
    memcpy((char *)node + DOC_TEXT_OFFSET, text, len);
    add_weight(p, 1, at);
    remember_anchor(p, (const char *)event->data.scalar.anchor, node);
    deliver(p, node);
}

/* Nodes of a tree with its aliases expanded. They were counted when it was read, so this is no more
 * work than the limit allows, and no deeper. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static uint64_t weight_of(const struct doc_node *node)
{
    uint64_t weight = 1;
    size_t children = node->kind == DOC_SCALAR    ? 0
                      : node->kind == DOC_MAPPING ? 2 * doc_count(node)
                                                  : doc_count(node);
    for (size_t i = 0; i < children; i++)
        weight += weight_of(doc_items(node)[i]);
    return weight;
}

static void on_alias(struct parser *p, const yaml_event_t *event)
{
    struct span at = span_of(&event->start_mark, &event->end_mark);
    const char *name = (const char *)event->data.alias.anchor;
    const struct doc_node *node = strmap_get(&p->anchors, name);
    if (strmap_get(&p->open, name)) {
        struct diag *d = diag_add(p->diags, RULE_ALIAS, at,
                                  "the alias '*%.60s' is inside what it stands for", name);
        diag_help(p->diags, d, "write the value out");
        p->failed = true;
        return;
    }
    if (!node) {
        struct diag *d =
            diag_add(p->diags, RULE_ALIAS, at, "the alias '*%.60s' has no anchor before it", name);
        diag_help(p->diags, d, "write '&%.60s' before the value it stands for", name);
        p->failed = true;
        return;
    }
    add_weight(p, weight_of(node), at);
    deliver(p, node);
}

static void on_start(struct parser *p, enum doc_kind kind, const yaml_char_t *anchor,
                     const yaml_char_t *tag, const yaml_event_t *event)
{
    struct span at = span_of(&event->start_mark, &event->end_mark);
    check_tag(p, tag, kind, at);
    if (p->depth == DOC_DEPTH_LIMIT) {
        limit(p, at, "nested more than 64 levels deep", "use less nesting");
        return;
    }
    add_weight(p, 1, at);
    char *name = NULL;
    if (anchor) {
        name = arena_strndup(p->arena, (const char *)anchor, strlen((const char *)anchor));
        strmap_set(&p->open, name, name);
    }
    p->levels[p->depth++] =
        (struct level){.at = at, .kind = kind, .anchor = name, .first = p->item_count};
}

/* The first of the keys before number i that is the same, or NULL. Few keys are compared one by one;
 * many are kept in p->keys, which the caller clears before the first. */
static const struct doc_node *same_key(struct parser *p, const struct doc_node *node, size_t i)
{
    const struct doc_node *key = doc_pairs(node)[i].key;
    if (doc_count(node) > 8)
        return strmap_set(&p->keys, doc_text(key), (void *)(uintptr_t)key);
    for (size_t j = 0; j < i; j++) {
        const struct doc_node *other = doc_pairs(node)[j].key;
        if (*doc_text(other) == *doc_text(key) && other->kind == DOC_SCALAR &&
            strcmp(doc_text(other), doc_text(key)) == 0)
            return other;
    }
    return NULL;
}

static void check_keys(struct parser *p, const struct doc_node *node)
{
    strmap_clear(&p->keys);
    for (size_t i = 0; i < doc_count(node); i++) {
        const struct doc_node *key = doc_pairs(node)[i].key;
        if (key->kind != DOC_SCALAR) {
            diag_help(p->diags, fail(p, RULE_YAML_FEATURE, key->at, "a key that is not a scalar"),
                      "write a name before the colon");
            continue;
        }
        if (strcmp(doc_text(key), "<<") == 0) {
            diag_help(p->diags, fail(p, RULE_YAML_FEATURE, key->at, "merge keys are not supported"),
                      "write the keys out, or give the whole mapping with an alias");
            continue;
        }
        const struct doc_node *first = same_key(p, node, i);
        if (first) {
            struct diag *d = diag_add(p->diags, RULE_DUPLICATE_KEY, key->at,
                                      "the key '%.60s' is given twice", doc_text(key));
            diag_note(p->diags, d, first->at, "the first one is here");
            diag_help(p->diags, d, "keep one of the two");
        }
    }
}

static void on_end(struct parser *p, const yaml_event_t *event)
{
    const struct level *level = &p->levels[--p->depth];
    size_t count = p->item_count - level->first;
    struct doc_collection *all = arena_take(p->arena, sizeof(*all) + count * sizeof(*all->items));
    struct doc_node *node = &all->node;
    node->at = (struct span){level->at.start, (uint32_t)event->end_mark.index + 1};
    node->kind = (uint8_t)level->kind;
    node->height = 1;
    all->count = (uint32_t)(level->kind == DOC_MAPPING ? count / 2 : count);
    for (size_t i = 0; i < count; i++) {
        all->items[i] = p->items[level->first + i];
        if (all->items[i]->height >= node->height)
            node->height = (uint8_t)(all->items[i]->height + 1);
    }
    if (node->kind == DOC_MAPPING)
        check_keys(p, node);
    p->item_count = level->first;
    if (level->anchor) {
        /* An inner anchor of the same name may have been opened and closed meanwhile; the name is
         * this node's again only once it is whole. */
        strmap_set(&p->anchors, level->anchor, node);
        bool still_open = false;
        for (size_t i = 0; i < p->depth; i++)
            still_open |= p->levels[i].anchor && strcmp(p->levels[i].anchor, level->anchor) == 0;
        if (!still_open)
            strmap_set(&p->open, level->anchor, NULL);
    }
    deliver(p, node);
}

static bool indented_by_tab(const struct source *source, size_t line)
{
    size_t len;
    const char *text = source_line(source, line, &len);
    size_t blanks = 0;
    while (blanks < len && text[blanks] == ' ')
        blanks++;
    return blanks < len && text[blanks] == '\t';
}

static void syntax_error(struct parser *p)
{
    const yaml_parser_t *yaml = &p->yaml;
    const char *problem = yaml->problem;
    p->failed = true;
    /* libyaml names every error but those of its own allocations. */
    if (yaml->error == YAML_MEMORY_ERROR || !problem)
        out_of_memory();
    if (yaml->error == YAML_READER_ERROR) {
        struct diag *d =
            diag_add(p->diags, RULE_ENCODING, point_at_offset(p->source, yaml->problem_offset),
                     "not a text in UTF-8: %s", problem);
        diag_help(p->diags, d, "save the file as UTF-8 without control characters");
    } else {
        struct span at = point_at_mark(&yaml->problem_mark);
        struct diag *d = diag_add(p->diags, RULE_SYNTAX, at, "not valid YAML: %s", problem);
        if (yaml->context && yaml->context_mark.line != yaml->problem_mark.line)
            diag_note(p->diags, d, point_at_mark(&yaml->context_mark), "%s", yaml->context);
        diag_help(p->diags, d,
                  indented_by_tab(p->source, yaml->problem_mark.line + 1)
                      ? "the line begins with a tab: write blanks, YAML indents by nothing else"
                      : "look at the indentation, for a colon without a blank behind it, and for "
                        "unclosed brackets and quotes");
    }
}

/* One document; a second one is an error. false when the stream is at its end or has failed. */
static bool on_event(struct parser *p, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(p, event);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(p, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_start(p, DOC_SEQUENCE, event->data.sequence_start.anchor, event->data.sequence_start.tag,
                 event);
        break;
    case YAML_MAPPING_START_EVENT:
        on_start(p, DOC_MAPPING, event->data.mapping_start.anchor, event->data.mapping_start.tag,
                 event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(p, event);
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (p->root)
            diag_help(p->diags,
                      fail(p, RULE_YAML_FEATURE, span_of(&event->start_mark, &event->end_mark),
                           "a second document in one file"),
                      "one file describes one virtual machine: make two files");
        break;
    default:
        break;
    }
    return !p->failed && event->type != YAML_STREAM_END_EVENT;
}

static bool readable(const struct source *source, struct diags *diags)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *name;
    } marks[] = {
        {"\x00\x00\xfe\xff", 4, "UTF-32"},
        {"\xff\xfe\x00\x00", 4, "UTF-32"},
        {"\xfe\xff", 2, "UTF-16"},
        {"\xff\xfe", 2, "UTF-16"},
    };
    if (source->too_large) {
        struct diag *d = diag_add(diags, RULE_LIMIT, (struct span){0}, "larger than 16 MiB");
        diag_help(diags, d,
                  "a topology of 1,024 nodes with every pair takes less: look for "
                  "generated repetition");
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (source->len >= marks[i].len &&
            memcmp(source->text, marks[i].bytes, marks[i].len) == 0) {
            struct diag *d = diag_add(diags, RULE_ENCODING, point_at_offset(source, 0),
                                      "a byte-order mark of %s", marks[i].name);
            diag_help(diags, d, "save the file as UTF-8");
            return false;
        }
    return true;
}

const struct doc_node *doc_parse(const struct source *source, struct arena *arena,
                                 struct diags *diags)
{
    if (!readable(source, diags))
        return NULL;
    struct parser p = {.source = source, .arena = arena, .diags = diags};
    if (!yaml_parser_initialize(&p.yaml))
        out_of_memory();
    yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)source->text, source->len);
    bool more = true;
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(&p.yaml, &event)) {
            syntax_error(&p);
            break;
        }
        more = on_event(&p, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&p.yaml);
    strmap_free(&p.anchors);
    strmap_free(&p.open);
    strmap_free(&p.keys);
    free(p.items);
    if (p.failed)
        return NULL;
    if (!p.root) {
        struct diag *d =
            diag_add(diags, RULE_SYNTAX, point_at_offset(source, 0), "the file holds no document");
        diag_help(diags, d, "begin with 'spmtopo: 1'");
    }
    return p.root;
}
