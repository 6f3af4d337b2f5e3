/* SPDX-License-Identifier: MIT */
/* Nodes, dax devices, and what the kernel was told. The ids in /sys are Linux's; those of checks and
 * messages are the file's. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"
#include "cmdline.h"
#include "kernel_parameters.h"
#include "verify.h"

static const struct view_node *node_by_number(const struct guest_view *view, uint32_t number)
{
    for (size_t i = 0; i < view->node_count; i++)
        if (view->nodes[i].number == number)
            return &view->nodes[i];
    return NULL;
}

static bool list_has(const struct id_list *list, uint32_t id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->ranges[i].first <= id && id <= list->ranges[i].last)
            return true;
    return false;
}

static const char *list_text(const struct verify *v, const struct id_list *list)
{
    struct strbuf b = {0};
    id_list_text(&b, list);
    const char *text = list->count ? arena_strndup(v->arena, b.data, b.len) : "none";
    strbuf_free(&b);
    return text;
}

/* "node1.cpus" */
static const char *node_id(const struct verify *v, size_t node, const char *what)
{
    return arena_printf(v->arena, "node%zu.%s", node, what);
}

/* "node 2", and Linux's number where that is another. */
static const char *node_text(const struct verify *v, size_t node)
{
    uint32_t number = v->guest->nodes[node].number;
    if (number == node || number == NO_NODE)
        return arena_printf(v->arena, "node %zu", node);
    return arena_printf(v->arena, "node %zu (Linux's %u)", node, number);
}

/* --- which are there, and online ------------------------------------------------------------ */

/* The nodes that the SRAT names. */
static size_t nodes_named(const struct guest *g)
{
    size_t count = 0;
    for (size_t n = 0; n < g->vm->node_count; n++)
        count += g->nodes[n].number != NO_NODE;
    return count;
}

/* Whether the log has a node with memory of its own by the number. */
static bool is_set_up(const struct view_map *setup, uint32_t number)
{
    for (size_t i = 0; i < setup->count; i++)
        if (setup->items[i].number == number && setup->items[i].end > 1)
            return true;
    return false;
}

/* As the kernel starts a node has memory where it has RAM; SPM comes later. */
static void check_log_nodes(struct verify *v)
{
    static const char id[] = "log.nodes";
    const struct guest *g = v->guest;
    const struct view_map *setup = &v->view->log.setup;
    const char *problem = NULL;
    if (v->view->log.faked && nodes_named(g) > 1) {
        verify_fail(v, id, arena_printf(v->arena, "%zu nodes, by the SRAT", nodes_named(g)),
                    "one that Linux makes up", verify_cause_of_word(v));
        return;
    }
    if (!setup->present || setup->damage) {
        verify_skip(v, id,
                    setup->present ? "what the log says of nodes with memory is damaged"
                                   : "no log tells the nodes with memory");
        return;
    }
    for (size_t n = 0; n < g->vm->node_count && !problem; n++)
        if (g->nodes[n].number != NO_NODE &&
            is_set_up(setup, g->nodes[n].number) != (g->nodes[n].normal != 0))
            problem = arena_printf(v->arena, "%s %s memory at the start", node_text(v, n),
                                   g->nodes[n].normal ? "without" : "with");
    for (size_t i = 0; i < setup->count && !problem; i++)
        if (guest_node_by_number(g, setup->items[i].number) == NO_NODE)
            problem =
                arena_printf(v->arena, "node %u, which is not in the file", setup->items[i].number);
    if (problem)
        verify_fail(v, id, "memory of the nodes with normal memory alone", problem, NULL);
    else
        verify_ok(v, id, "the nodes with normal memory");
}

