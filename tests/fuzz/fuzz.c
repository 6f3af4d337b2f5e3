/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acpi_decode.h"
#include "diag_render.h"
#include "emit.h"
#include "expect.h"
#include "expect_guest.h"
#include "guest_source.h"
#include "report.h"
#include "show.h"
#include "verify.h"

/* --- topology -------------------------------------------------------------------------------- */

static void emit_all(struct strbuf *out, const struct compilation *c, const struct prediction *p)
{
    const struct emitter *emitter = emitter_for(p->target);
    for (size_t f = 0; f < EMITTER_FORMATS && emitter->formats[f]; f++)
        for (int fragment = 0; fragment < 2; fragment++)
            emitter->emit(out, &c->vm, p, emitter->formats[f], fragment);
    expect_text(out, &c->vm, p, TABLE_ALL);
    expect_json(out, &c->vm, p, TABLE_ALL);
    expect_dmesg(out, &c->vm, p, TABLE_ALL);
    for (int table = 0; table < TABLE_ALL; table++)
        expect_raw(out, &c->vm, p, (enum table)table);
}

static void see_guest(struct strbuf *out, struct compilation *c, const struct prediction *p)
{
    struct guest guest;
    guest_expect(&guest, &c->vm, p, &c->arena);
    expect_guest_text(out, &guest);
    expect_guest_json(out, &guest);
}

static void fuzz_topology(const uint8_t *bytes, size_t len)
{
    struct compilation c = {.ok = false};
    struct strbuf out = {0};
    source_from_memory(&c.source, "fuzz.yaml", (const char *)bytes, len);
    compile(&c, &(struct overrides){.targets = TARGET_ANY,
                                    .judges_guest = true,
                                    .predicts = true,
                                    .spm_interface = -1,
                                    .firmware = -1});
    diag_render_text(&out, &c.diags, &c.source, SEVERITY_NOTE, true);
    report_json.findings(&out, &c.diags, &c.source, SEVERITY_NOTE);
    report_sarif.findings(&out, &c.diags, &c.source, SEVERITY_NOTE);
    report_github.findings(&out, &c.diags, &c.source, SEVERITY_NOTE);
    for (size_t t = 0; t < TARGET_COUNT; t++) {
        const struct prediction *p = &c.predictions[t];
        if (!p->ok)
            continue;
        emit_all(&out, &c, p);
        see_guest(&out, &c, p);
    }
    if (c.predictions[0].ok) {
        show_text(&out, &c.vm, &c.predictions[0]);
        show_yaml(&out, &c.vm, &c.predictions[0]);
    }
    strbuf_free(&out);
    compile_free(&c);
}

/* --- tables ---------------------------------------------------------------------------------- */

static void fuzz_tables(const uint8_t *bytes, size_t len)
{
    static const char *const signatures[] = {"SRAT", "SLIT", "HMAT", "APIC"};
    if (!len)
        return;
    struct arena arena = {0};
    struct table_lines lines = {0};
    /* A copy of the exact length, so that a byte too many is seen. */
    unsigned char *copy = arena_alloc(&arena, len - 1, 1);
    memcpy(copy, bytes + 1, len - 1);
    acpi_decode(signatures[bytes[0] % ARRAY_SIZE(signatures)], copy, len - 1, &arena, &lines);
    arena_free(&arena);
}

/* --- guest ----------------------------------------------------------------------------------- */

static const char topology[] = "spmtopo: 1\n"
                               "name: fuzz\n"
                               "machine: {accel: tcg, cpu: max}\n"
                               "cpus: 4\n"
                               "nodes:\n"
                               "  - {id: 0, cpus: 0-3, memory: 2GiB}\n"
                               "  - {id: 1, memory: {size: 1GiB, type: spm}}\n";

/* The guest of that topology; made once. */
static const struct guest *expected_guest(void)
{
    static struct compilation c;
    static struct guest guest;
    if (!c.ok) {
        source_from_memory(&c.source, "fuzz.yaml", topology, sizeof(topology) - 1);
        compile(&c,
                &(struct overrides){.targets = TARGET_QEMU, .spm_interface = -1, .firmware = -1});
        guest_expect(&guest, &c.vm, &c.predictions[0], &c.arena);
    }
    return &guest;
}

static void report_all(const struct verify_report *report)
{
    struct strbuf out = {0};
    verify_text(&out, report);
    verify_json(&out, report, "fuzz.yaml", "fuzz");
    verify_tap(&out, report);
    strbuf_free(&out);
}

