/* SPDX-License-Identifier: MIT */
/* SRAT, SLIT and HMAT as structures, and their bytes. Layer 6. */
#ifndef SPMTOPO_ACPI_H
#define SPMTOPO_ACPI_H

#include "layout.h"
#include "strbuf.h"

/* Processor affinity. With x2apic the structure is type 2, else type 0 (ACPI 6.5, 5.2.16). */
struct srat_cpu {
    uint32_t node;
    uint32_t apic_id;
    bool x2apic;
};

struct srat {
    struct srat_cpu *cpus;
    size_t cpu_count;
    const struct affinity *memory;
    size_t memory_count;
};

struct slit {
    size_t nodes;
    const uint8_t *distances; /* nodes * nodes, row = from; NULL: there is no SLIT */
};

/* Memory proximity domain attributes (ACPI 6.5, 5.2.28.3). */
struct hmat_attributes {
    bool has_initiator;
    uint32_t initiator;
    uint32_t memory;
};

/* System locality latency and bandwidth information (ACPI 6.5, 5.2.28.4), of hierarchy "memory". */
struct hmat_locality {
    enum hmat_type type;
    uint64_t unit; /* picoseconds or MiB/s per count */
    const uint32_t *initiators;
    size_t initiator_count;
    size_t target_count; /* targets are 0 ... target_count-1 */
    uint16_t *values;    /* initiator_count rows */
};

/* Memory side cache information (ACPI 6.5, 5.2.28.5). */
struct hmat_side_cache {
    const struct hmat_cache *cache;
    uint32_t levels; /* of this node */
};

struct hmat {
    bool present;
    struct hmat_attributes *attributes;
    size_t attribute_count;
    struct hmat_locality *localities;
    size_t locality_count;
    struct hmat_side_cache *caches;
    size_t cache_count;
};

/* How a VMM writes tables: its ids in their headers (ACPI 6.5, table 5.4), and the form of its SRAT. */
struct acpi_maker {
    const char *oem_id;       /* 6 characters */
    const char *table_prefix; /* 8 characters, or fewer before the signature */
    const char *creator;      /* 4 characters */
    uint32_t creator_revision;
    unsigned srat_revision;
    uint32_t srat_reserved;
    bool by_node; /* memory and CPUs of a node together, not all CPUs first */
};

extern const struct acpi_maker maker_qemu;    /* hw/acpi/aml-build.c */
extern const struct acpi_maker maker_cloudhv; /* vmm/src/acpi.rs, crate acpi_tables */

/* All that a guest is told of its memory. */
struct tables {
    const struct acpi_maker *maker;
    const struct e820_entry *e820;
    size_t e820_count;
    struct srat srat;
    struct slit slit;
    struct hmat hmat;
};

/* The tables of the guest that QEMU builds. Owned by the arena; borrows from layout and vm. */
void tables_qemu(struct tables *tables, const struct vm *vm, const struct qemu_target *target,
                 const struct layout *layout, struct arena *arena);

/* The tables of the guest that cloud-hypervisor starts, likewise. */
void tables_cloudhv(struct tables *tables, const struct vm *vm, const struct layout *layout,
                    struct arena *arena);

/* The processors of a completed model, in order of vCPUs, by xAPIC ids where they suffice. */
void srat_add_cpus(struct srat *srat, const struct vm *vm, struct arena *arena);

/* The places of srat->cpus in the order of the table's entries. The caller frees it. */
size_t *srat_cpu_order(const struct acpi_maker *maker, const struct srat *srat);

/* Linux's number of each node: it numbers them as it meets their proximity domains, processors first, then
 * memory (drivers/acpi/numa/srat.c). NO_NODE where the SRAT does not name one. The caller frees it. */
uint32_t *srat_linux_numbers(const struct acpi_maker *maker, const struct srat *srat,
                             size_t node_count);

/* A distance as Linux has it: without a SLIT its own (include/linux/topology.h). */
uint8_t slit_distance(const struct slit *slit, size_t from, size_t to);

/* The vCPUs of a node as ids are written: "0-3,8"; nothing where it has none. */
void srat_cpus_text(struct strbuf *out, const struct srat *srat, size_t node);

/* The bytes: E820 as QEMU's etc/e820 holds it (20-byte records), the tables as they are in guest
 * memory, header and checksum included. An absent table adds nothing. */
void e820_encode(struct strbuf *out, const struct e820_entry *entries, size_t count);
void srat_encode(struct strbuf *out, const struct acpi_maker *maker, const struct srat *srat);
void slit_encode(struct strbuf *out, const struct acpi_maker *maker, const struct slit *slit);
void hmat_encode(struct strbuf *out, const struct acpi_maker *maker, const struct hmat *hmat);

#endif