/* Linux knows the nodes of the SRAT from the start, online or not; there may be more of CXL. */
static void check_possible(struct verify *v)
{
    static const char id[] = "nodes.possible";
    const struct guest *g = v->guest;
    if (!v->view->has_possible) {
        verify_skip(v, id, "the source does not show which nodes can be");
        return;
    }
    const char *found = list_text(v, &v->view->possible);
    for (size_t n = 0; n < g->vm->node_count; n++) {
        if (g->nodes[n].number == NO_NODE || list_has(&v->view->possible, g->nodes[n].number))
            continue;
        verify_fail(v, id, arena_printf(v->arena, "%zu nodes, by the SRAT", nodes_named(g)),
                    arena_printf(v->arena, "%s: without %s", found, node_text(v, n)),
                    verify_cause_of_word(v));
        return;
    }
    verify_ok(v, id, found);
}

static void check_online(struct verify *v)
{
    static const char id[] = "nodes.online";
    const struct guest *g = v->guest;
    if (!v->view->has_online) {
        verify_skip(v, id, "the source does not show which nodes are online");
        return;
    }
    struct id_list must = {0};
    const char *problem = NULL;
    for (uint32_t number = 0; number < g->vm->node_count; number++) {
        uint32_t n = guest_node_by_number(g, number);
        if (n == NO_NODE || !g->nodes[n].boots)
            continue;
        must.ranges =
            arena_grow(v->arena, must.ranges, must.count, &must.cap, sizeof(*must.ranges));
        if (must.count && must.ranges[must.count - 1].last + 1 == number)
            must.ranges[must.count - 1].last = number;
        else
            must.ranges[must.count++] = (struct id_range){number, number};
        if (!list_has(&v->view->online, number))
            problem = arena_printf(v->arena, "%s is not online", node_text(v, n));
    }
    for (size_t i = 0; i < v->view->online.count && !problem; i++)
        for (uint32_t k = v->view->online.ranges[i].first;
             k <= v->view->online.ranges[i].last && !problem; k++)
            if (guest_node_by_number(g, k) == NO_NODE)
                problem = arena_printf(v->arena, "node %u is online and not in the file", k);
    const char *found = list_text(v, &v->view->online);
    if (problem)
        verify_fail(v, id, list_text(v, &must), arena_printf(v->arena, "%s: %s", found, problem),
                    verify_cause_of_word(v));
    else
        verify_ok(v, id, found);
}

/* --- one node ------------------------------------------------------------------------------- */

/* Whether the command line leaves CPUs out; without ACPI Linux finds one alone. */
static bool has_fewer_cpus(const struct verify *v)
{
    static const char *const names[] = {"nr_cpus", "maxcpus", "nosmt"};
    static const char *const exact[] = {"nosmp", "nosmt", "acpi=off"};
    struct words words = cmdline_words(v->view->has_cmdline ? v->view->cmdline : NULL);
    struct word word;
    bool found = cmdline_has(v->view->cmdline, "mitigations", "nosmt");
    for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
        found |= cmdline_has_word(v->view->cmdline, exact[i]);
    while (cmdline_next(&words, &word))
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            found |= word_take_value(&word, names[i]);
    return found;
}

/* A CPU of Linux is the vCPU of that number: QEMU lists them in that order. Those behind 'count' may
 * have been plugged in. */
static void check_node_cpus(struct verify *v, size_t n, const struct view_node *shown)
{
    const struct vm *vm = v->guest->vm;
    const struct id_list *own = &vm->nodes[n].cpus;
    const char *id = node_id(v, n, "cpus");
    const char *problem = NULL;
    if (!shown->has_cpus) {
        verify_skip(v, id, "the source does not show its CPUs");
        return;
    }
    for (size_t i = 0; i < own->count && !problem; i++)
        for (uint32_t c = own->ranges[i].first; c <= own->ranges[i].last && !problem; c++)
            if (c < vm->cpus.count.value && !list_has(&shown->cpus, c))
                problem = arena_printf(v->arena, "without CPU %u", c);
    for (size_t i = 0; i < shown->cpus.count && !problem; i++)
        for (uint32_t c = shown->cpus.ranges[i].first; c <= shown->cpus.ranges[i].last && !problem;
             c++)
            if (!list_has(own, c))
                problem = arena_printf(v->arena, "with CPU %u", c);
    const char *found = list_text(v, &shown->cpus);
    if (problem)
        verify_fail(v, id, list_text(v, own), arena_printf(v->arena, "%s: %s", found, problem),
                    has_fewer_cpus(v) ? "the guest kernel was told to use fewer CPUs" : NULL);
    else
        verify_ok(v, id, found);
}

