/* SPDX-License-Identifier: MIT */
/* Where cloud-hypervisor puts memory zones. Layer 5. */
#ifndef SPMTOPO_LAYOUT_CLOUDHV_H
#define SPMTOPO_LAYOUT_CLOUDHV_H

#include "layout.h"

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
    uint64_t normal_end;
    uint64_t end;
};

/* The zones of a completed model, owned by the arena. */
struct zone_map zone_map(const struct vm *vm, struct arena *arena);

/* Bytes: the size of a zone's pages. */
uint64_t zone_page_size(const struct region *region);

/* Linux's memory block in bytes, as in guest_memory_block(). */
uint64_t zone_memory_block(const struct zone_map *map);

/* Whether the file is named like an ELF image, which is entered by PVH; others are taken for
 * compressed ones. */
bool kernel_is_vmlinux(const char *path);

/* The layout of the guest that cloud-hypervisor starts from a checked model; it cannot fail. The
 * E820 is that of a PVH guest or, where the kernel is not a vmlinux, of the 32-bit entry, which
 * differs where zones leave a hole. Owned by the arena. */
void layout_cloudhv(struct layout *layout, const struct vm *vm, struct arena *arena);

/* Whether the two entries are told different maps. */
bool layout_cloudhv_depends_on_kernel(const struct vm *vm, struct arena *arena);

#endif
