/* SPDX-License-Identifier: MIT */
/* A Linux kernel's command line, as the kernel reads it (lib/cmdline.c, next_arg()): words between white
 * space, which double quotes hold together, up to a word "--"; what follows that is init's. Layer 1. */
#ifndef SPMTOPO_CMDLINE_H
#define SPMTOPO_CMDLINE_H

#include "strbuf.h"

/* What an x86 kernel reads of its command line: COMMAND_LINE_SIZE less the NUL
 * (arch/x86/include/asm/setup.h). The EFI stub cuts the rest off; with qboot and SeaBIOS a longer
 * one does not boot (measured). */
enum { KERNEL_READS = 2047 };

struct word {
    const char *text;
    size_t len;
};

/* The words that are left. */
struct words {
    const char *at, *end;
};

/* The words that the kernel reads of a command line; of NULL, none. */
struct words cmdline_words(const char *cmdline);
bool cmdline_next(struct words *words, struct word *word);
/* Turns "name=value" into the value; false where the word has another name. */
bool word_take_value(struct word *word, const char *name);
/* The next item of a list with commas, which is taken off the list. */
bool word_next_item(struct word *list, struct word *item);

/* Whether the kernel reads the word; and name=...,item,... . */
bool cmdline_has_word(const char *cmdline, const char *text);
bool cmdline_has(const char *cmdline, const char *name, const char *item);
/* Whether a quote is open where the kernel's part ends: all that follows would be one word. */
bool cmdline_is_open(const char *cmdline);
/* Appends a command line (NULL: none) with more parameters, where the kernel reads them: before "--". */
void cmdline_add(struct strbuf *out, const char *cmdline, const char *parameters);

#endif
