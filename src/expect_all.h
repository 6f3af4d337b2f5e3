/* SPDX-License-Identifier: MIT */
/* The guests of several targets, side by side. Layer 7. */
#ifndef SPMTOPO_EXPECT_ALL_H
#define SPMTOPO_EXPECT_ALL_H

#include "predict.h"

/* What one target makes of a topology. */
struct side {
    enum target_bit target;
    const struct vm *vm;
    const struct prediction *prediction;
    const struct diag *refusal; /* its first error; NULL: the prediction is ok */
    struct place refused_at;
};

/* One fact of all guests. */
struct side_row {
    const char *what;
    const char *values[TARGET_COUNT]; /* by side; NULL where the target refuses */
    bool must; /* equivalent guests agree on it; addresses and bytes of tables they may differ in */
    bool differs;
};

struct side_by_side {
    struct arena *arena; /* owns the rows */
    const struct side *sides;
    size_t count;
    size_t accepted;
    struct side_row *rows;
    size_t row_count, row_cap;
    bool equivalent; /* nodes, CPUs, memory by type and distances agree where they are accepted */
};

/* At most TARGET_COUNT sides, which stay the caller's. Where none is accepted there are no rows. */
void side_by_side(struct side_by_side *all, const struct side *sides, size_t count,
                  struct arena *arena);
void side_by_side_text(struct strbuf *out, const struct side_by_side *all);
void side_by_side_json(struct strbuf *out, const struct side_by_side *all);

#endif
