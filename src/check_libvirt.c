/* SPDX-License-Identifier: MIT */
/* Rules on what libvirt holds, beyond what QEMU does. libvirt 12.8.0 and 9.0.0 were run, 9.0.0 and
 * 11.3.0 were read. They judge for XML in which SPM is a DIMM whose front end is overridden
 * (qemu:override), and arguments for QEMU (qemu:commandline) where that cannot be. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

#include "strbuf.h"
#include "target_libvirt.h"

static struct domain read_domain(const struct check_context *c)
{
    /* A version that cannot be read is reported once, by check_libvirt_values(). */
    return domain_read(c->vm, c->qemu);
}

/* --- versions, uuid, paths ------------------------------------------------------------------ */

static void check_versions(const struct domain *d, struct diags *diags)
{
    const struct vm *vm = d->vm;
    struct diag *diag;
    if (!libvirt_release(vm->libvirt_version.value)) {
        diag = diag_add(diags, RULE_VERSION_UNKNOWN, vm->libvirt_version.at,
                        "libvirt '%.40s' is not a version whose XML is known",
                        vm->libvirt_version.value);
        struct version_text plain = version_without_zeros(vm->libvirt_version.value);
        if (libvirt_release(plain.text))
            diag_help(diags, diag, "write %s", plain.text);
        else
            diag_help(diags, diag, "write a release from %d.%d to %d.%d", LIBVIRT_OLDEST / 100,
                      LIBVIRT_OLDEST % 100, LIBVIRT_NEWEST / 100, LIBVIRT_NEWEST % 100);
    } else if (d->release >= LIBVIRT_12_4 && d->qemu->version < 702) {
        /* NEWS, v12.4.0 */
        diag =
            diag_add(diags, RULE_VERSION_UNKNOWN,
                     given(vm->qemu_version.at) ? vm->qemu_version.at : vm->name.at,
                     "libvirt %u.%u does not run QEMU %u.%u, only 7.2 and newer", d->release / 100,
                     d->release % 100, d->qemu->version / 100, d->qemu->version % 100);
        diag_help(diags, diag, "name a newer 'targets.qemu.version', or the libvirt that runs it");
    }
    if (vm->machine.confidential.value != CONFIDENTIAL_NONE) {
        diag = diag_add(diags, RULE_CONFIDENTIAL, vm->machine.confidential.at,
                        "a confidential guest was not tried under libvirt, and none is emitted");
        diag_help(diags, diag, "emit it for qemu, or leave 'confidential' out");
    }
    bool host = strcmp(vm->machine.cpu.value, "host") == 0 ||
                strcmp(vm->machine.cpu.value, "max") == 0;
    if (d->qemu->kvm && host && given(vm->machine.phys_bits.at) && d->release < LIBVIRT_9_3) {
        diag = diag_add(diags, RULE_LIBVIRT_VALUE, vm->machine.phys_bits.at,
                        "libvirt gives the host's CPU fewer address bits since 9.3");
        diag_help(diags, diag, "leave 'phys-bits' out, or run a newer libvirt");
    }
    if (vm->cpus.modules.value > 1 && d->qemu->version >= QEMU_9_1) {
        diag = diag_add(diags, RULE_CPU_TOPOLOGY, vm->cpus.modules.at,
                        "libvirt's CPU topology has no modules");
        diag_help(diags, diag, "use dies or cores");
    }
}

/* 32 hexadecimal digits, or the same with hyphens as 8-4-4-4-12. The driver takes hyphens anywhere;
 * the schema does not. */
static bool is_uuid(const char *text)
{
    size_t len = strlen(text);
    if (len != 32 && len != 36)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool hyphen = len == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
        if (hyphen ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    }
    return true;
}

/* The schema takes absolute paths only, and QEMU is started in / by the daemon. */
static void check_path(const struct text *path, const char *key, struct diags *diags)
{
    if (!path->value || path->value[0] == '/')
        return;
    struct diag *diag = diag_add(diags, RULE_LIBVIRT_VALUE, path->at,
                                 "libvirt takes an absolute path for '%s'", key);
    diag_help(diags, diag, "write the path from / on: /…/%.40s", path->value);
}

/* U+FFFE and U+FFFF, which XML has not (XML 1.0, section 2.2); controls are refused for all. */
static void check_characters(const struct text *text, const char *key, struct diags *diags)
{
    const char *value = text->value ? text->value : "";
    if (!strstr(value, "\xEF\xBF\xBE") && !strstr(value, "\xEF\xBF\xBF"))
        return;
    struct diag *diag = diag_add(diags, RULE_LIBVIRT_VALUE, text->at,
                                 "'%s' holds a character that XML cannot", key);
    diag_help(diags, diag, "leave out U+FFFE and U+FFFF, which stand for no character");
}

