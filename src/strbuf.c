/* SPDX-License-Identifier: MIT */
#include "strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strbuf_make_room(struct strbuf *b, size_t more)
{
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap *= 2;
    b->data = xrealloc(b->data, cap, 1);
    b->cap = cap;
}

void strbuf_addv(struct strbuf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len > 0) {
        strbuf_make_room(b, (size_t)len);
        vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void strbuf_addf(struct strbuf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strbuf_addv(b, format, args);
    va_end(args);
}

void strbuf_free(struct strbuf *b)
{
    free(b->data);
    *b = (struct strbuf){0};
}

void strbuf_add_u64(struct strbuf *b, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    unsigned digits = value < 10 ? 1 : value < 100 ? 2 : 3;
    for (uint64_t rest = value / 1000; rest; rest /= 10)
        digits++;
    char *p = strbuf_extend(b, digits) + digits;
    for (; value >= 100; value /= 100) {
        p -= 2;
        memcpy(p, pairs + 2 * (value % 100), 2);
    }
    if (value >= 10)
        memcpy(p - 2, pairs + 2 * value, 2);
    else
        p[-1] = (char)('0' + value);
}

void strbuf_add_le(struct strbuf *b, uint64_t value, unsigned bytes)
{
    char raw[8];
    for (unsigned i = 0; i < bytes; i++)
        raw[i] = (char)(value >> (8 * i) & 0xff);
    strbuf_add(b, raw, bytes);
}

/* The exponent of 1024 of the largest binary unit, up to TiB, that divides a size. */
static unsigned unit_of(uint64_t bytes)
{
    unsigned unit = 0;
    while (unit < 4 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    return unit;
}

void strbuf_add_qemu_size(struct strbuf *b, uint64_t bytes)
{
    unsigned unit = unit_of(bytes);
    strbuf_add_u64(b, bytes >> (10 * unit));
    strbuf_addc(b, "BKMGT"[unit]);
}

void strbuf_add_size(struct strbuf *b, uint64_t bytes, const char *gap)
{
    static const char *const names[] = {"KiB", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = unit_of(bytes);
    strbuf_add_u64(b, bytes >> (10 * (unit ? unit : 1)));
    if (!unit && bytes) {
        /* 1/1024 has ten decimal places. */
        strbuf_addf(b, ".%010" PRIu64, bytes % 1024 * UINT64_C(10000000000) / 1024);
        while (b->data[b->len - 1] == '0')
            b->data[--b->len] = '\0';
    }
    strbuf_adds(b, gap);
    strbuf_adds(b, names[unit]);
}

/* Characters that mean nothing to a POSIX shell, anywhere in a word. */
static const bool shell_safe[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true, ['_'] = true,
    ['.'] = true,         [','] = true,         [':'] = true,         ['='] = true, ['/'] = true,
    ['+'] = true,         ['@'] = true,         ['%'] = true,
};

void strbuf_add_quoted(struct strbuf *b, const char *text, size_t len)
{
    strbuf_addc(b, '\'');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'')
            strbuf_adds(b, "'\\''");
        else
            strbuf_addc(b, text[i]);
    }
    strbuf_addc(b, '\'');
}

bool shell_safe_word(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *const end = p + len;
    /* Most of a large output passes here, so it is eight bytes at a time. */
    for (; end - p >= 8; p += 8)
        if (!(shell_safe[p[0]] & shell_safe[p[1]] & shell_safe[p[2]] & shell_safe[p[3]] &
              shell_safe[p[4]] & shell_safe[p[5]] & shell_safe[p[6]] & shell_safe[p[7]]))
            return false;
    for (; p < end; p++)
        if (!shell_safe[*p])
            return false;
    return len > 0;
}

void strbuf_add_choice(struct strbuf *b, const char *const *words, size_t count)
{
    while (count && !words[count - 1])
        count--;
    for (size_t i = 0, written = 0; i < count; i++) {
        if (!words[i])
            continue;
        strbuf_adds(b, !written++ ? "" : i + 1 == count ? " or " : ", ");
        strbuf_adds(b, words[i]);
    }
}

void strbuf_add_qemu(struct strbuf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        strbuf_addc(b, *p);
        if (*p == ',')
            strbuf_addc(b, ',');
    }
}

/* JSON and YAML's double-quoted scalars share their escapes. Controls beyond ASCII, the line and
 * paragraph separators and the byte-order mark are not printable in YAML 1.1 (section 4.1). */
void strbuf_add_json(struct strbuf *b, const char *text)
{
    static const struct {
        const char *bytes;
        const char *escape;
    } marks[] = {{"\xE2\x80\xA8", "\\u2028"},
                 {"\xE2\x80\xA9", "\\u2029"},
                 {"\xEF\xBB\xBF", "\\ufeff"},
                 {"\xEF\xBF\xBE", "\\ufffe"},
                 {"\xEF\xBF\xBF", "\\uffff"}};
    strbuf_addc(b, '"');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        size_t mark = 0;
        while (c >= 0xE2 && mark < ARRAY_SIZE(marks) && strncmp(p, marks[mark].bytes, 3) != 0)
            mark++;
        if (c == '"' || c == '\\') {
            strbuf_addf(b, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            strbuf_addf(b, "\\u%04x", c);
        } else if (c == 0xC2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xA0) {
            strbuf_addf(b, "\\u%04x", (unsigned char)*++p);
        } else if (c >= 0xE2 && mark < ARRAY_SIZE(marks)) {
            strbuf_adds(b, marks[mark].escape);
            p += 2;
        } else {
            strbuf_addc(b, *p);
        }
    }
    strbuf_addc(b, '"');
}

/* Tabs and line ends are references, as a reader makes blanks of those in attributes (XML 1.0,
 * section 3.3.3). */
void strbuf_add_xml(struct strbuf *b, const char *text)
{
    static const char *const references[128] = {
        ['&'] = "&amp;",  ['<'] = "&lt;",  ['>'] = "&gt;",   ['\''] = "&apos;",
        ['"'] = "&quot;", ['\t'] = "&#9;", ['\n'] = "&#10;", ['\r'] = "&#13;"};
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 128 && references[c])
            strbuf_adds(b, references[c]);
        else
            strbuf_addc(b, *p);
    }
}

void strbuf_add_yaml(struct strbuf *b, const char *text)
{
    bool plain = *text != '\0' && *text != '-' && *text != '=';
    for (const char *p = text; *p; p++)
        plain = plain && shell_safe[(unsigned char)*p] && !strchr(",:@%", *p);
    if (plain)
        strbuf_adds(b, text);
    else
        strbuf_add_json(b, text);
}
