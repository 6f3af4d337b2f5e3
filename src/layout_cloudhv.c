/* SPDX-License-Identifier: MIT */
#include "layout_cloudhv.h"

#include <string.h>

#include "strbuf.h"

/* The PCI configuration space that is reserved (layout.rs, PCI_MMCONFIG_START and _SIZE). */
#define ECAM_BASE UINT64_C(0xe8000000)
#define ECAM_SIZE (256 * MIB)
/* Below it is RAM, above it the tables (layout.rs, EBDA_START). */
#define LOW_RAM_END (640 * KIB)

unsigned cloudhv_release(const char *version)
{
    unsigned parts[3];
    if (!version)
        return CLOUDHV_NEWEST;
    if (!version_parts(version, parts) || parts[0] < CLOUDHV_OLDEST || parts[0] > CLOUDHV_NEWEST)
        return 0;
    return parts[0];
}

/* --- zones ---------------------------------------------------------------------------------- */

/* The pages of a hugetlbfs that is mounted on a directory of this name, as such mounts are called:
 * /dev/hugepages, /dev/hugepages1G, /mnt/huge_1GB, and hugeadm's /var/lib/hugetlbfs/pagesize-1GB. 0:
 * it is called otherwise. */
static uint64_t mounted_pages(const char *name)
{
    bool sized = strncmp(name, "pagesize-", 9) == 0;
    if (!sized && !strstr(name, "hugepage") && !strstr(name, "hugetlb") &&
        strcmp(name, "huge") != 0 && strncmp(name, "huge_", 5) != 0)
        return 0;
    return strstr(name, "1G") || strstr(name, "1048576kB") ? GIB : 2 * MIB;
}

/* The same of the directories that lead to a file. */
static uint64_t pages_by_path(const char *path)
{
    uint64_t pages = 0;
    for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
        char name[64] = "";
        if ((size_t)(slash - path) < sizeof(name))
            memcpy(name, path, (size_t)(slash - path));
        pages = u64_max(pages, mounted_pages(name));
    }
    return pages;
}

/* Huge pages that the file asks for, or that its path makes likely; 0: none. */
static uint64_t huge_pages(const struct backend *b)
{
    return b->hugepages.value              ? b->hugepages.value
           : b->kind.value == BACKEND_FILE ? pages_by_path(b->path.value)
                                           : 0;
}

bool zone_is_huge(const struct region *region)
{
    return huge_pages(&region->backend) != 0;
}

/* memory_zone_get_align_size() of memory_manager.rs asks a file's file system (statfs), unless it is
 * told a size of huge pages. */
uint64_t zone_page_size(const struct region *region)
{
    uint64_t pages = huge_pages(&region->backend);
    return pages ? pages : 4 * KIB;
}

bool zone_is_reserved(const struct region *region, const struct vm *vm)
{
    const struct choice *reserve = &region->backend.reserve;
    bool huge = zone_is_huge(region) &&
                cloudhv_release(vm->cloudhv_version.value) >= CLOUDHV_RESERVE;
    return reserve->value && (given(reserve->at) || huge);
}

/* A tmpfs has the processor's pages, whatever else it is told. */
static bool pages_are_known(const struct backend *b)
{
    return b->kind.value != BACKEND_FILE || b->hugepages.value ||
           strncmp(b->path.value, "/dev/shm/", 9) == 0;
}

static void add_piece(struct zone_map *map, const struct region *region, uint64_t size)
{
    map->pieces[map->count++] = (struct zone_piece){region, map->cursor, size};
    map->cursor += size;
    map->end = map->cursor;
    if (region->type.value != MEMORY_SPM)
        map->normal_end = map->end;
}

/* How much of a zone lies below the hole: whole pages. Where that uses the room up, what is left
 * below a page stays empty. */
static uint64_t low_part(const struct zone_map *map, uint64_t size, uint64_t page, bool *used_up)
{
    uint64_t room = (CLOUDHV_LOW_END - map->cursor) / page * page;
    *used_up = size >= room;
    return u64_min(size, room);
}

/* Whether pages of another size, of which the zone is a multiple too, would place it otherwise. */
static bool depends_on_pages(const struct zone_map *map, const struct region *region)
{
    static const uint64_t pages[] = {4 * KIB, 2 * MIB, GIB};
    bool used_up, other_used_up;
    uint64_t size = region->size.value;
    uint64_t low = low_part(map, size, zone_page_size(region), &used_up);
    if (pages_are_known(&region->backend))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        if (size % pages[i] == 0 &&
            (low_part(map, size, pages[i], &other_used_up) != low || other_used_up != used_up))
            return true;
    return false;
}

/* One cursor goes through low and high RAM, as in create_memory_regions_from_zones() of
 * memory_manager.rs. */
static void place_zone(struct zone_map *map, const struct region *region)
{
    uint64_t rest = region->size.value;
    if (!map->last) {
        bool used_up;
        uint64_t size = low_part(map, rest, zone_page_size(region), &used_up);
        if (!map->doubtful && depends_on_pages(map, region))
            map->doubtful = region;
        if (size)
            add_piece(map, region, size);
        rest -= size;
        if (used_up) {
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

const char *layout_cloudhv_assumption(const struct vm *vm, struct arena *arena)
{
    const struct zone_map map = zone_map(vm, arena);
    /* The two entries are then told different maps. */
    bool kernel = is_compressed(vm) && map.last && map.low_end != CLOUDHV_LOW_END &&
                  map.end > CLOUDHV_HIGH_BASE;
    struct strbuf text = {0};
    if (kernel)
        strbuf_adds(&text, "the kernel is a bzImage");
    if (map.doubtful) {
        strbuf_addf(&text, "%sthe file of node %u has pages of ", kernel ? ", and " : "",
                    map.doubtful->node);
        strbuf_add_size(&text, zone_page_size(map.doubtful), " ");
    }
    const char *assumption = text.len ? arena_strndup(arena, text.data, text.len) : NULL;
    strbuf_free(&text);
    return assumption;
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
