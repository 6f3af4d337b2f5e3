/* SPDX-License-Identifier: MIT */
/* Rules on what firmware and the guest's kernel make of a topology. "Measured" means: booted with
 * QEMU 11.1.2, OVMF 2026.08, SeaBIOS 1.17.0 or qboot, and Linux 7.2.12. */
#include "firmware.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_parameters.h"
#include "strbuf.h"

/* Whether a node has memory that a guest can use, now or through a driver. */
static bool has_memory(const struct node *node)
{
    return node_has_type(node, MEMORY_NORMAL, NULL) || node_has_type(node, MEMORY_SPM, NULL);
}

static bool is_spm_alone(const struct node *node)
{
    return node_has_type(node, MEMORY_SPM, NULL) && !node_has_type(node, MEMORY_NORMAL, NULL);
}

/* " (and 3 more nodes)" in a message that speaks for several. */
static const char *and_more(struct arena *arena, size_t more, const char *what)
{
    if (!more)
        return "";
    return arena_printf(arena, " (and %zu more %s%s)", more, what, more > 1 ? "s" : "");
}

/* --- nodes and CPUs ------------------------------------------------------------------------- */

/* The nodes that the SRAT names: Linux numbers those alone (drivers/acpi/numa/srat.c). The window
 * for memory devices counts for the last one. */
static bool *nodes_in_srat(const struct check_context *c)
{
    const struct vm *vm = c->vm;
    bool *named = arena_alloc(c->arena, vm->node_count, sizeof(*named));
    for (size_t n = 0; n < vm->node_count; n++)
        named[n] = vm->nodes[n].cpus.count || (!runs_qemu(c) && vm->nodes[n].region_count);
    for (size_t i = 0; runs_qemu(c) && i < c->layout->affinity_count; i++)
        if (c->layout->affinity[i].flags)
            named[c->layout->affinity[i].node] = true;
    return named;
}

static void report_empty(struct check_context *c, const struct node *node, bool followed)
{
    struct diag *d;
    const char *effect = followed ? ", and Linux numbers the nodes after it one lower" : "";
    if (!node->region_count) {
        d = diag_add(c->diags, RULE_NODE_EMPTY, node->at,
                     "node %u has neither CPUs nor memory: it is not in the SRAT%s", node->id,
                     effect);
        diag_help(c->diags, d, "give it CPUs or memory, or leave it out and number the nodes anew");
    } else if (followed) {
        d = diag_add(c->diags, RULE_NODE_EMPTY, node->at,
                     "node %u has reserved memory alone: it is not in the SRAT%s", node->id,
                     effect);
        diag_help(c->diags, d, "give it the highest id");
    }
}

void check_empty_nodes(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const bool *named = nodes_in_srat(c);
    size_t last = vm->node_count - 1;
    while (last && !named[last])
        last--;
    for (size_t n = 0; n < vm->node_count; n++)
        if (!named[n] && !node_repeats(vm, n))
            report_empty(c, &vm->nodes[n], n < last);
    const struct node *first = &vm->nodes[0];
    if (!named[0] || node_has_type(first, MEMORY_NORMAL, NULL))
        return;
    size_t other = 0;
    while (!node_has_type(&vm->nodes[other], MEMORY_NORMAL, NULL))
        other++;
    struct diag *d = diag_add(c->diags, RULE_NODE0_NO_MEMORY, first->at,
                              "node 0 has no normal memory: the guest boots on another node's");
    diag_note(c->diags, d, vm->nodes[other].at, "the first node with normal memory");
    diag_help(c->diags, d, "number the nodes so that node 0 is one with normal memory");
}

/* The node of each vCPU; every vCPU has one. */
static const struct node **vcpu_nodes(const struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct node **owner = arena_alloc(c->arena, vm->cpus.max.value, sizeof(*owner));
    for (size_t n = 0; n < vm->node_count; n++)
        for (size_t i = 0; i < vm->nodes[n].cpus.count; i++)
            for (uint32_t v = vm->nodes[n].cpus.ranges[i].first;
                 v <= vm->nodes[n].cpus.ranges[i].last; v++)
                owner[v] = &vm->nodes[n];
    return owner;
}

/* What Linux calls each node: one more than the number, in the order in which it meets them in the SRAT; 0
 * where it does not. */
static uint32_t *linux_numbers(const struct check_context *c)
{
    const struct node **owner = vcpu_nodes(c);
    uint32_t *numbers = arena_alloc(c->arena, c->vm->node_count, sizeof(*numbers));
    uint32_t next = 0;
    for (uint32_t v = 0; v < c->vm->cpus.max.value; v++)
        if (!numbers[owner[v]->id])
            numbers[owner[v]->id] = ++next;
    for (size_t i = 0; i < c->layout->affinity_count; i++)
        if (c->layout->affinity[i].flags && !numbers[c->layout->affinity[i].node])
            numbers[c->layout->affinity[i].node] = ++next;
    return numbers;
}

