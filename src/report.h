/* SPDX-License-Identifier: MIT */
/* Findings for programs: JSON, SARIF 2.1.0, and GitHub's workflow commands. Layer 1. */
#ifndef SPMTOPO_REPORT_H
#define SPMTOPO_REPORT_H

#include "diag.h"
#include "source.h"
#include "strbuf.h"

/* What a report counts. */
struct report_summary {
    size_t files, errors, warnings, notes;
};

/* A report is a start, the findings of each file, and an end. */
struct report_format {
    const char *name;
    void (*start)(struct strbuf *out);
    void (*findings)(struct strbuf *out, const struct diags *diags, const struct source *source,
                     enum severity least);
    const char *separator; /* between the findings of two files that both have some */
    void (*end)(struct strbuf *out, const struct report_summary *summary);
};

extern const struct report_format report_json;
extern const struct report_format report_sarif;
extern const struct report_format report_github;

#endif
