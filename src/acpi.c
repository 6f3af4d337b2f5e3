/* SPDX-License-Identifier: MIT */
#include "acpi.h"

#include <stdlib.h>
#include <string.h>

/* The header of every ACPI table: ACPI 6.5, table 5.4. */
enum { HEADER_LENGTH = 36, LENGTH_OFFSET = 4, CHECKSUM_OFFSET = 9 };

const struct acpi_maker maker_qemu = {
    .oem_id = "BOCHS ",
    .table_prefix = "BXPC    ",
    .creator = "BXPC",
    .creator_revision = 1,
    .srat_revision = 1,
    .srat_reserved = 1, /* ACPI 6.5, table 5.57 */
};

const struct acpi_maker maker_cloudhv = {
    .oem_id = "CLOUDH",
    .table_prefix = "CH",
    .creator = "RVAT",
    .creator_revision = 0x01000000,
    .srat_revision = 3,
    .by_node = true,
};

static size_t begin_table(struct strbuf *out, const struct acpi_maker *maker, const char *signature,
                          unsigned revision)
{
    size_t start = out->len;
    strbuf_add(out, signature, 4);
    strbuf_add_le(out, 0, 4); /* length, set by end_table() */
    strbuf_add_le(out, revision, 1);
    strbuf_add_le(out, 0, 1); /* checksum, likewise */
    strbuf_add(out, maker->oem_id, 6);
    strbuf_adds(out, maker->table_prefix);
    if (strlen(maker->table_prefix) < 8)
        strbuf_addf(out, "%-*s", (int)(8 - strlen(maker->table_prefix)), signature);
    strbuf_add_le(out, 1, 4);
    strbuf_add(out, maker->creator, 4);
    strbuf_add_le(out, maker->creator_revision, 4);
    return start;
}

static void end_table(struct strbuf *out, size_t start)
{
    unsigned char *table = (unsigned char *)out->data + start;
    size_t len = out->len - start;
    for (unsigned i = 0; i < 4; i++)
        table[LENGTH_OFFSET + i] = (unsigned char)(len >> (8 * i));
    unsigned char sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (unsigned char)(sum + table[i]);
    table[CHECKSUM_OFFSET] = (unsigned char)(0x100 - sum);
}

void e820_encode(struct strbuf *out, const struct e820_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_add_le(out, entries[i].address, 8);
        strbuf_add_le(out, entries[i].size, 8);
        strbuf_add_le(out, entries[i].type, 4);
    }
}

static void encode_cpu(struct strbuf *out, const struct srat_cpu *cpu)
{
    if (cpu->x2apic) { /* ACPI 6.5, table 5.61 */
        strbuf_add_le(out, 2, 1);
        strbuf_add_le(out, 24, 1);
        strbuf_add_le(out, 0, 2);
        strbuf_add_le(out, cpu->node, 4);
        strbuf_add_le(out, cpu->apic_id, 4);
        strbuf_add_le(out, SRAT_ENABLED, 4);
        strbuf_add_le(out, 0, 4);
        strbuf_add_le(out, 0, 4);
    } else { /* ACPI 6.5, table 5.58 */
        strbuf_add_le(out, 0, 1);
        strbuf_add_le(out, 16, 1);
        strbuf_add_le(out, cpu->node & 0xff, 1);
        strbuf_add_le(out, cpu->apic_id, 1);
        strbuf_add_le(out, SRAT_ENABLED, 4);
        strbuf_add_le(out, 0, 1);
        strbuf_add_le(out, cpu->node >> 8, 3);
        strbuf_add_le(out, 0, 4);
    }
}

static void encode_affinity(struct strbuf *out, const struct affinity *memory)
{
    strbuf_add_le(out, 1, 1); /* ACPI 6.5, table 5.59 */
    strbuf_add_le(out, 40, 1);
    strbuf_add_le(out, memory->node, 4);
    strbuf_add_le(out, 0, 2);
    strbuf_add_le(out, memory->address, 8);
    strbuf_add_le(out, memory->size, 8);
    strbuf_add_le(out, 0, 4);
    strbuf_add_le(out, memory->flags, 4);
    strbuf_add_le(out, 0, 8);
}

