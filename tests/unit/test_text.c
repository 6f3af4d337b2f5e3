/* SPDX-License-Identifier: MIT */
/* Text out: quoting for every language, columns, command lines, findings, files; and the map and
 * the nearest word. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argv.h"
#include "cmdline.h"
#include "columns.h"
#include "diag_render.h"
#include "nearest.h"
#include "outfile.h"
#include "strmap.h"

/* --- strbuf ---------------------------------------------------------------------------------- */

static void appending(void **state)
{
    (void)state;
    struct strbuf b = {.data = NULL};
    strbuf_add(&b, NULL, 0);
    assert_buffer(&b, "");
    assert_string_equal(b.data, "");
    strbuf_adds(&b, "one");
    strbuf_addc(&b, ' ');
    strbuf_addf(&b, "%d%s", 2, "!");
    strbuf_addf(&b, "%s", "");
    strbuf_add(&b, "\0x", 2);
    assert_buffer(&b, "one 2!\0x");
    assert_int_equal(b.data[b.len], '\0');
    strbuf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    /* beyond the first allocation, by each of the ways to grow */
    for (size_t i = 0; i < 10000; i++)
        strbuf_addc(&b, (char)('a' + i % 26));
    strbuf_addf(&b, "%05000d", 7);
    assert_int_equal(b.len, 15000);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    assert_int_equal(b.data[14999], '7');
    assert_int_equal(strlen(b.data), 15000);
    strbuf_free(&b);
}

static void plain_numbers(void **state)
{
    (void)state;
    struct strbuf b = {.data = NULL};
    strbuf_add_u64(&b, 0);
    strbuf_addc(&b, ' ');
    strbuf_add_u64(&b, 1000);
    strbuf_addc(&b, ' ');
    strbuf_add_u64(&b, UINT64_MAX);
    assert_buffer(&b, "0 1000 18446744073709551615");
    strbuf_free(&b);
    strbuf_add_le(&b, UINT64_C(0x0102030405060708), 8);
    strbuf_add_le(&b, 0xabcdef, 2);
    strbuf_add_le(&b, 0xff, 1);
    strbuf_add_le(&b, 1, 0);
    assert_buffer(&b, "\x08\x07\x06\x05\x04\x03\x02\x01\xef\xcd\xff");
    strbuf_free(&b);
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *qemu, *language;
    } cases[] = {
        {16 * GIB, "16G", "16GiB"},
        {2815 * MIB, "2815M", "2815MiB"},
        {8 * KIB, "8K", "8KiB"},
        {3 * TIB, "3T", "3TiB"},
        {4096 * TIB, "4096T", "4096TiB"},
        {12, "12B", "0.01171875KiB"},
        {1536, "1536B", "1.5KiB"},
        {1, "1B", "0.0009765625KiB"},
        {1023, "1023B", "0.9990234375KiB"},
        {GIB + 1, "1073741825B", "1048576.0009765625KiB"},
        {0, "0B", "0KiB"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf b = {.data = NULL};
        strbuf_add_qemu_size(&b, cases[i].bytes);
        assert_string_equal(b.data, cases[i].qemu);
        strbuf_free(&b);
        strbuf_add_size(&b, cases[i].bytes, "");
        assert_string_equal(b.data, cases[i].language);
        strbuf_free(&b);
    }
    struct strbuf b = {.data = NULL};
    strbuf_add_size(&b, 128 * MIB, " ");
    assert_buffer(&b, "128 MiB");
    strbuf_free(&b);
}

static void sizes_read_back(void **state)
{
    (void)state;
    struct unit_random r = unit_seed("sizes");
    for (int i = 0; i < 5000; i++) {
        uint64_t bytes = unit_next(&r) >> (12 + unit_below(&r, 52));
        bytes &= ~UINT64_C(0) << unit_below(&r, 44);
        uint64_t back = ~bytes;
        struct unit_error error = {.message = ""};
        struct strbuf b = {.data = NULL};
        strbuf_add_size(&b, bytes, "");
        if (!size_parse(b.data, &back, &error) || back != bytes)
            fail_msg("%" PRIu64 " is written '%s', read %" PRIu64 " %s", bytes, b.data, back,
                     error.message);
        strbuf_free(&b);
    }
}

/* One word of a shell command. */
static void add_shell_word(struct strbuf *b, const char *text, size_t len)
{
    if (shell_safe_word(text, len))
        strbuf_add(b, text, len);
    else
        strbuf_add_quoted(b, text, len);
}

static void shell_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"plain", "plain"},
        {"-m", "-m"},
        {"size=1G,slots=2", "size=1G,slots=2"},
        {"/a/b+c@d%e:f.g_h", "/a/b+c@d%e:f.g_h"},
        {"", "''"},
        {"a b", "'a b'"},
        {"it's", "'it'\\''s'"},
        {"$HOME", "'$HOME'"},
        {"~", "'~'"},
        {"é", "'é'"},
        {"{}", "'{}'"},
        {"#x", "'#x'"},
        {"!x", "'!x'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf b = {.data = NULL};
        add_shell_word(&b, cases[i].text, strlen(cases[i].text));
        assert_string_equal(b.data, cases[i].quoted);
        strbuf_free(&b);
    }
}

/* What /bin/sh prints for a script. */
static void run_shell(const struct strbuf *script, struct strbuf *output)
{
    char name[] = "/tmp/spmtopo-unit.XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, script->data, script->len), script->len);
    close(fd);
    char command[64];
    snprintf(command, sizeof(command), "/bin/sh %s", name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), pipe)) > 0)
        strbuf_add(output, chunk, n);
    int status = pclose(pipe);
    unlink(name);
    assert_int_equal(status, 0);
}

