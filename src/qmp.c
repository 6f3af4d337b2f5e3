/* SPDX-License-Identifier: MIT */
#include "qmp.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* What an answer may be long, and a conversation take. Thousands of CPUs answer with a few MiB. */
enum { LINE_LIMIT = 32 << 20, EVENT_LIMIT = 10000, MILLISECONDS = 10000 };

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool fail(struct qmp *q, const char *problem)
{
    q->problem = problem;
    return false;
}

static bool fail_errno(struct qmp *q, const char *what)
{
    return fail(q, arena_printf(q->arena, "%s: %s", what, strerror(errno)));
}

static bool wait_for(struct qmp *q, short events)
{
    struct pollfd p = {.fd = q->fd, .events = events};
    int64_t left = q->deadline - now();
    int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
    if (ready < 0 && errno != EINTR)
        return fail_errno(q, "QMP");
    if (ready == 0)
        return fail(q, "QEMU does not answer: another client may have its QMP socket");
    return true;
}

/* The next line, at the start of the input; NULL where there is none. It holds until the next call. */
static char *read_line(struct qmp *q, size_t *taken)
{
    if (*taken) {
        q->input.len -= *taken;
        memmove(q->input.data, q->input.data + *taken, q->input.len);
        *taken = 0;
    }
    for (size_t seen = 0;;) {
        char *end = q->input.len > seen ? memchr(q->input.data + seen, '\n', q->input.len - seen)
                                        : NULL;
        if (end) {
            *end = '\0';
            *taken = (size_t)(end - q->input.data) + 1;
            return q->input.data;
        }
        seen = q->input.len;
        if (q->input.len > LINE_LIMIT) {
            fail(q, "an answer of QMP is too long");
            return NULL;
        }
        if (!wait_for(q, POLLIN))
            return NULL;
        strbuf_make_room(&q->input, 65536);
        ssize_t got = recv(q->fd, q->input.data + q->input.len, 65536, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            if (got < 0)
                fail_errno(q, "QMP");
            else
                fail(q, "QEMU closed its QMP socket");
            return NULL;
        }
        q->input.len += (size_t)got;
    }
}

/* The value of a key in the next object that has it or an error; events pass by. */
static cJSON *read_answer(struct qmp *q, const char *key)
{
    size_t taken = 0;
    cJSON *value = NULL;
    for (unsigned lines = 0; !value && !q->problem; lines++) {
        char *line = read_line(q, &taken);
        if (!line)
            break;
        cJSON *object = cJSON_Parse(line);
        const cJSON *error = cJSON_GetObjectItemCaseSensitive(object, "error");
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(error, "desc");
        value = cJSON_DetachItemFromObjectCaseSensitive(object, key);
        if (!cJSON_IsObject(object) || lines > EVENT_LIMIT)
            fail(q, "what answers there does not speak QMP");
        else if (error)
            fail(q, arena_printf(q->arena, "QMP: %.200s",
                                 cJSON_IsString(text) ? text->valuestring : "an error"));
        cJSON_Delete(object);
    }
    if (taken) {
        q->input.len -= taken;
        memmove(q->input.data, q->input.data + taken, q->input.len);
    }
    if (q->problem) {
        cJSON_Delete(value);
        return NULL;
    }
    return value;
}

cJSON *qmp_ask(struct qmp *q, const char *command)
{
    const char *text = arena_printf(q->arena, "{\"execute\":\"%s\"}\n", command);
    for (size_t len = strlen(text); len;) {
        if (!wait_for(q, POLLOUT))
            return NULL;
        ssize_t sent = send(q->fd, text, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            fail_errno(q, "QMP");
            return NULL;
        }
        text += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
    return read_answer(q, "return");
}

static bool negotiate(struct qmp *q)
{
    cJSON *greeting = read_answer(q, "QMP");
    cJSON *done = greeting ? qmp_ask(q, "qmp_capabilities") : NULL;
    bool ok = done != NULL;
    cJSON_Delete(greeting);
    cJSON_Delete(done);
    return ok;
}

bool qmp_open(struct qmp *q, const char *path, struct arena *arena)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *q = (struct qmp){.arena = arena, .fd = -1, .deadline = now() + MILLISECONDS};
    if (strlen(path) >= sizeof(address.sun_path))
        return fail(q, arena_printf(arena, "'%.40s...' is longer than a socket's name", path));
    memcpy(address.sun_path, path, strlen(path));
    q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (q->fd < 0 || connect(q->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return fail_errno(q, arena_printf(arena, "cannot connect to '%s'", path));
    return negotiate(q);
}

bool qmp_take(struct qmp *q, int fd, struct arena *arena)
{
    *q = (struct qmp){.arena = arena, .fd = fd, .deadline = now() + MILLISECONDS};
    return negotiate(q);
}

void qmp_close(struct qmp *q)
{
    if (q->fd >= 0)
        close(q->fd);
    strbuf_free(&q->input);
}
