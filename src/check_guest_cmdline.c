/* SPDX-License-Identifier: MIT */
/* Rules on what the guest's kernel makes of its command line. "Measured" is as in firmware.h. */
#include "firmware.h"

#include <string.h>

#include "kernel_parameters.h"
#include "strbuf.h"

/* The length of the parameters that an emitted command line gets with kernel-parameter. */
static size_t parameters_length(const struct check_context *c)
{
    struct strbuf text = {0};
    if (runs_qemu(c))
        kernel_parameters(&text, c->vm, c->qemu, c->layout);
    size_t len = text.len;
    strbuf_free(&text);
    return len;
}

static void check_cmdline_length(struct check_context *c)
{
    const struct boot *boot = &c->vm->boot;
    size_t own = boot->cmdline.value ? strlen(boot->cmdline.value) : 0;
    size_t added = parameters_length(c);
    size_t len = own + added + (own && added);
    /* OVMF's kernel loader puts "initrd=initrd " before it (measured). */
    if (runs_qemu(c) && boot->initrd.value && boot->firmware.value == FIRMWARE_OVMF)
        len += strlen("initrd=initrd ");
    if (len <= KERNEL_READS)
        return;
    struct diag *d =
        diag_add(c->diags, RULE_CMDLINE_LENGTH, own ? boot->cmdline.at : c->vm->qemu_spm.at,
                 "the kernel's command line would have %zu bytes; an x86 kernel takes %d", len,
                 KERNEL_READS);
    if (added)
        diag_help(c->diags, d,
                  "%zu of them are memmap= parameters, one for each range of SPM: use fewer nodes "
                  "of SPM, or a QEMU with 'sp-mem' (11.1)",
                  added);
    else
        diag_help(c->diags, d, "shorten it by %zu bytes", len - KERNEL_READS);
}

static void check_cmdline_memory(struct check_context *c)
{
    const char *word = cmdline_alters_memory(c);
    if (!word)
        return;
    struct diag *d =
        diag_add(c->diags, RULE_CMDLINE_MEMORY, c->vm->boot.cmdline.at,
                 "with '%.40s' Linux has other memory or nodes than the tables say", word);
    diag_help(c->diags, d, "leave it out: 'expect' and 'verify' do not reckon with it");
}

static void check_nosoftreserve(struct check_context *c)
{
    if (!kernel_drops_spm(c))
        return;
    struct diag *d = diag_add(c->diags, RULE_SPM_NOSOFTRESERVE, c->vm->boot.cmdline.at,
                              "efi=nosoftreserve makes all SPM ordinary RAM of the kernel");
    diag_note(c->diags, d, c->layout->spm[0].region->type.at, "SPM");
    diag_help(c->diags, d, "leave it out, or write 'type: normal' where ordinary RAM is meant");
}

/* Whether SPM is what the kernel takes it for, by all that the file says. */
static bool kernel_has_spm(const struct check_context *c)
{
    struct soft_range *ranges = NULL;
    if (!runs_qemu(c))
        return c->vm->cloudhv_spm.value == SPM_KERNEL_PARAMETER && vm_memory(c->vm, MEMORY_SPM);
    if (!firmware_sees_spm(c) || firmware_passes_spm(c))
        return c->layout->spm_count && !kernel_drops_spm(c);
    size_t count = cmdline_soft_ranges(c, &ranges);
    return soft_ranges_cover(ranges, count, &c->layout->spm[0]);
}

/* Only a file that boots the kernel itself can say what the kernel does with SPM. */
static void check_auto_online(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const char *cmdline = vm->boot.cmdline.value;
    if (!vm->boot.kernel.value || !kernel_has_spm(c) ||
        cmdline_has(cmdline, "memhp_default_state", "offline") ||
        cmdline_has(cmdline, "module_blacklist", "kmem") ||
        cmdline_has(cmdline, "module_blacklist", "dax_hmem") ||
        cmdline_has(cmdline, "modprobe.blacklist", "kmem") ||
        cmdline_has(cmdline, "modprobe.blacklist", "dax_hmem"))
        return;
    struct diag *d =
        diag_add(c->diags, RULE_SPM_AUTO_ONLINE,
                 vm->boot.cmdline.value ? vm->boot.cmdline.at : vm->boot.kernel.at,
                 "a distribution's kernel binds SPM to kmem and brings it online as ordinary RAM");
    diag_help(c->diags, d,
              "for SPM that a driver owns add 'module_blacklist=kmem' to 'cmdline', for SPM that "
              "stays offline 'memhp_default_state=offline'");
}

void check_cmdline(struct check_context *c)
{
    check_cmdline_length(c);
    check_cmdline_memory(c);
    check_nosoftreserve(c);
    check_auto_online(c);
}