static void check_texts(const struct vm *vm, struct diags *diags)
{
    const struct boot *b = &vm->boot;
    const struct {
        const char *key;
        const struct text *text;
    } texts[] = {{"description", &vm->description},  {"kernel", &b->kernel}, {"initrd", &b->initrd},
                 {"cmdline", &b->cmdline},           {"code", &b->code},     {"vars", &b->vars},
                 {"emulator", &vm->libvirt_emulator}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        check_characters(texts[i].text, texts[i].key, diags);
    const struct text *last = NULL;
    FOR_EACH_REGION(vm, owner, region) {
        const struct text *path = &region->backend.path;
        if (!last || !same_place(path->at, last->at))
            check_characters(path, "path", diags);
        last = path;
    }
}

static void check_paths(const struct vm *vm, struct diags *diags)
{
    const struct boot *b = &vm->boot;
    check_path(&b->kernel, "kernel", diags);
    check_path(&b->initrd, "initrd", diags);
    check_path(&b->code, "code", diags);
    check_path(&b->vars, "vars", diags);
    /* The default's bare name stands for libvirt's own choice. */
    if (strcmp(vm->libvirt_emulator.value, "qemu-system-x86_64") != 0)
        check_path(&vm->libvirt_emulator, "emulator", diags);
    const struct text *last = NULL;
    FOR_EACH_REGION(vm, owner, region) {
        const struct text *path = &region->backend.path;
        if (!last || !same_place(path->at, last->at))
            check_path(path, "path", diags);
        last = path;
    }
}

void check_libvirt_values(struct check_context *c)
{
    const struct domain d = read_domain(c);
    const struct text *uuid = &c->vm->libvirt_uuid;
    check_versions(&d, c->diags);
    if (uuid->value && !is_uuid(uuid->value)) {
        struct diag *diag =
            diag_add(c->diags, RULE_LIBVIRT_VALUE, uuid->at, "'%.40s' is not a uuid", uuid->value);
        diag_help(c->diags, diag, "write what 'uuidgen' prints, or leave it out");
    }
    check_paths(c->vm, c->diags);
    check_texts(c->vm, c->diags);
}

/* --- backends ------------------------------------------------------------------------------- */

static void check_cell_backend(const struct domain *d, const struct region *region,
                               struct diags *diags)
{
    const struct backend *b = &region->backend;
    struct diag *diag;
    if (b->kind.value == BACKEND_FILE) {
        diag = diag_add(diags, RULE_LIBVIRT_BACKEND, backend_key_place(b->kind.at, region),
                        "libvirt puts the files of normal memory into a directory of its own, and "
                        "takes no path");
        diag_help(diags, diag, "write 'kind: memfd', with 'hugepages' if they are wanted");
        return;
    }
    for (enum whole_key key = 0; key < WHOLE_KEYS; key++) {
        const struct region *other = domain_differs(d, region, key);
        if (!other)
            continue;
        diag = diag_add(diags, RULE_LIBVIRT_BACKEND,
                        backend_key_place(whole_key(region, key)->at, region),
                        "libvirt has one '%s' for all of the guest's memory, and another region "
                        "has another",
                        whole_key_names[key]);
        diag_note(diags, diag, backend_key_place(whole_key(other, key)->at, other),
                  "the other region's");
        diag_help(diags, diag,
                  "give all normal memory the same '%s', as in 'defaults: {backend: "
                  "…}'",
                  whole_key_names[key]);
    }
    if (b->kind.value == BACKEND_RAM && b->share.value) {
        diag = diag_add(diags, RULE_LIBVIRT_BACKEND, backend_key_place(b->share.at, region),
                        "libvirt makes shared memory of kind ram a file in a directory of its own");
        diag_help(diags, diag, "write 'kind: memfd'");
    }
    if (!b->reserve.value) {
        diag = diag_add(diags, RULE_LIBVIRT_BACKEND, backend_key_place(b->reserve.at, region),
                        "libvirt cannot leave out the reservation of memory");
        diag_help(diags, diag, "leave 'reserve' out");
    }
}

void check_libvirt_backends(struct check_context *c)
{
    const struct domain d = read_domain(c);
    const struct backend *last = NULL;
    FOR_EACH_REGION(c->vm, owner, region) {
        if (!domain_in_cell(&d, region))
            continue;
        /* What many regions take from one place is judged once. */
        if (!last || !same_place(last->at, region->backend.at))
            check_cell_backend(&d, region, c->diags);
        last = given(region->backend.at) ? &region->backend : NULL;
    }
}

/* --- SPM ------------------------------------------------------------------------------------ */

/* libvirt drops an alias with another letter, and the override that names it is lost: the guest
 * gets the SPM as a plain DIMM (measured on 12.8). */
static void check_alias(const struct region *region, struct diags *diags)
{
    const char *id = region->id.value;
    if (strspn(id, LETTERS DIGITS "_-") == strlen(id))
        return;
    struct diag *diag = diag_add(diags, RULE_LIBVIRT_REGION_ID, region->id.at,
                                 "libvirt drops the alias of '%.70s' without a word, and the guest "
                                 "would get plain memory instead of SPM",
                                 id);
    diag_help(diags, diag, "write letters, digits, '-' and '_' only");
}

static void check_slots(const struct vm *vm, size_t devices, struct diags *diags)
{
    struct diag *diag;
    if (devices > QEMU_SLOT_LIMIT) {
        diag = diag_add(diags, RULE_SLOT_COUNT, vm->nodes_at,
                        "%zu regions of SPM: libvirt gives each a slot, and QEMU has at most %d",
                        devices, QEMU_SLOT_LIMIT);
        diag_help(diags, diag, "use fewer and larger regions");
    } else if (vm->slots.value && vm->slots.value < devices) {
        diag = diag_add(diags, RULE_MAX_MEMORY, vm->slots.at,
                        "%" PRIu64 " slots: libvirt gives each of the %zu regions of SPM one",
                        vm->slots.value, devices);
        diag_help(diags, diag, "write at least %zu, or auto", devices);
    }
}

/* The first region that is not normal; NULL where there is none. */
static const struct region *first_special(const struct vm *vm)
{
    FOR_EACH_REGION(vm, owner, region) {
        if (region->type.value != MEMORY_NORMAL)
            return region;
    }
    return NULL;
}

static void check_devices(const struct domain *d, struct diags *diags)
{
    size_t devices = 0;
    struct span last = {0};
    FOR_EACH_REGION(d->vm, node, region) {
        if (region->type.value != MEMORY_SPM)
            continue;
        struct obstacle obstacle = domain_obstacle(d, node, region);
        if (!obstacle.why) {
            devices++;
            check_alias(region, diags);
        } else if (!same_place(last, obstacle.at)) {
            struct diag *diag =
                diag_add(diags, RULE_LIBVIRT_PASSTHROUGH, obstacle.at,
                         "libvirt cannot describe this SPM (%s): it goes to QEMU as arguments, and "
                         "libvirt neither counts it nor opens its file",
                         obstacle.why);
            diag_help(diags, diag, "%s", obstacle.help);
            last = obstacle.at;
        }
    }
    check_slots(d->vm, devices, diags);
}

void check_libvirt_spm(struct check_context *c)
{
    const struct domain d = read_domain(c);
    const struct region *first = first_special(c->vm);
    enum spm_interface interface = c->qemu->interface;
    struct diag *diag;
    if (!first || interface == SPM_KERNEL_PARAMETER)
        return;
    if (interface != SPM_SP_MEM) {
        diag = diag_add(c->diags, RULE_LIBVIRT_SPM,
                        given(c->vm->qemu_spm.at) ? c->vm->qemu_spm.at : first->type.at,
                        "'%s' is an option of -numa, which libvirt writes itself",
                        spm_interface_names[interface]);
        diag_help(c->diags, diag,
                  "choose 'targets.qemu.spm-interface': sp-mem (QEMU 11.1), or "
                  "kernel-parameter");
        return;
    }
    diag = diag_add(c->diags, RULE_LIBVIRT_TAINT, first->type.at,
                    "libvirt has no SPM: it goes through the qemu: namespace, which taints the "
                    "domain (custom-device, or custom-argv)");
    diag_help(c->diags, diag,
              "expect no support for a tainted domain; 'rules: {disable: "
              "libvirt-taint}' turns the note off");
    check_devices(&d, c->diags);
}

/* --- cells and sizes ------------------------------------------------------------------------ */

/* Nodes without memory. Where libvirt cannot make them, those without CPUs can be left to QEMU's
 * arguments as long as all that follow can, too: ids of cells are 0 ... N-1. */
void check_libvirt_cells(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct domain d = read_domain(c);
    size_t cells = d.cell_count;
    for (size_t n = 0; n < cells && d.release < LIBVIRT_12_8; n++) {
        const struct node *node = &vm->nodes[n];
        if (qemu_boot_memory(node, c->qemu).size || node_repeats(vm, n))
            continue;
        struct diag *diag;
        if (d.release < LIBVIRT_11_4)
            diag = diag_add(c->diags, RULE_LIBVIRT_MEMORY_LESS, node->at,
                            "libvirt %u.%u gives node %zu a backend of 0 bytes, and QEMU does not "
                            "start",
                            d.release / 100, d.release % 100, n);
        else
            diag = diag_add(c->diags, RULE_LIBVIRT_UNPROVEN, node->at,
                            "node %zu has no normal memory: that works with libvirt 12.8, and was "
                            "not tried with %u.%u",
                            n, d.release / 100, d.release % 100);
        if (node->cpus.count)
            diag_note(c->diags, diag, node->cpus.at, "a node with CPUs has to be a <cell>");
        else
            diag_note(c->diags, diag, vm->nodes[cells - 1].at,
                      "this <cell> comes after it, and ids of cells have no gap");
        diag_help(c->diags, diag,
                  node->cpus.count ? "give the node normal memory, or run libvirt 12.8"
                                   : "give the nodes without CPUs and normal memory the highest "
                                     "ids, or run libvirt 12.8");
    }
}

static void rounded_up(struct diags *diags, struct span at, const char *what, uint64_t size,
                       uint64_t unit)
{
    struct strbuf written = {0};
    struct strbuf units = {0};
    strbuf_add_size(&written, round_up(size, unit), "");
    strbuf_add_size(&units, unit, " ");
    struct diag *diag =
        diag_add(diags, RULE_LIBVIRT_SIZE, at, "libvirt rounds %s up to whole %s, without a word",
                 what, units.data);
    diag_help(diags, diag, "write %s", written.data);
    strbuf_free(&written);
    strbuf_free(&units);
}

/* The first region of a cell that is not whole MiB. What QEMU refuses anyway is left to
 * size-alignment. */
static const struct region *odd_region(const struct domain *d, const struct node *node)
{
    const struct region *odd = NULL;
    for (size_t r = 0; r < node->region_count; r++) {
        const struct region *region = &node->regions[r];
        const struct backend *b = &region->backend;
        if (!domain_in_cell(d, region))
            continue;
        if (b->kind.value != BACKEND_RAM && region->size.value % backend_alignment(b))
            return NULL;
        if (!odd && region->size.value % MIB)
            odd = region;
    }
    return odd;
}

static void cannot_hold(struct diags *diags, struct span at, const char *what, const char *help)
{
    struct diag *diag = diag_add(diags, RULE_LIBVIRT_SIZE, at, "libvirt %s", what);
    diag_help(diags, diag, "%s", help);
}

/* Cache sizes are 32-bit KiB, and what is beyond is lost without a word (4 TiB became 0, run); in
 * the schema latencies and bandwidths are 32 bits, too. A line of 0 is left out. */
static void check_hmat_sizes(const struct vm *vm, struct diags *diags)
{
    for (size_t i = 0; i < vm->cache_count; i++) {
        const struct hmat_cache *cache = &vm->caches[i];
        if (cache->size.value % KIB || cache->size.value / KIB > UINT32_MAX)
            cannot_hold(diags, cache->size.at, "holds the size of a cache as whole KiB below 4 TiB",
                        "round it");
        if (!cache->line.value)
            cannot_hold(diags, cache->line.at, "leaves out a 'line' of 0, which QEMU then misses",
                        "write the length of a line, such as 64");
    }
    for (size_t i = 0; i < vm->pair_count; i++)
        for (int type = 0; type < HMAT_TYPES; type++) {
            const struct number *value = &vm->pairs[i].values[type];
            bool latency = type <= HMAT_WRITE_LATENCY;
            if (!given(value->at) || value->value / (latency ? 1000 : KIB) <= UINT32_MAX)
                continue;
            cannot_hold(diags, value->at,
                        latency ? "holds latencies below 4.3 seconds"
                                : "holds bandwidths below 4 TiB/s",
                        "write a smaller value");
        }
}

void check_libvirt_sizes(struct check_context *c)
{
    const struct vm *vm = c->vm;
    const struct domain d = read_domain(c);
    uint64_t boot = 0;
    for (size_t n = 0; n < vm->node_count; n++)
        boot += qemu_boot_memory(&vm->nodes[n], c->qemu).size;
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        const struct region *odd = boot % QEMU_RAM_UNIT ? NULL : odd_region(&d, node);
        if (node_repeats(vm, n))
            continue;
        if (odd && qemu_boot_memory(node, c->qemu).size % MIB)
            rounded_up(c->diags, odd->size.at, "the memory of a cell", odd->size.value, MIB);
        for (size_t r = 0; r < node->region_count; r++) {
            const struct region *region = &node->regions[r];
            uint64_t size = region->size.value;
            if (!domain_in_cell(&d, region) && size % backend_alignment(&region->backend) == 0 &&
                size % (2 * MIB) && !domain_obstacle(&d, node, region).why)
                rounded_up(c->diags, region->size.at, "a memory device", size, 2 * MIB);
        }
    }
    if (vm->max_memory.value % MIB)
        rounded_up(c->diags, vm->max_memory.at, "the maximum of memory", vm->max_memory.value, MIB);
    check_hmat_sizes(vm, c->diags);
}