/* Every byte but NUL, alone, between letters, and in pairs with a quote, comes back from a shell. */
static void shell_round_trip(void **state)
{
    (void)state;
    static const char *const words[] = {
        "",     " ",        "\n",      "a\n",      "\\",    "\\\\n",    "'",
        "''",   "'\\''",    "\"",      "`id`",     "$(id)", "$$",       "*",
        "?",    "[a]",      "a;b",     "a&b",      "a|b",   "<x",       ">x",
        "(x)",  "~root",    "#",       "=",        "a=b",   "!!",       "\t",
        "\r\n", "-n",       "--",      "\x1b[31m", "\x7f",  "\xff\xfe", "\xC3",
        "日本", "x'y\"z\\", "%s%d\\n", "{a,b}",    "^",     "if",       "id=x,mem-path=/a,,b/c d",
    };
    struct strbuf script = {.data = NULL};
    struct strbuf output = {.data = NULL};
    struct strbuf want = {.data = NULL};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        strbuf_adds(&script, "printf '%s\\0' ");
        add_shell_word(&script, words[i], strlen(words[i]));
        strbuf_addc(&script, '\n');
        strbuf_add(&want, words[i], strlen(words[i]) + 1);
    }
    for (int c = 1; c < 256; c++) {
        const char text[4] = {(char)c, 'x', '\'', (char)c};
        for (size_t len = 1; len <= sizeof(text); len += len == 1 ? 1 : 2) {
            strbuf_adds(&script, "printf '%s\\0' ");
            add_shell_word(&script, text, len);
            strbuf_addc(&script, '\n');
            strbuf_add(&want, text, len);
            strbuf_addc(&want, '\0');
        }
    }
    run_shell(&script, &output);
    assert_int_equal(output.len, want.len);
    assert_memory_equal(output.data, want.data, want.len);
    strbuf_free(&script);
    strbuf_free(&output);
    strbuf_free(&want);
}

static void qemu_values(void **state)
{
    (void)state;
    struct strbuf b = {.data = NULL};
    strbuf_add_qemu(&b, "");
    assert_int_equal(b.len, 0);
    strbuf_add_qemu(&b, "/a,b=c,,d,");
    assert_buffer(&b, "/a,,b=c,,,,d,,");
    strbuf_free(&b);
}

static void json_strings(void **state)
{
    (void)state;
    struct strbuf b = {.data = NULL};
    strbuf_add_json(&b, "");
    assert_buffer(&b, "\"\"");
    strbuf_free(&b);
    strbuf_add_json(&b, "a\"b\\c/d\n\t\x01\x1f\x7f é日\xF0\x9F\x98\x80");
    assert_buffer(&b, "\"a\\\"b\\\\c/d\\u000a\\u0009\\u0001\\u001f\\u007f é日\xF0\x9F\x98\x80\"");
    strbuf_free(&b);
}

static void xml_text(void **state)
{
    (void)state;
    struct strbuf b = {.data = NULL};
    strbuf_add_xml(&b, "a<b>&\"c'\t\n\r\xC3\xA9,]]>");
    assert_string_equal(b.data, "a&lt;b&gt;&amp;&quot;c&apos;&#9;&#10;&#13;\xC3\xA9,]]&gt;");
    strbuf_free(&b);
}

static void yaml_scalars(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"q35", "q35"},
        {"pc-q35-11.1", "pc-q35-11.1"},
        {"/usr/bin/x+y", "/usr/bin/x+y"},
        {"", "\"\""},
        {"-", "\"-\""},
        {"---", "\"---\""},
        {"a b", "\"a b\""},
        {"a: b", "\"a: b\""},
        {"0-3,8", "\"0-3,8\""},
        {"#x", "\"#x\""},
        {"@x", "\"@x\""},
        {"%x", "\"%x\""},
        {"=", "\"=\""},
        {"it's", "\"it's\""},
        {"\"", "\"\\\"\""},
        {"~", "\"~\""},
        {"*a", "\"*a\""},
        {"[a]", "\"[a]\""},
        {"\n", "\"\\u000a\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf b = {.data = NULL};
        strbuf_add_yaml(&b, cases[i].text);
        assert_string_equal(b.data, cases[i].written);
        strbuf_free(&b);
    }
}

static void add_utf8(struct strbuf *b, uint32_t c)
{
    if (c < 0x80) {
        strbuf_addc(b, (char)c);
    } else if (c < 0x800) {
        strbuf_addc(b, (char)(0xC0 | c >> 6));
        strbuf_addc(b, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        strbuf_addc(b, (char)(0xE0 | c >> 12));
        strbuf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        strbuf_addc(b, (char)(0x80 | (c & 0x3f)));
    } else {
        strbuf_addc(b, (char)(0xF0 | c >> 18));
        strbuf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
        strbuf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        strbuf_addc(b, (char)(0x80 | (c & 0x3f)));
    }
}

static void check_yaml_round_trip(uint32_t c)
{
    struct strbuf text = {.data = NULL};
    struct strbuf file = {.data = NULL};
    struct unit u;
    /* inside and at both ends */
    add_utf8(&text, c);
    strbuf_adds(&text, "a");
    add_utf8(&text, c);
    strbuf_adds(&text, "b");
    add_utf8(&text, c);
    strbuf_adds(&file, "k: ");
    strbuf_add_yaml(&file, text.data);
    strbuf_adds(&file, "\nl: 1\n");
    unit_parse_bytes(&u, file.data, file.len);
    if (!u.root || u.root->kind != DOC_MAPPING || doc_count(u.root) != 2)
        fail_msg("with U+%04X what is written cannot be read: %s", c, file.data);
    if (strcmp(doc_text(doc_pairs(u.root)[0].value), text.data) != 0)
        fail_msg("U+%04X is read back as another text: %s", c,
                 doc_text(doc_pairs(u.root)[0].value));
    unit_free(&u);
    strbuf_free(&text);
    strbuf_free(&file);
}

static void yaml_reads_back(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x80; c++)
        check_yaml_round_trip(c);
    static const uint32_t others[] = {0xa0, 0xe9, 0x416, 0x3042, 0xd7ff, 0xe000, 0x1f600, 0x10ffff};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        check_yaml_round_trip(others[i]);
}

