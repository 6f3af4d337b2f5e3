/* SPDX-License-Identifier: MIT */
/* What is fuzzed: everything that takes input which nobody has checked. */
#ifndef SPMTOPO_FUZZ_H
#define SPMTOPO_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gives bytes to a target: "topology" (YAML to every output), "tables" (ACPI, the signature by the
 * first byte) or "guest" (a tar, or a boot log). false where there is no such target. */
bool fuzz(const char *target, const uint8_t *bytes, size_t len);

#endif
