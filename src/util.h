/* SPDX-License-Identifier: MIT */
/* Attributes, checked allocation, an arena, and small helpers. Layer 0. */
#ifndef SPMTOPO_UTIL_H
#define SPMTOPO_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define KIB UINT64_C(0x400)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define TIB UINT64_C(0x10000000000)
#define PIB UINT64_C(0x4000000000000)

/* A message to standard error and exit status 2. */
_Noreturn void out_of_memory(void);

/* Allocation that does not return on failure. The caller owns what it gets and frees it with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);

/* An arena: memory that lives and dies together. All of one input's document, model, layout and
 * diagnostics is in one arena, so that nothing in them has an owner of its own. */
struct arena {
    struct arena_block *blocks;
    char *next;  /* in the newest block */
    size_t left; /* bytes from there on */
    size_t room; /* of the newest block, in bytes */
};

/* Zeroed memory, aligned for any integer or pointer; never NULL; freed by arena_free(). */
void *arena_alloc(struct arena *arena, size_t count, size_t size);
/* A new block, and its first bytes. */
void *arena_refill(struct arena *arena, size_t bytes);

/* The same as arena_alloc() for a number of bytes; most of a document is made with it. */
static inline void *arena_take(struct arena *arena, size_t bytes)
{
    const size_t align = sizeof(uint64_t);
    bytes = bytes <= SIZE_MAX / 2 ? (bytes + align - 1) / align * align : bytes;
    if (arena->left < bytes || !arena->next)
        return arena_refill(arena, bytes);
    void *taken = arena->next;
    arena->next += bytes;
    arena->left -= bytes;
    return taken;
}

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list args) PRINTF_LIKE(2, 0);
void arena_free(struct arena *arena);

/* Room for one more element in an array in an arena: doubles when full. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *cap, size_t size);

/* Characters of names, for strspn() and strchr(). */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Whether a byte of UTF-8 is one that does not begin a character. */
static inline bool utf8_continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t u64_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* x rounded up to a multiple of a (a not 0). The caller keeps x + a below 2^64: every size and
 * address of the language is below 2^52. */
static inline uint64_t round_up(uint64_t x, uint64_t a)
{
    return (x + a - 1) / a * a;
}

/* The number of bits that n values (0 ... n-1) need; 0 for one value. */
static inline unsigned bits_for(uint64_t n)
{
    return n <= 1 ? 0 : 64u - (unsigned)__builtin_clzll(n - 1);
}

#endif
