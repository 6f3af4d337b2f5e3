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

/* The bytes with which a line break begins. */
static const bool may_break[256] = {['\n'] = true, ['\r'] = true, [0xC2] = true, [0xE2] = true};

/* Drops a UTF-8 byte-order mark (it says nothing) and indexes the lines. */
static void index_lines(struct source *s)
{
    if (s->len >= 3 && memcmp(s->text, "\xEF\xBB\xBF", 3) == 0) {
        s->len -= 3;
        memmove(s->text, s->text + 3, s->len + 1);
    }
    size_t cap = 64;
    s->lines = xcalloc(cap, sizeof(*s->lines));
    s->line_count = 1;
    for (size_t i = 0; i < s->len;) {
        while (i < s->len && !may_break[(unsigned char)s->text[i]])
            i++;
        size_t step = i < s->len ? line_break(s->text + i, s->len - i) : 0;
        if (!step) {
            i++;
            continue;
        }
        i += step;
        if (s->line_count == cap) {
            cap *= 2;
            s->lines = xrealloc(s->lines, cap, sizeof(*s->lines));
        }
        s->lines[s->line_count++] = i;
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
    size_t start = s->lines[line - 1];
    size_t end = line < s->line_count ? s->lines[line] : s->len;
    for (size_t i = start; i < end; i++)
        if (line_break(s->text + i, end - i)) {
            end = i;
            break;
        }
    *len = end - start;
    return s->text + start;
}

void source_position(const struct source *s, size_t offset, uint32_t *line, uint32_t *column)
{
    size_t low = 0;
    size_t high = s->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    *line = (uint32_t)low + 1;
    *column = 1;
    for (size_t i = s->lines[low]; i < offset && i < s->len; i++)
        if (((unsigned char)s->text[i] & 0xC0) != 0x80)
            ++*column;
}
