/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd.h"
#include "emit_qemu.h"
#include "kernel_parameters.h"

/* What the guest must be told by other means than this command line. */
static void add_comments(struct strbuf *out, const struct compilation *c, bool fragment)
{
    struct strbuf parameters = {0};
    kernel_parameters(&parameters, &c->vm, &c->target, &c->layout);
    if (parameters.len) {
        strbuf_adds(out, "# SPM is plain RAM to QEMU and to firmware. It is specific-purpose memory "
                         "only to a guest\n# kernel that is booted with\n#   ");
        strbuf_adds(out, parameters.data);
        strbuf_adds(out, !fragment && c->vm.boot.kernel.value
                             ? "\n# as below.\n"
                             : "\n# which you must add to the guest's boot loader.\n");
    }
    strbuf_free(&parameters);
}

int cmd_gen(const struct options *options)
{
    if (!options->target) {
        fputs("spmtopo: 'gen' needs a --target: qemu\n", stderr);
        return STATUS_FAILURE;
    }
    struct compilation c;
    struct strbuf out = {0};
    int status = cmd_compile(&c, options, options->files[0]);
    if (status == STATUS_OK) {
        struct argv argv = {0};
        emit_qemu(&argv, &c.vm, &c.target, &c.layout, &c.tables, options->fragment);
        if (options->format == FORMAT_JSON) {
            argv_format_json(&out, &argv);
        } else if (options->format == FORMAT_ARGV) {
            argv_format_nul(&out, &argv);
        } else {
            add_comments(&out, &c, options->fragment);
            argv_format_shell(&out, &argv);
        }
        argv_free(&argv);
    }
    return cmd_finish(&c, options, status, &out);
}
