/* SPDX-License-Identifier: MIT */
#include "util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arena_block {
    struct arena_block *next;
    uint64_t data[];
};

/* Blocks double in size, so that a large input takes few. */
enum { ARENA_BLOCK_LEAST = 2 * 1024, ARENA_BLOCK_MOST = 1024 * 1024 };

/* At once: what standard output still holds is the start of something. */
void out_of_memory(void)
{
    fputs("spmtopo: out of memory\n", stderr);
    _exit(2);
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *xrealloc(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory();
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *arena_refill(struct arena *arena, size_t bytes)
{
    size_t room = arena->blocks ? 2 * arena->room : ARENA_BLOCK_LEAST;
    room = room > ARENA_BLOCK_MOST ? ARENA_BLOCK_MOST : room;
    room = bytes > room ? bytes : room;
    struct arena_block *block = bytes <= SIZE_MAX / 2 ? calloc(1, sizeof(*block) + room) : NULL;
    if (!block)
        out_of_memory();
    block->next = arena->blocks;
    arena->blocks = block;
    arena->next = (char *)block->data + bytes;
    arena->room = room;
    arena->left = room - bytes;
    return block->data;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory();
    return arena_take(arena, bytes);
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1, 1);
    memcpy(copy, text, len);
    return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    char first[256]; /* long enough for most */
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(first, sizeof(first), format, args);
    char *text = arena_alloc(arena, (size_t)(len < 0 ? 0 : len) + 1, 1);
    if (len >= (int)sizeof(first))
        vsnprintf(text, (size_t)len + 1, format, again);
    else if (len > 0)
        memcpy(text, first, (size_t)len);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 4;
    void *grown = arena_alloc(arena, *cap, size);
    if (count)
        memcpy(grown, items, count * size);
    return grown;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    *arena = (struct arena){0};
}
