/* SPDX-License-Identifier: MIT */
#include "load_keys.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "nearest.h"
#include "strbuf.h"

/* --- values --------------------------------------------------------------------------------- */

static const char *const kind_names[] = {
    [DOC_SCALAR] = "a scalar", [DOC_SEQUENCE] = "a sequence", [DOC_MAPPING] = "a mapping"};

static const char *found(const struct doc_node *node)
{
    return node->kind == DOC_SCALAR && !doc_has_text(node) ? "nothing" : kind_names[node->kind];
}

struct diag *load_wrong_kind(struct loader *l, const struct doc_node *node, const char *what)
{
    struct diag *d =
        diag_add(l->diags, RULE_WRONG_KIND, node->at, "expected %s, found %s", what, found(node));
    diag_help(l->diags, d, "write %s here; the manual spmtopo.yaml(5) shows each key's form", what);
    return d;
}

/* The text of a scalar that is not empty, else NULL and an error that says what was expected. */
const char *load_scalar(struct loader *l, const struct doc_node *node, const char *what)
{
    if (doc_has_text(node))
        return doc_text(node);
    load_wrong_kind(l, node, what);
    return NULL;
}

void load_bad_value(struct loader *l, struct span at, const struct unit_error *error)
{
    struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, at, "%s", error->message);
    if (error->help[0])
        diag_help(l->diags, d, "%s", error->help);
}

void load_number(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    struct number *number = into;
    struct unit_error error;
    if (!doc_has_text(value)) {
        load_wrong_kind(l, value,
                        key->parse == size_parse      ? "a size"
                        : key->parse == address_parse ? "an address"
                        : key->parse == number_parse  ? "a whole number"
                        : key->parse == latency_parse ? "a latency"
                                                      : "a bandwidth");
        return;
    }
    uint64_t v = 0;
    if (!key->parse(doc_text(value), &v, &error)) {
        load_bad_value(l, value->at, &error);
        return;
    }
    if (key->most && (v < key->least || v > key->most)) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at,
                                  "'%s' of %" PRIu64 " is out of range", key->name, v);
        diag_help(l->diags, d, "write a number from %" PRIu64 " to %" PRIu64, key->least,
                  key->most);
        return;
    }
    if (key->parse == size_parse && v == 0) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "'%s' is 0", key->name);
        diag_help(l->diags, d, "write a size above 0, or leave '%s' out", key->name);
        return;
    }
    *number = (struct number){.value = v, .at = value->at};
}

/* Controls, line separators and what turns the direction of text: they hide or forge what a person
 * reads. */
static bool has_control(const char *text, bool many_lines)
{
    static const char *const marks[] = {"\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAA",
                                        "\xE2\x80\xAB", "\xE2\x80\xAC", "\xE2\x80\xAD",
                                        "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA7",
                                        "\xE2\x81\xA8", "\xE2\x81\xA9", "\xEF\xBB\xBF"};
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if ((*p < 0x20 && !(many_lines && (*p == '\n' || *p == '\t'))) || *p == 0x7f)
            return true;
        if (*p == 0xC2 && p[1] < 0xA0)
            return true;
        for (size_t i = 0; *p >= 0xE2 && i < ARRAY_SIZE(marks); i++)
            if (strncmp((const char *)p, marks[i], 3) == 0)
                return true;
    }
    return false;
}

void load_text(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    struct text *text = into;
    if (value->kind != DOC_SCALAR) {
        load_wrong_kind(l, value, "a text");
        return;
    }
    if (has_control(doc_text(value), key->many_lines)) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at,
                                  "'%s' holds a control character", key->name);
        diag_help(l->diags, d, "write it on one line, without tabs or other controls");
        return;
    }
    if (!doc_has_text(value) && !key->many_lines) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "'%s' is empty", key->name);
        diag_help(l->diags, d, "write a text, or leave '%s' out", key->name);
        return;
    }
    *text = (struct text){arena_strdup(l->arena, doc_text(value)), value->at};
}

