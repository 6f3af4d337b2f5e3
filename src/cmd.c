/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag_render.h"
#include "outfile.h"

void cmd_complain(const char *what, const char *file)
{
    struct strbuf text = {0};
    const char *reason = strerror(errno);
    strbuf_addf(&text, "spmtopo: cannot %s '", what);
    diag_add_visible(&text, file, strlen(file));
    strbuf_addf(&text, "': %s\n", reason);
    fputs(text.data, stderr);
    strbuf_free(&text);
}

static int compile_source(struct compilation *c, const struct options *options)
{
    enum command_bit command = options->command->bit;
    struct overrides overrides = options->overrides;
    overrides.targets = options->target;
    overrides.first_target = command == COMMAND_SHOW;
    overrides.judges_guest = command == COMMAND_GEN || command == COMMAND_CHECK;
    overrides.predicts = command == COMMAND_EXPECT || command == COMMAND_VERIFY ||
                         command == COMMAND_CHECK;
    compile(c, &overrides);
    return c->ok ? STATUS_OK : STATUS_FINDINGS;
}

int cmd_compile(struct compilation *c, const struct options *options, const char *file)
{
    *c = (struct compilation){0};
    if (!source_load(&c->source, file)) {
        cmd_complain("read", file);
        return STATUS_FAILURE;
    }
    return compile_source(c, options);
}

int cmd_compile_again(struct compilation *c, const struct options *options,
                      const struct compilation *of)
{
    *c = (struct compilation){0};
    source_from_memory(&c->source, of->source.name, of->source.text, of->source.len);
    c->source.too_large = of->source.too_large;
    return compile_source(c, options);
}

bool cmd_color(const struct options *options)
{
    const char *none = getenv("NO_COLOR");
    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    return !(none && *none) && isatty(STDERR_FILENO);
}

int cmd_compile_one(struct compilation *c, const struct options *options)
{
    int status = cmd_compile(c, options, options->files[0]);
    cmd_print(c, options);
    source_free(&c->source);
    return status;
}

int cmd_write(const struct options *options, struct strbuf *output)
{
    /* What was found is not known to anyone: the output would pass for that of a faultless file. */
    if (ferror(stderr)) {
        strbuf_free(output);
        return STATUS_FAILURE;
    }
    bool ok = outfile_write(options->output, output->data, output->len);
    if (!ok)
        cmd_complain("write", options->output ? options->output : "standard output");
    strbuf_free(output);
    return ok ? STATUS_OK : STATUS_FAILURE;
}

void cmd_print(const struct compilation *c, const struct options *options)
{
    struct strbuf text = {0};
    diag_render_text(&text, &c->diags, &c->source, options->quiet ? SEVERITY_ERROR : SEVERITY_NOTE,
                     cmd_color(options));
    if (text.len)
        fwrite(text.data, 1, text.len, stderr);
    strbuf_free(&text);
}

int cmd_finish(struct compilation *c, const struct options *options, int status,
               struct strbuf *output)
{
    if (status == STATUS_OK)
        status = cmd_write(options, output);
    strbuf_free(output);
    compile_free(c);
    return status;
}
