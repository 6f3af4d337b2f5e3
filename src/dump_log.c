/* SPDX-License-Identifier: MIT */
/* The kernel's boot log: from dmesg, a journal, or a serial console with all else that is on it. A
 * pattern is looked for anywhere in a line. Of several boots the last one counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_view.h"

const char log_torn[] = "a line of it cannot be read";
const char log_headless[] = "its start is missing";
const char log_cut[] = "the log ends with it, or inside it";
const char log_mixed[] = "more lines of its kind stand behind its end";

/* What follows a text in a line; NULL where it is not in it. */
static const char *after(const char *line, const char *text)
{
    const char *at = strstr(line, text);
    return at ? at + strlen(text) : NULL;
}

static void keep(char *to, size_t size, const char *text, const char *stop)
{
    size_t len = strcspn(text, stop);
    len = len < size ? len : size - 1;
    memcpy(to, text, len);
    to[len] = '\0';
}

/* Exactly hexadecimal digits up to what must follow them. */
static const char *take_hex(const char *text, const char *end, uint64_t *value)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    if (!digits || digits > 16 || strncmp(text + digits, end, strlen(end)) != 0)
        return NULL;
    *value = strtoull(text, NULL, 16);
    return text + digits + strlen(end);
}

static const char *take_decimal(const char *text, const char *end, uint32_t *value)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 9 || strncmp(text + digits, end, strlen(end)) != 0)
        return NULL;
    *value = (uint32_t)strtoul(text, NULL, 10);
    return text + digits + strlen(end);
}

/* "0xA-0xB]" after "[mem ". */
static const char *take_range(const char *text, uint64_t *start, uint64_t *end)
{
    uint64_t last;
    const char *at = strncmp(text, "0x", 2) == 0 ? take_hex(text + 2, "-0x", start) : NULL;
    at = at ? take_hex(at, "]", &last) : NULL;
    if (!at || last < *start || last == UINT64_MAX)
        return NULL;
    *end = last + 1;
    return at;
}

/* The kernel's words, up to Linux 6.x and since 7.0 (arch/x86/kernel/e820.c, e820_print_type). */
static const struct {
    const char *word;
    uint32_t type;
} words[] = {
    {"usable", E820_RAM},
    {"System RAM", E820_RAM},
    {"reserved", E820_RESERVED},
    {"device reserved", E820_RESERVED},
    {"soft reserved", E820_SOFT_RESERVED},
    {"ACPI", RANGE_OTHER},
    {"unusable", RANGE_OTHER},
    {"persistent", RANGE_OTHER},
    {"type", RANGE_OTHER},
    {"unaccepted", RANGE_OTHER},
};

static bool same_range(const struct view_range *a, const struct view_range *b)
{
    return a->start == b->start && a->end == b->end && a->type == b->type &&
           a->number == b->number && a->domain == b->domain && a->flags == b->flags;
}

/* A line of a list. Behind the end of one its lines are said again, as 'dmesg | grep' on a console does it, or
 * they are another boot's whose start was lost. */
static void take_line_of(struct guest_view *view, struct view_map *map, bool ended,
                         const struct view_range *found)
{
    enum { AGAIN = 1024 }; /* longer lists are not looked through */
    if (!ended) {
        struct view_range *range = view_add_range(view, map);
        if (range)
            *range = *found;
        return;
    }
    for (size_t i = 0; i < map->count && i < AGAIN; i++)
        if (same_range(&map->items[i], found))
            return;
    map->damage = map->damage ? map->damage : log_mixed;
}

/* A line of a map, from what follows "BIOS-e820: " or "user: " on. */
static void take_e820(struct guest_view *view, struct view_map *map, bool ended, const char *text)
{
    struct view_range found = {0};
    if (strncmp(text, "[gap ", 5) == 0)
        return;
    const char *at = strncmp(text, "[mem ", 5) == 0 ? take_range(text + 5, &found.start, &found.end)
                                                    : NULL;
    if (at)
        at += strspn(at, " ");
    for (size_t i = 0; at && i < ARRAY_SIZE(words); i++) {
        if (strncmp(at, words[i].word, strlen(words[i].word)) != 0)
            continue;
        found.type = words[i].type;
        take_line_of(view, map, ended, &found);
        return;
    }
    if (!ended)
        map->damage = log_torn;
}

/* "Node 0 PXM 0 [mem 0x00000000-0x0009ffff] hotplug" */
static void take_memory(struct guest_view *view, bool ended, const char *text)
{
    struct view_map *map = &view->log.srat;
    struct view_range found = {.flags = SRAT_ENABLED};
    const char *at = take_decimal(text, " PXM ", &found.number);
    at = at ? take_decimal(at, " [mem ", &found.domain) : NULL;
    at = at ? take_range(at, &found.start, &found.end) : NULL;
    if (!at && !ended)
        map->damage = log_torn;
    if (!at)
        return;
    if (strncmp(at, " hotplug", 8) == 0) {
        found.flags |= SRAT_HOTPLUGGABLE;
        at += 8;
    }
    if (strncmp(at, " non-volatile", 13) == 0)
        found.flags |= SRAT_NON_VOLATILE;
    take_line_of(view, map, ended, &found);
}

