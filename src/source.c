/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The length of a line break at p, 0 if there is none. As in YAML 1.1 (section 4.2) and libyaml,
 * NEL, LS and PS count, so that our line numbers are libyaml's. */
static size_t line_break(const char *p, size_t left)
{
    if (*p == '\r')
        return left > 1 && p[1] == '\n' ? 2 : 1;
    if (*p == '\n')
        return 1;
    if (left > 1 && memcmp(p, "\xC2\x85", 2) == 0)
        return 2;
    if (left > 2 && (memcmp(p, "\xE2\x80\xA8", 3) == 0 || memcmp(p, "\xE2\x80\xA9", 3) == 0))
        return 3;
    return 0;
}

static bool is_ascii(const char *text, size_t len)
{
    uint64_t high = 0;
    uint64_t word;
    for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        high |= word;
    }
    while (len--)
        high |= (unsigned char)*text++;
    return !(high & UINT64_C(0x8080808080808080));
}

static void add_line(struct source *s, size_t *cap, size_t byte, size_t character)
{
    if (s->line_count == *cap) {
        *cap = *cap ? 2 * *cap : 64;
        s->lines = xrealloc(s->lines, *cap, sizeof(*s->lines));
    }
    s->lines[s->line_count++] = (struct source_line){(uint32_t)byte, (uint32_t)character};
}

/* Drops a UTF-8 byte-order mark (it says nothing) and indexes the lines. */
static void index_lines(struct source *s)
{
    if (s->len >= 3 && memcmp(s->text, "\xEF\xBB\xBF", 3) == 0) {
        s->len -= 3;
        memmove(s->text, s->text + 3, s->len + 1);
    }
    size_t cap = 0;
    size_t character = 0;
    add_line(s, &cap, 0, 0);
    if (is_ascii(s->text, s->len) && !memchr(s->text, '\r', s->len)) {
        /* Every character is a byte, and every line break a line feed. */
        for (const char *p = s->text; (p = memchr(p, '\n', s->len - (size_t)(p - s->text)));) {
            p++;
            add_line(s, &cap, (size_t)(p - s->text), (size_t)(p - s->text));
        }
        return;
    }
    for (size_t i = 0; i < s->len;) {
        size_t step = line_break(s->text + i, s->len - i);
        size_t next = i + (step ? step : 1);
        for (; i < next; i++)
            character += !utf8_continues(s->text[i]);
        if (step)
            add_line(s, &cap, i, character);
    }
}

bool source_load(struct source *s, const char *name)
{
    bool standard_input = strcmp(name, "-") == 0;
    *s = (struct source){.name = standard_input ? "<stdin>" : name};
    int fd = standard_input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t cap = 64 * KIB;
    s->text = xrealloc(NULL, cap + 1, 1);
    ssize_t n;
    do {
        if (s->len == cap && cap < SOURCE_LIMIT + 1) {
            cap = u64_min(cap * 2, SOURCE_LIMIT + 1);
            s->text = xrealloc(s->text, cap + 1, 1);
        }
        n = read(fd, s->text + s->len, cap - s->len);
        if (n > 0)
            s->len += (size_t)n;
    } while ((n > 0 && s->len <= SOURCE_LIMIT) || (n < 0 && errno == EINTR));
    int saved = errno;
    if (!standard_input)
        close(fd);
    errno = saved;
    s->too_large = s->len > SOURCE_LIMIT;
    if (s->too_large)
        s->len = 0;
    s->text[s->len] = '\0';
    index_lines(s);
    return n >= 0;
}

void source_from_memory(struct source *s, const char *name, const char *text, size_t len)
{
    *s = (struct source){.name = name, .len = len, .too_large = len > SOURCE_LIMIT};
    if (s->too_large)
        s->len = 0;
    s->text = xcalloc(s->len + 1, 1);
    memcpy(s->text, text, s->len);
    index_lines(s);
}

void source_free(struct source *s)
{
    free(s->text);
    free(s->lines);
    *s = (struct source){0};
}

const char *source_line(const struct source *s, size_t line, size_t *len)
{
    *len = 0;
    if (line == 0 || line > s->line_count)
        return "";
    size_t start = s->lines[line - 1].byte;
    size_t end = line < s->line_count ? s->lines[line].byte : s->len;
    for (size_t i = end > start + 3 ? end - 3 : start; i < end; i++)
        if (line_break(s->text + i, end - i) == end - i) {
            end = i;
            break;
        }
    *len = end - start;
    return s->text + start;
}

/* The index of the last line that begins at or before a byte offset, or a code point. */
static size_t line_of(const struct source *s, size_t at, bool character)
{
    size_t low = 0;
    size_t high = s->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if ((character ? s->lines[middle].character : s->lines[middle].byte) <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The code points in the source before a byte offset. */
static uint32_t characters_before(const struct source *s, size_t offset)
{
    const struct source_line *line = &s->lines[line_of(s, offset, false)];
    uint32_t count = line->character;
    for (size_t i = line->byte; i < offset && i < s->len; i++)
        count += !utf8_continues(s->text[i]);
    return count;
}

struct span source_span(const struct source *s, size_t offset, size_t len)
{
    return (struct span){characters_before(s, offset) + 1, characters_before(s, offset + len) + 1};
}

struct place source_place(const struct source *s, struct span span)
{
    if (!span.start)
        return (struct place){0};
    uint32_t start = span.start - 1;
    uint32_t end = span.end - 1;
    size_t line = line_of(s, start, true);
    size_t end_line = end <= start + 1 ? line : line_of(s, end, true);
    return (struct place){
        .line = (uint32_t)line + 1,
        .column = start - s->lines[line].character + 1,
        .end_line = (uint32_t)end_line + 1,
        .end_column = end - s->lines[end_line].character + 1,
    };
}
