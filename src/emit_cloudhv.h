/* SPDX-License-Identifier: MIT */
/* cloud-hypervisor's configuration for a checked model and its layout. Layer 7. */
#ifndef SPMTOPO_EMIT_CLOUDHV_H
#define SPMTOPO_EMIT_CLOUDHV_H

#include "format.h"
#include "predict.h"

/* Appends the body of PUT /api/v1/vm.create (JSON), or the command line; cannot fail. A fragment is
 * without program and payload. */
void emit_cloudhv(struct strbuf *out, const struct vm *vm, const struct prediction *prediction,
                  enum format format, bool fragment);

#endif
