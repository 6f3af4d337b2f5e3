/* SPDX-License-Identifier: MIT */
#include "firmware.h"

#include <stdlib.h>
#include <string.h>

bool runs_qemu(const struct check_context *c)
{
    return c->targets & TARGET_RUNS_QEMU;
}

bool firmware_sees_spm(const struct check_context *c)
{
    return c->layout->spm_count && !c->layout->spm_is_ram;
}

/* --- firmware ------------------------------------------------------------------------------- */

/* Whether OVMF has a change, by its release (YYYYMM) or, where the version is a day (YYYYMMDD), by
 * the day it was made. Without a version it is new enough. */
static bool ovmf_has(const struct boot *boot, unsigned long release, unsigned long day)
{
    if (!boot->version.value)
        return true;
    unsigned long version = strtoul(boot->version.value, NULL, 10);
    return version >= (strlen(boot->version.value) == 8 ? day : release);
}

/* EFI_MEMORY_SP from SOFT_RESERVED entries: https://github.com/tianocore/edk2/pull/11964 */
static bool ovmf_has_spm(const struct boot *boot)
{
    return ovmf_has(boot, 202605, 20260311);
}

/* The same under SEV-SNP: https://github.com/tianocore/edk2/pull/12774 */
static bool ovmf_has_snp_spm(const struct boot *boot)
{
    return ovmf_has(boot, 202608, 20260720);
}

/* SeaBIOS takes types 1 and 2 of QEMU's E820 alone (src/fw/paravirt.c, qemu_early_e820), and what
 * has no firmware QEMU starts under it; qboot copies all (measured). */
bool firmware_passes_spm(const struct check_context *c)
{
    const struct boot *boot = &c->vm->boot;
    int confidential = c->vm->machine.confidential.value;
    if (confidential == CONFIDENTIAL_TDX)
        return false;
    if (confidential == CONFIDENTIAL_SEV_SNP)
        return boot->firmware.value == FIRMWARE_OVMF && ovmf_has_snp_spm(boot);
    return boot->firmware.value == FIRMWARE_QBOOT ||
           (boot->firmware.value == FIRMWARE_OVMF && ovmf_has_spm(boot));
}

const struct placement *firmware_shares_spm(const struct check_context *c)
{
    const struct layout *l = c->layout;
    if (!runs_qemu(c) || !l->spm_is_ram || c->vm->boot.firmware.value == FIRMWARE_QBOOT)
        return NULL;
    for (size_t i = 0; i < l->spm_count; i++)
        if (placement_end(&l->spm[i]) == l->below)
            return &l->spm[i];
    return NULL;
}

/* --- the kernel's command line -------------------------------------------------------------- */

/* A number as the kernel's memparse() reads it: C prefixes, binary suffixes. */
static bool take_number(struct word *word, uint64_t *value)
{
    static const char suffixes[] = "KMGTPE";
    char digits[32] = "";
    size_t len = 0;
    while (len < word->len && len + 1 < sizeof(digits) &&
           strchr("0123456789abcdefABCDEFxX", word->text[len])) {
        digits[len] = word->text[len];
        len++;
    }
    /* An exponent's E is a digit of hexadecimal numbers only. */
    bool hex = len > 1 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    for (size_t i = 0; !hex && i < len; i++)
        if (digits[i] > '9')
            len = i;
    digits[len] = '\0';
    if (!len)
        return false;
    *value = strtoull(digits, NULL, 0);
    const char *suffix = len < word->len ? strchr(suffixes, word->text[len] & ~0x20) : NULL;
    if (suffix && *suffix) {
        unsigned shift = 10 * (unsigned)(suffix - suffixes + 1);
        if (*value > UINT64_MAX >> shift)
            return false;
        *value <<= shift;
        len++;
    }
    word->text += len;
    word->len -= len;
    return true;
}

static bool take_char(struct word *word, char c)
{
    if (!word->len || *word->text != c)
        return false;
    word->text++;
    word->len--;
    return true;
}

/* nn%ss+type and nn%ss-old+type (Documentation/admin-guide/kernel-parameters.txt). */
static bool parse_soft_range(struct word item, struct soft_range *range)
{
    uint64_t size, type, old = 0;
    if (!take_number(&item, &size) || !take_char(&item, '%') || !take_number(&item, &range->start))
        return false;
    if (take_char(&item, '-') && !take_number(&item, &old))
        return false;
    if (!take_char(&item, '+') || !take_number(&item, &type))
        return false;
    range->end = range->start + u64_min(size, UINT64_MAX - range->start);
    range->old = (uint32_t)old;
    return !item.len && type == E820_SOFT_RESERVED && old <= UINT32_MAX;
}

