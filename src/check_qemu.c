/* SPDX-License-Identifier: MIT */
/* Rules on what QEMU holds and makes; libvirt runs QEMU, so they are libvirt's too. */
#include "check.h"

#include <inttypes.h>

#include "hmat_scale.h"
#include "strbuf.h"

void check_counts(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct qemu_target *t = c->qemu;
    struct diags *diags = c->diags;
    struct diag *d;
    if (vm->node_count > QEMU_NODE_LIMIT) {
        d = diag_add(diags, RULE_NODE_COUNT, vm->nodes_at, "%zu nodes: QEMU has at most %d",
                     vm->node_count, QEMU_NODE_LIMIT);
        diag_help(diags, d, "use fewer nodes");
    }
    if (vm->cpus.max.value > t->max_cpus && vm->cpus.max.value <= VCPU_LIMIT) {
        d = diag_add(diags, RULE_CPU_COUNT, vm->cpus.at,
                     "%" PRIu64 " vCPUs: the machine type '%s' has at most %u", vm->cpus.max.value,
                     vm->machine.type.value, t->max_cpus);
        diag_help(diags, d,
                  t->machine == MACHINE_PC
                      ? "write 'machine: q35', or fewer vCPUs"
                      : "use a machine type of QEMU 9.0 or newer, or fewer vCPUs");
    }
    if (vm->slots.value > QEMU_SLOT_LIMIT) {
        d = diag_add(diags, RULE_SLOT_COUNT, vm->slots.at, "%" PRIu64 " slots: QEMU has at most %d",
                     vm->slots.value, QEMU_SLOT_LIMIT);
        diag_help(diags, d, "SPM needs no slots; write as many as DIMMs are to be plugged");
    }
    if (vm->cpus.modules.value > 1 && t->version < QEMU_9_1) {
        d = diag_add(diags, RULE_CPU_TOPOLOGY, vm->cpus.modules.at, "QEMU %u.%u has no CPU modules",
                     t->version / 100, t->version % 100);
        diag_help(diags, d, "use dies or cores, or QEMU 9.1");
    }
}

void check_apic_ids(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct qemu_target *t = c->qemu;
    struct diags *diags = c->diags;
    if (cpu_product(&vm->cpus) != vm->cpus.max.value || vm->cpus.max.value < vm->cpus.count.value)
        return; /* cpu-topology says so */
    uint32_t highest = apic_id(&vm->cpus, (uint32_t)vm->cpus.max.value - 1);
    uint32_t present = apic_id(&vm->cpus, (uint32_t)vm->cpus.count.value - 1);
    uint64_t per_socket = vm->cpus.max.value / vm->cpus.sockets.value;
    struct diag *d;
    if (!t->kvm && t->version < QEMU_9_0 && highest >= 255) {
        d = diag_add(diags, RULE_X2APIC, vm->cpus.at,
                     "the highest APIC id is %u; under tcg QEMU %u.%u stops at 254", highest,
                     t->version / 100, t->version % 100);
        diag_help(diags, d, "use fewer vCPUs, kvm, or QEMU 9.0");
    } else if (!t->kvm && present >= 255 && !t->model->x2apic) {
        d = diag_add(diags, RULE_X2APIC, vm->cpus.at,
                     "the APIC id %u needs x2APIC, which the CPU model '%s' has not under tcg",
                     present, vm->machine.cpu.value);
        diag_help(diags, d, "write 'cpu: max'");
    }
    if (t->version >= QEMU_9_0 && t->machine_version < QEMU_8_1 && per_socket >= 255) {
        d = diag_add(diags, RULE_CPU_TOPOLOGY, vm->cpus.at,
                     "%" PRIu64 " vCPUs in a socket: the SMBIOS of machine types before 8.1 holds "
                     "254",
                     per_socket);
        diag_help(diags, d, "use more sockets, or a newer machine type");
    }
}

/* Sum of the decimal digits that 0 ... count-1 have beyond their first. */
static uint64_t more_digits(uint64_t count)
{
    uint64_t digits = 0;
    for (uint64_t power = 10; power < count; power *= 10)
        digits += count - power;
    return digits;
}

/* Machine types before 8.1 have SMBIOS 2.x, whose length is 16 bits (SMBIOS 2.8, section 5.2.1). QEMU
 * lists a DIMM for each 16 GiB and a processor for each socket; the sizes are measured on 11.1.2 and
 * 7.2.22, to the byte. */
