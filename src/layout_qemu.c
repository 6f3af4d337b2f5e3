/* SPDX-License-Identifier: MIT */
/* QEMU's x86 memory map: the holes, the window for memory devices, SPM in it, and the order of E820
 * and SRAT entries. Every number here was compared with real QEMU (tests/oracle). */
#include "layout.h"

#include <inttypes.h>

#include "strbuf.h"

#define FOUR_GIB (4 * GIB)
/* AMD's HyperTransport reserved range (AMD I/O virtualization specification, section 2.1.2.1 lists
 * its uses); guests that would touch it get their high memory from 1 TiB on. */
#define HT_HOLE UINT64_C(0xfd00000000)
#define HT_HOLE_SIZE UINT64_C(0x300000000)
/* KVM's identity map page and TSS, reserved in E820 (QEMU, target/i386/kvm). */
#define KVM_RESERVED UINT64_C(0xfeffc000)
#define KVM_RESERVED_SIZE UINT64_C(0x4000)

static void split_ram(struct layout *l, enum machine_type machine)
{
    uint64_t low;
    if (machine == MACHINE_Q35)
        low = l->ram >= UINT64_C(0xb0000000) ? UINT64_C(0x80000000) : UINT64_C(0xb0000000);
    else
        low = l->ram >= UINT64_C(0xe0000000) ? UINT64_C(0xc0000000) : UINT64_C(0xe0000000);
    l->below = u64_min(l->ram, low);
    l->above = l->ram - l->below;
}

/* Linux's memory block (arch/x86/mm/init_64.c, probe_memory_block_size): 128 MiB, and up to 2 GiB
 * where boot memory ends at 64 GiB or above. The end is an address, so the hole below 4 GiB counts;
 * of the possible larger blocks the largest suits every guest. */
static uint64_t memory_block(const struct layout *l)
{
    uint64_t end = l->above ? l->high_base + l->above : l->below;
    return end >= 64 * GIB ? 2 * GIB : 128 * MIB;
}

/* The highest address that CPUs must reach, with high memory at `high`: the window or RAM, then the
 * 64-bit PCI hole. */
static uint64_t top_address(const struct layout *l, uint64_t high, const struct qemu_target *t)
{
    uint64_t end = high + l->above;
    if (l->window_size)
        end = round_up(end, GIB) + l->window_size;
    return round_up(end, GIB) + t->pci_hole64 - 1;
}

/* --- SPM in the window ---------------------------------------------------------------------- */

struct placer {
    const struct vm *vm;
    const struct layout *layout;
    struct diags *diags;
    uint64_t limit;           /* end of the window; beyond any address when it may grow */
    struct placement **taken; /* by ascending address */
    size_t taken_count;
};

static void take(struct placer *p, struct placement *place)
{
    size_t i = p->taken_count++;
    for (; i > 0 && p->taken[i - 1]->address > place->address; i--)
        p->taken[i] = p->taken[i - 1];
    p->taken[i] = place;
}

/* The lowest multiple of align from `from` on that keeps off what is taken; off SPM of another node
 * by a whole block, so that neither firmware nor a memory block joins the two. */
static uint64_t lowest_free(const struct placer *p, const struct region *region, uint64_t from,
                            uint64_t align)
{
    uint64_t at = round_up(from, align);
    for (size_t i = 0; i < p->taken_count; i++) {
        const struct placement *other = p->taken[i];
        uint64_t gap = other->region->node == region->node ? 0 : p->layout->block;
        bool before = at + region->size.value + gap <= other->address;
        bool behind = placement_end(other) + gap <= at;
        if (!before && !behind)
            at = round_up(placement_end(other) + gap, align);
    }
    return at;
}

static void add_range(struct strbuf *b, uint64_t start, uint64_t end)
{
    strbuf_addf(b, "[0x%" PRIx64 "-0x%" PRIx64 "]", start, end - 1);
}

