/* SPDX-License-Identifier: MIT */
/* Where memory lies: QEMU's holes and window, the language's placement of SPM, AMD relocation. */
#include "unit.h"

#define HT_HOLE UINT64_C(0xfd00000000)

static const char head[] = "spmtopo: 1\nname: layout\ncpus: 1\n";

/* Compiles: a machine, RAM of node 0, and more text (nodes first). */
static bool lay_out(struct compilation *c, const char *machine, const char *ram, const char *more)
{
    struct strbuf b = {.data = NULL};
    strbuf_addf(&b, "%smachine: %s\nnodes:\n  - {id: 0, cpus: 0, memory: %s}\n%s", head, machine,
                ram, more);
    unit_compile(c, b.data);
    strbuf_free(&b);
    return c->ok;
}

#define Q35_TCG "{type: q35, accel: tcg, cpu: Skylake-Server}"
#define PC_TCG "{type: pc, accel: tcg, cpu: Skylake-Server}"
#define Q35_AMD "{type: q35, accel: tcg, cpu: EPYC}"
#define PC_AMD "{type: pc, accel: tcg, cpu: EPYC}"

#define assert_lays_out(c, machine, ram, more)                                                     \
    do {                                                                                           \
        if (!lay_out((c), (machine), (ram), (more))) {                                             \
            unit_print_findings(&(c)->diags);                                                      \
            fail_msg("no layout: %s with %s: %s", (machine), (ram), (more));                       \
        }                                                                                          \
    } while (0)

/* --- boot memory ------------------------------------------------------------------------------ */

static void split_below_4g(void **state)
{
    (void)state;
    static const struct {
        const char *machine, *ram;
        uint64_t below, above;
    } cases[] = {
        {Q35_TCG, "128MiB", 128 * MIB, 0},
        {Q35_TCG, "2815MiB", 2815 * MIB, 0},
        {Q35_TCG, "2883576KiB", 2816 * MIB - 8 * KIB, 0},
        {Q35_TCG, "2816MiB", 2 * GIB, 768 * MIB},
        {Q35_TCG, "4GiB", 2 * GIB, 2 * GIB},
        {PC_TCG, "2816MiB", 2816 * MIB, 0},
        {PC_TCG, "3583MiB", 3583 * MIB, 0},
        {PC_TCG, "3670008KiB", 3584 * MIB - 8 * KIB, 0},
        {PC_TCG, "3584MiB", 3 * GIB, 512 * MIB},
        {PC_TCG, "4GiB", 3 * GIB, GIB},
        {"{type: pc-q35-6.2, accel: tcg}", "2816MiB", 2 * GIB, 768 * MIB},
        {"{type: pc-i440fx-8.0, accel: tcg}", "3584MiB", 3 * GIB, 512 * MIB},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct compilation c;
        assert_lays_out(&c, cases[i].machine, cases[i].ram, "");
        assert_int_equal(c.predictions[0].layout.below, cases[i].below);
        assert_int_equal(c.predictions[0].layout.above, cases[i].above);
        assert_int_equal(c.predictions[0].layout.ram, cases[i].below + cases[i].above);
        assert_int_equal(c.predictions[0].layout.high_base, 4 * GIB);
        /* without SPM and max-memory there is no window */
        assert_int_equal(c.predictions[0].layout.window, 0);
        assert_int_equal(c.predictions[0].layout.window_size, 0);
        assert_int_equal(c.predictions[0].layout.max_memory, c.predictions[0].layout.ram);
        compile_free(&c);
    }
}

/* Two nodes around the hole, and the hole from 640 KiB to 1 MiB. */
static void affinity_of_boot_memory(void **state)
{
    (void)state;
    struct compilation c;
    assert_lays_out(&c, Q35_TCG, "1GiB", "  - {id: 1, memory: 3GiB}\n  - {id: 2, memory: 1GiB}\n");
    static const struct affinity want[] = {
        {0, 640 * KIB, 0, 1},     {MIB, GIB - MIB, 0, 1}, {GIB, GIB, 1, 1},
        {4 * GIB, 2 * GIB, 1, 1}, {6 * GIB, GIB, 2, 1},
    };
    assert_int_equal(c.predictions[0].layout.affinity_count, ARRAY_SIZE(want));
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        assert_int_equal(c.predictions[0].layout.affinity[i].address, want[i].address);
        assert_int_equal(c.predictions[0].layout.affinity[i].size, want[i].size);
        assert_int_equal(c.predictions[0].layout.affinity[i].node, want[i].node);
        assert_int_equal(c.predictions[0].layout.affinity[i].flags, want[i].flags);
    }
    compile_free(&c);
}

/* --- where SPM goes --------------------------------------------------------------------------- */

