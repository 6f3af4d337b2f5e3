/* SPDX-License-Identifier: MIT */
#include "emit_qemu.h"

#include <inttypes.h>
#include <string.h>

#include "hmat_scale.h"
#include "kernel_parameters.h"

/* Where Debian and its kin install OVMF; 'code' names it elsewhere. */
#define OVMF_CODE "/usr/share/OVMF/OVMF_CODE_4M.fd"
#define OVMF_IMAGE "/usr/share/ovmf/OVMF.fd"

static void add_key_u64(struct strbuf *b, const char *key, uint64_t value)
{
    strbuf_adds(b, key);
    strbuf_add_u64(b, value);
}

static void add_key_size(struct strbuf *b, const char *key, uint64_t bytes)
{
    strbuf_adds(b, key);
    strbuf_add_qemu_size(b, bytes);
}

static void add_key_text(struct strbuf *b, const char *key, const char *value)
{
    strbuf_adds(b, key);
    strbuf_add_qemu(b, value);
}

static void add_ranges(struct strbuf *b, const char *key, const struct id_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        add_key_u64(b, key, list->ranges[i].first);
        if (list->ranges[i].last != list->ranges[i].first)
            add_key_u64(b, "-", list->ranges[i].last);
    }
}

static bool confidential(const struct vm *vm)
{
    return vm->machine.confidential.value != CONFIDENTIAL_NONE;
}

static void emit_machine(struct argv *argv, const struct vm *vm, const struct qemu_target *t,
                         const struct layout *layout)
{
    argv_add(argv, ARG_OPTION, vm->qemu_binary.value);
    argv_option(argv, "-name", vm->name.value);
    struct strbuf *b = argv_option(argv, "-machine", vm->machine.type.value);
    if (given(vm->hmat_at))
        strbuf_adds(b, ",hmat=on");
    if (vm->machine.confidential.value == CONFIDENTIAL_TDX)
        strbuf_adds(b, ",kernel-irqchip=split");
    if (confidential(vm))
        strbuf_adds(b, ",confidential-guest-support=cgs0");
    argv_option(argv, "-accel", accel_names[vm->machine.accel.value]);
    b = argv_option(argv, "-cpu", vm->machine.cpu.value);
    bool max = !t->model || strcmp(t->model->name, "max") == 0;
    if (t->kvm && layout->phys_bits) {
        /* host and max take the host's bits unless told not to. */
        add_key_u64(b, ",host-phys-bits=off,phys-bits=", layout->phys_bits);
    } else if (layout->phys_bits) {
        add_key_u64(b, ",phys-bits=", layout->phys_bits);
    } else if (!max) {
        strbuf_adds(b, ",host-phys-bits=on");
    }
    if (vm->machine.confidential.value == CONFIDENTIAL_TDX)
        argv_option(argv, "-object", "tdx-guest,id=cgs0");
    else if (vm->machine.confidential.value == CONFIDENTIAL_SEV_SNP)
        /* The C-bit of every EPYC that has SEV-SNP (AMD PPR, CPUID Fn8000_001F). */
        argv_option(argv, "-object", "sev-snp-guest,id=cgs0,cbitpos=51,reduced-phys-bits=1");
}

/* A file name that begins like "nbd:" would be taken as a protocol. */
static void emit_flash(struct argv *argv, const char *unit, const char *path)
{
    struct strbuf *b = argv_option(argv, "-drive", unit);
    size_t plain = strcspn(path, ":/");
    add_key_text(b, path[plain] == ':' ? ",file=./" : ",file=", path);
}

static void emit_firmware(struct argv *argv, const struct vm *vm)
{
    const struct boot *boot = &vm->boot;
    const char *image = boot->code.value;
    if (boot->firmware.value == FIRMWARE_OVMF && !confidential(vm)) {
        emit_flash(argv, "if=pflash,format=raw,unit=0,readonly=on", image ? image : OVMF_CODE);
        if (boot->vars.value)
            emit_flash(argv, "if=pflash,format=raw,unit=1", boot->vars.value);
        return;
    }
    if (!image && boot->firmware.value == FIRMWARE_OVMF)
        image = OVMF_IMAGE;
    if (!image && boot->firmware.value == FIRMWARE_QBOOT)
        image = "qboot.rom";
    if (image)
        argv_option(argv, "-bios", image);
}

static void emit_kernel(struct argv *argv, const struct vm *vm, const struct qemu_target *t,
                        const struct layout *layout)
{
    const struct boot *boot = &vm->boot;
    if (!boot->kernel.value)
        return;
    struct strbuf cmdline = {0};
    kernel_cmdline(&cmdline, vm, t, layout);
    argv_option(argv, "-kernel", boot->kernel.value);
    if (boot->initrd.value)
        argv_option(argv, "-initrd", boot->initrd.value);
    if (cmdline.len)
        argv_option(argv, "-append", cmdline.data);
    strbuf_free(&cmdline);
}

