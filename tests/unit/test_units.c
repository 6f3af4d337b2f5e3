/* SPDX-License-Identifier: MIT */
/* Sizes, addresses, numbers, latencies, bandwidths and id lists as text; rounding. */
#include "unit.h"

#include "units.h"

typedef bool parser(const char *text, uint64_t *value, struct unit_error *error);

static void accepts(parser *parse, const char *text, uint64_t want)
{
    struct unit_error error = {.message = ""};
    uint64_t value = ~want;
    if (!parse(text, &value, &error))
        fail_msg("'%s' is refused: %s", text, error.message);
    if (value != want)
        fail_msg("'%s' is %" PRIu64 ", not %" PRIu64, text, value, want);
}

/* Refuses a text with words in the message and in the help. */
static void refuses(parser *parse, const char *text, const char *message, const char *help)
{
    struct unit_error error;
    uint64_t value = 0;
    memset(&error, 'z', sizeof(error));
    if (parse(text, &value, &error))
        fail_msg("'%s' is accepted as %" PRIu64, text, value);
    assert_non_null(memchr(error.message, '\0', sizeof(error.message)));
    assert_non_null(memchr(error.help, '\0', sizeof(error.help)));
    assert_contains(error.message, message);
    assert_contains(error.help, help);
}

/* --- sizes ----------------------------------------------------------------------------------- */

static void size_units(void **state)
{
    (void)state;
    accepts(size_parse, "1KiB", KIB);
    accepts(size_parse, "512MiB", 512 * MIB);
    accepts(size_parse, "16GiB", 16 * GIB);
    accepts(size_parse, "2TiB", 2 * TIB);
    accepts(size_parse, "3PiB", 3 * KIB * TIB);
    accepts(size_parse, "1K", KIB);
    accepts(size_parse, "1M", MIB);
    accepts(size_parse, "1G", GIB);
    accepts(size_parse, "1T", TIB);
    accepts(size_parse, "1P", KIB * TIB);
    accepts(size_parse, "0KiB", 0);
}

static void size_fractions_are_exact(void **state)
{
    (void)state;
    accepts(size_parse, "1.5GiB", 1536 * MIB);
    accepts(size_parse, "0.5KiB", 512);
    accepts(size_parse, "0.0009765625KiB", 1);
    accepts(size_parse, "1.0GiB", GIB);
    accepts(size_parse, "1.50000000000000000000000000000GiB", 1536 * MIB);
    accepts(size_parse, "0.25M", 256 * KIB);
    /* not representable as a double together */
    accepts(size_parse, "4095.9990234375TiB", 4096 * TIB - GIB);
    refuses(size_parse, "1.3GiB", "'1.3GiB' is not a whole number of bytes", "next smaller unit");
    refuses(size_parse, "0.3KiB", "not a whole number of bytes", "");
    refuses(size_parse, "0.00048828125KiB", "not a whole number of bytes", "");
    refuses(size_parse, "1.0000000000000000001GiB", "not a whole number of bytes", "");
    refuses(size_parse, "1.000000000000000001GiB", "not a whole number of bytes", "");
}

/* 2^-20 has 20 decimal places and 2^-30 has 30: more than a 64-bit fraction holds, and exact. */
static void size_long_fractions_are_exact(void **state)
{
    (void)state;
    accepts(size_parse, "0.00000095367431640625GiB", KIB);
    accepts(size_parse, "0.000000000931322574615478515625GiB", 1);
    accepts(size_parse, "1.000000000931322574615478515625GiB", GIB + 1);
}

static void size_limits(void **state)
{
    (void)state;
    accepts(size_parse, "4095TiB", 4095 * TIB);
    accepts(size_parse, "4398046511103KiB", ADDRESS_LIMIT - KIB);
    accepts(size_parse, "4398046511103.9990234375KiB", ADDRESS_LIMIT - 1);
    refuses(size_parse, "4PiB", "'4PiB' is larger than the 4 PiB", "below 4PiB");
    refuses(size_parse, "4096TiB", "larger than", "below 4PiB");
    refuses(size_parse, "4398046511104KiB", "larger than", "");
    /* 2^64, 2^64 + 1 and 2^74 bytes: nothing wraps round */
    refuses(size_parse, "18014398509481984KiB", "larger than", "");
    refuses(size_parse, "18446744073709551616KiB", "larger than", "");
    refuses(size_parse, "18446744073709551617KiB", "larger than", "");
    refuses(size_parse, "16777216TiB", "larger than", "");
    refuses(size_parse, "99999999999999999999999999999999999999999999GiB", "larger than", "");
}

