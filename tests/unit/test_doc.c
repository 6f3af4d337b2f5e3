/* SPDX-License-Identifier: MIT */
/* Sources and their lines; YAML to documents with places; comments that allow findings. */
#include "unit.h"

#include "strbuf.h"

/* The value of a key of a mapping; fails the test where there is none. */
static const struct doc_node *member(const struct doc_node *map, const char *key)
{
    assert_non_null(map);
    assert_int_equal(map->kind, DOC_MAPPING);
    for (size_t i = 0; i < doc_count(map); i++)
        if (strcmp(doc_text(doc_pairs(map)[i].key), key) == 0)
            return doc_pairs(map)[i].value;
    fail_msg("no key '%s'", key);
    return NULL;
}

/* --- sources --------------------------------------------------------------------------------- */

static void assert_line(const struct source *s, size_t line, const char *text)
{
    size_t len;
    const char *p = source_line(s, line, &len);
    if (len != strlen(text) || memcmp(p, text, len) != 0)
        fail_msg("line %zu is \"%.*s\", not \"%s\"", line, (int)len, p, text);
}

static void assert_position(const struct source *s, size_t offset, uint32_t line, uint32_t column)
{
    struct place at = source_place(s, source_span(s, offset, 0));
    if (at.line != line || at.column != column)
        fail_msg("offset %zu is %u:%u, not %u:%u", offset, at.line, at.column, line, column);
}

static void source_lines(void **state)
{
    (void)state;
    static const char text[] = "a\nbc\r\n\rd\xC2\x85"
                               "e\xE2\x80\xA8"
                               "f\xE2\x80\xA9g\n";
    struct source s;
    source_from_memory(&s, "x", text, sizeof(text) - 1);
    assert_line(&s, 1, "a");
    assert_line(&s, 2, "bc");
    assert_line(&s, 3, "");
    assert_line(&s, 4, "d");
    assert_line(&s, 5, "e");
    assert_line(&s, 6, "f");
    assert_line(&s, 7, "g");
    assert_line(&s, 8, "");
    assert_int_equal(s.line_count, 8);
    assert_line(&s, 0, "");
    assert_line(&s, 9, "");
    source_free(&s);
}

static void source_without_a_last_line_break(void **state)
{
    (void)state;
    struct source s;
    source_from_memory(&s, "x", "a\nbc", 4);
    assert_int_equal(s.line_count, 2);
    assert_line(&s, 2, "bc");
    assert_position(&s, 4, 2, 3);
    assert_position(&s, 400, 2, 3);
    source_free(&s);
    source_from_memory(&s, "x", "", 0);
    assert_line(&s, 1, "");
    assert_position(&s, 0, 1, 1);
    source_free(&s);
}

static void source_columns_are_code_points(void **state)
{
    (void)state;
    /* 2, 3 and 4 bytes */
    static const char text[] = "\xC3\xA9=\xE6\x97\xA5\xF0\x9F\x98\x80!\r\n\xC3\xA9x\xC2\x85y";
    struct source s;
    source_from_memory(&s, "x", text, sizeof(text) - 1);
    assert_position(&s, 0, 1, 1);
    assert_position(&s, 2, 1, 2);
    assert_position(&s, 3, 1, 3);
    assert_position(&s, 6, 1, 4);
    assert_position(&s, 10, 1, 5);
    assert_position(&s, 13, 2, 1);
    assert_position(&s, 15, 2, 2);
    assert_position(&s, 18, 3, 1);
    source_free(&s);
}

/* More lines than the first allocation of the index has room for. */
static void source_with_many_lines(void **state)
{
    (void)state;
    struct strbuf b = {.data = NULL};
    for (int i = 0; i < 10000; i++)
        strbuf_addf(&b, "%d\n", i);
    struct source s;
    source_from_memory(&s, "x", b.data, b.len);
    assert_int_equal(s.line_count, 10001);
    assert_line(&s, 1, "0");
    assert_line(&s, 10000, "9999");
    for (size_t line = 1; line <= 10000; line += 37)
        assert_position(&s, s.lines[line - 1].byte, (uint32_t)line, 1);
    source_free(&s);
    strbuf_free(&b);
}

