/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

const char *argp_program_version = "spmtopo " PACKAGE_VERSION;

/* clang-format off */
static const struct command commands[] = {
    {"check", COMMAND_CHECK, "FILE...", true,
     "Judge topologies, and those below directories.",
     {FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF, FORMAT_GITHUB}, cmd_check},
    {"gen", COMMAND_GEN, "FILE", false, "Emit a VMM configuration.",
     {FORMAT_SHELL, FORMAT_JSON, FORMAT_ARGV, FORMAT_XML}, cmd_gen},
    {"expect", COMMAND_EXPECT, "FILE", false, "Emit the tables that the guest will see.",
     {FORMAT_TEXT, FORMAT_JSON, FORMAT_RAW, FORMAT_DMESG}, cmd_expect},
    {"verify", COMMAND_VERIFY, "FILE", false, "Hold a guest against its topology.",
     {FORMAT_TEXT, FORMAT_JSON, FORMAT_TAP}, cmd_verify},
    {"show", COMMAND_SHOW, "FILE", false, "Print or draw the topology.",
     {FORMAT_TEXT, FORMAT_YAML, FORMAT_SVG, FORMAT_DOT}, cmd_show},
    {"rules", COMMAND_RULES, NULL, false, "List the rules.", {FORMAT_TEXT, FORMAT_JSON}, cmd_rules},
    {"explain", COMMAND_EXPLAIN, "RULE", false,
     "Say what a rule means, why, and how to satisfy it.", {FORMAT_TEXT}, cmd_explain},
};
/* clang-format on */

static void print_usage(FILE *to)
{
    fputs("Usage: spmtopo COMMAND [OPTION...] [ARGUMENT...]\n"
          "A compiler for NUMA topologies with specific-purpose memory.\n\nCommands:\n",
          to);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n'spmtopo COMMAND --help' lists a command's options; the manual is spmtopo(1).\n", to);
}

/* What did not reach its reader is a failure, help and findings too. */
static void check_streams(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "spmtopo: cannot write standard output: %s\n", strerror(errno));
        _exit(STATUS_FAILURE);
    }
    if (ferror(stderr))
        _exit(STATUS_FAILURE);
}

int main(int argc, char **argv)
{
    argp_err_exit_status = STATUS_FAILURE;
    atexit(check_streams);
    /* A limit on the size of files is a full disk, which is said. */
    signal(SIGXFSZ, SIG_IGN);
    /* Else JSON for which there is no memory would lack a part. */
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = xmalloc, .free_fn = free});
    /* glibc's first bound, kept: large blocks go back to the system when they are freed, and grow
     * without a copy. */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    if (argc < 2) {
        print_usage(stderr);
        return STATUS_FAILURE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0) {
        print_usage(stdout);
        return STATUS_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts(argp_program_version);
        return STATUS_OK;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            struct options options;
            options_parse(&options, &commands[i], argc - 1, argv + 1);
            int status = commands[i].run(&options);
            options_free(&options);
            return status;
        }
    fprintf(stderr, "spmtopo: there is no command '%s'\n", argv[1]);
    print_usage(stderr);
    return STATUS_FAILURE;
}
