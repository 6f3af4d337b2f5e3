/* SPDX-License-Identifier: MIT */
#include "rule.h"

#include <string.h>

#define E SEVERITY_ERROR
#define W SEVERITY_WARNING
#define N SEVERITY_NOTE

static const struct rule rules[RULE_COUNT] = {
    /* 1xx: the text and the language */
    [RULE_SYNTAX] = {"SPM101", "yaml-syntax", E, "the file is not valid YAML"},
    [RULE_ENCODING] = {"SPM102", "encoding", E, "the file is not UTF-8, or holds a NUL"},
    [RULE_LIMIT] = {"SPM103", "limit", E, "a limit of the language is exceeded"},
    [RULE_DUPLICATE_KEY] = {"SPM104", "duplicate-key", E, "a key is given twice in one mapping"},
    [RULE_UNKNOWN_KEY] = {"SPM105", "unknown-key", E, "a key is not known where it stands"},
    [RULE_MISSING_KEY] = {"SPM106", "missing-key", E, "a required key is missing"},
    [RULE_WRONG_KIND] = {"SPM107", "wrong-kind", E,
                         "a scalar, sequence or mapping stands where another is expected"},
    [RULE_BAD_VALUE] = {"SPM108", "bad-value", E, "a value cannot be read as what it should be"},
    [RULE_ALIAS] = {"SPM109", "alias", E, "an alias has no anchor, or contains itself"},
    [RULE_YAML_FEATURE] = {"SPM110", "yaml-feature", E,
                           "a part of YAML that the language leaves out is used"},
    [RULE_LANGUAGE_VERSION] = {"SPM111", "language-version", E,
                               "the version of the language is not known"},
    [RULE_KEY_CONFLICT] = {"SPM112", "key-conflict", E, "two keys say the same thing differently"},
    /* 2xx: CPUs and nodes */
    [RULE_CPU_TOPOLOGY] = {"SPM201", "cpu-topology", E,
                           "the factors of the CPU topology do not give the number of vCPUs"},
    [RULE_CPU_UNASSIGNED] = {"SPM202", "cpu-unassigned", E, "a vCPU is in no node"},
    [RULE_CPU_TWICE] = {"SPM203", "cpu-twice", E, "a vCPU is in two nodes"},
    [RULE_CPU_UNKNOWN] = {"SPM204", "cpu-unknown", E, "a node names a vCPU that there is not"},
    [RULE_NODE_GAP] = {"SPM205", "node-gap", E, "node ids are not 0 ... N-1"},
    [RULE_NODE_TWICE] = {"SPM206", "node-twice", E, "two nodes have one id"},
    [RULE_NODE_LIST_CPUS] = {"SPM207", "node-list-cpus", E, "a list of nodes has CPUs"},
    [RULE_NODE_UNKNOWN] = {"SPM208", "node-unknown", E, "a node is named that there is not"},
    [RULE_NO_BOOT_MEMORY] = {"SPM209", "no-boot-memory", E, "there is no memory to boot from"},
    [RULE_OBJECT_ID] = {"SPM210", "object-id", E, "the id of a region is invalid or taken"},
    /* 3xx: sizes, alignment, addresses */
    [RULE_SIZE_ALIGNMENT] = {"SPM301", "size-alignment", E,
                             "a size is not a multiple of the page size behind it"},
    [RULE_ADDRESS_ALIGNMENT] = {"SPM302", "address-alignment", E,
                                "an address is not a multiple of the page size behind it"},
    [RULE_ADDRESS_WINDOW] = {"SPM303", "address-window", E,
                             "an address is outside the window for memory devices"},
    [RULE_ADDRESS_OVERLAP] = {"SPM304", "address-overlap", E, "two regions overlap"},
    [RULE_WINDOW_FULL] = {"SPM305", "window-full", E,
                          "a region does not fit into the window for memory devices"},
    [RULE_MAX_MEMORY] = {"SPM306", "max-memory", E,
                         "max-memory or slots are not what the target takes"},
    [RULE_PHYS_BITS] = {"SPM307", "phys-bits", E,
                        "the guest's physical address bits do not reach its memory"},
    [RULE_CPU_VENDOR_UNSTATED] = {"SPM308", "cpu-vendor-unstated", N,
                                  "a table depends on the host's CPU vendor, and it is not stated"},
    [RULE_CPU_VENDOR] = {"SPM309", "cpu-vendor", E,
                         "the layout depends on the CPU vendor, or the model contradicts it"},
    [RULE_ADDRESS_TYPE] = {"SPM310", "address-type", E, "an address for memory that is not SPM"},
    [RULE_LOW_NODE] = {"SPM311", "low-node", W,
                       "a node ends inside the first megabyte, and the SRAT loses its place"},
    /* 4xx: SPM placement */
    [RULE_SPM_INTERFACE] = {"SPM401", "spm-interface", E,
                            "the target has no interface for SPM, or not the one that is asked"},
    [RULE_MIXED_NODE] = {"SPM402", "mixed-node", W, "a node has normal memory and SPM"},
    [RULE_RESERVED_INTERFACE] = {"SPM403", "reserved-interface", E,
                                 "the interface cannot hold memory of type reserved"},
    [RULE_SPM_CROSSES_4G] = {"SPM404", "spm-crosses-4g", E,
                             "a typed node spans the hole below 4 GiB"},
    [RULE_SPM_LOW_MEMORY] = {"SPM405", "spm-low-memory", E,
                             "SPM lies in the first megabyte, from which firmware boots"},
    [RULE_ADDRESS_FIXED] = {"SPM406", "address-fixed", E,
                            "the interface puts SPM elsewhere than the address says"},
    [RULE_SPM_KERNEL_PARAMETER] = {"SPM407", "spm-kernel-parameter", N,
                                   "SPM is plain RAM until the guest's kernel is told"},
    /* 5xx: distances and HMAT */
    [RULE_DISTANCE_VALUE] = {"SPM501", "distance-value", E, "a distance is out of range"},
    [RULE_DISTANCE_SHAPE] = {"SPM502", "distance-shape", E,
                             "the rows of distances do not match the nodes"},
    [RULE_HMAT_INITIATOR] = {"SPM503", "hmat-initiator", E, "an initiator is not a CPU node"},
    [RULE_HMAT_PAIR] = {"SPM504", "hmat-pair", E, "a pair is given twice, or says nothing"},
    [RULE_HMAT_VALUE] = {"SPM505", "hmat-value", E,
                         "latencies or bandwidths that one HMAT structure cannot hold"},
    [RULE_HMAT_CACHE] = {"SPM506", "hmat-cache", E, "a memory-side cache that cannot be"},
    [RULE_HMAT_MISSING] = {"SPM507", "hmat-missing", W, "an initiator without an HMAT"},
    /* 6xx: what a target or version cannot hold */
    [RULE_VERSION_UNKNOWN] = {"SPM601", "version-unknown", E, "a version of a target is not known"},
    [RULE_MACHINE_UNKNOWN] = {"SPM602", "machine-unknown", E, "the machine type is not known"},
    [RULE_MACHINE_VERSION] = {"SPM603", "machine-version", E,
                              "the machine type is newer than the QEMU that will run it"},
    [RULE_NODE_COUNT] = {"SPM604", "node-count", E, "more nodes than the target holds"},
    [RULE_CPU_COUNT] = {"SPM605", "cpu-count", E, "more vCPUs than the machine holds"},
    [RULE_SLOT_COUNT] = {"SPM606", "slot-count", E, "more memory slots than the machine has"},
    [RULE_X2APIC] = {"SPM607", "x2apic", E, "a vCPU's APIC id needs x2APIC"},
    [RULE_REGIONS_PER_NODE] = {"SPM608", "regions-per-node", E,
                               "more regions on a node than the target holds"},
    [RULE_CPU_MODEL] = {"SPM609", "cpu-model", E, "the CPU model is not known or cannot be used"},
    [RULE_CONFIDENTIAL] = {"SPM610", "confidential", E,
                           "a confidential guest that the target cannot run"},
    /* 7xx: firmware and guest */
    [RULE_FIRMWARE_FILES] = {"SPM701", "firmware-files", E,
                             "firmware files that do not go with the firmware"},
    [RULE_KERNEL_MISSING] = {"SPM702", "kernel-missing", E, "there is nothing to boot"},
    /* 8xx: host placement and backends */
    [RULE_BACKEND_PATH] = {"SPM801", "backend-path", E, "a file backend without a path"},
    [RULE_BACKEND_KEY] = {"SPM802", "backend-key", E, "a key that the kind of backend has not"},
    [RULE_HOST_PLACEMENT] = {"SPM803", "host-placement", E,
                             "host nodes and policy do not go together"},
};

const struct rule *rule_info(enum rule_id rule)
{
    return &rules[rule];
}

const struct rule *rule_find(const char *id_or_name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(rules[i].id, id_or_name) == 0 || strcmp(rules[i].name, id_or_name) == 0)
            return &rules[i];
    return NULL;
}
