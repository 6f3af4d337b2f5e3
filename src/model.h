/* SPDX-License-Identifier: MIT */
/* What a topology file says, with the place where it says it. No I/O, no policy. Layer 3.
 *
 * Sizes and addresses are bytes, latencies picoseconds, bandwidths bytes per second. A value whose
 * place is 0 was not in the file; after model_complete() it holds its default. Everything is
 * owned by the arena the model was loaded into. */
#ifndef SPMTOPO_MODEL_H
#define SPMTOPO_MODEL_H

#include "diag.h"
#include "strbuf.h"
#include "units.h"

/* Limits of the language (language reference, "Limits"). */
enum { NODE_LIMIT = 1024, VCPU_LIMIT = 8192, REGION_LIMIT = 4096 };

struct number {
    uint64_t value;
    struct span at;
};
struct text {
    const char *value;
    struct span at;
};
struct choice {
    int value;
    struct span at;
};

static inline bool given(struct span at)
{
    return at.start != 0;
}

/* The words of the enumerations; indexes are the enumerators. */
enum machine_type { MACHINE_Q35, MACHINE_PC };
enum accel { ACCEL_KVM, ACCEL_TCG };
enum cpu_vendor { VENDOR_UNSTATED, VENDOR_AMD, VENDOR_INTEL };
enum confidential { CONFIDENTIAL_NONE, CONFIDENTIAL_SEV_SNP, CONFIDENTIAL_TDX };
enum firmware { FIRMWARE_OVMF, FIRMWARE_SEABIOS, FIRMWARE_QBOOT, FIRMWARE_NONE };
enum memory_type { MEMORY_NORMAL, MEMORY_SPM, MEMORY_RESERVED, MEMORY_TYPES };
enum backend_kind { BACKEND_RAM, BACKEND_MEMFD, BACKEND_FILE };
enum host_policy { POLICY_DEFAULT, POLICY_PREFERRED, POLICY_BIND, POLICY_INTERLEAVE };
enum mixed_nodes { MIXED_WARN, MIXED_ALLOW, MIXED_DENY };
enum spm_interface {
    SPM_AUTO,
    SPM_SP_MEM,
    SPM_MEMMAP_TYPE,
    SPM_FLAG,
    SPM_KERNEL_PARAMETER,
    SPM_NONE
};
enum cache_associativity { ASSOCIATIVITY_NONE, ASSOCIATIVITY_DIRECT, ASSOCIATIVITY_COMPLEX };
enum cache_policy { CACHE_POLICY_NONE, CACHE_WRITE_BACK, CACHE_WRITE_THROUGH };

extern const char *const accel_names[2];
extern const char *const vendor_names[3];
extern const char *const confidential_names[3];
/* Whose hosts run such guests. */
extern const enum cpu_vendor confidential_vendors[3];
extern const char *const firmware_names[4];
extern const char *const memory_type_names[MEMORY_TYPES];
extern const char *const backend_kind_names[3];
extern const char *const policy_names[4];
extern const char *const mixed_names[3];
extern const char *const spm_interface_names[6];
extern const char *const associativity_names[3];
extern const char *const cache_policy_names[3];

/* A set of ids as the ranges that were written, in that order. */
struct id_list {
    struct id_range *ranges;
    size_t count;
    size_t cap;
    struct span at;
};

size_t id_list_size(const struct id_list *list);
/* Whether two lists are written alike. */
bool id_list_equal(const struct id_list *a, const struct id_list *b);
/* As it is written: "0-3,8"; nothing where it is empty. */
void id_list_text(struct strbuf *out, const struct id_list *list);

struct machine {
    struct text type; /* "q35", "pc", or a versioned name */
    struct choice accel;
    struct text cpu;
    struct choice cpu_vendor;
    struct number phys_bits; /* 0: enough for the layout (tcg) or the host's (kvm) */
    struct choice confidential;
    struct choice migratable;
};

struct boot {
    struct choice firmware;
    struct text version;
    struct text code;
    struct text vars;
    struct text kernel;
    struct text initrd;
    struct text cmdline;
};

/* The factors of the CPU topology; `count` and `max` are vCPUs. */
struct cpus {
    struct number count, sockets, dies, modules, cores, threads, max;
    struct span at;
};

struct backend {
    struct choice kind;
    struct text path;
    struct number offset;
    struct number hugepages; /* page size; 0: none */
    struct choice share, prealloc, reserve, merge, dump, pmem;
    struct number align; /* 0: the backend's own */
    struct id_list host_nodes;
    struct choice policy;
    struct span at;
};

