/* SPDX-License-Identifier: MIT */
/* Memory maps: of SPM exactly what the file says; of RAM all but what firmware takes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"
#include "verify.h"

/* A source of a map. */
struct map {
    const char *spm_id, *ram_id;
    const char *what; /* "/sys/firmware/memmap" */
    const struct view_map *view;
    bool firmwares; /* as firmware gave it, before memmap= */
    bool is_log;    /* lines can be missing */
};

/* --- sets of addresses ---------------------------------------------------------------------- */

static int by_start(const void *left, const void *right)
{
    const struct guest_range *a = left;
    const struct guest_range *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* The ranges of a type, by address, touching and overlapping ones as one. */
static struct guest_ranges of_type(const struct verify *v, const struct view_map *map,
                                   uint32_t type)
{
    struct guest_ranges r = {.items = arena_alloc(v->arena, map->count, sizeof(*r.items))};
    size_t kept = 0;
    for (size_t i = 0; i < map->count; i++)
        if (map->items[i].type == type)
            r.items[r.count++] =
                (struct guest_range){.start = map->items[i].start, .end = map->items[i].end};
    if (r.count)
        qsort(r.items, r.count, sizeof(*r.items), by_start);
    for (size_t i = 0; i < r.count; i++) {
        if (kept && r.items[i].start <= r.items[kept - 1].end)
            r.items[kept - 1].end = u64_max(r.items[kept - 1].end, r.items[i].end);
        else
            r.items[kept++] = r.items[i];
    }
    r.count = kept;
    return r;
}

/* a less b; both by address, without overlaps. */
static struct guest_ranges less(const struct verify *v, const struct guest_ranges *a,
                                const struct guest_ranges *b)
{
    struct guest_ranges r = {.items = arena_alloc(v->arena, a->count + b->count, sizeof(*r.items))};
    size_t k = 0;
    for (size_t i = 0; i < a->count; i++) {
        uint64_t start = a->items[i].start;
        while (k < b->count && b->items[k].end <= start)
            k++;
        for (size_t j = k; j < b->count && b->items[j].start < a->items[i].end; j++) {
            if (b->items[j].start > start)
                r.items[r.count++] = (struct guest_range){.start = start, .end = b->items[j].start};
            start = u64_max(start, b->items[j].end);
        }
        if (start < a->items[i].end)
            r.items[r.count++] = (struct guest_range){.start = start, .end = a->items[i].end};
    }
    return r;
}

static uint64_t size_of(const struct guest_ranges *r)
{
    uint64_t size = 0;
    for (size_t i = 0; i < r->count; i++)
        size += r->items[i].end - r->items[i].start;
    return size;
}

/* The first four. */
static const char *text_of(const struct verify *v, const struct guest_ranges *r)
{
    enum { SHOWN = 4 };
    struct strbuf b = {0};
    for (size_t i = 0; i < r->count && i < SHOWN; i++) {
        strbuf_adds(&b, i ? ", " : "");
        guest_add_range(&b, r->items[i].start, r->items[i].end);
    }
    if (r->count > SHOWN)
        strbuf_addf(&b, " and %zu more", r->count - SHOWN);
    const char *text = arena_strndup(v->arena, b.data ? b.data : "none", r->count ? b.len : 4);
    strbuf_free(&b);
    return text;
}

/* --- SPM ------------------------------------------------------------------------------------ */

/* What is still missing in firmware's map with memmap= of the guest's kernel, by its command line. Where that is
 * not shown it may make up for all. */
static struct guest_ranges untold(const struct verify *v, const struct view_map *map,
                                  const struct guest_ranges *missing)
{
    struct soft_range *words = NULL;
    struct guest_ranges left = *missing;
    bool may_be = v->guest->fate == FATE_TOLD || v->view->log.user.present;
    if (!v->view->has_cmdline && may_be)
        left.count = 0;
    if (!v->view->has_cmdline)
        return left;
    size_t count = soft_ranges_of(v->view->cmdline, v->arena, &words);
    for (size_t i = 0; i < count; i++) {
        struct guest_range range = {.start = words[i].start, .end = words[i].end};
        struct guest_ranges all = {&range, 1};
        struct guest_ranges old = of_type(v, map, words[i].old);
        struct guest_ranges others = less(v, &all, &old);
        struct guest_ranges made = words[i].old ? less(v, &all, &others) : all;
        left = less(v, &left, &made);
    }
    return left;
}

/* A range that holds SPM of two nodes, which the kernel gives to the first: with an HMAT it goes by the
 * SRAT. */
static const char *joined(const struct verify *v, const struct view_map *map)
{
    const struct guest_ranges *promised = &v->guest->promised;
    bool ignored = v->view->has_cmdline && cmdline_has(v->view->cmdline, "numa", "nohmat");
    if (v->guest->prediction->tables.hmat.present && !ignored)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        const struct view_range *r = &map->items[i];
        for (size_t k = 1; r->type == E820_SOFT_RESERVED && k < promised->count; k++)
            if (r->start < promised->items[k].start && promised->items[k].start < r->end &&
                r->start < promised->items[k - 1].end)
                return arena_printf(
                    v->arena,
                    "joined by firmware: touching SPM of nodes %u and %u is one range, "
                    "and Linux gives all of it to node %u",
                    promised->items[k - 1].node, promised->items[k].node,
                    promised->items[k - 1].node);
    }
    return NULL;
}

