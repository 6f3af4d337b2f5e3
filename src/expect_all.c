/* SPDX-License-Identifier: MIT */
#include "expect_all.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

#include "columns.h"
#include "diag_render.h"
#include "json.h"

/* --- facts, from the tables ------------------------------------------------------------------ */

/* What a processor cannot reach as RAM on a PC: QEMU leaves it out of its SRAT, and counts it. */
#define LOW_HOLE_START (640 * KIB)
#define LOW_HOLE_END MIB

static uint64_t spm_of(const struct prediction *p, uint32_t node)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->layout.spm_count; i++)
        if (p->layout.spm[i].region->node == node)
            sum += p->layout.spm[i].size;
    return sum;
}

/* All memory that a node has from the start. */
static uint64_t memory_of(const struct prediction *p, uint32_t node)
{
    const struct srat *srat = &p->tables.srat;
    uint64_t sum = 0;
    bool below = false, above = false;
    for (size_t i = 0; i < srat->memory_count; i++) {
        const struct affinity *a = &srat->memory[i];
        if (a->flags != SRAT_ENABLED || a->node != node)
            continue;
        sum += a->size;
        below |= a->address + a->size == LOW_HOLE_START;
        above |= a->address == LOW_HOLE_END;
    }
    return below && above ? sum + LOW_HOLE_END - LOW_HOLE_START : sum;
}

static void cpus_text(struct strbuf *b, const struct prediction *p, uint32_t node)
{
    srat_cpus_text(b, &p->tables.srat, node);
    if (!b->len)
        strbuf_adds(b, "none");
}

static void size_text(struct strbuf *b, uint64_t bytes)
{
    if (bytes)
        strbuf_add_size(b, bytes, " ");
    else
        strbuf_adds(b, "none");
}

static void ram_text(struct strbuf *b, const struct prediction *p, uint32_t node)
{
    size_text(b, memory_of(p, node) - spm_of(p, node));
}

static void spm_text(struct strbuf *b, const struct prediction *p, uint32_t node)
{
    size_text(b, spm_of(p, node));
}

static void distances_text(struct strbuf *b, const struct prediction *p, uint32_t node)
{
    size_t count = p->tables.slit.nodes;
    for (size_t to = 0; to < count; to++)
        strbuf_addf(b, "%s%u", to ? " " : "", slit_distance(&p->tables.slit, node, to));
}

static void places_text(struct strbuf *b, const struct prediction *p, uint32_t node)
{
    for (size_t i = 0; i < p->layout.spm_count; i++)
        if (p->layout.spm[i].region->node == node)
            strbuf_addf(b, "%s0x%" PRIx64, b->len ? " " : "", p->layout.spm[i].address);
}

/* Length and a sum of the bytes, so that equal texts are equal tables. */
static void bytes_text(struct strbuf *b, const struct strbuf *table)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, 64 bits */
    for (size_t i = 0; i < table->len; i++)
        hash = (hash ^ (unsigned char)table->data[i]) * UINT64_C(0x100000001b3);
    if (table->len)
        strbuf_addf(b, "%zu bytes, %08" PRIx64, table->len, hash >> 32);
    else
        strbuf_adds(b, "none");
}

enum { E820_ROW, SRAT_ROW, SLIT_ROW, HMAT_ROW, TABLE_ROWS };