struct region {
    struct number size;
    struct choice type;
    struct number address; /* value 0 with no place: the compiler's */
    struct text id;
    struct backend backend;
    struct span at;
    uint32_t node; /* the id of its node */
};

struct node {
    uint32_t id;
    struct span at; /* of its id */
    struct text label;
    struct id_list cpus;
    struct region *regions;
    size_t region_count;
    struct number initiator;
    struct id_list host_nodes;
    struct choice policy;
};

/* Performance from an initiator to a target: HMAT data types 0 ... 5 (ACPI 6.5, table 5.146). */
enum hmat_type {
    HMAT_ACCESS_LATENCY,
    HMAT_READ_LATENCY,
    HMAT_WRITE_LATENCY,
    HMAT_ACCESS_BANDWIDTH,
    HMAT_READ_BANDWIDTH,
    HMAT_WRITE_BANDWIDTH,
    HMAT_TYPES
};

struct hmat_pair {
    struct number from, to;
    struct number values[HMAT_TYPES]; /* no place: not given */
    struct span at;
};

struct hmat_cache {
    struct number node, level, size, line;
    struct choice associativity, policy;
    struct span at;
};

struct distances {
    struct span at;     /* no place: no SLIT */
    uint8_t *values;    /* n * n, row = from; 0: not given */
    struct span *spans; /* of each value */
};

enum rule_action { ACTION_DISABLE, ACTION_ERROR, ACTION_WARNING };

struct rule_setting {
    enum rule_action action;
    struct text rule; /* id or name as written */
};

struct vm {
    struct text name;
    struct text description;
    struct machine machine;
    struct boot boot;
    struct cpus cpus;
    struct backend default_backend;
    struct node *nodes; /* sorted by id */
    size_t node_count;
    size_t node_cap;
    struct span nodes_at;
    size_t region_count; /* of all nodes */
    struct distances distances;
    struct span hmat_at; /* no place: no HMAT */
    struct hmat_pair *pairs;
    size_t pair_count;
    size_t pair_cap;
    struct hmat_cache *caches;
    size_t cache_count;
    size_t cache_cap;
    struct number max_memory; /* no place: auto */
    struct number slots;
    struct rule_setting *settings;
    size_t setting_count;
    size_t setting_cap;
    struct choice mixed;
    unsigned named_targets; /* enum target_bit: those under 'targets' */
    struct text qemu_version, qemu_binary;
    struct choice qemu_spm;
    struct text libvirt_version, libvirt_uuid, libvirt_emulator;
    struct text cloudhv_version;
    struct choice cloudhv_spm;
};

/* Fills in what depends on nothing but the file: CPU topology, backends of regions, ids of objects,
 * directions of distances. The result means the same and has a value everywhere, but for
 * addresses and sizes that a layout gives. Needs a model that loaded without errors. */
void model_complete(struct vm *vm, struct arena *arena);

/* The vCPUs that the factors of a CPU topology make; VCPU_LIMIT + 1 where they are more. */
uint64_t cpu_product(const struct cpus *cpus);

/* Where a missing 'cpu-vendor' is missed. */
struct span vm_vendor_place(const struct vm *vm);

/* Every region of a model, in order of node and declaration. */
/* NOLINTBEGIN(bugprone-macro-parentheses): the names of what it declares */
#define FOR_EACH_REGION(vm, owner, region)                                                         \
    for (const struct node *owner = (vm)->nodes; owner < (vm)->nodes + (vm)->node_count; owner++)  \
        for (const struct region *region = owner->regions;                                         \
             region < owner->regions + owner->region_count; region++)
/* NOLINTEND(bugprone-macro-parentheses) */

/* The first region of a type; NULL where there is none. */
const struct region *vm_first_region(const struct vm *vm, enum memory_type type);
/* Sum of the sizes of all regions of a type; at most ADDRESS_LIMIT. */
uint64_t vm_memory(const struct vm *vm, enum memory_type type);
/* The distance from a node to another, by the language's defaults where none is given. */
uint8_t vm_distance(const struct vm *vm, size_t from, size_t to);

/* Whether a node has a region of a type; *at is the first, where at is not NULL. */
bool node_has_type(const struct node *node, enum memory_type type, const struct region **at);
/* Whether a node has SPM and no normal memory. */
bool node_has_spm_alone(const struct node *node);

/* Whether a node is one more of those that an id list stands for: what is said of the first holds. */
static inline bool node_repeats(const struct vm *vm, size_t n)
{
    return n > 0 && same_place(vm->nodes[n].at, vm->nodes[n - 1].at);
}

/* Where a region's place is written: its address, or else that it is SPM. */
static inline struct span region_place(const struct region *region)
{
    return given(region->address.at) ? region->address.at : region->type.at;
}

#endif
