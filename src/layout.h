/* SPDX-License-Identifier: MIT */
/* Where a guest's memory lies. Layer 5. */
#ifndef SPMTOPO_LAYOUT_H
#define SPMTOPO_LAYOUT_H

#include "target_qemu.h"

/* E820 types: ACPI 6.5, table 15.5; the last is Linux's and QEMU's for EFI_MEMORY_SP. */
enum { E820_RAM = 1, E820_RESERVED = 2 };
#define E820_SOFT_RESERVED UINT32_C(0xefffffff)
/* SRAT memory affinity flags: ACPI 6.5, table 5.60. */
enum { SRAT_ENABLED = 1, SRAT_HOTPLUGGABLE = 2, SRAT_NON_VOLATILE = 4 };

#define NO_NODE UINT32_MAX

struct e820_entry {
    uint64_t address;
    uint64_t size;
    uint32_t type;
    uint32_t node; /* NO_NODE where several nodes or none own it; not part of the table */
};

struct affinity {
    uint64_t address;
    uint64_t size;
    uint32_t node;
    uint32_t flags;
};

/* One SPM region and where it is; one that lies on both sides of a hole is two. */
struct placement {
    const struct region *region;
    uint64_t address;
    uint64_t size;
};

/* The first byte behind it. */
static inline uint64_t placement_end(const struct placement *placement)
{
    return placement->address + placement->size;
}

/* Bytes throughout. */
struct layout {
    uint64_t ram;   /* boot memory: the VMM's memory size */
    uint64_t below; /* of it below 4 GiB */
    uint64_t above;
    uint64_t high_base; /* where [above] starts: 4 GiB, or 1 TiB by the AMD rule */
    uint64_t block;     /* the guest's memory block: SPM is placed in multiples of it */
    uint64_t window;    /* start of the window for memory devices; 0: there is none */
    uint64_t window_size;
    uint64_t max_memory; /* the VMM's maximum; equals ram where there is no window */
    uint64_t slots;
    uint64_t top;          /* the last address that the guest's CPUs must reach */
    unsigned phys_bits;    /* of the guest's CPUs; 0: the host's (kvm) */
    bool spm_is_ram;       /* SPM is RAM to the VMM and to firmware: the kernel is told of it */
    struct placement *spm; /* in order of node and declaration */
    size_t spm_count;
    struct e820_entry *e820; /* in the order of the VMM's table */
    size_t e820_count;
    size_t e820_cap;
    struct affinity *affinity; /* in the order of the SRAT, with its padding */
    size_t affinity_count;
    size_t affinity_cap;
};

/* The layout of the guest that QEMU builds from a checked model. false with findings where there is
 * none. Everything is owned by the arena. */
bool layout_qemu(struct layout *layout, const struct vm *vm, const struct qemu_target *target,
                 struct arena *arena, struct diags *diags);

/* Whether E820 shows the HyperTransport range below 1 TiB as reserved: an AMD guest with 40 address
 * bits or more. */
bool layout_has_ht_entry(const struct layout *layout, const struct qemu_target *target);

#endif
