/* SPDX-License-Identifier: MIT */
/* Elements are in the order of virsh dumpxml, sizes in its unit, KiB. */
#include "emit_libvirt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argv.h"
#include "emit_qemu.h"
#include "kernel_parameters.h"
#include "strbuf.h"
#include "target_libvirt.h"

#define NAMESPACE " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
/* Where Debian and its kin install qboot; 'code' names it elsewhere. */
#define QBOOT "/usr/share/qemu/qboot.rom"

/* What all parts of a domain are made from. */
struct emission {
    struct strbuf *out;
    const struct vm *vm;
    const struct prediction *p;
    struct domain domain;
    bool fragment;
    int depth; /* of the elements that are open */
};

/* --- lines ---------------------------------------------------------------------------------- */

static void indent(struct emission *e)
{
    for (int i = 0; i < e->depth; i++)
        strbuf_adds(e->out, "  ");
}

/* A line of markup that needs no escapes. */
PRINTF_LIKE(2, 3) static void line(struct emission *e, const char *format, ...)
{
    va_list args;
    indent(e);
    va_start(args, format);
    strbuf_addv(e->out, format, args);
    va_end(args);
    strbuf_addc(e->out, '\n');
}

static void open_element(struct emission *e, const char *tag)
{
    line(e, "<%s>", tag);
    e->depth++;
}

static void close_element(struct emission *e, const char *name)
{
    e->depth--;
    line(e, "</%s>", name);
}

/* An element with text of the user's; `open` is its name with its attributes. */
static void text_element(struct emission *e, const char *open, const char *text)
{
    indent(e);
    strbuf_addf(e->out, "<%s>", open);
    strbuf_add_xml(e->out, text);
    strbuf_addf(e->out, "</%.*s>\n", (int)strcspn(open, " "), open);
}

static void kib_element(struct emission *e, const char *open, uint64_t bytes)
{
    line(e, "<%s unit='KiB'>%" PRIu64 "</%.*s>", open, bytes / KIB, (int)strcspn(open, " "), open);
}

/* In a fragment: where what follows goes. */
static void place(struct emission *e, const char *where)
{
    if (e->fragment)
        line(e, "<!-- %s -->", where);
}

/* --- memory --------------------------------------------------------------------------------- */

static bool devices_in_xml(const struct emission *e)
{
    return e->domain.device_count > 0;
}

static struct boot_memory cell_memory(const struct emission *e, size_t cell)
{
    return qemu_boot_memory(&e->vm->nodes[cell], &e->p->qemu);
}

static void emit_sizes(struct emission *e)
{
    const struct layout *l = &e->p->layout;
    uint64_t total = l->ram + (devices_in_xml(e) ? vm_memory(e->vm, MEMORY_SPM) : 0);
    place(e, "in <domain>, for <maxMemory>, <memory> and <currentMemory>");
    if (l->max_memory > l->ram) {
        char open[64] = "maxMemory";
        if (l->slots)
            snprintf(open, sizeof(open), "maxMemory slots='%" PRIu64 "'", l->slots);
        kib_element(e, open, l->max_memory);
    }
    const struct region *first = e->domain.first;
    bool dump = !first || first->backend.dump.value;
    kib_element(e, dump ? "memory dumpCore='on'" : "memory dumpCore='off'", total);
    kib_element(e, "currentMemory", total);
}

/* The size of the huge pages behind a cell; 0: it has none. */
static uint64_t cell_page(const struct emission *e, size_t cell)
{
    const struct region *region = cell_memory(e, cell).region;
    return region ? region->backend.hugepages.value : 0;
}

/* One <page> for each size, with the cells that have it as ranges, as virsh dumpxml has them. */
static void emit_pages(struct emission *e)
{
    static const uint64_t sizes[] = {2 * MIB, GIB};
    size_t cells = e->domain.cell_count;
    bool any = false;
    for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
        const char *before = "";
        for (size_t n = 0; n < cells; n++) {
            size_t first = n;
            if (cell_page(e, n) != sizes[s])
                continue;
            while (n + 1 < cells && cell_page(e, n + 1) == sizes[s])
                n++;
            if (!any)
                open_element(e, "hugepages");
            any = true;
            if (!*before) {
                indent(e);
                strbuf_addf(e->out, "<page size='%" PRIu64 "' unit='KiB' nodeset='",
                            sizes[s] / KIB);
            }
            strbuf_addf(e->out, "%s%zu", before, first);
            if (n > first)
                strbuf_addf(e->out, "-%zu", n);
            before = ",";
        }
        if (*before)
            strbuf_adds(e->out, "'/>\n");
    }
    if (any)
        close_element(e, "hugepages");
}

