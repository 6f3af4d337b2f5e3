/* SPDX-License-Identifier: MIT */
/* The tables that cloud-hypervisor makes (vmm/src/acpi.rs): entries node by node, x2APIC ids alone, a
 * SLIT always, no HMAT. */
#include "acpi.h"

static void build_slit(struct slit *slit, const struct vm *vm, struct arena *arena)
{
    size_t n = vm->node_count;
    uint8_t *distances = arena_alloc(arena, n * n, sizeof(*distances));
    for (size_t i = 0; i < n * n; i++)
        distances[i] = i / n == i % n ? 10 : vm_distance(vm, i / n, i % n);
    *slit = (struct slit){.nodes = n, .distances = distances};
}

void tables_cloudhv(struct tables *tables, const struct vm *vm, const struct layout *layout,
                    struct arena *arena)
{
    *tables = (struct tables){
        .maker = &maker_cloudhv,
        .e820 = layout->e820,
        .e820_count = layout->e820_count,
        .srat = {.memory = layout->affinity, .memory_count = layout->affinity_count},
    };
    srat_add_cpus(&tables->srat, vm, arena);
    for (size_t i = 0; i < tables->srat.cpu_count; i++)
        tables->srat.cpus[i].x2apic = true;
    build_slit(&tables->slit, vm, arena);
}
