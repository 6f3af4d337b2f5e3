/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd.h"

int cmd_expect(const struct options *options)
{
    static void (*const printers[])(struct strbuf *, const struct vm *, const struct prediction *,
                                    enum table) = {
        [FORMAT_TEXT] = expect_text,
        [FORMAT_JSON] = expect_json,
        [FORMAT_DMESG] = expect_dmesg,
        [FORMAT_RAW] = expect_raw,
    };
    if (options->format == FORMAT_RAW && options->table == TABLE_ALL) {
        fputs("spmtopo: '--format raw' needs one --table: e820, srat, slit or hmat\n", stderr);
        return STATUS_FAILURE;
    }
    struct compilation c;
    struct strbuf out = {0};
    int status = cmd_compile(&c, options, options->files[0]);
    if (status == STATUS_OK)
        printers[options->format](&out, &c.vm, compile_prediction(&c, options->target),
                                  options->table);
    return cmd_finish(&c, options, status, &out);
}
