/* SPDX-License-Identifier: MIT */
#include "kernel_parameters.h"

#include <inttypes.h>
#include <string.h>

#include "cmdline.h"

void kernel_memmap(struct strbuf *out, uint64_t address, uint64_t size, bool ram)
{
    strbuf_adds(out, out->len ? " memmap=" : "memmap=");
    strbuf_add_qemu_size(out, size);
    strbuf_addf(out, "%%0x%" PRIx64, address);
    if (ram)
        strbuf_addf(out, "-%d", E820_RAM);
    strbuf_addf(out, "+0x%x", E820_SOFT_RESERVED);
}

void kernel_memmaps(struct strbuf *out, const struct layout *layout)
{
    for (size_t i = 0; layout->spm_is_ram && i < layout->spm_count; i++)
        kernel_memmap(out, layout->spm[i].address, layout->spm[i].size, true);
}

void kernel_parameters(struct strbuf *out, const struct vm *vm, const struct qemu_target *t,
                       const struct layout *layout)
{
    if (t->interface != SPM_KERNEL_PARAMETER)
        return;
    size_t start = out->len;
    uint64_t lowest = UINT64_MAX;
    uint64_t smallest = UINT64_MAX;
    kernel_memmaps(out, layout);
    for (size_t i = 0; i < layout->spm_count; i++) {
        lowest = u64_min(lowest, layout->spm[i].address);
        smallest = u64_min(smallest, layout->spm[i].size);
    }
    /* The kernel's decompressor takes the smallest size for a limit on addresses and may put the
     * kernel into SPM below it (measured: Linux 7.2, 16 GiB at 4 GiB, 5 of 6 boots). */
    const char *own = vm->boot.cmdline.value;
    if (out->len > start && smallest > lowest && !cmdline_has_word(own, "nokaslr"))
        strbuf_adds(out, " nokaslr");
}

void kernel_cmdline(struct strbuf *out, const struct vm *vm, const struct qemu_target *t,
                    const struct layout *layout)
{
    struct strbuf parameters = {0};
    strbuf_adds(&parameters, "");
    kernel_parameters(&parameters, vm, t, layout);
    cmdline_add(out, vm->boot.cmdline.value, parameters.data);
    strbuf_free(&parameters);
}