/* Characters that a scalar can hold only by an escape: C1 controls, NEL, LS, PS, BOM,
 * non-characters. */
static void yaml_special_characters_read_back(void **state)
{
    (void)state;
    for (uint32_t c = 0x80; c < 0xa0; c++)
        check_yaml_round_trip(c);
    static const uint32_t others[] = {0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        check_yaml_round_trip(others[i]);
}

/* --- columns --------------------------------------------------------------------------------- */

static void aligned_columns(void **state)
{
    (void)state;
    struct columns c = {.width = 3, .right = 1u << 1};
    struct strbuf out = {.data = NULL};
    columns_add(&c, "node");
    columns_add(&c, "size");
    columns_add(&c, "type");
    columns_add(&c, "%d", 0);
    columns_add(&c, "%s", "1 GiB");
    columns_add(&c, "é");
    columns_add(&c, "日本語の");
    columns_add(&c, "x");
    columns_add(&c, "%s", "");
    columns_end(&c, &out);
    assert_buffer(&out, "  node   size  type\n"
                        "  0     1 GiB  é\n"
                        "  日本語の      x\n");
    assert_int_equal(c.count, 0);
    assert_null(c.cells.data);
    strbuf_free(&out);
    columns_end(&c, &out);
    assert_int_equal(out.len, 0);
    strbuf_free(&out);
}

/* --- argv ------------------------------------------------------------------------------------ */

static void build_command(struct argv *a)
{
    argv_add(a, ARG_OPTION, "qemu-kvm");
    struct strbuf *value = argv_option(a, "-m", "size=");
    strbuf_adds(value, "1G");
    strbuf_adds(argv_option(a, "-append", ""), "a 'b' \"c\"");
    argv_add(a, ARG_OPTION, "-S");
    argv_option(a, "-name", "");
}

static void command_formats(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } forms[] = {
#define FORM(text) {text, sizeof(text) - 1}
        [ARGV_SHELL] = FORM("#\nqemu-kvm \\\n  -m size=1G \\\n  -append 'a '\\''b'\\'' \"c\"' \\\n"
                            "  -S \\\n  -name ''\n"),
        [ARGV_JSON] = FORM("#\n[\n  \"qemu-kvm\",\n  \"-m\",\n  \"size=1G\",\n  \"-append\",\n"
                           "  \"a 'b' \\\"c\\\"\",\n  \"-S\",\n  \"-name\",\n  \"\"\n]\n"),
        [ARGV_NUL] = FORM("#\nqemu-kvm\0-m\0size=1G\0-append\0a 'b' \"c\"\0-S\0-name\0\0"),
#undef FORM
    };
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct strbuf out = {.data = NULL};
        strbuf_adds(&out, "#\n"); /* what was there before stays */
        struct argv a = argv_start(&out, (enum argv_form)i);
        build_command(&a);
        argv_end(&a);
        unit_buffer(&out, forms[i].text, forms[i].len, __FILE__, __LINE__);
        strbuf_free(&out);
    }
}

/* A first word that a shell would take as its own, or as an assignment, is quoted. */
static void first_words(void **state)
{
    (void)state;
    static const struct {
        const char *word, *written;
    } cases[] = {
        {"/usr/bin/qemu", "/usr/bin/qemu\n"},
        {"./a=b", "'./a=b'\n"},
        {"if", "'if'\n"},
        {"a=b", "'a=b'\n"},
        {"", "''\n"},
        {"a b-c", "'a b-c'\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf out = {.data = NULL};
        struct argv a = argv_start(&out, ARGV_SHELL);
        argv_add(&a, ARG_OPTION, cases[i].word);
        argv_end(&a);
        assert_string_equal(out.data, cases[i].written);
        strbuf_free(&out);
    }
}

static void empty_command(void **state)
{
    (void)state;
    static const char *const forms[] = {[ARGV_SHELL] = "\n", [ARGV_JSON] = "[]\n", [ARGV_NUL] = ""};
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct strbuf out = {.data = NULL};
        struct argv a = argv_start(&out, (enum argv_form)i);
        argv_end(&a);
        unit_buffer(&out, forms[i], strlen(forms[i]), __FILE__, __LINE__);
        strbuf_free(&out);
    }
}

/* --- a kernel's command line ----------------------------------------------------------------- */

