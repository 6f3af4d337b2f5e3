/* SPDX-License-Identifier: MIT */
/* QEMU's command line for a checked model and its layout. Layer 7. */
#ifndef SPMTOPO_EMIT_QEMU_H
#define SPMTOPO_EMIT_QEMU_H

#include "argv.h"
#include "format.h"
#include "predict.h"

/* Appends the arguments as a shell command, a JSON array or words ended by NUL; cannot fail. A
 * fragment is without program, name, machine, CPU model, accelerator, firmware and kernel. */
void emit_qemu(struct strbuf *out, const struct vm *vm, const struct prediction *prediction,
               enum format format, bool fragment);

/* The options of one part, for whoever else passes some to QEMU: a memory backend of `size` bytes, the
 * values of an HMAT pair, a memory-side cache, an SPM device. */
void emit_qemu_backend(struct argv *argv, const struct region *region, uint64_t size);
void emit_qemu_pair(struct argv *argv, const struct hmat_pair *pair);
void emit_qemu_cache(struct argv *argv, const struct hmat_cache *cache);
void emit_qemu_device(struct argv *argv, const struct placement *spm);

#endif
