/* SPDX-License-Identifier: MIT */
/* SRAT, SLIT, HMAT and MADT: as bytes, and as the kernel's log tells them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "acpi_decode.h"
#include "verify.h"

static const char another[] = "the guest was started from another topology";

/* The first line in which two tables differ; their count where they do not. */
static size_t first_difference(const struct table_lines *a, const struct table_lines *b)
{
    size_t i = 0;
    while (i < a->count && i < b->count && strcmp(a->items[i], b->items[i]) == 0)
        i++;
    return i;
}

static const char *line_or_none(const struct table_lines *lines, size_t i)
{
    return i < lines->count ? lines->items[i] : "nothing more";
}

/* What a difference of the SRAT means: QEMU writes it from its command line, and nothing changes it. */
static const char *srat_cause(const char *expected, const char *found)
{
    if (strstr(expected, "hot-pluggable") || strstr(found, "hot-pluggable"))
        return "another window for memory devices: the VMM was started with another maxmem or slots";
    return another;
}

static void compare_bytes(struct verify *v, const char *id, enum view_table table,
                          const struct strbuf *expected)
{
    const struct view_bytes *b = &v->view->tables[table];
    const char *name = view_table_names[table];
    struct table_lines want = {0};
    struct table_lines have = {0};
    if (b->len == expected->len && memcmp(b->data, expected->data, b->len) == 0) {
        verify_ok(v, id, arena_printf(v->arena, "%zu bytes", b->len));
        v->srat_is_right |= table == VIEW_SRAT;
        return;
    }
    const char *problem = acpi_decode(name, b->data, b->len, v->arena, &have);
    if (problem) {
        verify_fail(v, id, arena_printf(v->arena, "%zu bytes", expected->len),
                    arena_printf(v->arena, "a malformed table: %s", problem), NULL);
        return;
    }
    acpi_decode(name, (unsigned char *)expected->data, expected->len, v->arena, &want);
    size_t i = first_difference(&want, &have);
    if (i < want.count || i < have.count) {
        const char *w = line_or_none(&want, i);
        const char *h = line_or_none(&have, i);
        const char *cause = table == VIEW_SRAT ? srat_cause(w, h) : NULL;
        v->foreign = cause ? cause : v->foreign;
        verify_fail(v, id, w, h, cause);
        return;
    }
    size_t at = 0;
    while (at < b->len && at < expected->len && b->data[at] == (unsigned char)expected->data[at])
        at++;
    verify_fail(v, id,
                arena_printf(v->arena, "0x%02x at byte %zu", (unsigned char)expected->data[at], at),
                arena_printf(v->arena, "0x%02x", b->data[at]), NULL);
}

/* A table that is read by root alone is missing from a source as a whole; with others there it is not in
 * the guest. */
static bool shows_tables(const struct guest_view *view)
{
    for (size_t t = 0; t < VIEW_TABLES; t++)
        if (view->tables[t].present)
            return true;
    return false;
}

static void check_table(struct verify *v, const char *id, enum view_table table,
                        const struct strbuf *expected)
{
    if (v->view->tables[table].present && expected->len)
        compare_bytes(v, id, table, expected);
    else if (v->view->tables[table].present)
        verify_fail(v, id, "no such table", "one", NULL);
    else if (!shows_tables(v->view))
        verify_skip(v, id, "the source has no ACPI tables");
    else if (expected->len)
        verify_fail(v, id, arena_printf(v->arena, "%zu bytes", expected->len), "no such table",
                    NULL);
    else
        verify_ok(v, id, "no such table");
}

static void check_apic(struct verify *v)
{
    static const char id[] = "apic.cpus";
    const struct view_bytes *b = &v->view->tables[VIEW_APIC];
    const struct srat *srat = &v->guest->prediction->tables.srat;
    struct table_lines want = {0};
    struct table_lines have = {0};
    if (!b->present) {
        verify_skip(v, id, "the source has no MADT");
        return;
    }
    const char *problem = acpi_decode("APIC", b->data, b->len, v->arena, &have);
    for (size_t i = 0; i < srat->cpu_count; i++)
        table_lines_add_apic(&want, v->arena, srat->cpus[i].apic_id,
                             i < v->guest->vm->cpus.count.value);
    size_t i = first_difference(&want, &have);
    if (problem)
        verify_fail(v, id, arena_printf(v->arena, "%zu processors", want.count),
                    arena_printf(v->arena, "a malformed table: %s", problem), NULL);
    else if (i < want.count || i < have.count)
        verify_fail(v, id, line_or_none(&want, i), line_or_none(&have, i), NULL);
    else
        verify_ok(v, id, arena_printf(v->arena, "%zu processors", have.count));
}