static void parameters_are_added_where_the_kernel_reads(void **state)
{
    (void)state;
    static const struct {
        const char *own, *added, *want;
    } cases[] = {
        {NULL, "", ""},
        {NULL, "m", "m"},
        {"", "m", "m"},
        {"a", "", "a"},
        {"a", "m n", "a m n"},
        {"a ", "m", "a m"},
        {"a -- b", "m", "a m -- b"},
        {"a -- b", "", "a -- b"},
        {"--", "m", "m --"},
        {"-- a", "m", "m -- a"},
        {"a --b", "m", "a --b m"},
        {"a b--", "m", "a b-- m"},
        {"x=\" -- \" b", "m", "x=\" -- \" b m"},
        {"a\t-- b", "m", "a\tm -- b"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf out = {.data = NULL};
        cmdline_add(&out, cases[i].own, cases[i].added);
        assert_string_equal(out.data, cases[i].want);
        strbuf_free(&out);
    }
}

static void words_of_a_kernel(void **state)
{
    (void)state;
    assert_true(cmdline_has_word("a nokaslr b", "nokaslr"));
    assert_true(cmdline_has_word("nokaslr", "nokaslr"));
    assert_true(cmdline_has_word("a\nnokaslr\n", "nokaslr"));
    assert_false(cmdline_has_word("foo=nokaslr nokaslrfoo", "nokaslr"));
    assert_false(cmdline_has_word("a -- nokaslr", "nokaslr"));
    assert_false(cmdline_has_word("x=\"a nokaslr b\"", "nokaslr"));
    assert_false(cmdline_has_word(NULL, "nokaslr"));
    assert_true(cmdline_has("memmap=1G%0x0+0x1,2G%0x0+0x1", "memmap", "2G%0x0+0x1"));
    assert_false(cmdline_has("-- memmap=1G", "memmap", "1G"));
    assert_false(cmdline_is_open("a=\"b c\" d"));
    assert_true(cmdline_is_open("a=\"b c d"));
    assert_true(cmdline_is_open("a=\"b -- d"));
    assert_false(cmdline_is_open("a -- \"d"));
}

/* --- nearest --------------------------------------------------------------------------------- */

static const char *nearest_of(const char *word, const char *const *candidates, size_t count)
{
    struct nearest n = {.word = word};
    for (size_t i = 0; i < count; i++)
        nearest_offer(&n, candidates[i]);
    return n.best;
}

static void nearest_words(void **state)
{
    (void)state;
    static const char *const keys[] = {"memory", "cpus", "label", "initiator", "host-nodes", "id"};
    static const struct {
        const char *typed, *best;
    } cases[] = {
        {"memroy", "memory"},
        {"mem0ry", "memory"},
        {"memor", "memory"},
        {"memoryy", "memory"},
        {"cpu", "cpus"},
        {"pcus", "cpus"},
        {"lable", "label"},
        {"intiator", "initiator"},
        {"inittiater", "initiator"},
        {"host_nodes", "host-nodes"},
        {"hostnodes", "host-nodes"},
        {"di", "id"},
        {"memory", "memory"},
        {"zzzzzz", NULL},
        {"size", NULL},
        {"xx", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *best = nearest_of(cases[i].typed, keys, ARRAY_SIZE(keys));
        if (best != cases[i].best && (!best || !cases[i].best || strcmp(best, cases[i].best) != 0))
            fail_msg("'%s': %s", cases[i].typed, best ? best : "nothing");
    }
    /* the first of two that are as near */
    static const char *const pair[] = {"cat", "car"};
    assert_string_equal(nearest_of("cax", pair, 2), "cat");
    /* the nearer one, wherever it is */
    assert_string_equal(nearest_of("car", pair, 2), "car");
    assert_null(nearest_of("", keys, ARRAY_SIZE(keys)));
}

static void nearest_of_long_words(void **state)
{
    (void)state;
    char forty[41];
    char more[4001];
    memset(forty, 'a', 40);
    forty[40] = '\0';
    memset(more, 'a', 4000);
    more[4000] = '\0';
    const char *const candidates[] = {more, forty};
    assert_ptr_equal(nearest_of(forty, candidates, 2), forty);
    assert_null(nearest_of(more, candidates, 2));
}

/* --- strmap ---------------------------------------------------------------------------------- */

static void map_of_many_keys(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static char keys[COUNT][24];
    static int values[COUNT];
    struct strmap map = {.slots = NULL};
    assert_null(strmap_get(&map, "a"));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            snprintf(keys[i], sizeof(keys[i]), "key-%d", i);
            assert_null(strmap_get(&map, keys[i]));
            assert_null(strmap_set(&map, keys[i], &values[i]));
        }
        assert_int_equal(map.count, COUNT);
        for (int i = 0; i < COUNT; i++) {
            char copy[24];
            snprintf(copy, sizeof(copy), "key-%d", i);
            assert_ptr_equal(strmap_get(&map, copy), &values[i]);
        }
        assert_null(strmap_get(&map, "key-20000"));
        assert_ptr_equal(strmap_set(&map, "key-7", &values[0]), &values[7]);
        assert_ptr_equal(strmap_get(&map, "key-7"), &values[0]);
        assert_int_equal(map.count, COUNT);
        strmap_clear(&map);
        assert_int_equal(map.count, 0);
        assert_null(strmap_get(&map, "key-7"));
    }
    strmap_free(&map);
    assert_null(strmap_get(&map, "key-7"));
    assert_null(strmap_set(&map, "", &values[1]));
    assert_ptr_equal(strmap_get(&map, ""), &values[1]);
    strmap_free(&map);
}

/* A small table is cleared in place, a large one is given up. */
static void map_cleared_and_used_again(void **state)
{
    (void)state;
    struct strmap map = {.slots = NULL};
    int values[2];
    strmap_clear(&map);
    for (int round = 0; round < 3; round++) {
        assert_null(strmap_set(&map, "a", &values[0]));
        assert_null(strmap_set(&map, "b", &values[1]));
        assert_ptr_equal(strmap_set(&map, "a", &values[1]), &values[0]);
        assert_int_equal(map.count, 2);
        strmap_clear(&map);
        assert_int_equal(map.count, 0);
        assert_null(strmap_get(&map, "a"));
        assert_null(strmap_get(&map, "b"));
    }
    strmap_free(&map);
}

