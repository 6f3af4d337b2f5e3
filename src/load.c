/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <string.h>

#include "load_keys.h"

static void load_name(struct loader *l, const struct doc_node *value, void *into,
                      const struct key *key)
{
    load_text(l, value, into, key);
    struct text *name = into;
    const char *text = name->value;
    if (!text)
        return;
    size_t len = strlen(text);
    if (len > 63 || !strchr(LETTERS DIGITS, text[0]) || strspn(text, LETTERS DIGITS "._-") != len) {
        struct diag *d =
            diag_add(l->diags, RULE_BAD_VALUE, value->at, "'%.70s' is not a name", text);
        diag_help(l->diags, d,
                  "write 1 to 63 letters, digits, '.', '_' or '-', first a letter or "
                  "digit");
    }
}

/* Of another version no key can be judged. */
static bool known_version(struct loader *l, const struct doc_node *root)
{
    for (size_t p = 0; root->kind == DOC_MAPPING && p < doc_count(root); p++) {
        const struct doc_node *value = doc_pairs(root)[p].value;
        if (strcmp(doc_text(doc_pairs(root)[p].key), "spmtopo") != 0 ||
            (value->kind == DOC_SCALAR && strcmp(doc_text(value), "1") == 0))
            continue;
        struct diag *d = diag_add(l->diags, RULE_LANGUAGE_VERSION, value->at,
                                  "this version of the language is not known");
        diag_help(l->diags, d, "write 'spmtopo: 1'");
        return false;
    }
    return true;
}

/* Judged before all other keys. */
static void load_nothing(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    (void)l;
    (void)value;
    (void)into;
    (void)key;
}

/* Kept for later: it needs the number of nodes, whatever the order of the keys. */
static void keep_distances(struct loader *l, const struct doc_node *value, void *into,
                           const struct key *key)
{
    (void)into;
    (void)key;
    l->distances = value;
}

static const struct key top_keys[] = {
#define AT(field) .offset = offsetof(struct vm, field)
    {"spmtopo", load_nothing, .offset = 0, .required = true},
    {"name", load_name, AT(name), .required = true},
    {"description", load_text, AT(description), .many_lines = true},
    {"machine", load_machine, AT(machine)},
    {"boot", load_boot, AT(boot)},
    {"cpus", load_cpus, AT(cpus), .required = true},
    {"defaults", load_defaults, .offset = 0},
    {"nodes", load_nodes, .offset = 0, .required = true},
    {"distances", keep_distances, .offset = 0},
    {"hmat", load_hmat, .offset = 0},
    {"device-memory", load_device_memory, .offset = 0},
    {"rules", load_rules, .offset = 0},
    {"targets", load_targets, .offset = 0},
#undef AT
};

bool model_load(struct vm *vm, const struct doc_node *root, struct arena *arena,
                struct diags *diags)
{
    struct loader l = {.vm = vm, .arena = arena, .diags = diags};
    size_t before = diags->errors;
    vm->cloudhv_spm.value = SPM_NONE;
    vm->machine.type.value = "q35";
    vm->qemu_version.value = "11.1";
    vm->qemu_binary.value = "qemu-system-x86_64";
    vm->libvirt_version.value = "12.8";
    vm->libvirt_emulator.value = "qemu-system-x86_64";
    if (!known_version(&l, root))
        return false;
    load_keys(&l, root, vm, top_keys, ARRAY_SIZE(top_keys), "a topology");
    load_node_ids(&l);
    if (l.distances && diags->errors == before + l.harmless)
        load_distances(&l);
    return diags->errors == before + l.harmless;
}