static void emit_backing(struct emission *e)
{
    const struct region *first = e->domain.first;
    const struct region *small = e->domain.first_small;
    if (!first)
        return;
    bool merge = first->backend.merge.value;
    bool memfd = first->backend.kind.value == BACKEND_MEMFD;
    bool prealloc = small && small->backend.prealloc.value;
    if (merge && !memfd && !prealloc)
        return;
    place(e, "in <domain>, for <memoryBacking>");
    open_element(e, "memoryBacking");
    emit_pages(e);
    if (!merge)
        line(e, "<nosharepages/>");
    if (memfd)
        line(e, "<source type='memfd'/>");
    if (prealloc)
        line(e, "<allocation mode='immediate'/>");
    close_element(e, "memoryBacking");
}

static void emit_numatune(struct emission *e)
{
    static const char *const modes[] = {[POLICY_PREFERRED] = "preferred",
                                        [POLICY_BIND] = "strict",
                                        [POLICY_INTERLEAVE] = "interleave"};
    bool any = false;
    for (size_t n = 0; n < e->domain.cell_count; n++) {
        const struct backend *b = domain_cell_placement(&e->domain, &e->vm->nodes[n]);
        bool device = !cell_memory(e, n).region;
        if (!b || b->policy.value == POLICY_DEFAULT || (device && !devices_in_xml(e)))
            continue;
        if (!any) {
            place(e, "in <domain>, for <numatune>");
            open_element(e, "numatune");
        }
        any = true;
        indent(e);
        strbuf_addf(e->out, "<memnode cellid='%zu' mode='%s' nodeset='", n, modes[b->policy.value]);
        id_list_text(e->out, &b->host_nodes);
        strbuf_adds(e->out, "'/>\n");
    }
    if (any)
        close_element(e, "numatune");
}

/* --- CPUs, machine, firmware ---------------------------------------------------------------- */

static void emit_vcpu(struct emission *e)
{
    const struct cpus *c = &e->vm->cpus;
    place(e, "in <domain>, for <vcpu>");
    if (c->count.value < c->max.value)
        line(e, "<vcpu placement='static' current='%" PRIu64 "'>%" PRIu64 "</vcpu>", c->count.value,
             c->max.value);
    else
        line(e, "<vcpu placement='static'>%" PRIu64 "</vcpu>", c->max.value);
}

static void emit_loader(struct emission *e)
{
    const struct boot *boot = &e->vm->boot;
    const char *code = boot->code.value;
    if (boot->firmware.value == FIRMWARE_QBOOT && !code)
        code = QBOOT;
    if (boot->firmware.value != FIRMWARE_OVMF) {
        if (code)
            text_element(e, "loader type='rom'", code);
        return;
    }
    if (code) {
        /* Without a file for its variables OVMF forgets them, as under plain QEMU. */
        text_element(e,
                     boot->vars.value ? "loader readonly='yes' type='pflash'"
                                      : "loader readonly='yes' type='pflash' stateless='yes'",
                     code);
    } else {
        /* Else libvirt 12.8 takes a build for AMD SEV, which comes first without Secure Boot. */
        open_element(e, "firmware");
        line(e, "<feature enabled='no' name='secure-boot'/>");
        close_element(e, "firmware");
        line(e, "<loader stateless='no'/>");
    }
    if (boot->vars.value)
        text_element(e, "nvram", boot->vars.value);
}

static void emit_kernel(struct emission *e)
{
    const struct boot *boot = &e->vm->boot;
    struct strbuf cmdline = {0};
    if (!boot->kernel.value)
        return;
    text_element(e, "kernel", boot->kernel.value);
    if (boot->initrd.value)
        text_element(e, "initrd", boot->initrd.value);
    kernel_cmdline(&cmdline, e->vm, &e->p->qemu, &e->p->layout);
    if (cmdline.len)
        text_element(e, "cmdline", cmdline.data);
    strbuf_free(&cmdline);
}

