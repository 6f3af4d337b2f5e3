/* SPDX-License-Identifier: MIT */
/* What is read of a guest: tables of unknown origin, logs in pieces of any length, and small files. */
#include "unit.h"

#include "acpi_decode.h"
#include "guest_view.h"

/* --- tables --------------------------------------------------------------------------------- */

static void fix(unsigned char *bytes, size_t len)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < 4; i++)
        bytes[4 + i] = (unsigned char)(len >> (8 * i));
    bytes[9] = 0;
    for (size_t i = 0; i < len; i++)
        sum += bytes[i];
    bytes[9] = (unsigned char)(0x100 - (sum & 0xff));
}

static const struct affinity memory[] = {{0, 0xa0000, 0, 1},
                                         {0x100000000, 0x40000000, 1, 1},
                                         {0x140000000, 0x1000, 1, 3},
                                         {0, 0, 0, 0}};

static void encode(struct strbuf *b, int table)
{
    static const uint8_t distances[] = {10, 21, 22, 10};
    static const uint32_t initiators[] = {0, 1};
    static uint16_t values[] = {1, 2, 3, 4, 5, 6};
    static struct hmat_attributes attributes[] = {{true, 0, 0}, {false, 128, 1}};
    static struct hmat_locality locality = {HMAT_ACCESS_LATENCY, 1000, initiators, 2, 3, values};
    if (table == VIEW_SRAT) {
        static struct srat_cpu cpus[] = {{0, 0, false}, {300, 1, false}, {1, 256, true}};
        srat_encode(b, &maker_qemu,
                    &(struct srat){cpus, ARRAY_SIZE(cpus), memory, ARRAY_SIZE(memory)});
    } else if (table == VIEW_SLIT) {
        slit_encode(b, &maker_qemu, &(struct slit){2, distances});
    } else {
        hmat_encode(b, &maker_qemu,
                    &(struct hmat){.present = true,
                                   .attributes = attributes,
                                   .attribute_count = ARRAY_SIZE(attributes),
                                   .localities = &locality,
                                   .locality_count = 1});
    }
}

static void decoded_lines(void **state)
{
    static const char *const want[][7] = {
        [VIEW_SRAT] = {"processor, APIC id 0: node 0", "processor, APIC id 1: node 300",
                       "processor, x2APIC id 256: node 1", "memory 0x0-0x9ffff: node 0",
                       "memory 0x100000000-0x13fffffff: node 1",
                       "memory 0x140000000-0x140000fff: node 1, hot-pluggable", "memory, not used"},
        [VIEW_SLIT] = {"distances from node 0: 10 21", "distances from node 1: 22 10"},
        [VIEW_HMAT] = {"memory of node 0: initiator 0", "memory of node 1: initiator unknown",
                       "access latency, hierarchy 0, in units of 1000",
                       "from node 0 to 0:1 1:2 2:3", "from node 1 to 0:4 1:5 2:6"},
    };
    (void)state;
    for (int t = 0; t < VIEW_APIC; t++) {
        struct arena arena = {0};
        struct strbuf b = {0};
        struct table_lines lines = {0};
        encode(&b, t);
        assert_null(
            acpi_decode(view_table_names[t], (unsigned char *)b.data, b.len, &arena, &lines));
        for (size_t i = 0; i < ARRAY_SIZE(want[t]) && want[t][i]; i++) {
            assert_true(i < lines.count);
            assert_string_equal(lines.items[i], want[t][i]);
        }
        strbuf_free(&b);
        arena_free(&arena);
    }
}