/* The addresses of all SPM in order of node and declaration; size 0 ends. */
static void check_spm(const char *machine, const char *ram, const char *more, const uint64_t *want)
{
    struct compilation c;
    assert_lays_out(&c, machine, ram, more);
    for (size_t i = 0; i < c.predictions[0].layout.spm_count; i++)
        if (c.predictions[0].layout.spm[i].address != want[i])
            fail_msg("region %zu is at 0x%" PRIx64 ", not 0x%" PRIx64 ": %s", i,
                     c.predictions[0].layout.spm[i].address, want[i], more);
    assert_int_equal(want[c.predictions[0].layout.spm_count], 0);
    compile_free(&c);
}

#define SPM(machine, ram, more, ...)                                                               \
    check_spm(machine, ram, more, (const uint64_t[]){__VA_ARGS__, 0})

static void placement(void **state)
{
    (void)state;
    /* from the end of RAM, up to a GiB */
    SPM(Q35_TCG, "1GiB", "  - {id: 1, memory: {size: 1GiB, type: spm}}\n", 4 * GIB);
    SPM(Q35_TCG, "4GiB", "  - {id: 1, memory: {size: 1GiB, type: spm}}\n", 6 * GIB);
    SPM(Q35_TCG, "4097MiB", "  - {id: 1, memory: {size: 1GiB, type: spm}}\n", 7 * GIB);
    SPM(PC_TCG, "4GiB", "  - {id: 1, memory: {size: 1GiB, type: spm}}\n", 5 * GIB);
    /* another node: a block away, and a block's multiple */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: {size: 256MiB, type: spm}}\n"
        "  - {id: 2, memory: {size: 2MiB, type: spm}}\n"
        "  - {id: 3, memory: {size: 130MiB, type: spm}}\n"
        "  - {id: 4, memory: {size: 128MiB, type: spm}}\n",
        4 * GIB, 4 * GIB + 384 * MIB, 4 * GIB + 640 * MIB, 4 * GIB + 1024 * MIB);
    /* one node: without a gap, whatever the sizes */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: [{size: 2MiB, type: spm}, {size: 130MiB, type: spm},\n"
        "      {size: 1GiB, type: spm}]}\n",
        4 * GIB, 4 * GIB + 2 * MIB, 4 * GIB + 132 * MIB);
    /* nodes in order of id, not of the file */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 2, memory: {size: 128MiB, type: spm}}\n"
        "  - {id: 1, memory: {size: 256MiB, type: spm}}\n",
        4 * GIB, 4 * GIB + 384 * MIB);
}

static void placement_by_backend(void **state)
{
    (void)state;
    /* an odd number of pages, and what follows it on the same node */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: [{size: 4100KiB, type: spm, backend: {kind: memfd}},\n"
        "      {size: 4KiB, type: spm, backend: {kind: memfd}}, {size: 2MiB, type: spm}]}\n",
        4 * GIB, 4 * GIB + 4100 * KIB, 4 * GIB + 6 * MIB);
    /* huge pages are larger than a block */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: {size: 128MiB, type: spm}}\n"
        "  - {id: 2, memory: {size: 1GiB, type: spm, backend: {kind: memfd, hugepages: 1GiB}}}\n",
        4 * GIB, 5 * GIB);
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: {size: 128MiB, type: spm}}\n"
        "  - {id: 2, memory: {size: 4GiB, type: spm, backend: {kind: file, path: /x, align: 4GiB}}}\n",
        4 * GIB, 8 * GIB);
}

static void placement_around_given_addresses(void **state)
{
    (void)state;
    /* a given address is kept, and kept off: a block before and behind it */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: {size: 1GiB, type: spm, address: 0x120000000}}\n"
        "  - {id: 2, memory: {size: 128MiB, type: spm}}\n"
        "  - {id: 3, memory: {size: 256MiB, type: spm}}\n",
        0x120000000, 4 * GIB, 0x120000000 + GIB + 128 * MIB);
    /* a hole that fits exactly is used, one that is 2 MiB too small is not */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: {size: 128MiB, type: spm, address: 4GiB}}\n"
        "  - {id: 2, memory: {size: 128MiB, type: spm, address: 0x120000000}}\n"
        "  - {id: 3, memory: {size: 128MiB, type: spm}}\n",
        4 * GIB, 0x120000000, 0x110000000);
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: {size: 128MiB, type: spm, address: 4GiB}}\n"
        "  - {id: 2, memory: {size: 128MiB, type: spm, address: 0x120000000}}\n"
        "  - {id: 3, memory: {size: 130MiB, type: spm}}\n",
        4 * GIB, 0x120000000, 0x130000000);
    /* the same node needs no distance */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: [{size: 128MiB, type: spm, address: 0x108000000},\n"
        "      {size: 128MiB, type: spm}, {size: 128MiB, type: spm}]}\n",
        0x108000000, 4 * GIB, 0x110000000);
    /* given ones may touch, and lie below in any order */
    SPM(Q35_TCG, "1GiB",
        "  - {id: 1, memory: {size: 2MiB, type: spm, address: 0x100200000}}\n"
        "  - {id: 2, memory: {size: 2MiB, type: spm, address: 4GiB}}\n",
        0x100200000, 4 * GIB);
}

