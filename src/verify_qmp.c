/* SPDX-License-Identifier: MIT */
/* A running QEMU, seen from the host. QMP alone: the human monitor's 'info numa' aborts QEMU 11.1 where
 * there is an sp-mem device. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "acpi_decode.h"
#include "qmp.h"
#include "verify.h"

/* A number of an answer; false where there is none that QEMU would give. Addresses are below 2^52, which a
 * double holds. */
static bool number_of(const cJSON *object, const char *key, uint64_t *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble < 9e15))
        return false;
    *value = (uint64_t)item->valuedouble;
    return true;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Compares as sets. */
static void compare(struct verify *v, const char *id, struct table_lines *want,
                    struct table_lines *have, const char *what)
{
    if (want->count)
        qsort(want->items, want->count, sizeof(*want->items), by_text);
    if (have->count)
        qsort(have->items, have->count, sizeof(*have->items), by_text);
    for (size_t i = 0; i < want->count || i < have->count; i++) {
        int order = i >= want->count   ? 1
                    : i >= have->count ? -1
                                       : strcmp(want->items[i], have->items[i]);
        if (order == 0)
            continue;
        /* What comes first is what the other side does not have. */
        if (order < 0 && (i >= have->count || want->count >= have->count))
            verify_fail(v, id, want->items[i], i < have->count ? have->items[i] : "no such", NULL);
        else
            verify_fail(v, id, i < want->count ? want->items[i] : "no more",
                        i < have->count ? have->items[i] : "no such", NULL);
        return;
    }
    verify_ok(v, id, arena_printf(v->arena, "%zu %s", have->count, what));
}

/* libvirt gives objects ids of its own. */
static bool knows_ids(const struct verify *v)
{
    return v->guest->prediction->target == TARGET_QEMU;
}

static void add_device(const struct verify *v, struct table_lines *lines, const char *type,
                       uint64_t address, uint64_t size, uint64_t node, const char *memdev)
{
    table_lines_add(lines, v->arena,
                    "0x%013" PRIx64 ": %s of 0x%" PRIx64 " bytes on node %" PRIu64 "%s%s", address,
                    type, size, node, knows_ids(v) ? ", backend " : "", knows_ids(v) ? memdev : "");
}

static void check_devices(struct verify *v, const cJSON *answer)
{
    static const char id[] = "qmp.devices";
    const struct prediction *p = v->guest->prediction;
    struct table_lines want = {0};
    struct table_lines have = {0};
    const cJSON *item;
    if (p->qemu.interface == SPM_SP_MEM)
        for (size_t i = 0; i < p->layout.spm_count; i++) {
            const struct region *r = p->layout.spm[i].region;
            add_device(v, &want, "sp-mem", p->layout.spm[i].address, r->size.value, r->node,
                       r->id.value);
        }
    cJSON_ArrayForEach(item, answer) {
        const cJSON *data = cJSON_GetObjectItemCaseSensitive(item, "data");
        const char *memdev = text_of(data, "memdev");
        uint64_t address = 0, size = 0, node = 0;
        number_of(data, "size", &size);
        number_of(data, "node", &node);
        if (!number_of(data, "addr", &address))
            number_of(data, "memaddr", &address); /* of virtio-mem and others */
        add_device(v, &have, text_of(item, "type"), address, size, node,
                   strncmp(memdev, "/objects/", 9) == 0 ? memdev + 9 : memdev);
    }
    compare(v, id, &want, &have, "memory devices");
}

static void add_backend(const struct verify *v, struct table_lines *lines, const char *id,
                        uint64_t size)
{
    table_lines_add(lines, v->arena, "%s%s0x%" PRIx64 " bytes", knows_ids(v) ? id : "",
                    knows_ids(v) ? ": " : "", size);
}

static void check_backends(struct verify *v, const cJSON *answer)
{
    struct table_lines want = {0};
    struct table_lines have = {0};
    const struct prediction *p = v->guest->prediction;
    const cJSON *item;
    for (size_t n = 0; n < v->guest->vm->node_count; n++) {
        const struct node *node = &v->guest->vm->nodes[n];
        struct boot_memory boot = qemu_boot_memory(node, &p->qemu);
        if (boot.region)
            add_backend(v, &want, boot.region->id.value, boot.size);
        for (size_t r = 0; r < node->region_count && p->qemu.interface == SPM_SP_MEM; r++)
            if (node->regions[r].type.value == MEMORY_SPM)
                add_backend(v, &want, node->regions[r].id.value, node->regions[r].size.value);
    }
    cJSON_ArrayForEach(item, answer) {
        uint64_t size = 0;
        number_of(item, "size", &size);
        add_backend(v, &have, text_of(item, "id"), size);
    }
    compare(v, "qmp.backends", &want, &have, "backends");
}