static void source_of_a_file(void **state)
{
    (void)state;
    struct source s;
    assert_false(source_load(&s, "/nonexistent/file"));
    source_free(&s);
    /* a directory opens, and does not read */
    assert_false(source_load(&s, "/"));
    source_free(&s);
    assert_true(source_load(&s, "/dev/null"));
    assert_int_equal(s.len, 0);
    assert_int_equal(s.line_count, 1);
    source_free(&s);
    assert_true(source_load(&s, "/dev/zero"));
    assert_true(s.too_large);
    source_free(&s);
}

/* --- places ---------------------------------------------------------------------------------- */

static void spans_of_every_kind(void **state)
{
    (void)state;
    struct unit u;
    unit_parse(&u, "ключ: \"é日本\"  # c\n" /* 1 */
                   "b: [a, {c: d}]\n"       /* 2 */
                   "c:\n"                   /* 3 */
                   "  - x\n"                /* 4 */
                   "  - y\n"                /* 5 */
                   "    z\n"                /* 6 */
                   "d: |\n"                 /* 7 */
                   "  text\n"               /* 8 */
                   "  more\n"               /* 9 */
                   "'é': 'q'\n"             /* 10 */
                   "f:\n"                   /* 11 */
                   "g: {h: 1,\n"            /* 12 */
                   "  i: 2}\n"              /* 13 */
                   "k:\n"                   /* 14 */
                   "  l: m\n");             /* 15 */
    assert_no_findings(&u.diags);
    assert_int_equal(doc_count(u.root), 8);
    assert_span(&u.source, u.root->at, 1, 1, 16, 1);
    assert_span(&u.source, doc_pairs(u.root)[0].key->at, 1, 1, 1, 5);
    assert_span(&u.source, doc_pairs(u.root)[0].value->at, 1, 7, 1, 12);
    assert_string_equal(doc_text(doc_pairs(u.root)[0].value), "é日本");
    const struct doc_node *b = member(u.root, "b");
    assert_int_equal(b->kind, DOC_SEQUENCE);
    assert_span(&u.source, b->at, 2, 4, 2, 15);
    assert_span(&u.source, doc_items(b)[0]->at, 2, 5, 2, 6);
    assert_span(&u.source, doc_items(b)[1]->at, 2, 8, 2, 14);
    assert_span(&u.source, doc_pairs(doc_items(b)[1])[0].key->at, 2, 9, 2, 10);
    assert_span(&u.source, member(doc_items(b)[1], "c")->at, 2, 12, 2, 13);
    const struct doc_node *c = member(u.root, "c");
    assert_span(&u.source, doc_pairs(u.root)[2].key->at, 3, 1, 3, 2);
    assert_int_equal(unit_line(&u.source, c->at), 4);
    assert_int_equal(unit_column(&u.source, c->at), 3);
    assert_span(&u.source, doc_items(c)[0]->at, 4, 5, 4, 6);
    assert_span(&u.source, doc_items(c)[1]->at, 5, 5, 6, 6);
    assert_string_equal(doc_text(doc_items(c)[1]), "y z");
    const struct doc_node *d = member(u.root, "d");
    assert_span(&u.source, d->at, 7, 4, 10, 1);
    assert_string_equal(doc_text(d), "text\nmore\n");
    assert_span(&u.source, doc_pairs(u.root)[4].key->at, 10, 1, 10, 4);
    assert_span(&u.source, member(u.root, "é")->at, 10, 6, 10, 9);
    const struct doc_node *f = member(u.root, "f");
    assert_span(&u.source, f->at, 11, 3, 11, 3);
    assert_string_equal(doc_text(f), "");
    assert_span(&u.source, member(u.root, "g")->at, 12, 4, 13, 8);
    assert_int_equal(unit_line(&u.source, member(u.root, "k")->at), 15);
    assert_int_equal(unit_column(&u.source, member(u.root, "k")->at), 3);
    assert_span(&u.source, member(member(u.root, "k"), "l")->at, 15, 6, 15, 7);
    unit_free(&u);
}

