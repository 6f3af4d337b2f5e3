/* SPDX-License-Identifier: MIT */
/* QEMU's command line for a checked model and its layout. Layer 7. */
#ifndef SPMTOPO_EMIT_QEMU_H
#define SPMTOPO_EMIT_QEMU_H

#include "format.h"
#include "predict.h"

/* Appends the arguments as a shell command, a JSON array or words ended by NUL; cannot fail. A
 * fragment is without program, name, machine, CPU model, accelerator, firmware and kernel. */
void emit_qemu(struct strbuf *out, const struct vm *vm, const struct prediction *prediction,
               enum format format, bool fragment);

#endif