/* A given address: aligned, inside the window, off the others. */
static bool place_given(struct placer *p, struct placement *place)
{
    const struct region *region = place->region;
    uint64_t align = backend_alignment(&region->backend);
    uint64_t address = region->address.value;
    uint64_t end = address + region->size.value;
    struct strbuf text = {0};
    place->address = address;
    struct diag *d = NULL;
    if (address % align) {
        d = diag_add(p->diags, RULE_ADDRESS_ALIGNMENT, region->address.at,
                     "the address 0x%" PRIx64 " is not a multiple of the 0x%" PRIx64
                     " that its backend needs",
                     address, align);
        uint64_t step = u64_max(align, p->layout->block);
        diag_help(p->diags, d, "write 0x%" PRIx64 " or 0x%" PRIx64, address / step * step,
                  round_up(address, step));
    } else if (address < p->layout->window || end > p->limit) {
        add_range(&text, p->layout->window, p->limit);
        d = diag_add(p->diags, RULE_ADDRESS_WINDOW, region->address.at,
                     "SPM at 0x%" PRIx64 " is outside the window for memory devices%s%s", address,
                     p->limit < ADDRESS_LIMIT ? " " : "",
                     p->limit < ADDRESS_LIMIT ? text.data : "");
        if (address < p->layout->window)
            diag_help(p->diags, d,
                      "the window begins at 0x%" PRIx64
                      "; leave 'address' out to have the region placed",
                      p->layout->window);
        else
            diag_help(p->diags, d,
                      "the window ends at 0x%" PRIx64
                      ": raise 'device-memory.max-memory', or leave it out",
                      p->limit);
    }
    for (size_t i = 0; !d && i < p->taken_count; i++) {
        const struct placement *other = p->taken[i];
        if (other->address >= end || placement_end(other) <= address)
            continue;
        add_range(&text, other->address, placement_end(other));
        d = diag_add(p->diags, RULE_ADDRESS_OVERLAP, region->address.at,
                     "SPM at 0x%" PRIx64 " overlaps another region %s", address, text.data);
        diag_note(p->diags, d, other->region->address.at, "the other region");
        diag_help(p->diags, d, "move one of them, or leave 'address' out to have it placed");
    }
    strbuf_free(&text);
    if (!d)
        take(p, place);
    return !d;
}

static bool place_free(struct placer *p, struct placement *place, const struct placement *before)
{
    const struct region *region = place->region;
    uint64_t align = backend_alignment(&region->backend);
    uint64_t from = p->layout->window;
    uint64_t step = u64_max(align, p->layout->block);
    /* Regions of one node follow each other. */
    if (before && before->region->node == region->node && !given(before->region->address.at)) {
        uint64_t next = round_up(placement_end(before), align);
        if (lowest_free(p, region, next, align) == next) {
            from = next;
            step = align;
        }
    }
    place->address = lowest_free(p, region, from, step);
    if (placement_end(place) <= p->limit) {
        take(p, place);
        return true;
    }
    struct span at = p->vm->max_memory.at;
    struct diag *d = diag_add(p->diags, RULE_WINDOW_FULL, region->size.at,
                              "no room for this region in the window for memory devices, "
                              "0x%" PRIx64 " to 0x%" PRIx64,
                              p->layout->window, p->limit);
    if (given(at))
        diag_note(p->diags, d, at, "the window is max-memory less boot memory, and 1 GiB a slot");
    if (!given(at)) {
        diag_help(p->diags, d, "use less memory: x86-64 has 52 address bits");
        return false;
    }
    struct strbuf size = {0};
    strbuf_add_size(&size, p->layout->ram + placement_end(place) - p->layout->window, "");
    diag_help(p->diags, d, "raise 'device-memory.max-memory' to at least %s, or leave it out",
              size.data);
    strbuf_free(&size);
    return false;
}

/* What manages QEMU may ask for more slots than the file does. */
static uint64_t slots_for(const struct layout *l, const struct vm *vm, const struct qemu_target *t)
{
    bool window = l->max_memory > l->ram || l->spm_count;
    return window ? u64_max(vm->slots.value, t->least_slots) : vm->slots.value;
}

