/* SPDX-License-Identifier: MIT */
/* Tables as structures and as bytes, APIC ids, and the units of HMAT values. */
#include "expect_all.h"
#include "unit.h"

#include "acpi.h"
#include "hmat_scale.h"

static unsigned byte_at(const struct strbuf *b, size_t at)
{
    assert_in_range(at, 0, b->len - 1);
    return (unsigned char)b->data[at];
}

static uint64_t le(const struct strbuf *b, size_t at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)byte_at(b, at + i) << (8 * i);
    return value;
}

/* Expected bytes: fields written one by one, as the tables of qemu-x86.md list them. */
static void put(struct strbuf *b, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        strbuf_addc(b, (char)(value >> (8 * i)));
}

static void put_header(struct strbuf *b, const char *signature, uint32_t length, unsigned revision)
{
    strbuf_adds(b, signature);
    put(b, length, 4);
    put(b, revision, 1);
    put(b, 0, 1); /* checksum: 0 as in fw_cfg */
    strbuf_add(b, "\x42\x4f\x43\x48\x53\x20", 6);
    strbuf_adds(b, "BXPC    ");
    put(b, 1, 4);
    strbuf_adds(b, "BXPC");
    put(b, 1, 4);
}

/* The sum of all bytes is 0, and without the checksum they are the expected ones. */
static void check_table(struct strbuf *table, const struct strbuf *want)
{
    unsigned sum = 0;
    for (size_t i = 0; i < table->len; i++)
        sum += byte_at(table, i);
    assert_int_equal(sum & 0xff, 0);
    assert_true(table->len > 9);
    assert_int_equal(le(table, 4, 4), table->len);
    table->data[9] = '\0';
    assert_int_equal(table->len, want->len);
    for (size_t i = 0; i < want->len; i++)
        if (byte_at(table, i) != byte_at(want, i))
            fail_msg("offset %zu is %02x, not %02x", i, byte_at(table, i), byte_at(want, i));
}

static void put_memory(struct strbuf *b, uint32_t node, uint64_t address, uint64_t size,
                       uint32_t flags)
{
    put(b, 1, 1);
    put(b, 40, 1);
    put(b, node, 4);
    put(b, 0, 2);
    put(b, address, 8);
    put(b, size, 8);
    put(b, 0, 4);
    put(b, flags, 4);
    put(b, 0, 8);
}

/* --- the worked example of qemu-x86.md, section 14 -------------------------------------------- */

static const char worked_example[] =
    "spmtopo: 1\n"
    "name: worked-example\n"
    "machine: {type: q35, accel: tcg, cpu: max}\n"
    "cpus: 4\n"
    "nodes:\n"
    "  - {id: 0, cpus: 0-3, memory: 2GiB}\n"
    "  - {id: 1, memory: {size: 1GiB, type: spm, address: 0x100000000}}\n"
    "  - {id: 2, memory: {size: 1100MiB, type: spm, address: 0x140000000}}\n"
    "device-memory: {max-memory: 8GiB, slots: 2}\n";

static void worked_example_e820(void **state)
{
    (void)state;
    struct compilation c;
    struct strbuf out = {.data = NULL};
    struct strbuf want = {.data = NULL};
    assert_compiles(&c, worked_example);
    static const struct {
        uint64_t address, size;
        uint32_t type;
    } entries[] = {
        {0xfd00000000, 0x300000000, 2},
        {0, 0x80000000, 1},
        {0x100000000, 0x40000000, 0xefffffff},
        {0x140000000, 0x44c00000, 0xefffffff},
    };
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        put(&want, entries[i].address, 8);
        put(&want, entries[i].size, 8);
        put(&want, entries[i].type, 4);
    }
    e820_encode(&out, c.predictions[0].tables.e820, c.predictions[0].tables.e820_count);
    assert_int_equal(out.len, want.len);
    assert_memory_equal(out.data, want.data, want.len);
    strbuf_free(&out);
    strbuf_free(&want);
    compile_free(&c);
}

