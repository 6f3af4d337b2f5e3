/* SPDX-License-Identifier: MIT */
/* Rules on firmware that does not start, loses SPM, takes a part of it, or is slow with it. */
#include "firmware.h"

#include <inttypes.h>
#include <string.h>

#include "kernel_parameters.h"
#include "strbuf.h"

static void report_dropped(struct check_context *c, const struct soft_range *ranges, size_t count)
{
    const struct boot *boot = &c->vm->boot;
    const struct layout *l = c->layout;
    bool ovmf = boot->firmware.value == FIRMWARE_OVMF;
    struct strbuf parameters = {0};
    size_t lost = 0;
    const struct placement *first = NULL;
    for (size_t i = 0; i < l->spm_count; i++) {
        if (soft_ranges_cover(ranges, count, &l->spm[i]))
            continue;
        first = lost++ ? first : &l->spm[i];
        if (lost <= 4)
            kernel_memmap(&parameters, l->spm[i].address, l->spm[i].size, false);
    }
    if (!lost)
        return;
    struct diag *d;
    if (ovmf)
        d = diag_add(c->diags, RULE_FIRMWARE_DROPS_SPM, boot->version.at,
                     "OVMF %s drops SPM without a word: the guest has none of it",
                     boot->version.value);
    else
        d = diag_add(c->diags, RULE_FIRMWARE_DROPS_SPM, boot->firmware.at,
                     "SeaBIOS%s drops SPM without a word: the guest has none of it",
                     boot->firmware.value == FIRMWARE_NONE ? ", under which QEMU starts the kernel,"
                                                           : "");
    diag_note(c->diags, d, first->region->type.at, "SPM that is lost%s",
              and_more(c->arena, lost - 1, "region"));
    const char *use = ovmf ? "run OVMF 202605 or newer" : "use 'ovmf' (202605 or newer) or 'qboot'";
    if (boot->kernel.value)
        diag_help(c->diags, d, "%s, or add to 'cmdline': %s%s", use, parameters.data,
                  lost > 4 ? " and so on for each region" : "");
    else
        diag_help(c->diags, d, "%s", use);
    strbuf_free(&parameters);
}

void check_firmware(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct boot *boot = &vm->boot;
    struct diag *d;
    if (!firmware_sees_spm(c) || firmware_passes_spm(c))
        return;
    if (vm->machine.confidential.value == CONFIDENTIAL_TDX) {
        d = diag_add(c->diags, RULE_FIRMWARE_TDX_SPM, vm->machine.confidential.at,
                     "a TDX guest's firmware hands on plain RAM alone: the guest has no SPM");
        diag_note(c->diags, d, c->layout->spm[0].region->type.at, "SPM");
        diag_help(c->diags, d, "leave 'confidential' out, or write 'type: normal'");
        return;
    }
    if (vm->machine.confidential.value == CONFIDENTIAL_SEV_SNP &&
        boot->firmware.value == FIRMWARE_OVMF) {
        d = diag_add(c->diags, RULE_FIRMWARE_SNP_SPM, boot->version.at,
                     "OVMF %s makes the SPM of an SEV-SNP guest plain RAM", boot->version.value);
        diag_note(c->diags, d, vm->machine.confidential.at, "SEV-SNP");
        diag_help(c->diags, d, "run OVMF 202608 or newer");
        return;
    }
    struct soft_range *ranges = NULL;
    size_t count = cmdline_soft_ranges(c, &ranges);
    report_dropped(c, ranges, count);
}

/* Whether an image is OVMF's build with Secure Boot in SMM, by the names that distributions give it:
 * OVMF_CODE_4M.secboot.fd, .ms.fd and .snakeoil.fd (Debian; the latter two are links to the first),
 * OVMF_CODE.secboot.fd (Fedora, Arch), ovmf-x86_64-smm-ms-code.bin (openSUSE). */
