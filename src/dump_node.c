/* SPDX-License-Identifier: MIT */
/* /sys/devices/system/node: which nodes are there and online, and each one's CPUs, distances and memory
 * (Documentation/ABI/stable/sysfs-devices-node). */
#include <stdlib.h>
#include <string.h>

#include "guest_view.h"

static struct view_node *node_of(struct guest_view *view, uint64_t number)
{
    for (size_t i = 0; i < view->node_count; i++)
        if (view->nodes[i].number == number)
            return &view->nodes[i];
    if (number >= NO_NODE || view->node_count == VIEW_NODE_LIMIT) {
        view->node_damage = "there are too many nodes";
        return NULL;
    }
    view->nodes = arena_grow(view->arena, view->nodes, view->node_count, &view->node_cap,
                             sizeof(*view->nodes));
    struct view_node *node = &view->nodes[view->node_count++];
    *node = (struct view_node){.number = (uint32_t)number};
    return node;
}

/* "0-3,8", or nothing. */
static bool take_list(struct guest_view *view, const char *text, struct id_list *list)
{
    *list = (struct id_list){0};
    while (*text) {
        size_t len = strcspn(text, ",");
        char *item = arena_strndup(view->arena, text, len);
        char *dash = strchr(item, '-');
        uint64_t first, last;
        if (dash)
            *dash = '\0';
        if (!view_number(item, 10, &first) || (dash && !view_number(dash + 1, 10, &last)))
            return false;
        last = dash ? last : first;
        if (last < first || last >= VIEW_CPU_LIMIT || list->count == VIEW_CPU_LIMIT)
            return false;
        list->ranges =
            arena_grow(view->arena, list->ranges, list->count, &list->cap, sizeof(*list->ranges));
        list->ranges[list->count++] =
            (struct id_range){.first = (uint32_t)first, .last = (uint32_t)last};
        text += len + (text[len] == ',');
    }
    return true;
}

/* "10 20 20" */
static bool take_distances(struct guest_view *view, const char *text, struct view_node *node)
{
    size_t cap = 0;
    node->distance_count = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        uint64_t value;
        if (!view_number(arena_strndup(view->arena, text, len), 10, &value) || value > 255 ||
            node->distance_count == VIEW_NODE_LIMIT)
            return false;
        node->distances = arena_grow(view->arena, node->distances, node->distance_count, &cap,
                                     sizeof(*node->distances));
        node->distances[node->distance_count++] = (uint32_t)value;
        text += len;
        while (*text == ' ')
            text++;
    }
    return node->distance_count != 0;
}

/* "Node 0 MemTotal:        1941764 kB" among others. */
static bool take_memory(const char *text, struct view_node *node)
{
    const char *at = strstr(text, "MemTotal:");
    if (!at)
        return false;
    at += strlen("MemTotal:");
    while (*at == ' ')
        at++;
    char *end;
    unsigned long long kib = strtoull(at, &end, 10);
    if (end == at || strncmp(end, " kB", 3) != 0 || kib > UINT64_MAX / KIB)
        return false;
    node->memory = kib * KIB;
    return true;
}

static bool take_file(struct guest_view *view, struct view_node *node, const char *name,
                      const char *text)
{
    if (strcmp(name, "cpulist") == 0)
        return node->has_cpus = take_list(view, text, &node->cpus);
    if (strcmp(name, "distance") == 0)
        return node->has_distances = take_distances(view, text, node);
    if (strcmp(name, "meminfo") == 0)
        return node->has_memory = take_memory(text, node);
    return true;
}

void dump_node(struct guest_view *view, const char *rest, const char *bytes, size_t len)
{
    const char *text = view_text(view, bytes, len);
    const char *slash = strchr(rest, '/');
    uint64_t number;
    bool ok = true;
    if (strcmp(rest, "online") == 0) {
        ok = view->has_online = take_list(view, text, &view->online);
    } else if (strcmp(rest, "possible") == 0) {
        ok = view->has_possible = take_list(view, text, &view->possible);
    } else if (slash && strncmp(rest, "node", 4) == 0 &&
               view_number(arena_strndup(view->arena, rest + 4, (size_t)(slash - rest) - 4), 10,
                           &number)) {
        struct view_node *node = node_of(view, number);
        ok = !node || take_file(view, node, slash + 1, text);
    }
    if (!ok)
        view->node_damage = arena_printf(view->arena, "'%.80s' is not what Linux writes", rest);
}
