/* SPDX-License-Identifier: MIT */
#include "layout_cloudhv.h"

#include <string.h>

/* The PCI configuration space that is reserved (layout.rs, PCI_MMCONFIG_START and _SIZE). */
#define ECAM_BASE UINT64_C(0xe8000000)
#define ECAM_SIZE (256 * MIB)
/* Below it is RAM, above it the tables (layout.rs, EBDA_START). */
#define LOW_RAM_END (640 * KIB)

/* --- zones ---------------------------------------------------------------------------------- */

uint64_t zone_page_size(const struct region *region)
{
    const struct backend *b = &region->backend;
    bool huge = b->kind.value != BACKEND_FILE && b->hugepages.value;
    return huge ? b->hugepages.value : 4 * KIB;
}

static void add_piece(struct zone_map *map, const struct region *region, uint64_t size)
{
    map->pieces[map->count++] = (struct zone_piece){region, map->cursor, size};
    map->cursor += size;
    map->end = map->cursor;
    if (region->type.value != MEMORY_SPM)
        map->normal_end = map->end;
}

/* One cursor goes through low and high RAM, as in create_memory_regions_from_zones() of
 * memory_manager.rs: of the low one a zone gets whole pages, and what is left below a page stays
 * empty. */
static void place_zone(struct zone_map *map, const struct region *region)
{
    uint64_t rest = region->size.value;
    if (!map->last) {
        uint64_t page = zone_page_size(region);
        uint64_t room = (CLOUDHV_LOW_END - map->cursor) / page * page;
        uint64_t size = u64_min(rest, room);
        if (size)
            add_piece(map, region, size);
        rest -= size;
        if (size == room) {
            map->low_end = map->cursor;
            map->last = region;
            map->cursor = CLOUDHV_HIGH_BASE;
        }
    }
    if (rest)
        add_piece(map, region, rest);
}

static void place_zones(struct zone_map *map, const struct vm *vm, bool spm)
{
    for (size_t n = 0; n < vm->node_count; n++)
        for (size_t r = 0; r < vm->nodes[n].region_count; r++)
            if ((vm->nodes[n].regions[r].type.value == MEMORY_SPM) == spm)
                place_zone(map, &vm->nodes[n].regions[r]);
}

struct zone_map zone_map(const struct vm *vm, struct arena *arena)
{
    struct zone_map map = {
        /* At most one zone is on both sides. */
        .pieces = arena_alloc(arena, vm->region_count + 1, sizeof(*map.pieces)),
    };
    place_zones(&map, vm, false);
    place_zones(&map, vm, true);
    return map;
}

uint64_t zone_memory_block(const struct zone_map *map)
{
    uint64_t block = 2 * GIB;
    while (block > 128 * MIB && (map->normal_end < 64 * GIB || map->normal_end % block))
        block /= 2;
    return block;
}

/* --- E820 ----------------------------------------------------------------------------------- */

bool kernel_is_vmlinux(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strncmp(slash ? slash + 1 : path, "vmlinux", 7) == 0;
}

static void add_e820(struct layout *l, struct arena *arena, uint64_t start, uint64_t end,
                     uint32_t type)
{
    l->e820 = arena_grow(arena, l->e820, l->e820_count, &l->e820_cap, sizeof(*l->e820));
    l->e820[l->e820_count++] = (struct e820_entry){start, end - start, type, NO_NODE};
}

/* configure_pvh() of arch/src/x86_64/mod.rs: what touches is one range. */
static void add_pvh_ram(struct layout *l, const struct zone_map *map, struct arena *arena)
{
    uint64_t start = MIB;
    for (size_t i = 0; i < map->count; i++) {
        uint64_t end = map->pieces[i].address + map->pieces[i].size;
        if (i + 1 < map->count && map->pieces[i + 1].address == end)
            continue;
        add_e820(l, arena, start, end, E820_RAM);
        if (i + 1 < map->count)
            start = map->pieces[i + 1].address;
    }
}

/* configure_32bit_entry(), of the same file: from the last address alone. */
static void add_entry_ram(struct layout *l, const struct zone_map *map, struct arena *arena)
{
    if (map->end - 1 < CLOUDHV_LOW_END) {
        add_e820(l, arena, MIB, map->end, E820_RAM);
        return;
    }
    add_e820(l, arena, MIB, CLOUDHV_LOW_END, E820_RAM);
    if (map->end - 1 > CLOUDHV_HIGH_BASE)
        add_e820(l, arena, CLOUDHV_HIGH_BASE, map->end, E820_RAM);
}

static bool is_compressed(const struct vm *vm)
{
    return !vm->boot.code.value && vm->boot.kernel.value &&
           !kernel_is_vmlinux(vm->boot.kernel.value);
}

bool layout_cloudhv_depends_on_kernel(const struct vm *vm, struct arena *arena)
{
    const struct zone_map map = zone_map(vm, arena);
    return is_compressed(vm) && map.last && map.low_end != CLOUDHV_LOW_END &&
           map.end > CLOUDHV_HIGH_BASE;
}

/* --- the whole ------------------------------------------------------------------------------ */

/* In order of node, and in a node as its zones are listed: as they were declared. */
static void add_affinities(struct layout *l, const struct zone_map *map, const struct vm *vm,
                           struct arena *arena)
{
    l->affinity = arena_alloc(arena, map->count, sizeof(*l->affinity));
    for (size_t n = 0; n < vm->node_count; n++)
        for (size_t r = 0; r < vm->nodes[n].region_count; r++)
            for (size_t i = 0; i < map->count; i++)
                if (map->pieces[i].region == &vm->nodes[n].regions[r])
                    l->affinity[l->affinity_count++] =
                        (struct affinity){map->pieces[i].address, map->pieces[i].size, (uint32_t)n,
                                          SRAT_ENABLED};
}

/* The address bits to ask for: the file's, or more than the default where RAM needs them. */
static unsigned phys_bits(const struct vm *vm, const struct zone_map *map)
{
    unsigned needed = bits_for(map->end + CLOUDHV_TOP_ROOM);
    if (vm->machine.phys_bits.value)
        return (unsigned)vm->machine.phys_bits.value;
    return needed > CLOUDHV_PHYS_BITS ? needed : 0;
}

void layout_cloudhv(struct layout *l, const struct vm *vm, struct arena *arena)
{
    const struct zone_map map = zone_map(vm, arena);
    *l = (struct layout){
        .high_base = CLOUDHV_HIGH_BASE,
        .block = zone_memory_block(&map),
        .top = map.end - 1,
        .phys_bits = phys_bits(vm, &map),
        .spm_is_ram = true,
        .spm = arena_alloc(arena, map.count, sizeof(*l->spm)),
    };
    for (size_t i = 0; i < map.count; i++) {
        const struct zone_piece *piece = &map.pieces[i];
        l->ram += piece->size;
        l->below += piece->address < CLOUDHV_LOW_END ? piece->size : 0;
        if (piece->region->type.value == MEMORY_SPM)
            l->spm[l->spm_count++] = (struct placement){piece->region, piece->address, piece->size};
    }
    l->above = l->ram - l->below;
    l->max_memory = l->ram;
    add_e820(l, arena, 0, LOW_RAM_END, E820_RAM);
    if (is_compressed(vm))
        add_entry_ram(l, &map, arena);
    else
        add_pvh_ram(l, &map, arena);
    add_e820(l, arena, ECAM_BASE, ECAM_BASE + ECAM_SIZE, E820_RESERVED);
    add_affinities(l, &map, vm, arena);
}