size_t *srat_cpu_order(const struct acpi_maker *maker, const struct srat *srat)
{
    size_t *order = xcalloc(srat->cpu_count, sizeof(*order));
    uint32_t nodes = 1;
    for (size_t i = 0; i < srat->cpu_count; i++) {
        order[i] = i;
        nodes = srat->cpus[i].node >= nodes ? srat->cpus[i].node + 1 : nodes;
    }
    if (!maker->by_node)
        return order;
    size_t *next = xcalloc(nodes + 1, sizeof(*next));
    for (size_t i = 0; i < srat->cpu_count; i++)
        next[srat->cpus[i].node + 1]++;
    for (uint32_t n = 0; n < nodes; n++)
        next[n + 1] += next[n];
    for (size_t i = 0; i < srat->cpu_count; i++)
        order[next[srat->cpus[i].node]++] = i;
    free(next);
    return order;
}

static void number_node(uint32_t *numbers, uint32_t node, uint32_t *next)
{
    if (numbers[node] == NO_NODE)
        numbers[node] = (*next)++;
}

uint32_t *srat_linux_numbers(const struct acpi_maker *maker, const struct srat *srat,
                             size_t node_count)
{
    uint32_t *numbers = xcalloc(node_count, sizeof(*numbers));
    size_t *order = srat_cpu_order(maker, srat);
    uint32_t next = 0;
    for (size_t n = 0; n < node_count; n++)
        numbers[n] = NO_NODE;
    for (size_t i = 0; i < srat->cpu_count; i++)
        number_node(numbers, srat->cpus[order[i]].node, &next);
    for (size_t i = 0; i < srat->memory_count; i++)
        if (srat->memory[i].flags & SRAT_ENABLED)
            number_node(numbers, srat->memory[i].node, &next);
    free(order);
    return numbers;
}

uint8_t slit_distance(const struct slit *slit, size_t from, size_t to)
{
    if (slit->distances)
        return slit->distances[from * slit->nodes + to];
    return from == to ? 10 : 20;
}

/* Memory is in order of nodes, as the CPUs are in that order. */
static void encode_by_node(struct strbuf *out, const struct srat *srat, const size_t *order)
{
    size_t c = 0;
    size_t m = 0;
    while (m < srat->memory_count || c < srat->cpu_count) {
        uint32_t node = c < srat->cpu_count ? srat->cpus[order[c]].node : NO_NODE;
        if (m < srat->memory_count && srat->memory[m].node < node)
            node = srat->memory[m].node;
        for (; m < srat->memory_count && srat->memory[m].node == node; m++)
            encode_affinity(out, &srat->memory[m]);
        for (; c < srat->cpu_count && srat->cpus[order[c]].node == node; c++)
            encode_cpu(out, &srat->cpus[order[c]]);
    }
}

void srat_cpus_text(struct strbuf *out, const struct srat *srat, size_t node)
{
    const char *separator = "";
    for (size_t v = 0; v < srat->cpu_count; v++) {
        if (srat->cpus[v].node != node)
            continue;
        size_t last = v;
        while (last + 1 < srat->cpu_count && srat->cpus[last + 1].node == node)
            last++;
        strbuf_adds(out, separator);
        strbuf_add_u64(out, v);
        if (last > v) {
            strbuf_addc(out, '-');
            strbuf_add_u64(out, last);
        }
        separator = ",";
        v = last;
    }
}