/* What a source of bytes shows; NULL, or the problem. */
static const char *read_bytes(struct guest_view *view, const uint8_t *bytes, size_t len)
{
    const char *problem = "no file";
    char path[32];
    int fd = memfd_create("guest", 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, bytes, len) == (ssize_t)len)
        problem = guest_source_read(view, path);
    if (fd >= 0)
        close(fd);
    return problem;
}

static void fuzz_guest(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct guest_view *view = arena_alloc(&arena, 1, sizeof(*view));
    struct verify_report report = {.arena = &arena};
    view->arena = &arena;
    if (!read_bytes(view, bytes, len)) {
        verify_guest(&report, expected_guest(), view);
        report_all(&report);
    }
    arena_free(&arena);
}

/* --- qmp: all that a QEMU says, whatever it is asked ------------------------------------------- */

static void fuzz_qmp(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct verify_report report = {.arena = &arena};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
        return;
    ssize_t sent = send(pair[1], bytes, len, MSG_NOSIGNAL);
    shutdown(pair[1], SHUT_WR);
    /* What it is given it closes. */
    if (sent != (ssize_t)len)
        close(pair[0]);
    else if (!verify_qmp_connection(&report, expected_guest(), pair[0]))
        report_all(&report);
    close(pair[1]);
    arena_free(&arena);
}

/* --- the readers of a guest's files, each by itself -------------------------------------------- */

static void require(bool held)
{
    if (!held)
        abort();
}

static void require_limits(const struct guest_view *view)
{
    const struct view_map *maps[] = {&view->memmap, &view->iomem, &view->log.e820, &view->log.user,
                                     &view->log.srat};
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
        require(maps[i]->count <= VIEW_RANGE_LIMIT);
    require(view->node_count <= VIEW_NODE_LIMIT && view->dax_count <= VIEW_DAX_LIMIT &&
            view->log.cpu_count <= VIEW_CPU_LIMIT);
    for (size_t i = 0; i < view->node_count; i++)
        require(view->nodes[i].cpus.count <= VIEW_CPU_LIMIT &&
                view->nodes[i].distance_count <= VIEW_NODE_LIMIT);
}

/* Files below a folder: a line with the name, then the contents, up to a line "--". */
static void fuzz_folder(const char *folder, const uint8_t *bytes, size_t len)
{
    static const char between[] = "\n--\n";
    struct arena arena = {0};
    struct guest_view *view = arena_alloc(&arena, 1, sizeof(*view));
    view->arena = &arena;
    const char *at = (const char *)bytes;
    for (const char *end = at + len; at < end;) {
        const char *next = memmem(at, (size_t)(end - at), between, strlen(between));
        const char *stop = next ? next + 1 : end; /* with the line end */
        const char *line = memchr(at, '\n', (size_t)(stop - at));
        if (line) {
            const char *path = arena_printf(&arena, "%s%.*s", folder, (int)(line - at), at);
            /* A copy of the exact length, so that a byte too many is seen. */
            size_t size = (size_t)(stop - line) - 1;
            char *copy = memcpy(xcalloc(size, 1), line + 1, size);
            view_take(view, path, copy, size);
            free(copy);
        }
        at = next ? next + strlen(between) : end;
    }
    view_complete(view);
    view_is_empty(view);
    require_limits(view);
    arena_free(&arena);
}

static void fuzz_memmap(const uint8_t *bytes, size_t len)
{
    fuzz_folder("sys/firmware/memmap/", bytes, len);
}

static void fuzz_iomem(const uint8_t *bytes, size_t len)
{
    fuzz_folder("proc/", bytes, len);
}

static void fuzz_node(const uint8_t *bytes, size_t len)
{
    fuzz_folder("sys/devices/system/node/", bytes, len);
}

static void fuzz_dax(const uint8_t *bytes, size_t len)
{
    fuzz_folder("sys/bus/dax/devices/", bytes, len);
}

