/* SPDX-License-Identifier: MIT */
/* Rules on what the guest's kernel makes of nodes and CPUs. "Measured" is as in firmware.h. */
#include "firmware.h"

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
    if (node_has_spm_alone(first) && !first->cpus.count)
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
