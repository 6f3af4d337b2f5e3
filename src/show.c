/* SPDX-License-Identifier: MIT */
#include "show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "hmat_scale.h"
#include "show_parts.h"

/* Text made for one cell; valid until the next call with the same buffer. */
static const char *ids_text(struct strbuf *b, const struct id_list *list)
{
    b->len = 0;
    strbuf_adds(b, "");
    id_list_text(b, list);
    if (b->len > 60)
        memcpy(b->data + 57, "...", 4);
    return b->len ? b->data : "-";
}

static const char *size_or_dash(struct strbuf *b, uint64_t bytes)
{
    b->len = 0;
    strbuf_add_size(b, bytes, " ");
    return bytes ? b->data : "-";
}

/* --- text ----------------------------------------------------------------------------------- */

static void show_nodes(struct strbuf *out, const struct vm *vm)
{
    struct columns c = {.width = 6, .right = 1 << 2 | 1 << 3};
    struct strbuf text = {0};
    static const char *const heads[] = {"node", "CPUs", "normal", "SPM", "initiator", "label"};
    strbuf_adds(out, "\nNodes\n");
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        columns_add(&c, "%s", heads[i]);
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        uint64_t sums[MEMORY_TYPES];
        show_sums(sums, node);
        columns_add(&c, "%zu", n);
        columns_add(&c, "%s", ids_text(&text, &node->cpus));
        columns_add(&c, "%s", size_or_dash(&text, sums[MEMORY_NORMAL]));
        columns_add(&c, "%s", size_or_dash(&text, sums[MEMORY_SPM]));
        if (node->cpus.count || given(node->initiator.at))
            columns_add(&c, "%" PRIu64, node->initiator.value);
        else
            columns_add(&c, "-");
        columns_add(&c, "%s", node->label.value ? node->label.value : "");
    }
    columns_end(&c, out);
    strbuf_free(&text);
}

static void show_regions(struct strbuf *out, const struct vm *vm)
{
    struct columns c = {.width = 5, .right = 1 << 3};
    struct strbuf size = {0};
    static const char *const heads[] = {"region", "node", "type", "size", "backend"};
    strbuf_adds(out, "\nRegions\n");
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        columns_add(&c, "%s", heads[i]);
    FOR_EACH_REGION(vm, node, region) {
        const struct backend *b = &region->backend;
        columns_add(&c, "%s", region->id.value);
        columns_add(&c, "%u", node->id);
        columns_add(&c, "%s", memory_type_names[region->type.value]);
        columns_add(&c, "%s", size_or_dash(&size, region->size.value));
        columns_add(&c, "%s%s%s", backend_kind_names[b->kind.value], b->path.value ? " " : "",
                    b->path.value ? b->path.value : "");
    }
    columns_end(&c, out);
    strbuf_free(&size);
}

static void show_map(struct strbuf *out, const struct layout *l)
{
    size_t count;
    struct map_row *rows = show_map_rows(l, &count);
    struct columns c = {.width = 4, .right = 1 << 1};
    struct strbuf size = {0};
    strbuf_adds(out, "\nAddress map\n");
    for (size_t i = 0; i < count; i++) {
        columns_add(&c, "0x%010" PRIx64 "-0x%010" PRIx64, rows[i].address, rows[i].end - 1);
        columns_add(&c, "%s", size_or_dash(&size, rows[i].end - rows[i].address));
        columns_add(&c, "%s", map_kind_names[rows[i].kind]);
        if (rows[i].node == NO_NODE)
            columns_add(&c, "%s", "");
        else
            columns_add(&c, "node %u", rows[i].node);
    }
    columns_end(&c, out);
    strbuf_free(&size);
    free(rows);
}

/* cloud-hypervisor writes a SLIT in any case. */
static void show_distances(struct strbuf *out, const struct vm *vm, const struct prediction *p)
{
    if (!vm->distances.values) {
        strbuf_addf(out, "\nDistances: none given (10 to itself, 20 to others%s)\n",
                    p->target == TARGET_CLOUDHV ? "" : "; no SLIT");
        return;
    }
    strbuf_adds(out, "\nDistances, a row for each node\n");
    strbuf_adds(out, "       ");
    for (size_t j = 0; j < vm->node_count; j++)
        strbuf_addf(out, " %3zu", j);
    strbuf_addc(out, '\n');
    for (size_t i = 0; i < vm->node_count; i++) {
        strbuf_addf(out, "  %3zu: ", i);
        for (size_t j = 0; j < vm->node_count; j++)
            strbuf_addf(out, " %3u", vm->distances.values[i * vm->node_count + j]);
        strbuf_addc(out, '\n');
    }
}

