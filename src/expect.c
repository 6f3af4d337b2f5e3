/* SPDX-License-Identifier: MIT */
#include "expect.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "hmat_scale.h"
#include "json.h"

static const char *const hmat_type_names[HMAT_TYPES] = {
    [HMAT_ACCESS_LATENCY] = "access-latency", [HMAT_READ_LATENCY] = "read-latency",
    [HMAT_WRITE_LATENCY] = "write-latency",   [HMAT_ACCESS_BANDWIDTH] = "access-bandwidth",
    [HMAT_READ_BANDWIDTH] = "read-bandwidth", [HMAT_WRITE_BANDWIDTH] = "write-bandwidth",
};

static const char *e820_type_name(uint32_t type)
{
    return type == E820_RAM             ? "RAM"
           : type == E820_RESERVED      ? "reserved"
           : type == E820_SOFT_RESERVED ? "soft-reserved"
                                        : "unknown";
}

static bool wanted(enum table table, enum table which)
{
    return table == which || table == TABLE_ALL;
}

/* --- text ----------------------------------------------------------------------------------- */

#define RANGE "0x%010" PRIx64 "-0x%010" PRIx64

static const char *size_text(struct strbuf *b, uint64_t bytes)
{
    b->len = 0;
    strbuf_add_size(b, bytes, " ");
    return b->data;
}

static void e820_text(struct strbuf *out, const struct tables *t)
{
    struct columns c = {.width = 4, .right = 2};
    struct strbuf size = {0};
    strbuf_adds(out, "E820, in the order of the table\n");
    for (size_t i = 0; i < t->e820_count; i++) {
        const struct e820_entry *e = &t->e820[i];
        columns_add(&c, RANGE, e->address, e->address + e->size - 1);
        columns_add(&c, "%s", size_text(&size, e->size));
        columns_add(&c, "%s", e820_type_name(e->type));
        if (e->node == NO_NODE)
            columns_add(&c, "%s", "");
        else
            columns_add(&c, "node %u", e->node);
    }
    columns_end(&c, out);
    strbuf_free(&size);
}

static void srat_text(struct strbuf *out, const struct srat *srat)
{
    strbuf_adds(out, "\nSRAT, processors\n");
    struct columns c = {.width = 4};
    for (size_t i = 0; i < srat->cpu_count; i++) {
        columns_add(&c, "vCPU %zu", i);
        columns_add(&c, "APIC id %u", srat->cpus[i].apic_id);
        columns_add(&c, "node %u", srat->cpus[i].node);
        columns_add(&c, "%s", srat->cpus[i].x2apic ? "x2APIC" : "");
    }
    columns_end(&c, out);
    strbuf_adds(out, "\nSRAT, memory\n");
    struct strbuf size = {0};
    c = (struct columns){.width = 4, .right = 2};
    for (size_t i = 0; i < srat->memory_count; i++) {
        const struct affinity *a = &srat->memory[i];
        if (!a->flags) {
            columns_add(&c, "(not used)");
            columns_add(&c, "%s", "");
            columns_add(&c, "%s", "");
            columns_add(&c, "%s", "");
            continue;
        }
        columns_add(&c, RANGE, a->address, a->address + a->size - 1);
        columns_add(&c, "%s", size_text(&size, a->size));
        columns_add(&c, "node %u", a->node);
        columns_add(&c, "%s", a->flags & SRAT_HOTPLUGGABLE ? "hot-pluggable" : "");
    }
    columns_end(&c, out);
    strbuf_free(&size);
}

static void slit_text(struct strbuf *out, const struct slit *slit)
{
    if (!slit->distances) {
        strbuf_adds(out, "\nno SLIT\n");
        return;
    }
    strbuf_adds(out, "\nSLIT, a row for each node\n");
    for (size_t i = 0; i < slit->nodes; i++) {
        strbuf_adds(out, " ");
        for (size_t j = 0; j < slit->nodes; j++)
            strbuf_addf(out, " %3u", slit->distances[i * slit->nodes + j]);
        strbuf_addc(out, '\n');
    }
}