/* Places every SPM region with high memory at l->high_base, and sizes the window. */
static bool place_spm(struct layout *l, const struct vm *vm, const struct qemu_target *t,
                      struct arena *arena, struct diags *diags)
{
    struct placer p = {
        .vm = vm,
        .layout = l,
        .diags = diags,
        .limit = ADDRESS_LIMIT,
        .taken = arena_alloc(arena, l->spm_count, sizeof(*p.taken)),
    };
    bool fixed = given(vm->max_memory.at);
    l->block = memory_block(l);
    l->max_memory = fixed ? vm->max_memory.value : l->ram;
    l->slots = slots_for(l, vm, t);
    l->window = round_up(l->high_base + l->above, GIB);
    l->window_size = l->max_memory > l->ram ? l->max_memory - l->ram + l->slots * GIB : 0;
    if (fixed)
        p.limit = l->window + l->window_size;
    bool ok = true;
    for (size_t i = 0; i < l->spm_count; i++)
        if (given(l->spm[i].region->address.at))
            ok = place_given(&p, &l->spm[i]) && ok;
    for (size_t i = 0; ok && i < l->spm_count; i++)
        if (!given(l->spm[i].region->address.at))
            ok = place_free(&p, &l->spm[i], i ? &l->spm[i - 1] : NULL);
    if (!ok)
        return false;
    if (!fixed && p.taken_count) {
        /* Without the slack of slots: the end of the last region. */
        uint64_t end = placement_end(p.taken[p.taken_count - 1]);
        l->max_memory = l->ram + round_up(end - l->window, t->size_unit);
        l->window_size = l->max_memory - l->ram + l->slots * GIB;
    }
    if (!l->window_size)
        l->window = 0;
    return true;
}

/* The sum of the devices' sizes has a budget of its own, whatever their addresses. */
static bool check_budget(const struct layout *l, const struct vm *vm, struct diags *diags)
{
    uint64_t sum = vm_memory(vm, MEMORY_SPM);
    if (sum <= l->max_memory - l->ram)
        return true;
    struct strbuf size = {0};
    strbuf_add_size(&size, l->ram + sum, "");
    struct diag *d = diag_add(diags, RULE_MAX_MEMORY, vm->max_memory.at,
                              "'max-memory' is less than the memory of all regions");
    diag_help(diags, d, "write at least %s, or auto; slots add address space, not memory",
              size.data);
    strbuf_free(&size);
    return false;
}

static bool check_max_memory(const struct layout *l, const struct vm *vm, struct diags *diags)
{
    struct diag *d;
    struct strbuf size = {0};
    strbuf_add_size(&size, l->ram, "");
    if (given(vm->max_memory.at) && vm->max_memory.value < l->ram) {
        d = diag_add(diags, RULE_MAX_MEMORY, vm->max_memory.at,
                     "'max-memory' is less than the boot memory of %s", size.data);
        diag_help(diags, d, "max-memory counts all of the guest's memory; write more, or auto");
    } else if (given(vm->max_memory.at) && vm->max_memory.value % (4 * KIB)) {
        d = diag_add(diags, RULE_MAX_MEMORY, vm->max_memory.at,
                     "'max-memory' is not a multiple of 4 KiB");
        diag_help(diags, d, "round it up to whole MiB");
    } else if (l->slots && l->max_memory == l->ram) {
        d = diag_add(diags, RULE_MAX_MEMORY, vm->slots.at,
                     "slots without memory to plug into them: max-memory is the boot memory");
        diag_help(diags, d, "write a 'max-memory' above %s", size.data);
    } else {
        strbuf_free(&size);
        return true;
    }
    strbuf_free(&size);
    return false;
}

/* --- where high memory starts --------------------------------------------------------------- */