void show_text(struct strbuf *out, const struct vm *vm, const struct prediction *p)
{
    show_summary(out, vm, p);
    show_nodes(out, vm);
    show_regions(out, vm);
    show_map(out, &p->layout);
    show_distances(out, vm, p);
}

/* --- YAML ----------------------------------------------------------------------------------- */

static void yaml_text(struct strbuf *out, const char *key, const char *value)
{
    if (!value)
        return;
    strbuf_adds(out, key);
    strbuf_adds(out, ": ");
    strbuf_add_yaml(out, value);
    strbuf_addc(out, '\n');
}

static void yaml_number(struct strbuf *out, const char *key, uint64_t value)
{
    strbuf_addf(out, "%s: %" PRIu64 "\n", key, value);
}

static void yaml_size(struct strbuf *out, const char *key, uint64_t bytes)
{
    strbuf_adds(out, key);
    strbuf_adds(out, ": ");
    strbuf_add_size(out, bytes, "");
    strbuf_addc(out, '\n');
}

static void yaml_bool(struct strbuf *out, const char *key, int value)
{
    strbuf_addf(out, "%s: %s\n", key, value ? "true" : "false");
}

static void yaml_ids(struct strbuf *out, const char *key, const struct id_list *list)
{
    if (!list->count)
        return;
    strbuf_addf(out, "%s: \"", key);
    id_list_text(out, list);
    strbuf_adds(out, "\"\n");
}

/* Where cloud-hypervisor is one of the targets, what QEMU would choose for itself is left out: written
 * down it would be asked of cloud-hypervisor. */
static bool names_cloudhv(const struct vm *vm, const struct prediction *p)
{
    return (vm->named_targets | p->target) & TARGET_CLOUDHV;
}

static void yaml_backend(struct strbuf *out, const struct backend *b, bool cloudhv)
{
#define IN "          "
    strbuf_adds(out, "        backend:\n");
    yaml_text(out, IN "kind", backend_kind_names[b->kind.value]);
    yaml_text(out, IN "path", b->path.value);
    if (b->offset.value)
        yaml_size(out, IN "offset", b->offset.value);
    if (b->hugepages.value)
        yaml_size(out, IN "hugepages", b->hugepages.value);
    yaml_bool(out, IN "share", b->share.value);
    yaml_bool(out, IN "prealloc", b->prealloc.value);
    if (!cloudhv || given(b->reserve.at))
        yaml_bool(out, IN "reserve", b->reserve.value);
    if (!cloudhv || given(b->merge.at))
        yaml_bool(out, IN "merge", b->merge.value);
    yaml_bool(out, IN "dump", b->dump.value);
    if (b->kind.value == BACKEND_FILE)
        yaml_bool(out, IN "pmem", b->pmem.value);
    if (b->align.value)
        yaml_size(out, IN "align", b->align.value);
    yaml_ids(out, IN "host-nodes", &b->host_nodes);
    yaml_text(out, IN "policy", policy_names[b->policy.value]);
#undef IN
}

static const struct placement *placement_of(const struct layout *l, const struct region *region)
{
    for (size_t i = 0; i < l->spm_count; i++)
        if (l->spm[i].region == region)
            return &l->spm[i];
    return NULL;
}

/* Whether a region has an object of its own in the VMM: QEMU's boot memory of a node is one. */
static bool has_object(const struct prediction *p, const struct node *node,
                       const struct region *region)
{
    return p->target == TARGET_CLOUDHV || placement_of(&p->layout, region) ||
           region == qemu_boot_memory(node, &p->qemu).region;
}

/* Only sp-mem takes an address; elsewhere one that is given is where the region is anyway. */
static bool takes_address(const struct vm *vm, const struct prediction *p,
                          const struct region *region)
{
    return given(region->address.at) || (!names_cloudhv(vm, p) && p->qemu.interface == SPM_SP_MEM);
}