void check_node_numbers(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const uint32_t *numbers = linux_numbers(c);
    const struct node *first = NULL;
    uint32_t rank = 0;
    size_t more = 0;
    for (size_t n = 0; n < vm->node_count; n++) {
        if (!numbers[n] || numbers[n] == ++rank)
            continue;
        more += first != NULL;
        first = first ? first : &vm->nodes[n];
    }
    if (!first)
        return;
    struct diag *d =
        diag_add(c->diags, RULE_NODE_RENUMBERED, first->at, "Linux numbers node %u as %u%s",
                 first->id, numbers[first->id] - 1, and_more(c->arena, more, "node"));
    if (is_spm_alone(first) && !first->cpus.count)
        diag_help(c->diags, d,
                  "go by the guest's numbers, which 'expect --stage guest' prints; QEMU counts "
                  "the holes between SPM for the last node");
    else
        diag_help(
            c->diags, d,
            "number nodes with CPUs first, in the order of their vCPUs, then those with "
            "normal memory; or go by the guest's numbers, which 'expect --stage guest' prints");
}

/* What of split groups of vCPUs lies in one node, away from the group's first vCPU. */
struct split {
    uint32_t vcpu; /* the first such vCPU */
    uint32_t last; /* the last group that was counted */
    size_t groups;
};

/* Counts, by node, the groups of `size` consecutive vCPUs that lie in several nodes. Returns the
 * number of nodes concerned. */
static size_t find_splits(const struct vm *vm, const struct node **owner, uint32_t size,
                          struct split *splits)
{
    size_t nodes = 0;
    for (uint32_t v = 0; v < vm->cpus.max.value; v++) {
        uint32_t group = v / size;
        struct split *split = &splits[owner[v]->id];
        if (owner[v] == owner[v - v % size] || (split->groups && split->last == group))
            continue;
        if (!split->groups++) {
            split->vcpu = v;
            nodes++;
        }
        split->last = group;
    }
    return nodes;
}

static void report_core(struct check_context *c, const struct node **owner, const struct node *node,
                        const struct split *split)
{
    uint32_t threads = (uint32_t)c->vm->cpus.threads.value;
    uint32_t first = split->vcpu / threads * threads;
    struct diag *d =
        diag_add(c->diags, RULE_CORE_SPLIT, node->cpus.at,
                 "vCPU %u is in node %u, and vCPU %u of the same core in node %u%s", split->vcpu,
                 node->id, first, owner[first]->id, and_more(c->arena, split->groups - 1, "core"));
    diag_note(c->diags, d, owner[first]->cpus.at, "vCPU %u is here", first);
    diag_help(c->diags, d, "threads of a core have consecutive numbers: put %u-%u into one node",
              first, first + threads - 1);
}

/* The number of sockets with which each node has one; 0 where no number does that. */
static size_t socket_each(const struct vm *vm)
{
    size_t nodes = 0;
    size_t size = 0;
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct id_list *cpus = &vm->nodes[n].cpus;
        if (!cpus->count)
            continue;
        if (cpus->count > 1 || (nodes++ && id_list_size(cpus) != size))
            return 0;
        size = id_list_size(cpus);
    }
    return size % vm->cpus.threads.value == 0 ? nodes : 0;
}

/* All sockets at once: how the vCPUs are cut is one decision. */
static void report_socket(struct check_context *c, const struct node **owner,
                          const struct split *splits, size_t nodes, uint32_t size, bool amd)
{
    size_t n = 0;
    while (!splits[n].groups)
        n++;
    const struct node *node = &c->vm->nodes[n];
    uint32_t first = splits[n].vcpu / size * size;
    struct diag *d =
        diag_add(c->diags, RULE_SOCKET_SPLIT, node->cpus.at,
                 "vCPU %u is in node %u, and vCPU %u of the same %s in node %u%s", splits[n].vcpu,
                 node->id, first, amd || c->vm->cpus.dies.value == 1 ? "socket" : "die",
                 owner[first]->id, and_more(c->arena, nodes - 1, "node"));
    if (!amd || c->qemu->vendor_assumed)
        d->severity = SEVERITY_NOTE;
    diag_note(c->diags, d, owner[first]->cpus.at, "vCPU %u is here", first);
    size_t sockets = socket_each(c->vm);
    if (sockets)
        diag_help(c->diags, d, "write 'sockets: %zu' in 'cpus', one for each node", sockets);
    else
        diag_help(c->diags, d, "give each node whole sockets of the CPU topology");
}