static void worked_example_tables(void **state)
{
    (void)state;
    struct compilation c;
    struct strbuf out = {.data = NULL};
    struct strbuf want = {.data = NULL};
    assert_compiles(&c, worked_example);
    assert_int_equal(c.predictions[0].layout.window, 0x100000000);
    assert_int_equal(c.predictions[0].layout.window_size, 0x200000000);
    put_header(&want, "SRAT", 432, 1);
    put(&want, 1, 4);
    put(&want, 0, 8);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        /* 00 10 pxm apic 01000000 00 000000 00000000 */
        put(&want, 0x1000, 2);
        put(&want, 0, 1);
        put(&want, cpu, 1);
        put(&want, 1, 4);
        put(&want, 0, 8);
    }
    put_memory(&want, 0, 0, 0xa0000, 1);
    put_memory(&want, 0, 0x100000, 0x80000000 - 0x100000, 1);
    put_memory(&want, 0, 0, 0, 0);
    put_memory(&want, 0, 0, 0, 0);
    put_memory(&want, 0, 0, 0, 0);
    put_memory(&want, 1, 0x100000000, 0x40000000, 1);
    put_memory(&want, 2, 0x140000000, 0x44c00000, 1);
    put_memory(&want, 2, 0x184c00000, 0x300000000 - 0x184c00000, 3);
    assert_int_equal(want.len, 432);
    srat_encode(&out, &maker_qemu, &c.predictions[0].tables.srat);
    check_table(&out, &want);
    strbuf_free(&out);
    slit_encode(&out, &maker_qemu, &c.predictions[0].tables.slit);
    assert_int_equal(out.len, 0);
    hmat_encode(&out, &maker_qemu, &c.predictions[0].tables.hmat);
    assert_int_equal(out.len, 0);
    strbuf_free(&want);
    compile_free(&c);
}

/* --- SRAT ------------------------------------------------------------------------------------ */

static void srat_cpu_forms(void **state)
{
    (void)state;
    struct srat_cpu cpus[] = {
        {.node = 0x04030201, .apic_id = 254, .x2apic = false},
        {.node = 0x04030201, .apic_id = 0x12345678, .x2apic = true},
    };
    struct srat srat = {.cpus = cpus, .cpu_count = 2};
    struct strbuf out = {.data = NULL};
    struct strbuf want = {.data = NULL};
    put_header(&want, "SRAT", 36 + 12 + 16 + 24, 1);
    put(&want, 1, 4);
    put(&want, 0, 8);
    strbuf_add(&want, "\x00\x10\x01\xfe\x01\x00\x00\x00\x00\x02\x03\x04\x00\x00\x00\x00", 16);
    strbuf_add(&want,
               "\x02\x18\x00\x00\x01\x02\x03\x04\x78\x56\x34\x12"
               "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
               24);
    srat_encode(&out, &maker_qemu, &srat);
    check_table(&out, &want);
    strbuf_free(&out);
    strbuf_free(&want);
}

static void srat_memory_fields(void **state)
{
    (void)state;
    const struct affinity memory[] = {{.address = UINT64_C(0x0102030405060708),
                                       .size = UINT64_C(0x1112131415161718),
                                       .node = 0x21222324,
                                       .flags = 7}};
    struct srat srat = {.memory = memory, .memory_count = 1};
    struct strbuf out = {.data = NULL};
    struct strbuf want = {.data = NULL};
    put_header(&want, "SRAT", 88, 1);
    put(&want, 1, 4);
    put(&want, 0, 8);
    strbuf_add(&want,
               "\x01\x28\x24\x23\x22\x21\x00\x00\x08\x07\x06\x05\x04\x03\x02\x01"
               "\x18\x17\x16\x15\x14\x13\x12\x11\x00\x00\x00\x00\x07\x00\x00\x00"
               "\x00\x00\x00\x00\x00\x00\x00\x00",
               40);
    srat_encode(&out, &maker_qemu, &srat);
    check_table(&out, &want);
    strbuf_free(&out);
    strbuf_free(&want);
}

