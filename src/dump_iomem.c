/* SPDX-License-Identifier: MIT */
/* /proc/iomem: lines "START-END : NAME" in hexadecimal, children indented. Only root sees the addresses;
 * for others they are 0. Linux 7.1 and newer do not list soft-reserved ranges. */
#include <stdlib.h>
#include <string.h>

#include "guest_view.h"

static const struct {
    const char *name;
    uint32_t type;
} names[] = {
    {"System RAM", E820_RAM},
    {"System RAM (kmem)", RANGE_KMEM},
    {"Soft Reserved", E820_SOFT_RESERVED},
};

static void take_line(struct guest_view *view, char *line)
{
    char *name = strstr(line, " : ");
    char *dash = strchr(line, '-');
    uint64_t start, last;
    while (*line == ' ')
        line++;
    if (!*line)
        return;
    if (!name || !dash || dash > name) {
        view->iomem.damage = "a line of it is not 'START-END : NAME'";
        return;
    }
    *name = *dash = '\0';
    if (!view_number(line, 16, &start) || !view_number(dash + 1, 16, &last) || last < start) {
        view->iomem.damage = "a line of it has no range";
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(name + 3, names[i].name) != 0)
            continue;
        struct view_range *range = view_add_range(view, &view->iomem);
        if (!range)
            return;
        range->start = start;
        range->end = last + 1;
        range->type = names[i].type;
        view->iomem_soft |= range->type == E820_SOFT_RESERVED;
        /* Without privilege every range is 0-0. */
        view->iomem.present |= last != 0;
    }
}

void dump_iomem(struct guest_view *view, const char *rest, const char *bytes, size_t len)
{
    (void)rest;
    char *text = arena_strndup(view->arena, bytes, len);
    for (char *line = text; line;) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        take_line(view, line);
        line = next;
    }
}
