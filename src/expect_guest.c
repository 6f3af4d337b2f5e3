/* SPDX-License-Identifier: MIT */
#include "expect_guest.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

#include "columns.h"
#include "json.h"

static const char *const fate_names[] = {
    [FATE_NONE] = "none",       [FATE_ARRIVES] = "arrives", [FATE_TOLD] = "kernel-told",
    [FATE_DROPPED] = "dropped", [FATE_RAM] = "ram",
};

static const char *const fate_texts[] = {
    [FATE_NONE] = "the file has no SPM",
    [FATE_ARRIVES] = "firmware hands it on",
    [FATE_TOLD] = "the kernel is told by memmap=; firmware's map is without it",
    [FATE_DROPPED] = "nothing of it will be there",
    [FATE_RAM] = "it will be ordinary RAM of the kernel",
};

/* What Linux shows where, by version: measured with 6.1 and 7.2; commit bc62f5b308cb. */
static const char *const kernel_notes[] = {
    "/proc/iomem lists soft-reserved ranges up to Linux 7.0, and does not from 7.1 on",
    "the boot log says 'usable' and 'reserved' up to Linux 6, 'System RAM' and 'device reserved' from 7 on",
};

static void add_ranges(struct strbuf *out, const char *title, const struct guest_ranges *ranges,
                       const struct guest *numbers)
{
    struct columns c = {.width = 3, .right = 2};
    struct strbuf text = {0};
    strbuf_addf(out, "\n%s\n", title);
    if (!ranges->count)
        strbuf_adds(out, "  none\n");
    for (size_t i = 0; i < ranges->count; i++) {
        const struct guest_range *r = &ranges->items[i];
        text.len = 0;
        guest_add_range(&text, r->start, r->end);
        columns_add(&c, "%s", text.data);
        text.len = 0;
        strbuf_add_size(&text, r->end - r->start, " ");
        columns_add(&c, "%s", text.data);
        if (r->node == NO_NODE)
            columns_add(&c, "%s", "");
        else
            columns_add(&c, "%s %u%s", numbers ? "target node" : "node",
                        numbers ? numbers->nodes[r->node].number : r->node,
                        r->joined ? ", joined with another node's" : "");
    }
    columns_end(&c, out);
    strbuf_free(&text);
}

static void add_nodes(struct strbuf *out, const struct guest *g)
{
    struct columns c = {.width = 5};
    struct strbuf text = {0};
    strbuf_adds(out, "\nNodes\n");
    for (size_t n = 0; n < g->vm->node_count; n++) {
        const struct guest_node *node = &g->nodes[n];
        const struct id_list *cpus = &g->vm->nodes[n].cpus;
        columns_add(&c, "node %zu", n);
        if (node->number == NO_NODE)
            columns_add(&c, "not in the SRAT");
        else
            columns_add(&c, "Linux's %u", node->number);
        text.len = 0;
        strbuf_adds(&text, cpus->count ? "CPUs " : "no CPUs");
        id_list_text(&text, cpus);
        columns_add(&c, "%s", text.data);
        text.len = 0;
        if (node->normal)
            strbuf_add_size(&text, node->normal, " ");
        strbuf_adds(&text, node->normal ? " RAM" : "");
        strbuf_adds(&text, node->normal && node->spm ? ", " : "");
        if (node->spm)
            strbuf_add_size(&text, node->spm, " ");
        strbuf_adds(&text, node->spm ? " SPM" : "");
        columns_add(&c, "%s", text.data ? text.data : "");
        columns_add(&c, "%s", node->boots ? "online" : node->spm ? "online with a driver" : "");
    }
    columns_end(&c, out);
    strbuf_free(&text);
}

void expect_guest_text(struct strbuf *out, const struct guest *g)
{
    const struct vm *vm = g->vm;
    strbuf_addf(out, "%s: %s on %s, as Linux sees it through %s\n", vm->name.value,
                prediction_machine(g->prediction, vm),
                target_names[target_index(g->prediction->target)],
                prediction_firmware(g->prediction, vm));
    if (g->prediction->assumption)
        strbuf_addf(out, "assumed: %s\n", g->prediction->assumption);
    for (size_t i = 0; i < ARRAY_SIZE(g->assumptions); i++)
        if (g->assumptions[i])
            strbuf_addf(out, "assumed: %s\n", g->assumptions[i]);
    strbuf_addf(out, "SPM: %s%s%s\n", fate_texts[g->fate], g->cause ? ": " : "",
                g->cause ? g->cause : "");
    add_ranges(out,
               g->assumptions[0] || g->assumptions[1] ? "Soft-reserved" : "Soft-reserved, exactly",
               &g->spm, NULL);
    add_ranges(out, "RAM, of which firmware takes pieces", &g->left, NULL);
    add_ranges(out, "Dax devices, with dax_hmem", &g->dax, g);
    add_nodes(out, g);
    strbuf_adds(out, "\nDistances, a row for each node, of those online\n");
    for (size_t i = 0; i < vm->node_count; i++) {
        strbuf_adds(out, " ");
        for (size_t j = 0; j < vm->node_count; j++)
            strbuf_addf(out, " %3u", guest_distance(g, i, j));
        strbuf_addc(out, '\n');
    }
    strbuf_adds(out, "\nBy kernel\n");
    for (size_t i = 0; i < ARRAY_SIZE(kernel_notes); i++)
        strbuf_addf(out, "  %s\n", kernel_notes[i]);
}

