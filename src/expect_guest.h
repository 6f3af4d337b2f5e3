/* SPDX-License-Identifier: MIT */
/* What the guest's operating system sees, as text, JSON or kernel log lines. Layer 7. */
#ifndef SPMTOPO_EXPECT_GUEST_H
#define SPMTOPO_EXPECT_GUEST_H

#include "guest.h"

/* All append, and cannot fail. */
void expect_guest_text(struct strbuf *out, const struct guest *guest);
void expect_guest_json(struct strbuf *out, const struct guest *guest);
/* The lines of a Linux guest's log that are certain: soft-reserved ranges. */
void expect_guest_dmesg(struct strbuf *out, const struct guest *guest);
/* The same in the words of Linux 7. */
void expect_guest_dmesg_7(struct strbuf *out, const struct guest *guest);

#endif