void srat_encode(struct strbuf *out, const struct acpi_maker *maker, const struct srat *srat)
{
    size_t start = begin_table(out, maker, "SRAT", maker->srat_revision);
    strbuf_add_le(out, maker->srat_reserved, 4);
    strbuf_add_le(out, 0, 8);
    if (maker->by_node) {
        size_t *order = srat_cpu_order(maker, srat);
        encode_by_node(out, srat, order);
        free(order);
    } else {
        for (size_t i = 0; i < srat->cpu_count; i++)
            encode_cpu(out, &srat->cpus[i]);
        for (size_t i = 0; i < srat->memory_count; i++)
            encode_affinity(out, &srat->memory[i]);
    }
    end_table(out, start);
}

void slit_encode(struct strbuf *out, const struct acpi_maker *maker, const struct slit *slit)
{
    if (!slit->distances)
        return;
    size_t start = begin_table(out, maker, "SLIT", 1);
    strbuf_add_le(out, slit->nodes, 8);
    strbuf_add(out, slit->distances, slit->nodes * slit->nodes);
    end_table(out, start);
}

static void encode_attributes(struct strbuf *out, const struct hmat_attributes *a)
{
    strbuf_add_le(out, 0, 2); /* type */
    strbuf_add_le(out, 0, 2);
    strbuf_add_le(out, 40, 4);
    strbuf_add_le(out, a->has_initiator, 2);
    strbuf_add_le(out, 0, 2);
    strbuf_add_le(out, a->initiator, 4);
    strbuf_add_le(out, a->memory, 4);
    strbuf_add_le(out, 0, 4);
    strbuf_add_le(out, 0, 8);
    strbuf_add_le(out, 0, 8);
}

static void encode_locality(struct strbuf *out, const struct hmat_locality *l)
{
    size_t values = l->initiator_count * l->target_count;
    strbuf_add_le(out, 1, 2); /* type */
    strbuf_add_le(out, 0, 2);
    strbuf_add_le(out, 32 + 4 * l->initiator_count + 4 * l->target_count + 2 * values, 4);
    strbuf_add_le(out, 0, 1); /* hierarchy: memory */
    strbuf_add_le(out, l->type, 1);
    strbuf_add_le(out, 0, 2);
    strbuf_add_le(out, l->initiator_count, 4);
    strbuf_add_le(out, l->target_count, 4);
    strbuf_add_le(out, 0, 4);
    strbuf_add_le(out, l->unit, 8);
    for (size_t i = 0; i < l->initiator_count; i++)
        strbuf_add_le(out, l->initiators[i], 4);
    for (size_t i = 0; i < l->target_count; i++)
        strbuf_add_le(out, i, 4);
    for (size_t i = 0; i < values; i++)
        strbuf_add_le(out, l->values[i], 2);
}

static void encode_side_cache(struct strbuf *out, const struct hmat_side_cache *side)
{
    const struct hmat_cache *c = side->cache;
    strbuf_add_le(out, 2, 2); /* type */
    strbuf_add_le(out, 0, 2);
    strbuf_add_le(out, 32, 4);
    strbuf_add_le(out, c->node.value, 4);
    strbuf_add_le(out, 0, 4);
    strbuf_add_le(out, c->size.value, 8);
    strbuf_add_le(out,
                  side->levels | c->level.value << 4 | (uint64_t)c->associativity.value << 8 |
                      (uint64_t)c->policy.value << 12 | c->line.value << 16,
                  4);
    strbuf_add_le(out, 0, 2);
    strbuf_add_le(out, 0, 2);
}

void hmat_encode(struct strbuf *out, const struct acpi_maker *maker, const struct hmat *hmat)
{
    if (!hmat->present)
        return;
    size_t start = begin_table(out, maker, "HMAT", 2);
    strbuf_add_le(out, 0, 4);
    for (size_t i = 0; i < hmat->attribute_count; i++)
        encode_attributes(out, &hmat->attributes[i]);
    for (size_t i = 0; i < hmat->locality_count; i++)
        encode_locality(out, &hmat->localities[i]);
    for (size_t i = 0; i < hmat->cache_count; i++)
        encode_side_cache(out, &hmat->caches[i]);
    end_table(out, start);
}
