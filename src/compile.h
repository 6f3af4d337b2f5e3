/* SPDX-License-Identifier: MIT */
/* From a file to tables, in the one direction that data flows: text, document, model, checked
 * model, layout, tables. Layer 8. */
#ifndef SPMTOPO_COMPILE_H
#define SPMTOPO_COMPILE_H

#include "doc.h"
#include "predict.h"

/* What the command line says over the file (NULL or -1: nothing), and what is asked. */
struct overrides {
    unsigned targets;  /* enum target_bit: who will run it; 0: those that the file names, or QEMU */
    bool first_target; /* of these the first alone */
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
    unsigned targets;                            /* enum target_bit: who was judged for */
    struct prediction predictions[TARGET_COUNT]; /* of those, in the order of the bits */
    bool ok;                                     /* no errors */
};

/* Compiles a loaded source, as far as its errors allow. Findings are sorted, and the rules' settings
 * applied. The caller frees with compile_free(), whatever the outcome. */
void compile(struct compilation *c, const struct overrides *overrides);
/* The prediction for a target that was judged for; it is ok where the compilation is. */
const struct prediction *compile_prediction(const struct compilation *c, enum target_bit target);
void compile_free(struct compilation *c);

#endif