/* The form is chosen for each CPU by its APIC id: 254 is the last of the short one. */
static void x2apic_from_255_on(void **state)
{
    (void)state;
    struct compilation c;
    assert_compiles(&c, "spmtopo: 1\nname: x\nmachine: {accel: tcg}\ncpus: 300\n"
                        "nodes: [{id: 0, cpus: 0-299, memory: 1GiB}]\n");
    const struct srat *srat = &c.predictions[0].tables.srat;
    assert_int_equal(srat->cpu_count, 300);
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(srat->cpus[i].apic_id, i);
        assert_int_equal(srat->cpus[i].x2apic, i >= 255);
    }
    struct strbuf out = {.data = NULL};
    srat_encode(&out, &maker_qemu, srat);
    assert_int_equal(byte_at(&out, 48 + 254 * 16), 0);
    assert_int_equal(byte_at(&out, 48 + 255 * 16), 2);
    strbuf_free(&out);
    compile_free(&c);
}

/* Every possible vCPU is in the table, of its node, whether present at boot or not. */
static void cpus_of_nodes(void **state)
{
    (void)state;
    struct compilation c;
    assert_compiles(&c,
                    "spmtopo: 1\nname: x\nmachine: {accel: tcg}\ncpus: {count: 2, max: 8}\n"
                    "nodes: [{id: 1, cpus: \"1-2,7\", memory: 1GiB}, {id: 0, cpus: [0, 3-6]}]\n");
    static const uint32_t nodes[] = {0, 1, 1, 0, 0, 0, 0, 1};
    assert_int_equal(c.predictions[0].tables.srat.cpu_count, ARRAY_SIZE(nodes));
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        assert_int_equal(c.predictions[0].tables.srat.cpus[i].node, nodes[i]);
    compile_free(&c);
}

/* --- APIC ids -------------------------------------------------------------------------------- */

static struct cpus topology(uint64_t sockets, uint64_t dies, uint64_t modules, uint64_t cores,
                            uint64_t threads)
{
    return (struct cpus){
        .sockets = {.value = sockets},
        .dies = {.value = dies},
        .modules = {.value = modules},
        .cores = {.value = cores},
        .threads = {.value = threads},
        .max = {.value = sockets * dies * modules * cores * threads},
    };
}