/* "0 -> APIC 0x00 -> Node 0" */
static void take_cpu(struct guest_view *view, bool ended, const char *text)
{
    struct view_log *log = &view->log;
    struct view_cpu cpu;
    uint64_t apic;
    const char *at = take_decimal(text, " -> APIC 0x", &cpu.domain);
    at = at ? take_hex(at, " -> Node ", &apic) : NULL;
    at = at ? take_decimal(at, "", &cpu.number) : NULL;
    if (ended) /* said again, or another boot's */
        return;
    if (!at || log->cpu_count == VIEW_CPU_LIMIT) {
        log->cpu_damage = log_torn;
        return;
    }
    cpu.apic_id = (uint32_t)apic;
    log->cpus =
        arena_grow(view->arena, log->cpus, log->cpu_count, &log->cpu_cap, sizeof(*log->cpus));
    log->cpus[log->cpu_count++] = cpu;
}

/* "0x000000007FE4B000 000160 (v01 BOCHS ..." */
static void take_table(struct view_log *log, enum view_table table, const char *text)
{
    uint64_t address, len;
    const char *at = take_hex(text, " ", &address);
    at = at ? take_hex(at, " (v", &len) : NULL;
    if (!at)
        return;
    log->table_twice[table] |= log->table_length[table] && log->table_address[table] != address;
    log->table_address[table] = address;
    log->table_length[table] = (uint32_t)len;
    log->lists_tables = true;
}

/* "0 [mem 0x0000000000001000-0x000000003feebfff]", "1 as memoryless"; older kernels write a range of one byte
 * of a node without memory. */
static void take_setup(struct guest_view *view, bool ended, const char *text)
{
    struct view_map *map = &view->log.setup;
    struct view_range found = {0};
    const char *at = take_decimal(text, " ", &found.number);
    if (at && strncmp(at, "as memoryless", 13) != 0)
        at = strncmp(at, "[mem ", 5) == 0 ? take_range(at + 5, &found.start, &found.end) : NULL;
    if (at)
        take_line_of(view, map, ended, &found);
    else if (!ended)
        map->damage = log_torn;
}

static void empty(struct view_map *map)
{
    map->count = 0;
    map->damage = NULL;
    map->present = false;
}

/* A new boot: what was read of the one before is void. The lines before the map that count for it
 * stay. */
static void start_boot(struct log_reader *r)
{
    struct view_log *log = &r->view->log;
    empty(&log->e820);
    empty(&log->user);
    empty(&log->srat);
    empty(&log->setup);
    log->present = log->e820.present = true;
    log->efi = log->past_efi = log->faked = false;
    log->firmware[0] = log->truncated[0] = '\0';
    log->cpu_count = 0;
    log->cpu_damage = NULL;
    log->lists_tables = log->tables_whole = false;
    memset(log->table_length, 0, sizeof(log->table_length));
    memset(log->table_twice, 0, sizeof(log->table_twice));
    r->early = r->map_open = true;
    r->tables_open = r->srat_open = r->setup_open = false;
}

/* The kernel's own line, at the start of one or behind what dmesg, a journal or a console puts before it. */
static const char *after_prefix(const char *line, const char *text)
{
    for (const char *at = line; (at = strstr(at, text)); at++)
        if (at == line || strchr(">;", at[-1]) ||
            (at[-1] == ' ' && at - line > 1 && strchr("]:", at[-2])))
            return at + strlen(text);
    return NULL;
}

static void take_word_lines(struct view_log *log, const char *line)
{
    const char *at;
    if ((at = after(line, "Linux version ")) && *at >= '0' && *at <= '9')
        keep(log->version, sizeof(log->version), at, " ");
    if ((at = after_prefix(line, "Command line: "))) {
        keep(log->cmdline, sizeof(log->cmdline), at, "");
        log->has_cmdline = true;
    }
    if (after(line, "efi: EFI v"))
        log->efi = true;
    if (after(line, "Faking a node at [mem "))
        log->present = log->faked = true;
    if (after(line, "DMI: ") && (at = after(line, ", BIOS ")))
        keep(log->firmware, sizeof(log->firmware), at, "");
    if ((at = after(line, "kmem ")) && after(at, "truncated by"))
        keep(log->truncated, sizeof(log->truncated), at, "");
}

/* Whether a line is one of those that the kernel logs behind a list. */
static bool has_any(const char *line, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(line, texts[i]))
            return true;
    return false;
}

/* What comes soon after the memory map, and after the SRAT, in every boot. */
static const char *const behind_map[] = {
    "last_pfn = ", "e820: ", "efi: ", "DMI: ", "ACPI: ", "SRAT: ", "NX (Execute Disable)"};
static const char *const behind_efi[] = {"DMI: ", "last_pfn = ", "ACPI: "};
static const char *const behind_tables[] = {"ACPI: Reserving ", "ACPI: Local APIC",
                                            "SRAT: ", "NUMA", "Zone ranges:"};
static const char *const behind_srat[] = {"NUMA: ", "NODE_DATA(",
                                          "Zone ranges:", "Kernel command line:", "Memory: "};