void check_splits(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct cpus *cpus = &vm->cpus;
    const struct node **owner = vcpu_nodes(c);
    struct split *splits = arena_alloc(c->arena, vm->node_count, sizeof(*splits));
    size_t cores = find_splits(vm, owner, (uint32_t)cpus->threads.value, splits);
    for (size_t n = 0; cores && n < vm->node_count; n++)
        if (splits[n].groups)
            report_core(c, owner, &vm->nodes[n], &splits[n]);
    /* Where cores are split, so are their sockets. */
    if (cores)
        return;
    /* Linux takes an Intel guest's nodes in a socket for sub-NUMA clusters. On AMD it warns,
     * whatever the dies (arch/x86/kernel/smpboot.c, match_llc; measured). */
    bool amd = runs_qemu(c) && c->qemu->amd;
    uint64_t size = cpus->threads.value * cpus->cores.value * cpus->modules.value;
    if (amd)
        size *= cpus->dies.value;
    size_t nodes = find_splits(vm, owner, (uint32_t)size, splits);
    if (nodes)
        report_socket(c, owner, splits, nodes, (uint32_t)size, amd);
}

/* --- the kernel's command line -------------------------------------------------------------- */

static bool is_covered(const struct placement *spm, const struct soft_range *ranges, size_t count)
{
    return soft_ranges_cover(ranges, count, spm->address, spm->address + spm->size);
}

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
    return is_covered(&c->layout->spm[0], ranges, count);
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

/* --- firmware that loses SPM ---------------------------------------------------------------- */

