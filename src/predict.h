/* SPDX-License-Identifier: MIT */
/* What a target's guest is told of its memory: what is emitted for it, stated, or held against a
 * guest. Layer 6. */
#ifndef SPMTOPO_PREDICT_H
#define SPMTOPO_PREDICT_H

#include "acpi.h"

struct prediction {
    enum target_bit target;
    bool ok;                 /* without errors: there are tables */
    struct qemu_target qemu; /* where the target runs QEMU */
    struct layout layout;
    struct tables tables;
    const char *assumption; /* what the tables take for granted; NULL: nothing */
};

#endif