static const char *const behind_setup[] = {"Kernel command line:", "Memory: "};

/* What stands before lists, and so begins or ends some. */
static void pass_by(struct log_reader *r, const char *line)
{
    struct view_log *log = &r->view->log;
    if (has_any(line, behind_map, ARRAY_SIZE(behind_map))) {
        r->map_open = false;
        r->early = true;
    }
    log->past_efi |= has_any(line, behind_efi, ARRAY_SIZE(behind_efi));
    if (after(line, "ACPI: RSDP 0x"))
        r->tables_open = true;
    else if (r->tables_open && has_any(line, behind_tables, ARRAY_SIZE(behind_tables))) {
        r->tables_open = false;
        log->tables_whole = true;
    }
    r->srat_open = r->srat_open && !has_any(line, behind_srat, ARRAY_SIZE(behind_srat));
    if (after(line, "Early memory node ranges"))
        log->setup.present = r->setup_open = true;
    r->setup_open = r->setup_open && !has_any(line, behind_setup, ARRAY_SIZE(behind_setup));
}

static void take_other(struct log_reader *r, const char *line)
{
    struct view_log *log = &r->view->log;
    for (int t = 0; t < VIEW_TABLES; t++) {
        char start[16];
        snprintf(start, sizeof(start), "ACPI: %s 0x", view_table_names[t]);
        const char *at = after(line, start);
        if (at)
            take_table(log, (enum view_table)t, at);
    }
    take_word_lines(log, line);
}

/* Whether a line of the SRAT comes when the list is at its end; else it goes on. */
static bool is_behind_srat(struct log_reader *r, bool of_memory)
{
    struct view_log *log = &r->view->log;
    if (!r->srat_open && (log->srat.present || log->cpu_count))
        return true;
    const char **damage = of_memory ? &log->srat.damage : &log->cpu_damage;
    if (!r->early && !*damage)
        *damage = log_headless;
    log->present = r->early = r->srat_open = true;
    log->srat.present |= of_memory;
    return false;
}

static bool is_behind_setup(struct log_reader *r)
{
    struct view_map *setup = &r->view->log.setup;
    if (setup->present)
        return !r->setup_open;
    setup->damage = log_headless;
    r->view->log.present = setup->present = r->setup_open = true;
    return false;
}

static void take_line(struct log_reader *r)
{
    struct guest_view *view = r->view;
    struct view_log *log = &view->log;
    const char *line = r->line;
    const char *at;
    if (after(line, "BIOS-provided physical RAM map:")) {
        start_boot(r);
    } else if ((at = after(line, "BIOS-e820: "))) {
        if (!log->e820.present) { /* the start of the log is missing */
            log->present = log->e820.present = true;
            log->e820.damage = log_headless;
        }
        take_e820(view, &log->e820, log->user.present || (r->early && !r->map_open), at);
    } else if (after(line, "user-defined physical RAM map:")) {
        log->user.present = r->map_open = true;
    } else if (log->user.present && (at = after(line, "user: ")) && *at == '[') {
        take_e820(view, &log->user, !r->map_open, at);
    } else {
        if ((at = after(line, "SRAT: Node ")))
            take_memory(view, is_behind_srat(r, true), at);
        else if ((at = after(line, "SRAT: PXM ")) && strstr(at, "APIC"))
            take_cpu(view, is_behind_srat(r, false), at);
        else if ((at = after(line, "Initmem setup node ")))
            take_setup(view, is_behind_setup(r), at);
        else
            take_other(r, line);
        pass_by(r, line);
    }
}

/* Takes out the escape sequences of a terminal (ECMA-48, 5.4): dmesg colors parts of a line. */
static void strip_escapes(struct log_reader *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->len; i++) {
        if (r->line[i] != '\033' || i + 1 == r->len || r->line[i + 1] != '[') {
            r->line[kept++] = r->line[i];
            continue;
        }
        i += 2;
        while (i < r->len && r->line[i] >= ' ' && r->line[i] < '@')
            i++;
    }
    r->len = kept;
}

static void end_line(struct log_reader *r)
{
    if (memchr(r->line, '\033', r->len))
        strip_escapes(r);
    r->line[r->len] = '\0';
    if (r->len)
        take_line(r);
    r->len = 0;
    r->too_long = false;
}

/* A line ends with either character of a line break, or with a NUL. */
void log_feed(struct log_reader *r, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (c == '\n' || c == '\r' || c == '\0')
            end_line(r);
        else if (r->len + 1 < sizeof(r->line))
            r->line[r->len++] = c;
        else
            r->too_long = true;
    }
}

static void cut(const char **damage)
{
    if (!*damage)
        *damage = log_cut;
}

void log_end(struct log_reader *r)
{
    struct view_log *log = &r->view->log;
    end_line(r);
    if (r->map_open)
        cut(log->user.present ? &log->user.damage : &log->e820.damage);
    if (r->srat_open)
        cut(&log->srat.damage);
    if (r->setup_open)
        cut(&log->setup.damage);
    /* Processors come before memory. */
    if (r->srat_open && !log->srat.present)
        cut(&log->cpu_damage);
}
