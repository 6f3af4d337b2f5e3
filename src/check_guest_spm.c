/* SPDX-License-Identifier: MIT */
/* Rules on the ranges of SPM that the guest's kernel gets, and how much of them it can bring online.
 * "Measured" is as in firmware.h. */
#include "firmware.h"

#include <inttypes.h>
#include <stdlib.h>

#include "strbuf.h"

static int by_address(const void *left, const void *right)
{
    const struct placement *a = *(const struct placement *const *)left;
    const struct placement *b = *(const struct placement *const *)right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static const struct placement **spm_by_address(const struct check_context *c)
{
    const struct layout *l = c->layout;
    const struct placement **sorted = arena_alloc(c->arena, l->spm_count, sizeof(*sorted));
    for (size_t i = 0; i < l->spm_count; i++)
        sorted[i] = &l->spm[i];
    if (l->spm_count)
        qsort(sorted, l->spm_count, sizeof(*sorted), by_address);
    return sorted;
}

static void report_touching_nodes(struct check_context *c, const struct placement *before,
                                  const struct placement *after, uint32_t owner)
{
    struct diag *d = diag_add(c->diags, RULE_SPM_TOUCHING_NODES, region_place(after->region),
                              "SPM of node %u at 0x%" PRIx64 " touches that of node %u: OVMF joins "
                              "them, and Linux gives all to node %u",
                              after->region->node, after->address, before->region->node, owner);
    diag_note(c->diags, d, region_place(before->region), "node %u's ends at 0x%" PRIx64,
              before->region->node, placement_end(before));
    if (given(after->region->address.at))
        diag_help(c->diags, d,
                  "write 0x%" PRIx64 " or more, leave 'address' out, or add 'hmat', with which "
                  "Linux goes by the SRAT",
                  round_up(placement_end(before) + c->layout->block, c->layout->block));
    else
        diag_help(c->diags, d,
                  "add 'hmat', with which Linux goes by the SRAT, or put a node with normal memory "
                  "between the two");
}

static void report_touching_regions(struct check_context *c, const struct placement *first,
                                    const struct placement *second, uint64_t end)
{
    struct strbuf size = {0};
    strbuf_add_size(&size, end - first->address, " ");
    struct diag *d = diag_add(c->diags, RULE_SPM_TOUCHING_REGIONS, region_place(second->region),
                              "SPM regions of node %u touch, and the guest sees one of %s",
                              second->region->node, size.data);
    diag_note(c->diags, d, region_place(first->region), "from 0x%" PRIx64 " on", first->address);
    diag_help(c->diags, d,
              "for a device of each give the second an 'address' of 0x%" PRIx64
              " or more, or add 'hmat'",
              round_up(placement_end(first) + c->layout->block, c->layout->block));
    strbuf_free(&size);
}

/* A run of touching ranges, of whatever nodes. */
static void check_run_of_spm(struct check_context *c, const struct placement **run, size_t count)
{
    struct span last = {0};
    for (size_t i = 1; i < count; i++) {
        const struct region *region = run[i]->region;
        if (region->node == run[i - 1]->region->node || same_place(region_place(region), last))
            continue;
        report_touching_nodes(c, run[i - 1], run[i], run[0]->region->node);
        last = region_place(region);
    }
    for (size_t i = 0, next; i < count; i = next) {
        next = i + 1;
        while (next < count && run[next]->region->node == run[i]->region->node)
            next++;
        if (next > i + 1 && !node_repeats(c->vm, run[i]->region->node))
            report_touching_regions(c, run[i], run[i + 1], placement_end(run[next - 1]));
    }
}

/* One memmap= parameter is one range to the kernel, whatever it covers (measured). */
static void check_memmap_nodes(struct check_context *c)
{
    struct soft_range *ranges = NULL;
    if (!firmware_sees_spm(c) || firmware_passes_spm(c) || given(c->vm->hmat_at))
        return;
    size_t count = cmdline_soft_ranges(c, &ranges);
    const struct placement **sorted = spm_by_address(c);
    for (size_t r = 0; r < count; r++) {
        const struct placement *first = NULL;
        const struct placement *other = NULL;
        for (size_t i = 0; i < c->layout->spm_count && !other; i++) {
            if (sorted[i]->address < ranges[r].start || placement_end(sorted[i]) > ranges[r].end)
                continue;
            if (!first)
                first = sorted[i];
            else if (sorted[i]->region->node != first->region->node)
                other = sorted[i];
        }
        if (!other)
            continue;
        struct diag *d = diag_add(c->diags, RULE_SPM_TOUCHING_NODES, c->vm->boot.cmdline.at,
                                  "the memmap= parameter for 0x%" PRIx64
                                  " covers SPM of nodes %u and %u, and Linux "
                                  "gives all of it to node %u",
                                  ranges[r].start, first->region->node, other->region->node,
                                  first->region->node);
        diag_note(c->diags, d, region_place(other->region), "node %u's begins at 0x%" PRIx64,
                  other->region->node, other->address);
        diag_help(c->diags, d, "write one parameter for each region of SPM");
    }
}

void check_touching(struct check_context *c)
{
    check_memmap_nodes(c);
    if (!firmware_joins_touching(c))
        return;
    const struct placement **sorted = spm_by_address(c);
    for (size_t i = 0, next; i < c->layout->spm_count; i = next) {
        next = i + 1;
        while (next < c->layout->spm_count &&
               sorted[next]->address == placement_end(sorted[next - 1]))
            next++;
        check_run_of_spm(c, sorted + i, next - i);
    }
}

/* --- memory blocks -------------------------------------------------------------------------- */

/* Linux brings the whole memory blocks of a range online (drivers/dax/kmem.c, "DAX region truncated
 * by ... due to alignment"; measured). */
static void report_block(struct check_context *c, const struct region *region, uint64_t start,
                         uint64_t end, uint64_t block)
{
    uint64_t from = round_up(start, block);
    uint64_t to = end / block * block;
    bool size_at_fault = (end - start) % block;
    struct strbuf online = {0};
    struct strbuf unit = {0};
    struct strbuf size = {0};
    strbuf_add_size(&online, to > from ? to - from : 0, " ");
    strbuf_add_size(&unit, block, " ");
    strbuf_add_size(&size, round_up(region->size.value, block), "");
    struct diag *d =
        diag_add(c->diags, RULE_MEMORY_BLOCK,
                 size_at_fault ? region->size.at : region_place(region),
                 "SPM of node %u at 0x%" PRIx64 "-0x%" PRIx64 " is not whole memory blocks of %s: "
                 "Linux can bring %s of it online",
                 region->node, start, end - 1, unit.data, to > from ? online.data : "none");
    if (size_at_fault)
        diag_help(c->diags, d, "write %s", size.data);
    else if (given(region->address.at))
        diag_help(c->diags, d, "write 0x%" PRIx64 " or 0x%" PRIx64, start / block * block, from);
    else
        diag_help(c->diags, d, "make the sizes of the nodes before it multiples of %s", unit.data);
    strbuf_free(&online);
    strbuf_free(&unit);
    strbuf_free(&size);
}

/* The regions from `first` on that the guest sees as one range: touching ones of one node. */
static size_t joined_regions(const struct placement **sorted, size_t first, size_t count)
{
    size_t next = first + 1;
    while (next < count && sorted[next]->region->node == sorted[first]->region->node &&
           sorted[next]->address == placement_end(sorted[next - 1]))
        next++;
    return next - first;
}

void check_blocks(struct check_context *c)
{
    const struct layout *l = c->layout;
    uint64_t block = guest_memory_block(c);
    bool joins = firmware_joins_touching(c);
    const struct placement **sorted = spm_by_address(c);
    struct span last = {0};
    uint64_t carried = 0; /* what an odd size before it shifts a range by */
    for (size_t i = 0, count; i < l->spm_count; i += count) {
        count = joins ? joined_regions(sorted, i, l->spm_count) : 1;
        const struct region *region = sorted[i]->region;
        uint64_t start = sorted[i]->address;
        uint64_t end = placement_end(sorted[i + count - 1]);
        bool shifted = start % block && (given(region->address.at) || start % block != carried);
        carried = end % block;
        if (!shifted && (end - start) % block == 0)
            continue;
        for (size_t r = 0; r < count && region->size.value % block == 0; r++)
            region = sorted[i + r]->region;
        if (!same_place(region->size.at, last))
            report_block(c, region, start, end, block);
        last = region->size.at;
    }
}