static void refused_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        enum rule_id rule;
    } cases[] = {
        {"  - {id: 1, memory: {size: 2MiB, type: spm, address: 0x100100000}}\n",
         RULE_ADDRESS_ALIGNMENT},
        {"  - {id: 1, memory: {size: 2MiB, type: spm, address: 0xffe00000}}\n",
         RULE_ADDRESS_WINDOW},
        {"  - {id: 1, memory: {size: 2MiB, type: spm, address: 0}}\n", RULE_ADDRESS_WINDOW},
        {"  - {id: 1, memory: {size: 4MiB, type: spm, address: 0xfffffffe00000}}\n",
         RULE_ADDRESS_WINDOW},
        {"  - {id: 1, memory: {size: 4MiB, type: spm, address: 0x100200000}}\n"
         "  - {id: 2, memory: {size: 4MiB, type: spm, address: 4GiB}}\n",
         RULE_ADDRESS_OVERLAP},
        {"  - {id: 1, memory: {size: 4MiB, type: spm, address: 4GiB}}\n"
         "  - {id: 2, memory: {size: 4MiB, type: spm, address: 4GiB}}\n",
         RULE_ADDRESS_OVERLAP},
        {"  - {id: 1, memory: {size: 1GiB, type: spm, address: 0x140000000}}\n"
         "device-memory: {max-memory: 2GiB}\n",
         RULE_ADDRESS_WINDOW},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct compilation c;
        if (lay_out(&c, Q35_TCG, "1GiB", cases[i].more))
            fail_msg("accepted: %s", cases[i].more);
        const struct diag *d = assert_finding(&c.diags, cases[i].rule);
        assert_int_equal(c.diags.count, 1);
        assert_true(given(d->at));
        assert_non_null(d->help);
        compile_free(&c);
    }
}

/* 128 MiB, and 2 GiB from 64 GiB of boot memory on. */
static void memory_blocks(void **state)
{
    (void)state;
    static const char two[] = "  - {id: 1, memory: {size: 128MiB, type: spm}}\n"
                              "  - {id: 2, memory: {size: 128MiB, type: spm}}\n";
    struct compilation c;
    assert_lays_out(&c, Q35_TCG, "32GiB", two);
    assert_int_equal(c.predictions[0].layout.block, 128 * MIB);
    compile_free(&c);
    assert_lays_out(&c, Q35_TCG, "64GiB", two);
    assert_int_equal(c.predictions[0].layout.block, 2 * GIB);
    compile_free(&c);
    /* the window begins at 66 GiB on q35 (2 GiB below the hole), at 65 GiB on pc */
    SPM(Q35_TCG, "64GiB", two, 66 * GIB, 70 * GIB);
    SPM(PC_TCG, "64GiB", two, 66 * GIB, 70 * GIB);
    SPM(Q35_TCG, "32GiB", two, 34 * GIB, 34 * GIB + 256 * MIB);
    SPM(Q35_TCG, "65GiB", two, 68 * GIB, 72 * GIB);
}

/* --- the window ------------------------------------------------------------------------------ */

static void window_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        uint64_t max, slots, size;
    } cases[] = {
        /* auto: just enough */
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\n", 2 * GIB, 0, GIB},
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\n"
         "  - {id: 2, memory: {size: 2MiB, type: spm}}\n",
         2 * GIB + 130 * MIB, 0, GIB + 130 * MIB},
        {"  - {id: 1, memory: {size: 2MiB, type: spm, address: 8GiB}}\n", 5 * GIB + 2 * MIB, 0,
         4 * GIB + 2 * MIB},
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\ndevice-memory: {slots: 3}\n", 2 * GIB, 3,
         4 * GIB},
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\ndevice-memory: {max-memory: auto, slots: auto}\n",
         2 * GIB, 0, GIB},
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\ndevice-memory: {max-memory: 8GiB}\n",
         8 * GIB, 0, 7 * GIB},
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\n"
         "device-memory: {max-memory: 8GiB, slots: 4}\n",
         8 * GIB, 4, 11 * GIB},
        {"device-memory: {max-memory: 8GiB, slots: 4}\n", 8 * GIB, 4, 11 * GIB},
        {"device-memory: {max-memory: 1GiB}\n", GIB, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct compilation c;
        assert_lays_out(&c, Q35_TCG, "1GiB", cases[i].more);
        assert_int_equal(c.predictions[0].layout.max_memory, cases[i].max);
        assert_int_equal(c.predictions[0].layout.slots, cases[i].slots);
        assert_int_equal(c.predictions[0].layout.window_size, cases[i].size);
        assert_int_equal(c.predictions[0].layout.window, cases[i].size ? 4 * GIB : 0);
        compile_free(&c);
    }
}

