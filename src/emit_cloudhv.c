/* SPDX-License-Identifier: MIT */
#include "emit_cloudhv.h"

#include <string.h>

#include "argv.h"
#include "cmdline.h"
#include "kernel_parameters.h"
#include "layout_cloudhv.h"

/* One walk over the model writes either form: names and values are the same in both, but for a few
 * names (vmm/src/config.rs, vm_config.rs). A list or an object opens a level of JSON; on the command
 * line it is a bracketed value. */

/* --- JSON ----------------------------------------------------------------------------------- */

struct json {
    struct strbuf *out;
    unsigned level;
    bool first;
};

static void json_item(struct json *j, const char *key)
{
    strbuf_adds(j->out, j->first ? "\n" : ",\n");
    for (unsigned i = 0; i < j->level; i++)
        strbuf_adds(j->out, "  ");
    j->first = false;
    if (!key)
        return;
    strbuf_add_json(j->out, key);
    strbuf_adds(j->out, ": ");
}

static void json_open(struct json *j, const char *key, char bracket)
{
    if (j->level)
        json_item(j, key);
    strbuf_addc(j->out, bracket);
    j->level++;
    j->first = true;
}

static void json_close(struct json *j, char bracket)
{
    j->level--;
    if (!j->first)
        strbuf_addc(j->out, '\n');
    for (unsigned i = 0; i < j->level && !j->first; i++)
        strbuf_adds(j->out, "  ");
    strbuf_addc(j->out, bracket);
    j->first = false;
}

/* Integers of 64 bits, exact: no double is between. */
static void json_u64(struct json *j, const char *key, uint64_t value)
{
    json_item(j, key);
    strbuf_add_u64(j->out, value);
}

static void json_text(struct json *j, const char *key, const char *value)
{
    json_item(j, key);
    strbuf_add_json(j->out, value);
}

static void json_true(struct json *j, const char *key)
{
    json_item(j, key);
    strbuf_adds(j->out, "true");
}

static void json_cpus(struct json *j, const struct vm *vm, const struct layout *layout)
{
    const struct cpus *c = &vm->cpus;
    json_open(j, "cpus", '{');
    json_u64(j, "boot_vcpus", c->count.value);
    json_u64(j, "max_vcpus", c->max.value);
    json_open(j, "topology", '{');
    json_u64(j, "threads_per_core", c->threads.value);
    json_u64(j, "cores_per_die", c->cores.value);
    json_u64(j, "dies_per_package", c->dies.value);
    json_u64(j, "packages", c->sockets.value);
    json_close(j, '}');
    if (layout->phys_bits)
        json_u64(j, "max_phys_bits", layout->phys_bits);
    json_close(j, '}');
}

/* What a zone is besides its id and size, in both forms. A command line takes on and off. */
struct zone_flag {
    const char *name;
    bool set;
};

enum { ZONE_FLAGS = 5 };

static void zone_flags(struct zone_flag flags[ZONE_FLAGS], const struct vm *vm,
                       const struct region *region)
{
    const struct backend *b = &region->backend;
    flags[0] = (struct zone_flag){"shared", b->share.value};
    flags[1] = (struct zone_flag){"hugepages", b->hugepages.value};
    flags[2] = (struct zone_flag){"prefault", b->prealloc.value};
    flags[3] = (struct zone_flag){"reserve", zone_is_reserved(region, vm)};
    flags[4] = (struct zone_flag){"mergeable", given(b->merge.at) && b->merge.value};
}

static bool is_bound(const struct backend *b)
{
    return b->policy.value == POLICY_BIND && b->host_nodes.count;
}

static void json_zone(struct json *j, const struct vm *vm, const struct region *region)
{
    const struct backend *b = &region->backend;
    struct zone_flag flags[ZONE_FLAGS];
    zone_flags(flags, vm, region);
    json_open(j, NULL, '{');
    json_text(j, "id", region->id.value);
    json_u64(j, "size", region->size.value);
    if (b->kind.value == BACKEND_FILE)
        json_text(j, "file", b->path.value);
    for (size_t i = 0; i < ZONE_FLAGS; i++)
        if (flags[i].set)
            json_true(j, flags[i].name);
    if (flags[1].set)
        json_u64(j, "hugepage_size", b->hugepages.value);
    if (is_bound(b))
        json_u64(j, "host_numa_node", b->host_nodes.ranges[0].first);
    json_close(j, '}');
}

/* Normal memory by node, then SPM: the order in which the layout has placed it. */
static void json_zones(struct json *j, const struct vm *vm, bool spm)
{
    for (size_t n = 0; n < vm->node_count; n++)
        for (size_t r = 0; r < vm->nodes[n].region_count; r++)
            if ((vm->nodes[n].regions[r].type.value == MEMORY_SPM) == spm)
                json_zone(j, vm, &vm->nodes[n].regions[r]);
}