void check_smbios(struct check_context *c)
{
    const struct vm *vm = c->vm;
    enum { BASE = 224, PROCESSOR = 65, DIMM = 53, NAMES = 4, HANDLES = 3838 };
    uint64_t ram = 0;
    for (size_t n = 0; n < vm->node_count; n++)
        ram += qemu_boot_memory(&vm->nodes[n], c->qemu).size;
    uint64_t dimms = round_up(ram, 16 * GIB) / (16 * GIB);
    uint64_t sockets = vm->cpus.sockets.value;
    uint64_t length = BASE + DIMM * dimms + more_digits(dimms) + PROCESSOR * sockets +
                      more_digits(sockets) + (c->qemu->machine == MACHINE_PC ? NAMES * 3 : 0);
    bool old = c->qemu->machine_version < QEMU_8_1;
    /* Up to 9.0 the handles of more DIMMs run into those of other structures, and QEMU aborts. */
    bool too_many = c->qemu->machine_version <= QEMU_9_0 && dimms >= HANDLES;
    if (!too_many && !(old && length > UINT16_MAX))
        return;
    struct diag *d =
        diag_add(c->diags, RULE_SMBIOS_LENGTH,
                 given(vm->machine.type.at) ? vm->machine.type.at : vm->nodes_at,
                 "boot memory is %" PRIu64 " DIMMs of 16 GiB: the SMBIOS of this machine "
                 "type cannot list them",
                 dimms);
    diag_help(c->diags, d, "use a machine type of QEMU 9.1 or newer, such as pc-q35-11.1");
}

void check_sizes(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct qemu_target *t = c->qemu;
    struct diags *diags = c->diags;
    uint64_t boot = 0;
    bool reported = false;
    FOR_EACH_REGION(vm, owner, region) {
        const struct backend *b = &region->backend;
        bool device = t->interface == SPM_SP_MEM && region->type.value == MEMORY_SPM;
        boot += device ? 0 : region->size.value;
        if (b->hugepages.value && b->hugepages.value != 2 * MIB && b->hugepages.value != GIB)
            continue; /* backend-key says so */
        /* Node RAM over anonymous memory may have any size. */
        uint64_t align = device || b->kind.value != BACKEND_RAM ? backend_alignment(b) : 1;
        if (region->size.value % align == 0)
            continue;
        reported = true;
        struct strbuf page = {0};
        struct strbuf size = {0};
        strbuf_add_size(&page, align, " ");
        strbuf_add_size(&size, round_up(region->size.value, align), "");
        struct diag *d =
            diag_add(diags, RULE_SIZE_ALIGNMENT, region->size.at,
                     "the size is not a multiple of the %s that its backend needs", page.data);
        diag_help(diags, d, "write %s", size.data);
        strbuf_free(&page);
        strbuf_free(&size);
    }
    if (boot % QEMU_RAM_UNIT && !reported) {
        struct diag *d =
            diag_add(diags, RULE_SIZE_ALIGNMENT, vm->nodes_at,
                     "boot memory is not a multiple of 8 KiB, to which QEMU rounds it");
        diag_help(diags, d, "make the sizes of the nodes whole MiB");
    }
}

/* Whether two regions can be one memdev: QEMU gives them the same memory then. */
static bool same_backend(const struct region *a, const struct region *b)
{
    const struct backend *x = &a->backend;
    const struct backend *y = &b->backend;
    return !given(b->id.at) && x->kind.value != BACKEND_FILE && x->kind.value == y->kind.value &&
           x->hugepages.value == y->hugepages.value && x->share.value == y->share.value &&
           x->prealloc.value == y->prealloc.value && x->reserve.value == y->reserve.value &&
           x->merge.value == y->merge.value && x->dump.value == y->dump.value &&
           x->policy.value == y->policy.value && id_list_equal(&x->host_nodes, &y->host_nodes);
}

