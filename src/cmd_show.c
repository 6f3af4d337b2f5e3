/* SPDX-License-Identifier: MIT */
#include "cmd.h"
#include "show.h"

int cmd_show(const struct options *options)
{
    struct compilation c;
    struct strbuf out = {0};
    int status = cmd_compile(&c, options, options->files[0]);
    if (status == STATUS_OK) {
        const struct prediction *p = compile_prediction(&c, TARGET_QEMU);
        if (options->format == FORMAT_YAML)
            show_yaml(&out, &c.vm, &p->qemu, &p->layout);
        else
            show_text(&out, &c.vm, &p->qemu, &p->layout);
    }
    return cmd_finish(&c, options, status, &out);
}
