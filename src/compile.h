/* SPDX-License-Identifier: MIT */
/* From a file to tables, in the one direction that data flows: text, document, model, checked
 * model, layout, tables. Layer 8. */
#ifndef SPMTOPO_COMPILE_H
#define SPMTOPO_COMPILE_H

#include "acpi.h"
#include "doc.h"

/* What the command line says over the file (NULL or -1: nothing), and what is asked. */
struct overrides {
    unsigned targets;  /* enum target_bit: who will run it; 0: those that the file names, or QEMU */
    bool judges_guest; /* firmware and the guest's kernel count too */
    const char *qemu_version;
    int spm_interface;
    int firmware;
    const struct rule_setting *settings;
    size_t setting_count;
    bool all_warnings_are_errors;
    bool predicts; /* tables are the output: say what they take for granted */
};

struct compilation {
    struct source source;
    struct arena arena; /* owns everything below */
    struct diags diags;
    const struct doc_allow *allows;
    size_t allow_count;
    struct vm vm;
    struct qemu_target target;
    struct layout layout;
    struct tables tables;
    const char *assumption; /* what the tables take for granted; NULL: nothing */
    unsigned targets;       /* enum target_bit: who was judged for */
    bool ok;                /* no errors: there are tables, where a target runs QEMU */
};

/* Compiles a loaded source, as far as its errors allow; tables come of the targets that run QEMU.
 * Findings are sorted, and the rules' settings applied. The caller frees with compile_free(), whatever the outcome. */
void compile(struct compilation *c, const struct overrides *overrides);
void compile_free(struct compilation *c);

#endif