static void apic_ids(void **state)
{
    (void)state;
    struct cpus c = topology(2, 1, 1, 3, 1);
    static const uint32_t ids[] = {0, 1, 2, 4, 5, 6};
    for (uint32_t i = 0; i < ARRAY_SIZE(ids); i++)
        assert_int_equal(apic_id(&c, i), ids[i]);
    c = topology(2, 1, 1, 3, 2);
    static const uint32_t threads[] = {0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13};
    for (uint32_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(apic_id(&c, i), threads[i]);
    c = topology(16, 1, 1, 4, 4);
    for (uint32_t i = 0; i < 256; i++)
        assert_int_equal(apic_id(&c, i), i);
    /* the last of each: thread 2 | core 4 << 2 | module 2 << 5 | die 2 << 7 | socket 1 << 9 */
    c = topology(2, 3, 3, 5, 3);
    assert_int_equal(apic_id(&c, 269), 2 | 4 << 2 | 2 << 5 | 2 << 7 | 1 << 9);
}

/* Against the definition, level by level, for many shapes: ascending, unique, and each field within
 * its bits. */
static void apic_ids_of_many_shapes(void **state)
{
    (void)state;
    for (uint64_t shape = 0; shape < UINT64_C(3) * 3 * 3 * 5 * 3; shape++) {
        uint64_t rest = shape;
        uint64_t sockets = rest % 3 + 1;
        uint64_t dies = (rest /= 3) % 3 + 1;
        uint64_t modules = (rest /= 3) % 3 + 1;
        uint64_t cores = (rest /= 3) % 5 + 1;
        uint64_t threads = rest / 5 % 3 + 1;
        struct cpus c = topology(sockets, dies, modules, cores, threads);
        unsigned wt = threads > 2 ? 2 : threads > 1;
        unsigned wc = cores > 4 ? 3 : cores > 2 ? 2 : cores > 1;
        unsigned wm = modules > 2 ? 2 : modules > 1;
        unsigned wd = dies > 2 ? 2 : dies > 1;
        uint32_t i = 0;
        for (uint64_t s = 0; s < sockets; s++)
            for (uint64_t d = 0; d < dies; d++)
                for (uint64_t m = 0; m < modules; m++)
                    for (uint64_t k = 0; k < cores; k++)
                        for (uint64_t t = 0; t < threads; t++)
                            assert_int_equal(apic_id(&c, i++), t | k << wt | m << (wt + wc) |
                                                                   d << (wt + wc + wm) |
                                                                   s << (wt + wc + wm + wd));
    }
}

/* --- SLIT ------------------------------------------------------------------------------------ */

static void slit_bytes(void **state)
{
    (void)state;
    static const uint8_t distances[] = {10, 21, 31, 22, 10, 255, 32, 254, 10};
    struct slit slit = {.nodes = 3, .distances = distances};
    struct strbuf out = {.data = NULL};
    struct strbuf want = {.data = NULL};
    put_header(&want, "SLIT", 36 + 8 + 9, 1);
    put(&want, 3, 8);
    strbuf_add(&want, distances, sizeof(distances));
    slit_encode(&out, &maker_qemu, &slit);
    check_table(&out, &want);
    strbuf_free(&out);
    strbuf_free(&want);
}

/* --- HMAT ------------------------------------------------------------------------------------ */

static const char hmat_example[] =
    "spmtopo: 1\n"
    "name: hmat\n"
    "machine: {accel: tcg}\n"
    "cpus: 2\n"
    "nodes:\n"
    "  - {id: 0, memory: 1GiB, initiator: 1}\n"
    "  - {id: 1, cpus: 0, memory: 1GiB}\n"
    "  - {id: 2, memory: {size: 1GiB, type: spm}, initiator: 3}\n"
    "  - {id: 3, cpus: 1}\n"
    "  - {id: 4, memory: 1GiB}\n"
    "hmat:\n"
    "  performance:\n"
    "    - {from: 1, to: 1, latency: 100ns, bandwidth: 200GiB/s}\n"
    "    - {from: 3, to: 1, latency: 250ns, bandwidth: 100GiB/s}\n"
    "    - {from: 3, to: 2, read-latency: 1us, write-bandwidth: 3MiB/s}\n"
    "  caches:\n"
    "    - {node: 1, level: 2, size: 2MiB, line: 64, associativity: complex, "
    "write-policy: write-through}\n"
    "    - {node: 1, level: 1, size: 1MiB, line: 128, associativity: direct, "
    "write-policy: write-back}\n";

static void put_attributes(struct strbuf *b, unsigned flags, uint32_t initiator, uint32_t memory)
{
    put(b, 0, 4);
    put(b, 40, 4);
    put(b, flags, 2);
    put(b, 0, 2);
    put(b, initiator, 4);
    put(b, memory, 4);
    put(b, 0, 4);
    put(b, 0, 8);
    put(b, 0, 8);
}

/* Initiators 1 and 3, targets 0 ... 4. */
static void put_locality(struct strbuf *b, unsigned type, uint64_t unit, const uint16_t values[10])
{
    put(b, 1, 4);
    put(b, 32 + 4 * 2 + 4 * 5 + 2 * 2 * 5, 4);
    put(b, 0, 1);
    put(b, type, 1);
    put(b, 0, 2);
    put(b, 2, 4);
    put(b, 5, 4);
    put(b, 0, 4);
    put(b, unit, 8);
    put(b, 1, 4);
    put(b, 3, 4);
    for (unsigned i = 0; i < 5; i++)
        put(b, i, 4);
    for (unsigned i = 0; i < 10; i++)
        put(b, values[i], 2);
}

static void put_cache(struct strbuf *b, uint32_t node, uint64_t size, uint32_t attributes)
{
    put(b, 2, 4);
    put(b, 32, 4);
    put(b, node, 4);
    put(b, 0, 4);
    put(b, size, 8);
    put(b, attributes, 4);
    put(b, 0, 4);
}

static void hmat_bytes(void **state)
{
    (void)state;
    struct compilation c;
    struct strbuf out = {.data = NULL};
    struct strbuf want = {.data = NULL};
    struct strbuf body = {.data = NULL};
    assert_compiles(&c, hmat_example);
    put(&body, 0, 4);
    /* nodes with boot memory only; 128 where no initiator is known */
    put_attributes(&body, 1, 1, 0);
    put_attributes(&body, 1, 1, 1);
    put_attributes(&body, 0, 128, 4);
    /* 100 and 250 over 10 ns; 200 and 100 GiB/s over 4 GiB/s; 1000 over 1000 ns; 3 over 1 MiB/s */
    put_locality(&body, 0, 10000, (const uint16_t[10]){0, 10, 0, 0, 0, 0, 25, 0, 0, 0});
    put_locality(&body, 1, 1000000, (const uint16_t[10]){0, 0, 0, 0, 0, 0, 0, 1, 0, 0});
    put_locality(&body, 3, 4096, (const uint16_t[10]){0, 50, 0, 0, 0, 0, 25, 0, 0, 0});
    put_locality(&body, 5, 1, (const uint16_t[10]){0, 0, 0, 0, 0, 0, 0, 3, 0, 0});
    put_cache(&body, 1, MIB, 2 | 1 << 4 | 1 << 8 | 1 << 12 | 128 << 16);
    put_cache(&body, 1, 2 * MIB, 2 | 2 << 4 | 2 << 8 | 2 << 12 | 64 << 16);
    put_header(&want, "HMAT", (uint32_t)(36 + body.len), 2);
    strbuf_add(&want, body.data, body.len);
    hmat_encode(&out, &maker_qemu, &c.predictions[0].tables.hmat);
    check_table(&out, &want);
    strbuf_free(&out);
    strbuf_free(&want);
    strbuf_free(&body);
    compile_free(&c);
}

/* Before QEMU 9.0 every node has its attributes. */
static void hmat_attributes_of_old_qemu(void **state)
{
    (void)state;
    struct compilation c;
    assert_compiles(&c, "spmtopo: 1\nname: x\nmachine: {accel: tcg}\ncpus: 1\n"
                        "nodes: [{id: 0, cpus: 0, memory: 1GiB}, {id: 1, initiator: 0}, {id: 2}]\n"
                        "hmat: {}\ntargets: {qemu: {version: 7.2}}\n");
    const struct hmat *hmat = &c.predictions[0].tables.hmat;
    assert_true(hmat->present);
    assert_int_equal(hmat->attribute_count, 3);
    assert_int_equal(hmat->attributes[1].initiator, 0);
    assert_true(hmat->attributes[1].has_initiator);
    assert_int_equal(hmat->attributes[2].initiator, 128);
    assert_false(hmat->attributes[2].has_initiator);
    assert_int_equal(hmat->locality_count, 0);
    compile_free(&c);
}

/* --- the unit of HMAT values ------------------------------------------------------------------ */

/* Adds the values in order (up to a 0). The number of those taken. */
static size_t taken(enum hmat_type type, const uint64_t *values, uint64_t *base)
{
    struct hmat_scale scale;
    size_t count = 0;
    hmat_scale_start(&scale, type);
    while (values[count] && hmat_scale_add(&scale, type, values[count]))
        count++;
    *base = scale.base;
    return count;
}

static void latency_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t values[5];
        size_t taken;
        uint64_t base;
    } cases[] = {
        {{100, 250}, 2, 10},
        {{1000, 2000, 3000}, 3, 1000},
        {{1000, 10}, 2, 10},
        {{7}, 1, 1},
        /* the first value is never checked */
        {{65537}, 1, 1},
        {{UINT64_C(655370000000)}, 1, 10000000},
        /* the second is checked against the unit of the first */
        {{1, 65534}, 2, 1},
        {{1, 65535}, 1, 1},
        {{10, 655349}, 2, 1},
        {{10, 655350}, 1, 10},
        /* and the large one first passes, whatever unit comes later */
        {{65537, 1}, 2, 1},
        {{70000, 1}, 2, 1},
        {{70000, 1, 1}, 3, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t base;
        size_t count = taken(HMAT_READ_LATENCY, cases[i].values, &base);
        if (count != cases[i].taken || base != cases[i].base)
            fail_msg("case %zu: %zu taken, base %" PRIu64, i, count, base);
    }
}

