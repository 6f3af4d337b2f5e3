/* SPDX-License-Identifier: MIT */
#include "show_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const map_kind_names[MAP_KINDS] = {[MAP_NORMAL] = "normal",
                                               [MAP_SPM] = "SPM",
                                               [MAP_RESERVED] = "reserved",
                                               [MAP_FREE] = "free, hot-pluggable",
                                               [MAP_HOLE] = "(hole)"};

/* --- the address map ------------------------------------------------------------------------ */

static int by_start(const void *left, const void *right)
{
    const struct map_row *a = left;
    const struct map_row *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static enum map_kind kind_of(const struct layout *l, const struct affinity *a)
{
    if (a->flags & SRAT_HOTPLUGGABLE)
        return MAP_FREE;
    for (size_t i = 0; i < l->spm_count; i++)
        if (l->spm[i].address == a->address)
            return MAP_SPM;
    return MAP_NORMAL;
}

/* Ranges in order of addresses. */
static size_t take_ranges(struct map_row *rows, const struct layout *l)
{
    size_t count = 0;
    for (size_t i = 0; i < l->affinity_count; i++)
        if (l->affinity[i].flags)
            rows[count++] = (struct map_row){l->affinity[i].address,
                                             l->affinity[i].address + l->affinity[i].size,
                                             l->affinity[i].node, kind_of(l, &l->affinity[i])};
    for (size_t i = 0; i < l->e820_count; i++)
        if (l->e820[i].type == E820_RESERVED)
            rows[count++] =
                (struct map_row){l->e820[i].address, l->e820[i].address + l->e820[i].size, NO_NODE,
                                 MAP_RESERVED};
    qsort(rows, count, sizeof(*rows), by_start);
    return count;
}

struct map_row *show_map_rows(const struct layout *l, size_t *count)
{
    size_t most = l->affinity_count + l->e820_count;
    struct map_row *ranges = xcalloc(most, sizeof(*ranges));
    struct map_row *rows = xcalloc(2 * most, sizeof(*rows));
    size_t range_count = take_ranges(ranges, l);
    uint64_t cursor = 0;
    *count = 0;
    for (size_t i = 0; i < range_count; i++) {
        if (ranges[i].address > cursor)
            rows[(*count)++] = (struct map_row){cursor, ranges[i].address, NO_NODE, MAP_HOLE};
        rows[(*count)++] = ranges[i];
        cursor = ranges[i].end;
    }
    free(ranges);
    return rows;
}

/* --- text ----------------------------------------------------------------------------------- */

void show_summary(struct strbuf *out, const struct vm *vm, const struct prediction *p)
{
    const struct cpus *c = &vm->cpus;
    const struct layout *l = &p->layout;
    int interface = p->target == TARGET_CLOUDHV ? vm->cloudhv_spm.value : (int)p->qemu.interface;
    strbuf_addf(out, "%s: %s on %s, %s, CPU %s, firmware %s\n", vm->name.value,
                prediction_machine(p, vm), target_names[target_index(p->target)],
                accel_names[vm->machine.accel.value], vm->machine.cpu.value,
                prediction_firmware(p, vm));
    strbuf_addf(out,
                "vCPUs: %" PRIu64 " of %" PRIu64 ", sockets %" PRIu64 ", dies %" PRIu64
                ", modules %" PRIu64 ", cores %" PRIu64 ", threads %" PRIu64 "\n",
                c->count.value, c->max.value, c->sockets.value, c->dies.value, c->modules.value,
                c->cores.value, c->threads.value);
    strbuf_adds(out, "memory: ");
    strbuf_add_size(out, l->ram, " ");
    strbuf_adds(out, " to boot from");
    if (l->max_memory > l->ram) {
        strbuf_adds(out, ", at most ");
        strbuf_add_size(out, l->max_memory, " ");
        strbuf_addf(out, " with %" PRIu64 " slots", l->slots);
    }
    strbuf_addf(out, "; SPM by %s; addresses need %u bits\n", spm_interface_names[interface],
                bits_for(l->top + 1));
}

void show_sums(uint64_t sums[MEMORY_TYPES], const struct node *node)
{
    for (size_t type = 0; type < MEMORY_TYPES; type++)
        sums[type] = 0;
    for (size_t r = 0; r < node->region_count; r++)
        sums[node->regions[r].type.value] += node->regions[r].size.value;
}

/* Bytes of the UTF-8 character that begins with c. */
static size_t utf8_length(unsigned char c)
{
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* Columns of it: from Hangul Jamo (U+1100) on characters may be wide. */
static size_t utf8_columns(const char *p)
{
    unsigned char c = (unsigned char)*p;
    return c > 0xE1 || (c == 0xE1 && (unsigned char)p[1] >= 0x84) ? 2 : 1;
}

const char *show_fit(struct strbuf *b, const char *text, size_t columns)
{
    size_t used = 0;
    size_t cut = 0; /* where an ellipsis still fits */
    b->len = 0;
    strbuf_adds(b, "");
    for (const char *p = text; *p; p += utf8_length((unsigned char)*p)) {
        size_t width = utf8_columns(p);
        if (used + width > columns) {
            b->len = cut;
            strbuf_adds(b, "\xE2\x80\xA6");
            break;
        }
        if (strncmp(p, "\xEF\xBF\xBE", 3) == 0 || strncmp(p, "\xEF\xBF\xBF", 3) == 0)
            strbuf_adds(b, "\xEF\xBF\xBD");
        else
            strbuf_add(b, p, utf8_length((unsigned char)*p));
        used += width;
        if (used < columns)
            cut = b->len;
    }
    return b->data;
}