static void hmat_text(struct strbuf *out, const struct hmat *hmat)
{
    if (!hmat->present) {
        strbuf_adds(out, "\nno HMAT\n");
        return;
    }
    strbuf_adds(out, "\nHMAT, memory proximity domains\n");
    for (size_t i = 0; i < hmat->attribute_count; i++) {
        const struct hmat_attributes *a = &hmat->attributes[i];
        strbuf_addf(out, "  node %u, initiator ", a->memory);
        if (a->has_initiator)
            strbuf_addf(out, "%u\n", a->initiator);
        else
            strbuf_adds(out, "unknown\n");
    }
    for (size_t k = 0; k < hmat->locality_count; k++) {
        const struct hmat_locality *l = &hmat->localities[k];
        strbuf_addf(out, "\nHMAT, %s, a row for each initiator, in units of %" PRIu64 " %s\n",
                    hmat_type_names[l->type], l->unit, hmat_is_latency(l->type) ? "ps" : "MiB/s");
        for (size_t i = 0; i < l->initiator_count; i++) {
            strbuf_addf(out, "  node %u:", l->initiators[i]);
            for (size_t j = 0; j < l->target_count; j++)
                strbuf_addf(out, " %5u", l->values[i * l->target_count + j]);
            strbuf_addc(out, '\n');
        }
    }
    if (hmat->cache_count)
        strbuf_adds(out, "\nHMAT, memory-side caches\n");
    for (size_t i = 0; i < hmat->cache_count; i++) {
        const struct hmat_cache *c = hmat->caches[i].cache;
        strbuf_addf(out, "  node %" PRIu64 ", level %" PRIu64 " of %u, ", c->node.value,
                    c->level.value, hmat->caches[i].levels);
        strbuf_add_size(out, c->size.value, " ");
        strbuf_addf(out, ", line %" PRIu64 ", associativity %s, write policy %s\n", c->line.value,
                    associativity_names[c->associativity.value],
                    cache_policy_names[c->policy.value]);
    }
}

