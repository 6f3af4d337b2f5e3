/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "diag_render.h"

/* --- JSON (command-line reference, "Diagnostics") ------------------------------------------- */

/* Text that may hold anything (a file name, a cut scalar) as well-formed UTF-8. */
static void add_clean(cJSON *object, const char *key, const char *text)
{
    struct strbuf clean = {0};
    strbuf_adds(&clean, "");
    diag_add_visible(&clean, text, strlen(text));
    cJSON_AddStringToObject(object, key, clean.data);
    strbuf_free(&clean);
}

static void add_place(cJSON *object, const struct source *source, struct span at)
{
    /* What has no place is the file's, from its first character on. */
    struct place place = source_place(source, at);
    if (!place.line)
        place = (struct place){1, 1, 1, 1};
    add_clean(object, "file", source->name);
    cJSON_AddNumberToObject(object, "line", place.line);
    cJSON_AddNumberToObject(object, "column", place.column);
    cJSON_AddNumberToObject(object, "endLine", place.end_line);
    cJSON_AddNumberToObject(object, "endColumn", place.end_column);
}

static void add_text_or_null(cJSON *object, const char *key, const char *text)
{
    if (text)
        add_clean(object, key, text);
    else
        cJSON_AddNullToObject(object, key);
}

/* Appends one item of a list that stands in `out` from `start` on, and frees it. */
static void add_item(struct strbuf *out, size_t start, cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);
    if (out->len > start)
        strbuf_adds(out, ",\n");
    strbuf_adds(out, text);
    cJSON_free(text);
    cJSON_Delete(item);
}

/* What both formats do with findings: each that is severe enough as an item of a list. */
static void add_findings(struct strbuf *out, const struct diags *diags, const struct source *source,
                         enum severity least,
                         cJSON *(*finding)(const struct source *, const struct diag *))
{
    size_t start = out->len;
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i]->severity >= least)
            add_item(out, start, finding(source, diags->items[i]));
}

static void json_start(struct strbuf *out)
{
    strbuf_adds(out, "{\"spmtopo\":1,\"diagnostics\":[\n");
}

static cJSON *json_finding(const struct source *source, const struct diag *d)
{
    const struct rule *rule = rule_info(d->rule);
    cJSON *item = cJSON_CreateObject();
    add_place(item, source, d->at);
    cJSON_AddStringToObject(item, "severity", severity_name(d->severity));
    cJSON_AddStringToObject(item, "id", rule->id);
    cJSON_AddStringToObject(item, "rule", rule->name);
    add_clean(item, "message", d->message);
    add_text_or_null(item, "help", d->help);
    cJSON *notes = cJSON_AddArrayToObject(item, "notes");
    for (const struct diag_note *note = d->notes; note; note = note->next) {
        cJSON *object = cJSON_CreateObject();
        add_place(object, source, note->at);
        add_clean(object, "message", note->text);
        cJSON_AddItemToArray(notes, object);
    }
    return item;
}

static void json_findings(struct strbuf *out, const struct diags *diags,
                          const struct source *source, enum severity least)
{
    add_findings(out, diags, source, least, json_finding);
}

static void json_end(struct strbuf *out, const struct report_summary *s)
{
    strbuf_addf(out,
                "\n],\"summary\":{\"files\":%zu,\"errors\":%zu,\"warnings\":%zu,\"notes\":%zu}}\n",
                s->files, s->errors, s->warnings, s->notes);
}

const struct report_format report_json = {
    .name = "json",
    .start = json_start,
    .findings = json_findings,
    .separator = ",\n",
    .end = json_end,
};

/* --- SARIF 2.1.0 (OASIS, sections 3.13 to 3.36) --------------------------------------------- */

/* A message object; the text may have several lines. */
static void add_message(cJSON *object, const char *key, const char *text)
{
    cJSON_AddStringToObject(cJSON_AddObjectToObject(object, key), "text", text);
}

static void sarif_start(struct strbuf *out)
{
    strbuf_adds(out, "{\"version\":\"2.1.0\",\"runs\":[{\"columnKind\":\"unicodeCodePoints\","
                     "\"tool\":{\"driver\":{\"name\":\"spmtopo\",\"version\":\"" PACKAGE_VERSION
                     "\",\"rules\":[\n");
    size_t start = out->len;
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_info((enum rule_id)i);
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "id", rule->id);
        cJSON_AddStringToObject(item, "name", rule->name);
        add_message(item, "shortDescription", rule->summary);
        add_message(item, "fullDescription", rule->explanation ? rule->explanation : rule->summary);
        add_message(item, "help", rule->explanation ? rule->explanation : rule->summary);
        cJSON_AddStringToObject(cJSON_AddObjectToObject(item, "defaultConfiguration"), "level",
                                severity_name(rule->severity));
        add_item(out, start, item);
    }
    strbuf_adds(out, "\n]}},\"results\":[\n");
}

