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
    RULE_SPM_INTERFACE,
    RULE_MIXED_NODE,
    RULE_RESERVED_INTERFACE,
    RULE_SPM_CROSSES_4G,
    RULE_SPM_LOW_MEMORY,
    RULE_ADDRESS_FIXED,
    RULE_SPM_KERNEL_PARAMETER,
    RULE_DISTANCE_VALUE,
    RULE_DISTANCE_SHAPE,
    RULE_HMAT_INITIATOR,
    RULE_HMAT_PAIR,
    RULE_HMAT_VALUE,
    RULE_HMAT_CACHE,
    RULE_HMAT_MISSING,
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
    RULE_FIRMWARE_FILES,
    RULE_KERNEL_MISSING,
    RULE_BACKEND_PATH,
    RULE_BACKEND_KEY,
    RULE_HOST_PLACEMENT,
    RULE_COUNT
};

struct rule {
    const char *id;   /* SPMnnn */
    const char *name; /* kebab-case */
    enum severity severity;
    const char *summary; /* one line: what is wrong where it fires */
};

const struct rule *rule_info(enum rule_id rule);
/* By id or name, NULL where there is none. */
const struct rule *rule_find(const char *id_or_name);

#endif
