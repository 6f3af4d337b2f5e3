/* SPDX-License-Identifier: MIT */
#include "argv.h"

#include <string.h>

struct argv argv_start(struct strbuf *out, enum argv_form form)
{
    return (struct argv){.out = out, .form = form};
}

/* The first word is special to a shell: NAME=value is an assignment, and some words are its own;
 * none of those has a '-', '.' or '/'. */
static bool plain_command(const char *word)
{
    return !strchr(word, '=') && strpbrk(word, "-./");
}

/* Whether the open argument stands in its form as it is. */
static bool is_plain(const struct argv *argv)
{
    const char *text = argv->out->data + argv->start;
    return argv->form == ARGV_NUL ||
           (argv->form == ARGV_SHELL && shell_safe_word(text, argv->out->len - argv->start) &&
            (argv->count > 1 || plain_command(text)));
}

static void quote(struct argv *argv)
{
    struct strbuf text = {0};
    strbuf_adds(&text, argv->out->data + argv->start);
    argv->out->len = argv->start;
    if (argv->form == ARGV_JSON)
        strbuf_add_json(argv->out, text.data);
    else
        strbuf_add_quoted(argv->out, text.data, text.len);
    strbuf_free(&text);
}

/* Ends the open argument: what is in it, and so whether it needs quotes, is known only now. */
static void finish(struct argv *argv)
{
    if (!is_plain(argv))
        quote(argv);
    if (argv->form == ARGV_NUL)
        strbuf_addc(argv->out, '\0');
}

struct strbuf *argv_add_bytes(struct argv *argv, enum argv_mark mark, const char *text, size_t len)
{
    if (argv->count)
        finish(argv);
    if (argv->form == ARGV_JSON)
        strbuf_adds(argv->out, argv->count ? ",\n  " : "[\n  ");
    else if (argv->form == ARGV_SHELL && argv->count)
        strbuf_adds(argv->out, mark == ARG_OPTION ? " \\\n  " : " ");
    argv->count++;
    argv->start = argv->out->len;
    strbuf_add(argv->out, text, len);
    return argv->out;
}

struct strbuf *argv_option_bytes(struct argv *argv, const char *option, size_t option_len,
                                 const char *value, size_t value_len)
{
    if (argv->form != ARGV_SHELL || !argv->count) {
        argv_add_bytes(argv, ARG_OPTION, option, option_len);
        return argv_add_bytes(argv, ARG_VALUE, value, value_len);
    }
    /* Most of a large output: the option needs no look. */
    finish(argv);
    strbuf_adds(argv->out, " \\\n  ");
    strbuf_add(argv->out, option, option_len);
    strbuf_addc(argv->out, ' ');
    argv->count += 2;
    argv->start = argv->out->len;
    strbuf_add(argv->out, value, value_len);
    return argv->out;
}

void argv_end(struct argv *argv)
{
    if (argv->count)
        finish(argv);
    if (argv->form == ARGV_JSON)
        strbuf_adds(argv->out, argv->count ? "\n]\n" : "[]\n");
    else if (argv->form == ARGV_SHELL)
        strbuf_addc(argv->out, '\n');
}