static void table_text(struct strbuf *b, const struct prediction *p, uint32_t table)
{
    const struct tables *t = &p->tables;
    struct strbuf bytes = {0};
    if (table == E820_ROW)
        e820_encode(&bytes, t->e820, t->e820_count);
    else if (table == SRAT_ROW)
        srat_encode(&bytes, t->maker, &t->srat);
    else if (table == SLIT_ROW)
        slit_encode(&bytes, t->maker, &t->slit);
    else
        hmat_encode(&bytes, t->maker, &t->hmat);
    bytes_text(b, &bytes);
    strbuf_free(&bytes);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void add_row(struct side_by_side *all, bool must, const char *what,
                    void (*text)(struct strbuf *, const struct prediction *, uint32_t),
                    uint32_t which)
{
    all->rows =
        arena_grow(all->arena, all->rows, all->row_count, &all->row_cap, sizeof(*all->rows));
    struct side_row *row = &all->rows[all->row_count++];
    const char *first = NULL;
    *row = (struct side_row){.what = what, .must = must};
    for (size_t s = 0; s < all->count; s++) {
        struct strbuf b = {0};
        if (all->sides[s].refusal)
            continue;
        strbuf_adds(&b, "");
        text(&b, all->sides[s].prediction, which);
        row->values[s] = arena_strndup(all->arena, b.data, b.len);
        strbuf_free(&b);
        row->differs |= first && strcmp(first, row->values[s]) != 0;
        first = first ? first : row->values[s];
    }
    if (must && row->differs)
        all->equivalent = false;
}

void side_by_side(struct side_by_side *all, const struct side *sides, size_t count,
                  struct arena *arena)
{
    static const char *const table_names[TABLE_ROWS] = {"E820", "SRAT", "SLIT", "HMAT"};
    static const struct {
        const char *what;
        void (*text)(struct strbuf *, const struct prediction *, uint32_t);
    } facts[] = {{"CPUs", cpus_text},
                 {"RAM", ram_text},
                 {"SPM", spm_text},
                 {"distances", distances_text}};
    const struct vm *vm = NULL;
    *all =
        (struct side_by_side){.arena = arena, .sides = sides, .count = count, .equivalent = true};
    for (size_t s = 0; s < count; s++)
        if (!sides[s].refusal) {
            all->accepted++;
            vm = sides[s].vm;
        }
    if (!vm)
        return;
    for (uint32_t n = 0; n < vm->node_count; n++)
        for (size_t f = 0; f < ARRAY_SIZE(facts); f++)
            add_row(all, true, arena_printf(arena, "node %u %s", n, facts[f].what), facts[f].text,
                    n);
    for (uint32_t n = 0; n < vm->node_count; n++)
        if (node_has_type(&vm->nodes[n], MEMORY_SPM, NULL))
            add_row(all, false, arena_printf(arena, "node %u SPM at", n), places_text, n);
    for (uint32_t t = 0; t < TABLE_ROWS; t++)
        add_row(all, false, table_names[t], table_text, t);
}

/* --- output ---------------------------------------------------------------------------------- */

static const char *name_of(const struct side *side)
{
    return target_names[target_index(side->target)];
}

void side_by_side_text(struct strbuf *out, const struct side_by_side *all)
{
    struct columns c = {.width = 2 + all->accepted};
    for (size_t s = 0; s < all->count; s++) {
        const struct side *side = &all->sides[s];
        if (side->refusal) {
            strbuf_addf(out, "%s refuses it: ", name_of(side));
            if (side->refused_at.line)
                strbuf_addf(out, "%u:%u: ", side->refused_at.line, side->refused_at.column);
            diag_add_visible(out, side->refusal->message, strlen(side->refusal->message));
            strbuf_addf(out, " [%s]\n", rule_info(side->refusal->rule)->name);
        } else if (side->prediction->assumption) {
            strbuf_addf(out, "%s: assumed: %s\n", name_of(side), side->prediction->assumption);
        }
    }
    columns_add(&c, "%s", "");
    columns_add(&c, "%s", "");
    for (size_t s = 0; s < all->count; s++)
        if (!all->sides[s].refusal)
            columns_add(&c, "%s", name_of(&all->sides[s]));
    for (size_t i = 0; i < all->row_count; i++) {
        const struct side_row *row = &all->rows[i];
        columns_add(&c, "%s", !row->differs ? " " : row->must ? "!" : "~");
        columns_add(&c, "%s", row->what);
        for (size_t s = 0; s < all->count; s++)
            if (row->values[s])
                columns_add(&c, "%s", row->values[s]);
    }
    columns_end(&c, out);
    if (all->accepted < 2)
        strbuf_adds(out, "one target accepts it: there is nothing to compare\n");
    else if (all->equivalent)
        strbuf_addf(out,
                    "equivalent: the guests of all %zu see the same nodes, CPUs, memory and "
                    "distances ('~': equal guests may differ)\n",
                    all->accepted);
    else
        strbuf_adds(out, "NOT equivalent: what is marked with '!' differs\n");
}

static void add_values(cJSON *array, const struct side_by_side *all)
{
    for (size_t i = 0; i < all->row_count; i++) {
        const struct side_row *row = &all->rows[i];
        cJSON *item = json_add_object(array);
        cJSON_AddStringToObject(item, "what", row->what);
        cJSON_AddBoolToObject(item, "differs", row->differs);
        cJSON_AddBoolToObject(item, "mustAgree", row->must);
        cJSON *values = cJSON_AddObjectToObject(item, "values");
        for (size_t s = 0; s < all->count; s++)
            if (row->values[s])
                cJSON_AddStringToObject(values, name_of(&all->sides[s]), row->values[s]);
    }
}

void side_by_side_json(struct strbuf *out, const struct side_by_side *all)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "spmtopo", 1);
    cJSON *targets = cJSON_AddArrayToObject(root, "targets");
    for (size_t s = 0; s < all->count; s++) {
        const struct side *side = &all->sides[s];
        cJSON *item = json_add_object(targets);
        cJSON_AddStringToObject(item, "target", name_of(side));
        cJSON_AddBoolToObject(item, "accepted", !side->refusal);
        struct strbuf message = {0};
        if (side->refusal) {
            diag_add_visible(&message, side->refusal->message, strlen(side->refusal->message));
            cJSON_AddStringToObject(item, "error", message.data);
        } else if (side->prediction->assumption) {
            cJSON_AddStringToObject(item, "assumption", side->prediction->assumption);
        }
        strbuf_free(&message);
    }
    add_values(cJSON_AddArrayToObject(root, "rows"), all);
    cJSON_AddBoolToObject(root, "equivalent", all->equivalent);
    json_print(out, root);
}
