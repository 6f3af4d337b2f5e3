/* SPDX-License-Identifier: MIT */
/* A command line that is being put together, and its forms. Layer 1. */
#ifndef SPMTOPO_ARGV_H
#define SPMTOPO_ARGV_H

#include "strbuf.h"

/* Zero-initialise; the owner calls argv_free(). */
struct argv {
    struct strbuf text;  /* every argument, each ended by NUL */
    struct strbuf marks; /* one byte an argument: ARG_OPTION begins a line of the shell form */
    bool open;           /* the last argument is still being written */
};

enum { ARG_OPTION = 'o', ARG_VALUE = 'v' };

/* Ends the argument before, and starts one with this text. Later parts of it may be appended to
 * the buffer that is returned, until the next argument. */
struct strbuf *argv_add(struct argv *argv, char mark, const char *text);
/* An option and the start of its value. */
struct strbuf *argv_option(struct argv *argv, const char *option, const char *value);
/* The argument after one, or the first after NULL; NULL after the last. Nothing may be added between. */
const char *argv_next(const struct argv *argv, const char *before);
void argv_free(struct argv *argv);

/* One option a line, quoted for a POSIX shell, with a newline at the end. */
void argv_format_shell(struct strbuf *out, struct argv *argv);
/* A JSON array of strings. */
void argv_format_json(struct strbuf *out, struct argv *argv);
/* Every argument ended by NUL. */
void argv_format_nul(struct strbuf *out, struct argv *argv);

#endif