/* --- distances ------------------------------------------------------------------------------ */

void check_libvirt_distances(struct check_context *c)
{
    const struct domain d = read_domain(c);
    if (!c->vm->distances.values || d.slit)
        return;
    struct diag *diag =
        diag_add(c->diags, RULE_LIBVIRT_DISTANCES, c->vm->distances.at,
                 "libvirt drops distances that are all 10 and 20: the guest gets no "
                 "SLIT, and takes just these");
    diag_help(c->diags, diag, "leave 'distances' out, or write other values");
}

/* --- HMAT ----------------------------------------------------------------------------------- */

/* "Link already defined" for 1 -> 0 after 0 -> 1, of whatever type. */
static void check_directions(const struct vm *vm, struct arena *arena, struct diags *diags)
{
    size_t n = vm->node_count;
    uint32_t *seen = arena_alloc(arena, vm->pair_count ? n * n : 0, sizeof(*seen));
    for (size_t i = 0; i < vm->pair_count; i++) {
        const struct hmat_pair *pair = &vm->pairs[i];
        size_t from = pair->from.value;
        size_t to = pair->to.value;
        if (from >= n || to >= n || from == to)
            continue;
        uint32_t back = seen[to * n + from];
        if (!back) {
            seen[from * n + to] = (uint32_t)i + 1;
            continue;
        }
        /* The emitter has the same remedy for all. */
        struct diag *diag = diag_add(diags, RULE_LIBVIRT_HMAT, pair->at,
                                     "libvirt holds one direction of each link: the other goes "
                                     "to QEMU as arguments, which taints the domain (custom-argv)");
        diag_note(diags, diag, vm->pairs[back - 1].at, "the other direction");
        diag_help(diags, diag,
                  "a complete HMAT has both; 'rules: {disable: libvirt-hmat}' turns "
                  "the note off");
        return;
    }
}

