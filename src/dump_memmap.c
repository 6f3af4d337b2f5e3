/* SPDX-License-Identifier: MIT */
/* /sys/firmware/memmap/N/{start,end,type}: the map as firmware, or the EFI stub, gave it to the kernel
 * (Documentation/ABI/testing/sysfs-firmware-memmap). */
#include <stdlib.h>
#include <string.h>

#include "guest_view.h"

/* While it is read an entry's flags say which of its files were there. */
enum { HAS_START = 1, HAS_END = 2, HAS_TYPE = 4, HAS_ALL = 7 };

/* The kernel's words (arch/x86/kernel/e820.c, e820_type_to_string). */
static const struct {
    const char *word;
    uint32_t type;
} words[] = {
    {"System RAM", E820_RAM},
    {"Reserved", E820_RESERVED},
    {"Soft Reserved", E820_SOFT_RESERVED},
};

static uint32_t type_of(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i].word, text) == 0)
            return words[i].type;
    return RANGE_OTHER;
}

static struct view_range *entry(struct guest_view *view, uint64_t index)
{
    if (index >= VIEW_RANGE_LIMIT) {
        view->memmap.damage = "it has too many entries";
        return NULL;
    }
    while (view->memmap.count <= index)
        view_add_range(view, &view->memmap);
    return &view->memmap.items[index];
}

void dump_memmap(struct guest_view *view, const char *rest, const char *bytes, size_t len)
{
    const char *slash = strchr(rest, '/');
    uint64_t index, value = 0;
    if (!slash ||
        !view_number(arena_strndup(view->arena, rest, (size_t)(slash - rest)), 10, &index))
        return;
    struct view_range *range = entry(view, index);
    view->memmap.present = true;
    if (!range)
        return;
    const char *text = view_text(view, bytes, len);
    if (strcmp(slash, "/type") == 0) {
        range->type = type_of(text);
        range->flags |= HAS_TYPE;
        return;
    }
    bool number = strncmp(text, "0x", 2) == 0 && view_number(text + 2, 16, &value);
    if (!number)
        view->memmap.damage = arena_printf(view->arena, "'%.80s' is not an address", rest);
    else if (strcmp(slash, "/start") == 0) {
        range->start = value;
        range->flags |= HAS_START;
    } else if (strcmp(slash, "/end") == 0) {
        range->end = value + 1;
        range->flags |= HAS_END;
    }
}

static int by_start(const void *left, const void *right)
{
    const struct view_range *a = left;
    const struct view_range *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

void dump_memmap_complete(struct guest_view *view)
{
    struct view_map *map = &view->memmap;
    for (size_t i = 0; i < map->count && !map->damage; i++)
        if (map->items[i].flags != HAS_ALL)
            map->damage = arena_printf(view->arena, "its entry %zu is incomplete", i);
        else if (map->items[i].end <= map->items[i].start)
            map->damage = arena_printf(view->arena, "its entry %zu ends before it starts", i);
    if (map->count)
        qsort(map->items, map->count, sizeof(*map->items), by_start);
}