/* A MADT, of which the program makes none, and caches of an HMAT. */
static void decoded_bytes(void **state)
{
    static const struct {
        const char *signature;
        unsigned char body[48];
        size_t len;
        const char *line;    /* the last; NULL: none */
        const char *problem; /* a part of it; NULL: none */
    } cases[] = {
        {"APIC", {0}, 7, NULL, "too short"},
        {"APIC", {0}, 8, NULL, NULL},
        {"APIC", {[8] = 0, 8, 1, 7, 1}, 16, "APIC id 7", NULL},
        {"APIC", {[8] = 9, 16, 0, 0, 0, 1, 0, 0, 1}, 24, "256", NULL},
        {"APIC", {[8] = 9, 8}, 16, NULL, "a length of 8"},
        {"APIC", {[8] = 0, 16}, 24, NULL, "a length of 16"},
        {"APIC", {[8] = 1, 12}, 20, NULL, NULL},
        {"APIC", {[8] = 1}, 9, NULL, "a length of 0"},
        {"HMAT",
         {[4] = 2, [8] = 32, [12] = 3, [20] = 0, 0, 16, [28] = 0x11, 1},
         36,
         "cache of node 3: 0x100000 bytes, attributes 0x111",
         NULL},
        {"HMAT", {[4] = 2, [8] = 16}, 20, NULL, "a length of 16"},
        {"HMAT", {[4] = 9, [8] = 16}, 20, "a structure of type 9", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena arena = {0};
        struct table_lines lines = {0};
        unsigned char bytes[36 + sizeof(cases[i].body)] = {0};
        memcpy(bytes, cases[i].signature, 4);
        memcpy(bytes + 36, cases[i].body, cases[i].len);
        fix(bytes, 36 + cases[i].len);
        const char *problem =
            acpi_decode(cases[i].signature, bytes, 36 + cases[i].len, &arena, &lines);
        if (!cases[i].problem != !problem || (problem && !strstr(problem, cases[i].problem)) ||
            (cases[i].line &&
             (!lines.count || !strstr(lines.items[lines.count - 1], cases[i].line))))
            fail_msg("case %zu: problem '%s', the last line '%s'", i, problem ? problem : "none",
                     lines.count ? lines.items[lines.count - 1] : "none");
        arena_free(&arena);
    }
}

/* Every length, with a header that agrees: bounds hold (the sanitizers look), and what is cut inside a
 * structure is refused. */
static void cut_at_every_length(void **state)
{
    (void)state;
    for (int t = 0; t < VIEW_APIC; t++) {
        struct strbuf b = {0};
        encode(&b, t);
        for (size_t len = 0; len < b.len; len++) {
            struct arena arena = {0};
            struct table_lines lines = {0};
            unsigned char *bytes =
                malloc(len ? len : 1); /* of that size, for the address sanitizer */
            assert_non_null(bytes);
            memcpy(bytes, b.data, len);
            if (len > 9)
                fix(bytes, len);
            const char *problem = acpi_decode(view_table_names[t], bytes, len, &arena, &lines);
            assert_true(len >= 36 || problem);
            assert_true(t != VIEW_SLIT || problem);
            free(bytes);
            arena_free(&arena);
        }
        strbuf_free(&b);
    }
}

static void every_byte_altered(void **state)
{
    (void)state;
    for (int t = 0; t < VIEW_APIC; t++) {
        struct strbuf b = {0};
        encode(&b, t);
        for (size_t at = 36; at < b.len; at++)
            for (unsigned value = 0; value < 256; value += 51) {
                struct arena arena = {0};
                struct table_lines lines = {0};
                char was = b.data[at];
                b.data[at] = (char)value;
                fix((unsigned char *)b.data, b.len);
                acpi_decode(view_table_names[t], (unsigned char *)b.data, b.len, &arena, &lines);
                b.data[at] = was;
                arena_free(&arena);
            }
        strbuf_free(&b);
    }
}

/* --- logs ----------------------------------------------------------------------------------- */

static const char text[] =
    "[    0.000000] Linux version 7.2.12+deb14-amd64 (x)\n"
    "[    0.000000] Command line: a=b memmap=1G%4G-1+0xefffffff\r\n"
    "[    0.000000] BIOS-provided physical RAM map:\n"
    "[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff]  System RAM\n"
    "noise 1\n"
    "[    0.000000] BIOS-e820: [gap 0x00000000000a0000-0x00000000000fffff]\n"
    "\033[32m[    0.000000] \033[0mBIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable\n"
    "[    0.000000] BIOS-e820: [mem 0x0000000100000000-0x000000013fffffff]  soft reserved and more\n"
    "[    0.000000] user-defined physical RAM map:\n"
    "[    0.000000] user: [mem 0x0000000000000000-0x000000000009ffff] device reserved\n"
    "[    0.000000] efi: EFI v2.7 by EDK II\n"
    "[    0.000000] DMI: QEMU Standard PC, BIOS 2026.08+ds-2 09/26/2026\n"
    "[    0.000000] ACPI: SRAT 0x000000007FE4B000 000160 (v01 BOCHS)\n"
    "[    0.000000] SRAT: PXM 1 -> APIC 0x0a -> Node 0\n"
    "[    0.000000] ACPI: SRAT: Node 0 PXM 1 [mem 0x140000000-0x2ffffffff] hotplug\n"
    "[    0.000000] NUMA: Node 0 [mem 0x00001000-0x0009ffff]\n"
    "[    1.000000] kmem dax1.0: DAX region truncated by 128 MiB due to alignment\n"
    "the end";

static void check_log(const struct view_log *log)
{
    assert_true(log->present && log->efi && log->e820.present && log->user.present);
    assert_null(log->e820.damage);
    assert_int_equal(log->e820.count, 3);
    assert_int_equal(log->e820.items[0].end, 0xa0000);
    assert_int_equal(log->e820.items[1].type, E820_RAM);
    assert_true(log->e820.items[2].type == E820_SOFT_RESERVED);
    assert_true(log->e820.items[2].end == UINT64_C(0x140000000));
    assert_int_equal(log->user.count, 1);
    assert_int_equal(log->user.items[0].type, E820_RESERVED);
    assert_int_equal(log->srat.count, 1);
    assert_int_equal(log->srat.items[0].domain, 1);
    assert_int_equal(log->srat.items[0].flags, SRAT_ENABLED | SRAT_HOTPLUGGABLE);
    assert_null(log->srat.damage);
    assert_int_equal(log->cpu_count, 1);
    assert_int_equal(log->cpus[0].apic_id, 10);
    assert_int_equal(log->table_length[VIEW_SRAT], 0x160);
    assert_int_equal(log->table_length[VIEW_SLIT], 0);
    assert_string_equal(log->version, "7.2.12+deb14-amd64");
    assert_string_equal(log->cmdline, "a=b memmap=1G%4G-1+0xefffffff");
    assert_string_equal(log->firmware, "2026.08+ds-2 09/26/2026");
    assert_contains(log->truncated, "truncated by 128 MiB");
}

static void log_in_pieces(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < sizeof(text); piece += piece < 8 ? 1 : 97) {
        struct arena arena = {0};
        struct guest_view view = {.arena = &arena};
        struct log_reader reader = {.view = &view};
        for (size_t at = 0; at < sizeof(text) - 1; at += piece)
            log_feed(&reader, text + at, u64_min(piece, sizeof(text) - 1 - at));
        log_end(&reader);
        check_log(&view.log);
        arena_free(&arena);
    }
}

