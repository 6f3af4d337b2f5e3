/* SPDX-License-Identifier: MIT */
#include "cmd.h"
#include "emit.h"

int cmd_gen(const struct options *options)
{
    struct compilation c;
    struct strbuf out = {0};
    int status = cmd_compile_one(&c, options);
    if (status == STATUS_OK)
        emitter_for(options->target)
            ->emit(&out, &c.vm, compile_prediction(&c, options->target), options->format,
                   options->fragment);
    return cmd_finish(&c, options, status, &out);
}