/* One memdev a node; and what the interfaces that type whole nodes can hold. */
void check_node_regions(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct qemu_target *t = c->qemu;
    struct diags *diags = c->diags;
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        const struct region *boot = NULL;
        /* Of the equal nodes of an id list the first is judged. */
        if (node_repeats(vm, n))
            continue;
        for (size_t r = 0; r < node->region_count; r++) {
            const struct region *region = &node->regions[r];
            int type = region->type.value;
            struct diag *d;
            if (type == MEMORY_RESERVED && t->interface != SPM_MEMMAP_TYPE) {
                d = diag_add(diags, RULE_RESERVED_INTERFACE, region->type.at,
                             "'%s' has no memory of type reserved",
                             spm_interface_names[t->interface]);
                diag_help(diags, d,
                          "write 'type: spm', or choose 'targets.qemu.spm-interface: "
                          "memmap-type' (patched QEMU only)");
            } else if (type == MEMORY_SPM && !qemu_spm_is_boot_memory(t)) {
                continue;
            } else if (!boot) {
                boot = region;
            } else if (type != boot->type.value) {
                d = diag_add(diags, RULE_REGIONS_PER_NODE, region->at,
                             "'%s' types whole nodes: node %zu cannot have %s memory and %s memory",
                             spm_interface_names[t->interface], n,
                             memory_type_names[boot->type.value], memory_type_names[type]);
                diag_note(diags, d, boot->at, "the node's other memory");
                diag_help(diags, d,
                          type == MEMORY_SPM || boot->type.value == MEMORY_SPM
                              ? "use another node, or choose 'targets.qemu.spm-interface: "
                                "sp-mem' (QEMU 11.1)"
                              : "use another node");
            } else if (type != MEMORY_NORMAL || !same_backend(boot, region)) {
                d = diag_add(
                    diags, RULE_REGIONS_PER_NODE, region->at,
                    "QEMU gives node %zu one piece of %s memory, with one backend and one id", n,
                    memory_type_names[type]);
                diag_note(diags, d, boot->at, "the node's first piece");
                diag_help(diags, d,
                          "write one region of both sizes, give both the same backend and the "
                          "second no id, or use another node");
            }
        }
    }
}

/* QEMU computes the unit of a table, in picoseconds or MiB/s, in 32 bits (hw/acpi/hmat.c,
 * build_hmat_lb()). Returns whether it holds what all values have in common. */
static bool unit_fits(struct check_context *c, enum hmat_type type, const struct hmat_scale *scale)
{
    const struct vm *vm = c->vm;
    const struct number *first = NULL;
    bool latency = hmat_is_latency(type);
    for (size_t i = 0; !first && i < vm->pair_count; i++)
        if (given(vm->pairs[i].values[type].at) && vm->pairs[i].values[type].value)
            first = &vm->pairs[i].values[type];
    if (!first || (latency ? scale->base <= UINT32_MAX / 1000 : scale->base / MIB <= UINT32_MAX))
        return true;
    struct diag *d =
        diag_add(c->diags, RULE_HMAT_VALUE, first->at,
                 "QEMU cuts the unit of this table to 32 bits: all of its values have %s in "
                 "common",
                 latency ? "10 ms" : "4 PiB/s");
    diag_help(c->diags, d,
              latency ? "write latencies below 10 ms, such as 400ns"
                      : "write bandwidths below 4096TiB/s, such as 400GiB/s");
    return false;
}

void check_hmat_values(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct diags *diags = c->diags;
    for (int type = 0; type < HMAT_TYPES; type++) {
        enum hmat_type t = (enum hmat_type)type;
        struct hmat_scale scale;
        bool ok = true;
        hmat_scale_start(&scale, t);
        for (size_t i = 0; ok && i < vm->pair_count; i++) {
            const struct number *value = &vm->pairs[i].values[type];
            if (!given(value->at) || !value->value)
                continue;
            struct diag *d;
            if (value->value % (hmat_is_latency(t) ? 1000 : MIB)) {
                d = diag_add(diags, RULE_HMAT_VALUE, value->at, "QEMU takes whole %s",
                             hmat_is_latency(t) ? "nanoseconds" : "MiB/s");
                diag_help(diags, d, "round it");
                ok = false;
            } else if (!hmat_scale_add(&scale, t, hmat_in_qemu_units(t, value->value))) {
                d = diag_add(
                    diags, RULE_HMAT_VALUE, value->at,
                    "this value and those before it do not fit into 16 bits with one unit");
                diag_help(diags, d,
                          hmat_is_latency(t)
                              ? "use values with more common zeros, or a smaller range"
                              : "use values with a larger common power of two, or a smaller "
                                "range");
                ok = false;
            }
        }
        ok = ok && unit_fits(c, t, &scale);
        /* QEMU checks a latency against the unit before it, so the final one is checked here. */
        for (size_t i = 0; ok && i < vm->pair_count; i++) {
            const struct number *value = &vm->pairs[i].values[type];
            if (!given(value->at) || hmat_in_qemu_units(t, value->value) / scale.base < UINT16_MAX)
                continue;
            struct diag *d = diag_add(diags, RULE_HMAT_VALUE, value->at,
                                      "QEMU would cut this value to 16 bits of the unit that the "
                                      "other values need, without a word");
            diag_help(diags, d, "use values with more common zeros, or a smaller range");
            ok = false;
        }
    }
}

