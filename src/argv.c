/* SPDX-License-Identifier: MIT */
#include "argv.h"

#include <string.h>

static void finish(struct argv *argv)
{
    if (argv->open)
        strbuf_addc(&argv->text, '\0');
    argv->open = false;
}

struct strbuf *argv_add(struct argv *argv, char mark, const char *text)
{
    finish(argv);
    strbuf_addc(&argv->marks, mark);
    strbuf_adds(&argv->text, text);
    argv->open = true;
    return &argv->text;
}

struct strbuf *argv_option(struct argv *argv, const char *option, const char *value)
{
    argv_add(argv, ARG_OPTION, option);
    return argv_add(argv, ARG_VALUE, value);
}

const char *argv_next(const struct argv *argv, const char *before)
{
    const char *next = before ? before + strlen(before) + 1 : argv->text.data;
    return argv->text.len && next < argv->text.data + argv->text.len ? next : NULL;
}

void argv_free(struct argv *argv)
{
    strbuf_free(&argv->text);
    strbuf_free(&argv->marks);
}

/* The first word is special to a shell: NAME=value is an assignment, and some words are its own;
 * none of those has a '-', '.' or '/'. */
static bool plain_command(const char *word)
{
    return !strchr(word, '=') && strpbrk(word, "-./");
}

void argv_format_shell(struct strbuf *out, struct argv *argv)
{
    finish(argv);
    const char *arg = argv->text.data;
    for (size_t i = 0; i < argv->marks.len; i++) {
        size_t len = strlen(arg);
        if (i)
            strbuf_adds(out, argv->marks.data[i] == ARG_OPTION ? " \\\n  " : " ");
        if (i == 0 && !plain_command(arg))
            strbuf_add_quoted(out, arg, len);
        else
            strbuf_add_shell(out, arg, len);
        arg += len + 1;
    }
    strbuf_addc(out, '\n');
}

void argv_format_json(struct strbuf *out, struct argv *argv)
{
    finish(argv);
    const char *arg = argv->text.data;
    for (size_t i = 0; i < argv->marks.len; i++) {
        strbuf_adds(out, i ? ",\n  " : "[\n  ");
        strbuf_add_json(out, arg);
        arg += strlen(arg) + 1;
    }
    strbuf_adds(out, argv->marks.len ? "\n]\n" : "[]\n");
}

void argv_format_nul(struct strbuf *out, struct argv *argv)
{
    finish(argv);
    strbuf_add(out, argv->text.data, argv->text.len);
}