static void spans_after_unusual_line_breaks(void **state)
{
    (void)state;
    struct unit u;
    unit_parse(&u, "a: 1\r\nb: 2\rc: 3\xC2\x85"
                   "d: 4\xE2\x80\xA8"
                   "e: 5\n");
    assert_no_findings(&u.diags);
    assert_span(&u.source, member(u.root, "a")->at, 1, 4, 1, 5);
    assert_span(&u.source, member(u.root, "b")->at, 2, 4, 2, 5);
    assert_span(&u.source, member(u.root, "c")->at, 3, 4, 3, 5);
    assert_span(&u.source, member(u.root, "d")->at, 4, 4, 4, 5);
    assert_span(&u.source, member(u.root, "e")->at, 5, 4, 5, 5);
    /* and the source agrees on what these lines are */
    size_t len;
    assert_memory_equal(source_line(&u.source, 5, &len), "e: 5", 4);
    unit_free(&u);
}

/* The language allows UTF-8's byte-order mark. */
static void a_byte_order_mark_is_no_text(void **state)
{
    (void)state;
    struct unit u;
    unit_parse(&u, "\xEF\xBB\xBF"
                   "a: 1\nb: 2\n");
    assert_no_findings(&u.diags);
    assert_non_null(u.root);
    assert_int_equal(doc_count(u.root), 2);
    assert_string_equal(doc_text(doc_pairs(u.root)[0].key), "a");
    assert_span(&u.source, member(u.root, "b")->at, 2, 4, 2, 5);
    unit_free(&u);
}

/* --- aliases, height, limits ----------------------------------------------------------------- */

static void aliases_share_nodes(void **state)
{
    (void)state;
    struct unit u;
    unit_parse(&u, "a: &x [1, 2]\nb: *x\nc: &y s\nd: *y\ne: &x 3\nf: *x\n");
    assert_no_findings(&u.diags);
    assert_ptr_equal(member(u.root, "a"), member(u.root, "b"));
    assert_ptr_equal(member(u.root, "c"), member(u.root, "d"));
    assert_span(&u.source, member(u.root, "b")->at, 1, 4, 1, 13);
    /* the latest anchor of a name counts */
    assert_ptr_equal(member(u.root, "e"), member(u.root, "f"));
    assert_int_equal(u.root->height, 2);
    unit_free(&u);
}

static void alias_errors(void **state)
{
    (void)state;
    struct unit u;
    unit_parse(&u, "a: *x\n");
    assert_null(u.root);
    assert_span(&u.source, assert_finding(&u.diags, RULE_ALIAS)->at, 1, 4, 1, 6);
    assert_contains(u.diags.items[0]->message, "'*x' has no anchor");
    unit_free(&u);
    unit_parse(&u, "a: &x\n  b: [1, *x]\n");
    assert_null(u.root);
    assert_span(&u.source, assert_finding(&u.diags, RULE_ALIAS)->at, 2, 10, 2, 12);
    assert_contains(u.diags.items[0]->message, "inside what it stands for");
    unit_free(&u);
}

static void heights(void **state)
{
    (void)state;
    struct unit u;
    unit_parse(&u, "[[], {}, x, [[y]], {a: [b]}]");
    assert_no_findings(&u.diags);
    static const unsigned want[] = {1, 1, 0, 2, 2};
    for (size_t i = 0; i < ARRAY_SIZE(want); i++)
        assert_int_equal(doc_items(u.root)[i]->height, want[i]);
    assert_int_equal(u.root->height, 3);
    unit_free(&u);
}

/* count times text */
static void repeat(struct strbuf *b, const char *text, size_t count)
{
    while (count--)
        strbuf_adds(b, text);
}

static void depth_limit(void **state)
{
    (void)state;
    for (size_t depth = 63; depth <= 66; depth++) {
        struct strbuf b = {.data = NULL};
        struct unit u;
        repeat(&b, "[", depth);
        repeat(&b, "]", depth);
        unit_parse(&u, b.data);
        assert_int_equal(u.root != NULL, depth <= DOC_DEPTH_LIMIT);
        if (u.root)
            assert_int_equal(u.root->height, depth);
        else
            assert_contains(assert_finding(&u.diags, RULE_LIMIT)->message, "64 levels");
        unit_free(&u);
        strbuf_free(&b);
    }
}