static void add_number(cJSON *object, const char *key, uint32_t value)
{
    if (value == NO_NODE)
        cJSON_AddNullToObject(object, key);
    else
        cJSON_AddNumberToObject(object, key, value);
}

static void ranges_json(cJSON *root, const char *key, const struct guest_ranges *ranges,
                        const struct guest *numbers)
{
    cJSON *array = cJSON_AddArrayToObject(root, key);
    for (size_t i = 0; i < ranges->count; i++) {
        const struct guest_range *r = &ranges->items[i];
        cJSON *item = json_add_object(array);
        json_add_hex(item, "address", r->start);
        json_add_hex(item, "size", r->end - r->start);
        add_number(item, "node", r->node);
        if (numbers)
            add_number(item, "targetNode",
                       r->node == NO_NODE ? NO_NODE : numbers->nodes[r->node].number);
        if (r->joined)
            cJSON_AddBoolToObject(item, "joined", true);
    }
}

static void nodes_json(cJSON *root, const struct guest *g)
{
    cJSON *array = cJSON_AddArrayToObject(root, "nodes");
    for (size_t n = 0; n < g->vm->node_count; n++) {
        const struct guest_node *node = &g->nodes[n];
        const struct id_list *list = &g->vm->nodes[n].cpus;
        cJSON *item = json_add_object(array);
        cJSON_AddNumberToObject(item, "node", (double)n);
        add_number(item, "number", node->number);
        cJSON *cpus = cJSON_AddArrayToObject(item, "cpus");
        for (size_t i = 0; i < list->count; i++)
            for (uint32_t c = list->ranges[i].first; c <= list->ranges[i].last; c++)
                cJSON_AddItemToArray(cpus, cJSON_CreateNumber(c));
        json_add_hex(item, "normal", node->normal);
        json_add_hex(item, "spm", node->spm);
        cJSON_AddBoolToObject(item, "online", node->boots);
    }
}

void expect_guest_json(struct strbuf *out, const struct guest *g)
{
    const struct prediction *p = g->prediction;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "spmtopo", 1);
    cJSON_AddStringToObject(root, "target", target_names[target_index(p->target)]);
    cJSON_AddStringToObject(root, "machine", prediction_machine(p, g->vm));
    cJSON_AddStringToObject(root, "firmware", prediction_firmware(p, g->vm));
    cJSON_AddStringToObject(root, "stage", "guest");
    cJSON *assumptions = cJSON_AddArrayToObject(root, "assumptions");
    if (p->assumption)
        cJSON_AddItemToArray(assumptions, cJSON_CreateString(p->assumption));
    for (size_t i = 0; i < ARRAY_SIZE(g->assumptions); i++)
        if (g->assumptions[i])
            cJSON_AddItemToArray(assumptions, cJSON_CreateString(g->assumptions[i]));
    cJSON_AddStringToObject(root, "spm", fate_names[g->fate]);
    if (g->cause)
        cJSON_AddStringToObject(root, "cause", g->cause);
    ranges_json(root, "softReserved", &g->spm, NULL);
    ranges_json(root, "ram", &g->left, NULL);
    ranges_json(root, "dax", &g->dax, g);
    nodes_json(root, g);
    cJSON *rows = cJSON_AddArrayToObject(root, "distances");
    for (size_t i = 0; i < g->vm->node_count; i++) {
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(rows, row);
        for (size_t j = 0; j < g->vm->node_count; j++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber(guest_distance(g, i, j)));
    }
    json_add_hex(root, "memoryBlock", g->block);
    json_print(out, root);
}

static void print_dmesg(struct strbuf *out, const struct guest *g, const char *words)
{
    for (size_t i = 0; i < g->spm.count; i++)
        strbuf_addf(out, "%s: [mem 0x%016" PRIx64 "-0x%016" PRIx64 "] %s\n",
                    g->fate == FATE_TOLD ? "user" : "BIOS-e820", g->spm.items[i].start,
                    g->spm.items[i].end - 1, words);
}

void expect_guest_dmesg(struct strbuf *out, const struct guest *g)
{
    print_dmesg(out, g, "soft reserved");
}

void expect_guest_dmesg_7(struct strbuf *out, const struct guest *g)
{
    print_dmesg(out, g, " soft reserved");
}