static void check_bytes(struct verify *v)
{
    const struct tables *t = &v->guest->prediction->tables;
    struct strbuf b = {0};
    srat_encode(&b, t->maker, &t->srat);
    check_table(v, "srat.table", VIEW_SRAT, &b);
    b.len = 0;
    slit_encode(&b, t->maker, &t->slit);
    check_table(v, "slit.table", VIEW_SLIT, &b);
    b.len = 0;
    hmat_encode(&b, t->maker, &t->hmat);
    check_table(v, "hmat.table", VIEW_HMAT, &b);
    strbuf_free(&b);
    check_apic(v);
}

/* --- the log -------------------------------------------------------------------------------- */

static const char *table_text(struct arena *arena, const char *name, size_t len)
{
    return len ? arena_printf(arena, "%s of %zu bytes", name, len)
               : arena_printf(arena, "no %s", name);
}

static void check_listed(struct verify *v)
{
    static const char id[] = "log.tables";
    const struct tables *t = &v->guest->prediction->tables;
    const struct view_log *log = &v->view->log;
    struct strbuf b[3] = {{0}};
    if (!log->lists_tables) {
        verify_skip(v, id, "no log lists ACPI tables");
        return;
    }
    srat_encode(&b[VIEW_SRAT], t->maker, &t->srat);
    slit_encode(&b[VIEW_SLIT], t->maker, &t->slit);
    hmat_encode(&b[VIEW_HMAT], t->maker, &t->hmat);
    const char *found = "";
    bool ok = true;
    for (int i = 0; i < 3 && ok; i++) {
        const char *have = table_text(v->arena, view_table_names[i], log->table_length[i]);
        ok = log->table_length[i] == b[i].len || (!log->table_length[i] && !log->tables_whole);
        found = arena_printf(v->arena, "%s%s%s", found, i ? ", " : "", have);
        if (!ok || log->table_twice[i])
            verify_fail(v, id, table_text(v->arena, view_table_names[i], b[i].len),
                        log->table_twice[i]
                            ? arena_printf(v->arena, "more than one %s", view_table_names[i])
                            : have,
                        NULL);
        ok = ok && !log->table_twice[i];
    }
    if (ok && log->tables_whole)
        verify_ok(v, id, found);
    else if (ok)
        verify_skip(v, id, "the log does not show the whole list of ACPI tables");
    for (int i = 0; i < 3; i++)
        strbuf_free(&b[i]);
}

static void add_memory(struct table_lines *lines, struct arena *arena, uint32_t number,
                       const struct affinity *a)
{
    table_lines_add(lines, arena, "node %u, domain %u, 0x%" PRIx64 "-0x%" PRIx64 "%s%s", number,
                    a->node, a->address, a->address + a->size - 1,
                    a->flags & SRAT_HOTPLUGGABLE ? ", hot-pluggable" : "",
                    a->flags & SRAT_NON_VOLATILE ? ", non-volatile" : "");
}

/* Whether lines are some that follow each other of others. */
static bool is_part(const struct table_lines *part, const struct table_lines *whole)
{
    for (size_t at = 0; at + part->count <= whole->count; at++) {
        size_t i = 0;
        while (i < part->count && strcmp(part->items[i], whole->items[at + i]) == 0)
            i++;
        if (i == part->count)
            return true;
    }
    return false;
}

