/* SPDX-License-Identifier: MIT */
#include "acpi_decode.h"

#include <inttypes.h>
#include <string.h>

/* The header of every ACPI table (ACPI 6.5, table 5.4). */
enum { HEADER_LENGTH = 36, LENGTH_OFFSET = 4 };

struct decoder {
    const unsigned char *bytes;
    size_t len;
    struct arena *arena;
    struct table_lines *lines;
};

/* A little-endian number; the caller has checked that it is there. */
static uint64_t get(const unsigned char *at, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes--)
        value = value << 8 | at[bytes];
    return value;
}

void table_lines_add(struct table_lines *lines, struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    lines->items =
        arena_grow(arena, lines->items, lines->count, &lines->cap, sizeof(*lines->items));
    lines->items[lines->count++] = arena_vprintf(arena, format, args);
    va_end(args);
}

void table_lines_add_apic(struct table_lines *lines, struct arena *arena, uint32_t apic_id,
                          bool enabled)
{
    table_lines_add(lines, arena, "APIC id %u%s", apic_id, enabled ? "" : ", not enabled");
}

static const char *wrong_length(const struct decoder *d, size_t at, unsigned type, size_t length)
{
    return arena_printf(d->arena, "the structure of type %u at byte %zu has a length of %zu", type,
                        at, length);
}

/* --- SRAT (ACPI 6.5, section 5.2.16) -------------------------------------------------------- */

static const char *flags_text(struct arena *arena, uint64_t flags)
{
    return flags == SRAT_ENABLED                         ? ""
           : flags == (SRAT_ENABLED | SRAT_HOTPLUGGABLE) ? ", hot-pluggable"
           : !(flags & SRAT_ENABLED)                     ? ", not enabled"
                                     : arena_printf(arena, ", flags 0x%" PRIx64, flags);
}

static void add_memory(const struct decoder *d, const unsigned char *at)
{
    uint64_t address = get(at + 8, 8);
    uint64_t size = get(at + 16, 8);
    uint64_t flags = get(at + 28, 4);
    if (!flags && !size)
        table_lines_add(d->lines, d->arena, "memory, not used");
    else
        table_lines_add(d->lines, d->arena,
                        "memory 0x%" PRIx64 "-0x%" PRIx64 ": node %" PRIu64 "%s", address,
                        address + size - 1, get(at + 2, 4), flags_text(d->arena, flags));
}

static const char *decode_srat(const struct decoder *d)
{
    static const size_t lengths[] = {16, 40, 24};
    for (size_t at = 48, length; at < d->len; at += length) {
        const unsigned char *s = d->bytes + at;
        length = d->len - at < 2 ? 0 : s[1];
        if (length < 2 || length > d->len - at ||
            (s[0] < ARRAY_SIZE(lengths) && length != lengths[s[0]]))
            return wrong_length(d, at, s[0], length);
        if (s[0] == 0)
            table_lines_add(d->lines, d->arena, "processor, APIC id %u: node %" PRIu64 "%s", s[3],
                            get(s + 9, 3) << 8 | s[2], flags_text(d->arena, get(s + 4, 4)));
        else if (s[0] == 1)
            add_memory(d, s);
        else if (s[0] == 2)
            table_lines_add(d->lines, d->arena,
                            "processor, x2APIC id %" PRIu64 ": node %" PRIu64 "%s", get(s + 8, 4),
                            get(s + 4, 4), flags_text(d->arena, get(s + 12, 4)));
        else
            table_lines_add(d->lines, d->arena, "a structure of type %u", s[0]);
    }
    return NULL;
}

/* --- SLIT (ACPI 6.5, section 5.2.17) -------------------------------------------------------- */

static const char *decode_slit(const struct decoder *d)
{
    uint64_t nodes = d->len < 44 ? UINT64_MAX : get(d->bytes + 36, 8);
    if (nodes > 65536 || d->len != 44 + nodes * nodes)
        return arena_printf(d->arena, "%zu bytes do not hold the distances of %" PRIu64 " nodes",
                            d->len, nodes);
    struct strbuf row = {0};
    for (size_t i = 0; i < nodes; i++) {
        row.len = 0;
        for (size_t j = 0; j < nodes; j++)
            strbuf_addf(&row, " %u", d->bytes[44 + i * nodes + j]);
        table_lines_add(d->lines, d->arena, "distances from node %zu:%s", i, row.data);
    }
    strbuf_free(&row);
    return NULL;
}

/* --- HMAT (ACPI 6.5, section 5.2.28) -------------------------------------------------------- */