static void emit_memory(struct argv *argv, const struct vm *vm, const struct layout *layout)
{
    struct strbuf *b = argv_option(argv, "-m", "size=");
    strbuf_add_qemu_size(b, layout->ram);
    if (layout->max_memory > layout->ram) {
        add_key_u64(b, ",slots=", layout->slots);
        add_key_size(b, ",maxmem=", layout->max_memory);
    }
    const struct cpus *c = &vm->cpus;
    b = argv_option(argv, "-smp", "cpus=");
    strbuf_add_u64(b, c->count.value);
    add_key_u64(b, ",maxcpus=", c->max.value);
    add_key_u64(b, ",sockets=", c->sockets.value);
    add_key_u64(b, ",dies=", c->dies.value);
    if (c->modules.value > 1)
        add_key_u64(b, ",modules=", c->modules.value);
    add_key_u64(b, ",cores=", c->cores.value);
    add_key_u64(b, ",threads=", c->threads.value);
}

/* What QEMU takes by itself is left out. */
void emit_qemu_backend(struct argv *argv, const struct region *region, uint64_t size)
{
    static const char *const types[] = {[BACKEND_RAM] = "memory-backend-ram",
                                        [BACKEND_MEMFD] = "memory-backend-memfd",
                                        [BACKEND_FILE] = "memory-backend-file"};
    const struct backend *k = &region->backend;
    struct strbuf *b = argv_option(argv, "-object", types[k->kind.value]);
    add_key_text(b, ",id=", region->id.value);
    add_key_size(b, ",size=", size);
    if (k->path.value)
        add_key_text(b, ",mem-path=", k->path.value);
    if (k->offset.value)
        add_key_size(b, ",offset=", k->offset.value);
    if (k->kind.value == BACKEND_MEMFD && k->hugepages.value)
        add_key_size(b, ",hugetlb=on,hugetlbsize=", k->hugepages.value);
    if (k->align.value)
        add_key_size(b, ",align=", k->align.value);
    bool shared = k->kind.value == BACKEND_MEMFD;
    if (k->share.value != shared)
        strbuf_adds(b, k->share.value ? ",share=on" : ",share=off");
    if (k->pmem.value)
        strbuf_adds(b, ",pmem=on");
    if (k->prealloc.value)
        strbuf_adds(b, ",prealloc=on");
    if (!k->reserve.value)
        strbuf_adds(b, ",reserve=off");
    if (!k->merge.value)
        strbuf_adds(b, ",merge=off");
    if (!k->dump.value)
        strbuf_adds(b, ",dump=off");
    if (k->policy.value != POLICY_DEFAULT) {
        add_ranges(b, ",host-nodes=", &k->host_nodes);
        strbuf_adds(b, ",policy=");
        strbuf_adds(b, policy_names[k->policy.value]);
    }
}

static void emit_node(struct argv *argv, const struct vm *vm, const struct qemu_target *t,
                      const struct node *node)
{
    struct boot_memory memory = qemu_boot_memory(node, t);
    const struct region *boot = memory.region;
    if (boot)
        emit_qemu_backend(argv, boot, memory.size);
    for (size_t r = 0; r < node->region_count && !qemu_spm_is_boot_memory(t); r++)
        if (node->regions[r].type.value == MEMORY_SPM)
            emit_qemu_backend(argv, &node->regions[r], node->regions[r].size.value);
    struct strbuf *b = argv_option(argv, "-numa", "node,nodeid=");
    strbuf_add_u64(b, node->id);
    add_ranges(b, ",cpus=", &node->cpus);
    if (boot)
        add_key_text(b, ",memdev=", boot->id.value);
    if (boot && t->interface == SPM_MEMMAP_TYPE && boot->type.value != MEMORY_NORMAL)
        add_key_text(b, ",memmap-type=", memory_type_names[boot->type.value]);
    if (boot && t->interface == SPM_FLAG && boot->type.value == MEMORY_SPM)
        strbuf_adds(b, ",spm=on");
    if (given(vm->hmat_at) && given(node->initiator.at) && !node->cpus.count)
        add_key_u64(b, ",initiator=", node->initiator.value);
}

/* QEMU takes one direction of each pair where no pair differs, else all of them. */
static void emit_distances(struct argv *argv, const struct vm *vm)
{
    size_t n = vm->node_count;
    const uint8_t *values = vm->distances.values;
    if (!values)
        return;
    bool symmetric = true;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            symmetric = symmetric && values[i * n + j] == values[j * n + i];
    for (size_t i = 0; i < n; i++)
        for (size_t j = symmetric ? i : 0; j < n; j++) {
            if (i == j && n > 1)
                continue;
            struct strbuf *b = argv_option(argv, "-numa", "dist,src=");
            strbuf_add_u64(b, i);
            add_key_u64(b, ",dst=", j);
            add_key_u64(b, ",val=", values[i * n + j]);
        }
}

