/* SPDX-License-Identifier: MIT */
/* libvirt's domain XML for a checked model and its layout. Layer 7. */
#ifndef SPMTOPO_EMIT_LIBVIRT_H
#define SPMTOPO_EMIT_LIBVIRT_H

#include "format.h"
#include "predict.h"

/* Appends a domain that `virsh define` takes; cannot fail. A fragment is the elements that a domain
 * of the user's needs, each group below a comment that says where it goes. */
void emit_libvirt(struct strbuf *out, const struct vm *vm, const struct prediction *prediction,
                  enum format format, bool fragment);

#endif