static void refused_windows(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        enum rule_id rule;
        const char *help;
    } cases[] = {
        {"device-memory: {max-memory: 512MiB}\n", RULE_MAX_MEMORY, "max-memory"},
        {"device-memory: {max-memory: 1048577KiB}\n", RULE_MAX_MEMORY, "MiB"},
        {"device-memory: {max-memory: 1GiB, slots: 1}\n", RULE_MAX_MEMORY, "1GiB"},
        {"device-memory: {slots: 1}\n", RULE_MAX_MEMORY, "1GiB"},
        /* one MiB too little for the region; slots' slack is not memory */
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\ndevice-memory: {max-memory: 2047MiB}\n",
         RULE_WINDOW_FULL, "2GiB"},
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\n"
         "device-memory: {max-memory: 2047MiB, slots: 9}\n",
         RULE_MAX_MEMORY, "2GiB"},
        /* enough memory, but not at these places */
        {"  - {id: 1, memory: {size: 1GiB, type: spm}}\n"
         "  - {id: 2, memory: {size: 1GiB, type: spm}}\ndevice-memory: {max-memory: 3GiB}\n",
         RULE_WINDOW_FULL, "3200MiB"},
        {"device-memory: {max-memory: 2GiB, slots: 257}\n", RULE_SLOT_COUNT, "slots"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct compilation c;
        if (lay_out(&c, Q35_TCG, "1GiB", cases[i].more))
            fail_msg("accepted: %s", cases[i].more);
        const struct diag *d = assert_finding(&c.diags, cases[i].rule);
        assert_int_equal(c.diags.count, 1);
        assert_contains(d->help, cases[i].help);
        compile_free(&c);
    }
    /* what the help says is enough is enough */
    struct compilation c;
    assert_lays_out(&c, Q35_TCG, "1GiB",
                    "  - {id: 1, memory: {size: 1GiB, type: spm}}\n"
                    "  - {id: 2, memory: {size: 1GiB, type: spm}}\n"
                    "device-memory: {max-memory: 3200MiB}\n");
    compile_free(&c);
}

/* SRAT of the window: SPM by address, what is between with the last node and hot-pluggable. */
static void affinity_of_the_window(void **state)
{
    (void)state;
    struct compilation c;
    assert_lays_out(&c, Q35_TCG, "1GiB",
                    "  - {id: 1, memory: {size: 1GiB, type: spm, address: 6GiB}}\n"
                    "  - {id: 2, memory: {size: 128MiB, type: spm}}\n"
                    "device-memory: {max-memory: 8GiB, slots: 1}\n");
    static const struct affinity want[] = {
        {4 * GIB, 128 * MIB, 2, 1},
        {4 * GIB + 128 * MIB, 2 * GIB - 128 * MIB, 2, 3},
        {6 * GIB, GIB, 1, 1},
        {7 * GIB, 5 * GIB, 2, 3},
    };
    size_t first = c.predictions[0].layout.affinity_count - ARRAY_SIZE(want);
    assert_int_equal(first, 5); /* n + 2 */
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        assert_int_equal(c.predictions[0].layout.affinity[first + i].address, want[i].address);
        assert_int_equal(c.predictions[0].layout.affinity[first + i].size, want[i].size);
        assert_int_equal(c.predictions[0].layout.affinity[first + i].node, want[i].node);
        assert_int_equal(c.predictions[0].layout.affinity[first + i].flags, want[i].flags);
    }
    compile_free(&c);
}

/* --- AMD ------------------------------------------------------------------------------------- */