static void report_dropped(struct check_context *c, const struct soft_range *ranges, size_t count)
{
    const struct boot *boot = &c->vm->boot;
    const struct layout *l = c->layout;
    bool ovmf = boot->firmware.value == FIRMWARE_OVMF;
    struct strbuf parameters = {0};
    size_t lost = 0;
    const struct placement *first = NULL;
    for (size_t i = 0; i < l->spm_count; i++) {
        if (is_covered(&l->spm[i], ranges, count))
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
    if (c->vm->machine.confidential.value != CONFIDENTIAL_NONE)
        diag_help(c->diags, d, "use OVMF 202608 or newer");
    else if (boot->kernel.value)
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

/* --- SPM as the guest's kernel gets it ------------------------------------------------------ */

static int by_address(const void *left, const void *right)
{
    const struct placement *a = *(const struct placement *const *)left;
    const struct placement *b = *(const struct placement *const *)right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static const struct placement **spm_by_address(const struct check_context *c)
{
    const struct layout *l = c->layout;
    const struct placement **sorted = arena_alloc(c->arena, l->spm_count, sizeof(*sorted));
    for (size_t i = 0; i < l->spm_count; i++)
        sorted[i] = &l->spm[i];
    if (l->spm_count)
        qsort(sorted, l->spm_count, sizeof(*sorted), by_address);
    return sorted;
}

static uint64_t end_of(const struct placement *spm)
{
    return spm->address + spm->size;
}

/* Where a region's place is written: its address, or else that it is SPM. */
static struct span place_of(const struct region *region)
{
    return given(region->address.at) ? region->address.at : region->type.at;
}

static void report_touching_nodes(struct check_context *c, const struct placement *before,
                                  const struct placement *after, uint32_t owner)
{
    struct diag *d = diag_add(c->diags, RULE_SPM_TOUCHING_NODES, place_of(after->region),
                              "SPM of node %u at 0x%" PRIx64 " touches that of node %u: OVMF joins "
                              "them, and Linux gives all to node %u",
                              after->region->node, after->address, before->region->node, owner);
    diag_note(c->diags, d, place_of(before->region), "node %u's ends at 0x%" PRIx64,
              before->region->node, end_of(before));
    if (given(after->region->address.at))
        diag_help(c->diags, d,
                  "write 0x%" PRIx64 " or more, leave 'address' out, or add 'hmat', with which "
                  "Linux goes by the SRAT",
                  round_up(end_of(before) + c->layout->block, c->layout->block));
    else
        diag_help(c->diags, d,
                  "add 'hmat', with which Linux goes by the SRAT, or put a node with normal memory "
                  "between the two");
}

static void report_touching_regions(struct check_context *c, const struct placement *first,
                                    const struct placement *second, uint64_t end)
{
    struct strbuf size = {0};
    strbuf_add_size(&size, end - first->address, " ");
    struct diag *d = diag_add(c->diags, RULE_SPM_TOUCHING_REGIONS, place_of(second->region),
                              "SPM regions of node %u touch, and the guest sees one of %s",
                              second->region->node, size.data);
    diag_note(c->diags, d, place_of(first->region), "from 0x%" PRIx64 " on", first->address);
    diag_help(c->diags, d,
              "for a device of each give the second an 'address' of 0x%" PRIx64
              " or more, or add 'hmat'",
              round_up(end_of(first) + c->layout->block, c->layout->block));
    strbuf_free(&size);
}

/* A run of touching ranges, of whatever nodes. */
static void check_run_of_spm(struct check_context *c, const struct placement **run, size_t count)
{
    struct span last = {0};
    for (size_t i = 1; i < count; i++) {
        const struct region *region = run[i]->region;
        if (region->node == run[i - 1]->region->node || same_place(place_of(region), last))
            continue;
        report_touching_nodes(c, run[i - 1], run[i], run[0]->region->node);
        last = place_of(region);
    }
    for (size_t i = 0, next; i < count; i = next) {
        next = i + 1;
        while (next < count && run[next]->region->node == run[i]->region->node)
            next++;
        if (next > i + 1 && !node_repeats(c->vm, run[i]->region->node))
            report_touching_regions(c, run[i], run[i + 1], end_of(run[next - 1]));
    }
}

/* One memmap= parameter is one range to the kernel, whatever it covers (measured). */
static void check_memmap_nodes(struct check_context *c)
{
    struct soft_range *ranges = NULL;
    if (!firmware_sees_spm(c) || firmware_passes_spm(c) || given(c->vm->hmat_at))
        return;
    size_t count = cmdline_soft_ranges(c, &ranges);
    const struct placement **sorted = spm_by_address(c);
    for (size_t r = 0; r < count; r++) {
        const struct placement *first = NULL;
        const struct placement *other = NULL;
        for (size_t i = 0; i < c->layout->spm_count && !other; i++) {
            if (sorted[i]->address < ranges[r].start || end_of(sorted[i]) > ranges[r].end)
                continue;
            if (!first)
                first = sorted[i];
            else if (sorted[i]->region->node != first->region->node)
                other = sorted[i];
        }
        if (!other)
            continue;
        struct diag *d = diag_add(c->diags, RULE_SPM_TOUCHING_NODES, c->vm->boot.cmdline.at,
                                  "the memmap= parameter for 0x%" PRIx64
                                  " covers SPM of nodes %u and %u, and Linux "
                                  "gives all of it to node %u",
                                  ranges[r].start, first->region->node, other->region->node,
                                  first->region->node);
        diag_note(c->diags, d, place_of(other->region), "node %u's begins at 0x%" PRIx64,
                  other->region->node, other->address);
        diag_help(c->diags, d, "write one parameter for each region of SPM");
    }
}

/* Firmware works at the end of what RAM there is below 4 GiB. */
void check_low_end(struct check_context *c)
{
    const struct placement *spm = firmware_shares_spm(c);
    if (!spm)
        return;
    struct diag *d = diag_add(c->diags, RULE_SPM_LOW_END, place_of(spm->region),
                              "SPM of node %u ends where RAM below 4 GiB does, at 0x%" PRIx64
                              ", and there firmware keeps its tables: the guest has less of it",
                              spm->region->node, c->layout->below);
    diag_help(c->diags, d,
              "give nodes with lower ids normal memory until it begins above 4 GiB, or use "
              "'spm-interface: sp-mem' (QEMU 11.1) or the firmware qboot");
}

void check_touching(struct check_context *c)
{
    check_memmap_nodes(c);
    if (!firmware_joins_touching(c))
        return;
    const struct placement **sorted = spm_by_address(c);
    for (size_t i = 0, next; i < c->layout->spm_count; i = next) {
        next = i + 1;
        while (next < c->layout->spm_count && sorted[next]->address == end_of(sorted[next - 1]))
            next++;
        check_run_of_spm(c, sorted + i, next - i);
    }
}

/* --- memory blocks -------------------------------------------------------------------------- */

/* Linux brings the whole memory blocks of a range online (drivers/dax/kmem.c, "DAX region truncated
 * by ... due to alignment"; measured). */
static void report_block(struct check_context *c, const struct region *region, uint64_t start,
                         uint64_t end, uint64_t block)
{
    uint64_t from = round_up(start, block);
    uint64_t to = end / block * block;
    bool size_at_fault = (end - start) % block;
    struct strbuf online = {0};
    struct strbuf unit = {0};
    struct strbuf size = {0};
    strbuf_add_size(&online, to > from ? to - from : 0, " ");
    strbuf_add_size(&unit, block, " ");
    strbuf_add_size(&size, round_up(region->size.value, block), "");
    struct diag *d =
        diag_add(c->diags, RULE_MEMORY_BLOCK, size_at_fault ? region->size.at : place_of(region),
                 "SPM of node %u at 0x%" PRIx64 "-0x%" PRIx64 " is not whole memory blocks of %s: "
                 "Linux can bring %s of it online",
                 region->node, start, end - 1, unit.data, to > from ? online.data : "none");
    if (size_at_fault)
        diag_help(c->diags, d, "write %s", size.data);
    else if (given(region->address.at))
        diag_help(c->diags, d, "write 0x%" PRIx64 " or 0x%" PRIx64, start / block * block, from);
    else
        diag_help(c->diags, d, "make the sizes of the nodes before it multiples of %s", unit.data);
    strbuf_free(&online);
    strbuf_free(&unit);
    strbuf_free(&size);
}

/* The regions from `first` on that the guest sees as one range: touching ones of one node. */
static size_t joined_regions(const struct placement **sorted, size_t first, size_t count)
{
    size_t next = first + 1;
    while (next < count && sorted[next]->region->node == sorted[first]->region->node &&
           sorted[next]->address == end_of(sorted[next - 1]))
        next++;
    return next - first;
}

void check_blocks(struct check_context *c)
{
    const struct layout *l = c->layout;
    uint64_t block = guest_memory_block(c);
    bool joins = firmware_joins_touching(c);
    const struct placement **sorted = spm_by_address(c);
    struct span last = {0};
    uint64_t carried = 0; /* what an odd size before it shifts a range by */
    for (size_t i = 0, count; i < l->spm_count; i += count) {
        count = joins ? joined_regions(sorted, i, l->spm_count) : 1;
        const struct region *region = sorted[i]->region;
        uint64_t start = sorted[i]->address;
        uint64_t end = end_of(sorted[i + count - 1]);
        bool shifted = start % block && (given(region->address.at) || start % block != carried);
        carried = end % block;
        if (!shifted && (end - start) % block == 0)
            continue;
        for (size_t r = 0; r < count && region->size.value % block == 0; r++)
            region = sorted[i + r]->region;
        if (!same_place(region->size.at, last))
            report_block(c, region, start, end, block);
        last = region->size.at;
    }
}

/* --- the window for memory devices ---------------------------------------------------------- */

void check_slot_slack(struct check_context *c)
{
    const struct layout *l = c->layout;
    if (!given(c->vm->max_memory.at) || c->qemu->interface != SPM_SP_MEM || !l->spm_count)
        return;
    const struct placement *top = &l->spm[0];
    for (size_t i = 1; i < l->spm_count; i++)
        if (l->spm[i].address > top->address)
            top = &l->spm[i];
    uint64_t needed = end_of(top) - l->window;
    if (needed <= l->max_memory - l->ram)
        return;
    struct strbuf size = {0};
    strbuf_add_size(&size, l->ram + needed, "");
    struct diag *d =
        diag_add(c->diags, RULE_SLOT_SLACK, c->vm->max_memory.at,
                 "SPM of node %u ends at 0x%" PRIx64 ": it fits only into the 1 GiB of "
                 "addresses that each slot adds",
                 top->region->node, end_of(top));
    diag_note(c->diags, d, place_of(top->region), "this region");
    if (given(c->vm->slots.at))
        diag_note(c->diags, d, c->vm->slots.at, "%" PRIu64 " slots", l->slots);
    diag_help(c->diags, d, "write 'max-memory: %s', or leave it out", size.data);
    strbuf_free(&size);
}

void check_amd_hole(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct layout *l = c->layout;
    if (l->high_base != TIB)
        return;
    struct span at = given(vm->machine.cpu_vendor.at) ? vm->machine.cpu_vendor.at
                     : given(vm->machine.cpu.at)      ? vm->machine.cpu.at
                                                      : vm->nodes_at;
    struct diag *d =
        diag_add(c->diags, RULE_AMD_HOLE, at,
                 "this AMD guest would reach the hole below 1 TiB, so QEMU puts all memory "
                 "above 4 GiB at 1 TiB");
    diag_help(c->diags, d,
              "nothing need change; addresses end at 0x%" PRIx64 ", for which the host's "
              "CPUs need %u address bits",
              l->top, bits_for(l->top + 1));
}

void check_migration(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct region *spm = NULL;
    FOR_EACH_REGION(vm, owner, region)
        if (!spm && region->type.value == MEMORY_SPM)
            spm = region;
    if (!vm->machine.migratable.value || c->qemu->interface != SPM_SP_MEM || !spm)
        return;
    struct diag *d = diag_add(c->diags, RULE_SPM_MIGRATION, vm->machine.migratable.at,
                              "migration and snapshots succeed and lose the content of SPM");
    diag_note(c->diags, d, spm->type.at, "SPM");
    diag_help(c->diags, d,
              "write 'migratable: false', or choose 'targets.qemu.spm-interface: "
              "kernel-parameter', whose SPM is RAM to QEMU");
}

/* --- distances ------------------------------------------------------------------------------ */

static void check_asymmetry(struct check_context *c)
{
    const struct distances *s = &c->vm->distances;
    size_t n = c->vm->node_count;
    for (size_t i = 0; i < n; i++) {
        size_t other = 0;
        size_t count = 0;
        for (size_t j = i + 1; j < n; j++) {
            if (s->values[i * n + j] == s->values[j * n + i])
                continue;
            if (!count++)
                other = j;
        }
        if (!count)
            continue;
        /* Both are given: a missing direction equals the other one. */
        struct diag *d =
            diag_add(c->diags, RULE_DISTANCE_ASYMMETRIC, s->spans[other * n + i],
                     "node %zu is at %u from node %zu, and node %zu at %u from node %zu%s", i,
                     s->values[other * n + i], other, other, s->values[i * n + other], i,
                     and_more(c->arena, count - 1, "pair"));
        diag_note(c->diags, d, s->spans[i * n + other], "the other direction");
        diag_help(c->diags, d, "write the same distance for both directions");
    }
}

static void check_missing_distances(struct check_context *c)
{
    const struct distances *s = &c->vm->distances;
    size_t n = c->vm->node_count;
    size_t from = 0, to = 0, missing = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            if (given(s->spans[i * n + j]) || given(s->spans[j * n + i]))
                continue;
            if (!missing++) {
                from = i;
                to = j;
            }
        }
    if (!missing)
        return;
    struct diag *d = diag_add(c->diags, RULE_DISTANCE_MISSING, s->at,
                              "no distance between nodes %zu and %zu, which are then at 20%s", from,
                              to, and_more(c->arena, missing - 1, "pair"));
    diag_help(c->diags, d, "add '%zu: {%zu: …}'; one direction is enough", from, to);
}

static void check_alike(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct distances *s = &vm->distances;
    size_t n = vm->node_count;
    size_t with_cpus = 0;
    if (n < 3)
        return;
    for (size_t i = 0; i < n; i++)
        with_cpus += vm->nodes[i].cpus.count != 0;
    for (size_t i = 0; given(s->at) && i < n * n; i++)
        if (i / n != i % n && s->values[i] != s->values[1])
            return;
    /* Sockets that are all linked to each other are as far as this says; memory nodes are not. */
    if (given(s->at) && with_cpus == n)
        return;
    struct diag *d =
        diag_add(c->diags, RULE_DISTANCE_ALIKE, given(s->at) ? s->at : vm->nodes_at,
                 given(s->at) ? "%zu nodes that are all at %u from each other: the guest "
                                "cannot tell near from far"
                              : "%zu nodes without distances are all at %u from each "
                                "other: the guest cannot tell near from far",
                 n, vm_distance(vm, 0, 1));
    diag_help(c->diags, d,
              given(s->at) ? "write smaller distances to nearer nodes"
                           : "add 'distances', with smaller ones to nearer nodes");
}

void check_distances(struct check_context *c)
{
    if (given(c->vm->distances.at)) {
        check_asymmetry(c);
        check_missing_distances(c);
    }
    check_alike(c);
}

/* --- HMAT ----------------------------------------------------------------------------------- */

/* The pairs of 'performance' by their nodes; each is given once. */
struct pair_table {
    const struct hmat_pair **pairs; /* nodes * nodes, row = from; NULL: not given */
    bool *named;                    /* by node: the target of some pair */
};

static struct pair_table index_pairs(const struct check_context *c)
{
    const struct vm *vm = c->vm;
    size_t n = vm->node_count;
    struct pair_table t = {
        .pairs = arena_alloc(c->arena, vm->pair_count ? n * n : 0, sizeof(*t.pairs)),
        .named = arena_alloc(c->arena, n, sizeof(*t.named)),
    };
    for (size_t i = 0; i < vm->pair_count; i++) {
        t.pairs[vm->pairs[i].from.value * n + vm->pairs[i].to.value] = &vm->pairs[i];
        t.named[vm->pairs[i].to.value] = true;
    }
    return t;
}

/* A value of a pair for reads or writes: `type` of reads or writes, else the one for both. 0 where
 * it is not known, as in the table. */
static uint64_t pair_value(const struct hmat_pair *pair, enum hmat_type type)
{
    enum hmat_type both = type <= HMAT_WRITE_LATENCY ? HMAT_ACCESS_LATENCY : HMAT_ACCESS_BANDWIDTH;
    if (!pair)
        return 0;
    return given(pair->values[type].at) ? pair->values[type].value : pair->values[both].value;
}

static bool has_latency(const struct hmat_pair *pair)
{
    return pair_value(pair, HMAT_READ_LATENCY) || pair_value(pair, HMAT_WRITE_LATENCY);
}

static bool has_bandwidth(const struct hmat_pair *pair)
{
    return pair_value(pair, HMAT_READ_BANDWIDTH) || pair_value(pair, HMAT_WRITE_BANDWIDTH);
}

/* Linux puts a node into a tier by its latency and bandwidth as seen from its nearest CPUs, and
 * without either one takes memory that a driver adds for slower than DRAM (mm/memory-tiers.c,
 * mt_perf_to_adistance; measured). A node with normal memory has the tier of that. */
void check_tiers(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct pair_table t = index_pairs(c);
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct region *spm;
        if (!is_spm_alone(&vm->nodes[n]) || t.named[n] || node_repeats(vm, n) ||
            !node_has_type(&vm->nodes[n], MEMORY_SPM, &spm))
            continue;
        struct diag *d =
            diag_add(c->diags, RULE_SPM_NO_HMAT, spm->type.at,
                     "without values in an HMAT the guest takes the SPM of node %zu for "
                     "slower than its RAM",
                     n);
        if (given(vm->hmat_at))
            diag_note(c->diags, d, vm->hmat_at, "the HMAT");
        if (vm->pair_count)
            diag_help(c->diags, d,
                      "add '- {from: …, to: %zu, latency: …, bandwidth: …}' for each CPU node", n);
        else
            diag_help(c->diags, d, "add %s from each CPU node to each node with memory",
                      given(vm->hmat_at) ? "'performance' to 'hmat',"
                                         : "'hmat', with 'performance'");
    }
}

/* Linux takes nothing of a node that it knows one of the two of (measured). */
static void check_half_pairs(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct hmat_pair *first = NULL;
    size_t more = 0;
    for (size_t i = 0; i < vm->pair_count; i++) {
        if (has_latency(&vm->pairs[i]) == has_bandwidth(&vm->pairs[i]))
            continue;
        more += first != NULL;
        first = first ? first : &vm->pairs[i];
    }
    if (!first)
        return;
    const char *missing = has_latency(first) ? "bandwidth" : "latency";
    struct diag *d = diag_add(c->diags, RULE_HMAT_PARTIAL, first->at,
                              "a %s from node %" PRIu64 " to node %" PRIu64 ", but no %s%s",
                              has_latency(first) ? "latency" : "bandwidth", first->from.value,
                              first->to.value, missing, and_more(c->arena, more, "pair"));
    diag_help(c->diags, d, "add '%s': Linux ignores one without the other", missing);
}

/* Nodes with normal memory of which no pair speaks. SPM_NO_HMAT is for those with SPM alone. */
static void check_unnamed(struct check_context *c, struct pair_table *t)
{
    const struct vm *vm = c->vm;
    const struct node *first = NULL;
    size_t more = 0;
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        if (t->named[n] || !node_has_type(node, MEMORY_NORMAL, NULL))
            continue;
        if (!node->cpus.count && !given(node->initiator.at)) {
            if (node_repeats(vm, n))
                continue;
            struct diag *d = diag_add(c->diags, RULE_HMAT_NO_INITIATOR, node->at,
                                      "the HMAT does not say which CPUs are near to node %zu", n);
            diag_note(c->diags, d, vm->hmat_at, "the HMAT");
            diag_help(c->diags, d,
                      "add 'initiator' to the node, or pairs 'to: %zu' to 'performance'", n);
            continue;
        }
        more += first != NULL;
        first = first ? first : node;
    }
    if (!first || !vm->pair_count)
        return;
    struct diag *d = diag_add(c->diags, RULE_HMAT_PARTIAL, vm->hmat_at,
                              "the HMAT has values of some nodes with memory, but not of node %u%s",
                              first->id, and_more(c->arena, more, "node"));
    diag_note(c->diags, d, first->at, "node %u", first->id);
    diag_help(c->diags, d, "add '- {from: …, to: %u, latency: …, bandwidth: …}' for each CPU node",
              first->id);
}

