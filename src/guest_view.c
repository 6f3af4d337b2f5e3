/* SPDX-License-Identifier: MIT */
#include "guest_view.h"

#include <stdlib.h>
#include <string.h>

const char *const view_table_names[VIEW_TABLES] = {
    [VIEW_SRAT] = "SRAT", [VIEW_SLIT] = "SLIT", [VIEW_HMAT] = "HMAT", [VIEW_APIC] = "APIC"};

static void take_cmdline(struct guest_view *view, const char *rest, const char *bytes, size_t len)
{
    (void)rest;
    while (len && (bytes[len - 1] == '\n' || bytes[len - 1] == ' '))
        len--;
    len = len < sizeof(view->cmdline) ? len : sizeof(view->cmdline) - 1;
    memcpy(view->cmdline, bytes, len);
    view->cmdline[len] = '\0';
    view->has_cmdline = true;
}

/* "Linux version 7.2.12+deb14-amd64 (...": the third word. */
static void take_version(struct guest_view *view, const char *rest, const char *bytes, size_t len)
{
    static const char start[] = "Linux version ";
    (void)rest;
    if (len <= strlen(start) || memcmp(bytes, start, strlen(start)) != 0)
        return;
    bytes += strlen(start);
    len -= strlen(start);
    size_t n = 0;
    while (n < len && n + 1 < sizeof(view->version) && bytes[n] > ' ')
        n++;
    memcpy(view->version, bytes, n);
    view->version[n] = '\0';
}

/* A path that ends with '/' stands for all below it. */
static const struct {
    const char *path;
    void (*take)(struct guest_view *, const char *, const char *, size_t);
} readers[] = {
    {"proc/cmdline", take_cmdline},
    {"proc/version", take_version},
    {"proc/iomem", dump_iomem},
    {"sys/firmware/memmap/", dump_memmap},
    {"sys/firmware/acpi/tables/", dump_table},
    {"sys/devices/system/node/", dump_node},
    {"sys/bus/dax/devices/", dump_dax},
};

/* The index of the reader of a path, ARRAY_SIZE(readers) where there is none. */
static size_t find_reader(const char *path, const char **rest)
{
    size_t i = 0;
    for (; i < ARRAY_SIZE(readers); i++) {
        size_t len = strlen(readers[i].path);
        bool folder = readers[i].path[len - 1] == '/';
        *rest = path + len;
        if (folder ? strncmp(path, readers[i].path, len) == 0 : strcmp(path, readers[i].path) == 0)
            break;
    }
    return i;
}

bool view_wants(const char *path)
{
    const char *rest;
    return find_reader(path, &rest) < ARRAY_SIZE(readers);
}

void view_take(struct guest_view *view, const char *path, const char *bytes, size_t len)
{
    const char *rest;
    size_t i = find_reader(path, &rest);
    if (i < ARRAY_SIZE(readers))
        readers[i].take(view, rest, bytes, len);
}

static int by_number(const void *left, const void *right)
{
    const struct view_node *a = left;
    const struct view_node *b = right;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int by_place(const void *left, const void *right)
{
    const struct view_dax *a = left;
    const struct view_dax *b = right;
    return a->start != b->start ? (a->start < b->start ? -1 : 1) : strcmp(a->name, b->name);
}

void view_complete(struct guest_view *view)
{
    dump_memmap_complete(view);
    if (view->dax_count)
        qsort(view->dax, view->dax_count, sizeof(*view->dax), by_place);
    if (view->node_count)
        qsort(view->nodes, view->node_count, sizeof(*view->nodes), by_number);
    /* The log knows both from the start of the boot. */
    if (!view->has_cmdline && view->log.has_cmdline) {
        memcpy(view->cmdline, view->log.cmdline, sizeof(view->cmdline));
        view->has_cmdline = true;
    }
    if (!view->version[0])
        memcpy(view->version, view->log.version, sizeof(view->version));
}

bool view_is_empty(const struct guest_view *view)
{
    bool tables = false;
    for (size_t t = 0; t < VIEW_TABLES; t++)
        tables |= view->tables[t].present;
    return !tables && !view->log.present && !view->memmap.present && !view->iomem.present &&
           !view->has_online && !view->node_count && !view->dax_count;
}

struct view_range *view_add_range(struct guest_view *view, struct view_map *map)
{
    if (map->count == VIEW_RANGE_LIMIT) {
        map->damage = "it has too many entries";
        return NULL;
    }
    map->items = arena_grow(view->arena, map->items, map->count, &map->cap, sizeof(*map->items));
    struct view_range *range = &map->items[map->count++];
    *range = (struct view_range){0};
    return range;
}

char *view_text(struct guest_view *view, const char *bytes, size_t len)
{
    while (len && (bytes[len - 1] == '\n' || bytes[len - 1] == ' '))
        len--;
    return arena_strndup(view->arena, bytes, len);
}

bool view_number(const char *text, int base, uint64_t *value)
{
    char *end;
    if ((*text < '0' || *text > '9') && !(base == 16 && strchr("abcdefABCDEF", *text) && *text))
        return false;
    unsigned long long number = strtoull(text, &end, base);
    *value = number;
    /* The end of the scale is also what an overflow gives. */
    return *end == '\0' && number != UINT64_MAX;
}
