/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include <stdio.h>
#include <string.h>

void columns_add(struct columns *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strbuf_addv(&c->cells, format, args);
    va_end(args);
    strbuf_addc(&c->cells, '\0');
    c->count++;
}

/* Columns of a terminal that UTF-8 text takes, each character counted as one. */
static size_t shown_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += !utf8_continues(*text);
    return width;
}

void columns_end(struct columns *c, struct strbuf *out)
{
    size_t widths[COLUMNS_MOST] = {0};
    const char *cell = c->cells.data;
    for (size_t i = 0; i < c->count; i++, cell += strlen(cell) + 1)
        if (shown_width(cell) > widths[i % c->width])
            widths[i % c->width] = shown_width(cell);
    cell = c->cells.data;
    for (size_t i = 0; i < c->count; i++, cell += strlen(cell) + 1) {
        size_t column = i % c->width;
        size_t blanks = widths[column] - shown_width(cell);
        bool right = c->right >> column & 1;
        strbuf_adds(out, "  ");
        for (size_t b = 0; right && b < blanks; b++)
            strbuf_addc(out, ' ');
        strbuf_adds(out, cell);
        for (size_t b = 0; !right && b < blanks && column + 1 < c->width; b++)
            strbuf_addc(out, ' ');
        if (column + 1 < c->width)
            continue;
        while (out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        strbuf_addc(out, '\n');
    }
    strbuf_free(&c->cells);
    *c = (struct columns){0};
}