/* --- findings -------------------------------------------------------------------------------- */

struct findings {
    struct arena arena;
    struct diags diags;
    struct source source;
    struct strbuf out;
};

static void start(struct findings *f, const char *text, size_t len)
{
    *f = (struct findings){.diags = {.arena = NULL}};
    f->diags.arena = &f->arena;
    source_from_memory(&f->source, "vm.yaml", text, len);
}

static void finish(struct findings *f)
{
    source_free(&f->source);
    strbuf_free(&f->out);
    arena_free(&f->arena);
}

static void render(struct findings *f)
{
    strbuf_free(&f->out);
    diag_render_text(&f->out, &f->diags, &f->source, SEVERITY_NOTE, false);
}

/* The span of a place. Of a place beyond the text it is one beyond the text, too. */
static struct span span_at(const struct source *s, struct place at)
{
    if (!at.line)
        return (struct span){0};
    uint32_t line = s->line_count >= at.line ? s->lines[at.line - 1].character : 1000 * at.line;
    uint32_t end = s->line_count >= at.end_line ? s->lines[at.end_line - 1].character : line;
    return (struct span){line + at.column, end + at.end_column};
}

#define AT(l, c, el, ec) span_at(&f.source, (struct place){l, c, el, ec})

static void findings_are_sorted(void **state)
{
    (void)state;
    struct findings f;
    start(&f, "", 0);
    static const struct {
        uint32_t line, column;
    } places[] = {{3, 1}, {1, 9}, {2, 5}, {1, 9}, {0, 0}, {2, 4}, {10, 1}, {1, 10}};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        diag_add(&f.diags, RULE_BAD_VALUE,
                 AT(places[i].line, places[i].column, places[i].line, places[i].column + 1), "%zu",
                 i);
    diag_sort(&f.diags);
    static const char *const order[] = {"4", "1", "3", "7", "5", "2", "0", "6"};
    assert_int_equal(f.diags.count, ARRAY_SIZE(order));
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        assert_string_equal(f.diags.items[i]->message, order[i]);
    finish(&f);
    start(&f, "", 0);
    diag_sort(&f.diags);
    assert_int_equal(f.diags.count, 0);
    finish(&f);
}

static void equal_findings_are_kept_once(void **state)
{
    (void)state;
    struct findings f;
    start(&f, "", 0);
    diag_add(&f.diags, RULE_BAD_VALUE, AT(1, 1, 1, 2), "same");
    diag_add(&f.diags, RULE_BAD_VALUE, AT(2, 1, 2, 2), "same");
    diag_add(&f.diags, RULE_BAD_VALUE, AT(1, 1, 1, 2), "same");
    diag_add(&f.diags, RULE_BAD_VALUE, AT(1, 1, 1, 2), "other");
    diag_add(&f.diags, RULE_LIMIT, AT(1, 1, 1, 2), "other");
    diag_add(&f.diags, RULE_BAD_VALUE, AT(1, 2, 1, 3), "same");
    diag_sort(&f.diags);
    assert_int_equal(f.diags.count, 5);
    assert_int_equal(diag_count(&f.diags, SEVERITY_ERROR), 5);
    finish(&f);
}

static void findings_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    struct findings f;
    start(&f, "", 0);
    for (int i = 0; i < DIAG_LIMIT + 7; i++) {
        struct diag *d = diag_add(&f.diags, RULE_MIXED_NODE, AT(1, 1, 1, 2), "finding %d", i);
        diag_help(&f.diags, d, "help %d", i);
        diag_note(&f.diags, d, AT(1, 1, 1, 2), "note %d", i);
    }
    assert_int_equal(f.diags.count, DIAG_LIMIT);
    assert_int_equal(f.diags.dropped, 7);
    assert_string_equal(f.diags.items[DIAG_LIMIT - 1]->message, "finding 999");
    assert_string_equal(f.diags.items[DIAG_LIMIT - 1]->help, "help 999");
    assert_null(f.diags.items[DIAG_LIMIT - 1]->notes->next);
    diag_sort(&f.diags);
    assert_int_equal(f.diags.count, DIAG_LIMIT + 1);
    render(&f);
    assert_contains(f.out.data, "vm.yaml: note: 7 more findings are not shown [SPM103 limit]\n");
    finish(&f);
}

/* An error behind a thousand warnings is still an error. */
static void an_error_beyond_the_limit_counts(void **state)
{
    (void)state;
    struct findings f;
    start(&f, "", 0);
    for (int i = 0; i < DIAG_LIMIT; i++)
        diag_add(&f.diags, RULE_MIXED_NODE, AT(1, 1, 1, 2), "finding %d", i);
    assert_int_equal(diag_count(&f.diags, SEVERITY_ERROR), 0);
    diag_add(&f.diags, RULE_NODE_COUNT, AT(1, 1, 1, 2), "too many");
    diag_add(&f.diags, RULE_NODE_COUNT, AT(1, 1, 1, 2), "and more");
    assert_int_equal(diag_count(&f.diags, SEVERITY_ERROR), 2);
    assert_int_equal(f.diags.count, DIAG_LIMIT);
    finish(&f);
    struct compilation c;
    unit_compile(&c, "spmtopo: 1\nname: x\nmachine: {accel: tcg}\ncpus: 1\nnodes:\n"
                     "  - {id: 0, cpus: 0, memory: 1GiB}\n"
                     "  - {id: 1-1023, memory: [128MiB, {size: 128MiB, type: spm}]}\n");
    assert_false(c.ok);
    assert_int_not_equal(diag_count(&c.diags, SEVERITY_ERROR), 0);
    compile_free(&c);
}

