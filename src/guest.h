/* SPDX-License-Identifier: MIT */
/* What the guest's operating system makes of what the VMM hands over: through the firmware that the
 * file names, to a Linux kernel. Layer 7. */
#ifndef SPMTOPO_GUEST_H
#define SPMTOPO_GUEST_H

#include "predict.h"

/* What becomes of SPM on the way to the kernel. */
enum spm_fate {
    FATE_NONE,    /* the file has no SPM */
    FATE_ARRIVES, /* soft-reserved, by way of firmware */
    FATE_TOLD,    /* RAM, or nothing, to firmware; soft-reserved by memmap= of the kernel */
    FATE_DROPPED, /* firmware drops it: nothing is there */
    FATE_RAM,     /* ordinary RAM of the kernel */
};

/* Addresses from start up to, not with, end. */
struct guest_range {
    uint64_t start, end;
    uint32_t node; /* the file's: whose it is, or to whom Linux gives it; NO_NODE: nobody's */
    bool joined;   /* made of touching ranges of several nodes */
};

struct guest_ranges {
    struct guest_range *items;
    size_t count;
};

struct guest_node {
    uint32_t number; /* Linux's; NO_NODE: the SRAT does not name it */
    uint64_t normal; /* bytes */
    uint64_t spm;
    bool boots; /* has CPUs or normal memory: online without a driver */
};

/* All by ascending address or node id. Owned by the arena; borrows from vm and prediction. */
struct guest {
    const struct vm *vm;
    const struct prediction *prediction;
    enum spm_fate fate;
    const char *cause; /* why SPM does not arrive; NULL where it does */
    /* Of firmware and of Linux, beside the prediction's own; NULL: none. */
    const char *assumptions[2];
    struct guest_ranges promised; /* SPM as the file says, touching ranges of a node as one */
    struct guest_ranges spm;      /* soft-reserved ranges as the kernel has them */
    struct guest_ranges dax;      /* a dax device each, with a driver for them (dax_hmem) */
    struct guest_ranges ram;      /* RAM, less what firmware takes of it */
    struct guest_ranges left;     /* of it, what memmap= leaves to the kernel */
    struct guest_node *nodes;     /* of vm->nodes */
    uint64_t block;               /* bytes: what a driver can bring online is multiples of it */
};

/* The prediction must be ok. */
void guest_expect(struct guest *guest, const struct vm *vm, const struct prediction *prediction,
                  struct arena *arena);

/* A node of the file by Linux's number of it; NO_NODE: none. */
uint32_t guest_node_by_number(const struct guest *guest, uint32_t number);

/* The distance between two nodes of the file as Linux has it. */
uint8_t guest_distance(const struct guest *guest, size_t from, size_t to);

/* "0xA-0xB", in inclusive addresses. */
void guest_add_range(struct strbuf *out, uint64_t start, uint64_t end);

#endif
