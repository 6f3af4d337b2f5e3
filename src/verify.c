/* SPDX-License-Identifier: MIT */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

#include "firmware.h"

static void add(struct verify_report *r, struct check_line line)
{
    r->items = arena_grow(r->arena, r->items, r->count, &r->cap, sizeof(*r->items));
    r->items[r->count++] = line;
}

void verify_ok(struct verify *v, const char *id, const char *found)
{
    add(v->report, (struct check_line){.id = id, .status = CHECK_OK, .found = found});
}

void verify_fail(struct verify *v, const char *id, const char *expected, const char *found,
                 const char *cause)
{
    add(v->report, (struct check_line){.id = id,
                                       .status = CHECK_FAIL,
                                       .expected = expected,
                                       .found = found,
                                       .cause = cause ? cause : v->foreign});
}

void verify_skip(struct verify *v, const char *id, const char *why)
{
    add(v->report, (struct check_line){.id = id, .status = CHECK_SKIP, .cause = why});
}

size_t verify_count(const struct verify_report *r, enum check_status status)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        count += r->items[i].status == status;
    return count;
}

const char *verify_cause_of_word(const struct verify *v)
{
    bool restored = v->guest->fate == FATE_ARRIVES &&
                    v->guest->vm->boot.firmware.value == FIRMWARE_OVMF;
    const char *word = NULL;
    if (v->view->has_cmdline)
        word = altering_word(v->view->cmdline, restored, v->arena);
    return word ? arena_printf(v->arena, "the guest kernel was booted with %s", word) : NULL;
}

const char *verify_cause_of_ram(const struct verify *v)
{
    const char *why = "firmware, or a kernel without CONFIG_EFI_SOFT_RESERVE, made it so";
    if (v->view->has_cmdline && cmdline_has(v->view->cmdline, "efi", "nosoftreserve"))
        why = "the guest kernel was booted with efi=nosoftreserve";
    else if (v->guest->fate == FATE_TOLD)
        why = "the kernel was not told by memmap=";
    else if (v->guest->fate == FATE_RAM)
        why = v->guest->cause;
    return arena_printf(v->arena, "SPM became ordinary RAM: %s", why);
}

/* "2026.02-3 03/01/2026", or of the oldest "0.0.0 02/06/2015": whether it is an OVMF that drops SPM. */
static bool is_old_ovmf(const char *version)
{
    char *end;
    unsigned long year = strtoul(version, &end, 10);
    unsigned long month = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    return end > version && (year < 2026 || (year == 2026 && month && month < 5));
}

const char *verify_cause_of_loss(const struct verify *v)
{
    const struct view_log *log = &v->view->log;
    bool ovmf = v->guest->vm->boot.firmware.value == FIRMWARE_OVMF;
    const char *why = "firmware, or the VMM's configuration, is without it";
    if (v->guest->fate == FATE_TOLD)
        why = "the kernel was not told by memmap=";
    else if (v->guest->fate == FATE_DROPPED)
        why = v->guest->cause;
    else if (ovmf && log->e820.present && !log->e820.damage && !log->efi)
        why = "the guest was not booted by OVMF, but by firmware that drops E820 type 0xEFFFFFFF";
    else if (log->efi && is_old_ovmf(log->firmware))
        why = arena_printf(v->arena,
                           "an OVMF before 202605 drops E820 type 0xEFFFFFFF, and this one "
                           "calls itself %s",
                           log->firmware);
    else if (v->srat_is_right)
        why = "firmware dropped it, for the SRAT has it";
    return arena_printf(v->arena, "SPM range absent from the guest: %s", why);
}

void verify_guest(struct verify_report *report, const struct guest *guest,
                  const struct guest_view *view)
{
    struct verify v = {.report = report, .arena = report->arena, .guest = guest, .view = view};
    verify_tables(&v);
    verify_maps(&v);
    verify_nodes(&v);
}