static void rendered_finding(void **state)
{
    (void)state;
    static const char text[] = "spmtopo: 1\nкл: {é: 16GB}\n";
    struct findings f;
    start(&f, text, sizeof(text) - 1);
    struct diag *d = diag_add(&f.diags, RULE_BAD_VALUE, AT(2, 9, 2, 13), "'%s' is wrong", "16GB");
    diag_note(&f.diags, d, AT(1, 1, 1, 8), "the version");
    diag_note(&f.diags, d, AT(0, 0, 0, 0), "nowhere");
    diag_help(&f.diags, d, "write 16GiB");
    render(&f);
    assert_buffer(&f.out, "vm.yaml:2:9: error: '16GB' is wrong [SPM108 bad-value]\n"
                          "    2 | кл: {é: 16GB}\n"
                          "      |         ^~~~\n"
                          "vm.yaml:1:1: note: the version\n"
                          "    1 | spmtopo: 1\n"
                          "      | ^~~~~~~\n"
                          "vm.yaml: note: nowhere\n"
                          "  help: write 16GiB\n");
    finish(&f);
}

static void rendered_severities(void **state)
{
    (void)state;
    struct findings f;
    start(&f, "a: 1\n", 5);
    diag_add(&f.diags, RULE_CPU_VENDOR_UNSTATED, AT(1, 1, 1, 2), "n");
    diag_add(&f.diags, RULE_MIXED_NODE, AT(1, 1, 1, 2), "w");
    diag_add(&f.diags, RULE_LIMIT, AT(1, 1, 1, 2), "e");
    render(&f);
    assert_contains(f.out.data, ": note: n [SPM308 cpu-vendor-unstated]");
    assert_contains(f.out.data, ": warning: w [SPM402 mixed-node]");
    assert_contains(f.out.data, ": error: e [SPM103 limit]");
    strbuf_free(&f.out);
    diag_render_text(&f.out, &f.diags, &f.source, SEVERITY_WARNING, false);
    assert_lacks(f.out.data, ": note: n");
    assert_contains(f.out.data, ": warning: w");
    strbuf_free(&f.out);
    diag_render_text(&f.out, &f.diags, &f.source, SEVERITY_ERROR, false);
    assert_lacks(f.out.data, ": warning: w");
    assert_contains(f.out.data, ": error: e");
    assert_lacks(f.out.data, "\033");
    strbuf_free(&f.out);
    diag_render_text(&f.out, &f.diags, &f.source, SEVERITY_ERROR, true);
    assert_contains(f.out.data, "\033[1;31merror\033[0m: e");
    finish(&f);
}

/* The line of carets of the nth finding, without its margin. */
static const char *carets(struct findings *f)
{
    static char line[512];
    const char *p = strstr(f->out.data, "\n      | ");
    assert_non_null(p);
    p += 9;
    size_t len = strcspn(p, "\n");
    assert_in_range(len, 0, sizeof(line) - 1);
    memcpy(line, p, len);
    line[len] = '\0';
    return line;
}

static void rendered_carets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct place at;
        const char *shown, *carets;
    } cases[] = {
        {"a: b", {1, 4, 1, 5}, "a: b", "   ^"},
        {"a: b", {1, 4, 1, 4}, "a: b", "   ^"},
        {"\ta:\tbc", {1, 5, 1, 7}, " a: bc", "    ^~"},
        {"日本: x", {1, 5, 1, 6}, "日本: x", "    ^"},
        {"a: b", {1, 9, 1, 10}, "a: b", "    ^"},
        {"a: b", {1, 5, 1, 6}, "a: b", "    ^"},
        {"ab: [1,\n2]", {1, 5, 2, 3}, "ab: [1,", "    ^~~"},
        {"a: \x1b[31mb\x07", {1, 4, 1, 10}, "a: ?[31mb?", "   ^~~~~~"},
        {"a: \xC2\x9b"
         "31m",
         {1, 4, 1, 5},
         "a: ?31m",
         "   ^"},
        {"a: \xFF\xFE", {1, 4, 1, 6}, "a: ??", "   ^~"},
        {"a: \x7f", {1, 4, 1, 5}, "a: ?", "   ^"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct findings f;
        start(&f, cases[i].text, strlen(cases[i].text));
        diag_add(&f.diags, RULE_BAD_VALUE, span_at(&f.source, cases[i].at), "x");
        render(&f);
        char line[300];
        snprintf(line, sizeof(line), "\n    1 | %s\n", cases[i].shown);
        assert_contains(f.out.data, line);
        assert_string_equal(carets(&f), cases[i].carets);
        finish(&f);
    }
}

/* No finding for an empty line, and none without a place, shows a line. */
static void rendered_places_without_text(void **state)
{
    (void)state;
    struct findings f;
    start(&f, "a\n\nb", 4);
    diag_add(&f.diags, RULE_BAD_VALUE, AT(2, 1, 2, 2), "x");
    diag_add(&f.diags, RULE_BAD_VALUE, AT(0, 0, 0, 0), "z");
    render(&f);
    assert_buffer(&f.out, "vm.yaml:2:1: error: x [SPM108 bad-value]\n"
                          "vm.yaml: error: z [SPM108 bad-value]\n");
    finish(&f);
}