static void emit_os(struct emission *e)
{
    const struct boot *boot = &e->vm->boot;
    bool automatic = boot->firmware.value == FIRMWARE_OVMF && !boot->code.value;
    open_element(e, automatic ? "os firmware='efi'" : "os");
    indent(e);
    strbuf_adds(e->out, "<type arch='x86_64' machine='");
    strbuf_add_xml(e->out, e->vm->machine.type.value);
    strbuf_adds(e->out, "'>hvm</type>\n");
    emit_loader(e);
    emit_kernel(e);
    close_element(e, "os");
}

/* The guest's address width, as under plain QEMU. */
static void emit_address_width(struct emission *e, bool host, bool max)
{
    unsigned bits = e->p->layout.phys_bits;
    if (e->p->qemu.kvm && (host || max) && bits)
        line(e, "<maxphysaddr mode='passthrough' limit='%u'/>", bits);
    else if (bits)
        line(e, "<maxphysaddr mode='emulate' bits='%u'/>", bits);
    else if (!host && !max)
        line(e, "<maxphysaddr mode='passthrough'/>");
}

static void emit_distances(struct emission *e, size_t cell)
{
    if (!e->domain.slit_in_xml)
        return;
    open_element(e, "distances");
    for (size_t n = 0; n < e->domain.cell_count; n++)
        line(e, "<sibling id='%zu' value='%u'/>", n, vm_distance(e->vm, cell, n));
    close_element(e, "distances");
}

/* Whether all of the HMAT is in the XML. Caches follow the values of their nodes, in QEMU's order of
 * arguments too, so that they are in the XML only then. */
static bool hmat_whole(const struct emission *e)
{
    const struct vm *vm = e->vm;
    size_t n = vm->node_count;
    bool *seen = xcalloc(n * n, sizeof(*seen));
    bool whole = true;
    for (size_t i = 0; i < vm->pair_count; i++)
        whole = domain_has_pair(&e->domain, seen, &vm->pairs[i]) && whole;
    free(seen);
    return whole;
}

static void emit_caches(struct emission *e, size_t cell)
{
    static const char *const associativities[] = {[ASSOCIATIVITY_NONE] = "none",
                                                  [ASSOCIATIVITY_DIRECT] = "direct",
                                                  [ASSOCIATIVITY_COMPLEX] = "full"};
    static const char *const policies[] = {[CACHE_POLICY_NONE] = "none",
                                           [CACHE_WRITE_BACK] = "writeback",
                                           [CACHE_WRITE_THROUGH] = "writethrough"};
    const struct hmat *hmat = &e->p->tables.hmat;
    for (size_t i = 0; i < hmat->cache_count; i++) {
        const struct hmat_cache *c = hmat->caches[i].cache;
        if (c->node.value != cell)
            continue;
        line(e, "<cache level='%" PRIu64 "' associativity='%s' policy='%s'>", c->level.value,
             associativities[c->associativity.value], policies[c->policy.value]);
        line(e, "  <size value='%" PRIu64 "' unit='KiB'/>", c->size.value / KIB);
        line(e, "  <line value='%" PRIu64 "' unit='B'/>", c->line.value);
        line(e, "</cache>");
    }
}

static void emit_cell(struct emission *e, size_t cell, bool caches)
{
    const struct node *node = &e->vm->nodes[cell];
    struct boot_memory memory = cell_memory(e, cell);
    indent(e);
    strbuf_addf(e->out, "<cell id='%zu'", cell);
    if (node->cpus.count) {
        strbuf_adds(e->out, " cpus='");
        id_list_text(e->out, &node->cpus);
        strbuf_addc(e->out, '\'');
    }
    strbuf_addf(e->out, " memory='%" PRIu64 "' unit='KiB'", memory.size / KIB);
    if (memory.region && memory.region->backend.kind.value == BACKEND_MEMFD)
        strbuf_addf(e->out, " memAccess='%s'",
                    memory.region->backend.share.value ? "shared" : "private");
    bool empty = !e->domain.slit_in_xml && !(caches && e->vm->cache_count);
    strbuf_adds(e->out, empty ? "/>\n" : ">\n");
    if (empty)
        return;
    e->depth++;
    emit_distances(e, cell);
    if (caches)
        emit_caches(e, cell);
    close_element(e, "cell");
}

