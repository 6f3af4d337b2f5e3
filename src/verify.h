/* SPDX-License-Identifier: MIT */
/* A guest against what its topology promises. Layer 8. */
#ifndef SPMTOPO_VERIFY_H
#define SPMTOPO_VERIFY_H

#include "guest_view.h"

enum check_status { CHECK_OK, CHECK_FAIL, CHECK_SKIP };

/* One check. Ids are for ever. */
struct check_line {
    const char *id; /* "memmap.spm" */
    enum check_status status;
    const char *expected; /* NULL where nothing more is to be said */
    const char *found;
    const char *cause; /* of a failure, where it is known; why a check was skipped */
};

struct verify_report {
    struct arena *arena; /* owns all texts */
    struct check_line *items;
    size_t count, cap;
};

/* Holds a guest against the topology. What its source does not show is skipped. */
void verify_guest(struct verify_report *report, const struct guest *guest,
                  const struct guest_view *view);

/* Holds a running QEMU against the topology, over the Unix socket of its QMP. NULL, or what went wrong (in
 * the report's arena). The prediction must be of a QEMU that was started by what 'gen' printed. */
const char *verify_qmp(struct verify_report *report, const struct guest *guest, const char *path);
/* The same over a connection, which is closed. */
const char *verify_qmp_connection(struct verify_report *report, const struct guest *guest, int fd);

size_t verify_count(const struct verify_report *report, enum check_status status);

/* Appends the report: for people, for programs, and for a test harness (TAP 13). */
void verify_text(struct strbuf *out, const struct verify_report *report);
void verify_json(struct strbuf *out, const struct verify_report *report, const char *file,
                 const char *source);
void verify_tap(struct strbuf *out, const struct verify_report *report);

/* --- for the parts of it -------------------------------------------------------------------- */

struct verify {
    struct verify_report *report;
    struct arena *arena;
    const struct guest *guest;
    const struct guest_view *view;
    bool srat_is_right;  /* the VMM has the memory: what is missing, firmware or kernel lost */
    const char *foreign; /* how the guest shows that it was started from something else */
};

/* Texts are kept: they must be in the arena, or constant. */
void verify_ok(struct verify *v, const char *id, const char *found);
void verify_fail(struct verify *v, const char *id, const char *expected, const char *found,
                 const char *cause);
void verify_skip(struct verify *v, const char *id, const char *why);

/* verify_table.c: tables, as bytes and in the log; finds out whether the guest is another's. */
void verify_tables(struct verify *v);
/* verify_map.c: memory maps. */
void verify_maps(struct verify *v);
/* verify_node.c: nodes, dax devices, the kernel's command line. */
void verify_nodes(struct verify *v);

/* By which word of its command line the kernel has other memory or nodes; NULL: by none. */
const char *verify_cause_of_word(const struct verify *v);

/* Why SPM is ordinary RAM, or not there, as far as file and guest tell. */
const char *verify_cause_of_ram(const struct verify *v);
const char *verify_cause_of_loss(const struct verify *v);

#endif
