/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "show_parts.h"

/* Pixels. Text is in a fixed-width font, so that its room is known without one: 0.61 of its height
 * (DejaVu Sans Mono, Menlo and Consolas are narrower). */
enum {
    PAGE_WIDTH = 1080,
    MARGIN = 24,
    INNER = PAGE_WIDTH - 2 * MARGIN,
    LINE = 17,
    TEXT_HEIGHT = 12,
    MAP_ADDRESS = 118,
    MAP_GAP = 10,
    CARD_GAP = 10,
    CELL_MOST = 40,
    CELL_TEXT = 24, /* the smallest cell with a number in it */
    HEAT_STEPS = 7,
};

struct drawing {
    struct strbuf *out;
    int y; /* where the next thing is drawn */
    const struct vm *vm;
    const struct layout *layout;
    bool cloudhv; /* which writes a SLIT in any case */
};

/* Colors are those of Okabe and Ito ("Color Universal Design", 2008), told apart by every kind of
 * color vision; patterns and words say the same in print. The steps of the heat map differ in
 * lightness alone. */
static const char style[] =
    "  <style>\n"
    "    .spmtopo { font: 12px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1a1a1a; }\n"
    "    .spmtopo .page { fill: #ffffff; }\n"
    "    .spmtopo .title { font-size: 20px; font-weight: bold; }\n"
    "    .spmtopo .head { font-size: 14px; font-weight: bold; }\n"
    "    .spmtopo .soft { fill: #595959; }\n"
    "    .spmtopo .middle { text-anchor: middle; }\n"
    "    .spmtopo .end { text-anchor: end; }\n"
    "    .spmtopo .card { fill: #f5f5f5; stroke: #8c8c8c; }\n"
    "    .spmtopo .range { stroke: #1a1a1a; stroke-width: 1; }\n"
    "    .spmtopo .normal { fill: #56b4e9; }\n"
    "    .spmtopo .spm { fill: #e69f00; }\n"
    "    .spmtopo .reserved { fill: #999999; }\n"
    "    .spmtopo .free { fill: none; stroke-dasharray: 4 3; }\n"
    "    .spmtopo .hole { fill: none; stroke: #767676; stroke-dasharray: 2 2; }\n"
    "    .spmtopo .mark { stroke: #1a1a1a; stroke-width: 1; fill: none; }\n"
    "    .spmtopo .cell { stroke: #ffffff; stroke-width: 1; }\n"
    "    .spmtopo .h0 { fill: #eaf3fb; } .spmtopo .h1 { fill: #d3e4f3; }\n"
    "    .spmtopo .h2 { fill: #bad6eb; } .spmtopo .h3 { fill: #89bedc; }\n"
    "    .spmtopo .h4 { fill: #539ecd; } .spmtopo .h5 { fill: #2b7bba; }\n"
    "    .spmtopo .h6 { fill: #0b559f; } .spmtopo .t5, .spmtopo .t6 { fill: #ffffff; }\n"
    "    .spmtopo .self { fill: none; stroke: #8c8c8c; }\n"
    "    .spmtopo .cut { fill: #1a1a1a; } .spmtopo .tcut { fill: #ffffff; }\n"
    "    @media screen and (prefers-color-scheme: dark) {\n"
    "      .spmtopo { fill: #ededed; }\n"
    "      .spmtopo .page { fill: #16181d; }\n"
    "      .spmtopo .soft { fill: #b3b3b3; }\n"
    "      .spmtopo .card { fill: #22262e; stroke: #7a7a7a; }\n"
    "      .spmtopo .range { stroke: #ededed; }\n"
    "      .spmtopo .hole { stroke: #9a9a9a; }\n"
    "      .spmtopo .cell { stroke: #16181d; }\n"
    "      .spmtopo .h0 { fill: #14283f; } .spmtopo .h1 { fill: #163d63; }\n"
    "      .spmtopo .h2 { fill: #1a5487; } .spmtopo .h3 { fill: #2b6ea8; }\n"
    "      .spmtopo .h4 { fill: #6aaedd; } .spmtopo .h5 { fill: #a4cfed; }\n"
    "      .spmtopo .h6 { fill: #dcedf9; }\n"
    "      .spmtopo .t4, .spmtopo .t5, .spmtopo .t6 { fill: #10131a; }\n"
    "      .spmtopo .cut { fill: #ededed; } .spmtopo .tcut { fill: #10131a; }\n"
    "    }\n"
    "  </style>\n"
    "  <defs>\n"
    "    <pattern id=\"spmtopo-spm\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\">"
    "<path class=\"mark\" d=\"M-1 8L8 -1\"/></pattern>\n"
    "    <pattern id=\"spmtopo-reserved\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
    "<path class=\"mark\" d=\"M0 0L6 6M0 6L6 0\"/></pattern>\n"
    "  </defs>\n";

