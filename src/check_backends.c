/* SPDX-License-Identifier: MIT */
/* Rules on what a file says of backends: their keys, files that regions share, devices dax, host nodes. */
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "strbuf.h"

/* --- keys ----------------------------------------------------------------------------------- */

static bool power_of_two(uint64_t v)
{
    return v && (v & (v - 1)) == 0;
}

static void backend_key(struct diags *diags, struct span at, const char *key,
                        const struct backend *backend, const char *help)
{
    struct diag *d = diag_add(diags, RULE_BACKEND_KEY, at, "a %s backend has no '%s'",
                              backend_kind_names[backend->kind.value], key);
    diag_help(diags, d, "%s", help);
}

/* QEMU 11.1.2 on a hugetlbfs: "offset 0x1000 must be multiples of page size 0x200000", and so for
 * 'align' (system/physmem.c). */
static void check_backend_pages(const struct backend *b, struct diags *diags)
{
    bool huge = b->hugepages.value != 0;
    uint64_t page = huge ? b->hugepages.value : 4 * KIB;
    const char *kind = huge ? "the huge page of " : "";
    struct strbuf text = {0};
    struct diag *d;
    strbuf_add_size(&text, page, " ");
    if (given(b->align.at) && (!power_of_two(b->align.value) || b->align.value < page)) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->align.at,
                     "'align' is not a power of two of at least %s%s", kind, text.data);
        diag_help(diags, d,
                  huge ? "leave it out: huge pages have their own"
                       : "write 2MiB for a device dax, as its alignment is");
    }
    if (given(b->offset.at) && b->offset.value % page) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->offset.at, "'offset' is not a multiple of %s%s",
                     kind, text.data);
        diag_help(diags, d, "write a whole number of pages");
    }
    strbuf_free(&text);
}

static void check_backend(const struct backend *b, struct diags *diags)
{
    bool file = b->kind.value == BACKEND_FILE;
    struct diag *d;
    if (file && !b->path.value) {
        d = diag_add(diags, RULE_BACKEND_PATH, b->kind.at, "a file backend without a path");
        diag_help(diags, d, "add 'path': a file, a directory, or a device such as /dev/dax0.0");
    }
    const char *file_only = "leave it out, or write 'kind: file'";
    if (!file && given(b->path.at))
        backend_key(diags, b->path.at, "path", b, file_only);
    if (!file && given(b->offset.at))
        backend_key(diags, b->offset.at, "offset", b, file_only);
    if (!file && given(b->pmem.at))
        backend_key(diags, b->pmem.at, "pmem", b, file_only);
    if (!file && given(b->align.at))
        backend_key(diags, b->align.at, "align", b, file_only);
    if (b->kind.value == BACKEND_RAM && b->hugepages.value)
        backend_key(diags, b->hugepages.at, "hugepages", b,
                    "write 'kind: memfd', or 'kind: file' with the path of a hugetlbfs");
    if (b->hugepages.value && b->hugepages.value != 2 * MIB && b->hugepages.value != GIB) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->hugepages.at,
                     "x86 has no huge pages of this size");
        diag_help(diags, d, "write 2MiB, 1GiB, or true for 2MiB");
    }
    if (b->prealloc.value && !b->reserve.value) {
        d = diag_add(diags, RULE_BACKEND_KEY, b->reserve.at,
                     "memory that is allocated at the start cannot do without a reservation");
        diag_note(diags, d, b->prealloc.at, "'prealloc' is here");
        diag_help(diags, d, "leave one of the two out: QEMU refuses both together");
    }
    if (file)
        check_backend_pages(b, diags);
    bool bound = b->policy.value != POLICY_DEFAULT;
    if (bound != (b->host_nodes.count != 0)) {
        d = diag_add(diags, RULE_HOST_PLACEMENT, bound ? b->policy.at : b->host_nodes.at,
                     bound ? "the policy '%s' needs host nodes"
                           : "the policy '%s' takes no host "
                             "nodes",
                     policy_names[b->policy.value]);
        diag_help(diags, d,
                  bound ? "add 'host-nodes'"
                        : "write 'policy: bind', or leave 'host-nodes'"
                          " out");
    }
    for (size_t i = 0; i < b->host_nodes.count; i++)
        if (b->host_nodes.ranges[i].last >= QEMU_NODE_LIMIT) {
            d = diag_add(diags, RULE_HOST_PLACEMENT, b->host_nodes.at, "there is no host node %u",
                         b->host_nodes.ranges[i].last);
            diag_help(diags, d, "write ids below %d", QEMU_NODE_LIMIT);
            break;
        }
}

void check_backends(struct check_context *c)
{
    const struct backend *last = NULL;
    FOR_EACH_REGION(c->vm, owner, region) {
        /* What many regions take from one place is judged once. */
        const struct backend *b = &region->backend;
        if (!last || !same_place(b->at, last->at) || !same_place(b->policy.at, last->policy.at) ||
            !same_place(b->host_nodes.at, last->host_nodes.at))
            check_backend(b, c->diags);
        last = b;
    }
}

/* --- files ---------------------------------------------------------------------------------- */

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

/* --- host nodes ----------------------------------------------------------------------------- */

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