static bool decode_locality(const struct decoder *d, const unsigned char *s, size_t length)
{
    static const char *const types[] = {"access latency",   "read latency",   "write latency",
                                        "access bandwidth", "read bandwidth", "write bandwidth"};
    uint64_t initiators = length < 32 ? 0 : get(s + 12, 4);
    uint64_t targets = length < 32 ? 0 : get(s + 16, 4);
    if (length < 32 || initiators > length || targets > length ||
        length != 32 + 4 * initiators + 4 * targets + 2 * initiators * targets)
        return false;
    table_lines_add(d->lines, d->arena, "%s, hierarchy %u, in units of %" PRIu64,
                    s[9] < ARRAY_SIZE(types) ? types[s[9]] : "another type", s[8], get(s + 24, 8));
    const unsigned char *target = s + 32 + 4 * initiators;
    const unsigned char *value = target + 4 * targets;
    struct strbuf row = {0};
    for (uint64_t i = 0; i < initiators; i++) {
        row.len = 0;
        for (uint64_t j = 0; j < targets; j++, value += 2)
            strbuf_addf(&row, " %" PRIu64 ":%" PRIu64, get(target + 4 * j, 4), get(value, 2));
        table_lines_add(d->lines, d->arena, "from node %" PRIu64 " to%s", get(s + 32 + 4 * i, 4),
                        row.data ? row.data : "");
    }
    strbuf_free(&row);
    return true;
}

static bool decode_hmat_structure(const struct decoder *d, const unsigned char *s, size_t length)
{
    uint64_t type = get(s, 2);
    if (type == 1)
        return decode_locality(d, s, length);
    if (type == 0 && length == 40) {
        uint64_t flags = get(s + 8, 2);
        table_lines_add(d->lines, d->arena, "memory of node %" PRIu64 ": initiator %s",
                        get(s + 16, 4),
                        flags & 1 ? arena_printf(d->arena, "%" PRIu64, get(s + 12, 4)) : "unknown");
    } else if (type == 2 && length >= 32) {
        table_lines_add(d->lines, d->arena,
                        "cache of node %" PRIu64 ": 0x%" PRIx64 " bytes, attributes 0x%" PRIx64,
                        get(s + 8, 4), get(s + 16, 8), get(s + 24, 4));
    } else if (type <= 2) {
        return false;
    } else {
        table_lines_add(d->lines, d->arena, "a structure of type %" PRIu64, type);
    }
    return true;
}

static const char *decode_hmat(const struct decoder *d)
{
    if (d->len < 40)
        return "it is too short";
    for (size_t at = 40, length; at < d->len; at += length) {
        const unsigned char *s = d->bytes + at;
        length = d->len - at < 8 ? 0 : get(s + 4, 4);
        if (length < 8 || length > d->len - at || !decode_hmat_structure(d, s, length))
            return wrong_length(d, at, s[0], length);
    }
    return NULL;
}

/* --- MADT (ACPI 6.5, section 5.2.12) -------------------------------------------------------- */

static const char *decode_madt(const struct decoder *d)
{
    if (d->len < 44)
        return "it is too short";
    for (size_t at = 44, length; at < d->len; at += length) {
        const unsigned char *s = d->bytes + at;
        length = d->len - at < 2 ? 0 : s[1];
        if (length < 2 || length > d->len - at || (s[0] == 0 && length != 8) ||
            (s[0] == 9 && length != 16))
            return wrong_length(d, at, s[0], length);
        if (s[0] == 0)
            table_lines_add_apic(d->lines, d->arena, s[3], get(s + 4, 4) & 1);
        else if (s[0] == 9)
            table_lines_add_apic(d->lines, d->arena, (uint32_t)get(s + 4, 4), get(s + 8, 4) & 1);
    }
    return NULL;
}

static const char *check_header(const struct decoder *d, const char *signature)
{
    unsigned char sum = 0;
    if (d->len < HEADER_LENGTH)
        return arena_printf(d->arena, "%zu bytes are too few for its header", d->len);
    if (memcmp(d->bytes, signature, 4) != 0)
        return arena_printf(d->arena, "its signature is not %s", signature);
    if (get(d->bytes + LENGTH_OFFSET, 4) != d->len)
        return arena_printf(d->arena, "it has %zu bytes, and says that it has %" PRIu64, d->len,
                            get(d->bytes + LENGTH_OFFSET, 4));
    for (size_t i = 0; i < d->len; i++)
        sum = (unsigned char)(sum + d->bytes[i]);
    return sum ? "its checksum is wrong" : NULL;
}

const char *acpi_decode(const char *signature, const unsigned char *bytes, size_t len,
                        struct arena *arena, struct table_lines *lines)
{
    static const struct {
        const char *signature;
        const char *(*decode)(const struct decoder *);
    } decoders[] = {{"SRAT", decode_srat},
                    {"SLIT", decode_slit},
                    {"HMAT", decode_hmat},
                    {"APIC", decode_madt}};
    const struct decoder d = {bytes, len, arena, lines};
    const char *problem = check_header(&d, signature);
    for (size_t i = 0; !problem && i < ARRAY_SIZE(decoders); i++)
        if (strcmp(decoders[i].signature, signature) == 0)
            problem = decoders[i].decode(&d);
    return problem;
}