static const char *const kind_classes[MAP_KINDS] = {[MAP_NORMAL] = "normal",
                                                    [MAP_SPM] = "spm",
                                                    [MAP_RESERVED] = "reserved",
                                                    [MAP_FREE] = "free",
                                                    [MAP_HOLE] = "hole"};
static const enum map_kind type_kinds[MEMORY_TYPES] = {
    [MEMORY_NORMAL] = MAP_NORMAL, [MEMORY_SPM] = MAP_SPM, [MEMORY_RESERVED] = MAP_RESERVED};

/* --- parts ---------------------------------------------------------------------------------- */

/* Columns of text that so many pixels hold. */
static size_t columns_in(int pixels)
{
    return pixels > 0 ? (size_t)(pixels * 100 / (61 * TEXT_HEIGHT)) : 0;
}

/* A line of text whose baseline is at y, cut where it is wider than `room`; what was cut is in its
 * title. */
static void text_line(struct strbuf *out, const char *class, int x, int y, int room,
                      const char *text)
{
    struct strbuf fitted = {0};
    size_t most = strlen(text);
    strbuf_addf(out, "    <text x=\"%d\" y=\"%d\"", x, y);
    if (*class)
        strbuf_addf(out, " class=\"%s\"", class);
    strbuf_addc(out, '>');
    strbuf_add_xml(out, show_fit(&fitted, text, columns_in(room)));
    if (fitted.len < most || strcmp(fitted.data, text) != 0) {
        strbuf_adds(out, "<title>");
        strbuf_add_xml(out, show_fit(&fitted, text, most));
        strbuf_adds(out, "</title>");
    }
    strbuf_adds(out, "</text>\n");
    strbuf_free(&fitted);
}

static void rectangle(struct strbuf *out, const char *class, int x, int y, int width, int height)
{
    strbuf_addf(out, "    <rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
                class, x, y, width, height);
}

/* Memory of a kind: its color, and its pattern for those who see none. */
static void swatch(struct strbuf *out, enum map_kind kind, int x, int y, int width, int height)
{
    strbuf_addf(out,
                "    <rect class=\"range %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
                kind_classes[kind], x, y, width, height);
    if (kind == MAP_SPM || kind == MAP_RESERVED)
        strbuf_addf(out,
                    "    <rect fill=\"url(#spmtopo-%s)\" fill-opacity=\"0.35\" x=\"%d\" y=\"%d\" "
                    "width=\"%d\" height=\"%d\"/>\n",
                    kind_classes[kind], x, y, width, height);
}

static void section(struct drawing *d, const char *id, const char *head, const char *caption)
{
    d->y += 2 * LINE;
    strbuf_addf(d->out, "  <g id=\"%s\">\n    <text class=\"head\" x=\"%d\" y=\"%d\">%s</text>\n",
                id, MARGIN, d->y, head);
    d->y += LINE;
    text_line(d->out, "soft", MARGIN, d->y, INNER, caption);
    d->y += LINE;
}

static void section_end(struct drawing *d)
{
    strbuf_adds(d->out, "  </g>\n");
}

/* --- head ----------------------------------------------------------------------------------- */

static void draw_head(struct drawing *d, const struct prediction *p)
{
    struct strbuf text = {0};
    show_summary(&text, d->vm, p);
    strbuf_adds(d->out, "  <title>");
    strbuf_add_xml(d->out, d->vm->name.value);
    strbuf_adds(d->out, "</title>\n");
    d->y = MARGIN + 20;
    strbuf_addf(d->out, "  <g id=\"summary\">\n    <text class=\"title\" x=\"%d\" y=\"%d\">",
                MARGIN, d->y);
    strbuf_add_xml(d->out, d->vm->name.value);
    strbuf_adds(d->out, "</text>\n");
    d->y += 4;
    char *line = text.data + strlen(d->vm->name.value) + 2;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        d->y += LINE;
        text_line(d->out, "soft", MARGIN, d->y, INNER, line);
    }
    section_end(d);
    strbuf_free(&text);
}