static void size_refusals_name_the_fix(void **state)
{
    (void)state;
    refuses(size_parse, "16GB", "'GB' is not a unit here", "write 16GiB");
    refuses(size_parse, "1.5TB", "'TB' is not a unit here", "write 1.5TiB");
    refuses(size_parse, "512MB", "'MB' is not a unit here", "write 512MiB");
    refuses(size_parse, "4KB", "'KB' is not a unit here", "write 4KiB");
    refuses(size_parse, "4kB", "'kB' is not a unit here", "write 4KiB");
    refuses(size_parse, "1PB", "'PB' is not a unit here", "write 1PiB");
    refuses(size_parse, "007GiB", "'007GiB' has a leading zero", "write 7GiB");
    refuses(size_parse, "00.5GiB", "has a leading zero", "write 0.5GiB");
    refuses(size_parse, "4096", "size needs a unit", "write 4096MiB or 4096GiB");
    refuses(size_parse, "1.5", "size needs a unit", "write 1.5MiB or 1.5GiB");
    refuses(size_parse, "16g", "'g' is not a unit of size", "write 16GiB");
    refuses(size_parse, "16gib", "'gib' is not a unit of size", "write 16GiB");
    refuses(size_parse, "5mb", "'mb' is not a unit of size", "write 5MiB");
    refuses(size_parse, "5k", "'k' is not a unit of size", "write 5KiB");
    refuses(size_parse, "5 MiB", "is not a unit of size", "without a blank before it: 5MiB");
    refuses(size_parse, "5EiB", "'EiB' is not a unit of size", "the units are KiB");
    refuses(size_parse, "5MiBs", "'MiBs' is not a unit of size", "the units are KiB");
    refuses(size_parse, "5B", "'B' is not a unit of size", "the units are KiB");
    refuses(size_parse, "0x10", "'0x10' is not a size", "decimal");
}