static const char *size_text(const struct verify *v, uint64_t bytes)
{
    struct strbuf b = {0};
    strbuf_add_size(&b, bytes, " ");
    const char *text = arena_strndup(v->arena, b.data, b.len);
    strbuf_free(&b);
    return text;
}

/* What the kernel and firmware may take of a node's RAM before MemTotal. */
static uint64_t least_normal(uint64_t normal)
{
    uint64_t taken = normal / 8 + 256 * MIB;
    return normal > taken ? normal - taken : normal != 0;
}

/* Why a node of SPM has another size than its SPM. */
static const char *cause_of_size(const struct verify *v, size_t n, uint64_t found)
{
    const struct guest_ranges *p = &v->guest->promised;
    uint64_t whole = 0;
    uint64_t block = v->guest->block;
    for (size_t i = 0; i < p->count; i++) {
        uint64_t from = round_up(p->items[i].start, block);
        uint64_t to = p->items[i].end / block * block;
        whole += p->items[i].node == n && to > from ? to - from : 0;
    }
    if (v->view->log.truncated[0] && found < v->guest->nodes[n].spm)
        return arena_printf(v->arena, "truncated to whole memory blocks: %s",
                            v->view->log.truncated);
    if (found == whole && found < v->guest->nodes[n].spm)
        return arena_printf(v->arena, "truncated to whole memory blocks of %s",
                            size_text(v, block));
    if (found > v->guest->nodes[n].spm)
        return "it has another node's SPM: joined by firmware, or of a wrong target node";
    return NULL;
}

static void check_node_memory(struct verify *v, size_t n, const struct view_node *shown)
{
    const struct guest_node *own = &v->guest->nodes[n];
    const char *id = node_id(v, n, "memory");
    uint64_t least = least_normal(own->normal);
    uint64_t most = own->normal + own->spm;
    const char *found = arena_printf(v->arena, "%s", size_text(v, shown->memory));
    if (!shown->has_memory) {
        verify_skip(v, id, "the source does not show its memory");
    } else if (own->normal || !own->spm) {
        const char *range = own->normal
                                ? arena_printf(v->arena, "%s less what the kernel takes%s%s",
                                               size_text(v, own->normal),
                                               own->spm ? ", and up to as much SPM as " : "",
                                               own->spm ? size_text(v, own->spm) : "")
                                : "none";
        if (shown->memory < least || shown->memory > most)
            verify_fail(v, id, range, found, verify_cause_of_word(v));
        else
            verify_ok(v, id, found);
    } else if (!shown->memory) {
        verify_skip(v, id, "no driver has brought its SPM online");
    } else if (shown->memory == own->spm) {
        verify_ok(v, id, found);
    } else {
        bool ram = v->guest->fate == FATE_RAM ||
                   (v->view->has_cmdline && strstr(v->view->cmdline, "nosoftreserve"));
        verify_fail(v, id, size_text(v, own->spm), found,
                    ram ? verify_cause_of_ram(v) : cause_of_size(v, n, shown->memory));
    }
}

/* A file of distances has a column for each node that is online. */
static void check_node_distances(struct verify *v, size_t n, const struct view_node *shown)
{
    const struct guest *g = v->guest;
    const char *id = node_id(v, n, "distance");
    struct strbuf want = {0};
    struct strbuf have = {0};
    if (!shown->has_distances || !v->view->has_online) {
        verify_skip(v, id, "the source does not show its distances");
        return;
    }
    for (uint32_t number = 0; number < VIEW_NODE_LIMIT; number++) {
        uint32_t to = number < g->vm->node_count ? guest_node_by_number(g, number) : NO_NODE;
        if (!list_has(&v->view->online, number))
            continue;
        if (to == NO_NODE)
            strbuf_adds(&want, "? ");
        else
            strbuf_addf(&want, "%u ", guest_distance(g, n, to));
    }
    for (size_t i = 0; i < shown->distance_count; i++)
        strbuf_addf(&have, "%u ", shown->distances[i]);
    const char *w = arena_printf(v->arena, "%sto the nodes online, %s", want.data ? want.data : "",
                                 list_text(v, &v->view->online));
    const char *h =
        arena_strndup(v->arena, have.data ? have.data : "", have.len ? have.len - 1 : 0);
    if (want.len == have.len && (!want.len || memcmp(want.data, have.data, want.len) == 0))
        verify_ok(v, id, w);
    else
        verify_fail(v, id, w, h, NULL);
    strbuf_free(&want);
    strbuf_free(&have);
}

