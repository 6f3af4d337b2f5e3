/* SPDX-License-Identifier: MIT */
/* The configurations that can be emitted, by target: one table. Layer 8. */
#ifndef SPMTOPO_EMIT_H
#define SPMTOPO_EMIT_H

#include "compile.h"
#include "format.h"

enum { EMITTER_FORMATS = 3 };

struct emitter {
    enum target_bit target;
    /* The first is the default; FORMAT_DEFAULT ends the list. */
    enum format formats[EMITTER_FORMATS];
    /* Appends the configuration of a prediction that is ok, in one of the formats; cannot fail. */
    void (*emit)(struct strbuf *out, const struct vm *vm, const struct prediction *prediction,
                 enum format format, bool fragment);
};

/* NULL for a target that nothing is emitted for. */
const struct emitter *emitter_for(enum target_bit target);
/* Whether an emitter has a format. */
bool emitter_has(const struct emitter *emitter, enum format format);

#endif