static void yaml_node(struct strbuf *out, const struct vm *vm, const struct node *node,
                      const struct prediction *p)
{
    yaml_number(out, "  - id", node->id);
    yaml_text(out, "    label", node->label.value);
    yaml_ids(out, "    cpus", &node->cpus);
    if (node->cpus.count || given(node->initiator.at))
        yaml_number(out, "    initiator", node->initiator.value);
    if (node->region_count)
        strbuf_adds(out, "    memory:\n");
    for (size_t r = 0; r < node->region_count; r++) {
        const struct region *region = &node->regions[r];
        const struct placement *place = placement_of(&p->layout, region);
        yaml_size(out, "      - size", region->size.value);
        yaml_text(out, "        type", memory_type_names[region->type.value]);
        if (place && takes_address(vm, p, region))
            strbuf_addf(out, "        address: 0x%" PRIx64 "\n", place->address);
        if (has_object(p, node, region))
            yaml_text(out, "        id", region->id.value);
        yaml_backend(out, &region->backend, names_cloudhv(vm, p));
    }
}

static void yaml_hmat_value(struct strbuf *out, const char *key, enum hmat_type type,
                            const struct number *value)
{
    if (!given(value->at))
        return;
    strbuf_addf(out, ", %s: ", key);
    if (hmat_is_latency(type)) {
        bool ns = value->value % 1000 == 0;
        strbuf_addf(out, "%" PRIu64 "%s", ns ? value->value / 1000 : value->value,
                    ns ? "ns" : "ps");
    } else {
        strbuf_add_size(out, value->value, "");
        strbuf_adds(out, "/s");
    }
}

static void yaml_hmat(struct strbuf *out, const struct vm *vm)
{
    static const char *const keys[HMAT_TYPES] = {
        [HMAT_ACCESS_LATENCY] = "latency",        [HMAT_READ_LATENCY] = "read-latency",
        [HMAT_WRITE_LATENCY] = "write-latency",   [HMAT_ACCESS_BANDWIDTH] = "bandwidth",
        [HMAT_READ_BANDWIDTH] = "read-bandwidth", [HMAT_WRITE_BANDWIDTH] = "write-bandwidth",
    };
    if (!given(vm->hmat_at))
        return;
    strbuf_adds(out, vm->pair_count ? "hmat:\n  performance:\n" : "hmat:\n  performance: []\n");
    for (size_t i = 0; i < vm->pair_count; i++) {
        const struct hmat_pair *pair = &vm->pairs[i];
        strbuf_addf(out, "    - {from: %" PRIu64 ", to: %" PRIu64, pair->from.value,
                    pair->to.value);
        for (int type = 0; type < HMAT_TYPES; type++)
            yaml_hmat_value(out, keys[type], (enum hmat_type)type, &pair->values[type]);
        strbuf_adds(out, "}\n");
    }
    if (vm->cache_count)
        strbuf_adds(out, "  caches:\n");
    for (size_t i = 0; i < vm->cache_count; i++) {
        const struct hmat_cache *c = &vm->caches[i];
        strbuf_addf(out, "    - {node: %" PRIu64 ", level: %" PRIu64 ", size: ", c->node.value,
                    c->level.value);
        strbuf_add_size(out, c->size.value, "");
        strbuf_addf(out, ", line: %" PRIu64 ", associativity: %s, write-policy: %s}\n",
                    c->line.value, associativity_names[c->associativity.value],
                    cache_policy_names[c->policy.value]);
    }
}

static void yaml_distances(struct strbuf *out, const struct vm *vm)
{
    if (!vm->distances.values)
        return;
    strbuf_adds(out, "distances:\n");
    for (size_t i = 0; i < vm->node_count; i++) {
        strbuf_adds(out, "  - [");
        for (size_t j = 0; j < vm->node_count; j++)
            strbuf_addf(out, j ? ", %u" : "%u", vm->distances.values[i * vm->node_count + j]);
        strbuf_adds(out, "]\n");
    }
}