void load_choice(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    struct choice *choice = into;
    struct strbuf words = {0};
    strbuf_add_choice(&words, key->names, key->name_count);
    if (!doc_has_text(value)) {
        diag_help(l->diags, load_wrong_kind(l, value, "a word"), "write %s", words.data);
        strbuf_free(&words);
        return;
    }
    struct nearest nearest = {.word = doc_text(value)};
    for (size_t i = 0; i < key->name_count; i++) {
        if (!key->names[i])
            continue;
        if (strcmp(key->names[i], doc_text(value)) == 0) {
            *choice = (struct choice){.value = (int)i, .at = value->at};
            strbuf_free(&words);
            return;
        }
        nearest_offer(&nearest, key->names[i]);
    }
    struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "'%.60s' is not a value of '%s'",
                              doc_text(value), key->name);
    if (nearest.best)
        diag_help(l->diags, d, "did you mean '%s'? There are %s", nearest.best, words.data);
    else
        diag_help(l->diags, d, "write %s", words.data);
    strbuf_free(&words);
}

/* true, false, or -1 where it is neither. */
static int boolean(const char *text)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return (int)(i % 2);
    return -1;
}

void load_boolean(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    struct choice *choice = into;
    const char *text = load_scalar(l, value, "true or false");
    if (!text)
        return;
    int v = boolean(text);
    if (v < 0) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at,
                                  "'%.60s' is not a value of '%s'", text, key->name);
        diag_help(l->diags, d, "write true or false");
        return;
    }
    *choice = (struct choice){.value = v, .at = value->at};
}

/* A size, or true for the default huge page of x86, or false. */
void load_hugepages(struct loader *l, const struct doc_node *value, void *into,
                    const struct key *key)
{
    struct number *number = into;
    int v = value->kind == DOC_SCALAR ? boolean(doc_text(value)) : -1;
    if (v >= 0)
        *number = (struct number){.value = v ? 2 * MIB : 0, .at = value->at};
    else
        load_number(l, value, number, &(struct key){.name = key->name, .parse = size_parse});
}

/* A number, or the word auto. */
void load_number_or_auto(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    if (value->kind == DOC_SCALAR && strcmp(doc_text(value), "auto") == 0)
        *(struct number *)into = (struct number){0};
    else
        load_number(l, value, into, key);
}

static void add_ids(struct loader *l, const struct doc_node *value, struct id_list *list)
{
    const char *text = load_scalar(l, value, "a list of ids such as 0-3,8");
    while (text && *text) {
        struct unit_error error;
        struct id_range range;
        if (!id_range_next(&text, &range, &error)) {
            load_bad_value(l, value->at, &error);
            return;
        }
        if (list->count == VCPU_LIMIT) {
            struct diag *d = diag_add(l->diags, RULE_LIMIT, value->at,
                                      "a list of more than %d ids and ranges", VCPU_LIMIT);
            diag_help(l->diags, d, "write ranges, such as 0-8191");
            return;
        }
        list->ranges =
            arena_grow(l->arena, list->ranges, list->count, &list->cap, sizeof(*list->ranges));
        list->ranges[list->count++] = range;
    }
}

/* An id list: text, or a sequence of numbers and such texts. */
void load_ids(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    (void)key;
    struct id_list *list = into;
    list->at = value->at;
    if (value->kind != DOC_SEQUENCE)
        add_ids(l, value, list);
    for (size_t i = 0; value->kind == DOC_SEQUENCE && i < doc_count(value); i++)
        add_ids(l, doc_items(value)[i], list);
    if (value->kind == DOC_SEQUENCE && !doc_count(value)) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "the list is empty");
        diag_help(l->diags, d, "write the ids, or leave the key out");
    }
}

/* --- mappings and sequences ----------------------------------------------------------------- */

