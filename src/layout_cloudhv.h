/* SPDX-License-Identifier: MIT */
/* Where cloud-hypervisor puts memory zones. Layer 5. */
#ifndef SPMTOPO_LAYOUT_CLOUDHV_H
#define SPMTOPO_LAYOUT_CLOUDHV_H

#include "layout.h"

/* The releases that are known; a second number makes no difference. */
enum {
    CLOUDHV_OLDEST = 40,
    CLOUDHV_WIDE_CPUS = 48,
    CLOUDHV_MERGE = 52,
    CLOUDHV_RESERVE = 53,
    CLOUDHV_NEWEST = 54
};

/* The release of a version; NULL: the newest. 0: not one that is known. */
unsigned cloudhv_release(const char *version);

/* arch/src/x86_64/layout.rs: RAM below the hole for devices, and from 4 GiB on without an end. */
#define CLOUDHV_LOW_END (3 * GIB)
#define CLOUDHV_HIGH_BASE (4 * GIB)
/* What it keeps at the end of the address space: 64 KiB, and 1 MiB of platform devices below; it
 * panics where RAM meets them. */
#define CLOUDHV_TOP_ROOM UINT64_C(0x110000)
/* The address bits that it gives a guest at most where it is not told otherwise. */
enum { CLOUDHV_PHYS_BITS = 46 };

/* A zone, or its part on one side of the hole. Bytes. */
struct zone_piece {
    const struct region *region;
    uint64_t address;
    uint64_t size;
};

struct zone_map {
    struct zone_piece *pieces; /* by address: normal memory in order of node, then SPM */
    size_t count;
    uint64_t cursor;
    uint64_t low_end;          /* of the RAM below the hole for devices, once it is used up */
    const struct region *last; /* the last zone in it; NULL: all zones end below the hole */
    /* the first whose file's pages are not known, and decide where it lies and what follows; NULL:
     * there is none */
    const struct region *doubtful;
    uint64_t normal_end;
    uint64_t end;
};

/* The zones of a completed model, owned by the arena. */
struct zone_map zone_map(const struct vm *vm, struct arena *arena);

/* Whether a zone has huge pages: as the file says, or for all that a path tells. */
bool zone_is_huge(const struct region *region);

/* Bytes: the size of a zone's pages; of a file without 'hugepages', what its path makes likely. */
uint64_t zone_page_size(const struct region *region);

/* Whether it is mapped with a reservation. Huge pages are, by their default, as QEMU's: a guest that
 * finds none left does not go on. Of other memory the file has to say it. */
bool zone_is_reserved(const struct region *region, const struct vm *vm);

/* Linux's memory block in bytes, as in guest_memory_block(). */
uint64_t zone_memory_block(const struct zone_map *map);

/* Whether the file is named like an ELF image, which is entered by PVH; others are taken for
 * compressed ones. */
bool kernel_is_vmlinux(const char *path);

/* The layout of the guest that cloud-hypervisor starts from a checked model; it cannot fail. The
 * E820 is that of a PVH guest or, where the kernel is not a vmlinux, of the 32-bit entry, which
 * differs where zones leave a hole. Owned by the arena. */
void layout_cloudhv(struct layout *layout, const struct vm *vm, struct arena *arena);

/* What the layout takes for granted, as a text owned by the arena; NULL: nothing. */
const char *layout_cloudhv_assumption(const struct vm *vm, struct arena *arena);

#endif
