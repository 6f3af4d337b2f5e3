/* SPDX-License-Identifier: MIT */
/* The tables that QEMU makes of a layout, in its order and with its arithmetic. */
#include "acpi.h"

#include <stdlib.h>

#include "hmat_scale.h"

/* What QEMU writes as initiator of a node that has none: one beyond its highest node id. */
enum { NO_INITIATOR = QEMU_NODE_LIMIT };

void srat_add_cpus(struct srat *srat, const struct vm *vm, struct arena *arena)
{
    srat->cpu_count = vm->cpus.max.value;
    srat->cpus = arena_alloc(arena, srat->cpu_count, sizeof(*srat->cpus));
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct id_list *list = &vm->nodes[n].cpus;
        for (size_t i = 0; i < list->count; i++)
            for (uint64_t v = list->ranges[i].first; v <= list->ranges[i].last; v++)
                srat->cpus[v].node = (uint32_t)n;
    }
    for (uint32_t v = 0; v < srat->cpu_count; v++) {
        srat->cpus[v].apic_id = apic_id(&vm->cpus, v);
        /* 255 is the xAPIC broadcast id. */
        srat->cpus[v].x2apic = srat->cpus[v].apic_id >= 255;
    }
}

/* --- HMAT ----------------------------------------------------------------------------------- */

static void build_attributes(struct hmat *hmat, const struct vm *vm, const struct qemu_target *t,
                             struct arena *arena)
{
    hmat->attributes = arena_alloc(arena, vm->node_count, sizeof(*hmat->attributes));
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        if (t->version >= QEMU_9_0 && !qemu_boot_memory(node, t).region)
            continue;
        bool known = node->cpus.count || given(node->initiator.at);
        hmat->attributes[hmat->attribute_count++] = (struct hmat_attributes){
            .has_initiator = known,
            .initiator = known ? (uint32_t)node->initiator.value : NO_INITIATOR,
            .memory = node->id,
        };
    }
}

/* initiators are the CPU nodes; position[node] is a node's row. */
static void build_locality(struct hmat *hmat, enum hmat_type type, const struct vm *vm,
                           const uint32_t *initiators, size_t count, const uint32_t *position,
                           struct arena *arena)
{
    struct hmat_scale scale;
    hmat_scale_start(&scale, type);
    bool any = false;
    for (size_t i = 0; i < vm->pair_count; i++) {
        const struct number *value = &vm->pairs[i].values[type];
        if (given(value->at)) {
            any = true;
            hmat_scale_add(&scale, type, hmat_in_qemu_units(type, value->value));
        }
    }
    if (!any)
        return;
    struct hmat_locality *l = &hmat->localities[hmat->locality_count++];
    *l = (struct hmat_locality){
        .type = type,
        .unit = hmat_is_latency(type) ? scale.base * 1000 : scale.base / MIB,
        .initiators = initiators,
        .initiator_count = count,
        .target_count = vm->node_count,
        .values = arena_alloc(arena, count * vm->node_count, sizeof(uint16_t)),
    };
    for (size_t i = 0; i < vm->pair_count; i++) {
        const struct hmat_pair *pair = &vm->pairs[i];
        if (given(pair->values[type].at))
            l->values[position[pair->from.value] * vm->node_count + pair->to.value] =
                (uint16_t)(hmat_in_qemu_units(type, pair->values[type].value) / scale.base);
    }
}

static int by_node_and_level(const void *left, const void *right)
{
    const struct hmat_cache *a = ((const struct hmat_side_cache *)left)->cache;
    const struct hmat_cache *b = ((const struct hmat_side_cache *)right)->cache;
    if (a->node.value != b->node.value)
        return a->node.value < b->node.value ? -1 : 1;
    return a->level.value < b->level.value ? -1 : 1;
}

static void build_caches(struct hmat *hmat, const struct vm *vm, struct arena *arena)
{
    hmat->caches = arena_alloc(arena, vm->cache_count, sizeof(*hmat->caches));
    hmat->cache_count = vm->cache_count;
    uint32_t *levels = arena_alloc(arena, vm->node_count, sizeof(*levels));
    for (size_t i = 0; i < vm->cache_count; i++)
        levels[vm->caches[i].node.value]++;
    for (size_t i = 0; i < vm->cache_count; i++)
        hmat->caches[i] =
            (struct hmat_side_cache){&vm->caches[i], levels[vm->caches[i].node.value]};
    if (vm->cache_count)
        qsort(hmat->caches, hmat->cache_count, sizeof(*hmat->caches), by_node_and_level);
}

static void build_hmat(struct hmat *hmat, const struct vm *vm, const struct qemu_target *t,
                       struct arena *arena)
{
    hmat->present = given(vm->hmat_at);
    if (!hmat->present)
        return;
    build_attributes(hmat, vm, t, arena);
    uint32_t *initiators = arena_alloc(arena, vm->node_count, sizeof(*initiators));
    uint32_t *position = arena_alloc(arena, vm->node_count, sizeof(*position));
    size_t count = 0;
    for (size_t n = 0; n < vm->node_count; n++)
        if (vm->nodes[n].cpus.count) {
            position[n] = (uint32_t)count;
            initiators[count++] = (uint32_t)n;
        }
    hmat->localities = arena_alloc(arena, HMAT_TYPES, sizeof(*hmat->localities));
    for (int type = 0; type < HMAT_TYPES; type++)
        build_locality(hmat, (enum hmat_type)type, vm, initiators, count, position, arena);
    build_caches(hmat, vm, arena);
}

void tables_qemu(struct tables *tables, const struct vm *vm, const struct qemu_target *t,
                 const struct layout *layout, struct arena *arena)
{
    *tables = (struct tables){
        .maker = &maker_qemu,
        .e820 = layout->e820,
        .e820_count = layout->e820_count,
        .srat = {.memory = layout->affinity, .memory_count = layout->affinity_count},
        .slit = {.nodes = vm->node_count, .distances = vm->distances.values},
    };
    srat_add_cpus(&tables->srat, vm, arena);
    build_hmat(&tables->hmat, vm, t, arena);
}