/* Cut anywhere: what is left out is never taken for absent. */
static void log_cut_anywhere(void **state)
{
    (void)state;
    size_t whole = (size_t)(strstr(text, "efi: ") - text) - 20;
    for (size_t len = 0; len < whole; len++) {
        struct arena arena = {0};
        struct guest_view view = {.arena = &arena};
        struct log_reader reader = {.view = &view};
        log_feed(&reader, text, len);
        log_end(&reader);
        if (view.log.e820.present && !view.log.user.present && !strstr(text + len, "noise 1"))
            assert_true(view.log.e820.count == 3 || view.log.e820.damage);
        arena_free(&arena);
    }
}

/* --- files ---------------------------------------------------------------------------------- */

static void take(struct guest_view *view, const char *path, const char *bytes)
{
    assert_true(view_wants(path));
    view_take(view, path, bytes, strlen(bytes));
}

static void files(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct guest_view view = {.arena = &arena};
    take(&view, "sys/firmware/memmap/1/start", "0x100000000\n");
    take(&view, "sys/firmware/memmap/1/end", "0x13fffffff\n");
    take(&view, "sys/firmware/memmap/1/type", "Soft Reserved\n");
    take(&view, "sys/firmware/memmap/0/start", "0x0\n");
    take(&view, "sys/firmware/memmap/0/end", "0x7fffffff\n");
    take(&view, "sys/firmware/memmap/0/type", "System RAM\n");
    take(&view, "sys/devices/system/node/online", "0-1,3\n");
    take(&view, "sys/devices/system/node/node3/cpulist", "\n");
    take(&view, "sys/devices/system/node/node0/cpulist", "0-3,8\n");
    take(&view, "sys/devices/system/node/node0/distance", "10 20 21\n");
    take(&view, "sys/devices/system/node/node0/meminfo",
         "Node 0 MemTotal:   1048576 kB\nNode 0 MemFree: 1 kB\n");
    take(&view, "sys/bus/dax/devices/dax0.0/resource", "0x100000000\n");
    take(&view, "sys/bus/dax/devices/dax0.0/size", "1073741824\n");
    take(&view, "sys/bus/dax/devices/dax0.0/target_node", "1\n");
    take(&view, "proc/iomem",
         "100000000-13fffffff : dax0.0\n  100000000-13fffffff : System RAM (kmem)\n");
    view_complete(&view);
    assert_null(view.memmap.damage);
    assert_int_equal(view.memmap.count, 2);
    assert_true(view.memmap.items[1].type == E820_SOFT_RESERVED);
    assert_int_equal(view.online.count, 2);
    assert_int_equal(view.node_count, 2);
    assert_int_equal(view.nodes[0].number, 0);
    assert_int_equal(view.nodes[0].cpus.count, 2);
    assert_int_equal(view.nodes[0].distance_count, 3);
    assert_true(view.nodes[0].memory == GIB);
    assert_int_equal(view.nodes[1].number, 3);
    assert_true(view.nodes[1].has_cpus);
    assert_int_equal(view.dax_count, 1);
    assert_true(view.dax[0].start == 4 * GIB && view.dax[0].size == GIB && view.dax[0].target == 1);
    assert_int_equal(view.iomem.count, 1);
    assert_int_equal(view.iomem.items[0].type, RANGE_KMEM);
    assert_false(view_wants("sys/firmware/efi/vars"));
    assert_false(view_wants("proc/cmdline/x"));
    arena_free(&arena);
}