static void emit_pair(struct emission *e, const struct hmat_pair *pair)
{
    static const char *const types[] = {"access", "read", "write"};
    for (int type = 0; type < HMAT_TYPES; type++) {
        if (!given(pair->values[type].at))
            continue;
        uint64_t value = pair->values[type].value;
        bool latency = type <= HMAT_WRITE_LATENCY;
        indent(e);
        strbuf_addf(e->out, "<%s initiator='%" PRIu64 "' target='%" PRIu64 "' type='%s'",
                    latency ? "latency" : "bandwidth", pair->from.value, pair->to.value,
                    types[type % 3]);
        if (latency)
            strbuf_addf(e->out, " value='%" PRIu64 "'/>\n", value / 1000);
        else
            strbuf_addf(e->out, " value='%" PRIu64 "' unit='KiB'/>\n", value / KIB);
    }
}

/* The pairs in the XML as elements, the others as arguments. */
static void emit_pairs(struct emission *e, struct argv *arguments)
{
    const struct vm *vm = e->vm;
    size_t n = vm->node_count;
    bool *seen = xcalloc(n * n, sizeof(*seen));
    for (size_t i = 0; i < vm->pair_count; i++) {
        bool in_xml = domain_has_pair(&e->domain, seen, &vm->pairs[i]);
        if (in_xml && !arguments)
            emit_pair(e, &vm->pairs[i]);
        else if (!in_xml && arguments)
            emit_qemu_pair(arguments, &vm->pairs[i]);
    }
    free(seen);
}

static void emit_numa(struct emission *e)
{
    const struct cpus *c = &e->vm->cpus;
    bool caches = given(e->vm->hmat_at) && hmat_whole(e);
    line(e,
         "<topology sockets='%" PRIu64 "' dies='%" PRIu64 "' cores='%" PRIu64 "' threads='%" PRIu64
         "'/>",
         c->sockets.value, c->dies.value, c->cores.value, c->threads.value);
    if (!e->fragment) {
        const char *model = e->vm->machine.cpu.value;
        emit_address_width(e, strcmp(model, "host") == 0, strcmp(model, "max") == 0);
    }
    open_element(e, "numa");
    for (size_t n = 0; n < e->domain.cell_count; n++)
        emit_cell(e, n, caches);
    if (e->domain.hmat_in_xml) {
        open_element(e, "interconnects");
        emit_pairs(e, NULL);
        close_element(e, "interconnects");
    }
    close_element(e, "numa");
}

static void emit_cpu(struct emission *e)
{
    const char *model = e->vm->machine.cpu.value;
    bool host = strcmp(model, "host") == 0;
    if (host || strcmp(model, "max") == 0) {
        open_element(e, host ? "cpu mode='host-passthrough' check='none'"
                             : "cpu mode='maximum' check='none'");
    } else {
        open_element(e, "cpu mode='custom' match='exact' check='none'");
        text_element(e, "model fallback='forbid'", model);
    }
    emit_numa(e);
    close_element(e, "cpu");
}

/* --- devices -------------------------------------------------------------------------------- */

static void emit_device(struct emission *e, const struct placement *spm, size_t slot)
{
    const struct region *region = spm->region;
    const struct backend *b = &region->backend;
    const struct node *node = &e->vm->nodes[region->node];
    bool bound = b->policy.value == POLICY_BIND;
    const char *access = b->kind.value != BACKEND_MEMFD ? ""
                         : b->share.value               ? " access='shared'"
                                                        : " access='private'";
    line(e, "<memory model='dimm'%s>", access);
    e->depth++;
    /* Pages of 4 KiB keep those of the cell away. */
    bool pages = b->kind.value == BACKEND_MEMFD;
    if (pages || bound) {
        open_element(e, "source");
        if (pages)
            kib_element(e, "pagesize", b->hugepages.value ? b->hugepages.value : 4 * KIB);
        if (bound) {
            indent(e);
            strbuf_adds(e->out, "<nodemask>");
            id_list_text(e->out, &b->host_nodes);
            strbuf_adds(e->out, "</nodemask>\n");
        }
        close_element(e, "source");
    }
    open_element(e, "target");
    kib_element(e, "size", region->size.value);
    line(e, "<node>%zu</node>", domain_device_cell(&e->domain, node));
    close_element(e, "target");
    line(e, "<alias name='ua-%s'/>", region->id.value);
    line(e, "<address type='dimm' slot='%zu' base='0x%" PRIx64 "'/>", slot, spm->address);
    close_element(e, "memory");
}

