/* SPDX-License-Identifier: MIT */
/* A YAML document as nodes with places, whatever they mean. Layer 2. */
#ifndef SPMTOPO_DOC_H
#define SPMTOPO_DOC_H

#include "diag.h"
#include "source.h"

enum doc_kind { DOC_SCALAR, DOC_SEQUENCE, DOC_MAPPING };

/* Immutable once parsed, owned by the arena it was parsed into. An alias is its anchor's own node,
 * so a document is a graph without cycles; a node's `at` is where it is written. */
struct doc_node {
    enum doc_kind kind;
    uint16_t height; /* levels of nesting below and with this node */
    uint32_t weight; /* nodes of this tree with every alias expanded */
    struct span at;
    size_t count; /* items, pairs, or bytes of the scalar */
    union {
        const char *text; /* NUL-terminated, without NULs inside, UTF-8 */
        const struct doc_node **items;
        struct doc_pair *pairs;
    };
};

struct doc_pair {
    const struct doc_node *key; /* always a scalar */
    const struct doc_node *value;
};

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