void emit_qemu_pair(struct argv *argv, const struct hmat_pair *pair)
{
    static const char *const types[HMAT_TYPES] = {
        [HMAT_ACCESS_LATENCY] = ",hierarchy=memory,data-type=access-latency,latency=",
        [HMAT_READ_LATENCY] = ",hierarchy=memory,data-type=read-latency,latency=",
        [HMAT_WRITE_LATENCY] = ",hierarchy=memory,data-type=write-latency,latency=",
        [HMAT_ACCESS_BANDWIDTH] = ",hierarchy=memory,data-type=access-bandwidth,bandwidth=",
        [HMAT_READ_BANDWIDTH] = ",hierarchy=memory,data-type=read-bandwidth,bandwidth=",
        [HMAT_WRITE_BANDWIDTH] = ",hierarchy=memory,data-type=write-bandwidth,bandwidth=",
    };
    for (int type = 0; type < HMAT_TYPES; type++) {
        if (!given(pair->values[type].at))
            continue;
        struct strbuf *b = argv_option(argv, "-numa", "hmat-lb,initiator=");
        strbuf_add_u64(b, pair->from.value);
        add_key_u64(b, ",target=", pair->to.value);
        strbuf_adds(b, types[type]);
        uint64_t value = hmat_in_qemu_units((enum hmat_type)type, pair->values[type].value);
        if (hmat_is_latency((enum hmat_type)type))
            strbuf_add_u64(b, value);
        else
            strbuf_add_qemu_size(b, value);
    }
}

void emit_qemu_cache(struct argv *argv, const struct hmat_cache *c)
{
    struct strbuf *b = argv_option(argv, "-numa", "hmat-cache,node-id=");
    strbuf_add_u64(b, c->node.value);
    add_key_size(b, ",size=", c->size.value);
    add_key_u64(b, ",level=", c->level.value);
    add_key_text(b, ",associativity=", associativity_names[c->associativity.value]);
    add_key_text(b, ",policy=", cache_policy_names[c->policy.value]);
    add_key_u64(b, ",line=", c->line.value);
}

static void emit_hmat(struct argv *argv, const struct vm *vm, const struct tables *tables)
{
    for (size_t i = 0; i < vm->pair_count; i++)
        emit_qemu_pair(argv, &vm->pairs[i]);
    for (size_t i = 0; i < tables->hmat.cache_count; i++)
        emit_qemu_cache(argv, tables->hmat.caches[i].cache);
}

void emit_qemu_device(struct argv *argv, const struct placement *spm)
{
    struct strbuf *b = argv_option(argv, "-device", "sp-mem");
    add_key_text(b, ",id=", spm->region->id.value);
    add_key_text(b, ",memdev=", spm->region->id.value);
    add_key_u64(b, ",node=", spm->region->node);
    strbuf_addf(b, ",addr=0x%" PRIx64, spm->address);
}

static void emit_devices(struct argv *argv, const struct layout *layout)
{
    for (size_t i = 0; i < layout->spm_count; i++)
        emit_qemu_device(argv, &layout->spm[i]);
}

static void emit_arguments(struct argv *argv, const struct vm *vm, const struct prediction *p,
                           bool fragment)
{
    if (!fragment) {
        emit_machine(argv, vm, &p->qemu, &p->layout);
        emit_firmware(argv, vm);
        emit_kernel(argv, vm, &p->qemu, &p->layout);
    } else if (given(vm->hmat_at)) {
        argv_option(argv, "-machine", "hmat=on");
    }
    emit_memory(argv, vm, &p->layout);
    for (size_t n = 0; n < vm->node_count; n++)
        emit_node(argv, vm, &p->qemu, &vm->nodes[n]);
    emit_distances(argv, vm);
    emit_hmat(argv, vm, &p->tables);
    if (p->qemu.interface == SPM_SP_MEM)
        emit_devices(argv, &p->layout);
}

/* What the guest must be told by other means than this command line. */
static void emit_comments(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                          bool fragment)
{
    struct strbuf parameters = {0};
    kernel_parameters(&parameters, vm, &p->qemu, &p->layout);
    if (parameters.len) {
        strbuf_adds(out,
                    "# SPM is plain RAM to QEMU and to firmware. It is specific-purpose memory "
                    "only to a guest\n# kernel that is booted with\n#   ");
        strbuf_adds(out, parameters.data);
        strbuf_adds(out, !fragment && vm->boot.kernel.value
                             ? "\n# as below.\n"
                             : "\n# which you must add to the guest's boot loader.\n");
    }
    strbuf_free(&parameters);
}

void emit_qemu(struct strbuf *out, const struct vm *vm, const struct prediction *p,
               enum format format, bool fragment)
{
    enum argv_form form = format == FORMAT_JSON   ? ARGV_JSON
                          : format == FORMAT_ARGV ? ARGV_NUL
                                                  : ARGV_SHELL;
    if (form == ARGV_SHELL)
        emit_comments(out, vm, p, fragment);
    struct argv argv = argv_start(out, form);
    emit_arguments(&argv, vm, p, fragment);
    argv_end(&argv);
}
