/* SPDX-License-Identifier: MIT */
#include "diag_render.h"

#include <string.h>

static const char *const severity_colors[] = {
    [SEVERITY_NOTE] = "\033[1;36m",
    [SEVERITY_WARNING] = "\033[1;35m",
    [SEVERITY_ERROR] = "\033[1;31m",
};

/* A source line longer than this is shown as a window around the span. */
enum { SHOWN_COLUMNS = 160 };

static void colored(struct strbuf *out, bool color, const char *start, const char *text)
{
    if (color)
        strbuf_adds(out, start);
    strbuf_adds(out, text);
    if (color)
        strbuf_adds(out, "\033[0m");
}

/* The length in bytes of the well-formed UTF-8 character at p; 0 where there is none. C1 controls
 * (U+0080 ... U+009F) steer terminals, so they are not taken as characters either. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t len = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
    if (len < 2 || len > left)
        return len > left ? 0 : len;
    uint32_t c = *p & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (!utf8_continues((char)p[i]))
            return 0;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0, 0xA0, 0x800, 0x10000};
    return c < least[len] || (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF ? 0 : len;
}

void diag_add_visible(struct strbuf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        const unsigned char *p = (const unsigned char *)text + i;
        size_t step = utf8_length(p, len - i);
        if (step == 1 && (*p < 0x20 || *p == 0x7f))
            strbuf_addc(out, *p == '\t' ? ' ' : '?');
        else if (step)
            strbuf_add(out, p, step);
        else if (!utf8_continues((char)*p))
            strbuf_addc(out, '?');
        i += step ? step : 1;
    }
}

static void add_place(struct strbuf *out, const struct source *source, struct span at)
{
    struct place place = source_place(source, at);
    diag_add_visible(out, source->name, strlen(source->name));
    if (place.line)
        strbuf_addf(out, ":%u:%u", place.line, place.column);
    strbuf_adds(out, ": ");
}

/* The byte offset of a column (1-based, in code points) of a line. */
static size_t column_offset(const char *line, size_t len, uint32_t column)
{
    size_t i = 0;
    for (uint32_t c = 1; c < column && i < len; c++) {
        i++;
        while (i < len && utf8_continues(line[i]))
            i++;
    }
    return i;
}

static void add_source_line(struct strbuf *out, const struct source *source, struct span span,
                            bool color, const char *start_color)
{
    size_t len;
    struct place at = source_place(source, span);
    const char *line = source_line(source, at.line, &len);
    if (!at.line || !len)
        return;
    uint32_t first = at.column;
    uint32_t last = at.end_line == at.line && at.end_column > first ? at.end_column : first + 1;
    if (at.end_line > at.line)
        last = UINT32_MAX;
    uint32_t window = first > SHOWN_COLUMNS / 2 && len > SHOWN_COLUMNS ? first - SHOWN_COLUMNS / 2
                                                                       : 1;
    size_t begin = column_offset(line, len, window);
    size_t end = begin + column_offset(line + begin, len - begin, SHOWN_COLUMNS + 1);
    strbuf_addf(out, "%5u | ", at.line);
    diag_add_visible(out, line + begin, end - begin);
    strbuf_adds(out, "\n      | ");
    struct strbuf carets = {0};
    uint32_t column = window;
    for (size_t i = begin; i < end; column++) {
        size_t step = column_offset(line + i, end - i, 2);
        if (column >= last)
            break;
        if (column >= first)
            strbuf_addc(&carets, column == first ? '^' : '~');
        else
            strbuf_addc(out, ' ');
        i += step;
    }
    if (!carets.len)
        strbuf_addc(&carets, '^');
    while (carets.len > 1 && at.end_line > at.line && carets.len > 60)
        carets.data[--carets.len] = '\0';
    colored(out, color, start_color, carets.data);
    strbuf_addc(out, '\n');
    strbuf_free(&carets);
}

void diag_render_text(struct strbuf *out, const struct diags *diags, const struct source *source,
                      enum severity least, bool color)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *d = diags->items[i];
        if (d->severity < least)
            continue;
        const struct rule *rule = rule_info(d->rule);
        add_place(out, source, d->at);
        colored(out, color, severity_colors[d->severity], severity_name(d->severity));
        strbuf_adds(out, ": ");
        diag_add_visible(out, d->message, strlen(d->message));
        strbuf_addf(out, " [%s %s]\n", rule->id, rule->name);
        add_source_line(out, source, d->at, color, severity_colors[d->severity]);
        for (const struct diag_note *note = d->notes; note; note = note->next) {
            add_place(out, source, note->at);
            colored(out, color, severity_colors[SEVERITY_NOTE], "note");
            strbuf_adds(out, ": ");
            diag_add_visible(out, note->text, strlen(note->text));
            strbuf_addc(out, '\n');
            add_source_line(out, source, note->at, color, severity_colors[SEVERITY_NOTE]);
        }
        if (d->help) {
            strbuf_adds(out, "  help: ");
            diag_add_visible(out, d->help, strlen(d->help));
            strbuf_addc(out, '\n');
        }
    }
}
