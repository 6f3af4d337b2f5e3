/* SPDX-License-Identifier: MIT */
/* What a file says to each target. */
#include "load_keys.h"

/* Only what a target knows: QEMU has no "none", cloud-hypervisor only two. */
static const char *const qemu_spm_names[] = {[SPM_AUTO] = "auto",
                                             [SPM_SP_MEM] = "sp-mem",
                                             [SPM_MEMMAP_TYPE] = "memmap-type",
                                             [SPM_FLAG] = "spm-flag",
                                             [SPM_KERNEL_PARAMETER] = "kernel-parameter"};
static const char *const cloudhv_spm_names[] = {
    [SPM_KERNEL_PARAMETER] = "kernel-parameter", [SPM_NONE] = "none"};

static const struct key qemu_keys[] = {
#define AT(field) .offset = offsetof(struct vm, field)
    {"version", load_text, AT(qemu_version)},
    {"spm-interface", CHOICE(qemu_spm_names), AT(qemu_spm)},
    {"binary", load_text, AT(qemu_binary)},
};

static const struct key libvirt_keys[] = {
    {"uuid", load_text, AT(libvirt_uuid)},
    {"version", load_text, AT(libvirt_version)},
    {"emulator", load_text, AT(libvirt_emulator)},
};

static const struct key cloudhv_keys[] = {
    {"version", load_text, AT(cloudhv_version)},
    {"spm-interface", CHOICE(cloudhv_spm_names), AT(cloudhv_spm)},
#undef AT
};

static void load_qemu(struct loader *l, const struct doc_node *value, void *into,
                      const struct key *key)
{
    (void)key;
    l->vm->named_targets |= TARGET_QEMU;
    load_keys(l, value, into, qemu_keys, ARRAY_SIZE(qemu_keys), "'qemu'");
}

static void load_libvirt(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    (void)key;
    l->vm->named_targets |= TARGET_LIBVIRT;
    load_keys(l, value, into, libvirt_keys, ARRAY_SIZE(libvirt_keys), "'libvirt'");
}

static void load_cloudhv(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    (void)key;
    l->vm->named_targets |= TARGET_CLOUDHV;
    load_keys(l, value, into, cloudhv_keys, ARRAY_SIZE(cloudhv_keys), "'cloud-hypervisor'");
}

static const struct key targets_keys[] = {
    {"qemu", load_qemu, .offset = 0},
    {"libvirt", load_libvirt, .offset = 0},
    {"cloud-hypervisor", load_cloudhv, .offset = 0},
};

void load_targets(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    (void)key;
    load_keys(l, value, into, targets_keys, ARRAY_SIZE(targets_keys), "'targets'");
}
