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

/* What the guest's machine is called: cloud-hypervisor has one, without a name. */
static inline const char *prediction_machine(const struct prediction *p, const struct vm *vm)
{
    return p->target == TARGET_CLOUDHV ? "x86-64" : vm->machine.type.value;
}

/* What the guest is booted through: cloud-hypervisor enters a kernel by itself. */
static inline const char *prediction_firmware(const struct prediction *p, const struct vm *vm)
{
    bool direct = p->target == TARGET_CLOUDHV && !vm->boot.code.value;
    return firmware_names[direct ? FIRMWARE_NONE : vm->boot.firmware.value];
}

#endif