static void report_attempt(const struct diags *attempt, struct diags *diags)
{
    for (size_t i = 0; i < attempt->count; i++) {
        const struct diag *found = attempt->items[i];
        struct diag *d = diag_add(diags, found->rule, found->at, "%s", found->message);
        d->help = found->help;
        d->notes = found->notes;
    }
}

/* Lays the window out with high memory at 4 GiB and, where an AMD guest would then touch the
 * HyperTransport hole, at 1 TiB. QEMU decides by the size of all that lies above, so the choice must
 * be true of the result. */
static bool place_high(struct layout *l, const struct vm *vm, const struct qemu_target *t,
                       struct arena *arena, struct diags *diags)
{
    /* Findings of an attempt that is given up are not the user's. */
    struct diags low = {.arena = arena};
    struct diags high = {.arena = arena};
    struct diag *d;
    bool amd_rule = t->amd && qemu_has_amd_rule(t);
    l->high_base = FOUR_GIB;
    bool placed = place_spm(l, vm, t, arena, &low);
    /* A window of a given size says by itself where QEMU puts it. */
    bool goes_high = amd_rule && given(vm->max_memory.at) && top_address(l, FOUR_GIB, t) >= HT_HOLE;
    if (placed && !(amd_rule && top_address(l, FOUR_GIB, t) >= HT_HOLE))
        return true;
    l->high_base = TIB;
    bool moved = amd_rule && place_spm(l, vm, t, arena, &high) &&
                 top_address(l, FOUR_GIB, t) >= HT_HOLE;
    if (moved && !t->vendor_assumed)
        return true;
    if (moved || (placed && t->vendor_assumed)) {
        d = diag_add(
            diags, RULE_CPU_VENDOR, vm_vendor_place(vm),
            "this guest's memory lies elsewhere on an AMD host: QEMU then moves what would "
            "touch the hole below 1 TiB");
        diag_help(diags, d,
                  "write 'cpu-vendor: amd' or 'cpu-vendor: intel' under 'machine', as the "
                  "host is");
        return false;
    }
    if (placed && !high.count) {
        /* Given addresses that are there only while the window is too small to be moved. */
        const struct region *region = NULL;
        for (size_t i = 0; i < l->spm_count && !region; i++)
            if (given(l->spm[i].region->address.at))
                region = l->spm[i].region;
        d = diag_add(
            diags, RULE_ADDRESS_WINDOW, region ? region->address.at : vm_vendor_place(vm),
            "no window for memory devices holds these addresses: an AMD guest's memory goes "
            "round the hole below 1 TiB");
        diag_help(diags, d,
                  "leave 'address' out, or set a 'device-memory.max-memory' of which the "
                  "window reaches the hole");
        return false;
    }
    report_attempt(placed || (goes_high && high.count) ? &high : &low, diags);
    return false;
}

static bool choose_phys_bits(struct layout *l, const struct vm *vm, const struct qemu_target *t,
                             struct diags *diags)
{
    const struct number *stated = &vm->machine.phys_bits;
    unsigned needed = bits_for(l->top + 1);
    l->phys_bits = (unsigned)stated->value;
    if (!given(stated->at) && !t->kvm)
        l->phys_bits = needed > 40 ? needed : 40;
    bool checked = t->version >= QEMU_7_1;
    if (needed <= 52 && l->phys_bits <= 52 && (!l->phys_bits || l->phys_bits >= needed || !checked))
        return true;
    struct diag *d =
        diag_add(diags, RULE_PHYS_BITS, given(stated->at) ? stated->at : vm->nodes_at,
                 "the guest's addresses end at 0x%" PRIx64 " and need %u bits, not %u", l->top,
                 needed, l->phys_bits && l->phys_bits < 52 ? l->phys_bits : 52);
    if (needed <= 52)
        diag_help(diags, d, "write 'phys-bits: %u', or leave it out", needed);
    else
        diag_help(diags, d, "x86-64 has 52 bits: use less memory or a smaller 'max-memory'");
    return false;
}

/* --- E820 ----------------------------------------------------------------------------------- */