void expect_text(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                 enum table table)
{
    strbuf_addf(out, "%s: %s on %s, as the VMM hands it over\n", vm->name.value,
                prediction_machine(p, vm), target_names[target_index(p->target)]);
    if (p->assumption)
        strbuf_addf(out, "assumed: %s\n", p->assumption);
    if (wanted(table, TABLE_E820)) {
        strbuf_addc(out, '\n');
        e820_text(out, &p->tables);
    }
    if (wanted(table, TABLE_SRAT))
        srat_text(out, &p->tables.srat);
    if (wanted(table, TABLE_SLIT))
        slit_text(out, &p->tables.slit);
    if (wanted(table, TABLE_HMAT))
        hmat_text(out, &p->tables.hmat);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void add_node_id(cJSON *object, uint32_t node)
{
    if (node == NO_NODE)
        cJSON_AddNullToObject(object, "node");
    else
        cJSON_AddNumberToObject(object, "node", node);
}

static void e820_json(cJSON *root, const struct tables *t)
{
    cJSON *array = cJSON_AddArrayToObject(root, "e820");
    for (size_t i = 0; i < t->e820_count; i++) {
        cJSON *item = json_add_object(array);
        json_add_hex(item, "address", t->e820[i].address);
        json_add_hex(item, "size", t->e820[i].size);
        cJSON_AddNumberToObject(item, "type", t->e820[i].type);
        cJSON_AddStringToObject(item, "name", e820_type_name(t->e820[i].type));
        add_node_id(item, t->e820[i].node);
    }
}

static void srat_json(cJSON *root, const struct srat *srat)
{
    cJSON *object = cJSON_AddObjectToObject(root, "srat");
    cJSON *processors = cJSON_AddArrayToObject(object, "processors");
    for (size_t i = 0; i < srat->cpu_count; i++) {
        cJSON *item = json_add_object(processors);
        cJSON_AddNumberToObject(item, "node", srat->cpus[i].node);
        cJSON_AddNumberToObject(item, "apicId", srat->cpus[i].apic_id);
        cJSON_AddBoolToObject(item, "x2apic", srat->cpus[i].x2apic);
        cJSON_AddBoolToObject(item, "enabled", true);
    }
    cJSON *memory = cJSON_AddArrayToObject(object, "memory");
    for (size_t i = 0; i < srat->memory_count; i++) {
        const struct affinity *a = &srat->memory[i];
        cJSON *item = json_add_object(memory);
        cJSON_AddNumberToObject(item, "node", a->node);
        json_add_hex(item, "address", a->address);
        json_add_hex(item, "size", a->size);
        cJSON_AddBoolToObject(item, "enabled", (a->flags & SRAT_ENABLED) != 0);
        cJSON_AddBoolToObject(item, "hotpluggable", (a->flags & SRAT_HOTPLUGGABLE) != 0);
        cJSON_AddBoolToObject(item, "nonVolatile", (a->flags & SRAT_NON_VOLATILE) != 0);
    }
}

static void slit_json(cJSON *root, const struct slit *slit)
{
    if (!slit->distances) {
        cJSON_AddNullToObject(root, "slit");
        return;
    }
    cJSON *rows = cJSON_AddArrayToObject(root, "slit");
    for (size_t i = 0; i < slit->nodes; i++) {
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(rows, row);
        for (size_t j = 0; j < slit->nodes; j++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber(slit->distances[i * slit->nodes + j]));
    }
}

static void locality_json(cJSON *item, const struct hmat_locality *l)
{
    cJSON_AddStringToObject(item, "hierarchy", "memory");
    cJSON_AddStringToObject(item, "dataType", hmat_type_names[l->type]);
    json_add_hex(item, "unit", l->unit);
    cJSON_AddStringToObject(item, "unitOf", hmat_is_latency(l->type) ? "ps" : "MiB/s");
    cJSON *initiators = cJSON_AddArrayToObject(item, "initiators");
    cJSON *targets = cJSON_AddArrayToObject(item, "targets");
    cJSON *entries = cJSON_AddArrayToObject(item, "entries");
    for (size_t j = 0; j < l->target_count; j++)
        cJSON_AddItemToArray(targets, cJSON_CreateNumber((double)j));
    for (size_t i = 0; i < l->initiator_count; i++) {
        cJSON_AddItemToArray(initiators, cJSON_CreateNumber(l->initiators[i]));
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(entries, row);
        for (size_t j = 0; j < l->target_count; j++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber(l->values[i * l->target_count + j]));
    }
}

static void hmat_json(cJSON *root, const struct hmat *hmat)
{
    if (!hmat->present) {
        cJSON_AddNullToObject(root, "hmat");
        return;
    }
    cJSON *object = cJSON_AddObjectToObject(root, "hmat");
    cJSON *domains = cJSON_AddArrayToObject(object, "proximityDomains");
    for (size_t i = 0; i < hmat->attribute_count; i++) {
        cJSON *item = json_add_object(domains);
        cJSON_AddNumberToObject(item, "memory", hmat->attributes[i].memory);
        if (hmat->attributes[i].has_initiator)
            cJSON_AddNumberToObject(item, "initiator", hmat->attributes[i].initiator);
        else
            cJSON_AddNullToObject(item, "initiator");
    }
    cJSON *localities = cJSON_AddArrayToObject(object, "localities");
    for (size_t i = 0; i < hmat->locality_count; i++)
        locality_json(json_add_object(localities), &hmat->localities[i]);
    cJSON *caches = cJSON_AddArrayToObject(object, "caches");
    for (size_t i = 0; i < hmat->cache_count; i++) {
        const struct hmat_cache *c = hmat->caches[i].cache;
        cJSON *item = json_add_object(caches);
        cJSON_AddNumberToObject(item, "node", (double)c->node.value);
        json_add_hex(item, "size", c->size.value);
        cJSON_AddNumberToObject(item, "levels", hmat->caches[i].levels);
        cJSON_AddNumberToObject(item, "level", (double)c->level.value);
        cJSON_AddStringToObject(item, "associativity", associativity_names[c->associativity.value]);
        cJSON_AddStringToObject(item, "writePolicy", cache_policy_names[c->policy.value]);
        cJSON_AddNumberToObject(item, "line", (double)c->line.value);
    }
}

void expect_json(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                 enum table table)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "spmtopo", 1);
    cJSON_AddStringToObject(root, "target", target_names[target_index(p->target)]);
    cJSON_AddStringToObject(root, "machine", prediction_machine(p, vm));
    cJSON_AddStringToObject(root, "firmware", prediction_firmware(p, vm));
    cJSON *assumptions = cJSON_AddArrayToObject(root, "assumptions");
    if (p->assumption)
        cJSON_AddItemToArray(assumptions, cJSON_CreateString(p->assumption));
    if (wanted(table, TABLE_E820))
        e820_json(root, &p->tables);
    if (wanted(table, TABLE_SRAT))
        srat_json(root, &p->tables.srat);
    if (wanted(table, TABLE_SLIT))
        slit_json(root, &p->tables.slit);
    if (wanted(table, TABLE_HMAT))
        hmat_json(root, &p->tables.hmat);
    json_print(out, root);
}

/* --- kernel log ----------------------------------------------------------------------------- */

