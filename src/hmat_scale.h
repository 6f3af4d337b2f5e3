/* SPDX-License-Identifier: MIT */
/* The unit of one HMAT latency or bandwidth structure, as QEMU finds it. Layer 4. */
#ifndef SPMTOPO_HMAT_SCALE_H
#define SPMTOPO_HMAT_SCALE_H

#include "model.h"

/* QEMU works the unit out value by value, in the order given, and refuses some orders. */
struct hmat_scale {
    uint64_t base; /* nanoseconds, or bytes per second */
    uint64_t seen; /* latency: the largest count; bandwidth: the union of all bits */
};

static inline bool hmat_is_latency(enum hmat_type type)
{
    return type <= HMAT_WRITE_LATENCY;
}

/* A value of the model (picoseconds, or bytes per second) in QEMU's unit (nanoseconds, the same). */
static inline uint64_t hmat_in_qemu_units(enum hmat_type type, uint64_t value)
{
    return hmat_is_latency(type) ? value / 1000 : value;
}

void hmat_scale_start(struct hmat_scale *scale, enum hmat_type type);
/* Takes a value above 0 (nanoseconds, or bytes per second). false where QEMU refuses it. */
bool hmat_scale_add(struct hmat_scale *scale, enum hmat_type type, uint64_t value);

#endif