static const char *cause_of(const struct verify *v, const struct map *map,
                            const struct guest_ranges *promised, const struct guest_ranges *found)
{
    struct guest_ranges missing = less(v, promised, found);
    struct guest_ranges ram = of_type(v, map->view, E820_RAM);
    struct guest_ranges not_ram = less(v, &missing, &ram);
    if (v->foreign)
        return v->foreign;
    if (!missing.count)
        return "the guest has more SPM than the file";
    if (!map->firmwares && verify_cause_of_word(v))
        return verify_cause_of_word(v);
    if (found->count == 0 && not_ram.count == 0)
        return verify_cause_of_ram(v);
    if (found->count == 0)
        return verify_cause_of_loss(v);
    if (v->guest->fate == FATE_TOLD && found->count == promised->count)
        return "firmware took a part of it, which to it is plain RAM: SPM at the end of the RAM below "
               "4 GiB loses some";
    return "its SPM is elsewhere, or of another size";
}

static void check_spm(struct verify *v, const struct map *map)
{
    struct guest_ranges none = {0};
    struct guest_ranges found = of_type(v, map->view, E820_SOFT_RESERVED);
    /* As one where ranges of two nodes touch. */
    struct guest_ranges promised = less(v, &v->guest->promised, &none);
    size_t kept = 0;
    for (size_t i = 0; i < promised.count; i++) {
        if (kept && promised.items[kept - 1].end == promised.items[i].start)
            promised.items[kept - 1].end = promised.items[i].end;
        else
            promised.items[kept++] = promised.items[i];
    }
    promised.count = kept;
    struct guest_ranges missing = less(v, &promised, &found);
    struct guest_ranges extra = less(v, &found, &promised);
    const char *damage = map->view->damage;
    bool lacks = missing.count;
    if (map->firmwares && lacks && !extra.count) {
        missing = untold(v, map->view, &missing);
        found = less(v, &promised, &missing);
    }
    if (damage && !map->is_log) {
        verify_fail(v, map->spm_id, text_of(v, &promised),
                    arena_printf(v->arena, "a damaged source: %s", damage), NULL);
    } else if (damage && !extra.count) {
        verify_skip(v, map->spm_id,
                    arena_printf(v->arena, "the map in the log is damaged: %s", damage));
    } else if (map->firmwares && lacks && !missing.count && !extra.count) {
        verify_skip(v, map->spm_id,
                    arena_printf(v->arena, "%s is the map before memmap= of the kernel",
                                 map->what));
    } else if (missing.count || extra.count) {
        verify_fail(v, map->spm_id, text_of(v, &promised), text_of(v, &found),
                    cause_of(v, map, &promised, &found));
    } else if (joined(v, map->view)) {
        verify_fail(v, map->spm_id, text_of(v, &v->guest->promised), text_of(v, &found),
                    joined(v, map->view));
    } else {
        verify_ok(v, map->spm_id, text_of(v, &found));
    }
}

/* --- RAM ------------------------------------------------------------------------------------ */

/* What firmware may take of a range of RAM: OVMF takes its pieces below 4 GiB (measured: 8 MiB, and
 * 90 MiB with SMM). */
static uint64_t allowance(const struct guest_range *ram)
{
    uint64_t most = ram->start < 4 * GIB ? 128 * MIB : 64 * MIB;
    return u64_min(most, (ram->end - ram->start) / 2);
}

static const char *overlap(const struct verify *v, const struct view_map *map)
{
    struct guest_ranges r = {.items = arena_alloc(v->arena, map->count, sizeof(*r.items))};
    for (size_t i = 0; i < map->count; i++)
        r.items[r.count++] =
            (struct guest_range){.start = map->items[i].start, .end = map->items[i].end};
    if (r.count)
        qsort(r.items, r.count, sizeof(*r.items), by_start);
    for (size_t i = 1; i < r.count; i++)
        if (r.items[i].start < r.items[i - 1].end)
            return arena_printf(v->arena, "overlapping entries at 0x%" PRIx64, r.items[i].start);
    return NULL;
}

