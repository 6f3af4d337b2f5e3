/* SPDX-License-Identifier: MIT */
#include "cmd.h"
#include "show.h"

static const struct {
    enum format format;
    void (*show)(struct strbuf *out, const struct vm *vm, const struct prediction *prediction);
} forms[] = {{FORMAT_TEXT, show_text},
             {FORMAT_YAML, show_yaml},
             {FORMAT_SVG, show_svg},
             {FORMAT_DOT, show_dot}};

int cmd_show(const struct options *options)
{
    struct compilation c;
    struct strbuf out = {0};
    int status = cmd_compile_one(&c, options);
    if (status == STATUS_OK) {
        const struct prediction *p = compile_prediction(&c, (enum target_bit)c.targets);
        for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
            if (forms[i].format == options->format)
                forms[i].show(&out, &c.vm, p);
    }
    return cmd_finish(&c, options, status, &out);
}