static int by_start(const void *left, const void *right)
{
    const struct soft_range *a = left;
    const struct soft_range *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

size_t soft_ranges_of(const char *cmdline, struct arena *arena, struct soft_range **ranges)
{
    struct words words = cmdline_words(cmdline);
    struct word word, item;
    size_t count = 0;
    size_t room = KERNEL_READS / sizeof("1%1+1");
    *ranges = arena_alloc(arena, room, sizeof(**ranges));
    while (cmdline_next(&words, &word))
        if (word_take_value(&word, "memmap"))
            while (count < room && word_next_item(&word, &item))
                count += parse_soft_range(item, &(*ranges)[count]);
    if (count)
        qsort(*ranges, count, sizeof(**ranges), by_start);
    return count;
}

size_t cmdline_soft_ranges(const struct check_context *c, struct soft_range **ranges)
{
    size_t kept = 0;
    if (c->vm->machine.confidential.value != CONFIDENTIAL_NONE)
        return 0;
    size_t count = soft_ranges_of(c->vm->boot.cmdline.value, c->arena, ranges);
    /* With an old type it changes only what is there, and where firmware drops SPM nothing is (measured). */
    for (size_t i = 0; i < count; i++)
        if (!(*ranges)[i].old)
            (*ranges)[kept++] = (*ranges)[i];
    return kept;
}

bool soft_ranges_cover(const struct soft_range *ranges, size_t count, const struct placement *spm)
{
    uint64_t start = spm->address;
    uint64_t end = placement_end(spm);
    for (size_t i = 0; i < count && ranges[i].start <= start && start < end; i++)
        start = u64_max(start, ranges[i].end);
    return start >= end;
}

/* Whether an item of memmap= makes anything but soft-reserved memory. */
static bool alters_map(const struct word *item, bool restored)
{
    struct soft_range range;
    if (restored && item->len == strlen("exactmap") &&
        memcmp(item->text, "exactmap", item->len) == 0)
        return false;
    return item->len && !parse_soft_range(*item, &range);
}

/* Documentation/admin-guide/kernel-parameters.txt */
static bool alters_memory(const struct word *word, bool restored)
{
    static const struct {
        const char *name, *item;
    } altering[] = {{"numa", "off"},
                    {"numa", "noacpi"},
                    {"numa", "nohmat"},
                    {"numa", "fake="},
                    {"acpi", "off"}};
    struct word value = *word;
    struct word item;
    bool found = !restored && word_take_value(&value, "mem");
    value = *word;
    if (word_take_value(&value, "memmap"))
        while (word_next_item(&value, &item))
            found |= alters_map(&item, restored);
    for (size_t i = 0; i < ARRAY_SIZE(altering); i++) {
        size_t len = strlen(altering[i].item);
        bool any = altering[i].item[len - 1] == '=';
        value = *word;
        if (word_take_value(&value, altering[i].name))
            while (word_next_item(&value, &item))
                found |= (any ? item.len > len : item.len == len) &&
                         memcmp(item.text, altering[i].item, len) == 0;
    }
    return found;
}

const char *altering_word(const char *cmdline, bool restored, struct arena *arena)
{
    struct words words = cmdline_words(cmdline);
    struct word word;
    while (cmdline_next(&words, &word))
        if (alters_memory(&word, restored))
            return arena_strndup(arena, word.text, word.len);
    return NULL;
}

/* Where EFI's map has SPM, Linux adds all of that map to its own once more, behind the command line
 * (arch/x86/platform/efi/efi.c, do_add_efi_memmap; measured: mem= with 6.1 and 7.2, exactmap with 7.2). */
const char *cmdline_alters_memory(const struct check_context *c)
{
    bool restored = runs_qemu(c) && firmware_sees_spm(c) && firmware_passes_spm(c) &&
                    c->vm->boot.firmware.value == FIRMWARE_OVMF && !kernel_drops_spm(c);
    return altering_word(c->vm->boot.cmdline.value, restored, c->arena);
}

/* The EFI stub makes the kernel's E820, and obeys efi=nosoftreserve there
 * (drivers/firmware/efi/libstub/x86-stub.c); what comes by E820 or memmap= stays (measured). */
bool kernel_drops_spm(const struct check_context *c)
{
    return firmware_sees_spm(c) && c->vm->boot.firmware.value == FIRMWARE_OVMF &&
           firmware_passes_spm(c) && cmdline_has(c->vm->boot.cmdline.value, "efi", "nosoftreserve");
}

/* OVMF joins touching ranges of one kind into one EFI descriptor. qboot and memmap= do not, and the
 * kernel never joins soft-reserved entries of E820 (arch/x86/kernel/e820.c, e820_nomerge). With an
 * HMAT, even an empty one, Linux takes the ranges from the SRAT instead (drivers/acpi/numa/hmat.c,
 * hmat_register_target_devices). All measured. */
bool firmware_joins_touching(const struct check_context *c)
{
    return firmware_sees_spm(c) && c->vm->boot.firmware.value == FIRMWARE_OVMF &&
           firmware_passes_spm(c) && !given(c->vm->hmat_at);
}

/* --- memory blocks -------------------------------------------------------------------------- */

uint64_t guest_memory_block(const struct check_context *c)
{
    const struct layout *l = c->layout;
    uint64_t end = 0;
    uint64_t block = 2 * GIB;
    if (!runs_qemu(c))
        return l->block;
    for (size_t i = 0; i < l->affinity_count; i++) {
        const struct affinity *a = &l->affinity[i];
        if (a->flags == SRAT_ENABLED && (!l->window || a->address < l->window) &&
            !node_has_spm_alone(&c->vm->nodes[a->node]))
            end = u64_max(end, a->address + a->size);
    }
    while (block > 128 * MIB && (end < 64 * GIB || end % block))
        block /= 2;
    return block;
}
