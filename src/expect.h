/* SPDX-License-Identifier: MIT */
/* What the guest must see, as text, JSON, kernel log lines or bytes. Layer 7. */
#ifndef SPMTOPO_EXPECT_H
#define SPMTOPO_EXPECT_H

#include "predict.h"

/* All append what a prediction says that is ok, and cannot fail. */

enum table { TABLE_E820, TABLE_SRAT, TABLE_SLIT, TABLE_HMAT, TABLE_ALL };

void expect_text(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                 enum table table);
void expect_json(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                 enum table table);
/* The lines of a Linux guest's log, in the words of Linux up to 6.x. */
void expect_dmesg(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                  enum table table);
/* The same in those of Linux 7. */
void expect_dmesg_7(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                    enum table table);
/* The bytes of one table; nothing where the guest has none. Not for TABLE_ALL. */
void expect_raw(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                enum table table);

#endif