static void draw_legend(struct drawing *d)
{
    int x = MARGIN;
    d->y += LINE;
    strbuf_adds(d->out, "  <g id=\"legend\">\n");
    for (int kind = 0; kind < MAP_KINDS; kind++) {
        const char *name = map_kind_names[kind];
        swatch(d->out, (enum map_kind)kind, x, d->y, 26, 14);
        text_line(d->out, "", x + 34, d->y + 11, INNER, name);
        x += 34 + (int)strlen(name) * 8 + 24;
    }
    d->y += 14;
    section_end(d);
}

/* --- address map ---------------------------------------------------------------------------- */

/* As the logarithm of the size; holes are folded. Many rows are drawn closer. */
static int row_height(const struct map_row *row, int columns)
{
    int bits = (int)bits_for((row->end - row->address) / MIB + 1);
    if (row->kind == MAP_HOLE || row->kind == MAP_FREE)
        return LINE + 1;
    return LINE + 1 + (columns == 1 ? 3 * bits : bits / 2);
}

/* A hole ends where it ends by chance: whole units say how large it is. */
static void add_rounded(struct strbuf *b, uint64_t bytes)
{
    uint64_t unit = KIB;
    while (bytes / unit >= 10 * KIB)
        unit *= 1024;
    uint64_t rounded = (bytes + unit / 2) / unit * unit;
    if (rounded != bytes)
        strbuf_adds(b, "about ");
    strbuf_add_size(b, rounded, " ");
}

static const char *row_name(enum map_kind kind, bool wide)
{
    if (kind == MAP_HOLE)
        return wide ? "hole, folded" : "hole";
    return kind == MAP_FREE && !wide ? "free" : map_kind_names[kind];
}

static void draw_row(struct drawing *d, const struct map_row *row, int x, int width, int height)
{
    bool wide = width == INNER;
    int bar = wide ? 240 : 24;
    int inset = row->kind == MAP_HOLE ? bar / 4 : 0;
    struct strbuf text = {0};
    strbuf_addf(d->out, "    <g id=\"map-0x%" PRIx64 "\">\n", row->address);
    strbuf_addf(&text, "0x%010" PRIx64, row->address);
    text_line(d->out, "soft end", x + MAP_ADDRESS - 8, d->y + 12, MAP_ADDRESS - 8, text.data);
    swatch(d->out, row->kind, x + MAP_ADDRESS + inset, d->y, bar - 2 * inset, height);
    text.len = 0;
    if (row->kind == MAP_HOLE)
        add_rounded(&text, row->end - row->address);
    else
        strbuf_add_size(&text, row->end - row->address, " ");
    strbuf_addf(&text, " %s", row_name(row->kind, wide));
    if (row->node != NO_NODE) {
        const struct text *label = &d->vm->nodes[row->node].label;
        strbuf_addf(&text, wide ? ", node %u" : " node %u", row->node);
        if (wide && label->value && row->kind != MAP_FREE)
            strbuf_addf(&text, " (%s)", label->value);
    }
    text_line(d->out, row->kind == MAP_HOLE ? "soft" : "", x + MAP_ADDRESS + bar + MAP_GAP,
              d->y + height / 2 + 4, width - MAP_ADDRESS - bar - MAP_GAP, text.data);
    strbuf_adds(d->out, "    </g>\n");
    strbuf_free(&text);
}

static void draw_map(struct drawing *d)
{
    size_t count;
    struct map_row *rows = show_map_rows(d->layout, &count);
    int columns = count <= 40 ? 1 : 3;
    int width = columns == 1 ? INNER : (INNER - 2 * MARGIN) / columns;
    size_t each = (count + (size_t)columns - 1) / (size_t)columns;
    section(d, "map", "Address map",
            columns == 1 ? "Heights grow with the logarithm of the size; holes are folded."
                         : "Read down each column. Heights grow with the logarithm of the size; "
                           "holes are folded.");
    int top = d->y, bottom = d->y;
    for (size_t i = 0; i < count; i++) {
        int x = MARGIN + (int)(i / each) * (width + MARGIN);
        int height = row_height(&rows[i], columns);
        if (i % each == 0)
            d->y = top;
        draw_row(d, &rows[i], x, width, height);
        d->y += height + 1;
        if (d->y > bottom)
            bottom = d->y;
    }
    d->y = bottom;
    section_end(d);
    free(rows);
}

/* --- nodes ---------------------------------------------------------------------------------- */

