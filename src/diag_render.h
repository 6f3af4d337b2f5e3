/* SPDX-License-Identifier: MIT */
/* Findings as text for people. Layer 1. */
#ifndef SPMTOPO_DIAG_RENDER_H
#define SPMTOPO_DIAG_RENDER_H

#include "diag.h"
#include "source.h"
#include "strbuf.h"

/* FILE:LINE:COL: severity: message [id name], the source line with the span underlined, notes and
 * help, for every finding of at least `least` severity. Control characters of the input are made
 * visible, never passed on to a terminal. */
void diag_render_text(struct strbuf *out, const struct diags *diags, const struct source *source,
                      enum severity least, bool color);

/* Text that may hold anything, for a terminal: one column for each character of the input. */
void diag_add_visible(struct strbuf *out, const char *text, size_t len);

#endif