static int by_address(const void *left, const void *right)
{
    const struct e820_entry *a = left;
    const struct e820_entry *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

/* Of Linux up to 6.x, and since 7.0, which also lists what is between (arch/x86/kernel/e820.c). */
static const char *dmesg_word(uint32_t type, bool newer)
{
    return type == E820_RAM        ? (newer ? " System RAM" : "usable")
           : type == E820_RESERVED ? (newer ? " device reserved" : "reserved")
                                   : (newer ? " soft reserved" : "soft reserved");
}

static void e820_dmesg(struct strbuf *out, const struct tables *t, bool newer)
{
    struct e820_entry *sorted = xcalloc(t->e820_count, sizeof(*sorted));
    memcpy(sorted, t->e820, t->e820_count * sizeof(*sorted));
    qsort(sorted, t->e820_count, sizeof(*sorted), by_address);
    uint64_t end = 0;
    for (size_t i = 0; i < t->e820_count; i++) {
        if (newer && sorted[i].address > end)
            strbuf_addf(out, "BIOS-e820: [gap 0x%016" PRIx64 "-0x%016" PRIx64 "]\n", end,
                        sorted[i].address - 1);
        end = sorted[i].address + sorted[i].size;
        strbuf_addf(out, "BIOS-e820: [mem 0x%016" PRIx64 "-0x%016" PRIx64 "] %s\n",
                    sorted[i].address, end - 1, dmesg_word(sorted[i].type, newer));
    }
    free(sorted);
}

static void srat_dmesg(struct strbuf *out, const struct tables *t, size_t node_count, bool newer)
{
    const struct srat *srat = &t->srat;
    size_t *order = srat_cpu_order(t->maker, srat);
    uint32_t *numbers = srat_linux_numbers(t->maker, srat, node_count);
    for (size_t i = 0; !newer && i < srat->cpu_count; i++) { /* of which Linux 7 logs none */
        const struct srat_cpu *cpu = &srat->cpus[order[i]];
        strbuf_addf(out,
                    cpu->x2apic ? "SRAT: PXM %u -> APIC 0x%04x -> Node %u\n"
                                : "SRAT: PXM %u -> APIC 0x%02x -> Node %u\n",
                    cpu->node, cpu->apic_id, numbers[cpu->node]);
    }
    for (size_t i = 0; i < srat->memory_count; i++) {
        const struct affinity *a = &srat->memory[i];
        if (a->flags & SRAT_ENABLED)
            strbuf_addf(out, "ACPI: SRAT: Node %u PXM %u [mem 0x%08" PRIx64 "-0x%08" PRIx64 "]%s\n",
                        numbers[a->node], a->node, a->address, a->address + a->size - 1,
                        a->flags & SRAT_HOTPLUGGABLE ? " hotplug" : "");
    }
    free(numbers);
    free(order);
}

static void hmat_dmesg(struct strbuf *out, const struct hmat *hmat)
{
    for (size_t i = 0; i < hmat->attribute_count; i++)
        strbuf_addf(out, "acpi/hmat: Memory Flags:%04x Processor Domain:%u Memory Domain:%u\n",
                    hmat->attributes[i].has_initiator, hmat->attributes[i].initiator,
                    hmat->attributes[i].memory);
}

static void print_dmesg(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                        enum table table, bool newer)
{
    if (wanted(table, TABLE_E820))
        e820_dmesg(out, &p->tables, newer);
    if (wanted(table, TABLE_SRAT))
        srat_dmesg(out, &p->tables, vm->node_count, newer);
    if (wanted(table, TABLE_HMAT))
        hmat_dmesg(out, &p->tables.hmat);
}

void expect_dmesg(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                  enum table table)
{
    print_dmesg(out, vm, p, table, false);
}

void expect_dmesg_7(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                    enum table table)
{
    print_dmesg(out, vm, p, table, true);
}

/* --- bytes ---------------------------------------------------------------------------------- */

void expect_raw(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                enum table table)
{
    (void)vm;
    if (table == TABLE_E820)
        e820_encode(out, p->tables.e820, p->tables.e820_count);
    else if (table == TABLE_SRAT)
        srat_encode(out, p->tables.maker, &p->tables.srat);
    else if (table == TABLE_SLIT)
        slit_encode(out, p->tables.maker, &p->tables.slit);
    else if (table == TABLE_HMAT)
        hmat_encode(out, p->tables.maker, &p->tables.hmat);
}
