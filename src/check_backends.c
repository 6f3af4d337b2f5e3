/* SPDX-License-Identifier: MIT */
/* Rules on where a file has memory come from: files that regions share, devices dax, host nodes. */
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Host memory that regions map from one file. */
struct file_range {
    const struct region *region;
    uint64_t start, end;
    size_t order;
};

/* A device dax of the host, such as /dev/dax0.0. */
static bool is_device_dax(const struct backend *b)
{
    return b->kind.value == BACKEND_FILE && b->path.value &&
           strncmp(b->path.value, "/dev/dax", 8) == 0;
}

/* Whether a path is evidently a directory, in which each backend gets a file of its own. */
static bool is_directory(const struct backend *b)
{
    const char *path = b->path.value;
    size_t len = strlen(path);
    return b->hugepages.value || path[len - 1] == '/' || strcmp(path, "/dev/shm") == 0 ||
           strcmp(path, "/dev/hugepages") == 0;
}

static int by_file(const void *left, const void *right)
{
    const struct file_range *a = left;
    const struct file_range *b = right;
    int order = strcmp(a->region->backend.path.value, b->region->backend.path.value);
    if (order)
        return order;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void report_shared(const struct file_range *first, const struct file_range *second,
                          struct diags *diags)
{
    const struct region *a = first->region;
    const struct region *b = second->region;
    struct diag *d;
    if (same_place(a->backend.path.at, b->backend.path.at)) {
        d = diag_add(diags, RULE_BACKEND_SHARED, b->backend.path.at,
                     "one file behind regions of nodes %u and %u: they would be the same memory",
                     a->node, b->node);
    } else {
        d = diag_add(diags, RULE_BACKEND_SHARED, b->backend.path.at,
                     "this file is behind another region too: they would be the same memory");
        diag_note(diags, d, a->backend.path.at, "the other region, of node %u", a->node);
    }
    diag_help(diags, d,
              "name another file, or add an 'offset' of 0x%" PRIx64
              "; end the path of a directory with '/'",
              first->end);
}

/* Private mappings of a file have no memory in common once it is written to. */
static void check_shared_files(struct check_context *c)
{
    const struct vm *vm = c->vm;
    struct file_range *files = arena_alloc(c->arena, vm->region_count, sizeof(*files));
    size_t count = 0;
    FOR_EACH_REGION(vm, owner, region) {
        const struct backend *b = &region->backend;
        if (b->kind.value != BACKEND_FILE || !b->path.value || is_directory(b))
            continue;
        files[count] = (struct file_range){region, b->offset.value,
                                           b->offset.value + region->size.value, count};
        count++;
    }
    if (count)
        qsort(files, count, sizeof(*files), by_file);
    const struct file_range *all = NULL;    /* of this path, the one that reaches farthest */
    const struct file_range *shared = NULL; /* of these, of those that write to the file */
    struct span last = {0};
    for (size_t i = 0; i < count; i++) {
        const struct backend *b = &files[i].region->backend;
        if (i && strcmp(b->path.value, files[i - 1].region->backend.path.value) != 0)
            all = shared = NULL;
        bool writes = b->share.value || is_device_dax(b);
        const struct file_range *other = writes ? all : shared;
        if (other && other->end > files[i].start && !same_place(b->path.at, last)) {
            report_shared(other, &files[i], c->diags);
            last = b->path.at;
        }
        all = all && all->end >= files[i].end ? all : &files[i];
        if (writes)
            shared = shared && shared->end >= files[i].end ? shared : &files[i];
    }
}

/* QEMU: "backing store align 0x200000 is larger than 'align' option 0x0" (system/physmem.c,
 * qemu_ram_alloc_from_fd). Linux: no private mapping of a device dax (drivers/dax/device.c). */
static void check_device_dax(const struct backend *b, struct diags *diags)
{
    struct diag *d;
    if (!b->align.value) {
        d = diag_add(diags, RULE_BACKEND_DAX_ALIGN, b->path.at,
                     "QEMU maps a device dax only with its alignment");
        diag_help(diags, d, "add 'align: 2MiB', or what the host's 'daxctl list' calls its align");
    }
    if (!b->share.value) {
        d = diag_add(diags, RULE_BACKEND_DAX_ALIGN, b->path.at,
                     "a device dax cannot be mapped privately");
        diag_help(diags, d, "add 'share: true'");
    }
}

/* Where host nodes are named for some memory, other memory still comes from anywhere. A device dax
 * is where it is, and an explicit policy is meant. */
static void check_partial_placement(struct check_context *c)
{
    const struct region *bound = NULL;
    struct span last = {0};
    FOR_EACH_REGION(c->vm, owner, region)
        if (!bound && region->backend.policy.value != POLICY_DEFAULT)
            bound = region;
    FOR_EACH_REGION(c->vm, owner, region) {
        if (!bound || given(region->backend.policy.at) || is_device_dax(&region->backend) ||
            region->backend.policy.value != POLICY_DEFAULT || same_place(region->at, last))
            continue;
        last = region->at;
        struct diag *d = diag_add(c->diags, RULE_HOST_PLACEMENT_PARTIAL, region->at,
                                  "this memory of node %u comes from any host node, while other "
                                  "memory is placed",
                                  region->node);
        diag_note(c->diags, d, bound->backend.host_nodes.at, "host nodes of node %u", bound->node);
        diag_help(c->diags, d, "add 'host-nodes' to its node or backend, or 'policy: default'");
    }
}

void check_backend_paths(struct check_context *c)
{
    struct span last = {0};
    check_shared_files(c);
    FOR_EACH_REGION(c->vm, owner, region) {
        const struct backend *b = &region->backend;
        if (!(c->targets & TARGET_RUNS_QEMU) || !b->path.value || !is_device_dax(b) ||
            same_place(b->path.at, last))
            continue;
        check_device_dax(b, c->diags);
        last = b->path.at;
    }
    check_partial_placement(c);
}

/* The HBM of one socket of a Xeon Max (Intel, 2023): what nobody has on any host node by chance. */
#define LARGE_SPM (64 * GIB)

void check_host_placement_spm(struct check_context *c)
{
    struct span last = {0};
    FOR_EACH_REGION(c->vm, owner, region)
        if (region->backend.policy.value != POLICY_DEFAULT)
            return; /* RULE_HOST_PLACEMENT_PARTIAL speaks of those that are forgotten */
    FOR_EACH_REGION(c->vm, owner, region) {
        const struct backend *b = &region->backend;
        if (region->type.value != MEMORY_SPM || region->size.value < LARGE_SPM ||
            b->kind.value == BACKEND_FILE || given(b->policy.at) || same_place(region->at, last))
            continue;
        last = region->at;
        struct diag *d =
            diag_add(c->diags, RULE_HOST_PLACEMENT_SPM, region->size.at,
                     "the host's memory for the SPM of node %u comes from any of its "
                     "nodes%s",
                     region->node,
                     b->prealloc.value ? "" : ", page by page as the guest touches it");
        diag_help(c->diags, d,
                  "add 'host-nodes: N', 'policy: bind' and 'prealloc: true' to its backend, or "
                  "'policy: default'");
    }
}
