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
        struct doc_node *node;
        char *anchor;
        size_t first;
    } levels[DOC_DEPTH_LIMIT + 1];
    size_t depth;
    const struct doc_node *root;
    bool failed;
};

static struct span span_of(const yaml_mark_t *start, const yaml_mark_t *end)
{
    return (struct span){
        .line = (uint32_t)start->line + 1,
        .column = (uint32_t)start->column + 1,
        .end_line = (uint32_t)end->line + 1,
        .end_column = (uint32_t)end->column + 1,
    };
}

static struct span point_at_offset(const struct source *source, size_t offset)
{
    struct span at = {0};
    source_position(source, offset, &at.line, &at.column);
    at.end_line = at.line;
    at.end_column = at.column + 1;
    return at;
}

static struct diag *fail(struct parser *p, enum rule_id rule, struct span at, const char *message)
{
    p->failed = true;
    return diag_add(p->diags, rule, at, "%s", message);
}

/* A key of a block mapping ends where the next token starts; what follows the text is not it. */
static struct span collection_span(struct span start, const yaml_mark_t *end)
{
    start.end_line = (uint32_t)end->line + 1;
    start.end_column = (uint32_t)end->column + 1;
    return start;
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
static void deliver(struct parser *p, const struct doc_node *node)
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
    if (memchr(text, '\0', len)) {
        diag_help(p->diags, fail(p, RULE_ENCODING, at, "a NUL character in a scalar"),
                  "remove the \\0");
        return;
    }
    /* Most of a document is scalars: a node and its text are one allocation. */
    struct doc_node *node = arena_alloc(p->arena, 1, sizeof(*node) + len + 1);
    memcpy(node + 1, text, len);
    *node = (struct doc_node){
        .kind = DOC_SCALAR,
        .height = 0,
        .weight = 1,
        .at = at,
        .count = len,
        .text = (const char *)(node + 1),
    };
    add_weight(p, 1, at);
    remember_anchor(p, (const char *)event->data.scalar.anchor, node);
    deliver(p, node);
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
    add_weight(p, node->weight, at);
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
    struct doc_node *node = arena_alloc(p->arena, 1, sizeof(*node));
    *node = (struct doc_node){.kind = kind, .weight = 1, .at = at};
    char *name = NULL;
    if (anchor) {
        name = arena_strndup(p->arena, (const char *)anchor, strlen((const char *)anchor));
        strmap_set(&p->open, name, name);
    }
    p->levels[p->depth++] = (struct level){.node = node, .anchor = name, .first = p->item_count};
}

/* The first of the keys before number i that is the same, or NULL. Few keys are compared one by one;
 * many are kept in p->keys, which the caller clears before the first. */
static const struct doc_node *same_key(struct parser *p, const struct doc_node *node, size_t i)
{
    const struct doc_node *key = node->pairs[i].key;
    if (node->count > 8)
        return strmap_set(&p->keys, key->text, (void *)(uintptr_t)key);
    for (size_t j = 0; j < i; j++) {
        const struct doc_node *other = node->pairs[j].key;
        if (other->kind == DOC_SCALAR && other->count == key->count &&
            memcmp(other->text, key->text, key->count) == 0)
            return other;
    }
    return NULL;
}

static void take_pairs(struct parser *p, struct doc_node *node, const struct doc_node **items)
{
    strmap_clear(&p->keys);
    for (size_t i = 0; i < node->count; i++) {
        const struct doc_node *key = items[2 * i];
        node->pairs[i] = (struct doc_pair){.key = key, .value = items[2 * i + 1]};
        if (key->kind != DOC_SCALAR) {
            diag_help(p->diags, fail(p, RULE_YAML_FEATURE, key->at, "a key that is not a scalar"),
                      "write a name before the colon");
            continue;
        }
        if (strcmp(key->text, "<<") == 0) {
            diag_help(p->diags, fail(p, RULE_YAML_FEATURE, key->at, "merge keys are not supported"),
                      "write the keys out, or give the whole mapping with an alias");
            continue;
        }
        const struct doc_node *first = same_key(p, node, i);
        if (first) {
            struct diag *d = diag_add(p->diags, RULE_DUPLICATE_KEY, key->at,
                                      "the key '%.60s' is given twice", key->text);
            diag_note(p->diags, d, first->at, "the first one is here");
            diag_help(p->diags, d, "keep one of the two");
        }
    }
}

static void on_end(struct parser *p, const yaml_event_t *event)
{
    struct level *level = &p->levels[--p->depth];
    struct doc_node *node = level->node;
    size_t count = p->item_count - level->first;
    const struct doc_node **items = count ? p->items + level->first : NULL;
    for (size_t i = 0; i < count; i++) {
        node->weight += items[i]->weight;
        if (items[i]->height >= node->height)
            node->height = (uint16_t)(items[i]->height + 1);
    }
    if (node->height == 0)
        node->height = 1;
    node->at = collection_span(node->at, &event->end_mark);
    if (node->kind == DOC_MAPPING) {
        node->count = count / 2;
        node->pairs = arena_alloc(p->arena, node->count, sizeof(*node->pairs));
        if (items)
            take_pairs(p, node, items);
    } else {
        node->count = count;
        node->items = arena_alloc(p->arena, count, sizeof(*node->items));
        if (items)
            memcpy(node->items, items, count * sizeof(*items));
    }
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

static void syntax_error(struct parser *p)
{
    const yaml_parser_t *yaml = &p->yaml;
    const char *problem = yaml->problem ? yaml->problem : "cannot be read";
    p->failed = true;
    if (yaml->error == YAML_MEMORY_ERROR)
        out_of_memory();
    if (yaml->error == YAML_READER_ERROR) {
        struct diag *d =
            diag_add(p->diags, RULE_ENCODING, point_at_offset(p->source, yaml->problem_offset),
                     "not a text in UTF-8: %s", problem);
        diag_help(p->diags, d, "save the file as UTF-8 without control characters");
    } else {
        struct span at = span_of(&yaml->problem_mark, &yaml->problem_mark);
        at.end_column++;
        struct diag *d = diag_add(p->diags, RULE_SYNTAX, at, "not valid YAML: %s", problem);
        if (yaml->context && yaml->context_mark.line != yaml->problem_mark.line) {
            struct span from = span_of(&yaml->context_mark, &yaml->context_mark);
            from.end_column++;
            diag_note(p->diags, d, from, "%s", yaml->context);
        }
        diag_help(p->diags, d,
                  "look at the indentation, at missing colons and at unclosed brackets and quotes");
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