static void bandwidth_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t values[5];
        size_t taken;
        uint64_t base;
    } cases[] = {
        {{10 * GIB, 3 * GIB}, 2, GIB},
        {{200 * GIB, 100 * GIB}, 2, 4 * GIB},
        {{65534 * MIB}, 1, 2 * MIB},
        {{65535 * MIB}, 0, 1},
        {{65536 * MIB}, 1, 65536 * MIB},
        {{65533 * MIB}, 1, MIB},
        {{MIB, 65534 * MIB}, 2, MIB},
        {{MIB, 65536 * MIB}, 1, MIB},
        {{65536 * MIB, MIB}, 1, 65536 * MIB},
        {{32768 * MIB, MIB}, 2, MIB},
        {{3 * GIB, 65 * GIB, 100 * GIB + MIB}, 2, GIB},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t base;
        size_t count = taken(HMAT_ACCESS_BANDWIDTH, cases[i].values, &base);
        if (count != cases[i].taken || base != cases[i].base)
            fail_msg("case %zu: %zu taken, base %" PRIu64, i, count, base);
    }
}

/* What the QEMU of section 10.2 does, written once more and compared for random lists. */
static void units_of_random_lists(void **state)
{
    (void)state;
    struct unit_random r = unit_seed("hmat units");
    size_t refused = 0;
    for (int run = 0; run < 20000; run++) {
        bool latency = run % 2;
        enum hmat_type type = latency ? HMAT_WRITE_LATENCY : HMAT_READ_BANDWIDTH;
        struct hmat_scale scale;
        uint64_t base = latency ? UINT64_MAX : 1;
        uint64_t aux = 0;
        hmat_scale_start(&scale, type);
        for (int n = 0; n < 4; n++) {
            uint64_t v = unit_below(&r, UINT64_C(1) << (1 + unit_below(&r, 20))) + 1;
            bool want;
            if (latency) {
                for (uint64_t zeros = unit_below(&r, 4); zeros; zeros--)
                    v *= 10;
                aux = v / base > aux ? v / base : aux;
                want = aux < 65535;
                uint64_t power = 1;
                while (v % (power * 10) == 0)
                    power *= 10;
                if (want && power < base)
                    base = power;
            } else {
                v <<= 20 + unit_below(&r, 12);
                uint64_t bits = aux | v;
                unsigned s = 0;
                unsigned t = 0;
                while (!(bits >> s & 1))
                    s++;
                while (t < 64 && bits >> t)
                    t++;
                want = t - s <= 16 && v >> s < 65535;
                if (want) {
                    base = UINT64_C(1) << s;
                    aux = bits;
                }
            }
            assert_int_equal(hmat_scale_add(&scale, type, v), want);
            if (!want) {
                refused++;
                break;
            }
            assert_int_equal(scale.base, base);
        }
    }
    assert_in_range(refused, 1000, 19000);
}

