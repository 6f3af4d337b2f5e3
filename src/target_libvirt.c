/* SPDX-License-Identifier: MIT */
#include "target_libvirt.h"

#include <string.h>

/* libvirt makes eleven releases a year, .0 to .10. */
unsigned libvirt_release(const char *text)
{
    unsigned parts[3];
    if (version_parts(text, parts) < 2 || parts[1] > 10)
        return 0;
    unsigned release = parts[0] * 100 + parts[1];
    return release >= LIBVIRT_OLDEST && release <= LIBVIRT_NEWEST ? release : 0;
}

struct span backend_key_place(struct span key, const struct region *region)
{
    return given(key) ? key : given(region->backend.at) ? region->backend.at : region->at;
}

/* --- what is one for the whole guest -------------------------------------------------------- */

const char *const whole_key_names[] = {[WHOLE_KIND] = "kind",
                                       [WHOLE_PREALLOC] = "prealloc",
                                       [WHOLE_MERGE] = "merge",
                                       [WHOLE_DUMP] = "dump"};

const struct choice *whole_key(const struct region *region, enum whole_key key)
{
    static const size_t offsets[] = {[WHOLE_KIND] = offsetof(struct backend, kind),
                                     [WHOLE_PREALLOC] = offsetof(struct backend, prealloc),
                                     [WHOLE_MERGE] = offsetof(struct backend, merge),
                                     [WHOLE_DUMP] = offsetof(struct backend, dump)};
    return (const struct choice *)((const char *)&region->backend + offsets[key]);
}

const struct region *domain_differs(const struct domain *d, const struct region *region,
                                    enum whole_key key)
{
    if (key == WHOLE_PREALLOC && region->backend.hugepages.value)
        return NULL;
    const struct region *other = key == WHOLE_PREALLOC ? d->first_small : d->first;
    return other && whole_key(other, key)->value != whole_key(region, key)->value ? other : NULL;
}

/* --- SPM ------------------------------------------------------------------------------------ */

bool domain_in_cell(const struct domain *d, const struct region *region)
{
    return region->type.value == MEMORY_NORMAL || qemu_spm_is_boot_memory(d->qemu);
}

static bool same_placement(const struct backend *a, const struct backend *b)
{
    return a->policy.value == b->policy.value && id_list_equal(&a->host_nodes, &b->host_nodes);
}

const struct backend *domain_cell_placement(const struct domain *d, const struct node *node)
{
    const struct backend *placement = NULL;
    for (size_t r = 0; r < node->region_count; r++) {
        const struct backend *b = &node->regions[r].backend;
        if (domain_in_cell(d, &node->regions[r]))
            return b;
        bool only_cell = b->policy.value != POLICY_DEFAULT && b->policy.value != POLICY_BIND;
        if (!placement && only_cell)
            placement = b;
    }
    return placement;
}

size_t domain_device_cell(const struct domain *d, const struct node *node)
{
    if (node->id < d->cell_count)
        return node->id;
    for (size_t n = 0; n < d->cell_count; n++) {
        const struct backend *cell = domain_cell_placement(d, &d->vm->nodes[n]);
        if (!cell || cell->policy.value == POLICY_DEFAULT)
            return n;
    }
    return d->cell_count;
}

/* Whether the region's placement can be said: <nodemask> binds it; else it has its cell's. */
static bool placeable(const struct domain *d, const struct node *node, const struct region *region)
{
    if (region->backend.policy.value == POLICY_BIND)
        return true;
    if (node->id >= d->cell_count)
        return region->backend.policy.value == POLICY_DEFAULT &&
               domain_device_cell(d, node) < d->cell_count;
    const struct backend *cell = domain_cell_placement(d, node);
    return cell ? same_placement(cell, &region->backend)
                : region->backend.policy.value == POLICY_DEFAULT;
}