/* Whether the QEMU takes an initiator's id for its row in a table of values (hw/acpi/hmat.c,
 * build_hmat_lb()). Mended in 9.0, 8.2.3 and 7.2.11; a version of two numbers is the last of its
 * stable releases. */
static bool rows_are_ids(const struct vm *vm, const struct qemu_target *t)
{
    unsigned parts[3];
    unsigned count = version_parts(vm->qemu_version.value, parts);
    if (t->version >= QEMU_9_0)
        return false;
    if (t->version == 702 || t->version == 802)
        return count == 3 && parts[2] < (t->version == 702 ? 11 : 3);
    return true;
}

void check_hmat_rows(struct check_context *c)
{
    const struct vm *vm = c->vm;
    size_t row = 0;
    size_t node = 0;
    while (node < vm->node_count && (row == node || !vm->nodes[node].cpus.count))
        row += vm->nodes[node++].cpus.count != 0;
    /* Now `node` is the first CPU node that has another row. */
    const struct hmat_pair *first = NULL;
    for (size_t i = 0; !first && i < vm->pair_count; i++)
        if (vm->pairs[i].from.value >= node)
            first = &vm->pairs[i];
    if (!first || !rows_are_ids(vm, c->qemu))
        return;
    struct diag *d = diag_add(c->diags, RULE_HMAT_ROWS, first->from.at,
                              "QEMU %s writes the values from node %" PRIu64
                              " into the row of another node, or behind the table",
                              vm->qemu_version.value, first->from.value);
    if (given(vm->qemu_version.at))
        diag_note(c->diags, d, vm->qemu_version.at, "the version of QEMU");
    diag_help(c->diags, d, "give the nodes with CPUs the lowest ids, or run QEMU 9.0 or newer");
}

void check_boot(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct diags *diags = c->diags;
    const struct boot *b = &vm->boot;
    bool confidential = vm->machine.confidential.value != CONFIDENTIAL_NONE;
    struct diag *d;
    if (b->firmware.value == FIRMWARE_NONE && !b->kernel.value) {
        d = diag_add(diags, RULE_KERNEL_MISSING, b->firmware.at,
                     "no firmware, and no kernel to boot without it");
        diag_help(diags, d, "add 'kernel', or name a firmware");
    }
    if ((b->initrd.value || b->cmdline.value) && !b->kernel.value) {
        d = diag_add(diags, RULE_KERNEL_MISSING, b->initrd.value ? b->initrd.at : b->cmdline.at,
                     "'%s' without a kernel: QEMU refuses it",
                     b->initrd.value ? "initrd" : "cmdline");
        diag_help(diags, d, "add 'kernel', or leave it out");
    }
    if (b->firmware.value == FIRMWARE_NONE && (b->code.value || b->vars.value)) {
        d = diag_add(diags, RULE_FIRMWARE_FILES, b->code.value ? b->code.at : b->vars.at,
                     "a file of a firmware that is 'none'");
        diag_help(diags, d, "name the firmware's type");
    }
    if (b->vars.value && (b->firmware.value != FIRMWARE_OVMF || confidential)) {
        d = diag_add(diags, RULE_FIRMWARE_FILES, b->vars.at,
                     confidential ? "a confidential guest boots from one image, without 'vars'"
                                  : "'%s' keeps no variables in a file",
                     firmware_names[b->firmware.value]);
        diag_help(diags, d, "leave 'vars' out");
    }
}