static void size_not_a_number(void **state)
{
    (void)state;
    static const char *const texts[] = {"",      "-1GiB", "+1GiB", "GiB",     ".5GiB", "1.GiB",
                                        " 1GiB", "\tGiB", "nan",   "1..5GiB", "١GiB"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        refuses(size_parse, texts[i], "is not a size", "write a number and a binary unit");
}

/* A hostile scalar does not make a long line. */
static void messages_are_short(void **state)
{
    (void)state;
    char text[4096];
    memset(text, '9', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    refuses(size_parse, text, "size needs a unit", "9…MiB");
    refuses(number_parse, text, "9…' is too large", "");
    memset(text, 'k', sizeof(text) - 1);
    refuses(size_parse, text, "kkkk…' is not a size", "");
    text[0] = '1';
    refuses(size_parse, text, "kkkk…' is not a unit of size", "write 1KiB");
    refuses(address_parse, text, "kkkk…' is not an address", "");
    refuses(latency_parse, text, "kkkk…' is not a latency", "");
}

/* --- addresses ------------------------------------------------------------------------------- */

static void addresses(void **state)
{
    (void)state;
    accepts(address_parse, "0", 0);
    accepts(address_parse, "0x0", 0);
    accepts(address_parse, "0x100000000", 4 * GIB);
    accepts(address_parse, "0xfD00000000", UINT64_C(0xfd00000000));
    accepts(address_parse, "0x00000000000000000001", 1);
    accepts(address_parse, "0xfffffffffffff", ADDRESS_LIMIT - 1);
    accepts(address_parse, "4GiB", 4 * GIB);
    accepts(address_parse, "1.5T", 1536 * GIB);
    refuses(address_parse, "0x10000000000000", "beyond the 52 address bits", "0x10000000000000");
    refuses(address_parse, "0x10000000000000000", "beyond the 52 address bits", "");
    refuses(address_parse, "0x10000000000000001", "beyond the 52 address bits", "");
    refuses(address_parse, "0x", "is not an address", "write 0x and hexadecimal digits");
    refuses(address_parse, "0xg", "is not an address", "write 0x and hexadecimal digits");
    refuses(address_parse, "04GiB", "is not an address", "a size from zero such as 4GiB");
    refuses(address_parse, "0x1g", "is not an address", "");
    refuses(address_parse, "0x-1", "is not an address", "");
    refuses(address_parse, "0x1 ", "is not an address", "");
    refuses(address_parse, "0X10", "is not an address", "");
    refuses(address_parse, "4294967296", "is not an address", "write 0x and hexadecimal digits");
    refuses(address_parse, "", "is not an address", "");
}

/* --- numbers --------------------------------------------------------------------------------- */

static void numbers(void **state)
{
    (void)state;
    accepts(number_parse, "0", 0);
    accepts(number_parse, "7", 7);
    accepts(number_parse, "18446744073709551615", UINT64_MAX);
    refuses(number_parse, "18446744073709551616", "is too large", "write a smaller number");
    refuses(number_parse, "28446744073709551615", "is too large", "");
    refuses(number_parse, "010", "has a leading zero", "write 10");
    refuses(number_parse, "00", "leading zero", "write 0");
    static const char *const texts[] = {"",   "-1", "+1",    "1.0", "1e3",  "0x10",
                                        " 1", "1 ", "1_000", "one", "1,000"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        refuses(number_parse, texts[i], "is not a whole number", "write decimal digits");
}

/* --- latencies and bandwidths ---------------------------------------------------------------- */

static void latencies(void **state)
{
    (void)state;
    accepts(latency_parse, "800ps", 800);
    accepts(latency_parse, "100ns", 100000);
    accepts(latency_parse, "0.5us", 500000);
    accepts(latency_parse, "0.001ns", 1);
    accepts(latency_parse, "0ns", 0);
    accepts(latency_parse, "1152921504606846975ps", (UINT64_C(1) << 60) - 1);
    refuses(latency_parse, "1152921504606846976ps", "is too large for a latency", "");
    refuses(latency_parse, "18446744073709551617us", "is too large for a latency", "");
    refuses(latency_parse, "0100ns", "'0100ns' has a leading zero", "write 100ns");
    refuses(latency_parse, "0.0005ns", "is not a whole number of the smallest unit", "");
    refuses(latency_parse, "0.5ps", "is not a whole number of the smallest unit", "");
    refuses(latency_parse, "100", "a latency needs a unit", "such as 100ns");
    refuses(latency_parse, "100ms", "'100ms' is not a latency", "ps, ns or us");
    refuses(latency_parse, "100NS", "is not a latency", "ps, ns or us");
    refuses(latency_parse, "100 ns", "is not a latency", "write 100ns");
    refuses(latency_parse, "1.5nsec", "is not a latency", "write 1.5ns");
    refuses(latency_parse, "-1ns", "is not a latency", "");
    refuses(latency_parse, "", "is not a latency", "");
}

static void bandwidths(void **state)
{
    (void)state;
    accepts(bandwidth_parse, "1MiB/s", MIB);
    accepts(bandwidth_parse, "200GiB/s", 200 * GIB);
    accepts(bandwidth_parse, "1.5TiB/s", 1536 * GIB);
    accepts(bandwidth_parse, "0.5MiB/s", 512 * KIB);
    accepts(bandwidth_parse, "1048575TiB/s", 1048575 * TIB);
    refuses(bandwidth_parse, "1048576TiB/s", "is too large for a bandwidth", "");
    refuses(bandwidth_parse, "00.5GiB/s", "has a leading zero", "write 0.5GiB/s");
    refuses(bandwidth_parse, "200", "a bandwidth needs a unit", "200GiB/s");
    refuses(bandwidth_parse, "200GiB", "'200GiB' is not a bandwidth", "write 200GiB/s");
    refuses(bandwidth_parse, "200GB/s", "is not a bandwidth", "write 200GiB/s");
    refuses(bandwidth_parse, "200G", "is not a bandwidth", "write 200GiB/s");
    refuses(bandwidth_parse, "1.5 TB/s", "is not a bandwidth", "write 1.5TiB/s");
    refuses(bandwidth_parse, "1KiB/s", "is not a bandwidth", "MiB/s, GiB/s or TiB/s");
    refuses(bandwidth_parse, "0x1GiB/s", "is not a bandwidth", "MiB/s, GiB/s or TiB/s");
    refuses(bandwidth_parse, "0.3MiB/s", "is not a whole number", "");
}

/* --- versions -------------------------------------------------------------------------------- */

static void versions(void **state)
{
    (void)state;
    unsigned parts[3];
    assert_int_equal(version_parts("12", parts), 1);
    assert_int_equal(version_parts("12.0", parts), 2);
    assert_int_equal(version_parts("999.0.10", parts), 3);
    assert_int_equal(parts[0], 999);
    assert_int_equal(parts[1], 0);
    assert_int_equal(parts[2], 10);
    static const char *const texts[] = {"",     "012",  "12.08", "12.8.00",      "1000",    "+1",
                                        "1.",   ".1",   "1..2",  "1.2.3.4",      " 1",      "1 ",
                                        "1.+2", "1.2a", "0x1",   "4294967297.1", "1.2.3\n", "one"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(version_parts(texts[i], parts), 0);
}

static void versions_without_zeros(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"011.1", "11.1"},
        {"11.01", "11.1"},
        {"011.000001.02", "11.1.2"},
        {"00000000000000000000000000000000000011.1", "11.1"},
        {"06", "6"},
        {"00.00", "0.0"},
        {"11.1", ""}, /* there is nothing to leave out */
        {"10.0", ""},
        {"", ""},
        {"011.1x", ""},
        {"0x11", ""},
        {"011.1.2.3", ""},
        {"011.111111111111111111", ""},
        {"01111111111111111111", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(version_without_zeros(cases[i].text).text, cases[i].want);
}

/* --- id lists -------------------------------------------------------------------------------- */

static void id_lists(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct id_range want[4];
        size_t count;
    } cases[] = {
        {"3", {{3, 3}}, 1},
        {"0-7", {{0, 7}}, 1},
        {"5-5", {{5, 5}}, 1},
        {"0-3,8,10-11", {{0, 3}, {8, 8}, {10, 11}}, 3},
        {"9,1,9", {{9, 9}, {1, 1}, {9, 9}}, 3},
        {"0-4294967295", {{0, UINT32_MAX}}, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *p = cases[i].text;
        struct unit_error error = {.message = ""};
        for (size_t k = 0; k < cases[i].count; k++) {
            struct id_range range = {0, 0};
            assert_int_not_equal(*p, 0);
            if (!id_range_next(&p, &range, &error))
                fail_msg("'%s': %s", cases[i].text, error.message);
            assert_int_equal(range.first, cases[i].want[k].first);
            assert_int_equal(range.last, cases[i].want[k].last);
        }
        assert_string_equal(p, "");
    }
}

static void id_lists_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *help;
    } cases[] = {
        {"", "is not a list of ids", "0-3,8,10-11"},
        {",", "is not a list of ids", "0-3,8,10-11"},
        {"1,", "is not a list of ids", "no blanks"},
        {"1-", "is not a list of ids", "0-3,8,10-11"},
        {"-1", "is not a list of ids", "0-3,8,10-11"},
        {"1-2-3", "is not a list of ids", "0-3,8,10-11"},
        {"1 - 2", "is not a list of ids", "no blanks"},
        {"1, 2", "is not a list of ids", "0-3,8,10-11"},
        {"0x1", "is not a list of ids", "0-3,8,10-11"},
        {"01", "is not a list of ids", "leading zero"},
        {"0-03", "is not a list of ids", "leading zero"},
        {"1-02", "is not a list of ids", "0-3,8,10-11"},
        {"all", "is not a list of ids", "0-3,8,10-11"},
        {"4294967296", "is not a list of ids", "0-3,8,10-11"},
        {"0-18446744073709551616", "is not a list of ids", "0-3,8,10-11"},
        {"7-3", "the range 7-3 runs backwards", "write 3-7"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *p = cases[i].text;
        struct unit_error error;
        struct id_range range;
        bool ok = true;
        memset(&error, 'z', sizeof(error));
        do
            ok = id_range_next(&p, &range, &error);
        while (ok && *p);
        if (ok)
            fail_msg("'%s' is accepted", cases[i].text);
        assert_contains(error.message, cases[i].message);
        assert_contains(error.help, cases[i].help);
    }
}

/* --- arithmetic ------------------------------------------------------------------------------ */

static void rounding(void **state)
{
    (void)state;
    assert_int_equal(round_up(0, GIB), 0);
    assert_int_equal(round_up(1, GIB), GIB);
    assert_int_equal(round_up(GIB, GIB), GIB);
    assert_int_equal(round_up(GIB + 1, GIB), 2 * GIB);
    assert_int_equal(round_up(10, 3), 12);
    assert_int_equal(round_up(ADDRESS_LIMIT - 1, 2 * GIB), ADDRESS_LIMIT);
}

static void bits(void **state)
{
    (void)state;
    assert_int_equal(bits_for(0), 0);
    assert_int_equal(bits_for(1), 0);
    assert_int_equal(bits_for(2), 1);
    assert_int_equal(bits_for(3), 2);
    assert_int_equal(bits_for(4), 2);
    assert_int_equal(bits_for(5), 3);
    assert_int_equal(bits_for(UINT64_MAX), 64);
    for (unsigned i = 1; i < 64; i++) {
        assert_int_equal(bits_for(UINT64_C(1) << i), i);
        assert_int_equal(bits_for((UINT64_C(1) << i) + 1), i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_units),
        cmocka_unit_test(size_fractions_are_exact),
        cmocka_unit_test(size_long_fractions_are_exact),
        cmocka_unit_test(size_limits),
        cmocka_unit_test(size_refusals_name_the_fix),
        cmocka_unit_test(size_not_a_number),
        cmocka_unit_test(messages_are_short),
        cmocka_unit_test(addresses),
        cmocka_unit_test(numbers),
        cmocka_unit_test(latencies),
        cmocka_unit_test(bandwidths),
        cmocka_unit_test(versions),
        cmocka_unit_test(versions_without_zeros),
        cmocka_unit_test(id_lists),
        cmocka_unit_test(id_lists_refused),
        cmocka_unit_test(rounding),
        cmocka_unit_test(bits),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
