/* SPDX-License-Identifier: MIT */
/* The rules: what a finding is called, and how hard it is. Layer 1. */
#ifndef SPMTOPO_RULE_H
#define SPMTOPO_RULE_H

#include "util.h"

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

/* In the order of their ids. Ids and names are for ever: a rule that goes leaves a gap, and its id
 * and name are never given to another. */
enum rule_id {
    RULE_SYNTAX,
    RULE_ENCODING,
    RULE_LIMIT,
    RULE_DUPLICATE_KEY,
    RULE_UNKNOWN_KEY,
    RULE_MISSING_KEY,
    RULE_WRONG_KIND,
    RULE_BAD_VALUE,
    RULE_ALIAS,
    RULE_YAML_FEATURE,
    RULE_LANGUAGE_VERSION,
    RULE_KEY_CONFLICT,
    RULE_ALLOW_UNUSED,
    RULE_CPU_TOPOLOGY,
    RULE_CPU_UNASSIGNED,
    RULE_CPU_TWICE,
    RULE_CPU_UNKNOWN,
    RULE_NODE_GAP,
    RULE_NODE_TWICE,
    RULE_NODE_LIST_CPUS,
    RULE_NODE_UNKNOWN,
    RULE_NO_BOOT_MEMORY,
    RULE_OBJECT_ID,
    RULE_NODE_EMPTY,
    RULE_NODE0_NO_MEMORY,
    RULE_CORE_SPLIT,
    RULE_SOCKET_SPLIT,
    RULE_NODE_RENUMBERED,
    RULE_SIZE_ALIGNMENT,
    RULE_ADDRESS_ALIGNMENT,
    RULE_ADDRESS_WINDOW,
    RULE_ADDRESS_OVERLAP,
    RULE_WINDOW_FULL,
    RULE_MAX_MEMORY,
    RULE_PHYS_BITS,
    RULE_CPU_VENDOR_UNSTATED,
    RULE_CPU_VENDOR,
    RULE_ADDRESS_TYPE,
    RULE_LOW_NODE,
    RULE_MEMORY_BLOCK,
    RULE_SLOT_SLACK,
    RULE_AMD_HOLE,
    RULE_SPM_INTERFACE,
    RULE_MIXED_NODE,
    RULE_RESERVED_INTERFACE,
    RULE_SPM_CROSSES_4G,
    RULE_SPM_LOW_MEMORY,
    RULE_ADDRESS_FIXED,
    RULE_SPM_KERNEL_PARAMETER,
    RULE_SPM_UNRELEASED,
    RULE_SPM_NODE_CPUS,
    RULE_SPM_TOUCHING_NODES,
    RULE_SPM_TOUCHING_REGIONS,
    RULE_SPM_MIGRATION,
    RULE_SPM_NO_HMAT,
    RULE_SPM_AUTO_ONLINE,
    RULE_SPM_NOSOFTRESERVE,
    RULE_SPM_LOW_END,
    RULE_DISTANCE_VALUE,
    RULE_DISTANCE_SHAPE,
    RULE_HMAT_INITIATOR,
    RULE_HMAT_PAIR,
    RULE_HMAT_VALUE,
    RULE_HMAT_CACHE,
    RULE_HMAT_MISSING,
    RULE_DISTANCE_ASYMMETRIC,
    RULE_DISTANCE_MISSING,
    RULE_DISTANCE_ALIKE,
    RULE_HMAT_PARTIAL,
    RULE_HMAT_NO_INITIATOR,
    RULE_HMAT_INITIATOR_LOST,
    RULE_HMAT_DISTANCE,
    RULE_HMAT_ROWS,
    RULE_VERSION_UNKNOWN,
    RULE_MACHINE_UNKNOWN,
    RULE_MACHINE_VERSION,
    RULE_NODE_COUNT,
    RULE_CPU_COUNT,
    RULE_SLOT_COUNT,
    RULE_X2APIC,
    RULE_REGIONS_PER_NODE,
    RULE_CPU_MODEL,
    RULE_CONFIDENTIAL,
    RULE_SMBIOS_LENGTH,
    RULE_LIBVIRT_TAINT,
    RULE_LIBVIRT_SIZE,
    RULE_LIBVIRT_MEMORY_LESS,
    RULE_LIBVIRT_HMAT,
    RULE_LIBVIRT_INITIATOR,
    RULE_LIBVIRT_BACKEND,
    RULE_LIBVIRT_REGION_ID,
    RULE_LIBVIRT_SPM,
    RULE_LIBVIRT_VALUE,
    RULE_CLOUDHV_HMAT,
    RULE_CLOUDHV_DEVICE_MEMORY,
    RULE_CLOUDHV_NODE_ORDER,
    RULE_CLOUDHV_EMPTY_NODE,
    RULE_CLOUDHV_CPUS,
    RULE_CLOUDHV_HOST_PLACEMENT,
    RULE_CLOUDHV_BACKEND,
    RULE_CLOUDHV_BOOT,
    RULE_CLOUDHV_MACHINE,
    RULE_CLOUDHV_SPM,
    RULE_CLOUDHV_SIZE,
    RULE_CLOUDHV_MEMORY_BLOCK,
    RULE_CLOUDHV_ADDRESS,
    RULE_CLOUDHV_KERNEL_PARAMETER,
    RULE_CLOUDHV_BZIMAGE,
    RULE_CLOUDHV_TABLES,
    RULE_CLOUDHV_DIRECT_BOOT,
    RULE_LIBVIRT_PASSTHROUGH,
    RULE_LIBVIRT_UNPROVEN,
    RULE_LIBVIRT_DISTANCES,
    RULE_CLOUDHV_HUGEPAGES,
    RULE_CLOUDHV_FILE_PAGES,
    RULE_CLOUDHV_BODY,
    RULE_FIRMWARE_FILES,
    RULE_KERNEL_MISSING,
    RULE_FIRMWARE_DROPS_SPM,
    RULE_FIRMWARE_SNP_SPM,
    RULE_FIRMWARE_TDX_SPM,
    RULE_FIRMWARE_VERSION,
    RULE_CMDLINE_LENGTH,
    RULE_FIRMWARE_SLOW_START,
    RULE_CMDLINE_MEMORY,
    RULE_FIRMWARE_SECURE_BOOT,
    RULE_BACKEND_PATH,
    RULE_BACKEND_KEY,
    RULE_HOST_PLACEMENT,
    RULE_BACKEND_SHARED,
    RULE_BACKEND_DAX_ALIGN,
    RULE_HOST_PLACEMENT_PARTIAL,
    RULE_HOST_PLACEMENT_SPM,
    RULE_COUNT
};