/* spmtopo makes up for QEMU's lagging check: every value fits the final unit. */
static void values_that_qemu_would_cut(void **state)
{
    (void)state;
    static const struct {
        const char *latencies[3];
        bool ok;
    } cases[] = {
        {{"65534ns"}, true},
        {{"65535ns"}, false},
        {{"65537ns"}, false},
        {{"655340ns"}, true},
        {{"655350ns"}, false},
        {{"70000ns", "10ns"}, true},
        {{"70000ns", "1ns"}, false},
        {{"65530ns", "1ns"}, true},
        {{"655340ns", "1us", "10ns"}, true},
        {{"655340ns", "1us", "1ns"}, false},
        {{"0.5ns"}, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct compilation c;
        struct strbuf b = {.data = NULL};
        strbuf_adds(&b, "spmtopo: 1\nname: x\nmachine: {accel: tcg}\ncpus: 1\nnodes:\n"
                        "  - {id: 0, cpus: 0, memory: 1GiB}\n  - {id: 1-2}\n"
                        "hmat:\n  performance:\n");
        for (size_t k = 0; k < 3 && cases[i].latencies[k]; k++)
            strbuf_addf(&b, "  - {from: 0, to: %zu, latency: %s}\n", k, cases[i].latencies[k]);
        unit_compile(&c, b.data);
        if (c.ok != cases[i].ok)
            fail_msg("case %zu is %s", i, c.ok ? "accepted" : "refused");
        if (!c.ok)
            assert_finding(&c.diags, RULE_HMAT_VALUE);
        compile_free(&c);
        strbuf_free(&b);
    }
}

/* --- side by side ---------------------------------------------------------------------------- */

/* What guests must agree on makes them unequal; where SPM lies does not. */
static void guests_that_differ_are_not_equivalent(void **state)
{
    (void)state;
    struct compilation c;
    assert_compiles(&c, "spmtopo: 1\nname: a\nmachine: {cpu-vendor: intel}\ncpus: 2\nnodes:\n"
                        "  - {id: 0, cpus: 0-1, memory: 2GiB}\n"
                        "  - {id: 1, memory: {size: 1GiB, type: spm}}\n"
                        "distances: [[10, 21], [21, 10]]\n");
    struct prediction *p = &c.predictions[0];
    for (int what = 0; what < 6; what++) {
        struct prediction other = *p;
        struct srat_cpu cpus[2] = {p->tables.srat.cpus[0], p->tables.srat.cpus[1]};
        uint8_t distances[4] = {10, 21, 21, 10};
        struct placement spm = p->layout.spm[0];
        other.tables.srat.cpus = cpus;
        other.tables.slit.distances = distances;
        other.layout.spm = &spm;
        if (what == 1)
            cpus[1].node = 1;
        else if (what == 2)
            distances[1] = 22;
        else if (what == 3)
            spm.size = 2 * GIB;
        else if (what == 4)
            spm.address += GIB;
        else if (what == 5)
            other.tables.srat.memory_count -= 2;
        struct side sides[] = {{.target = TARGET_QEMU, .vm = &c.vm, .prediction = p},
                               {.target = TARGET_LIBVIRT, .vm = &c.vm, .prediction = &other}};
        struct side_by_side all;
        struct strbuf out = {0};
        side_by_side(&all, sides, ARRAY_SIZE(sides), &c.arena);
        side_by_side_text(&out, &all);
        assert_int_equal(all.equivalent, what == 0 || what == 4);
        assert_int_equal(strstr(out.data, "  !  ") != NULL, what != 0 && what != 4);
        assert_int_equal(strstr(out.data, "  ~  ") != NULL, what != 0 && what != 3);
        strbuf_free(&out);
    }
    compile_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example_e820),
        cmocka_unit_test(worked_example_tables),
        cmocka_unit_test(srat_cpu_forms),
        cmocka_unit_test(srat_memory_fields),
        cmocka_unit_test(x2apic_from_255_on),
        cmocka_unit_test(cpus_of_nodes),
        cmocka_unit_test(apic_ids),
        cmocka_unit_test(apic_ids_of_many_shapes),
        cmocka_unit_test(slit_bytes),
        cmocka_unit_test(hmat_bytes),
        cmocka_unit_test(hmat_attributes_of_old_qemu),
        cmocka_unit_test(latency_units),
        cmocka_unit_test(bandwidth_units),
        cmocka_unit_test(units_of_random_lists),
        cmocka_unit_test(values_that_qemu_would_cut),
        cmocka_unit_test(guests_that_differ_are_not_equivalent),
    };
    return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
