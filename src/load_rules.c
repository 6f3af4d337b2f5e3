/* SPDX-License-Identifier: MIT */
/* What a file says of rules: which are off, and how severe the others are. */
#include <string.h>

#include "load_keys.h"
#include "nearest.h"

static void add_setting(struct loader *l, const struct doc_node *word, enum rule_action action)
{
    const char *text = load_scalar(l, word, "the name or id of a rule");
    if (!text)
        return;
    const struct rule *rule = rule_find(text);
    if (!rule) {
        struct nearest nearest = {.word = text};
        for (int i = 0; i < RULE_COUNT; i++)
            nearest_offer(&nearest, rule_info((enum rule_id)i)->name);
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, word->at, "no rule '%.60s'", text);
        l->harmless++;
        if (nearest.best)
            diag_help(l->diags, d, "did you mean '%s'?", nearest.best);
        else
            diag_help(l->diags, d, "write a rule's id or name, such as SPM402 or mixed-node");
        return;
    }
    struct rule_setting *setting =
        APPEND(l, l->vm->settings, l->vm->setting_count, l->vm->setting_cap);
    *setting = (struct rule_setting){
        .action = action,
        .rule = {arena_strdup(l->arena, text), word->at},
    };
}

static const char *const action_names[] = {
    [ACTION_DISABLE] = "disable", [ACTION_ERROR] = "error", [ACTION_WARNING] = "warning"};

static void load_settings(struct loader *l, const struct doc_node *value, void *into,
                          const struct key *key)
{
    (void)into;
    enum rule_action action = ACTION_DISABLE;
    while (action < ACTION_WARNING && strcmp(action_names[action], key->name) != 0)
        action++;
    if (value->kind != DOC_SEQUENCE)
        add_setting(l, value, action);
    for (size_t i = 0; value->kind == DOC_SEQUENCE && i < doc_count(value); i++)
        add_setting(l, doc_items(value)[i], action);
}

static const struct key rules_keys[] = {
    {"disable", load_settings, .offset = 0},
    {"error", load_settings, .offset = 0},
    {"warning", load_settings, .offset = 0},
    {"mixed-nodes", CHOICE(mixed_names), .offset = offsetof(struct vm, mixed)},
};

void load_rules(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    (void)key;
    load_keys(l, value, into, rules_keys, ARRAY_SIZE(rules_keys), "'rules'");
}