static bool is_secure_boot(const char *path)
{
    static const char *const marks[] = {".secboot.", ".ms.", ".snakeoil.", "-smm-"};
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    bool marked = false;
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        marked |= strstr(name, marks[i]) != NULL;
    return marked && (strstr(name, "_CODE") || strstr(name, "-code"));
}

/* Debian's OVMF 2026.08 on QEMU 11.1.2: without a store an exception in its first second, on pc no
 * sign of life. */
void check_secure_boot(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct boot *boot = &vm->boot;
    struct diag *d;
    if (boot->firmware.value != FIRMWARE_OVMF || !boot->code.value ||
        vm->machine.confidential.value != CONFIDENTIAL_NONE || !is_secure_boot(boot->code.value))
        return;
    if (c->qemu->machine == MACHINE_PC) {
        d = diag_add(c->diags, RULE_FIRMWARE_SECURE_BOOT, boot->code.at,
                     "firmware built for Secure Boot does not start on '%s'",
                     vm->machine.type.value);
        diag_note(c->diags, d, vm->machine.type.at, "the machine type");
        diag_help(c->diags, d, "write 'machine: q35', or name an image without Secure Boot");
    } else if (!boot->vars.value) {
        d = diag_add(c->diags, RULE_FIRMWARE_SECURE_BOOT, boot->code.at,
                     "firmware built for Secure Boot dies without a file for its variables");
        diag_help(c->diags, d,
                  "add 'vars', a copy of the OVMF_VARS file of that image, or name an image "
                  "without Secure Boot");
    }
}

/* From here on the start is felt: tianocore/edk2, pull request 12774, speaks of 100 GiB and more. */
#define SLOW_START (100 * GIB)

void check_firmware_start(struct check_context *c)
{
    const struct vm *vm = c->vm;
    uint64_t spm = vm_memory(vm, MEMORY_SPM);
    if (vm->machine.confidential.value != CONFIDENTIAL_SEV_SNP || spm < SLOW_START ||
        !firmware_sees_spm(c) || !firmware_passes_spm(c))
        return;
    struct strbuf size = {0};
    strbuf_add_size(&size, spm, " ");
    struct diag *d =
        diag_add(c->diags, RULE_FIRMWARE_SLOW_START, vm->machine.confidential.at,
                 "firmware validates all %s of SPM before the guest starts", size.data);
    diag_note(c->diags, d, c->layout->spm[0].region->type.at, "SPM");
    diag_help(c->diags, d, "allow for a start of minutes in what waits for the guest");
    strbuf_free(&size);
}

/* Firmware works at the end of what RAM there is below 4 GiB. */
void check_low_end(struct check_context *c)
{
    const struct placement *spm = firmware_shares_spm(c);
    if (!spm)
        return;
    /* A dax device is whole 2 MiB, and SeaBIOS takes 128 KiB of the last: there is no device at all. OVMF takes
     * from several blocks or one (measured). */
    bool ovmf = c->vm->boot.firmware.value == FIRMWARE_OVMF;
    uint64_t block = guest_memory_block(c);
    uint64_t from = round_up(spm->address, block);
    uint64_t to = (placement_end(spm) - 1) / block * block;
    struct strbuf size = {0};
    struct strbuf most = {0};
    strbuf_add_size(&size, spm->size, " ");
    strbuf_add_size(&most, to > from ? to - from : 0, " ");
    struct diag *d = diag_add(
        c->diags, RULE_SPM_LOW_END, region_place(spm->region),
        "SPM of node %u ends where RAM below 4 GiB does, at 0x%" PRIx64
        ", and there firmware keeps its tables: of its %s there Linux can bring %s%s online",
        spm->region->node, c->layout->below, size.data, ovmf && to > from ? "at most " : "",
        ovmf && to > from ? most.data : "none");
    strbuf_free(&size);
    strbuf_free(&most);
    diag_help(c->diags, d,
              "give nodes with lower ids normal memory until it begins above 4 GiB, or use "
              "'spm-interface: sp-mem' (QEMU 11.1) or the firmware qboot");
}