static int card_lines(const struct node *node)
{
    uint64_t sums[MEMORY_TYPES];
    int lines = 2 + (node->label.value != NULL);
    show_sums(sums, node);
    for (size_t type = 0; type < MEMORY_TYPES; type++)
        lines += sums[type] != 0;
    return lines + (given(node->initiator.at) && node->initiator.value != node->id);
}

static void draw_card(struct drawing *d, const struct node *node, int x, int y, int width,
                      int height)
{
    uint64_t sums[MEMORY_TYPES];
    struct strbuf text = {0};
    int room = width - 16;
    show_sums(sums, node);
    strbuf_addf(d->out, "    <g id=\"node-%u\">\n", node->id);
    rectangle(d->out, "card", x, y, width, height);
    x += 8;
    strbuf_addf(d->out, "    <text class=\"head\" x=\"%d\" y=\"%d\">node %u</text>\n", x,
                y += LINE + 2, node->id);
    if (node->label.value)
        text_line(d->out, "soft", x, y += LINE, room, node->label.value);
    strbuf_adds(&text, node->cpus.count ? "CPUs " : "no CPUs");
    id_list_text(&text, &node->cpus);
    text_line(d->out, "", x, y += LINE, room, text.data);
    for (size_t type = 0; type < MEMORY_TYPES; type++)
        if (sums[type]) {
            text.len = 0;
            strbuf_add_size(&text, sums[type], " ");
            strbuf_addf(&text, " %s", map_kind_names[type_kinds[type]]);
            y += LINE;
            swatch(d->out, type_kinds[type], x, y - 10, 18, 11);
            text_line(d->out, "", x + 26, y, room - 26, text.data);
        }
    if (given(node->initiator.at) && node->initiator.value != node->id) {
        text.len = 0;
        strbuf_addf(&text, "near node %" PRIu64, node->initiator.value);
        text_line(d->out, "soft", x, y + LINE, room, text.data);
    }
    strbuf_adds(d->out, "    </g>\n");
    strbuf_free(&text);
}

static void draw_nodes(struct drawing *d)
{
    size_t count = d->vm->node_count;
    int across = count <= 32 ? 4 : 6;
    int width = (INNER - (across - 1) * CARD_GAP) / across;
    int lines = 0;
    for (size_t n = 0; n < count; n++)
        if (card_lines(&d->vm->nodes[n]) > lines)
            lines = card_lines(&d->vm->nodes[n]);
    int height = lines * LINE + 10;
    section(d, "nodes", "Nodes", "CPUs, memory, and the CPU node that the HMAT calls nearest.");
    for (size_t n = 0; n < count; n++)
        draw_card(d, &d->vm->nodes[n], MARGIN + (int)n % across * (width + CARD_GAP),
                  d->y + (int)n / across * (height + CARD_GAP), width, height);
    d->y += ((int)count + across - 1) / across * (height + CARD_GAP);
    section_end(d);
}

/* --- distances ------------------------------------------------------------------------------ */

/* The distances to other nodes from least to most, 255 (unreachable; ACPI 6.5, 5.2.17) apart, are
 * cut into equal steps. */
struct scale {
    unsigned least, most;
    bool unreachable; /* some are */
};

static struct scale scale_of(const struct vm *vm)
{
    struct scale s = {.least = UINT8_MAX, .most = 0};
    for (size_t i = 0; i < vm->node_count; i++)
        for (size_t j = 0; j < vm->node_count; j++) {
            unsigned distance = vm_distance(vm, i, j);
            if (i != j && distance == UINT8_MAX)
                s.unreachable = true;
            if (i == j || distance == UINT8_MAX)
                continue;
            s.least = distance < s.least ? distance : s.least;
            s.most = distance > s.most ? distance : s.most;
        }
    return s;
}

/* The last step is HEAT_STEPS: unreachable. */
static unsigned step_of(const struct scale *s, unsigned distance)
{
    if (distance == UINT8_MAX)
        return HEAT_STEPS;
    if (s->most <= s->least)
        return 2;
    return (distance - s->least) * (HEAT_STEPS - 1) / (s->most - s->least);
}

static const char *const step_classes[] = {"h0", "h1", "h2", "h3", "h4", "h5", "h6", "cut"};
static const char *const text_classes[] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "tcut"};

static void draw_step(struct drawing *d, unsigned step, int x, const char *text)
{
    strbuf_addf(d->out,
                "    <rect class=\"range %s\" x=\"%d\" y=\"%d\" width=\"26\" height=\"14\"/>\n",
                step_classes[step], x, d->y);
    text_line(d->out, "", x + 34, d->y + 11, INNER, text);
}