/* The range of which too much is missing. */
static const char *shortage(const struct verify *v, const struct guest_ranges *ram,
                            const struct guest_ranges *found)
{
    for (size_t i = 0; i < ram->count; i++) {
        struct guest_ranges one = {&ram->items[i], 1};
        struct guest_ranges missing = less(v, &one, found);
        if (size_of(&missing) <= allowance(&ram->items[i]))
            continue;
        struct strbuf b = {0};
        strbuf_adds(&b, "of ");
        guest_add_range(&b, ram->items[i].start, ram->items[i].end);
        strbuf_addf(&b, " 0x%" PRIx64 " bytes are missing", size_of(&missing));
        const char *text = arena_strndup(v->arena, b.data, b.len);
        strbuf_free(&b);
        return text;
    }
    return NULL;
}

static void check_ram(struct verify *v, const struct map *map)
{
    const struct guest *g = v->guest;
    struct guest_ranges none = {0};
    struct guest_ranges found = of_type(v, map->view, E820_RAM);
    struct guest_ranges ram = less(v, &g->ram, map->firmwares ? &none : &g->promised);
    struct guest_ranges outside = less(v, &found, &ram);
    outside = less(v, &outside, &g->promised); /* which is a matter of SPM */
    const char *damage = map->view->damage;
    const char *overlaps = map->view == &v->view->iomem ? NULL : overlap(v, map->view);
    const char *lacks = shortage(v, &ram, &found);
    const char *expected = text_of(v, &ram);
    if (damage && !map->is_log)
        verify_fail(v, map->ram_id, expected,
                    arena_printf(v->arena, "a damaged source: %s", damage), NULL);
    else if (overlaps)
        verify_fail(v, map->ram_id, expected, overlaps, NULL);
    else if (outside.count)
        verify_fail(v, map->ram_id, expected,
                    arena_printf(v->arena, "RAM at %s", text_of(v, &outside)), NULL);
    else if (damage)
        verify_skip(v, map->ram_id,
                    arena_printf(v->arena, "the map in the log is damaged: %s", damage));
    else if (lacks)
        verify_fail(v, map->ram_id, expected, lacks,
                    map->firmwares ? NULL : verify_cause_of_word(v));
    else
        verify_ok(v, map->ram_id, expected);
}

/* --- /proc/iomem ---------------------------------------------------------------------------- */

/* Whether Linux is older than 7.1, which took soft-reserved ranges out of it (commit bc62f5b308cb). */
static bool lists_soft_reserved(const struct guest_view *view)
{
    unsigned parts[3] = {0};
    char text[16] = {0};
    size_t len = strspn(view->version, "0123456789.");
    memcpy(text, view->version, len < sizeof(text) ? len : 0);
    return version_parts(text, parts) >= 2 && parts[0] * 1000 + parts[1] < 7001;
}

static void check_iomem_spm(struct verify *v, const struct map *map)
{
    struct guest_ranges ram = of_type(v, map->view, E820_RAM);
    struct guest_ranges kmem = of_type(v, map->view, RANGE_KMEM);
    struct guest_ranges no_ram = less(v, &v->guest->promised, &ram);
    struct guest_ranges outside = less(v, &kmem, &v->guest->promised);
    if (map->view->damage)
        check_spm(v, map); /* NOLINT(bugprone-branch-clone): the order of the causes matters */
    else if (size_of(&no_ram) != size_of(&v->guest->promised))
        verify_fail(v, map->spm_id, text_of(v, &v->guest->promised), "ordinary RAM there",
                    v->foreign ? v->foreign : verify_cause_of_ram(v));
    else if (outside.count)
        verify_fail(v, map->spm_id, text_of(v, &v->guest->promised),
                    arena_printf(v->arena, "memory of a driver at %s", text_of(v, &outside)), NULL);
    else if (v->view->iomem_soft || lists_soft_reserved(v->view))
        check_spm(v, map);
    else
        verify_skip(v, map->spm_id, "Linux 7.1 and newer do not list SPM in /proc/iomem");
}

void verify_maps(struct verify *v)
{
    const struct guest_view *view = v->view;
    const struct map maps[] = {
        {"memmap.spm", "memmap.ram", "/sys/firmware/memmap", &view->memmap, true, false},
        {"log.spm", "log.ram", "the boot log's map",
         view->log.user.present ? &view->log.user : &view->log.e820, false, true},
        {"iomem.spm", "iomem.ram", "/proc/iomem", &view->iomem, false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
        const struct map *map = &maps[i];
        if (!map->view->present && !map->view->damage) {
            const char *why = arena_printf(v->arena, "the source does not show %s", map->what);
            verify_skip(v, map->spm_id, why);
            verify_skip(v, map->ram_id, why);
            continue;
        }
        if (map->view == &view->iomem)
            check_iomem_spm(v, map);
        else
            check_spm(v, map);
        check_ram(v, map);
    }
}