/* The width in characters of the longest line. */
static size_t widest(const char *text)
{
    size_t most = 0;
    size_t width = 0;
    for (; *text; text++) {
        if (*text == '\n') {
            width = 0;
            continue;
        }
        width += ((unsigned char)*text & 0xC0) != 0x80;
        most = width > most ? width : most;
    }
    return most;
}

/* Of a long line a window is shown, and the carets stay under the span. */
static void rendered_long_lines(void **state)
{
    (void)state;
    enum { LENGTH = 100000 };
    struct strbuf text = {.data = NULL};
    for (int i = 0; i < LENGTH; i++)
        strbuf_adds(&text, i == 50000 ? "X" : i % 3 ? "é" : ".");
    for (int wide = 0; wide < 2; wide++) {
        struct findings f;
        start(&f, text.data, text.len);
        diag_add(&f.diags, RULE_BAD_VALUE, AT(1, 50001, 1, wide ? LENGTH : 50002), "x");
        render(&f);
        assert_in_range(f.out.len, 1, 2000);
        assert_in_range(widest(f.out.data), 40, 200);
        const char *line = strstr(f.out.data, "1 | ") + 4;
        size_t x = 0;
        while (line[0] != 'X') {
            assert_int_not_equal(*line, '\n');
            x += ((unsigned char)*line++ & 0xC0) != 0x80;
        }
        assert_int_equal(strcspn(carets(&f), "^"), x);
        assert_int_equal(strlen(carets(&f)) == x + 1, !wide);
        finish(&f);
    }
    strbuf_free(&text);
}

static bool well_formed(const unsigned char *p, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = p[i] < 0x80   ? 1
                   : p[i] < 0xC2 ? 0
                   : p[i] < 0xE0 ? 2
                   : p[i] < 0xF0 ? 3
                   : p[i] < 0xF5 ? 4
                                 : 0;
        if (!n || n > len - i)
            return false;
        for (size_t k = 1; k < n; k++)
            if ((p[i + k] & 0xC0) != 0x80)
                return false;
        if ((p[i] == 0xE0 && p[i + 1] < 0xA0) || (p[i] == 0xED && p[i + 1] >= 0xA0) ||
            (p[i] == 0xF0 && p[i + 1] < 0x90) || (p[i] == 0xF4 && p[i + 1] >= 0x90))
            return false;
        if (p[i] < 0x20 && p[i] != '\n')
            return false;
        if (p[i] == 0x7f || (p[i] == 0xC2 && p[i + 1] < 0xA0))
            return false;
        i += n;
    }
    return true;
}

/* Whatever the bytes: no control character reaches the terminal, and what does is UTF-8. The bytes
 * are in the source, the message, the help, a note, and the name of the file. */
static void check_harmless(const char *bytes, size_t len)
{
    struct findings f;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memcpy(text, bytes, len);
    text[len] = '\0';
    start(&f, bytes, len);
    f.source.name = text;
    struct diag *d = diag_add(&f.diags, RULE_BAD_VALUE, AT(1, 2, 1, 4), "%s", text);
    diag_note(&f.diags, d, AT(1, 1, 1, 2), "%s", text);
    diag_help(&f.diags, d, "%s", text);
    render(&f);
    if (!well_formed((unsigned char *)f.out.data, f.out.len)) {
        for (size_t i = 0; i < len; i++)
            print_message("# %02x\n", (unsigned char)bytes[i]);
        fail_msg("raw bytes passed on");
    }
    finish(&f);
    free(text);
}