static void amd_relocation_edges(void **state)
{
    (void)state;
    static const char spm[] = "  - {id: 1, memory: {size: 1GiB, type: spm}}\n";
    static const struct {
        const char *machine, *ram, *more;
        bool moves;
    } cases[] = {
        {Q35_AMD, "978GiB", "", false},
        {Q35_AMD, "979GiB", "", true},
        {PC_AMD, "1009GiB", "", false},
        {PC_AMD, "1010GiB", "", true},
        {Q35_TCG, "979GiB", "", false},
        {PC_TCG, "1010GiB", "", false},
        {"{type: q35, accel: tcg, cpu: max}", "979GiB", "", true},
        {"{type: q35, accel: tcg, cpu: Dhyana}", "979GiB", "", false},
        {"{type: pc-q35-7.1, accel: tcg, cpu: EPYC}", "979GiB", "", true},
        {"{type: pc-q35-7.0, accel: tcg, cpu: EPYC}", "979GiB", "", false},
        {"{type: q35, accel: kvm, cpu-vendor: amd}", "979GiB", "", true},
        {"{type: q35, accel: kvm, cpu-vendor: intel}", "979GiB", "", false},
        {"{type: q35, accel: kvm}", "978GiB", "", false},
        {Q35_AMD, "978GiB", "device-memory: {max-memory: 978GiB}\n", false},
        /* the window counts in full, with the 2 GiB multiple at which its SPM begins */
        {Q35_AMD, "976GiB", spm, false},
        {Q35_AMD, "977GiB", spm, true},
        {Q35_AMD, "4GiB", "device-memory: {max-memory: 978GiB}\n", false},
        {Q35_AMD, "4GiB", "device-memory: {max-memory: 979GiB}\n", true},
        {Q35_AMD, "4GiB", "device-memory: {max-memory: 977GiB, slots: 1}\n", false},
        {Q35_AMD, "4GiB", "device-memory: {max-memory: 978GiB, slots: 1}\n", true},
        {Q35_AMD, "1GiB", "  - {id: 1, memory: {size: 976GiB, type: spm}}\n", false},
        {Q35_AMD, "1GiB", "  - {id: 1, memory: {size: 977GiB, type: spm}}\n", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct compilation c;
        assert_lays_out(&c, cases[i].machine, cases[i].ram, cases[i].more);
        const struct layout *l = &c.predictions[0].layout;
        if ((l->high_base == TIB) != cases[i].moves)
            fail_msg("case %zu: high memory at 0x%" PRIx64, i, l->high_base);
        assert_true(l->high_base == TIB || l->high_base == 4 * GIB);
        if (l->window)
            assert_int_equal(l->window, round_up(l->high_base + l->above, GIB));
        /* all of [above] moves, and [below] does not */
        for (size_t k = 0; k < l->e820_count; k++)
            if (l->e820[k].type == E820_RAM && l->e820[k].address)
                assert_int_equal(l->e820[k].address, l->high_base);
        compile_free(&c);
    }
}

static void amd_reserves_the_hole(void **state)
{
    (void)state;
    static const struct {
        const char *machine;
        bool reserved;
    } cases[] = {
        {Q35_AMD, true},
        {Q35_TCG, false},
        {"{type: q35, accel: tcg, cpu: EPYC, phys-bits: 40}", true},
        {"{type: q35, accel: tcg, cpu: EPYC, phys-bits: 39}", false},
        {"{type: pc-q35-7.0, accel: tcg, cpu: EPYC}", false},
        {"{type: q35, accel: kvm, cpu-vendor: amd}", true},
        {"{type: q35, accel: kvm, cpu-vendor: intel}", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct compilation c;
        assert_lays_out(&c, cases[i].machine, "1GiB", "");
        size_t found = 0;
        for (size_t k = 0; k < c.predictions[0].layout.e820_count; k++)
            found += c.predictions[0].layout.e820[k].address == HT_HOLE &&
                     c.predictions[0].layout.e820[k].size == 0x300000000 &&
                     c.predictions[0].layout.e820[k].type == E820_RESERVED;
        if (found != cases[i].reserved)
            fail_msg("case %zu: %zu entries", i, found);
        compile_free(&c);
    }
}

/* Under kvm without a vendor the layout must be one that does not depend on it. */
static void unstated_vendor(void **state)
{
    (void)state;
    struct compilation c;
    assert_false(lay_out(&c, "{type: q35, accel: kvm}", "979GiB", ""));
    assert_contains(assert_finding(&c.diags, RULE_CPU_VENDOR)->help, "cpu-vendor: amd");
    compile_free(&c);
}

/* --- address width --------------------------------------------------------------------------- */

static void phys_bits(void **state)
{
    (void)state;
    static const struct {
        const char *machine, *ram;
        unsigned bits;
    } cases[] = {
        {Q35_TCG, "1GiB", 40},
        {Q35_TCG, "990GiB", 40},
        {Q35_TCG, "991GiB", 41},
        {PC_TCG, "1021GiB", 40},
        {PC_TCG, "1022GiB", 41},
        {Q35_AMD, "979GiB", 41},
        {"{type: q35, accel: tcg, cpu: Skylake-Server, phys-bits: 46}", "1GiB", 46},
        {"{type: q35, accel: tcg, cpu: Skylake-Server, phys-bits: 36}", "1GiB", 36},
        {"{type: q35, accel: kvm, cpu-vendor: intel}", "991GiB", 0},
        {"{type: q35, accel: kvm, cpu-vendor: intel, phys-bits: 41}", "991GiB", 41},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct compilation c;
        assert_lays_out(&c, cases[i].machine, cases[i].ram, "");
        assert_int_equal(c.predictions[0].layout.phys_bits, cases[i].bits);
        compile_free(&c);
    }
    struct compilation c;
    assert_false(
        lay_out(&c, "{type: q35, accel: tcg, cpu: Skylake-Server, phys-bits: 40}", "991GiB", ""));
    const struct diag *d = assert_finding(&c.diags, RULE_PHYS_BITS);
    assert_contains(d->help, "phys-bits: 41");
    assert_int_equal(unit_line(&c.source, d->at), 4);
    compile_free(&c);
    /* 2^52 is the end */
    assert_false(
        lay_out(&c, Q35_TCG, "4095TiB", "  - {id: 1, memory: {size: 1020GiB, type: spm}}\n"));
    assert_true(diag_count(&c.diags, SEVERITY_ERROR) > 0);
    compile_free(&c);
}

/* --- properties of generated models ------------------------------------------------------------ */

enum { MOST = 64 };

struct region_text {
    unsigned node;
    uint64_t size;
    uint64_t address; /* 0: none */
    uint64_t align;
};

struct generated {
    bool q35, amd;
    uint64_t ram;
    unsigned nodes;
    struct region_text regions[MOST];
    size_t count;
    bool overlapping; /* two given addresses */
    struct strbuf yaml;
};

static uint64_t window_of(const struct generated *g, uint64_t high)
{
    uint64_t low = g->q35 ? (g->ram >= 2816 * MIB ? 2 * GIB : 2816 * MIB)
                          : (g->ram >= 3584 * MIB ? 3 * GIB : 3584 * MIB);
    uint64_t above = g->ram > low ? g->ram - low : 0;
    return round_up(high + above, GIB);
}

static void generate(struct generated *g, struct unit_random *r)
{
    *g = (struct generated){.q35 = unit_below(r, 2), .amd = unit_below(r, 2)};
    switch (unit_below(r, 4)) {
    case 0:
        g->ram = (1 + unit_below(r, 8192)) * MIB;
        break;
    case 1:
        g->ram = (1 + unit_below(r, 2 * MIB)) * 8 * KIB;
        break;
    case 2:
        g->ram = (56 + unit_below(r, 16)) * GIB + unit_below(r, 2) * 768 * MIB;
        break;
    default:
        g->ram = (960 + unit_below(r, 80)) * GIB;
    }
    g->nodes = 1 + (unsigned)unit_below(r, 7);
    bool addresses = g->ram < 512 * GIB && unit_below(r, 2);
    uint64_t window = window_of(g, 4 * GIB);
    for (unsigned n = 0; n < g->nodes; n++)
        for (uint64_t k = unit_below(r, 4); k && g->count < MOST; k--) {
            struct region_text *t = &g->regions[g->count++];
            *t = (struct region_text){.node = n, .align = unit_below(r, 3) ? 2 * MIB : 4 * KIB};
            t->size = t->align * (1 + unit_below(r, 1 + unit_below(r, 1024)));
            if (unit_below(r, 4) == 0)
                t->size = (1 + unit_below(r, 20)) * 512 * MIB;
            if (addresses && unit_below(r, 4) == 0)
                t->address = window + unit_below(r, 8192) * 2 * MIB;
        }
    for (size_t i = 0; i < g->count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct region_text *a = &g->regions[i];
            const struct region_text *b = &g->regions[j];
            g->overlapping |= a->address && b->address && a->address < b->address + b->size &&
                              b->address < a->address + a->size;
        }
}

/* The nodes from the last to the first where `backwards`: the layout is the same. */
static void write_model(struct generated *g, bool backwards)
{
    strbuf_free(&g->yaml);
    strbuf_addf(&g->yaml,
                "%smachine: {type: %s, accel: tcg, cpu: %s}\n"
                "rules: {mixed-nodes: allow}\nnodes:\n",
                head, g->q35 ? "q35" : "pc", g->amd ? "EPYC" : "Skylake-Server");
    for (unsigned i = 0; i < g->nodes; i++) {
        unsigned n = backwards ? g->nodes - 1 - i : i;
        strbuf_addf(&g->yaml, "  - id: %u\n", n);
        if (n == 0)
            strbuf_addf(&g->yaml, "    cpus: 0\n");
        strbuf_addf(&g->yaml, "    memory:\n");
        if (n == 0)
            strbuf_addf(&g->yaml, "      - %" PRIu64 "KiB\n", g->ram / KIB);
        size_t written = 0;
        for (size_t k = 0; k < g->count; k++) {
            const struct region_text *t = &g->regions[k];
            if (t->node != n)
                continue;
            strbuf_addf(&g->yaml, "      - {size: %" PRIu64 "KiB, type: spm", t->size / KIB);
            if (t->address)
                strbuf_addf(&g->yaml, ", address: 0x%" PRIx64, t->address);
            if (t->align == 4 * KIB)
                strbuf_addf(&g->yaml, ", backend: {kind: memfd}");
            strbuf_adds(&g->yaml, "}\n");
            written++;
        }
        if (!written && n) {
            /* a node without memory: no 'memory' then */
            g->yaml.len -= strlen("    memory:\n");
            g->yaml.data[g->yaml.len] = '\0';
        }
    }
}

static uint64_t gap_between(const struct layout *l, const struct region *a, const struct region *b)
{
    return a->node == b->node ? 0 : l->block;
}

/* Whether a region at `at` keeps off all that were placed before it. */
static bool is_free(const struct layout *l, const struct generated *g, size_t i, uint64_t at)
{
    const struct region *region = l->spm[i].region;
    for (size_t k = 0; k < l->spm_count; k++) {
        if (k == i || (k > i && !g->regions[k].address))
            continue;
        const struct placement *other = &l->spm[k];
        uint64_t gap = gap_between(l, region, other->region);
        if (at < other->address + other->region->size.value + gap &&
            other->address < at + region->size.value + gap)
            return false;
    }
    return true;
}

/* The language's placement, by trying: right behind the node's region before it, else the lowest free
 * multiple of a block. */
static void check_placed(const struct layout *l, const struct generated *g, size_t i)
{
    const struct region_text *t = &g->regions[i];
    uint64_t at = l->spm[i].address;
    if (t->address) {
        assert_int_equal(at, t->address);
        return;
    }
    if (i && g->regions[i - 1].node == t->node && !g->regions[i - 1].address) {
        uint64_t next = round_up(l->spm[i - 1].address + g->regions[i - 1].size, t->align);
        if (is_free(l, g, i, next)) {
            assert_int_equal(at, next);
            return;
        }
    }
    uint64_t lowest = round_up(l->window, l->block);
    while (!is_free(l, g, i, lowest))
        lowest += l->block;
    if (at != lowest)
        fail_msg("region %zu is at 0x%" PRIx64 ", and 0x%" PRIx64 " is free", i, at, lowest);
}

static void check_regions(const struct layout *l, const struct generated *g)
{
    assert_int_equal(l->ram, g->ram);
    assert_int_equal(l->below + l->above, g->ram);
    assert_int_equal(l->spm_count, g->count);
    uint64_t end = l->window;
    for (size_t i = 0; i < l->spm_count; i++) {
        const struct placement *p = &l->spm[i];
        uint64_t p_end = p->address + p->region->size.value;
        assert_int_equal(p->region->node, g->regions[i].node);
        assert_int_equal(p->region->size.value, g->regions[i].size);
        assert_true(p->address >= l->window);
        assert_true(p_end <= l->window + l->window_size);
        assert_int_equal(p->address % g->regions[i].align, 0);
        for (size_t k = 0; k < i; k++) {
            const struct placement *o = &l->spm[k];
            uint64_t o_end = o->address + o->region->size.value;
            assert_true(p->address >= o_end || o->address >= p_end);
            if (g->regions[i].address && g->regions[k].address)
                continue;
            uint64_t gap = gap_between(l, p->region, o->region);
            assert_true(p->address >= o_end + gap || o->address >= p_end + gap);
        }
        end = u64_max(end, p_end);
        check_placed(l, g, i);
    }
    assert_int_equal(l->window, g->count ? window_of(g, l->high_base) : 0);
    assert_int_equal(l->window_size, end - l->window);
    assert_int_equal(l->max_memory, l->ram + l->window_size);
}

static void check_high_memory(const struct layout *l, const struct generated *g)
{
    uint64_t hole = g->q35 ? 32 * GIB : 2 * GIB;
    uint64_t end = 4 * GIB + l->above;
    if (l->window_size)
        end = round_up(end, GIB) + l->window_size;
    bool touches = round_up(end, GIB) + hole - 1 >= HT_HOLE;
    assert_int_equal(l->high_base, g->amd && touches ? TIB : 4 * GIB);
    end += l->high_base - 4 * GIB;
    assert_int_equal(l->top, round_up(end, GIB) + hole - 1);
    assert_true(l->phys_bits >= 40 && l->phys_bits <= 52);
    assert_int_equal(l->top >> l->phys_bits, 0);
    assert_true(l->phys_bits == 40 || l->top >> (l->phys_bits - 1));
}

/* SRAT: disjoint, each node's memory in full but for the hole of 384 KiB, the window without a gap. */
static void check_affinity(const struct layout *l, const struct generated *g)
{
    uint64_t sum[8] = {0};
    uint64_t in_window = 0;
    uint64_t cursor = l->window;
    for (size_t i = 0; i < l->affinity_count; i++) {
        const struct affinity *a = &l->affinity[i];
        if (!a->flags) {
            assert_int_equal(a->size | a->address | a->node, 0);
            continue;
        }
        assert_true(a->size > 0);
        for (size_t k = 0; k < i; k++)
            assert_true(l->affinity[k].address + l->affinity[k].size <= a->address ||
                        a->address + a->size <= l->affinity[k].address);
        if (l->window && a->address >= l->window) {
            assert_int_equal(a->address, cursor);
            cursor += a->size;
            in_window += a->size;
        }
        if (a->flags == SRAT_ENABLED)
            sum[a->node] += a->size;
        else
            assert_int_equal(a->node, g->nodes - 1);
    }
    assert_int_equal(in_window, l->window_size);
    for (unsigned n = 0; n < g->nodes; n++) {
        uint64_t want = n ? 0 : g->ram > MIB ? g->ram - 384 * KIB : u64_min(g->ram, 640 * KIB);
        for (size_t k = 0; k < g->count; k++)
            want += g->regions[k].node == n ? g->regions[k].size : 0;
        assert_int_equal(sum[n], want);
    }
}

static void check_e820(const struct layout *l, const struct generated *g)
{
    uint64_t ram = 0;
    size_t spm = 0;
    for (size_t i = 0; i < l->e820_count; i++) {
        const struct e820_entry *e = &l->e820[i];
        assert_true(e->size > 0);
        for (size_t k = 0; k < i; k++)
            assert_true(l->e820[k].address + l->e820[k].size <= e->address ||
                        e->address + e->size <= l->e820[k].address ||
                        /* without the AMD rule memory may lie over AMD's hole; with it, never */
                        !g->amd);
        ram += e->type == E820_RAM ? e->size : 0;
        if (e->type == E820_SOFT_RESERVED) {
            assert_int_equal(e->address, l->spm[spm].address);
            assert_int_equal(e->size, l->spm[spm].region->size.value);
            assert_int_equal(e->node, l->spm[spm].region->node);
            spm++;
        }
    }
    assert_int_equal(ram, l->ram);
    assert_int_equal(spm, l->spm_count);
}

static void generated_layouts(void **state)
{
    (void)state;
    struct unit_random r = unit_seed("layouts");
    size_t laid_out = 0;
    size_t refused = 0;
    size_t moved = 0;
    for (int run = 0; run < 2000; run++) {
        struct generated g;
        struct compilation c;
        struct unit_random before = r;
        generate(&g, &r);
        write_model(&g, false);
        unit_compile(&c, g.yaml.data);
        if (c.ok == g.overlapping) {
            unit_print_findings(&c.diags);
            fail_msg("run %d (state %" PRIu64 ") is %s:\n%s", run, before.state,
                     c.ok ? "accepted" : "refused", g.yaml.data);
        }
        if (c.ok) {
            laid_out++;
            moved += c.predictions[0].layout.high_base == TIB;
            check_regions(&c.predictions[0].layout, &g);
            check_high_memory(&c.predictions[0].layout, &g);
            check_affinity(&c.predictions[0].layout, &g);
            check_e820(&c.predictions[0].layout, &g);
            struct compilation again;
            write_model(&g, true);
            assert_compiles(&again, g.yaml.data);
            assert_int_equal(again.predictions[0].layout.spm_count,
                             c.predictions[0].layout.spm_count);
            for (size_t i = 0; i < c.predictions[0].layout.spm_count; i++)
                assert_int_equal(again.predictions[0].layout.spm[i].address,
                                 c.predictions[0].layout.spm[i].address);
            compile_free(&again);
        } else {
            refused++;
            assert_finding(&c.diags, RULE_ADDRESS_OVERLAP);
        }
        compile_free(&c);
        strbuf_free(&g.yaml);
    }
    /* the generator says something */
    assert_in_range(laid_out, 1000, 2000);
    assert_in_range(refused, 20, 1000);
    assert_in_range(moved, 50, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_below_4g),
        cmocka_unit_test(affinity_of_boot_memory),
        cmocka_unit_test(placement),
        cmocka_unit_test(placement_by_backend),
        cmocka_unit_test(placement_around_given_addresses),
        cmocka_unit_test(refused_addresses),
        cmocka_unit_test(memory_blocks),
        cmocka_unit_test(window_sizes),
        cmocka_unit_test(refused_windows),
        cmocka_unit_test(affinity_of_the_window),
        cmocka_unit_test(amd_relocation_edges),
        cmocka_unit_test(amd_reserves_the_hole),
        cmocka_unit_test(unstated_vendor),
        cmocka_unit_test(phys_bits),
        cmocka_unit_test(generated_layouts),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
