/* SPDX-License-Identifier: MIT */
#include "cmdline.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(const struct word *word, const char *text)
{
    return word->len == strlen(text) && memcmp(word->text, text, word->len) == 0;
}

struct words cmdline_words(const char *cmdline)
{
    const char *text = cmdline ? cmdline : "";
    return (struct words){text, text + u64_min(strlen(text), KERNEL_READS)};
}

bool cmdline_next(struct words *words, struct word *word)
{
    bool quoted = false;
    while (words->at < words->end && is_blank(*words->at))
        words->at++;
    word->text = words->at;
    for (; words->at < words->end && (quoted || !is_blank(*words->at)); words->at++)
        quoted ^= *words->at == '"';
    word->len = (size_t)(words->at - word->text);
    return word->len && !is_word(word, "--");
}

bool word_take_value(struct word *word, const char *name)
{
    size_t len = strlen(name);
    if (word->len <= len || memcmp(word->text, name, len) != 0 || word->text[len] != '=')
        return false;
    word->text += len + 1;
    word->len -= len + 1;
    return true;
}

bool word_next_item(struct word *list, struct word *item)
{
    if (!list->len)
        return false;
    const char *comma = memchr(list->text, ',', list->len);
    item->text = list->text;
    item->len = comma ? (size_t)(comma - list->text) : list->len;
    size_t step = item->len + (comma != NULL);
    list->text += step;
    list->len -= step;
    return true;
}

bool cmdline_has_word(const char *cmdline, const char *text)
{
    struct words words = cmdline_words(cmdline);
    struct word word;
    while (cmdline_next(&words, &word))
        if (is_word(&word, text))
            return true;
    return false;
}

bool cmdline_has(const char *cmdline, const char *name, const char *item)
{
    struct words words = cmdline_words(cmdline);
    struct word word, one;
    while (cmdline_next(&words, &word))
        if (word_take_value(&word, name))
            while (word_next_item(&word, &one))
                if (is_word(&one, item))
                    return true;
    return false;
}

/* Where the kernel's part ends: the "--" of a command line, or its end. */
static const char *kernel_end(const char *cmdline)
{
    struct words words = {cmdline, cmdline + strlen(cmdline)};
    struct word word;
    while (cmdline_next(&words, &word))
        ;
    return word.text;
}

bool cmdline_is_open(const char *cmdline)
{
    bool open = false;
    for (const char *p = cmdline, *end = kernel_end(cmdline); p < end; p++)
        open ^= *p == '"';
    return open;
}

void cmdline_add(struct strbuf *out, const char *cmdline, const char *parameters)
{
    const char *own = cmdline ? cmdline : "";
    size_t len = (size_t)(kernel_end(own) - own);
    if (!*parameters || !own[len])
        len = strlen(own);
    strbuf_add(out, own, len);
    if (!*parameters)
        return;
    if (len && !is_blank(own[len - 1]))
        strbuf_addc(out, ' ');
    strbuf_adds(out, parameters);
    if (own[len])
        strbuf_addc(out, ' ');
    strbuf_adds(out, own + len);
}
