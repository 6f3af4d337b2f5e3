/* SPDX-License-Identifier: MIT */
/* The rules' functions: what is wrong with a model, for any target and for QEMU. They read and
 * report, and never change what they judge. Layer 4. */
#ifndef SPMTOPO_CHECK_H
#define SPMTOPO_CHECK_H

#include "target_qemu.h"

/* What no target can hold. false when there was an error: nothing that follows is then defined. */
bool check_model(const struct vm *vm, struct arena *arena, struct diags *diags);

/* What this QEMU refuses, or cannot hold. Needs a model that check_model() passed. */
bool check_qemu(const struct vm *vm, const struct qemu_target *target, struct arena *arena,
                struct diags *diags);

#endif
