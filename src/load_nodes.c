/* SPDX-License-Identifier: MIT */
/* Nodes, their regions, and the backends of these. */
#include "load_keys.h"

static const struct key backend_keys[] = {
#define AT(field) .offset = offsetof(struct backend, field)
    {"kind", CHOICE(backend_kind_names), AT(kind)},
    {"path", load_text, AT(path)},
    {"offset", .load = load_number, .parse = address_parse, AT(offset)},
    {"hugepages", load_hugepages, AT(hugepages)},
    {"share", BOOLEAN, AT(share)},
    {"prealloc", BOOLEAN, AT(prealloc)},
    {"reserve", BOOLEAN, AT(reserve)},
    {"merge", BOOLEAN, AT(merge)},
    {"dump", BOOLEAN, AT(dump)},
    {"align", SIZE, AT(align)},
    {"pmem", BOOLEAN, AT(pmem)},
    {"host-nodes", load_ids, AT(host_nodes)},
    {"policy", CHOICE(policy_names), AT(policy)},
#undef AT
};

static void load_backend(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    (void)key;
    struct backend *backend = into;
    backend->at = value->at;
    load_keys(l, value, backend, backend_keys, ARRAY_SIZE(backend_keys), "a backend");
}

static const struct key defaults_keys[] = {
    {"backend", load_backend, .offset = offsetof(struct vm, default_backend)},
};

void load_defaults(struct loader *l, const struct doc_node *value, void *into,
                   const struct key *key)
{
    (void)key;
    load_keys(l, value, into, defaults_keys, ARRAY_SIZE(defaults_keys), "'defaults'");
}

static const struct key region_keys[] = {
#define AT(field) .offset = offsetof(struct region, field)
    {"size", SIZE, AT(size), .required = true},
    {"type", CHOICE(memory_type_names), AT(type)},
    {"address", .load = load_number, .parse = address_parse, AT(address)},
    {"id", load_text, AT(id)},
    {"backend", load_backend, AT(backend)},
#undef AT
};

static void load_region(struct loader *l, const struct doc_node *value, struct region *region)
{
    region->at = value->at;
    if (value->kind == DOC_MAPPING)
        load_keys(l, value, region, region_keys, ARRAY_SIZE(region_keys), "a region");
    else if (doc_has_text(value))
        load_number(l, value, &region->size, &region_keys[0]);
    else
        load_wrong_kind(l, value, "a size or a region");
}

static void too_many_regions(struct loader *l, struct span at)
{
    struct diag *d = diag_add(l->diags, RULE_LIMIT, at, "more than %d regions", REGION_LIMIT);
    diag_help(l->diags, d, "use fewer and larger regions");
}

/* A size, a region, or a sequence of regions. */
static void load_memory(struct loader *l, const struct doc_node *value, void *into,
                        const struct key *key)
{
    (void)key;
    struct node *node = into;
    bool several = value->kind == DOC_SEQUENCE;
    node->region_count = several ? doc_count(value) : 1;
    if (node->region_count > REGION_LIMIT) {
        too_many_regions(l, value->at);
        node->region_count = 0;
        return;
    }
    node->regions = arena_alloc(l->arena, node->region_count, sizeof(*node->regions));
    for (size_t i = 0; i < node->region_count; i++)
        load_region(l, several ? doc_items(value)[i] : value, &node->regions[i]);
}

/* A node as written: its id may stand for many. */
struct written_node {
    struct id_list ids;
    struct node node;
};

static const struct key node_keys[] = {
#define AT(field) .offset = offsetof(struct written_node, field)
    {"id", load_ids, AT(ids), .required = true},
    {"label", load_text, AT(node.label)},
    {"cpus", load_ids, AT(node.cpus)},
    {"memory", load_memory, AT(node)},
    {"initiator", NUMBER(0, UINT32_MAX), AT(node.initiator)},
    {"host-nodes", load_ids, AT(node.host_nodes)},
    {"policy", CHOICE(policy_names), AT(node.policy)},
#undef AT
};