static void add_e820(struct layout *l, struct arena *arena, struct e820_entry entry)
{
    if (!entry.size)
        return;
    l->e820 = arena_grow(arena, l->e820, l->e820_count, &l->e820_cap, sizeof(*l->e820));
    l->e820[l->e820_count++] = entry;
}

/* The memmap-type series cuts a node's range out of the RAM entry that holds it, in place. */
static void retype_e820(struct layout *l, struct arena *arena, struct e820_entry typed)
{
    uint64_t end = typed.address + typed.size;
    struct e820_entry *old = l->e820;
    size_t count = l->e820_count;
    l->e820 = NULL;
    l->e820_count = l->e820_cap = 0;
    for (size_t i = 0; i < count; i++) {
        struct e820_entry e = old[i];
        uint64_t e_end = e.address + e.size;
        if (e.type != E820_RAM || e.address > typed.address || e_end < end) {
            add_e820(l, arena, e);
            continue;
        }
        add_e820(l, arena,
                 (struct e820_entry){e.address, typed.address - e.address, e.type, e.node});
        add_e820(l, arena, typed);
        add_e820(l, arena, (struct e820_entry){end, e_end - end, e.type, e.node});
    }
}

static uint32_t e820_type(int memory_type)
{
    return memory_type == MEMORY_NORMAL ? E820_RAM
           : memory_type == MEMORY_SPM  ? E820_SOFT_RESERVED
                                        : E820_RESERVED;
}

bool layout_has_ht_entry(const struct layout *l, const struct qemu_target *t)
{
    return t->amd && qemu_has_amd_rule(t) && (!l->phys_bits || l->phys_bits >= 40);
}

static void build_e820(struct layout *l, const struct vm *vm, const struct qemu_target *t,
                       struct arena *arena)
{
    if (t->kvm && vm->machine.confidential.value != CONFIDENTIAL_TDX)
        add_e820(l, arena,
                 (struct e820_entry){KVM_RESERVED, KVM_RESERVED_SIZE, E820_RESERVED, NO_NODE});
    if (layout_has_ht_entry(l, t))
        add_e820(l, arena, (struct e820_entry){HT_HOLE, HT_HOLE_SIZE, E820_RESERVED, NO_NODE});
    add_e820(l, arena, (struct e820_entry){0, l->below, E820_RAM, NO_NODE});
    add_e820(l, arena, (struct e820_entry){l->high_base, l->above, E820_RAM, NO_NODE});
    for (size_t i = 0; i < l->spm_count; i++)
        add_e820(l, arena,
                 (struct e820_entry){l->spm[i].address, l->spm[i].size, E820_SOFT_RESERVED,
                                     l->spm[i].region->node});
}

/* --- SRAT memory affinity ------------------------------------------------------------------- */

static void add_affinity(struct layout *l, struct arena *arena, uint64_t start, uint64_t end,
                         uint32_t node, uint32_t flags)
{
    if (flags && end <= start)
        return;
    l->affinity =
        arena_grow(arena, l->affinity, l->affinity_count, &l->affinity_cap, sizeof(*l->affinity));
    l->affinity[l->affinity_count++] = (struct affinity){start, end - start, node, flags};
}

/* One node's boot memory from the cursor on, around the hole from 640 KiB to 1 MiB and the one below
 * 4 GiB. Returns the next node's cursor. */
static uint64_t add_boot_memory(struct layout *l, struct arena *arena, uint64_t cursor,
                                uint64_t size, uint32_t node, bool listed)
{
    const uint64_t low_hole = 640 * KIB;
    uint64_t start = cursor;
    uint64_t end = cursor + size;
    uint64_t left = size;
    uint32_t flags = SRAT_ENABLED;
    if (start <= low_hole && low_hole < end) {
        if (listed)
            add_affinity(l, arena, start, low_hole, node, flags);
        if (end <= MIB)
            return MIB;
        start = MIB;
        left = end - MIB;
    }
    cursor = end;
    if (start <= l->below && l->below < end) {
        if (listed)
            add_affinity(l, arena, start, l->below, node, flags);
        left = end - l->below;
        start = l->high_base;
        cursor = start + left;
    }
    if (listed)
        add_affinity(l, arena, start, start + left, node, flags);
    return cursor;
}