/* What each step stands for, "11-13". */
static void draw_scale(struct drawing *d, const struct scale *s)
{
    int x = MARGIN;
    struct strbuf text = {0};
    for (unsigned first = s->least, last; first <= s->most; first = last + 1) {
        unsigned step = step_of(s, first);
        for (last = first; last < s->most && step_of(s, last + 1) == step;)
            last++;
        text.len = 0;
        strbuf_addf(&text, first == last ? "%u" : "%u-%u", first, last);
        draw_step(d, step, x, text.data);
        x += 110;
    }
    if (s->unreachable)
        draw_step(d, HEAT_STEPS, x, "255 unreachable");
    d->y += 14 + LINE;
    strbuf_free(&text);
}

static void draw_cells(struct drawing *d, const struct scale *s, size_t from, int left, int y,
                       int size)
{
    bool numbers = size >= CELL_TEXT;
    size_t count = d->vm->node_count;
    for (size_t to = 0, run; to < count; to += run) {
        unsigned distance = vm_distance(d->vm, from, to);
        unsigned step = step_of(s, distance);
        run = 1;
        /* Small cells of one color are one. */
        while (!numbers && to != from && to + run < count && to + run != from &&
               step_of(s, vm_distance(d->vm, from, to + run)) == step)
            run++;
        int x = left + (int)to * size;
        /* The frame of a node's distance to itself is inside the cell, where no other is drawn. */
        int inset = numbers && to == from;
        const char *class = numbers ? "cell " : "";
        strbuf_addf(d->out,
                    "    <rect id=\"distance-%zu-%zu\" class=\"%s%s\" x=\"%d\" y=\"%d\" "
                    "width=\"%d\" height=\"%d\"/>\n",
                    from, to, to == from ? "" : class, to == from ? "self" : step_classes[step],
                    x + inset, y + inset, (int)run * size - 2 * inset, size - 2 * inset);
        if (numbers)
            strbuf_addf(d->out, "    <text class=\"middle %s\" x=\"%d\" y=\"%d\">%u</text>\n",
                        to == from ? "soft" : text_classes[step], x + size / 2, y + size / 2 + 4,
                        distance);
    }
}

static void draw_distances(struct drawing *d)
{
    size_t count = d->vm->node_count;
    int most = (INNER - 60) / (int)count;
    int size = most < CELL_MOST ? most : CELL_MOST;
    size_t labelled = size >= LINE ? 1 : size >= 5 ? 16 : 64; /* every so many nodes */
    int left = MARGIN + 48;
    struct scale scale = scale_of(d->vm);
    section(d, "distances", "Distances",
            d->vm->distances.values ? "From the node of the row to the node of the column (SLIT)."
            : d->cloudhv            ? "None are given: 10 to itself, 20 to others."
                         : "None are given, so there is no SLIT: 10 to itself, 20 to others.");
    if (d->vm->distances.values && count > 1) {
        draw_scale(d, &scale);
        size = size ? size : 1;
        for (size_t n = 0; n < count; n += labelled)
            strbuf_addf(d->out, "    <text class=\"middle soft\" x=\"%d\" y=\"%d\">%zu</text>\n",
                        left + (int)n * size + size / 2, d->y, n);
        d->y += 6;
        for (size_t n = 0; n < count; n++) {
            if (n % labelled == 0)
                strbuf_addf(d->out, "    <text class=\"end soft\" x=\"%d\" y=\"%d\">%zu</text>\n",
                            left - 8, d->y + size / 2 + 4, n);
            draw_cells(d, &scale, n, left, d->y, size);
            d->y += size;
        }
    }
    section_end(d);
}

void show_svg(struct strbuf *out, const struct vm *vm, const struct prediction *p)
{
    struct strbuf body = {0};
    struct drawing d = {.out = &body,
                        .vm = vm,
                        .layout = &p->layout,
                        .cloudhv = p->target == TARGET_CLOUDHV};
    draw_head(&d, p);
    draw_legend(&d);
    draw_map(&d);
    draw_nodes(&d);
    draw_distances(&d);
    d.y += MARGIN;
    strbuf_addf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"spmtopo\" role=\"img\" "
                "viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n",
                PAGE_WIDTH, d.y, PAGE_WIDTH, d.y);
    strbuf_adds(out, style);
    strbuf_addf(out, "  <rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", PAGE_WIDTH, d.y);
    strbuf_add(out, body.data, body.len);
    strbuf_adds(out, "</svg>\n");
    strbuf_free(&body);
}
