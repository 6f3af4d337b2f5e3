/* SPDX-License-Identifier: MIT */
/* What runs the rules, and what they share. */
#include "check.h"

bool check_run(const struct check_context *context, enum phase phase)
{
    size_t before = context->diags->errors;
    struct arena arena = {0};
    struct check_context run = *context;
    run.arena = &arena;
    void (*done[RULE_COUNT])(struct check_context *);
    size_t count = 0;
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_info((enum rule_id)i);
        if (rule->phase != phase || !rule->check || !(rule->targets & context->targets))
            continue;
        /* One function may serve several rules. */
        size_t d = 0;
        while (d < count && done[d] != rule->check)
            d++;
        if (d < count)
            continue;
        done[count++] = rule->check;
        rule->check(&run);
    }
    arena_free(&arena);
    return context->diags->errors == before;
}

const char *and_more(struct arena *arena, size_t more, const char *what)
{
    if (!more)
        return "";
    return arena_printf(arena, " (and %zu more %s%s)", more, what, more > 1 ? "s" : "");
}
