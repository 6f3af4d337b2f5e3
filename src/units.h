/* SPDX-License-Identifier: MIT */
/* Sizes, addresses, numbers, latencies and bandwidths as text. Layer 0. */
#ifndef SPMTOPO_UNITS_H
#define SPMTOPO_UNITS_H

#include "util.h"

/* Sizes and addresses end here: an x86-64 physical address has at most 52 bits (Intel SDM volume 3,
 * section 4.1.4; AMD APM volume 2, section 5.1). */
#define ADDRESS_LIMIT (UINT64_C(1) << 52)

/* Why a text was refused, and what to write instead; both are filled when a parser returns false. */
struct unit_error {
    char message[256];
    char help[256];
};

/* "512MiB", "1.5GiB", "16G" to bytes. */
bool size_parse(const char *text, uint64_t *bytes, struct unit_error *error);
/* "0x100000000" or a size from zero ("4GiB") to bytes. */
bool address_parse(const char *text, uint64_t *bytes, struct unit_error *error);
/* Decimal digits only, no sign, no leading zero. */
bool number_parse(const char *text, uint64_t *value, struct unit_error *error);
/* "100ns", "0.5us", "800ps" to picoseconds. */
bool latency_parse(const char *text, uint64_t *picoseconds, struct unit_error *error);
/* "200GiB/s" to bytes per second. */
bool bandwidth_parse(const char *text, uint64_t *bytes_per_second, struct unit_error *error);

/* A run of ids, both ends included. */
struct id_range {
    uint32_t first;
    uint32_t last;
};

/* One item of an id list at *text ("3" or "0-7"); moves *text past it and the comma that follows.
 * false with error filled where it is not one; *text at the end of the text means all was read. */
bool id_range_next(const char **text, struct id_range *range, struct unit_error *error);

/* The numbers of a version such as "12.8" or "12.8.0", at most three, each below 1,000 and without
 * a leading zero. Returns how many there are; 0 where the text is not a version. */
unsigned version_parts(const char *text, unsigned parts[3]);

/* A version that only leading zeros spoil, without them: "011.1" as "11.1". Empty where it is none. */
struct version_text {
    char text[16];
};

struct version_text version_without_zeros(const char *text);

#endif