static void check_memory(struct verify *v, const cJSON *answer)
{
    const struct prediction *p = v->guest->prediction;
    uint64_t base = 0, plugged = 0, devices = 0;
    if (p->qemu.interface == SPM_SP_MEM)
        devices = vm_memory(v->guest->vm, MEMORY_SPM);
    number_of(answer, "base-memory", &base);
    number_of(answer, "plugged-memory", &plugged);
    const char *found =
        arena_printf(v->arena, "0x%" PRIx64 " bytes, and 0x%" PRIx64 " of devices", base, plugged);
    if (base == p->layout.ram && plugged == devices)
        verify_ok(v, "qmp.memory", found);
    else
        verify_fail(v, "qmp.memory",
                    arena_printf(v->arena, "0x%" PRIx64 " bytes, and 0x%" PRIx64 " of devices",
                                 p->layout.ram, devices),
                    found, NULL);
}

static void add_cpu(struct table_lines *lines, struct arena *arena, uint64_t cpu, uint64_t node,
                    bool plugged)
{
    table_lines_add(lines, arena, "vCPU %04" PRIu64 ": node %" PRIu64 "%s", cpu, node,
                    plugged ? "" : ", not plugged in");
}

/* Its place in the CPU topology makes a vCPU's number; levels that a machine has not are 0. */
static uint64_t cpu_number(const struct cpus *cpus, const cJSON *props)
{
    const struct {
        const char *key;
        uint64_t count;
    } levels[] = {{"socket-id", cpus->sockets.value},
                  {"die-id", cpus->dies.value},
                  {"module-id", cpus->modules.value},
                  {"core-id", cpus->cores.value},
                  {"thread-id", cpus->threads.value}};
    uint64_t number = 0;
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        uint64_t id = 0;
        number_of(props, levels[i].key, &id);
        number = number * levels[i].count + (id < VCPU_LIMIT ? id : VCPU_LIMIT);
    }
    return number;
}

static void check_cpus(struct verify *v, const cJSON *answer)
{
    const struct srat *srat = &v->guest->prediction->tables.srat;
    const struct cpus *cpus = &v->guest->vm->cpus;
    struct table_lines want = {0};
    struct table_lines have = {0};
    const cJSON *item;
    for (size_t i = 0; i < srat->cpu_count; i++)
        add_cpu(&want, v->arena, i, srat->cpus[i].node, i < cpus->count.value);
    cJSON_ArrayForEach(item, answer) {
        const cJSON *props = cJSON_GetObjectItemCaseSensitive(item, "props");
        uint64_t node = UINT32_MAX;
        number_of(props, "node-id", &node);
        add_cpu(&have, v->arena, cpu_number(cpus, props), node,
                cJSON_HasObjectItem(item, "qom-path"));
    }
    compare(v, "qmp.cpus", &want, &have, "vCPUs");
}

/* Asks a QEMU, once all is agreed, and hangs up. */
static const char *ask(struct verify_report *report, const struct guest *guest, struct qmp *qmp,
                       bool ok)
{
    static const struct {
        const char *command;
        void (*check)(struct verify *, const cJSON *);
    } questions[] = {
        {"query-memory-size-summary", check_memory},
        {"query-memdev", check_backends},
        {"query-memory-devices", check_devices},
        {"query-hotpluggable-cpus", check_cpus},
    };
    struct verify v = {.report = report, .arena = report->arena, .guest = guest};
    for (size_t i = 0; ok && i < ARRAY_SIZE(questions); i++) {
        cJSON *answer = qmp_ask(qmp, questions[i].command);
        ok = answer != NULL;
        if (ok)
            questions[i].check(&v, answer);
        cJSON_Delete(answer);
    }
    qmp_close(qmp);
    return qmp->problem;
}

const char *verify_qmp(struct verify_report *report, const struct guest *guest, const char *path)
{
    struct qmp qmp;
    bool ok = qmp_open(&qmp, path, report->arena);
    return ask(report, guest, &qmp, ok);
}

const char *verify_qmp_connection(struct verify_report *report, const struct guest *guest, int fd)
{
    struct qmp qmp;
    bool ok = qmp_take(&qmp, fd, report->arena);
    return ask(report, guest, &qmp, ok);
}
