/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include <inttypes.h>
#include <stdlib.h>

#include "firmware.h"

static int by_start(const void *left, const void *right)
{
    const struct guest_range *a = left;
    const struct guest_range *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static void sort(struct guest_ranges *ranges)
{
    if (ranges->count)
        qsort(ranges->items, ranges->count, sizeof(*ranges->items), by_start);
}

/* Joins touching ranges: those of one node, or of any. */
static void join(struct guest_ranges *ranges, bool of_any_node)
{
    size_t kept = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        struct guest_range *last = kept ? &ranges->items[kept - 1] : NULL;
        const struct guest_range *next = &ranges->items[i];
        if (last && last->end == next->start && (of_any_node || last->node == next->node)) {
            last->joined |= next->joined || last->node != next->node;
            last->end = next->end;
        } else {
            ranges->items[kept++] = *next;
        }
    }
    ranges->count = kept;
}

static struct guest_ranges copy(const struct guest_ranges *ranges, struct arena *arena)
{
    struct guest_ranges c = {arena_alloc(arena, ranges->count, sizeof(*c.items)), ranges->count};
    for (size_t i = 0; i < c.count; i++)
        c.items[i] = ranges->items[i];
    return c;
}

static struct guest_ranges regions_of_spm(const struct layout *l, struct arena *arena)
{
    struct guest_ranges r = {arena_alloc(arena, l->spm_count, sizeof(*r.items)), l->spm_count};
    for (size_t i = 0; i < l->spm_count; i++)
        r.items[i] = (struct guest_range){
            .start = l->spm[i].address,
            .end = l->spm[i].address + l->spm[i].size,
            .node = l->spm[i].region->node,
        };
    sort(&r);
    return r;
}

/* The soft-reserved ranges that memmap= makes; one parameter is one range, whatever it covers. */
static struct guest_ranges told_ranges(const struct check_context *c,
                                       const struct guest_ranges *promised)
{
    struct soft_range *soft = NULL;
    size_t count = cmdline_soft_ranges(c, &soft);
    struct guest_ranges r = {arena_alloc(c->arena, count, sizeof(*r.items)), count};
    for (size_t i = 0; i < count; i++) {
        struct guest_range *range = &r.items[i];
        *range = (struct guest_range){.start = soft[i].start, .end = soft[i].end, .node = NO_NODE};
        for (size_t k = 0; k < promised->count; k++) {
            const struct guest_range *own = &promised->items[k];
            if (own->end <= range->start || range->end <= own->start)
                continue;
            range->joined |= range->node != NO_NODE && range->node != own->node;
            range->node = range->node == NO_NODE ? own->node : range->node;
        }
    }
    return r;
}

static const char *dropped_cause(const struct check_context *c)
{
    const struct boot *boot = &c->vm->boot;
    if (c->vm->machine.confidential.value == CONFIDENTIAL_TDX)
        return "a TDX guest's firmware hands on plain RAM alone";
    if (boot->firmware.value == FIRMWARE_OVMF)
        return arena_printf(c->arena, "OVMF %s drops E820 type 0xEFFFFFFF", boot->version.value);
    return "this SeaBIOS drops E820 type 0xEFFFFFFF";
}

static void find_fate(struct guest *g, const struct check_context *c)
{
    struct guest_ranges none = {0};
    g->spm = none;
    if (!g->promised.count)
        return;
    if (!firmware_sees_spm(c)) { /* kernel-parameter */
        g->fate = FATE_TOLD;
        g->spm = regions_of_spm(&g->prediction->layout, c->arena);
    } else if (firmware_passes_spm(c)) {
        g->fate = kernel_drops_spm(c) ? FATE_RAM : FATE_ARRIVES;
        if (g->fate == FATE_RAM)
            g->cause = "the guest kernel was booted with efi=nosoftreserve";
        else
            g->spm = regions_of_spm(&g->prediction->layout, c->arena);
        if (g->fate == FATE_ARRIVES && g->vm->boot.firmware.value == FIRMWARE_OVMF)
            join(&g->spm, true);
    } else if (g->vm->machine.confidential.value == CONFIDENTIAL_SEV_SNP &&
               g->vm->boot.firmware.value == FIRMWARE_OVMF) {
        g->fate = FATE_RAM;
        g->cause = "OVMF before 202608 makes the SPM of an SEV-SNP guest plain RAM";
    } else {
        g->spm = told_ranges(c, &g->promised);
        g->fate = g->spm.count ? FATE_TOLD : FATE_DROPPED;
        if (g->fate == FATE_DROPPED)
            g->cause = dropped_cause(c);
    }
}

