/* SPDX-License-Identifier: MIT */
/* What a guest's kernel is told where its SPM is plain RAM to the VMM and to firmware. Layer 5. */
#ifndef SPMTOPO_KERNEL_PARAMETERS_H
#define SPMTOPO_KERNEL_PARAMETERS_H

#include "layout.h"
#include "strbuf.h"

/* Appends one memmap= parameter, with a blank before it where there is text: `size` bytes at `address`,
 * which are RAM (old) or not in the map at all, become soft-reserved
 * (Documentation/admin-guide/kernel-parameters.txt, memmap=nn%ss-old+new). */
void kernel_memmap(struct strbuf *out, uint64_t address, uint64_t size, bool ram);

/* The same for all SPM of a layout that is RAM to the VMM; adds nothing where it is not. */
void kernel_memmaps(struct strbuf *out, const struct layout *layout);

/* The parameters that make a guest's kernel take its SPM as soft-reserved (memmap=, and nokaslr where
 * the kernel could land in it), separated by blanks; adds nothing where the interface needs none. */
void kernel_parameters(struct strbuf *out, const struct vm *vm, const struct qemu_target *target,
                       const struct layout *layout);

/* The kernel's whole command line: the file's, with those parameters. */
void kernel_cmdline(struct strbuf *out, const struct vm *vm, const struct qemu_target *target,
                    const struct layout *layout);

#endif