static void check_node(struct verify *v, size_t n)
{
    static const char *const names[] = {"cpus", "memory", "distance"};
    uint32_t number = v->guest->nodes[n].number;
    const struct view_node *shown = number == NO_NODE ? NULL : node_by_number(v->view, number);
    bool online = shown && (!v->view->has_online || list_has(&v->view->online, number));
    if (online) {
        check_node_cpus(v, n, shown);
        check_node_memory(v, n, shown);
        check_node_distances(v, n, shown);
        return;
    }
    const char *why = number == NO_NODE ? "the SRAT does not name the node"
                      : !v->view->has_online && !v->view->node_count
                          ? "the source does not show nodes"
                          : "the node is not online";
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        verify_skip(v, node_id(v, n, names[i]), why);
}

/* --- dax devices ---------------------------------------------------------------------------- */

static const char *devices_text(const struct verify *v)
{
    struct strbuf b = {0};
    for (size_t i = 0; i < v->view->dax_count && i < 4; i++) {
        const struct view_dax *d = &v->view->dax[i];
        strbuf_addf(&b, "%s%s ", i ? ", " : "", d->name);
        if (d->size)
            guest_add_range(&b, d->start, d->start + d->size);
        else
            strbuf_addf(&b, "of no size at 0x%" PRIx64, d->start);
        if (d->target < 0)
            strbuf_adds(&b, " on no node");
        else
            strbuf_addf(&b, " on node %" PRId64, d->target);
    }
    if (v->view->dax_count > 4)
        strbuf_addf(&b, " and %zu more", v->view->dax_count - 4);
    const char *text = arena_strndup(v->arena, b.data ? b.data : "none", b.data ? b.len : 4);
    strbuf_free(&b);
    return text;
}

static const char *spm_text(const struct verify *v)
{
    struct strbuf b = {0};
    const struct guest_ranges *p = &v->guest->promised;
    for (size_t i = 0; i < p->count && i < 4; i++) {
        strbuf_adds(&b, i ? ", " : "");
        guest_add_range(&b, p->items[i].start, p->items[i].end);
        strbuf_addf(&b, " on node %u", v->guest->nodes[p->items[i].node].number);
    }
    if (p->count > 4)
        strbuf_addf(&b, " and %zu more", p->count - 4);
    const char *text = arena_strndup(v->arena, b.data ? b.data : "none", b.data ? b.len : 4);
    strbuf_free(&b);
    return text;
}

/* What is wrong with one device; NULL where it lies within the SPM of its target node. */
static const char *device_problem(const struct verify *v, const struct view_dax *d)
{
    const struct guest_ranges *p = &v->guest->promised;
    uint64_t end = d->start + d->size;
    if (end < d->start)
        return "an impossible size";
    for (size_t i = 0; i < p->count; i++) {
        if (d->start < p->items[i].start || d->start >= p->items[i].end)
            continue;
        if (end > p->items[i].end) {
            bool touches = i + 1 < p->count && p->items[i + 1].start == p->items[i].end;
            return touches ? arena_printf(v->arena,
                                          "joined by firmware: touching SPM of nodes %u and %u is "
                                          "one device, on node %u",
                                          p->items[i].node, p->items[i + 1].node, p->items[i].node)
                           : "it is larger than the SPM there";
        }
        if (d->target < 0)
            return arena_printf(v->arena, "no target node: Linux does not know %s",
                                node_text(v, p->items[i].node));
        if (d->target != (int64_t)v->guest->nodes[p->items[i].node].number)
            return arena_printf(v->arena, "wrong target node: this is SPM of %s",
                                node_text(v, p->items[i].node));
        return NULL;
    }
    return "there is no SPM there";
}

