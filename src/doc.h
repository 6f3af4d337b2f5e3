/* SPDX-License-Identifier: MIT */
/* A YAML document as nodes with places, whatever they mean. Layer 2. */
#ifndef SPMTOPO_DOC_H
#define SPMTOPO_DOC_H

#include "diag.h"
#include "source.h"

enum doc_kind { DOC_SCALAR, DOC_SEQUENCE, DOC_MAPPING };

/* Immutable once parsed, owned by the arena it was parsed into. An alias is its anchor's own node,
 * so a document is a graph without cycles; a node's `at` is where it is written. As a large file is a
 * million nodes, what a node holds follows it in memory without a pointer, and doc_text(), doc_count(),
 * doc_items() and doc_pairs() know where. */
struct doc_node {
    struct span at;
    uint8_t kind;   /* enum doc_kind */
    uint8_t height; /* levels of nesting below and with this node */
};

/* Where the text of a scalar begins: in what would be padding. */
enum { DOC_TEXT_OFFSET = offsetof(struct doc_node, height) + 1 };

/* A sequence or a mapping: items, or pairs as a key and a value in turn. */
struct doc_collection {
    struct doc_node node;
    uint32_t count; /* items or pairs */
    const struct doc_node *items[];
};

struct doc_pair {
    const struct doc_node *key; /* always a scalar */
    const struct doc_node *value;
};

/* Of a scalar: NUL-terminated, without NULs inside, UTF-8. */
static inline const char *doc_text(const struct doc_node *node)
{
    return (const char *)node + DOC_TEXT_OFFSET;
}

/* Whether a node is a scalar with a text that is not empty. */
static inline bool doc_has_text(const struct doc_node *node)
{
    return node->kind == DOC_SCALAR && *doc_text(node);
}

/* The items of a sequence, or the pairs of a mapping. */
static inline size_t doc_count(const struct doc_node *node)
{
    return ((const struct doc_collection *)node)->count;
}

/* Of a sequence. */
static inline const struct doc_node *const *doc_items(const struct doc_node *node)
{
    return ((const struct doc_collection *)node)->items;
}

/* Of a mapping. */
static inline const struct doc_pair *doc_pairs(const struct doc_node *node)
{
    return (const struct doc_pair *)((const struct doc_collection *)node)->items;
}

/* Limits of the language (language reference, "Limits"). */
enum { DOC_DEPTH_LIMIT = 64, DOC_NODE_LIMIT = 1000000 };

/* A comment "# spmtopo-allow: NAME[, NAME]": at the end of a line for that line, alone on a line for
 * the next. */
struct doc_allow {
    uint32_t line;    /* the line whose findings it allows */
    const char *rule; /* a name or an id, as written */
    struct span at;   /* of the name */
};

/* The names in the source's comments, in order. `root` is its document: what stands inside a scalar
 * is no comment. */
size_t doc_allows(const struct source *source, const struct doc_node *root, struct arena *arena,
                  const struct doc_allow **allows);

/* The one document in the source; NULL where none can be made of it. Findings, also of a document
 * that is returned, are in diags: a NULL comes with at least one error. */
const struct doc_node *doc_parse(const struct source *source, struct arena *arena,
                                 struct diags *diags);

#endif
