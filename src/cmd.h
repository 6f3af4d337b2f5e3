/* SPDX-License-Identifier: MIT */
/* The sub-commands: each reads, compiles, and writes one output. They return the exit status.
 * Layer 9. */
#ifndef SPMTOPO_CMD_H
#define SPMTOPO_CMD_H

#include "options.h"

/* Exit statuses (command-line reference). */
enum { STATUS_OK = 0, STATUS_FINDINGS = 1, STATUS_FAILURE = 2 };

int cmd_gen(const struct options *options);
int cmd_expect(const struct options *options);
int cmd_expect_all(const struct options *options);
int cmd_show(const struct options *options);
int cmd_check(const struct options *options);
int cmd_verify(const struct options *options);
int cmd_rules(const struct options *options);
int cmd_explain(const struct options *options);

/* Reads and compiles a file. STATUS_OK, or the status to exit with. Findings are printed by
 * cmd_print(). compile_free() frees, whatever the outcome. */
int cmd_compile(struct compilation *c, const struct options *options, const char *file);
/* The same for the only file of a command, whose findings are printed: with them its text has served. */
int cmd_compile_one(struct compilation *c, const struct options *options);
/* The same for the source of another compilation, which stays as it is. */
int cmd_compile_again(struct compilation *c, const struct options *options,
                      const struct compilation *of);
/* "cannot WHAT 'FILE'" and what errno says, to standard error; the name may hold anything. */
void cmd_complain(const char *what, const char *file);
/* Whether messages are colored. */
bool cmd_color(const struct options *options);
/* Writes the output of a command and frees it. Returns the exit status. */
int cmd_write(const struct options *options, struct strbuf *output);
/* Prints the findings to standard error. */
void cmd_print(const struct compilation *c, const struct options *options);
/* Where status is STATUS_OK writes the output. Returns the final status and frees both. */
int cmd_finish(struct compilation *c, const struct options *options, int status,
               struct strbuf *output);

#endif