/* The lowest SPM from an address on; NULL where there is none. */
static const struct placement *first_spm(const struct layout *l, uint64_t from)
{
    const struct placement *first = NULL;
    for (size_t i = 0; i < l->spm_count; i++)
        if (l->spm[i].address >= from && (!first || l->spm[i].address < first->address))
            first = &l->spm[i];
    return first;
}

/* The window: each SPM device its own entry by address, what is between and behind them
 * hot-pluggable and with the last node. */
static void add_window(struct layout *l, const struct vm *vm, struct arena *arena)
{
    if (!l->window_size)
        return;
    uint32_t last = (uint32_t)vm->node_count - 1;
    uint32_t hotplug = SRAT_ENABLED | SRAT_HOTPLUGGABLE;
    uint64_t cursor = l->window;
    for (const struct placement *next; (next = first_spm(l, cursor));) {
        add_affinity(l, arena, cursor, next->address, last, hotplug);
        cursor = placement_end(next);
        add_affinity(l, arena, next->address, cursor, next->region->node, SRAT_ENABLED);
    }
    add_affinity(l, arena, cursor, l->window + l->window_size, last, hotplug);
}

/* Whether a node of one special type can be where boot memory puts it. */
static bool check_typed(const struct layout *l, const struct qemu_target *t,
                        const struct region *region, uint64_t start, uint64_t end,
                        struct diags *diags)
{
    struct diag *d;
    if (start < MIB) {
        d = diag_add(diags, RULE_SPM_LOW_MEMORY, region->type.at,
                     "with '%s' node %u begins at 0x%" PRIx64 ", where the guest boots",
                     spm_interface_names[t->interface], region->node, start);
        diag_help(diags, d,
                  "give node 0 normal memory, and this memory to a node with a higher id");
    } else if (t->interface != SPM_KERNEL_PARAMETER && start < l->below && end > l->below) {
        d = diag_add(diags, RULE_SPM_CROSSES_4G, region->size.at,
                     "node %u spans the hole below 4 GiB: its first 0x%" PRIx64
                     " bytes would be below it",
                     region->node, l->below - start);
        struct strbuf size = {0};
        strbuf_add_size(&size, l->below - start, "");
        diag_help(diags, d, "give the nodes before it %s more normal memory", size.data);
        strbuf_free(&size);
    } else if (given(region->address.at) && region->address.value != start) {
        d = diag_add(diags, RULE_ADDRESS_FIXED, region->address.at,
                     "with '%s' this region is at 0x%" PRIx64, spm_interface_names[t->interface],
                     start);
        diag_help(diags, d, "leave 'address' out: boot memory follows the order of the nodes");
    } else {
        return true;
    }
    return false;
}

/* QEMU's SRAT resumes at 1 MiB behind a node that ends in the hole below it, but its memory does
 * not: what follows is described that much too high. */
static void warn_low_node(const struct region *region, uint64_t start, uint64_t end,
                          struct diags *diags)
{
    if (start > 640 * KIB || end <= 640 * KIB || end >= MIB)
        return;
    struct diag *d = diag_add(diags, RULE_LOW_NODE, region->size.at,
                              "node %u ends at 0x%" PRIx64 ", below 1 MiB: QEMU's SRAT puts the "
                              "nodes after it %" PRIu64 " KiB too high",
                              region->node, end, (MIB - end) / KIB);
    diag_help(diags, d, "give the first node with memory at least 1MiB");
}

/* SPM that is boot memory: one placement on each side of the hole below 4 GiB. */
static void add_spm(struct layout *l, const struct region *region, uint64_t start, uint64_t size)
{
    uint64_t low = start < l->below ? u64_min(size, l->below - start) : 0;
    if (low)
        l->spm[l->spm_count++] = (struct placement){region, start, low};
    if (size > low)
        l->spm[l->spm_count++] = (struct placement){region, low ? l->high_base : start, size - low};
}