/* A path as the relative reference of a URI (RFC 3986, section 4.2). */
static void add_uri(cJSON *location, const char *path)
{
    static const char plain[] = LETTERS DIGITS "-._~/";
    struct strbuf uri = {0};
    strbuf_adds(&uri, "");
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    for (const char *p = path; *p; p++) {
        if (strchr(plain, *p))
            strbuf_addc(&uri, *p);
        else
            strbuf_addf(&uri, "%%%02X", (unsigned)(unsigned char)*p);
    }
    cJSON_AddStringToObject(location, "uri", uri.data);
    strbuf_free(&uri);
}

static cJSON *location(const struct source *source, struct span span)
{
    struct place at = source_place(source, span);
    cJSON *object = cJSON_CreateObject();
    cJSON *physical = cJSON_AddObjectToObject(object, "physicalLocation");
    add_uri(cJSON_AddObjectToObject(physical, "artifactLocation"), source->name);
    if (!at.line)
        return object;
    cJSON *region = cJSON_AddObjectToObject(physical, "region");
    cJSON_AddNumberToObject(region, "startLine", at.line);
    cJSON_AddNumberToObject(region, "startColumn", at.column);
    cJSON_AddNumberToObject(region, "endLine", at.end_line);
    cJSON_AddNumberToObject(region, "endColumn", at.end_column);
    return object;
}

static cJSON *sarif_finding(const struct source *source, const struct diag *d)
{
    struct strbuf message = {0};
    diag_add_visible(&message, d->message, strlen(d->message));
    if (d->help) {
        strbuf_addc(&message, '\n');
        diag_add_visible(&message, d->help, strlen(d->help));
    }
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "ruleId", rule_info(d->rule)->id);
    cJSON_AddNumberToObject(item, "ruleIndex", d->rule);
    cJSON_AddStringToObject(item, "level", severity_name(d->severity));
    add_message(item, "message", message.data);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(item, "locations"), location(source, d->at));
    cJSON *related = d->notes ? cJSON_AddArrayToObject(item, "relatedLocations") : NULL;
    double id = 1;
    for (const struct diag_note *note = d->notes; note; note = note->next) {
        cJSON *object = location(source, note->at);
        cJSON_AddNumberToObject(object, "id", id++);
        add_message(object, "message", note->text);
        cJSON_AddItemToArray(related, object);
    }
    strbuf_free(&message);
    return item;
}

static void sarif_findings(struct strbuf *out, const struct diags *diags,
                           const struct source *source, enum severity least)
{
    add_findings(out, diags, source, least, sarif_finding);
}

static void sarif_end(struct strbuf *out, const struct report_summary *summary)
{
    (void)summary;
    strbuf_adds(out, "\n]}]}\n");
}

const struct report_format report_sarif = {
    .name = "sarif",
    .start = sarif_start,
    .findings = sarif_findings,
    .separator = ",\n",
    .end = sarif_end,
};

/* --- GitHub workflow commands --------------------------------------------------------------- */

/* Text of a command, which may hold anything; in a property ':' and ',' separate. */
static void add_escaped(struct strbuf *out, const char *text, bool property)
{
    for (const char *p = text; *p;) {
        size_t plain = strcspn(p, property ? "%\r\n:," : "%\r\n");
        diag_add_visible(out, p, plain);
        p += plain;
        if (*p)
            strbuf_addf(out, "%%%02X", (unsigned)*p++);
    }
}

static void github_findings(struct strbuf *out, const struct diags *diags,
                            const struct source *source, enum severity least)
{
    static const char *const commands[] =
        {[SEVERITY_NOTE] = "notice", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error"};
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *d = diags->items[i];
        const struct rule *rule = rule_info(d->rule);
        struct place at = source_place(source, d->at);
        if (d->severity < least)
            continue;
        strbuf_addf(out, "::%s file=", commands[d->severity]);
        add_escaped(out, source->name, true);
        if (at.line)
            strbuf_addf(out, ",line=%u,endLine=%u", at.line,
                        at.end_line > at.line && at.end_column == 1 ? at.end_line - 1
                                                                    : at.end_line);
        /* Columns are for what stands on one line. */
        if (at.line && at.line == at.end_line)
            strbuf_addf(out, ",col=%u,endColumn=%u", at.column, at.end_column);
        strbuf_addf(out, ",title=%s %s::", rule->id, rule->name);
        add_escaped(out, d->message, false);
        if (d->help) {
            strbuf_adds(out, "%0A");
            add_escaped(out, d->help, false);
        }
        strbuf_addc(out, '\n');
    }
}

static void github_start(struct strbuf *out)
{
    (void)out;
}

static void github_end(struct strbuf *out, const struct report_summary *summary)
{
    (void)out;
    (void)summary;
}

const struct report_format report_github = {
    .name = "github",
    .start = github_start,
    .findings = github_findings,
    .separator = "",
    .end = github_end,
};
