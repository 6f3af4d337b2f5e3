/* SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <string.h>

#include "diag_render.h"
#include "json.h"
#include "verify.h"

static const char *const status_names[] = {
    [CHECK_OK] = "ok", [CHECK_FAIL] = "FAIL", [CHECK_SKIP] = "skip"};

/* Texts hold what a guest wrote: control characters are made visible, and what is no UTF-8. */
static void add_visible(struct strbuf *out, const char *text)
{
    while (*text) {
        size_t plain = 0;
        while ((unsigned char)text[plain] >= ' ' && text[plain] != 0x7f)
            plain++;
        diag_add_visible(out, text, plain);
        text += plain;
        if (*text)
            strbuf_addf(out, "\\x%02x", (unsigned)(unsigned char)*text++);
    }
}

static void add_detail(struct strbuf *out, const char *start, const char *text)
{
    if (!text)
        return;
    strbuf_adds(out, start);
    add_visible(out, text);
    strbuf_addc(out, '\n');
}

void verify_text(struct strbuf *out, const struct verify_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct check_line *c = &r->items[i];
        strbuf_addf(out, "%-4s  ", status_names[c->status]);
        if (c->status == CHECK_FAIL) {
            strbuf_addf(out, "%s\n", c->id);
            add_detail(out, "        expected: ", c->expected);
            add_detail(out, "        found:    ", c->found);
            add_detail(out, "        cause:    ", c->cause);
            continue;
        }
        strbuf_addf(out, "%-16s  ", c->id);
        add_visible(out, c->status == CHECK_OK ? c->found : c->cause);
        strbuf_addc(out, '\n');
    }
    strbuf_addf(out, "%zu ok, %zu failed, %zu skipped\n", verify_count(r, CHECK_OK),
                verify_count(r, CHECK_FAIL), verify_count(r, CHECK_SKIP));
}

static void add_text(cJSON *object, const char *key, const char *text)
{
    struct strbuf b = {0};
    if (text)
        add_visible(&b, text);
    if (text)
        cJSON_AddStringToObject(object, key, b.data ? b.data : "");
    strbuf_free(&b);
}

void verify_json(struct strbuf *out, const struct verify_report *r, const char *file,
                 const char *source)
{
    static const char *const names[] =
        {[CHECK_OK] = "ok", [CHECK_FAIL] = "fail", [CHECK_SKIP] = "skip"};
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "spmtopo", 1);
    add_text(root, "file", file);
    add_text(root, "guest", source);
    cJSON *checks = cJSON_AddArrayToObject(root, "checks");
    for (size_t i = 0; i < r->count; i++) {
        const struct check_line *c = &r->items[i];
        cJSON *item = json_add_object(checks);
        cJSON_AddStringToObject(item, "id", c->id);
        cJSON_AddStringToObject(item, "status", names[c->status]);
        add_text(item, "expected",
                 c->expected             ? c->expected
                 : c->status == CHECK_OK ? c->found
                                         : NULL);
        add_text(item, "found", c->found);
        add_text(item, c->status == CHECK_SKIP ? "reason" : "cause", c->cause);
    }
    cJSON *summary = cJSON_AddObjectToObject(root, "summary");
    for (int s = 0; s < 3; s++)
        cJSON_AddNumberToObject(summary, names[s], (double)verify_count(r, (enum check_status)s));
    json_print(out, root);
}

void verify_tap(struct strbuf *out, const struct verify_report *r)
{
    strbuf_addf(out, "TAP version 13\n1..%zu\n", r->count);
    for (size_t i = 0; i < r->count; i++) {
        const struct check_line *c = &r->items[i];
        strbuf_addf(out, "%sok %zu - %s", c->status == CHECK_FAIL ? "not " : "", i + 1, c->id);
        add_detail(out, c->status == CHECK_SKIP ? " # SKIP " : ": ",
                   c->status == CHECK_SKIP ? c->cause
                   : c->status == CHECK_OK ? c->found
                                           : "differs");
        if (c->status != CHECK_FAIL)
            continue;
        add_detail(out, "# expected: ", c->expected);
        add_detail(out, "# found: ", c->found);
        add_detail(out, "# cause: ", c->cause);
    }
}