static void emit_memory_devices(struct emission *e)
{
    if (!devices_in_xml(e))
        return;
    place(e, "in <devices>, besides what is there");
    line(
        e,
        "<!-- Specific-purpose memory. Without the qemu:override below these are plain DIMMs. -->");
    for (size_t i = 0; i < e->p->layout.spm_count; i++)
        emit_device(e, &e->p->layout.spm[i], i);
}

static void emit_devices(struct emission *e)
{
    const char *emulator = e->vm->libvirt_emulator.value;
    open_element(e, "devices");
    /* A bare name stands for libvirt's own choice. */
    if (emulator[0] == '/')
        text_element(e, "emulator", emulator);
    line(e, "<serial type='pty'/>");
    emit_memory_devices(e);
    close_element(e, "devices");
}

/* --- past libvirt --------------------------------------------------------------------------- */

static void emit_override(struct emission *e)
{
    if (!devices_in_xml(e))
        return;
    place(e, "at the end of <domain>; a domain has one <qemu:override>");
    line(
        e,
        "<!-- libvirt has no word for specific-purpose memory: this makes sp-mem of the DIMMs that it");
    line(
        e,
        "     counts and places. It marks the domain as tainted (custom-device), and its developers");
    line(
        e,
        "     give no support for it. Define with 'virsh define' and its option 'validate': without a");
    line(e, "     declared namespace these lines are dropped and the guest gets plain memory. -->");
    open_element(e, e->fragment ? "qemu:override" NAMESPACE : "qemu:override");
    for (size_t i = 0; i < e->p->layout.spm_count; i++) {
        const struct region *region = e->p->layout.spm[i].region;
        line(e, "<qemu:device alias='ua-%s'>", region->id.value);
        e->depth++;
        open_element(e, "qemu:frontend");
        line(e, "<qemu:property name='driver' type='string' value='sp-mem'/>");
        line(e, "<qemu:property name='slot' type='remove'/>");
        if (region->node >= e->domain.cell_count)
            line(e, "<qemu:property name='node' type='unsigned' value='%u'/>", region->node);
        close_element(e, "qemu:frontend");
        close_element(e, "qemu:device");
    }
    close_element(e, "qemu:override");
}

/* Nodes that are no cells, and the distances that libvirt does not pass on. */
static void add_nodes(struct emission *e, struct argv *arguments)
{
    size_t cells = e->domain.cell_count;
    size_t count = e->vm->node_count;
    size_t known = e->domain.slit_in_xml ? cells : 0;
    for (size_t n = cells; n < count; n++)
        strbuf_addf(argv_option(arguments, "-numa", "node,nodeid="), "%zu", n);
    for (size_t from = 0; e->domain.slit && from < count; from++)
        for (size_t to = 0; to < count; to++)
            if (from != to && (from >= known || to >= known))
                strbuf_addf(argv_option(arguments, "-numa", "dist,src="), "%zu,dst=%zu,val=%u",
                            from, to, vm_distance(e->vm, from, to));
}

/* SPM that is no device in the XML, with ids that are not libvirt's. */
static void add_spm(struct emission *e, struct argv *arguments)
{
    struct strbuf id = {0};
    for (size_t i = 0; i < e->p->layout.spm_count && e->domain.spm_by_arguments; i++) {
        struct region region = *e->p->layout.spm[i].region;
        id.len = 0;
        strbuf_addf(&id, "ua-%s", region.id.value);
        region.id.value = id.data;
        emit_qemu_backend(arguments, &region, region.size.value);
        emit_qemu_device(arguments, &(struct placement){&region, e->p->layout.spm[i].address,
                                                        e->p->layout.spm[i].size});
    }
    strbuf_free(&id);
}

static void add_hmat(struct emission *e, struct argv *arguments)
{
    if (!given(e->vm->hmat_at))
        return;
    if (!e->domain.hmat_in_xml)
        argv_option(arguments, "-machine", "hmat=on");
    emit_pairs(e, arguments);
    for (size_t i = 0; i < e->p->tables.hmat.cache_count && !hmat_whole(e); i++)
        emit_qemu_cache(arguments, e->p->tables.hmat.caches[i].cache);
}

