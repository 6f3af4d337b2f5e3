/* SPDX-License-Identifier: MIT */
/* /sys/bus/dax/devices/daxN.M: where a dax device lies, and the node that its memory becomes
 * (Documentation/ABI/testing/sysfs-bus-dax). */
#include <stdlib.h>
#include <string.h>

#include "guest_view.h"

static struct view_dax *device_of(struct guest_view *view, const char *name, size_t len)
{
    for (size_t i = 0; i < view->dax_count; i++)
        if (strlen(view->dax[i].name) == len && memcmp(view->dax[i].name, name, len) == 0)
            return &view->dax[i];
    if (len >= sizeof(view->dax->name) || view->dax_count == VIEW_DAX_LIMIT) {
        view->dax_damage = "there are too many dax devices";
        return NULL;
    }
    view->dax =
        arena_grow(view->arena, view->dax, view->dax_count, &view->dax_cap, sizeof(*view->dax));
    struct view_dax *dax = &view->dax[view->dax_count++];
    *dax = (struct view_dax){.target = -1};
    memcpy(dax->name, name, len);
    return dax;
}

static bool take_file(struct view_dax *dax, const char *name, const char *text)
{
    uint64_t value = 0;
    if (strcmp(name, "resource") == 0) {
        dax->has_start = strncmp(text, "0x", 2) == 0 && view_number(text + 2, 16, &dax->start);
        return dax->has_start;
    }
    if (strcmp(name, "size") == 0)
        return dax->has_size = view_number(text, 10, &dax->size);
    if (strcmp(name, "target_node") == 0) {
        dax->has_target = strcmp(text, "-1") == 0 ||
                          (view_number(text, 10, &value) && value < NO_NODE);
        dax->target = strcmp(text, "-1") == 0 || !dax->has_target ? -1 : (int64_t)value;
        return dax->has_target;
    }
    return true;
}

void dump_dax(struct guest_view *view, const char *rest, const char *bytes, size_t len)
{
    const char *slash = strchr(rest, '/');
    if (!slash || strncmp(rest, "dax", 3) != 0)
        return;
    struct view_dax *dax = device_of(view, rest, (size_t)(slash - rest));
    if (dax && !take_file(dax, slash + 1, view_text(view, bytes, len)))
        view->dax_damage = arena_printf(view->arena, "'%.80s' is not what Linux writes", rest);
}
