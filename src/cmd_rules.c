/* SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "columns.h"
#include "json.h"
#include "nearest.h"

static void add_text(struct strbuf *out)
{
    struct columns c = {.width = 4};
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_info((enum rule_id)i);
        columns_add(&c, "%s", rule->id);
        columns_add(&c, "%s", rule->name);
        columns_add(&c, "%s", severity_name(rule->severity));
        columns_add(&c, "%s", rule->summary);
    }
    columns_end(&c, out);
}

static void add_json(struct strbuf *out)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_info((enum rule_id)i);
        cJSON *item = json_add_object(array);
        cJSON_AddStringToObject(item, "id", rule->id);
        cJSON_AddStringToObject(item, "name", rule->name);
        cJSON_AddStringToObject(item, "severity", severity_name(rule->severity));
        cJSON *names = cJSON_AddArrayToObject(item, "targets");
        for (size_t t = 0; t < TARGET_COUNT; t++)
            if (rule->targets & 1u << t)
                cJSON_AddItemToArray(names, cJSON_CreateString(target_names[t]));
        cJSON_AddStringToObject(item, "summary", rule->summary);
        cJSON_AddStringToObject(item, "explanation", rule->explanation);
        cJSON_AddStringToObject(item, "bad", rule->bad);
        cJSON_AddStringToObject(item, "good", rule->good);
    }
    json_print(out, array);
}

int cmd_rules(const struct options *options)
{
    struct strbuf out = {0};
    if (options->format == FORMAT_JSON)
        add_json(&out);
    else
        add_text(&out);
    return cmd_write(options, &out);
}

static void add_indented(struct strbuf *out, const char *title, const char *text)
{
    strbuf_addf(out, "\n%s\n", title);
    while (*text) {
        size_t len = strcspn(text, "\n");
        strbuf_adds(out, len ? "    " : "");
        strbuf_add(out, text, len);
        strbuf_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

int cmd_explain(const struct options *options)
{
    const char *name = options->files[0];
    const struct rule *rule = rule_find(name);
    if (!rule) {
        struct nearest nearest = {.word = name};
        for (int i = 0; i < RULE_COUNT; i++) {
            nearest_offer(&nearest, rule_info((enum rule_id)i)->name);
            nearest_offer(&nearest, rule_info((enum rule_id)i)->id);
        }
        fprintf(stderr, "spmtopo: there is no rule '%s'%s%s%s\n", name,
                nearest.best ? "; did you mean '" : "; 'spmtopo rules' lists them",
                nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
        return STATUS_FAILURE;
    }
    struct strbuf out = {0};
    strbuf_addf(&out, "%s %s (%s", rule->id, rule->name, severity_name(rule->severity));
    for (size_t t = 0; t < TARGET_COUNT && rule->targets != TARGET_ANY; t++)
        if (rule->targets & 1u << t)
            strbuf_addf(&out, ", %s", target_names[t]);
    strbuf_addf(&out, "): %s\n", rule->summary);
    strbuf_addf(&out, "\n%s\n", rule->explanation);
    add_indented(&out, "It is found here:", rule->bad);
    add_indented(&out, "It is not found here:", rule->good);
    return cmd_write(options, &out);
}
