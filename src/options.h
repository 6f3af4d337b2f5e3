/* SPDX-License-Identifier: MIT */
/* Command-line options: one table, from which each command takes its own. Layer 9. */
#ifndef SPMTOPO_OPTIONS_H
#define SPMTOPO_OPTIONS_H

#include "compile.h"
#include "expect.h"
#include "format.h"

/* The commands, as bits. */
enum command_bit {
    COMMAND_GEN = 1,
    COMMAND_EXPECT = 2,
    COMMAND_SHOW = 4,
    COMMAND_CHECK = 8,
    COMMAND_RULES = 16,
    COMMAND_EXPLAIN = 32,
    COMMAND_VERIFY = 64,
};

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum { SETTING_LIMIT = 256, JOB_LIMIT = 64 };

struct options {
    const struct command *command;
    const char **files; /* the arguments; freed by options_free() */
    size_t file_count;
    enum target_bit target; /* of gen, expect and verify; else 0 where not given */
    enum format format;
    const char *output; /* NULL: standard output */
    bool fragment;
    enum table table;
    bool guest_stage;
    unsigned kernel;   /* Linux's first number; 0: not given, and 6 */
    const char *guest; /* where it shows itself; NULL: not given */
    const char *qmp;   /* a socket of its QEMU; NULL: not given */
    bool quiet;
    unsigned jobs; /* 1 to JOB_LIMIT */
    enum color color;
    struct overrides overrides;
    struct rule_setting settings[SETTING_LIMIT];
};

/* A sub-command. */
struct command {
    const char *name;
    enum command_bit bit;
    const char *args;       /* "FILE" */
    bool many;              /* ... any number of them */
    const char *summary;    /* one line */
    enum format formats[4]; /* the first is the default (of gen the target's own);
                             * FORMAT_DEFAULT ends the list */
    int (*run)(const struct options *options);
};

/* Parses the arguments of a command (argv[0] is its name). Exits with status 2 on a usage error, 0
 * after --help and --version. */
void options_parse(struct options *options, const struct command *command, int argc, char **argv);

void options_free(struct options *options);

#endif