/* `glued` is the key that it is, with its value, or `count`. */
static void unknown_key(struct loader *l, const struct doc_node *key, const struct key *keys,
                        size_t count, size_t glued, const char *what)
{
    struct nearest nearest = {.word = doc_text(key)};
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, keys[i].name);
    struct diag *d = diag_add(l->diags, RULE_UNKNOWN_KEY, key->at, "unknown key '%.60s' in %s",
                              doc_text(key), what);
    if (glued < count) {
        const char *value = doc_text(key) + strlen(keys[glued].name) + 1;
        diag_help(l->diags, d, "write a blank behind the colon: '%s: %.60s'", keys[glued].name,
                  value);
        return;
    }
    /* A mistyped 'memory' leaves a node without; where every key may be left out, one more is. */
    bool optional = true;
    for (size_t i = 0; i < count; i++)
        optional = optional && !keys[i].required;
    l->harmless += optional || !nearest.best;
    if (nearest.best) {
        diag_help(l->diags, d, "did you mean '%s'?", nearest.best);
        return;
    }
    const char *names[32];
    for (size_t i = 0; i < count; i++)
        names[i] = keys[i].name;
    struct strbuf words = {0};
    strbuf_add_choice(&words, names, count);
    diag_help(l->diags, d, "the keys are %s; keys that begin with x- are ignored", words.data);
    strbuf_free(&words);
}

/* The index of a key in its table, `count` where there is none. People write keys in the table's order,
 * so the search begins where the last one ended. */
static size_t find_key(const struct key *keys, size_t count, size_t from, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = from + i < count ? from + i : (from + i) % count;
        if (strcmp(keys[k].name, name) == 0)
            return k;
    }
    return count;
}

/* The key of which a blank behind its colon was forgotten ("size:2GiB" is a key to YAML), else `count`. */
static size_t find_glued_key(const struct key *keys, size_t count, const char *text)
{
    size_t len = strcspn(text, ":");
    for (size_t k = 0; text[len] && k < count; k++)
        if (strncmp(keys[k].name, text, len) == 0 && !keys[k].name[len])
            return k;
    return count;
}

/* Reads a mapping by its table of keys into the structure at base. */
void load_keys(struct loader *l, const struct doc_node *node, void *base, const struct key *keys,
               size_t count, const char *what)
{
    if (node->kind != DOC_MAPPING) {
        load_wrong_kind(l, node,
                        *what == '\'' ? arena_printf(l->arena, "a mapping for %s", what) : what);
        return;
    }
    uint64_t seen = 0;
    size_t next = 0;
    for (size_t p = 0; p < doc_count(node); p++) {
        const struct doc_node *name = doc_pairs(node)[p].key;
        size_t k = find_key(keys, count, next, doc_text(name));
        next = k + 1;
        if (k < count && !(seen >> k & 1)) {
            seen |= UINT64_C(1) << k;
            keys[k].load(l, doc_pairs(node)[p].value, (char *)base + keys[k].offset, &keys[k]);
        } else if (k == count && strncmp(doc_text(name), "x-", 2) != 0) {
            size_t glued = find_glued_key(keys, count, doc_text(name));
            if (glued < count)
                seen |= UINT64_C(1) << glued;
            unknown_key(l, name, keys, count, glued, what);
        }
    }
    for (size_t k = 0; k < count; k++)
        if (keys[k].required && !(seen >> k & 1)) {
            struct span at = node->at;
            at.end = at.start + 1;
            struct diag *d = diag_add(l->diags, RULE_MISSING_KEY, at,
                                      "the key '%s' is missing in %s", keys[k].name, what);
            diag_help(l->diags, d, "add '%s: …'", keys[k].name);
        }
}

void load_items(struct loader *l, const struct doc_node *value, const char *what,
                void (*each)(struct loader *l, const struct doc_node *item))
{
    if (value->kind != DOC_SEQUENCE) {
        diag_help(l->diags, load_wrong_kind(l, value, what), "begin each item with '- '");
        return;
    }
    for (size_t i = 0; i < doc_count(value); i++)
        each(l, doc_items(value)[i]);
}