/* Depth that only aliases make. */
static void depth_limit_with_aliases(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        struct strbuf b = {.data = NULL};
        struct unit u;
        strbuf_adds(&b, "a: &a ");
        repeat(&b, "[", 40);
        repeat(&b, "]", 40);
        strbuf_adds(&b, "\nb: ");
        repeat(&b, "[", 23 + extra);
        strbuf_adds(&b, "*a");
        repeat(&b, "]", 23 + extra);
        unit_parse(&u, b.data);
        assert_int_equal(u.root != NULL, extra == 0);
        if (!u.root)
            assert_contains(assert_finding(&u.diags, RULE_LIMIT)->message, "64 levels");
        unit_free(&u);
        strbuf_free(&b);
    }
}

static void node_limit(void **state)
{
    (void)state;
    /* 1 + (1 + 999) + 998 * 1000 + 999 = 1,000,000 */
    for (size_t extra = 0; extra < 2; extra++) {
        struct strbuf b = {.data = NULL};
        struct unit u;
        strbuf_adds(&b, "[&a [");
        repeat(&b, "x,", 999);
        strbuf_adds(&b, "],");
        repeat(&b, "*a,", 998);
        repeat(&b, "y,", 999 + extra);
        strbuf_adds(&b, "]");
        unit_parse(&u, b.data);
        assert_int_equal(u.root != NULL, extra == 0);
        if (!u.root) {
            assert_contains(assert_finding(&u.diags, RULE_LIMIT)->message, "1,000,000 nodes");
            assert_int_equal(u.diags.count, 1);
        }
        unit_free(&u);
        strbuf_free(&b);
    }
}

/* The billion laughs: one error, at once. */
static void alias_bomb(void **state)
{
    (void)state;
    struct strbuf b = {.data = NULL};
    struct unit u;
    strbuf_adds(&b, "a0: &a0 [x]\n");
    for (int i = 1; i < 60; i++) {
        strbuf_addf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            strbuf_addf(&b, "*a%d,", i - 1);
        strbuf_adds(&b, "]\n");
    }
    unit_parse(&u, b.data);
    assert_null(u.root);
    assert_int_equal(u.diags.count, 1);
    assert_finding(&u.diags, RULE_LIMIT);
    unit_free(&u);
    strbuf_free(&b);
}

static void size_limit(void **state)
{
    (void)state;
    char *text = malloc(SOURCE_LIMIT + 1);
    assert_non_null(text);
    memset(text, ' ', SOURCE_LIMIT + 1);
    static const char start[] = "a: 1\n#";
    memcpy(text, start, strlen(start));
    struct unit u;
    unit_parse_bytes(&u, text, SOURCE_LIMIT);
    assert_no_findings(&u.diags);
    unit_free(&u);
    unit_parse_bytes(&u, text, SOURCE_LIMIT + 1);
    assert_null(u.root);
    assert_contains(assert_finding(&u.diags, RULE_LIMIT)->message, "16 MiB");
    assert_int_equal(u.diags.count, 1);
    unit_free(&u);
    free(text);
}

/* --- duplicate keys -------------------------------------------------------------------------- */

static void duplicate_keys_show_both_places(void **state)
{
    (void)state;
    struct unit u;
    unit_parse(&u, "a: 1\nb: {é: 1, k: 2, \"k\": 3}\na: 4\na: 5\n");
    assert_non_null(u.root);
    assert_int_equal(u.diags.count, 3);
    const struct diag *inner = unit_find(&u.diags, RULE_DUPLICATE_KEY, 0);
    assert_span(&u.source, inner->at, 2, 17, 2, 20);
    assert_contains(inner->message, "'k' is given twice");
    assert_non_null(inner->notes);
    assert_span(&u.source, inner->notes->at, 2, 11, 2, 12);
    const struct diag *outer = unit_find(&u.diags, RULE_DUPLICATE_KEY, 1);
    assert_span(&u.source, outer->at, 3, 1, 3, 2);
    assert_span(&u.source, outer->notes->at, 1, 1, 1, 2);
    const struct diag *third = unit_find(&u.diags, RULE_DUPLICATE_KEY, 2);
    assert_span(&u.source, third->at, 4, 1, 4, 2);
    unit_free(&u);
}

