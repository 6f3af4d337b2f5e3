/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag_render.h"
#include "outfile.h"

/* What a system call said of a file, whose name may hold anything. */
static void complain(const char *what, const char *file)
{
    struct strbuf text = {0};
    const char *reason = strerror(errno);
    strbuf_addf(&text, "spmtopo: cannot %s '", what);
    diag_add_visible(&text, file, strlen(file));
    strbuf_addf(&text, "': %s\n", reason);
    fputs(text.data, stderr);
    strbuf_free(&text);
}

int cmd_compile(struct compilation *c, const struct options *options)
{
    *c = (struct compilation){0};
    if (!source_load(&c->source, options->file)) {
        complain("read", options->file);
        return STATUS_FAILURE;
    }
    struct overrides overrides = options->overrides;
    overrides.predicts = options->command->bit == COMMAND_EXPECT;
    compile_qemu(c, &overrides);
    return c->ok ? STATUS_OK : STATUS_FINDINGS;
}

static bool use_color(const struct options *options)
{
    const char *none = getenv("NO_COLOR");
    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    return !(none && *none) && isatty(STDERR_FILENO);
}

int cmd_finish(struct compilation *c, const struct options *options, int status,
               struct strbuf *output)
{
    struct strbuf text = {0};
    diag_render_text(&text, &c->diags, &c->source,
                     options->quiet ? SEVERITY_ERROR : SEVERITY_NOTE, use_color(options));
    if (text.len)
        fwrite(text.data, 1, text.len, stderr);
    strbuf_free(&text);
    if (status == STATUS_OK && !outfile_write(options->output, output->data, output->len)) {
        complain("write", options->output ? options->output : "standard output");
        status = STATUS_FAILURE;
    }
    strbuf_free(output);
    compile_free(c);
    return status;
}
