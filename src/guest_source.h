/* SPDX-License-Identifier: MIT */
/* Where what a guest shows comes from: the machine itself, a directory, a tar, a log. Layer 7. */
#ifndef SPMTOPO_GUEST_SOURCE_H
#define SPMTOPO_GUEST_SOURCE_H

#include "guest_view.h"

/* Reads a source into a view, whose arena is set: "live", "-" for standard input, or the name of a
 * directory or file. NULL, or what is wrong (in the view's arena): it cannot be read, is damaged as a
 * whole, or holds nothing of a guest. */
const char *guest_source_read(struct guest_view *view, const char *source);

#endif