static void damaged_files(void **state)
{
    static const struct {
        const char *path, *bytes;
    } cases[] = {
        {"sys/firmware/memmap/0/start", "12\n"},
        {"sys/firmware/memmap/0/end", "0x\n"},
        {"sys/firmware/memmap/0/end", "0xffffffffffffffffff\n"},
        {"sys/firmware/memmap/4294967295/end", "0x1\n"},
        {"sys/devices/system/node/online", "0-\n"},
        {"sys/devices/system/node/online", "3-1\n"},
        {"sys/devices/system/node/node0/cpulist", "0-4294967295\n"},
        {"sys/devices/system/node/node0/distance", "10 x\n"},
        {"sys/devices/system/node/node0/distance", "\n"},
        {"sys/devices/system/node/node0/meminfo", "MemTotal: many kB\n"},
        {"sys/devices/system/node/node4294967295/cpulist", "0\n"},
        {"sys/bus/dax/devices/dax0.0/resource", "1\n"},
        {"sys/bus/dax/devices/dax0.0/size", "-1\n"},
        {"sys/bus/dax/devices/dax0.0/target_node", "-2\n"},
        {"proc/iomem", "no map\n"},
        {"proc/iomem", "2-1 : System RAM\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena arena = {0};
        struct guest_view view = {.arena = &arena};
        take(&view, cases[i].path, cases[i].bytes);
        view_complete(&view);
        if (!view.memmap.damage && !view.node_damage && !view.dax_damage && !view.iomem.damage)
            fail_msg("%s: '%s' is taken", cases[i].path, cases[i].bytes);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoded_lines),
        cmocka_unit_test(decoded_bytes),
        cmocka_unit_test(cut_at_every_length),
        cmocka_unit_test(every_byte_altered),
        cmocka_unit_test(log_in_pieces),
        cmocka_unit_test(log_cut_anywhere),
        cmocka_unit_test(files),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
