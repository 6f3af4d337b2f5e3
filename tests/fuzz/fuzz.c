/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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

static void fuzz_guest(const uint8_t *bytes, size_t len)
{
    struct compilation c = {.ok = false};
    struct strbuf out = {0};
    source_from_memory(&c.source, "fuzz.yaml", topology, sizeof(topology) - 1);
    compile(&c, &(struct overrides){.targets = TARGET_QEMU, .spm_interface = -1, .firmware = -1});
    struct guest guest;
    guest_expect(&guest, &c.vm, &c.predictions[0], &c.arena);
    struct guest_view *view = arena_alloc(&c.arena, 1, sizeof(*view));
    struct verify_report report = {.arena = &c.arena};
    view->arena = &c.arena;
    char path[32];
    int fd = memfd_create("guest", 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, bytes, len) == (ssize_t)len && !guest_source_read(view, path)) {
        verify_guest(&report, &guest, view);
        verify_text(&out, &report);
        verify_json(&out, &report, "fuzz.yaml", "fuzz");
        verify_tap(&out, &report);
    }
    if (fd >= 0)
        close(fd);
    strbuf_free(&out);
    compile_free(&c);
}

bool fuzz(const char *target, const uint8_t *bytes, size_t len)
{
    static const struct {
        const char *name;
        void (*run)(const uint8_t *bytes, size_t len);
    } targets[] = {{"topology", fuzz_topology}, {"tables", fuzz_tables}, {"guest", fuzz_guest}};
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (strcmp(targets[i].name, target) == 0) {
            targets[i].run(bytes, len);
            return true;
        }
    return false;
}
