/* SPDX-License-Identifier: MIT */
#include "cmd.h"
#include "expect_all.h"

static const struct diag *first_error(const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i]->severity == SEVERITY_ERROR)
            return diags->items[i];
    return NULL;
}

/* Each target is compiled by itself, so that one's errors are no other's. */
int cmd_expect_all(const struct options *options)
{
    struct compilation c[TARGET_COUNT] = {{.ok = false}};
    struct side sides[TARGET_COUNT];
    struct options one = *options;
    int status = STATUS_OK;
    const struct compilation *shown = NULL; /* whose findings are printed */
    for (size_t t = 0; t < TARGET_COUNT; t++) {
        one.target = (enum target_bit)(1u << t);
        status = t ? cmd_compile_again(&c[t], &one, &c[0]) : cmd_compile(&c[0], &one, one.files[0]);
        if (status == STATUS_FAILURE)
            break;
        const struct diag *refusal = first_error(&c[t].diags);
        sides[t] = (struct side){
            .target = one.target,
            .vm = &c[t].vm,
            .prediction = compile_prediction(&c[t], one.target),
            .refusal = refusal,
            .refused_at = source_place(&c[t].source, refusal ? refusal->at : (struct span){0}),
        };
        if (status == STATUS_OK && !shown)
            shown = &c[t];
    }
    struct strbuf out = {0};
    struct side_by_side all;
    struct arena arena = {0};
    if (status != STATUS_FAILURE && shown) {
        side_by_side(&all, sides, TARGET_COUNT, &arena);
        (options->format == FORMAT_JSON ? side_by_side_json : side_by_side_text)(&out, &all);
        cmd_print(shown, options);
        status = cmd_write(options, &out);
        if (status == STATUS_OK && !all.equivalent && options->overrides.all_warnings_are_errors)
            status = STATUS_FINDINGS;
    } else if (status != STATUS_FAILURE) {
        cmd_print(&c[0], options);
        status = STATUS_FINDINGS;
    }
    strbuf_free(&out);
    arena_free(&arena);
    for (size_t t = 0; t < TARGET_COUNT; t++)
        compile_free(&c[t]);
    return status;
}
