/* SPDX-License-Identifier: MIT */
/* A command line, written argument by argument in one of its forms. Layer 1. */
#ifndef SPMTOPO_ARGV_H
#define SPMTOPO_ARGV_H

#include "strbuf.h"

enum argv_form {
    ARGV_SHELL, /* one option a line, quoted for a POSIX shell, with a newline at the end */
    ARGV_JSON,  /* an array of strings */
    ARGV_NUL    /* every argument ended by NUL */
};

/* Made by argv_start(); nothing is to be freed. */
struct argv {
    struct strbuf *out;
    enum argv_form form;
    size_t count; /* arguments, with the one that is open */
    size_t start; /* where the open argument is in `out` */
};

enum argv_mark { ARG_OPTION, ARG_VALUE }; /* an option begins a line of the shell form */

/* The arguments go behind what is in `out`, which nothing else may be added to until argv_end(). */
struct argv argv_start(struct strbuf *out, enum argv_form form);
/* Ends the argument before, and starts one with this text. Later parts of it may be appended to
 * the buffer that is returned, as they are, until the next argument. */
struct strbuf *argv_add_bytes(struct argv *argv, enum argv_mark mark, const char *text, size_t len);

static inline struct strbuf *argv_add(struct argv *argv, enum argv_mark mark, const char *text)
{
    return argv_add_bytes(argv, mark, text, strlen(text));
}

/* An option and the start of its value. The option is one of the VMM's, which no shell takes otherwise. */
struct strbuf *argv_option_bytes(struct argv *argv, const char *option, size_t option_len,
                                 const char *value, size_t value_len);

static inline struct strbuf *argv_option(struct argv *argv, const char *option, const char *value)
{
    return argv_option_bytes(argv, option, strlen(option), value, strlen(value));
}

/* Ends the last argument, and the command line. */
void argv_end(struct argv *argv);

#endif