struct obstacle domain_obstacle(const struct domain *d, const struct node *node,
                                const struct region *region)
{
    const struct backend *b = &region->backend;
    if (b->kind.value == BACKEND_FILE)
        return (struct obstacle){
            "a DIMM has no path",
            "open the file to libvirt's QEMU (cgroup_device_acl and the security driver in "
            "qemu.conf), or write 'kind: memfd'",
            backend_key_place(b->kind.at, region)};
    if (d->release < LIBVIRT_9_1)
        return (struct obstacle){"9.0 does not start with a device that it does not know",
                                 "run libvirt 9.1 or newer", region->type.at};
    static const char *const helps[] = {[WHOLE_KIND] = "give it the 'kind' of the normal memory",
                                        [WHOLE_PREALLOC] =
                                            "give it the 'prealloc' of the normal memory",
                                        [WHOLE_MERGE] = "give it the 'merge' of the normal memory",
                                        [WHOLE_DUMP] = "give it the 'dump' of the normal memory"};
    for (enum whole_key key = 0; key < WHOLE_KEYS; key++)
        if (domain_differs(d, region, key))
            return (struct obstacle){"its backend is not like that of the normal memory",
                                     helps[key],
                                     backend_key_place(whole_key(region, key)->at, region)};
    if (b->kind.value == BACKEND_RAM && b->share.value)
        return (struct obstacle){"shared memory of kind ram would become a file",
                                 "write 'kind: memfd', for the normal memory too",
                                 backend_key_place(b->share.at, region)};
    if (!b->reserve.value)
        return (struct obstacle){"the reservation of memory cannot be left out",
                                 "leave 'reserve' out", backend_key_place(b->reserve.at, region)};
    if (!placeable(d, node, region))
        return (struct obstacle){b->policy.value == POLICY_DEFAULT
                                     ? "the host placement of its node would hold for it, too"
                                     : "one device alone can only be bound",
                                 "write 'host-nodes' and 'policy: bind', or place it like the rest "
                                 "of its node",
                                 backend_key_place(b->policy.at, region)};
    return (struct obstacle){0};
}

/* --- HMAT ----------------------------------------------------------------------------------- */

bool domain_has_pair(const struct domain *d, bool *seen, const struct hmat_pair *pair)
{
    size_t n = d->vm->node_count;
    size_t from = pair->from.value;
    size_t to = pair->to.value;
    if (from >= d->cell_count || to >= d->cell_count || (from != to && seen[to * n + from]))
        return false;
    seen[from * n + to] = true;
    return true;
}

/* Takes the pair for a node's initiator where it is better than those before it. */
static void offer(struct domain_initiator *chosen, const struct hmat_pair **widest,
                  const struct hmat_pair *pair, uint64_t *latency, uint64_t *bandwidth)
{
    for (int type = 0; type < HMAT_TYPES; type++) {
        const struct number *value = &pair->values[type];
        if (!given(value->at))
            continue;
        if (type > HMAT_WRITE_LATENCY && value->value > *bandwidth) {
            *widest = pair;
            *bandwidth = value->value;
        } else if (type <= HMAT_WRITE_LATENCY && (!chosen->best || value->value < *latency)) {
            chosen->best = pair;
            *latency = value->value;
        }
    }
}

static size_t first_cpu_node(const struct vm *vm)
{
    size_t n = 0;
    while (n < vm->node_count && !vm->nodes[n].cpus.count)
        n++;
    return n;
}

/* virDomainNumaGetNodeInitiator() in libvirt's src/conf/numa_conf.c. A cell without CPUs is no
 * initiator, so that all pairs to it are in the XML. */
const struct domain_initiator *domain_initiators(const struct domain *d, struct arena *arena)
{
    const struct vm *vm = d->vm;
    size_t count = vm->node_count;
    struct domain_initiator *chosen = arena_alloc(arena, count, sizeof(*chosen));
    const struct hmat_pair **widest = arena_alloc(arena, count, sizeof(*widest));
    uint64_t *latency = arena_alloc(arena, count, sizeof(*latency));
    uint64_t *bandwidth = arena_alloc(arena, count, sizeof(*bandwidth));
    for (size_t i = 0; i < vm->pair_count; i++) {
        size_t to = vm->pairs[i].to.value;
        if (to < count)
            offer(&chosen[to], &widest[to], &vm->pairs[i], &latency[to], &bandwidth[to]);
    }
    size_t first = first_cpu_node(vm);
    for (size_t n = 0; n < count; n++) {
        chosen[n].by_latency = chosen[n].best != NULL;
        if (!chosen[n].best)
            chosen[n].best = widest[n];
        chosen[n].node = chosen[n].best ? chosen[n].best->from.value : first;
    }
    return chosen;
}