/* Initiators that know of some only of the nodes that others know of. */
static void check_rows(struct check_context *c, struct pair_table *t)
{
    const struct vm *vm = c->vm;
    size_t n = vm->node_count;
    for (size_t from = 0; vm->pair_count && from < n; from++) {
        const struct hmat_pair **row = t->pairs + from * n;
        const struct hmat_pair *given_pair = NULL;
        size_t missing = 0, first = 0;
        for (size_t to = 0; to < n; to++) {
            given_pair = given_pair ? given_pair : row[to];
            if (row[to] || !t->named[to] || !has_memory(&vm->nodes[to]))
                continue;
            if (!missing++)
                first = to;
        }
        if (!missing || !vm->nodes[from].cpus.count)
            continue;
        struct diag *d = diag_add(c->diags, RULE_HMAT_PARTIAL,
                                  given_pair ? given_pair->from.at : vm->nodes[from].cpus.at,
                                  "the HMAT has no values from node %zu to node %zu%s", from, first,
                                  and_more(c->arena, missing - 1, "node"));
        diag_note(c->diags, d, vm->hmat_at, "the HMAT");
        diag_help(c->diags, d, "add '- {from: %zu, to: %zu, latency: …, bandwidth: …}'", from,
                  first);
    }
}

/* The CPU nodes that Linux links a node to without a stated initiator: of all of them those that
 * are best by each value in turn (drivers/acpi/numa/hmat.c, hmat_register_target_initiators). */