/* Boot memory by node. Where the interface types whole nodes, E820 follows. */
static bool add_nodes(struct layout *l, const struct vm *vm, const struct qemu_target *t,
                      struct arena *arena, struct diags *diags)
{
    bool typed = t->interface == SPM_MEMMAP_TYPE || t->interface == SPM_FLAG;
    uint64_t cursor = 0;
    bool ok = true;
    for (size_t n = 0; n < vm->node_count; n++) {
        struct boot_memory boot = qemu_boot_memory(&vm->nodes[n], t);
        if (!boot.region)
            continue;
        int type = boot.region->type.value;
        uint64_t start = cursor == l->below ? l->high_base : cursor;
        warn_low_node(boot.region, cursor, cursor + boot.size, diags);
        cursor = add_boot_memory(l, arena, cursor, boot.size, (uint32_t)n,
                                 !typed || type != MEMORY_RESERVED);
        if (type == MEMORY_NORMAL)
            continue;
        ok = check_typed(l, t, boot.region, start, start + boot.size, diags) && ok;
        if (typed && ok)
            retype_e820(l, arena,
                        (struct e820_entry){start, boot.size, e820_type(type), (uint32_t)n});
        if (type == MEMORY_SPM)
            add_spm(l, boot.region, start, boot.size);
    }
    return ok;
}

/* QEMU reserves room for two entries a hole may need, and leaves unused ones zero. */
static void pad_affinity(struct layout *l, const struct vm *vm, struct arena *arena)
{
    while (l->affinity_count < vm->node_count + 2)
        add_affinity(l, arena, 0, 0, 0, 0);
}

static size_t collect_spm(struct placement *spm, const struct vm *vm)
{
    size_t count = 0;
    FOR_EACH_REGION(vm, node, region)
        if (region->type.value == MEMORY_SPM)
            spm[count++] = (struct placement){.region = region, .size = region->size.value};
    return count;
}

bool layout_qemu(struct layout *l, const struct vm *vm, const struct qemu_target *t,
                 struct arena *arena, struct diags *diags)
{
    *l = (struct layout){0};
    l->ram = vm_memory(vm, MEMORY_NORMAL);
    if (qemu_spm_is_boot_memory(t))
        l->ram += vm_memory(vm, MEMORY_SPM) + vm_memory(vm, MEMORY_RESERVED);
    split_ram(l, t->machine);
    l->spm_is_ram = t->interface == SPM_KERNEL_PARAMETER;
    l->spm = arena_alloc(arena, vm->region_count + 1, sizeof(*l->spm));
    if (!qemu_spm_is_boot_memory(t))
        l->spm_count = collect_spm(l->spm, vm);
    l->max_memory = given(vm->max_memory.at) ? vm->max_memory.value : l->ram;
    l->slots = slots_for(l, vm, t);
    if (given(vm->max_memory.at) && !check_max_memory(l, vm, diags))
        return false;
    if (!place_high(l, vm, t, arena, diags))
        return false;
    l->top = top_address(l, l->high_base, t);
    if (!check_max_memory(l, vm, diags) ||
        (!qemu_spm_is_boot_memory(t) && !check_budget(l, vm, diags)) ||
        !choose_phys_bits(l, vm, t, diags))
        return false;
    build_e820(l, vm, t, arena);
    if (!add_nodes(l, vm, t, arena, diags))
        return false;
    pad_affinity(l, vm, arena);
    if (!qemu_spm_is_boot_memory(t))
        add_window(l, vm, arena);
    else if (l->window_size)
        add_affinity(l, arena, l->window, l->window + l->window_size, (uint32_t)vm->node_count - 1,
                     SRAT_ENABLED | SRAT_HOTPLUGGABLE);
    return true;
}