static void json_node(struct json *j, const struct vm *vm, size_t n, const struct srat *srat)
{
    const struct node *node = &vm->nodes[n];
    json_open(j, NULL, '{');
    json_u64(j, "guest_numa_id", node->id);
    if (node->cpus.count) {
        json_open(j, "cpus", '[');
        for (size_t v = 0; v < srat->cpu_count; v++)
            if (srat->cpus[v].node == n)
                json_u64(j, NULL, v);
        json_close(j, ']');
    }
    if (given(vm->distances.at) && vm->node_count > 1) {
        json_open(j, "distances", '[');
        for (size_t to = 0; to < vm->node_count; to++) {
            if (to == n)
                continue;
            json_open(j, NULL, '{');
            json_u64(j, "destination", to);
            json_u64(j, "distance", vm_distance(vm, n, to));
            json_close(j, '}');
        }
        json_close(j, ']');
    }
    if (node->region_count) {
        json_open(j, "memory_zones", '[');
        for (size_t r = 0; r < node->region_count; r++)
            json_text(j, NULL, node->regions[r].id.value);
        json_close(j, ']');
    }
    json_close(j, '}');
}

/* The file's command line, and what it does not say of SPM. */
static void add_cmdline(struct strbuf *text, const struct vm *vm, const struct layout *layout)
{
    struct strbuf parameters = {0};
    strbuf_adds(&parameters, "");
    kernel_memmaps(&parameters, layout);
    cmdline_add(text, vm->boot.cmdline.value, parameters.data);
    strbuf_free(&parameters);
}

static void json_payload(struct json *j, const struct vm *vm, const struct layout *layout)
{
    const struct boot *b = &vm->boot;
    struct strbuf cmdline = {0};
    add_cmdline(&cmdline, vm, layout);
    json_open(j, "payload", '{');
    if (b->code.value) {
        json_text(j, "firmware", b->code.value);
    } else {
        json_text(j, "kernel", b->kernel.value);
        if (cmdline.len)
            json_text(j, "cmdline", cmdline.data);
        if (b->initrd.value)
            json_text(j, "initramfs", b->initrd.value);
    }
    json_close(j, '}');
    strbuf_free(&cmdline);
}

static void emit_json(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                      bool fragment)
{
    struct json j = {.out = out};
    json_open(&j, NULL, '{');
    json_cpus(&j, vm, &p->layout);
    json_open(&j, "memory", '{');
    json_u64(&j, "size", 0); /* it is in the zones */
    json_open(&j, "zones", '[');
    json_zones(&j, vm, false);
    json_zones(&j, vm, true);
    json_close(&j, ']');
    json_close(&j, '}');
    json_open(&j, "numa", '[');
    for (size_t n = 0; n < vm->node_count; n++)
        json_node(&j, vm, n, &p->tables.srat);
    json_close(&j, ']');
    if (!fragment)
        json_payload(&j, vm, &p->layout);
    json_close(&j, '}');
    strbuf_addc(out, '\n');
}

/* --- command line --------------------------------------------------------------------------- */

/* A value of the option parser (option_parser/src/lib.rs): in quotes, which it doubles inside. */
static void add_value(struct strbuf *b, const char *text)
{
    if (text[strcspn(text, "\",[] \t")] == '\0') {
        strbuf_adds(b, text);
        return;
    }
    strbuf_addc(b, '"');
    for (; *text; text++) {
        if (*text == '"')
            strbuf_addc(b, '"');
        strbuf_addc(b, *text);
    }
    strbuf_addc(b, '"');
}

static void add_u64(struct strbuf *b, const char *key, uint64_t value)
{
    strbuf_adds(b, key);
    strbuf_add_u64(b, value);
}

static void argv_zones(struct argv *argv, const struct vm *vm, bool spm)
{
    for (size_t n = 0; n < vm->node_count; n++)
        for (size_t r = 0; r < vm->nodes[n].region_count; r++) {
            const struct region *region = &vm->nodes[n].regions[r];
            const struct backend *backend = &region->backend;
            if ((region->type.value == MEMORY_SPM) != spm)
                continue;
            struct zone_flag flags[ZONE_FLAGS];
            zone_flags(flags, vm, region);
            struct strbuf *b = argv_option(argv, "--memory-zone", "id=");
            strbuf_adds(b, region->id.value);
            add_u64(b, ",size=", region->size.value);
            if (backend->kind.value == BACKEND_FILE) {
                strbuf_adds(b, ",file=");
                add_value(b, backend->path.value);
            }
            for (size_t i = 0; i < ZONE_FLAGS; i++)
                if (flags[i].set)
                    strbuf_addf(b, ",%s=on", flags[i].name);
            if (flags[1].set)
                add_u64(b, ",hugepage_size=", backend->hugepages.value);
            if (is_bound(backend))
                add_u64(b, ",host_numa_node=", backend->host_nodes.ranges[0].first);
        }
}