/* The targets, as bits. libvirt runs QEMU: what QEMU refuses concerns both. */
enum target_bit {
    TARGET_QEMU = 1,
    TARGET_LIBVIRT = 2,
    TARGET_CLOUDHV = 4,
    TARGET_RUNS_QEMU = TARGET_QEMU | TARGET_LIBVIRT,
    TARGET_ANY = TARGET_QEMU | TARGET_LIBVIRT | TARGET_CLOUDHV,
};

enum { TARGET_COUNT = 3 };

/* In the order of the bits; a target's place in that order. */
extern const char *const target_names[TARGET_COUNT];
static inline size_t target_index(enum target_bit target)
{
    return target == TARGET_QEMU ? 0 : target == TARGET_LIBVIRT ? 1 : 2;
}

/* When a rule is judged. A phase runs when those before it found no error; PHASE_GUEST when
 * PHASE_MODEL found none. */
enum phase {
    PHASE_LOAD,   /* while the text is read: no function of its own */
    PHASE_MODEL,  /* on what the file says */
    PHASE_TARGET, /* on what a target can hold */
    PHASE_LAYOUT, /* while addresses are given: no function of its own */
    PHASE_GUEST,  /* on what the guest's kernel makes of what the file says */
    PHASE_PLACED, /* on what firmware and the guest's kernel make of where it lies */
};

struct check_context; /* check.h */

struct rule {
    const char *id;   /* SPMnnn */
    const char *name; /* kebab-case */
    enum phase phase;
    unsigned targets; /* enum target_bit */
    enum severity severity;
    const char *summary;                          /* one line: what is wrong where it fires */
    const char *explanation;                      /* the cause, and the source of it */
    const char *bad;                              /* a file that it fires on ... */
    const char *good;                             /* ... and the same file corrected */
    void (*check)(struct check_context *context); /* NULL in phases without functions */
};

/* The table is src/rules.c. */
const struct rule *rule_info(enum rule_id rule);
/* Whether a finding of a rule means that there is no output, whatever a setting or comment says. What
 * firmware and the guest's kernel make of a topology can be known better by its owner. */
static inline bool rule_is_final(const struct rule *rule)
{
    return rule->severity == SEVERITY_ERROR && rule->phase < PHASE_GUEST;
}

/* By id or name, NULL where there is none. */
const struct rule *rule_find(const char *id_or_name);

#endif