static void find_nearest(const struct vm *vm, const struct pair_table *t, size_t to, bool *nearest)
{
    static const enum hmat_type order[] = {HMAT_WRITE_LATENCY, HMAT_READ_LATENCY,
                                           HMAT_WRITE_BANDWIDTH, HMAT_READ_BANDWIDTH};
    size_t n = vm->node_count;
    for (size_t from = 0; from < n; from++)
        nearest[from] = vm->nodes[from].cpus.count;
    for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
        uint64_t best = 0;
        for (size_t from = 0; from < n; from++) {
            uint64_t v = nearest[from] ? pair_value(t->pairs[from * n + to], order[k]) : 0;
            bool better = order[k] <= HMAT_WRITE_LATENCY ? v < best : v > best;
            if (v && (!best || better))
                best = v;
        }
        for (size_t from = 0; from < n; from++)
            nearest[from] = nearest[from] && pair_value(t->pairs[from * n + to], order[k]) == best;
    }
}

/* QEMU writes an initiator for nodes with RAM alone (measured). Where the values lead Linux to the
 * same node, nothing is lost. */
static void check_lost_initiators(struct check_context *c, struct pair_table *t)
{
    const struct vm *vm = c->vm;
    bool *nearest = arena_alloc(c->arena, vm->node_count, sizeof(*nearest));
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        if (!given(node->initiator.at) || !t->named[n] || qemu_boot_memory(node, c->qemu).region ||
            node_repeats(vm, n))
            continue;
        find_nearest(vm, t, n, nearest);
        size_t other = 0;
        while (other < vm->node_count && (!nearest[other] || other == node->initiator.value))
            other++;
        if (other == vm->node_count)
            continue;
        struct diag *d = diag_add(
            c->diags, RULE_HMAT_INITIATOR_LOST, node->initiator.at,
            "QEMU writes no initiator for node %zu, which has SPM alone: by its values node "
            "%zu is %s",
            n, other, nearest[node->initiator.value] ? "as near" : "nearer");
        if (t->pairs[other * vm->node_count + n])
            diag_note(c->diags, d, t->pairs[other * vm->node_count + n]->at, "from node %zu",
                      other);
        diag_help(c->diags, d, "give node %" PRIu64 " the lowest latency to node %zu",
                  node->initiator.value, n);
    }
}

