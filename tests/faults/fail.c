/* SPDX-License-Identifier: MIT */
/* Loaded before the C library (LD_PRELOAD): makes one allocation fail, or each from one on, and counts
 * them. What to do, and what was seen, is in memory shared with faults.c, by the descriptor that
 * FAULTS_STATE names; without it nothing is altered. */
#include <errno.h>
#include <execinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "faults.h"

/* glibc's own names of what is replaced here. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nmemb, size_t size);
void *__libc_realloc(void *ptr, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static struct fault_state *state;
static __thread int busy; /* backtrace() may allocate */

/* A number for the calls that led here. */
static uint64_t place(void)
{
    void *frames[48];
    uint64_t hash = 14695981039346656037u;
    int count = backtrace(frames, 48);
    for (int i = 0; i < count; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
    return hash;
}

static int fails(void)
{
    if (!state || busy)
        return 0;
    uint64_t n = __atomic_add_fetch(&state->count, 1, __ATOMIC_RELAXED);
    if (!state->fail_at && n <= FAULT_PLACES) {
        busy = 1;
        state->places[n - 1] = place();
        busy = 0;
    }
    if (!state->fail_at || (state->sticky ? n < state->fail_at : n != state->fail_at))
        return 0;
    __atomic_add_fetch(&state->failed, 1, __ATOMIC_RELAXED);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return fails() ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __libc_realloc(ptr, size);
}

__attribute__((constructor)) static void start(void)
{
    const char *fd = getenv("FAULTS_STATE");
    void *frames[4];
    busy = 1;
    backtrace(frames, 4); /* loads what it needs */
    busy = 0;
    if (!fd)
        return;
    void *shared = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
                        (int)strtol(fd, NULL, 10), 0);
    if (shared != MAP_FAILED)
        state = shared;
}