static bool same_map(const struct view_map *a, const struct view_map *b)
{
    return a->count == b->count && a->present == b->present && !a->damage == !b->damage &&
           (!a->count || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

/* In pieces or at once, a log says the same. */
static void fuzz_log(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct guest_view *views = arena_alloc(&arena, 2, sizeof(*views));
    struct log_reader *readers = arena_alloc(&arena, 2, sizeof(*readers));
    for (int i = 0; i < 2; i++) {
        views[i].arena = &arena;
        readers[i].view = &views[i];
    }
    log_feed(&readers[0], (const char *)bytes, len);
    size_t piece = len ? bytes[len / 2] % 61 + 1u : 1;
    for (size_t at = 0; at < len; at += piece)
        log_feed(&readers[1], (const char *)bytes + at, u64_min(piece, len - at));
    for (int i = 0; i < 2; i++) {
        log_end(&readers[i]);
        view_complete(&views[i]);
        require_limits(&views[i]);
    }
    const struct view_log *a = &views[0].log, *b = &views[1].log;
    require(same_map(&a->e820, &b->e820) && same_map(&a->user, &b->user) &&
            same_map(&a->srat, &b->srat) && a->cpu_count == b->cpu_count &&
            a->present == b->present && a->efi == b->efi && strcmp(a->version, b->version) == 0 &&
            strcmp(a->firmware, b->firmware) == 0 && strcmp(a->truncated, b->truncated) == 0 &&
            strcmp(a->cmdline, b->cmdline) == 0 &&
            memcmp(a->table_length, b->table_length, sizeof(a->table_length)) == 0);
    arena_free(&arena);
}

/* A tar whose headers are given the right magic and sum, which no chance would find. */
static void fuzz_tar(const uint8_t *bytes, size_t len)
{
    enum { BLOCK = 512, SIZE_AT = 124, SUM_AT = 148, SUM_LEN = 8, MAGIC_AT = 257 };
    struct arena arena = {0};
    struct guest_view *view = arena_alloc(&arena, 1, sizeof(*view));
    view->arena = &arena;
    size_t room = len + 2 * BLOCK;
    char *tar = arena_alloc(&arena, room, 1);
    memcpy(tar, bytes, len);
    for (size_t at = 0; at + BLOCK <= len;) {
        char *header = tar + at;
        unsigned sum = 0;
        char digits[13] = {0};
        memcpy(header + MAGIC_AT, "ustar", 5);
        memset(header + SUM_AT, ' ', SUM_LEN);
        for (size_t i = 0; i < BLOCK; i++)
            sum += (unsigned char)header[i];
        snprintf(header + SUM_AT, SUM_LEN, "%06o", sum & 0777777);
        memcpy(digits, header + SIZE_AT, 12);
        size_t size = strtoul(digits, NULL, 8);
        at += BLOCK + (size < len ? (size + BLOCK - 1) / BLOCK * BLOCK : 0);
    }
    read_bytes(view, (const uint8_t *)tar, room);
    require_limits(view);
    arena_free(&arena);
}

/* --- document: the YAML reader by itself ------------------------------------------------------- */

/* What is said of every node holds. Returns the nodes of the tree: aliases make many of a small
 * document, so no more than `most` are looked at. */
static size_t require_sound(const struct doc_node *node, const struct source *source, size_t most)
{
    struct place at = source_place(source, node->at);
    size_t nodes = 1;
    unsigned height = 0;
    require(at.line >= 1 && at.line <= source->line_count && at.column >= 1 &&
            at.end_line >= at.line && node->at.end >= node->at.start);
    if (node->kind != DOC_SCALAR) {
        size_t children = doc_count(node) * (node->kind == DOC_MAPPING ? 2 : 1);
        height = 1;
        for (size_t i = 0; i < children && nodes < most; i++) {
            const struct doc_node *child = doc_items(node)[i];
            nodes += require_sound(child, source, most - nodes);
            height = child->height + 1u > height ? child->height + 1u : height;
        }
    }
    require((nodes >= most || node->height == height) && node->height <= DOC_DEPTH_LIMIT);
    return nodes;
}

static void fuzz_document(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct source source;
    const struct doc_allow *allows;
    source_from_memory(&source, "fuzz.yaml", (const char *)bytes, len);
    const struct doc_node *root = doc_parse(&source, &arena, &diags);
    require(root || diag_count(&diags, SEVERITY_ERROR));
    if (root)
        require_sound(root, &source, 10000);
    if (root)
        doc_allows(&source, root, &arena, &allows);
    source_free(&source);
    arena_free(&arena);
}

bool fuzz(const char *target, const uint8_t *bytes, size_t len)
{
    static const struct {
        const char *name;
        void (*run)(const uint8_t *bytes, size_t len);
    } targets[] = {{"topology", fuzz_topology},
                   {"document", fuzz_document},
                   {"tables", fuzz_tables},
                   {"guest", fuzz_guest},
                   {"qmp", fuzz_qmp},
                   {"tar", fuzz_tar},
                   {"log", fuzz_log},
                   {"memmap", fuzz_memmap},
                   {"iomem", fuzz_iomem},
                   {"node", fuzz_node},
                   {"dax", fuzz_dax}};
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (strcmp(targets[i].name, target) == 0) {
            targets[i].run(bytes, len);
            return true;
        }
    return false;
}
