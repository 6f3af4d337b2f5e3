/* SPDX-License-Identifier: MIT */
/* What firmware and the guest's kernel do with SPM, by what the file says. "Measured" means: booted
 * with QEMU 11.1.2, OVMF 2026.08, SeaBIOS 1.17.0 or qboot, and Linux 7.2.12. Layer 5. */
#ifndef SPMTOPO_FIRMWARE_H
#define SPMTOPO_FIRMWARE_H

#include "check.h"
#include "cmdline.h"

/* Whether the guest is QEMU's: the context has a QEMU and a layout. */
bool runs_qemu(const struct check_context *c);
/* Whether firmware hands SPM on as such, or would have to: with kernel-parameter it is plain RAM to
 * firmware. */
bool firmware_sees_spm(const struct check_context *c);
/* Whether firmware hands SPM on as such. */
bool firmware_passes_spm(const struct check_context *c);
/* SPM that ends where RAM below 4 GiB does, and is plain RAM to a firmware that keeps its tables there; NULL
 * where there is none. SeaBIOS takes 128 KiB of it, OVMF pieces of more; qboot takes nothing (measured). */
const struct placement *firmware_shares_spm(const struct check_context *c);
/* Whether touching SPM of two nodes becomes one range, and Linux gives all of it to the first. */
bool firmware_joins_touching(const struct check_context *c);

/* The word of the file's command line by which Linux has other memory or other nodes than the tables say, as
 * a text in the context's arena; NULL: none. */
const char *cmdline_alters_memory(const struct check_context *c);
/* The same of any command line. `restored`: mem= and memmap=exactmap come to nothing. */
const char *altering_word(const char *cmdline, bool restored, struct arena *arena);
/* Whether it obeys efi=nosoftreserve of the file's command line. */
bool kernel_drops_spm(const struct check_context *c);

/* A range that a memmap= parameter makes soft-reserved: whatever firmware said of it, or what is of a type. */
struct soft_range {
    uint64_t start, end;
    uint32_t old; /* E820 type; 0: any */
};

/* Those of a command line, by address. */
size_t soft_ranges_of(const char *cmdline, struct arena *arena, struct soft_range **ranges);

/* The ranges that the file's command line makes soft-reserved, by address, in the context's arena.
 * What firmware has not accepted for a confidential guest, no parameter can give it. */
size_t cmdline_soft_ranges(const struct check_context *c, struct soft_range **ranges);
/* Whether they cover all of a piece of SPM. */
bool soft_ranges_cover(const struct soft_range *ranges, size_t count, const struct placement *spm);

/* Linux's memory block in bytes: 128 MiB, and where boot memory ends at 64 GiB or above the largest
 * power of two up to 2 GiB that divides that end (arch/x86/mm/init_64.c, probe_memory_block_size).
 * SPM does not count as boot memory, by whatever interface (measured). */
uint64_t guest_memory_block(const struct check_context *c);

#endif