static void equal_keys_of_two_mappings(void **state)
{
    (void)state;
    struct unit u;
    unit_parse(&u, "a: {k: {a: 1, k: 2}}\nb: {k: 1}\nA: 1\n");
    assert_no_findings(&u.diags);
    unit_free(&u);
}

/* --- what is refused ------------------------------------------------------------------------- */

static void refused_features(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rule_id rule;
        struct place at;
        const char *message;
    } cases[] = {
        {"a: !!binary x\n", RULE_YAML_FEATURE, {1, 4, 1, 14}, "binary"},
        {"a: !foo x\n", RULE_YAML_FEATURE, {1, 4, 1, 10}, "'!foo'"},
        {"a: !!seq {b: 1}\n", RULE_YAML_FEATURE, {1, 4, 1, 11}, "seq"},
        {"a: !!timestamp 1\n", RULE_YAML_FEATURE, {1, 4, 1, 17}, "timestamp"},
        {"b: 1\n<<: {a: 1}\n", RULE_YAML_FEATURE, {2, 1, 2, 3}, "merge keys"},
        {"? [a]\n: b\n", RULE_YAML_FEATURE, {1, 3, 1, 6}, "not a scalar"},
        {"{{a: b}: c}\n", RULE_YAML_FEATURE, {1, 2, 1, 8}, "not a scalar"},
        {"a: 1\n---\nb: 2\n", RULE_YAML_FEATURE, {2, 1, 2, 4}, "second document"},
        {"---\n---\na: 1\n", RULE_YAML_FEATURE, {2, 1, 2, 4}, "second document"},
        {"a: \"x\\0y\"\n", RULE_ENCODING, {1, 4, 1, 10}, "NUL"},
        {"a: [1\n", RULE_SYNTAX, {2, 1, 2, 2}, "did not find expected"},
        {"a: 1\n b: 2\n", RULE_SYNTAX, {2, 3, 2, 4}, "not allowed"},
        {"", RULE_SYNTAX, {1, 1, 1, 2}, "no document"},
        {"# only\n", RULE_SYNTAX, {1, 1, 1, 2}, "no document"},
        {"a: é\xC3(\n", RULE_ENCODING, {1, 5, 1, 6}, "not a text in UTF-8"},
        {"abc: \x01\n", RULE_ENCODING, {1, 6, 1, 7}, "control characters"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct unit u;
        unit_parse(&u, cases[i].text);
        if (u.root)
            fail_msg("accepted: %s", cases[i].text);
        const struct diag *d = assert_finding(&u.diags, cases[i].rule);
        assert_contains(d->message, cases[i].message);
        assert_non_null(d->help);
        if (i != 14) /* libyaml points at a byte of the character, or at the one behind it */
            assert_span(&u.source, d->at, cases[i].at.line, cases[i].at.column,
                        cases[i].at.end_line, cases[i].at.end_column);
        else
            assert_in_range(unit_column(&u.source, d->at), 5, 6);
        assert_int_equal(u.diags.count, 1);
        unit_free(&u);
    }
}

static void accepted_features(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "%YAML 1.2\n---\na: 1\n",
        "---\na: 1\n...\n",
        "a: !!str 5\n",
        "a: !!int 5\n",
        "a: ! x\n",
        "!!map {a: !!seq [1]}\n",
        "{\"a\": \"b\"}",
        "a: \"\\x01\\u00e9\"\n",
        "? a\n: b\n",
        "x",
        "a: >-\n  b\n  c\n",
        "[]",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct unit u;
        unit_parse(&u, texts[i]);
        assert_no_findings(&u.diags);
        assert_non_null(u.root);
        unit_free(&u);
    }
}

