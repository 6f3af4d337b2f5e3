/* SPDX-License-Identifier: MIT */
/* Output that is whole or not there: standard output, or a file written beside and renamed.
 * Layer 0. */
#ifndef SPMTOPO_OUTFILE_H
#define SPMTOPO_OUTFILE_H

#include "util.h"

/* Writes all of data. path NULL or "-" is standard output (flushed, its errors seen); else a
 * temporary file beside path takes its place in one rename, with path's own mode or that of a new
 * file, and path is untouched on failure. What exists and is not a regular file (/dev/full, a pipe) is written
 * directly. false with errno set on failure, nothing left behind. */
bool outfile_write(const char *path, const void *data, size_t len);

#endif
