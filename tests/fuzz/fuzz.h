/* SPDX-License-Identifier: MIT */
/* What is fuzzed: everything that takes input which nobody has checked. */
#ifndef SPMTOPO_FUZZ_H
#define SPMTOPO_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gives bytes to a target. false where there is none of that name. Whole ways through the program:
 *   topology  YAML to every output
 *   guest     a tar, or a boot log, to the report of verify
 *   qmp       all that a QEMU answers, to the report
 * and parts of them by themselves, with what must hold of their results:
 *   document  the YAML reader
 *   tables    the decoders of ACPI's tables; the first byte gives the signature
 *   tar       with headers that are right, log, and the readers of files below a folder: memmap, iomem, node,
 *             dax */
bool fuzz(const char *target, const uint8_t *bytes, size_t len);

#endif