static void other_encodings(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *name;
    } cases[] = {
        {"\xFF\xFE"
         "a\0:\0 \0b\0",
         10, "UTF-16"},
        {"\xFE\xFF\0a\0:", 6, "UTF-16"},
        {"\xFF\xFE\0\0a\0\0\0", 8, "UTF-32"},
        {"\0\0\xFE\xFF\0\0\0a", 8, "UTF-32"},
    };
    struct unit u;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unit_parse_bytes(&u, cases[i].bytes, cases[i].len);
        assert_null(u.root);
        const struct diag *d = assert_finding(&u.diags, RULE_ENCODING);
        assert_contains(d->message, cases[i].name);
        assert_span(&u.source, d->at, 1, 1, 1, 2);
        unit_free(&u);
    }
    unit_parse_bytes(&u, "a: b\0c\n", 7);
    assert_null(u.root);
    assert_span(&u.source, assert_finding(&u.diags, RULE_ENCODING)->at, 1, 5, 1, 6);
    unit_free(&u);
}

/* libyaml reads in pieces; the place of a bad byte is one in the whole file. */
static void a_bad_byte_far_in(void **state)
{
    (void)state;
    struct strbuf b = {.data = NULL};
    struct unit u;
    for (int i = 1; i < 9000; i++)
        strbuf_addf(&b, "key-%d: é\n", i);
    strbuf_adds(&b, "bad: \x01\n");
    unit_parse(&u, b.data);
    assert_null(u.root);
    assert_span(&u.source, assert_finding(&u.diags, RULE_ENCODING)->at, 9000, 6, 9000, 7);
    unit_free(&u);
    strbuf_free(&b);
}

/* --- comments that allow --------------------------------------------------------------------- */

struct allow {
    uint32_t line;
    const char *rule;
    uint32_t at_line, column;
};

static void check_allows(const char *text, const struct allow *want, size_t count)
{
    struct unit u;
    const struct doc_allow *names = NULL;
    unit_parse(&u, text);
    assert_no_findings(&u.diags);
    size_t found = doc_allows(&u.source, u.root, &u.arena, &names);
    for (size_t i = 0; i < found && i < count; i++) {
        assert_string_equal(names[i].rule, want[i].rule);
        assert_int_equal(names[i].line, want[i].line);
        assert_span(&u.source, names[i].at, want[i].at_line, want[i].column, want[i].at_line,
                    want[i].column + (uint32_t)strlen(want[i].rule));
    }
    if (found != count)
        fail_msg("%zu names, not %zu, in: %s", found, count, text);
    unit_free(&u);
}

#define ALLOWS(text, ...)                                                                          \
    check_allows(text, (const struct allow[]){__VA_ARGS__},                                        \
                 ARRAY_SIZE(((const struct allow[]){__VA_ARGS__})))
#define ALLOWS_NONE(text) check_allows(text, NULL, 0)

static void allows(void **state)
{
    (void)state;
    ALLOWS("a: 1 # spmtopo-allow: mixed-node\n", {1, "mixed-node", 1, 23});
    ALLOWS("é: 1 # spmtopo-allow: mixed-node\n", {1, "mixed-node", 1, 23});
    ALLOWS("é: 'é' #\tspmtopo-allow:mixed-node\n", {1, "mixed-node", 1, 24});
    ALLOWS("#spmtopo-allow: mixed-node\na: 1\n", {2, "mixed-node", 1, 17});
    ALLOWS("a:\n    # spmtopo-allow: SPM402\n  b: 1\n", {3, "SPM402", 2, 22});
    ALLOWS("a: 1 # spmtopo-allow: one, two,three four\n", {1, "one", 1, 23}, {1, "two", 1, 28},
           {1, "three", 1, 32}, {1, "four", 1, 38});
    ALLOWS("a: 1 # spmtopo-allow: one\r\nb: 2\r\n# spmtopo-allow: two\r\nc: 3\r\n",
           {1, "one", 1, 23}, {4, "two", 3, 18});
    ALLOWS("a: 1\n# spmtopo-allow: last", {3, "last", 2, 18});
    ALLOWS("a: 1 # spmtopo-allow: x", {1, "x", 1, 23});
    ALLOWS_NONE("a: 1 # spmtopo-allow:\nb: 2\n");
    ALLOWS_NONE("a: 1 # spmtopo-allow: , ,\nb: 2\n");
    ALLOWS_NONE("a: 1 # see spmtopo-allow: mixed-node\n");
    ALLOWS_NONE("a: b#spmtopo-allow:mixed-node\n");
    ALLOWS_NONE("a: 1 # spmtopo-allowed: mixed-node\n");
    ALLOWS_NONE("a: spmtopo-allow\n");
}