void check_hmat_complete(struct check_context *c)
{
    if (!given(c->vm->hmat_at))
        return;
    struct pair_table t = index_pairs(c);
    check_half_pairs(c);
    check_unnamed(c, &t);
    check_rows(c, &t);
    check_lost_initiators(c, &t);
}

/* The nodes at one distance from an initiator. */
struct ring {
    const struct hmat_pair *fast, *slow; /* of the lowest and of the highest latency; NULL: none */
};

enum { RING_COUNT = UINT8_MAX + 1 };

static void add_to_ring(struct ring *ring, const struct hmat_pair *pair)
{
    uint64_t latency = pair_value(pair, HMAT_READ_LATENCY);
    uint64_t fast = pair_value(ring->fast, HMAT_READ_LATENCY);
    uint64_t slow = pair_value(ring->slow, HMAT_READ_LATENCY);
    if (!ring->fast || latency < fast || (latency == fast && pair < ring->fast))
        ring->fast = pair;
    if (!ring->slow || latency > slow || (latency == slow && pair > ring->slow))
        ring->slow = pair;
}

static void report_contradiction(struct check_context *c, const struct hmat_pair *near,
                                 const struct hmat_pair *far)
{
    const struct vm *vm = c->vm;
    size_t from = near->from.value;
    struct diag *d =
        diag_add(c->diags, RULE_HMAT_DISTANCE, near->at,
                 "from node %zu, node %" PRIu64 " is nearer than node %" PRIu64 " by "
                 "distance (%u, %u) and farther by latency",
                 from, near->to.value, far->to.value, vm_distance(vm, from, near->to.value),
                 vm_distance(vm, from, far->to.value));
    diag_note(c->diags, d, far->at, "the lower latency");
    struct span at = vm->distances.spans[from * vm->node_count + near->to.value];
    if (!given(at))
        at = vm->distances.spans[near->to.value * vm->node_count + from];
    if (given(at))
        diag_note(c->diags, d, at, "the lower distance");
    diag_help(c->diags, d, "give the node with the lower latency the lower distance");
}

