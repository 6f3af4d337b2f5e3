/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "show.h"
#include "show_parts.h"

enum { LABEL_COLUMNS = 40, EDGES_PER_NODE = 4 };

/* Text inside a quoted label: Graphviz reads backslashes and entities there. */
static void add_label(struct strbuf *out, const char *text)
{
    struct strbuf fitted = {0};
    for (const char *p = show_fit(&fitted, text, LABEL_COLUMNS); *p; p++) {
        if (*p == '"' || *p == '\\')
            strbuf_addc(out, '\\');
        if (*p == '&')
            strbuf_adds(out, "&amp;");
        else
            strbuf_addc(out, *p);
    }
    strbuf_free(&fitted);
}

static void add_node(struct strbuf *out, const struct node *node)
{
    uint64_t sums[MEMORY_TYPES];
    struct strbuf ids = {0};
    show_sums(sums, node);
    strbuf_addf(out, "    node%u [label=\"node %u", node->id, node->id);
    if (node->label.value) {
        strbuf_adds(out, "\\n");
        add_label(out, node->label.value);
    }
    if (node->cpus.count) {
        id_list_text(&ids, &node->cpus);
        strbuf_adds(out, "\\nCPUs ");
        add_label(out, ids.data);
    }
    for (size_t type = 0; type < MEMORY_TYPES; type++)
        if (sums[type]) {
            strbuf_adds(out, "\\n");
            strbuf_add_size(out, sums[type], " ");
            strbuf_addf(out, " %s", memory_type_names[type]);
        }
    strbuf_addf(out, "\", id=\"node-%u\"", node->id);
    /* Okabe and Ito's orange and sky blue, light enough for black text. */
    if (sums[MEMORY_SPM])
        strbuf_adds(out, ", style=\"filled,dashed\", fillcolor=\"#f6d28a\"");
    else if (node->cpus.count)
        strbuf_adds(out, ", fillcolor=\"#bfe0f5\"");
    strbuf_adds(out, "];\n");
    strbuf_free(&ids);
}

static uint8_t nearest_of(const struct vm *vm, size_t node)
{
    uint8_t nearest = UINT8_MAX;
    for (size_t other = 0; other < vm->node_count; other++)
        if (other != node && vm_distance(vm, node, other) < nearest)
            nearest = vm_distance(vm, node, other);
    return nearest;
}

/* An edge between two nodes of which one has none that is nearer. Returns how many there are. */
static size_t add_distances(struct strbuf *out, const struct vm *vm)
{
    uint8_t *nearest = xcalloc(vm->node_count, 1);
    size_t count = 0;
    for (size_t n = 0; n < vm->node_count; n++)
        nearest[n] = nearest_of(vm, n);
    for (size_t i = 0; i < vm->node_count; i++)
        for (size_t j = i + 1; j < vm->node_count; j++) {
            uint8_t there = vm_distance(vm, i, j);
            uint8_t back = vm_distance(vm, j, i);
            if (there != nearest[i] && back != nearest[j])
                continue;
            count++;
            strbuf_addf(out, "    node%zu -> node%zu [dir=none, label=\" %u", i, j, there);
            if (back != there)
                strbuf_addf(out, " / %u", back);
            strbuf_adds(out, " \"];\n");
        }
    free(nearest);
    return count;
}

static void add_initiators(struct strbuf *out, const struct vm *vm)
{
    for (size_t n = 0; n < vm->node_count; n++)
        if (given(vm->nodes[n].initiator.at) && vm->nodes[n].initiator.value != n)
            strbuf_addf(out,
                        "    node%" PRIu64 " -> node%zu [style=bold, color=\"#0072b2\", "
                        "label=\" initiator \"];\n",
                        vm->nodes[n].initiator.value, n);
}

/* Nodes without an edge would all be in one row. (Graphviz loses labels of edges where it packs.) */
void show_dot(struct strbuf *out, const struct vm *vm, const struct prediction *p)
{
    struct strbuf edges = {0};
    const char *left_out = "";
    (void)p;
    add_initiators(&edges, vm);
    size_t initiators = edges.len;
    if (vm->distances.values && add_distances(&edges, vm) > EDGES_PER_NODE * vm->node_count) {
        edges.len = initiators;
        left_out = "\\n(too many equal distances to draw)";
    }
    strbuf_adds(out, "digraph topology {\n    graph [label=\"");
    add_label(out, vm->name.value);
    strbuf_addf(out, "%s\", labelloc=t, fontname=\"sans-serif\"%s];\n", left_out,
                edges.len ? "" : ", pack=true, packmode=\"array_i4\"");
    strbuf_adds(out, "    node [shape=box, style=filled, fillcolor=\"#f2f2f2\", "
                     "fontname=\"sans-serif\"];\n"
                     "    edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (size_t n = 0; n < vm->node_count; n++)
        add_node(out, &vm->nodes[n]);
    strbuf_add(out, edges.data, edges.len);
    strbuf_adds(out, "}\n");
    strbuf_free(&edges);
}