void check_confidential(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct qemu_target *t = c->qemu;
    const struct choice *kind = &vm->machine.confidential;
    /* QEMU's change logs of 9.1 and 10.1. */
    static const unsigned versions[] = {[CONFIDENTIAL_SEV_SNP] = 901, [CONFIDENTIAL_TDX] = 1001};
    struct diag *d;
    if (kind->value == CONFIDENTIAL_NONE)
        return;
    enum cpu_vendor vendor = confidential_vendors[kind->value];
    unsigned version = versions[kind->value];
    const char *name = confidential_names[kind->value];
    if (!t->kvm) {
        d = diag_add(c->diags, RULE_CONFIDENTIAL, kind->at, "a confidential guest needs kvm");
        diag_help(c->diags, d, "write 'accel: kvm'");
    } else if (t->version < version) {
        d = diag_add(c->diags, RULE_CONFIDENTIAL, kind->at, "QEMU %u.%u has no %s guests",
                     t->version / 100, t->version % 100, name);
        diag_help(c->diags, d, "run QEMU %u.%u or newer", version / 100, version % 100);
    } else if (vm->machine.cpu_vendor.value != VENDOR_UNSTATED &&
               vm->machine.cpu_vendor.value != (int)vendor) {
        d = diag_add(c->diags, RULE_CONFIDENTIAL, kind->at,
                     "%s guests run on the other vendor's hosts", name);
        diag_note(c->diags, d, vm->machine.cpu_vendor.at, "the host's vendor");
        diag_help(c->diags, d, "write 'cpu-vendor: %s'", vendor_names[vendor]);
    } else if (vm->boot.firmware.value != FIRMWARE_OVMF) {
        d = diag_add(c->diags, RULE_CONFIDENTIAL, kind->at, "%s guests boot through OVMF", name);
        diag_note(c->diags, d, vm->boot.firmware.at, "the firmware");
        diag_help(c->diags, d, "write 'firmware: ovmf'");
    }
}

/* What an interface for SPM means, and which backends a version has. */
void check_interface(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct qemu_target *t = c->qemu;
    struct diags *diags = c->diags;
    struct diag *d;
    FOR_EACH_REGION(vm, owner, region) {
        if (given(region->backend.offset.at) && t->version < QEMU_8_1) {
            d = diag_add(diags, RULE_BACKEND_KEY, region->backend.offset.at,
                         "file backends have an 'offset' since QEMU 8.1");
            diag_help(diags, d, "leave it out, or use a newer QEMU");
        }
    }
    if (t->interface == SPM_MEMMAP_TYPE || t->interface == SPM_FLAG) {
        d = diag_add(diags, RULE_SPM_UNRELEASED, vm->qemu_spm.at,
                     "no released QEMU has the interface '%s'", spm_interface_names[t->interface]);
        diag_help(diags, d, "run a QEMU with that patch series, or choose sp-mem (QEMU 11.1)");
    }
    if (t->interface != SPM_KERNEL_PARAMETER || vm_memory(vm, MEMORY_SPM) == 0)
        return;
    d = diag_add(diags, RULE_SPM_KERNEL_PARAMETER, vm->qemu_spm.at,
                 "SPM is plain RAM to QEMU and to firmware; the guest's kernel makes it "
                 "soft-reserved");
    diag_help(diags, d,
              vm->boot.kernel.value
                  ? "the emitted command line of the kernel holds the memmap= parameters"
                  : "add the memmap= parameters to the kernel's command line in the guest");
}

/* --- the window for memory devices, and SPM in it ------------------------------------------- */

void check_slot_slack(struct check_context *c)
{
    const struct layout *l = c->layout;
    if (!given(c->vm->max_memory.at) || c->qemu->interface != SPM_SP_MEM || !l->spm_count)
        return;
    const struct placement *top = &l->spm[0];
    for (size_t i = 1; i < l->spm_count; i++)
        if (l->spm[i].address > top->address)
            top = &l->spm[i];
    uint64_t needed = placement_end(top) - l->window;
    if (needed <= l->max_memory - l->ram)
        return;
    struct strbuf size = {0};
    strbuf_add_size(&size, l->ram + needed, "");
    struct diag *d =
        diag_add(c->diags, RULE_SLOT_SLACK, c->vm->max_memory.at,
                 "SPM of node %u ends at 0x%" PRIx64 ": it fits only into the 1 GiB of "
                 "addresses that each slot adds",
                 top->region->node, placement_end(top));
    diag_note(c->diags, d, region_place(top->region), "this region");
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
    const struct region *spm = vm_first_region(vm, MEMORY_SPM);
    if (!vm->machine.migratable.value || c->qemu->interface != SPM_SP_MEM || !spm)
        return;
    struct diag *d = diag_add(c->diags, RULE_SPM_MIGRATION, vm->machine.migratable.at,
                              "migration and snapshots succeed and lose the content of SPM");
    diag_note(c->diags, d, spm->type.at, "SPM");
    diag_help(c->diags, d,
              "write 'migratable: false', or choose 'targets.qemu.spm-interface: "
              "kernel-parameter', whose SPM is RAM to QEMU");
}