/* Only a node with boot memory has the entry in the HMAT that the initiator is in. */
static void check_chosen_initiators(const struct domain *d, struct arena *arena,
                                    struct diags *diags)
{
    const struct vm *vm = d->vm;
    const struct domain_initiator *initiators = domain_initiators(d, arena);
    for (size_t n = 0; n < vm->node_count; n++) {
        const struct node *node = &vm->nodes[n];
        const struct domain_initiator *chosen = &initiators[n];
        struct diag *diag;
        if (!given(node->initiator.at) || node->cpus.count || node_repeats(vm, n) ||
            !qemu_boot_memory(node, d->qemu).size ||
            (d->hmat_in_xml && chosen->node == node->initiator.value))
            continue;
        if (!d->hmat_in_xml) {
            diag =
                diag_add(diags, RULE_LIBVIRT_INITIATOR, node->initiator.at,
                         "libvirt knows no initiators without values between nodes that it makes: "
                         "the guest will see none");
            diag_help(diags, diag, "add pairs to 'performance'");
            continue;
        }
        diag = diag_add(diags, RULE_LIBVIRT_INITIATOR, node->initiator.at,
                        "libvirt chooses the initiator itself: the guest will see node %" PRIu64
                        ", not node %" PRIu64,
                        chosen->node, node->initiator.value);
        if (chosen->best)
            diag_note(diags, diag, chosen->best->at,
                      chosen->by_latency ? "it has the lowest latency to this node"
                                         : "it has the highest bandwidth to this node");
        diag_help(diags, diag,
                  "give node %" PRIu64 " the lowest latency to this node, or write "
                  "'initiator: %" PRIu64 "'",
                  node->initiator.value, chosen->node);
    }
}

void check_libvirt_hmat(struct check_context *c)
{
    const struct domain d = read_domain(c);
    if (!given(c->vm->hmat_at))
        return;
    check_directions(c->vm, c->arena, c->diags);
    check_chosen_initiators(&d, c->arena, c->diags);
}
