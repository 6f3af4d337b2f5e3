/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "diag_render.h"
#include "guest_source.h"
#include "verify.h"

static int fail(const char *problem)
{
    struct strbuf text = {0};
    strbuf_adds(&text, "spmtopo: ");
    diag_add_visible(&text, problem, strlen(problem));
    strbuf_addc(&text, '\n');
    fputs(text.data, stderr);
    strbuf_free(&text);
    return STATUS_FAILURE;
}

/* The report in its format. The status is the guest's. */
static int report(const struct options *options, const struct verify_report *r, const char *source)
{
    struct strbuf out = {0};
    if (!verify_count(r, CHECK_OK) && !verify_count(r, CHECK_FAIL)) {
        verify_text(&out, r);
        fwrite(out.data, 1, out.len, stderr);
        strbuf_free(&out);
        return fail("the source shows nothing that the topology promises");
    }
    if (options->format == FORMAT_JSON)
        verify_json(&out, r, options->files[0], source);
    else if (options->format == FORMAT_TAP)
        verify_tap(&out, r);
    else
        verify_text(&out, r);
    int written = cmd_write(options, &out);
    if (written != STATUS_OK)
        return written;
    return verify_count(r, CHECK_FAIL) ? STATUS_FINDINGS : STATUS_OK;
}

/* Reads the guest's own side. */
static const char *read_guest(struct verify_report *r, const struct guest *guest,
                              const char *source)
{
    struct guest_view *view = arena_alloc(r->arena, 1, sizeof(*view));
    view->arena = r->arena;
    const char *problem = guest_source_read(view, source);
    if (!problem)
        verify_guest(r, guest, view);
    return problem;
}

static int verify(const struct options *options, struct compilation *c)
{
    const char *source = options->qmp ? options->qmp : options->guest ? options->guest : "live";
    struct verify_report r = {.arena = &c->arena};
    struct guest guest;
    if (strcmp(source, "-") == 0 && strcmp(options->files[0], "-") == 0)
        return fail("topology and guest cannot both be standard input");
    guest_expect(&guest, &c->vm, compile_prediction(c, options->target), &c->arena);
    const char *problem = options->qmp ? verify_qmp(&r, &guest, source)
                                       : read_guest(&r, &guest, source);
    return problem ? fail(problem) : report(options, &r, source);
}

int cmd_verify(const struct options *options)
{
    struct compilation c;
    int status = cmd_compile_one(&c, options);
    if (status == STATUS_OK)
        status = verify(options, &c);
    compile_free(&c);
    return status;
}
