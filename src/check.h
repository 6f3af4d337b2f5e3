/* SPDX-License-Identifier: MIT */
/* The rules' functions: what is wrong with a model, for the targets that are asked for. They read and
 * report, and never change what they judge. Layer 5. */
#ifndef SPMTOPO_CHECK_H
#define SPMTOPO_CHECK_H

#include "layout.h"

/* What the functions judge. */
struct check_context {
    const struct vm *vm;
    unsigned targets;               /* enum target_bit: who will run it */
    const struct qemu_target *qemu; /* from PHASE_TARGET on, where a target runs QEMU */
    const struct layout *layout;    /* in PHASE_PLACED, where a target runs QEMU */
    struct arena *arena;            /* for what is made; check_run() has one of its own */
    struct diags *diags;
};

/* Runs the functions of a phase that concern the context's targets. false when one of them found an
 * error. */
bool check_run(const struct check_context *context, enum phase phase);

/* The functions, by file; the table of rules names them. */
/* check.c */
void check_cpus(struct check_context *context);
void check_object_ids(struct check_context *context);
void check_address_types(struct check_context *context);
void check_boot_memory(struct check_context *context);
void check_mixed(struct check_context *context);
void check_spm_cpus(struct check_context *context);
void check_firmware_version(struct check_context *context);
/* check_backends.c */
void check_backends(struct check_context *context);
void check_backend_paths(struct check_context *context);
void check_host_placement_spm(struct check_context *context);
/* check_hmat.c */
void check_hmat(struct check_context *context);
/* check_qemu.c */
void check_counts(struct check_context *context);
void check_apic_ids(struct check_context *context);
void check_smbios(struct check_context *context);
void check_node_regions(struct check_context *context);
void check_sizes(struct check_context *context);
void check_hmat_values(struct check_context *context);
void check_hmat_rows(struct check_context *context);
void check_boot(struct check_context *context);
void check_confidential(struct check_context *context);
void check_interface(struct check_context *context);
void check_slot_slack(struct check_context *context);
void check_amd_hole(struct check_context *context);
void check_migration(struct check_context *context);
/* check_guest_nodes.c */
void check_empty_nodes(struct check_context *context);
void check_node_numbers(struct check_context *context);
void check_splits(struct check_context *context);
/* check_guest_cmdline.c */
void check_cmdline(struct check_context *context);
/* check_guest_firmware.c */
void check_firmware(struct check_context *context);
void check_firmware_start(struct check_context *context);
void check_secure_boot(struct check_context *context);
void check_low_end(struct check_context *context);
/* check_guest_spm.c */
void check_touching(struct check_context *context);
void check_blocks(struct check_context *context);
/* check_guest_distances.c */
void check_distances(struct check_context *context);
/* check_guest_hmat.c */
void check_tiers(struct check_context *context);
void check_hmat_complete(struct check_context *context);
void check_hmat_distances(struct check_context *context);
/* check_libvirt.c */
void check_libvirt_values(struct check_context *context);
void check_libvirt_spm(struct check_context *context);
void check_libvirt_sizes(struct check_context *context);
void check_libvirt_cells(struct check_context *context);
void check_libvirt_hmat(struct check_context *context);
void check_libvirt_distances(struct check_context *context);
void check_libvirt_backends(struct check_context *context);
/* check_cloudhv.c */
void check_cloudhv_dropped(struct check_context *context);
void check_cloudhv_nodes(struct check_context *context);
void check_cloudhv_order(struct check_context *context);
void check_cloudhv_cpus(struct check_context *context);
void check_cloudhv_backends(struct check_context *context);
void check_cloudhv_boot(struct check_context *context);
void check_cloudhv_machine(struct check_context *context);
void check_cloudhv_spm(struct check_context *context);
void check_cloudhv_sizes(struct check_context *context);
void check_cloudhv_blocks(struct check_context *context);
void check_cloudhv_kernel(struct check_context *context);

/* " (and 3 more nodes)" in a message that speaks for several, in the arena; "" where `more` is 0. */
const char *and_more(struct arena *arena, size_t more, const char *what);

#endif
