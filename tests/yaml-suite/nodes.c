/* SPDX-License-Identifier: MIT */
/* Prints what the YAML reader makes of files, as the events of the YAML test suite; of one that it refuses
 * "refused". An alias is what it stands for; tags, anchors and styles are not kept. */
#include <stdio.h>

#include "doc.h"
#include "strbuf.h"

static void add_text(struct strbuf *out, const char *text)
{
    static const char *const escapes[128] =
        {['\\'] = "\\\\", ['\n'] = "\\n", ['\t'] = "\\t", ['\r'] = "\\r", ['\b'] = "\\b"};
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 128 && escapes[c])
            strbuf_adds(out, escapes[c]);
        else
            strbuf_addc(out, *text);
    }
}

static void add_node(struct strbuf *out, const struct doc_node *node)
{
    switch (node->kind) {
    case DOC_SCALAR:
        strbuf_adds(out, "=VAL ");
        add_text(out, doc_text(node));
        strbuf_adds(out, "\n");
        break;
    case DOC_SEQUENCE:
        strbuf_adds(out, "+SEQ\n");
        for (size_t i = 0; i < doc_count(node); i++)
            add_node(out, doc_items(node)[i]);
        strbuf_adds(out, "-SEQ\n");
        break;
    case DOC_MAPPING:
        strbuf_adds(out, "+MAP\n");
        for (size_t i = 0; i < doc_count(node); i++) {
            add_node(out, doc_pairs(node)[i].key);
            add_node(out, doc_pairs(node)[i].value);
        }
        strbuf_adds(out, "-MAP\n");
        break;
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct source source;
        struct strbuf out = {0};
        if (!source_load(&source, argv[i])) {
            fprintf(stderr, "nodes: cannot read '%s'\n", argv[i]);
            return 2;
        }
        const struct doc_node *root = doc_parse(&source, &arena, &diags);
        strbuf_addf(&out, "FILE %s\n", argv[i]);
        if (root)
            add_node(&out, root);
        else
            strbuf_adds(&out, "refused\n");
        fputs(out.data, stdout);
        strbuf_free(&out);
        source_free(&source);
        arena_free(&arena);
    }
    return 0;
}