/* A comment directly below one with a short name. */
static void allows_on_lines_that_follow(void **state)
{
    (void)state;
    ALLOWS("a: 1 # spmtopo-allow: SPM402\nb: 2 # spmtopo-allow: SPM507\n", {1, "SPM402", 1, 23},
           {2, "SPM507", 2, 23});
    ALLOWS("a: 1 # spmtopo-allow: SPM402\n# spmtopo-allow: SPM507\nb: 2\n", {1, "SPM402", 1, 23},
           {3, "SPM507", 2, 18});
    ALLOWS("a: 1 # spmtopo-allow: mixed-node\n# spmtopo-allow: hmat-missing\nb: 2\n",
           {1, "mixed-node", 1, 23}, {3, "hmat-missing", 2, 18});
}

/* NEL and LS end a line for YAML, and with it a comment. */
static void allows_end_with_their_line(void **state)
{
    (void)state;
    ALLOWS("a: 1 # spmtopo-allow: one\xC2\x85"
           "b: 2\n",
           {1, "one", 1, 23});
    ALLOWS("a: 1 # spmtopo-allow: one,\xE2\x80\xA8"
           "b: 2\n",
           {1, "one", 1, 23});
}

static void allows_in_scalars_are_text(void **state)
{
    (void)state;
    ALLOWS_NONE("a: \"x # spmtopo-allow: no\"\n");
    ALLOWS_NONE("a: 'x\n  # spmtopo-allow: no\n  y'\n");
    ALLOWS_NONE("a: [b, {c: \" # spmtopo-allow: no\"}]\n");
    ALLOWS_NONE("\" # spmtopo-allow: no\": 1\n");
    ALLOWS_NONE("a: |\n  # spmtopo-allow: no\n  x\n");
    ALLOWS_NONE("a: >-\n  x # spmtopo-allow: no\n");
    ALLOWS("a: |\n  # spmtopo-allow: no\n# spmtopo-allow: yes\nb: 1\n", {4, "yes", 3, 18});
    ALLOWS("a: '#' # spmtopo-allow: yes\n", {1, "yes", 1, 25});
    ALLOWS("a: [1, # spmtopo-allow: yes\n  2]\n", {1, "yes", 1, 25});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_lines),
        cmocka_unit_test(source_without_a_last_line_break),
        cmocka_unit_test(source_columns_are_code_points),
        cmocka_unit_test(source_with_many_lines),
        cmocka_unit_test(source_of_a_file),
        cmocka_unit_test(spans_of_every_kind),
        cmocka_unit_test(spans_after_unusual_line_breaks),
        cmocka_unit_test(a_byte_order_mark_is_no_text),
        cmocka_unit_test(aliases_share_nodes),
        cmocka_unit_test(alias_errors),
        cmocka_unit_test(heights),
        cmocka_unit_test(depth_limit),
        cmocka_unit_test(depth_limit_with_aliases),
        cmocka_unit_test(node_limit),
        cmocka_unit_test(alias_bomb),
        cmocka_unit_test(size_limit),
        cmocka_unit_test(duplicate_keys_show_both_places),
        cmocka_unit_test(equal_keys_of_two_mappings),
        cmocka_unit_test(refused_features),
        cmocka_unit_test(accepted_features),
        cmocka_unit_test(other_encodings),
        cmocka_unit_test(a_bad_byte_far_in),
        cmocka_unit_test(allows),
        cmocka_unit_test(allows_on_lines_that_follow),
        cmocka_unit_test(allows_end_with_their_line),
        cmocka_unit_test(allows_in_scalars_are_text),
    };
    return cmocka_run_group_tests_name("doc", tests, NULL, NULL);
}