static void argv_node(struct argv *argv, const struct vm *vm, size_t n, const struct srat *srat)
{
    const struct node *node = &vm->nodes[n];
    struct strbuf *b = argv_option(argv, "--numa", "guest_numa_id=");
    strbuf_add_u64(b, node->id);
    if (node->cpus.count) {
        strbuf_adds(b, ",cpus=[");
        srat_cpus_text(b, srat, n);
        strbuf_addc(b, ']');
    }
    if (given(vm->distances.at) && vm->node_count > 1) {
        const char *separator = ",distances=[";
        for (size_t to = 0; to < vm->node_count; to++) {
            if (to == n)
                continue;
            add_u64(b, separator, to);
            add_u64(b, "@", vm_distance(vm, n, to));
            separator = ",";
        }
        strbuf_addc(b, ']');
    }
    for (size_t r = 0; r < node->region_count; r++) {
        strbuf_adds(b, r ? "," : ",memory_zones=[");
        strbuf_adds(b, node->regions[r].id.value);
    }
    if (node->region_count)
        strbuf_addc(b, ']');
}

/* A value that looks like an option is one to the parser, unless it is in one word with its own. */
static void argv_text(struct argv *argv, const char *option, const char *value)
{
    if (value[0] != '-') {
        argv_option(argv, option, value);
        return;
    }
    struct strbuf *b = argv_add(argv, ARG_OPTION, option);
    strbuf_addc(b, '=');
    strbuf_adds(b, value);
}

static void argv_payload(struct argv *argv, const struct vm *vm, const struct layout *layout)
{
    const struct boot *boot = &vm->boot;
    struct strbuf cmdline = {0};
    add_cmdline(&cmdline, vm, layout);
    if (boot->code.value) {
        argv_text(argv, "--firmware", boot->code.value);
    } else {
        argv_text(argv, "--kernel", boot->kernel.value);
        if (cmdline.len)
            argv_text(argv, "--cmdline", cmdline.data);
        if (boot->initrd.value)
            argv_text(argv, "--initramfs", boot->initrd.value);
    }
    strbuf_free(&cmdline);
}

static void emit_arguments(struct argv *argv, const struct vm *vm, const struct prediction *p,
                           bool fragment)
{
    const struct cpus *c = &vm->cpus;
    if (!fragment)
        argv_add(argv, ARG_OPTION, "cloud-hypervisor");
    struct strbuf *b = argv_option(argv, "--cpus", "boot=");
    strbuf_add_u64(b, c->count.value);
    add_u64(b, ",max=", c->max.value);
    add_u64(b, ",topology=", c->threads.value);
    add_u64(b, ":", c->cores.value);
    add_u64(b, ":", c->dies.value);
    add_u64(b, ":", c->sockets.value);
    if (p->layout.phys_bits)
        add_u64(b, ",max_phys_bits=", p->layout.phys_bits);
    argv_option(argv, "--memory", "size=0");
    argv_zones(argv, vm, false);
    argv_zones(argv, vm, true);
    for (size_t n = 0; n < vm->node_count; n++)
        argv_node(argv, vm, n, &p->tables.srat);
    if (!fragment)
        argv_payload(argv, vm, &p->layout);
}

/* What the guest must be told by other means. */
static void emit_comments(struct strbuf *out, const struct vm *vm, const struct layout *layout,
                          bool fragment)
{
    struct strbuf parameters = {0};
    kernel_memmaps(&parameters, layout);
    if (parameters.len) {
        strbuf_adds(out,
                    "# SPM is plain RAM to cloud-hypervisor and to firmware. It is "
                    "specific-purpose memory only\n# to a guest kernel that is booted with\n#   ");
        strbuf_adds(out, parameters.data);
        strbuf_adds(out, fragment || vm->boot.code.value
                             ? "\n# which you must add to the guest's kernel.\n"
                             : "\n# as below.\n");
    }
    strbuf_free(&parameters);
}

void emit_cloudhv(struct strbuf *out, const struct vm *vm, const struct prediction *p,
                  enum format format, bool fragment)
{
    if (format == FORMAT_JSON) {
        emit_json(out, vm, p, fragment);
        return;
    }
    if (format != FORMAT_ARGV)
        emit_comments(out, vm, &p->layout, fragment);
    struct argv argv = argv_start(out, format == FORMAT_ARGV ? ARGV_NUL : ARGV_SHELL);
    emit_arguments(&argv, vm, p, fragment);
    argv_end(&argv);
}
