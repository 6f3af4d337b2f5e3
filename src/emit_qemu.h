/* SPDX-License-Identifier: MIT */
/* QEMU's command line for a checked model and its layout. Layer 7. */
#ifndef SPMTOPO_EMIT_QEMU_H
#define SPMTOPO_EMIT_QEMU_H

#include "acpi.h"
#include "argv.h"

/* Appends the arguments; cannot fail. A fragment is without program, name, machine, CPU model,
 * accelerator, firmware and kernel. */
void emit_qemu(struct argv *argv, const struct vm *vm, const struct qemu_target *target,
               const struct layout *layout, const struct tables *tables, bool fragment);

#endif