static void yaml_rules(struct strbuf *out, const struct vm *vm)
{
    static const char *const keys[] = {[ACTION_DISABLE] = "  disable",
                                       [ACTION_ERROR] = "  error",
                                       [ACTION_WARNING] = "  warning"};
    strbuf_adds(out, "rules:\n");
    for (size_t action = 0; action < ARRAY_SIZE(keys); action++) {
        size_t written = 0;
        for (size_t i = 0; i < vm->setting_count; i++)
            if ((size_t)vm->settings[i].action == action) {
                strbuf_addf(out, written++ ? ", " : "%s: [", keys[action]);
                strbuf_adds(out, vm->settings[i].rule.value);
            }
        if (written)
            strbuf_adds(out, "]\n");
    }
    yaml_text(out, "  mixed-nodes", mixed_names[vm->mixed.value]);
}

/* Those of the file: of others no default holds, and naming one would ask for it. */
static void yaml_targets(struct strbuf *out, const struct vm *vm, const struct prediction *p)
{
    unsigned targets = vm->named_targets | p->target;
    strbuf_adds(out, "targets:\n");
    if (targets & (TARGET_QEMU | TARGET_LIBVIRT)) {
        strbuf_adds(out, "  qemu:\n");
        yaml_text(out, "    version", vm->qemu_version.value);
        yaml_text(out, "    spm-interface", spm_interface_names[p->qemu.interface]);
        yaml_text(out, "    binary", vm->qemu_binary.value);
    }
    if (targets & TARGET_LIBVIRT) {
        strbuf_adds(out, "  libvirt:\n");
        yaml_text(out, "    version", vm->libvirt_version.value);
        yaml_text(out, "    uuid", vm->libvirt_uuid.value);
        yaml_text(out, "    emulator", vm->libvirt_emulator.value);
    }
    if (targets & TARGET_CLOUDHV) {
        strbuf_adds(out, "  cloud-hypervisor:\n");
        yaml_text(out, "    version", vm->cloudhv_version.value);
        yaml_text(out, "    spm-interface", spm_interface_names[vm->cloudhv_spm.value]);
    }
}

void show_yaml(struct strbuf *out, const struct vm *vm, const struct prediction *p)
{
    const struct layout *l = &p->layout;
    const struct machine *m = &vm->machine;
    const struct boot *b = &vm->boot;
    const struct cpus *c = &vm->cpus;
    strbuf_adds(out, "spmtopo: 1\n");
    yaml_text(out, "name", vm->name.value);
    yaml_text(out, "description", vm->description.value);
    strbuf_adds(out, "machine:\n");
    yaml_text(out, "  type", m->type.value);
    yaml_text(out, "  accel", accel_names[m->accel.value]);
    yaml_text(out, "  cpu", m->cpu.value);
    yaml_text(out, "  cpu-vendor", vendor_names[m->cpu_vendor.value]);
    if (l->phys_bits)
        yaml_number(out, "  phys-bits", l->phys_bits);
    yaml_text(out, "  confidential", confidential_names[m->confidential.value]);
    yaml_bool(out, "  migratable", m->migratable.value);
    strbuf_adds(out, "boot:\n  firmware:\n");
    yaml_text(out, "    type", firmware_names[b->firmware.value]);
    yaml_text(out, "    version", b->version.value);
    yaml_text(out, "    code", b->code.value);
    yaml_text(out, "    vars", b->vars.value);
    yaml_text(out, "  kernel", b->kernel.value);
    yaml_text(out, "  initrd", b->initrd.value);
    yaml_text(out, "  cmdline", b->cmdline.value);
    strbuf_adds(out, "cpus:\n");
    yaml_number(out, "  count", c->count.value);
    yaml_number(out, "  sockets", c->sockets.value);
    yaml_number(out, "  dies", c->dies.value);
    yaml_number(out, "  modules", c->modules.value);
    yaml_number(out, "  cores", c->cores.value);
    yaml_number(out, "  threads", c->threads.value);
    yaml_number(out, "  max", c->max.value);
    strbuf_adds(out, "device-memory:\n");
    if (!names_cloudhv(vm, p) || given(vm->max_memory.at))
        yaml_size(out, "  max-memory", l->max_memory);
    yaml_number(out, "  slots", l->slots);
    strbuf_adds(out, "nodes:\n");
    for (size_t n = 0; n < vm->node_count; n++)
        yaml_node(out, vm, &vm->nodes[n], p);
    yaml_distances(out, vm);
    yaml_hmat(out, vm);
    yaml_rules(out, vm);
    yaml_targets(out, vm, p);
}
