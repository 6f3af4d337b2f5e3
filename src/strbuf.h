/* SPDX-License-Identifier: MIT */
/* Growing text, with one append per language that text is put into. Layer 0. */
#ifndef SPMTOPO_STRBUF_H
#define SPMTOPO_STRBUF_H

#include <string.h>

#include "util.h"

/* data is NUL-terminated once anything was added; len does not count the NUL. Zero-initialise;
 * the owner calls strbuf_free(). */
struct strbuf {
    char *data;
    size_t len;
    size_t cap;
};

/* Room for `more` bytes and a NUL. */
void strbuf_make_room(struct strbuf *b, size_t more);

/* These are most of what emitters do, so they are inline. */

/* Adds bytes that the caller writes, and returns where. */
static inline char *strbuf_extend(struct strbuf *b, size_t len)
{
    if (b->cap - b->len <= len)
        strbuf_make_room(b, len);
    char *added = b->data + b->len;
    b->len += len;
    added[len] = '\0';
    return added;
}

static inline void strbuf_add(struct strbuf *b, const void *bytes, size_t len)
{
    char *added = strbuf_extend(b, len);
    if (len)
        memcpy(added, bytes, len);
}

static inline void strbuf_adds(struct strbuf *b, const char *text)
{
    strbuf_add(b, text, strlen(text));
}

static inline void strbuf_addc(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_addf(struct strbuf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void strbuf_addv(struct strbuf *b, const char *format, va_list args) PRINTF_LIKE(2, 0);
void strbuf_free(struct strbuf *b);

/* Numbers without the cost of a format: decimal; a little-endian integer of 1 to 8 bytes. */
void strbuf_add_u64(struct strbuf *b, uint64_t value);
void strbuf_add_le(struct strbuf *b, uint64_t value, unsigned bytes);

/* An exact size with the largest binary unit that divides it, spelled as QEMU's option parser
 * takes it ("16G", "2815M", "8K", "12B"). */
void strbuf_add_qemu_size(struct strbuf *b, uint64_t bytes);
/* The same for people and for the topology language ("16 GiB" / "16GiB"). */
void strbuf_add_size(struct strbuf *b, uint64_t bytes, const char *gap);

/* The words of a table, of which some may be NULL: "a, b or c". */
void strbuf_add_choice(struct strbuf *b, const char *const *words, size_t count);

/* A word of a POSIX shell command in single quotes; whether it means the same without them. */
void strbuf_add_quoted(struct strbuf *b, const char *text, size_t len);
bool shell_safe_word(const char *text, size_t len);
/* A value in QEMU's key=value syntax: commas doubled. */
void strbuf_add_qemu(struct strbuf *b, const char *text);
/* A JSON string with its quotes. `text` is UTF-8. */
void strbuf_add_json(struct strbuf *b, const char *text);
/* Text or an attribute's value in XML, in either quotes. `text` is UTF-8 of characters that XML 1.0 has
 * (section 2.2): no controls but tab, line feed and carriage return. */
void strbuf_add_xml(struct strbuf *b, const char *text);
/* A YAML scalar: plain where that reads back as the same text, else double-quoted. */
void strbuf_add_yaml(struct strbuf *b, const char *text);

#endif