static void find_ram(struct guest *g, struct arena *arena)
{
    const struct tables *t = &g->prediction->tables;
    g->ram.items = arena_alloc(arena, t->e820_count, sizeof(*g->ram.items));
    for (size_t i = 0; i < t->e820_count; i++)
        if (t->e820[i].type == E820_RAM && t->e820[i].size)
            g->ram.items[g->ram.count++] = (struct guest_range){
                .start = t->e820[i].address,
                .end = t->e820[i].address + t->e820[i].size,
                .node = NO_NODE,
            };
    sort(&g->ram);
    join(&g->ram, true);
}

/* RAM without what the kernel is told to take for soft-reserved. */
static void find_left(struct guest *g, struct arena *arena)
{
    size_t s = 0;
    g->left.items = arena_alloc(arena, g->ram.count + g->spm.count, sizeof(*g->left.items));
    for (size_t i = 0; i < g->ram.count; i++) {
        struct guest_range rest = g->ram.items[i];
        for (; s < g->spm.count && g->spm.items[s].end <= rest.end; s++) {
            const struct guest_range *spm = &g->spm.items[s];
            if (spm->start > rest.start) {
                g->left.items[g->left.count] = rest;
                g->left.items[g->left.count++].end = spm->start;
            }
            rest.start = u64_max(rest.start, spm->end);
        }
        if (rest.start < rest.end)
            g->left.items[g->left.count++] = rest;
    }
}

static void find_nodes(struct guest *g, struct arena *arena)
{
    const struct tables *t = &g->prediction->tables;
    uint32_t *numbers = srat_linux_numbers(t->maker, &t->srat, g->vm->node_count);
    g->nodes = arena_alloc(arena, g->vm->node_count, sizeof(*g->nodes));
    for (size_t n = 0; n < g->vm->node_count; n++) {
        const struct node *node = &g->vm->nodes[n];
        g->nodes[n].number = numbers[n];
        for (size_t i = 0; i < node->cpus.count; i++) /* one that is there from the start */
            g->nodes[n].boots |= node->cpus.ranges[i].first < g->vm->cpus.count.value;
        for (size_t r = 0; r < node->region_count; r++) {
            uint64_t size = node->regions[r].size.value;
            if (node->regions[r].type.value == MEMORY_NORMAL) {
                g->nodes[n].normal += size;
                g->nodes[n].boots = true;
            } else if (node->regions[r].type.value == MEMORY_SPM) {
                g->nodes[n].spm += size;
            }
        }
    }
    free(numbers);
}

void guest_expect(struct guest *g, const struct vm *vm, const struct prediction *prediction,
                  struct arena *arena)
{
    *g = (struct guest){.vm = vm, .prediction = prediction};
    struct check_context context = {
        .vm = vm,
        .targets = prediction->target,
        .qemu = &prediction->qemu,
        .layout = &prediction->layout,
        .arena = arena,
    };
    g->promised = regions_of_spm(&prediction->layout, arena);
    join(&g->promised, false);
    find_fate(g, &context);
    const struct placement *shared = firmware_shares_spm(&context);
    if (g->fate == FATE_TOLD && shared)
        g->assumptions[0] =
            arena_printf(arena,
                         "firmware, which keeps its tables there, takes nothing of the SPM "
                         "that ends at 0x%" PRIx64,
                         shared->address + shared->size - 1);
    const char *word = cmdline_alters_memory(&context);
    if (word)
        g->assumptions[1] =
            arena_printf(arena, "'%.40s' on the kernel's command line alters nothing", word);
    find_ram(g, arena);
    find_left(g, arena);
    find_nodes(g, arena);
    g->block = guest_memory_block(&context);
    /* With an HMAT, even an empty one, Linux goes by the SRAT's ranges instead
     * (drivers/acpi/numa/hmat.c, hmat_register_target_devices). */
    if (g->spm.count && prediction->tables.hmat.present)
        g->dax = regions_of_spm(&prediction->layout, arena);
    else
        g->dax = copy(&g->spm, arena);
}

uint32_t guest_node_by_number(const struct guest *g, uint32_t number)
{
    for (size_t n = 0; n < g->vm->node_count; n++)
        if (g->nodes[n].number == number)
            return (uint32_t)n;
    return NO_NODE;
}

uint8_t guest_distance(const struct guest *g, size_t from, size_t to)
{
    return slit_distance(&g->prediction->tables.slit, from, to);
}

void guest_add_range(struct strbuf *out, uint64_t start, uint64_t end)
{
    strbuf_addf(out, "0x%" PRIx64 "-0x%" PRIx64, start, end - 1);
}
