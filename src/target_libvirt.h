/* SPDX-License-Identifier: MIT */
/* What a version of libvirt holds of a guest: its cells, its devices, the initiators that it chooses.
 * Layer 4. */
#ifndef SPMTOPO_TARGET_LIBVIRT_H
#define SPMTOPO_TARGET_LIBVIRT_H

#include "target_qemu.h"

/* Versions are numbers that sort: 12.8 is 1208. */
enum {
    LIBVIRT_OLDEST = 900,
    LIBVIRT_9_1 = 901,   /* goes on with a memory device that it does not know */
    LIBVIRT_9_3 = 903,   /* limits the host's address width */
    LIBVIRT_9_5 = 905,   /* takes a maximum of memory without slots */
    LIBVIRT_11_4 = 1104, /* before, a node without memory is known not to start */
    LIBVIRT_12_4 = 1204, /* runs QEMU 7.2 and newer */
    LIBVIRT_12_8 = 1208, /* nodes without memory start */
    LIBVIRT_NEWEST = LIBVIRT_12_8,
};

/* The release in a version; 0: not one that is known. */
unsigned libvirt_release(const char *text);

/* Keys of a backend of which the domain has one for all of its memory: <source type>, <allocation>,
 * <nosharepages>, and dumpCore of <memory>. */
enum whole_key { WHOLE_KIND, WHOLE_PREALLOC, WHOLE_MERGE, WHOLE_DUMP, WHOLE_KEYS };
extern const char *const whole_key_names[WHOLE_KEYS];
const struct choice *whole_key(const struct region *region, enum whole_key key);

/* The guest as libvirt's XML divides it: cells with their memory, and SPM beside them. */
struct domain {
    const struct vm *vm;
    const struct qemu_target *qemu;
    unsigned release;
    /* The first regions in cells that libvirt can describe: the whole guest is as they are. */
    const struct region *first;
    const struct region *first_small; /* ... over pages that are not huge */
    size_t cell_count;                /* nodes from this one on are made by arguments for QEMU */
    bool spm_by_arguments; /* as one region of SPM, and so all, cannot be a memory device */
    size_t device_count;   /* regions of SPM that are memory devices */
    bool hmat_in_xml;      /* libvirt knows of an HMAT, and then chooses initiators */
    bool slit;             /* some distance is not the default: else libvirt passes none on */
    bool slit_in_xml;      /* ... between cells: else all go by arguments */
};

/* A version that cannot be read counts as the newest. */
struct domain domain_read(const struct vm *vm, const struct qemu_target *qemu);

/* Whether a region is memory of a cell, not a device beside it. */
bool domain_in_cell(const struct domain *d, const struct region *region);
/* The region that shows what the domain has for a key, where this one has something else, else
 * NULL. Huge pages are allocated at the start whatever the file says. */
const struct region *domain_differs(const struct domain *d, const struct region *region,
                                    enum whole_key key);

/* The backend whose host placement <memnode> gives the cell of a node, and the node's devices that
 * are not bound by themselves: that of its normal memory, else the first that only <memnode> can
 * say. NULL: none. */
const struct backend *domain_cell_placement(const struct domain *d, const struct node *node);
/* The cell that a device of a node is first put into: its own, or one whose placement does not
 * matter, where the node is made by arguments. cell_count: there is none. */
size_t domain_device_cell(const struct domain *d, const struct node *node);

/* Why an SPM region cannot be a memory device in the XML; `why` NULL: it can. */
struct obstacle {
    const char *why;
    const char *help;
    struct span at;
};

struct obstacle domain_obstacle(const struct domain *d, const struct node *node,
                                const struct region *region);

/* The place of a backend's key; what was not written is at the backend, else at its region. */
struct span backend_key_place(struct span key, const struct region *region);

/* Whether a pair of the HMAT is in the XML: between cells, and the first of the two directions of a
 * link. `seen` is node_count * node_count flags, all false before the first pair; pairs are asked in
 * their order. */
bool domain_has_pair(const struct domain *d, bool *seen, const struct hmat_pair *pair);

/* The initiator that libvirt chooses for a cell without CPUs, as the best of the pairs in its XML. */
struct domain_initiator {
    uint64_t node;
    const struct hmat_pair *best; /* NULL: it is the first node with CPUs */
    bool by_latency;              /* else by bandwidth */
};

/* One for each node; owned by the arena. */
const struct domain_initiator *domain_initiators(const struct domain *d, struct arena *arena);

/* The model of the guest that QEMU gets: the file's, with the initiators that libvirt chooses and the
 * distances that it passes on. Owned by the arena. */
const struct vm *domain_guest(const struct domain *d, struct arena *arena);

/* Tells the layout what libvirt asks of QEMU: a slot for each device, whole MiB. */
void domain_adjust_target(const struct domain *d, struct qemu_target *qemu);

#endif