static void add_node(struct loader *l, const struct written_node *written, uint32_t id)
{
    struct vm *vm = l->vm;
    struct node *node = APPEND(l, vm->nodes, vm->node_count, vm->node_cap);
    *node = written->node;
    node->id = id;
    node->at = written->ids.at;
    node->regions = arena_alloc(l->arena, node->region_count, sizeof(*node->regions));
    for (size_t r = 0; r < node->region_count; r++) {
        node->regions[r] = written->node.regions[r];
        node->regions[r].node = id;
    }
    vm->region_count += node->region_count;
}

static void load_node(struct loader *l, const struct doc_node *item)
{
    struct vm *vm = l->vm;
    struct written_node written = {0};
    load_keys(l, item, &written, node_keys, ARRAY_SIZE(node_keys), "a node");
    size_t count = id_list_size(&written.ids);
    if (count > NODE_LIMIT - vm->node_count) {
        struct diag *d =
            diag_add(l->diags, RULE_LIMIT, written.ids.at, "more than %d nodes", NODE_LIMIT);
        diag_help(l->diags, d, "QEMU holds 128 nodes, Linux on x86-64 up to 1,024");
        return;
    }
    if (count > 1 && given(written.node.cpus.at)) {
        struct diag *d = diag_add(l->diags, RULE_NODE_LIST_CPUS, written.node.cpus.at,
                                  "a list of nodes cannot have CPUs: each vCPU is in one node");
        diag_note(l->diags, d, written.ids.at, "the list of %zu nodes", count);
        diag_help(l->diags, d, "write one item for each node with CPUs");
    }
    if (written.node.region_count * count > REGION_LIMIT - vm->region_count) {
        too_many_regions(l, item->at);
        return;
    }
    for (size_t i = 0; i < written.ids.count; i++)
        for (uint64_t id = written.ids.ranges[i].first; id <= written.ids.ranges[i].last; id++)
            add_node(l, &written, (uint32_t)id);
}

void load_nodes(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    (void)into;
    (void)key;
    l->vm->nodes_at = value->at;
    load_items(l, value, "a sequence of nodes", load_node);
    if (value->kind == DOC_SEQUENCE && !doc_count(value)) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "there is no node");
        diag_help(l->diags, d, "write at least '- {id: 0, cpus: …, memory: …}'");
    }
}

/* --- nodes in order ------------------------------------------------------------------------- */

static void sort_nodes(struct vm *vm)
{
    /* Insertion: files name their nodes in order, or nearly. */
    for (size_t i = 1; i < vm->node_count; i++) {
        struct node node = vm->nodes[i];
        size_t j = i;
        for (; j > 0 && vm->nodes[j - 1].id > node.id; j--)
            vm->nodes[j] = vm->nodes[j - 1];
        vm->nodes[j] = node;
    }
}

/* Everything after loading takes a node's id as its index. */
void load_node_ids(struct loader *l)
{
    struct vm *vm = l->vm;
    sort_nodes(vm);
    bool twice = false;
    for (size_t i = 1; i < vm->node_count; i++) {
        if (vm->nodes[i].id != vm->nodes[i - 1].id)
            continue;
        struct diag *d = diag_add(l->diags, RULE_NODE_TWICE, vm->nodes[i].at,
                                  "node %u is declared twice", vm->nodes[i].id);
        diag_note(l->diags, d, vm->nodes[i - 1].at, "also here");
        diag_help(l->diags, d, "give each node an id of its own, 0 to %zu", vm->node_count - 1);
        twice = true;
    }
    /* A node whose id could not be read is the gap. */
    for (size_t i = 0; !twice && l->diags->errors <= l->harmless && i < vm->node_count; i++) {
        if (vm->nodes[i].id == i)
            continue;
        struct diag *d = diag_add(l->diags, RULE_NODE_GAP, vm->nodes[i].at,
                                  "node ids have a gap: there is no node %zu", i);
        diag_help(l->diags, d, "number the nodes 0 to %zu", vm->node_count - 1);
        break;
    }
}
