/* SPDX-License-Identifier: MIT */
/* What a version of QEMU, a machine type and a CPU model can do. Layer 4. */
#ifndef SPMTOPO_TARGET_QEMU_H
#define SPMTOPO_TARGET_QEMU_H

#include "model.h"

/* Versions are numbers that sort: 11.1 is 1101. */
enum {
    QEMU_7_1 = 701,   /* AMD guests go round the hole below 1 TiB; address width is checked */
    QEMU_8_1 = 801,   /* memory-backend-file has offset= */
    QEMU_9_0 = 900,   /* HMAT leaves out nodes without RAM; x2APIC under TCG */
    QEMU_9_1 = 901,   /* -smp has modules= */
    QEMU_11_1 = 1101, /* -device sp-mem */
};

/* QEMU's and the machines' own limits; measured on QEMU 11.1.2. */
enum { QEMU_NODE_LIMIT = 128, QEMU_SLOT_LIMIT = 256, QEMU_RAM_UNIT = 8192 };

enum model_vendor { MODEL_INTEL, MODEL_AMD, MODEL_OTHER };

/* A built-in CPU model as it is under TCG (under KVM all show the host's vendor). Read from QEMU
 * 11.1.2 and 7.2.22 with query-cpu-model-expansion. */
struct cpu_model {
    const char *name;
    enum model_vendor vendor;
    bool long_mode;
    bool x2apic;
    int newest;     /* the highest -vN in 11.1; 0: none */
    int newest_7_2; /* the same in 7.2; -1: 7.2 has no such model */
};

/* What the rest of the compiler needs to know of the QEMU that a topology is for. */
struct qemu_target {
    unsigned version;
    enum machine_type machine;
    unsigned machine_version;
    enum spm_interface interface;  /* never SPM_AUTO */
    const struct cpu_model *model; /* NULL: host */
    bool kvm;
    bool amd;            /* the guest's CPU is AuthenticAMD */
    bool vendor_assumed; /* ... if the host is, which the file does not say (kvm) */
    unsigned max_cpus;
    uint64_t pci_hole64;  /* default size of the 64-bit PCI hole, bytes */
    uint64_t size_unit;   /* of the maximum of memory, bytes */
    uint64_t least_slots; /* where there is a window for memory devices */
};

/* Reads versions, machine and model of a completed model. Findings go to diags; false when there is
 * no target to go on with. */
bool qemu_target_resolve(struct qemu_target *target, const struct vm *vm, struct diags *diags);

/* Whether the tables of this target follow the AMD rule: high memory beyond the HyperTransport hole
 * below 1 TiB where it would be touched, and an E820 entry for the hole. */
bool qemu_has_amd_rule(const struct qemu_target *target);

/* The APIC id of a vCPU: each level of the topology takes the bits that its count needs (Intel SDM
 * volume 3, section 9.9.1). */
uint32_t apic_id(const struct cpus *cpus, uint32_t vcpu);

/* The alignment that QEMU demands of a memory device's size and address over this backend. */
uint64_t backend_alignment(const struct backend *backend);

/* Whether the interface makes SPM part of boot memory rather than devices behind it. */
bool qemu_spm_is_boot_memory(const struct qemu_target *target);

/* A node's boot memory is one piece in QEMU (-numa node,memdev=): its normal regions together, or the
 * one special region of an interface that types whole nodes. */
struct boot_memory {
    const struct region *region; /* the first; NULL: the node has none */
    uint64_t size;               /* of all together */
};

struct boot_memory qemu_boot_memory(const struct node *node, const struct qemu_target *target);

#endif