static void choose_initiators(struct vm *guest, const struct domain *d, struct arena *arena)
{
    const struct domain_initiator *chosen = domain_initiators(d, arena);
    struct node *nodes = arena_alloc(arena, guest->node_count, sizeof(*nodes));
    memcpy(nodes, guest->nodes, guest->node_count * sizeof(*nodes));
    guest->nodes = nodes;
    for (size_t n = 0; n < d->cell_count; n++) {
        if (nodes[n].cpus.count)
            continue;
        nodes[n].initiator = (struct number){0};
        if (d->hmat_in_xml)
            nodes[n].initiator = (struct number){.value = chosen[n].node, .at = nodes[n].at};
    }
}

const struct vm *domain_guest(const struct domain *d, struct arena *arena)
{
    struct vm *guest = arena_alloc(arena, 1, sizeof(*guest));
    *guest = *d->vm;
    if (given(guest->hmat_at))
        choose_initiators(guest, d, arena);
    if (!d->slit)
        guest->distances.values = NULL;
    return guest;
}

/* --- the domain ----------------------------------------------------------------------------- */

/* What libvirt cannot make without memory is left to arguments, where nothing that must be a cell
 * comes behind it: ids of cells are 0 ... N-1. */
static size_t count_cells(const struct domain *d)
{
    size_t cells = d->vm->node_count;
    while (d->release < LIBVIRT_12_8 && cells && !d->vm->nodes[cells - 1].cpus.count &&
           !qemu_boot_memory(&d->vm->nodes[cells - 1], d->qemu).size)
        cells--;
    return cells;
}

static void find_first(struct domain *d)
{
    FOR_EACH_REGION(d->vm, node, region) {
        if (!domain_in_cell(d, region) || region->backend.kind.value == BACKEND_FILE)
            continue;
        if (!d->first)
            d->first = region;
        if (!d->first_small && !region->backend.hugepages.value)
            d->first_small = region;
    }
}

static void judge_spm(struct domain *d)
{
    FOR_EACH_REGION(d->vm, node, region) {
        if (region->type.value != MEMORY_SPM || domain_in_cell(d, region))
            continue;
        d->device_count++;
        if (domain_obstacle(d, node, region).why)
            d->spm_by_arguments = true;
    }
    if (d->spm_by_arguments)
        d->device_count = 0;
}

/* virDomainNumaNodesDistancesAreBeingSet() in libvirt's src/conf/numa_conf.c; 12.8.0 run. */
static void judge_distances(struct domain *d)
{
    size_t count = d->vm->distances.values ? d->vm->node_count : 0;
    for (size_t from = 0; from < count; from++)
        for (size_t to = 0; to < count; to++)
            if (vm_distance(d->vm, from, to) != (from == to ? 10 : 20)) {
                d->slit = true;
                d->slit_in_xml |= from < d->cell_count && to < d->cell_count;
            }
}

struct domain domain_read(const struct vm *vm, const struct qemu_target *qemu)
{
    unsigned release = libvirt_release(vm->libvirt_version.value);
    struct domain d = {.vm = vm, .qemu = qemu, .release = release ? release : LIBVIRT_12_8};
    d.cell_count = count_cells(&d);
    find_first(&d);
    judge_spm(&d);
    judge_distances(&d);
    for (size_t i = 0; i < vm->pair_count; i++)
        d.hmat_in_xml |= vm->pairs[i].from.value < d.cell_count &&
                         vm->pairs[i].to.value < d.cell_count;
    return d;
}

void domain_adjust_target(const struct domain *d, struct qemu_target *qemu)
{
    qemu->size_unit = MIB;
    qemu->least_slots = u64_max(d->device_count, d->release < LIBVIRT_9_5);
}