static void rendered_bytes_are_harmless(void **state)
{
    (void)state;
    struct unit_random r = unit_seed("rendered bytes");
    for (int c = 1; c < 256; c++) {
        const char text[] = {'a', (char)c, 'b', (char)c};
        check_harmless(text, sizeof(text));
    }
    /* surrogates, beyond U+10FFFF, overlong: ESC as E0 80 9B, CSI as E0 82 9B */
    static const char *const others[] = {"a\xED\xA0\x80"
                                         "b",
                                         "a\xF4\x90\x80\x80"
                                         "b",
                                         "a\xE0\x80\x9B"
                                         "b",
                                         "a\xE0\x82\x9B"
                                         "b",
                                         "a\xF0\x80\x80\x9B"
                                         "b",
                                         "a\xC0\x9B"
                                         "b",
                                         "a\xE3\x81",
                                         "a\xF0\x9F\x98"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        check_harmless(others[i], strlen(others[i]));
    for (int i = 0; i < 3000; i++) {
        char text[24];
        size_t len = 1 + unit_below(&r, sizeof(text));
        for (size_t k = 0; k < len; k++)
            text[k] =
                (char)(unit_below(&r, 3) ? 0x80 + unit_below(&r, 128) : 1 + unit_below(&r, 255));
        check_harmless(text, len);
    }
}

/* --- files ----------------------------------------------------------------------------------- */

static char directory[64];

static const char *in_directory(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static int make_directory(void **state)
{
    (void)state;
    umask(022);
    strcpy(directory, "/tmp/spmtopo-unit.XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

/* The number of entries; removes them when asked to. */
static size_t entries(bool delete)
{
    size_t count = 0;
    DIR *d = opendir(directory);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            count++;
            if (delete &&unlinkat(dirfd(d), e->d_name, 0) != 0)
                unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
        }
    closedir(d);
    return count;
}

static int remove_directory(void **state)
{
    (void)state;
    entries(true);
    return rmdir(directory);
}

static void assert_file(const char *name, const char *want, size_t len)
{
    char text[256];
    int fd = open(in_directory(name), O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    assert_int_equal(n, len);
    assert_memory_equal(text, want, len);
}

static mode_t mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(in_directory(name), &st), 0);
    return st.st_mode & 07777;
}

static void write_new_file(void **state)
{
    (void)state;
    assert_true(outfile_write(in_directory("new"), "a\0b", 3));
    assert_file("new", "a\0b", 3);
    assert_int_equal(mode_of("new"), 0644);
    umask(077);
    assert_true(outfile_write(in_directory("private"), "", 0));
    umask(022);
    assert_file("private", "", 0);
    assert_int_equal(mode_of("private"), 0600);
    assert_int_equal(entries(false), 2);
}

static void replace_file(void **state)
{
    (void)state;
    struct stat before;
    struct stat after;
    assert_true(outfile_write(in_directory("f"), "something long", 14));
    assert_int_equal(stat(in_directory("f"), &before), 0);
    assert_true(outfile_write(in_directory("f"), "short", 5));
    assert_file("f", "short", 5);
    assert_int_equal(stat(in_directory("f"), &after), 0);
    /* renamed over, not written into: a reader of the old file sees the old text */
    assert_int_not_equal(before.st_ino, after.st_ino);
    assert_int_equal(mode_of("f"), 0644);
    assert_int_equal(entries(false), 1);
    /* what was private stays so */
    assert_int_equal(chmod(in_directory("f"), 0600), 0);
    assert_true(outfile_write(in_directory("f"), "x", 1));
    assert_int_equal(mode_of("f"), 0600);
}

static void write_through_a_link(void **state)
{
    (void)state;
    struct stat st;
    assert_true(outfile_write(in_directory("target"), "old", 3));
    assert_int_equal(symlink("target", in_directory("link")), 0);
    assert_true(outfile_write(in_directory("link"), "new", 3));
    assert_file("target", "new", 3);
    assert_int_equal(lstat(in_directory("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(entries(false), 2);
}

static void failure_leaves_nothing(void **state)
{
    (void)state;
    errno = 0;
    assert_false(outfile_write(in_directory("no/such"), "x", 1));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mkdir(in_directory("dir"), 0755), 0);
    errno = 0;
    assert_false(outfile_write(in_directory("dir"), "x", 1));
    assert_int_equal(errno, EISDIR);
    errno = 0;
    assert_false(outfile_write("", "x", 1));
    assert_int_not_equal(errno, 0);
    assert_int_equal(entries(false), 1);
    errno = 0;
    assert_false(outfile_write("/dev/full", "x", 1));
    assert_int_equal(errno, ENOSPC);
    assert_true(outfile_write("/dev/null", "x", 1));
    struct stat st;
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

/* A write that fails half way: a limit on file sizes, in a child. */
static void failed_write_keeps_the_old_file(void **state)
{
    (void)state;
    assert_true(outfile_write(in_directory("f"), "old", 3));
    assert_int_equal(fflush(NULL), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static char large[1 << 20];
        const struct rlimit limit = {4096, 4096};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(9);
        if (outfile_write(in_directory("f"), large, sizeof(large)))
            _exit(8);
        _exit(errno == EFBIG ? 0 : 7);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_file("f", "old", 3);
    assert_int_equal(entries(false), 1);
}

/* Standard output: what stdio holds comes first, and an error is seen. */
static void write_standard_output(void **state)
{
    (void)state;
    assert_int_equal(fflush(NULL), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(in_directory("out"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
            _exit(9);
        fputs("1", stdout);
        if (!outfile_write("-", "2", 1) || !outfile_write(NULL, "3", 1))
            _exit(8);
        fd = open("/dev/full", O_WRONLY);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
            _exit(7);
        _exit(outfile_write(NULL, "4", 1) ? 6 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_file("out", "123", 3);
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending),
        cmocka_unit_test(plain_numbers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(sizes_read_back),
        cmocka_unit_test(shell_words),
        cmocka_unit_test(shell_round_trip),
        cmocka_unit_test(qemu_values),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(xml_text),
        cmocka_unit_test(yaml_scalars),
        cmocka_unit_test(yaml_reads_back),
        cmocka_unit_test(yaml_special_characters_read_back),
        cmocka_unit_test(aligned_columns),
        cmocka_unit_test(command_formats),
        cmocka_unit_test(first_words),
        cmocka_unit_test(empty_command),
        cmocka_unit_test(parameters_are_added_where_the_kernel_reads),
        cmocka_unit_test(words_of_a_kernel),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(nearest_of_long_words),
        cmocka_unit_test(map_of_many_keys),
        cmocka_unit_test(map_cleared_and_used_again),
        cmocka_unit_test(findings_are_sorted),
        cmocka_unit_test(equal_findings_are_kept_once),
        cmocka_unit_test(findings_beyond_the_limit_are_counted),
        cmocka_unit_test(an_error_beyond_the_limit_counts),
        cmocka_unit_test(rendered_finding),
        cmocka_unit_test(rendered_severities),
        cmocka_unit_test(rendered_carets),
        cmocka_unit_test(rendered_places_without_text),
        cmocka_unit_test(rendered_long_lines),
        cmocka_unit_test(rendered_bytes_are_harmless),
        WITH_DIRECTORY(write_new_file),
        WITH_DIRECTORY(replace_file),
        WITH_DIRECTORY(write_through_a_link),
        WITH_DIRECTORY(failure_leaves_nothing),
        WITH_DIRECTORY(failed_write_keeps_the_old_file),
        WITH_DIRECTORY(write_standard_output),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