static void find_arguments(struct emission *e, struct argv *arguments)
{
    add_nodes(e, arguments);
    add_hmat(e, arguments);
    add_spm(e, arguments);
}

static void emit_arguments(struct emission *e, const struct strbuf *arguments)
{
    if (!arguments->len)
        return;
    place(e, "at the end of <domain>; a domain has one <qemu:commandline>");
    line(
        e,
        "<!-- What libvirt cannot describe goes to QEMU as it is. This marks the domain as tainted");
    line(e, "     (custom-argv), and libvirt's developers give no support for it. -->");
    open_element(e, e->fragment ? "qemu:commandline" NAMESPACE : "qemu:commandline");
    const char *end = arguments->data + arguments->len;
    for (const char *word = arguments->data; word < end; word += strlen(word) + 1) {
        indent(e);
        strbuf_adds(e->out, "<qemu:arg value='");
        strbuf_add_xml(e->out, word);
        strbuf_adds(e->out, "'/>\n");
    }
    close_element(e, "qemu:commandline");
}

/* --- the domain ----------------------------------------------------------------------------- */

/* What the guest must be told by other means than this domain. */
static void emit_comments(struct emission *e)
{
    struct strbuf parameters = {0};
    kernel_parameters(&parameters, e->vm, &e->p->qemu, &e->p->layout);
    if (parameters.len) {
        line(
            e,
            "<!-- SPM is plain RAM to QEMU and to firmware. It is specific-purpose memory only to a");
        line(e, "     guest kernel that is booted with");
        line(e, "       %s", parameters.data);
        line(e, "     %s -->",
             !e->fragment && e->vm->boot.kernel.value
                 ? "as below."
                 : "which you must add to the guest's boot loader.");
    }
    strbuf_free(&parameters);
}

static void emit_fragment(struct emission *e, const struct strbuf *arguments)
{
    line(
        e,
        "<!-- The topology of a domain, without its name, machine, CPU model, firmware and kernel.");
    line(e, "     Each comment says where the elements below it go, and which they are for. -->");
    emit_comments(e);
    emit_sizes(e);
    emit_backing(e);
    emit_vcpu(e);
    emit_numatune(e);
    place(e, "in <features>: without it the guest has no tables at all");
    line(e, "<acpi/>");
    place(e, "in <cpu>, for <topology> and <numa>");
    emit_numa(e);
    emit_memory_devices(e);
    emit_arguments(e, arguments);
    emit_override(e);
}

static void emit_domain(struct emission *e, const struct strbuf *arguments)
{
    const struct vm *vm = e->vm;
    bool qemu = devices_in_xml(e) || arguments->len;
    line(e, "<domain type='%s'%s>", e->p->qemu.kvm ? "kvm" : "qemu", qemu ? NAMESPACE : "");
    e->depth++;
    line(e, "<!-- CPUs, memory and firmware. Disks and networks are yours to add. -->");
    emit_comments(e);
    text_element(e, "name", vm->name.value);
    if (vm->libvirt_uuid.value)
        text_element(e, "uuid", vm->libvirt_uuid.value);
    if (vm->description.value)
        text_element(e, "description", vm->description.value);
    emit_sizes(e);
    emit_backing(e);
    emit_vcpu(e);
    emit_numatune(e);
    emit_os(e);
    open_element(e, "features");
    line(e, "<acpi/>");
    close_element(e, "features");
    emit_cpu(e);
    emit_devices(e);
    emit_arguments(e, arguments);
    emit_override(e);
    close_element(e, "domain");
}

void emit_libvirt(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                  enum format format, bool fragment)
{
    struct emission e = {.out = out, .vm = vm, .p = p, .fragment = fragment};
    struct strbuf arguments = {0};
    struct argv argv = argv_start(&arguments, ARGV_NUL);
    (void)format;
    e.domain = domain_read(vm, &p->qemu);
    find_arguments(&e, &argv);
    argv_end(&argv);
    if (fragment)
        emit_fragment(&e, &arguments);
    else
        emit_domain(&e, &arguments);
    strbuf_free(&arguments);
}
