/* SPDX-License-Identifier: MIT */
/* A client of QEMU's monitor protocol (QMP) over a Unix socket: questions and their answers. Layer 7. */
#ifndef SPMTOPO_QMP_H
#define SPMTOPO_QMP_H

#include "strbuf.h"

struct cJSON;

struct qmp {
    struct arena *arena;
    int fd; /* -1: not connected */
    struct strbuf input;
    int64_t deadline;    /* milliseconds of the monotonic clock: for all of the conversation */
    const char *problem; /* what went wrong, in the arena; NULL: nothing */
};

/* Connects, and negotiates. false with the problem set; qmp_close() either way. */
bool qmp_open(struct qmp *qmp, const char *path, struct arena *arena);
/* The same with a connection that there is, which becomes the client's. */
bool qmp_take(struct qmp *qmp, int fd, struct arena *arena);
/* Asks; what it answers is the caller's, to be freed with cJSON_Delete(). NULL with the problem set. */
struct cJSON *qmp_ask(struct qmp *qmp, const char *command);
void qmp_close(struct qmp *qmp);

#endif
