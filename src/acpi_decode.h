/* SPDX-License-Identifier: MIT */
/* SRAT, SLIT, HMAT and MADT from bytes of unknown origin. Layer 6. */
#ifndef SPMTOPO_ACPI_DECODE_H
#define SPMTOPO_ACPI_DECODE_H

#include "acpi.h"

/* What a table says, a line for each thing, in its order. */
struct table_lines {
    const char **items;
    size_t count, cap;
};

/* A line at the end; for what a table is expected to say, too. */
void table_lines_add(struct table_lines *lines, struct arena *arena, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The line of a processor in a MADT. */
void table_lines_add_apic(struct table_lines *lines, struct arena *arena, uint32_t apic_id,
                          bool enabled);

/* Checks a table with its header (length, checksum, every structure's length) and appends what it says.
 * signature: "SRAT", "SLIT", "HMAT" or "APIC"; of the last, processors alone. NULL, or what is wrong
 * with it; all in the arena. */
const char *acpi_decode(const char *signature, const unsigned char *bytes, size_t len,
                        struct arena *arena, struct table_lines *lines);

#endif
