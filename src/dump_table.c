/* SPDX-License-Identifier: MIT */
/* /sys/firmware/acpi/tables: the bytes of a table. Only root can read them. */
#include <string.h>

#include "guest_view.h"

void dump_table(struct guest_view *view, const char *rest, const char *bytes, size_t len)
{
    for (int t = 0; t < VIEW_TABLES; t++)
        if (strcmp(rest, view_table_names[t]) == 0)
            view->tables[t] = (struct view_bytes){
                .data = (unsigned char *)arena_strndup(view->arena, bytes, len),
                .len = len,
                .present = true,
            };
}