static bool all_covered(const struct verify *v)
{
    const struct guest_ranges *p = &v->guest->promised;
    for (size_t i = 0; i < p->count; i++) {
        uint64_t left = p->items[i].end - p->items[i].start;
        for (size_t k = 0; k < v->view->dax_count; k++) {
            const struct view_dax *d = &v->view->dax[k];
            if (d->start >= p->items[i].start && d->start < p->items[i].end)
                left -= u64_min(left, d->size);
        }
        if (left)
            return false;
    }
    return true;
}

static void check_dax(struct verify *v)
{
    static const char id[] = "dax.devices";
    const struct guest_view *view = v->view;
    const char *problem = view->dax_damage;
    if (!view->dax_count && !problem) {
        verify_skip(
            v, id,
            "no dax devices: dax_hmem is not loaded, the kernel is without it, or the source does "
            "not show them");
        return;
    }
    /* Whether a device was given nothing of its region, by daxctl or dax_hmem's region_idle. */
    bool idle = false;
    for (size_t i = 0; i < view->dax_count && !problem; i++) {
        const struct view_dax *d = &view->dax[i];
        if (!d->has_start) {
            verify_skip(v, id, "only root sees where dax devices lie");
            return;
        }
        if (!d->has_size)
            problem = arena_printf(v->arena, "'%s' is incomplete", d->name);
        idle |= !d->size;
    }
    if (problem) {
        verify_fail(v, id, spm_text(v), arena_printf(v->arena, "a damaged source: %s", problem),
                    NULL);
        return;
    }
    for (size_t i = 0; i < view->dax_count && !problem; i++)
        problem = device_problem(v, &view->dax[i]);
    bool covered = all_covered(v);
    if (!problem && !covered && !idle)
        problem = "a part of the SPM has no device";
    if (problem)
        verify_fail(v, id, spm_text(v), devices_text(v), problem);
    else if (!covered)
        verify_skip(v, id, "a part of the SPM is not given to its device");
    else
        verify_ok(v, id, devices_text(v));
}

/* --- the command line ----------------------------------------------------------------------- */

static void check_told(struct verify *v)
{
    static const char id[] = "cmdline.memmap";
    const struct prediction *p = v->guest->prediction;
    struct strbuf b = {0};
    if (p->target & TARGET_RUNS_QEMU)
        kernel_parameters(&b, v->guest->vm, &p->qemu, &p->layout);
    if (b.len && !v->view->has_cmdline)
        verify_skip(v, id, "the source does not show the kernel's command line");
    const char *missing = NULL;
    bool checked = b.len && v->view->has_cmdline;
    char *rest = NULL;
    for (char *word = checked ? strtok_r(b.data, " ", &rest) : NULL; word;
         word = strtok_r(NULL, " ", &rest))
        if (strncmp(word, "memmap=", 7) == 0 && !cmdline_has(v->view->cmdline, "memmap", word + 7))
            missing = missing ? missing : arena_strndup(v->arena, word, strlen(word));
    if (missing)
        verify_fail(v, id, missing, "a command line without it",
                    "the kernel was not told of its SPM");
    else if (checked)
        verify_ok(v, id, "every range of SPM is on it");
    strbuf_free(&b);
}

void verify_nodes(struct verify *v)
{
    check_log_nodes(v);
    check_possible(v);
    check_online(v);
    if (v->view->node_damage)
        verify_fail(v, "nodes.source", "files as Linux writes them",
                    arena_printf(v->arena, "a damaged source: %s", v->view->node_damage), NULL);
    for (size_t n = 0; n < v->guest->vm->node_count; n++)
        check_node(v, n);
    check_dax(v);
    check_told(v);
}