/* Nodes in order of distance must be in order of latency too. A node's own memory is at 10 whatever
 * it is, so it is left out. */
void check_hmat_distances(struct check_context *c)
{
    const struct vm *vm = c->vm;
    size_t n = vm->node_count;
    if (!given(vm->distances.at) || !vm->pair_count)
        return;
    struct pair_table t = index_pairs(c);
    for (size_t from = 0; from < n; from++) {
        struct ring rings[RING_COUNT] = {{NULL, NULL}};
        size_t count = 0;
        for (size_t to = 0; to < n; to++) {
            const struct hmat_pair *pair = t.pairs[from * n + to];
            if (to == from || !pair_value(pair, HMAT_READ_LATENCY))
                continue;
            add_to_ring(&rings[vm_distance(vm, from, to)], pair);
            count++;
        }
        /* The slowest of the nodes that are nearer than those at the distance in hand. */
        const struct hmat_pair *slow = NULL;
        for (size_t i = 0; count && i < RING_COUNT; i++) {
            const struct ring *ring = &rings[i];
            if (!ring->fast)
                continue;
            if (pair_value(slow, HMAT_READ_LATENCY) > pair_value(ring->fast, HMAT_READ_LATENCY)) {
                report_contradiction(c, slow, ring->fast);
                break;
            }
            if (pair_value(ring->slow, HMAT_READ_LATENCY) > pair_value(slow, HMAT_READ_LATENCY))
                slow = ring->slow;
        }
    }
}