/* Compares what the log says of a table. `damage` is of the log. */
static void compare_lines(struct verify *v, const char *id, const struct table_lines *want,
                          const struct table_lines *have, const char *damage, const char *what)
{
    size_t skip = damage == log_headless && have->count < want->count ? want->count - have->count
                                                                      : 0;
    struct table_lines rest = {.items = want->items + skip, .count = want->count - skip};
    size_t i = first_difference(&rest, have);
    bool same = i == want->count && i == have->count;
    /* A line that was lost is no difference. */
    if (damage && (damage == log_torn || is_part(have, want))) {
        verify_skip(v, id,
                    arena_printf(v->arena, "what the log says of the SRAT is damaged: %s", damage));
    } else if (same) {
        verify_ok(v, id, arena_printf(v->arena, "%zu %s", have->count, what));
        v->srat_is_right = true;
    } else {
        const char *w = line_or_none(&rest, i);
        const char *h = line_or_none(have, i);
        v->foreign = v->foreign ? v->foreign : srat_cause(w, h);
        verify_fail(v, id, w, h, srat_cause(w, h));
    }
}

static void check_log_memory(struct verify *v)
{
    const struct view_map *map = &v->view->log.srat;
    const struct srat *srat = &v->guest->prediction->tables.srat;
    struct table_lines want = {0};
    struct table_lines have = {0};
    if (!map->present) {
        verify_skip(v, "log.srat", "no log tells the SRAT's memory");
        return;
    }
    for (size_t i = 0; i < srat->memory_count; i++)
        if (srat->memory[i].flags & SRAT_ENABLED)
            add_memory(&want, v->arena, v->guest->nodes[srat->memory[i].node].number,
                       &srat->memory[i]);
    for (size_t i = 0; i < map->count; i++) {
        const struct view_range *r = &map->items[i];
        add_memory(&have, v->arena, r->number,
                   &(struct affinity){.address = r->start,
                                      .size = r->end - r->start,
                                      .node = r->domain,
                                      .flags = r->flags});
    }
    compare_lines(v, "log.srat", &want, &have, map->damage, "ranges of memory");
}

static void check_log_cpus(struct verify *v)
{
    const struct view_log *log = &v->view->log;
    const struct srat *srat = &v->guest->prediction->tables.srat;
    struct table_lines want = {0};
    struct table_lines have = {0};
    if (!log->cpu_count) {
        verify_skip(v, "log.cpus", "no log tells the SRAT's processors (Linux 7 does not)");
        return;
    }
    size_t *order = srat_cpu_order(v->guest->prediction->tables.maker, srat);
    for (size_t i = 0; i < srat->cpu_count; i++) {
        const struct srat_cpu *cpu = &srat->cpus[order[i]];
        table_lines_add(&want, v->arena, "APIC id %u, domain %u, node %u", cpu->apic_id, cpu->node,
                        v->guest->nodes[cpu->node].number);
    }
    free(order);
    for (size_t i = 0; i < log->cpu_count; i++)
        table_lines_add(&have, v->arena, "APIC id %u, domain %u, node %u", log->cpus[i].apic_id,
                        log->cpus[i].domain, log->cpus[i].number);
    compare_lines(v, "log.cpus", &want, &have, log->cpu_damage, "processors");
}

/* EFI or not is what a log tells of firmware for certain. */
static void check_firmware(struct verify *v)
{
    static const char id[] = "log.firmware";
    const struct view_log *log = &v->view->log;
    bool efi = v->guest->vm->boot.firmware.value == FIRMWARE_OVMF;
    if (!(v->guest->prediction->target & TARGET_RUNS_QEMU))
        verify_skip(v, id, "the target boots its guests in its own way");
    else if (!log->e820.present || log->e820.damage || (!log->efi && !log->past_efi))
        verify_skip(v, id, "the source does not show the whole start of a boot log");
    else if (efi != log->efi)
        verify_fail(v, id, firmware_names[v->guest->vm->boot.firmware.value],
                    log->efi ? "a boot through EFI" : "a boot without EFI",
                    "the guest was booted by another firmware than the file's");
    else
        verify_ok(v, id, log->firmware[0] ? log->firmware : efi ? "EFI" : "no EFI");
}

void verify_tables(struct verify *v)
{
    check_firmware(v);
    check_bytes(v);
    check_listed(v);
    check_log_memory(v);
    check_log_cpus(v);
}
