/* SPDX-License-Identifier: MIT */
/* What a guest shows of itself, and the readers of it: one dump_*.c for each kind of source. Layer 7. */
#ifndef SPMTOPO_GUEST_VIEW_H
#define SPMTOPO_GUEST_VIEW_H

#include "guest.h"

/* Types of ranges besides those of E820 (layout.h): firmware's, and /proc/iomem's. */
enum { RANGE_OTHER = 0, RANGE_KMEM = 0x100 };

/* Limits on what is kept of one source; beyond them it is damaged. */
enum {
    VIEW_RANGE_LIMIT = 16384,
    VIEW_CPU_LIMIT = 16384,
    VIEW_NODE_LIMIT = 4096,
    VIEW_DAX_LIMIT = 4096,
    VIEW_FILE_LIMIT = 4 << 20
};

struct view_range {
    uint64_t start, end; /* up to, not with, end */
    uint32_t type;
    uint32_t number, domain; /* SRAT lines: Linux's node and the proximity domain */
    uint32_t flags;          /* SRAT lines: as the table's */
};

/* Ranges of one source, in its order. */
struct view_map {
    struct view_range *items;
    size_t count, cap;
    bool present;
    const char *damage; /* what of it could not be read; NULL: whole */
};

struct view_cpu {
    uint32_t domain, apic_id, number;
};

struct view_node {
    uint32_t number;
    bool has_cpus, has_distances, has_memory;
    struct id_list cpus;
    uint32_t *distances; /* to the online nodes, in their order */
    size_t distance_count;
    uint64_t memory; /* bytes: MemTotal */
};

struct view_dax {
    char name[32];
    bool has_start, has_size, has_target;
    uint64_t start, size;
    int64_t target; /* Linux's node; -1: none */
};

enum view_table { VIEW_SRAT, VIEW_SLIT, VIEW_HMAT, VIEW_APIC, VIEW_TABLES };
extern const char *const view_table_names[VIEW_TABLES];

struct view_bytes {
    const unsigned char *data;
    size_t len;
    bool present;
};

/* What can be wrong with a list in a log: a damage is one of these, or a text of its own. */
extern const char log_torn[];     /* a line cannot be read */
extern const char log_headless[]; /* lines may be missing before it */
extern const char log_cut[];      /* and behind it */
extern const char log_mixed[];    /* behind its end come other lines of its kind */

/* The kernel's log of one boot, the last that a log holds. */
struct view_log {
    bool present;        /* there are lines of a kernel */
    bool efi;            /* started through EFI */
    bool past_efi;       /* it goes on behind the line that says so */
    char version[128];   /* "7.2.12+deb14-amd64" */
    char firmware[128];  /* as DMI says it */
    char truncated[128]; /* kmem's line on a region that is not whole memory blocks */
    bool has_cmdline;
    char cmdline[4096];
    struct view_map e820; /* firmware's */
    struct view_map user; /* after memmap= */
    struct view_map srat;
    struct view_cpu *cpus;
    size_t cpu_count, cpu_cap;
    const char *cpu_damage;
    uint32_t table_length[VIEW_TABLES]; /* 0: not listed */
    uint64_t table_address[VIEW_TABLES];
    bool table_twice[VIEW_TABLES]; /* listed at two addresses */
    bool lists_tables;
    bool tables_whole; /* the list, from its start to its end */
    struct view_map
        setup;  /* the nodes that are set up, by Linux's number; up to 1: without memory */
    bool faked; /* Linux goes by no table and makes one node of all */
};

struct guest_view {
    struct arena *arena; /* owns what the pointers reach */
    struct view_log log;
    struct view_map memmap; /* /sys/firmware/memmap: index is the entry's number */
    struct view_map iomem;
    bool iomem_soft; /* it has soft-reserved ranges at all */
    struct view_bytes tables[VIEW_TABLES];
    struct view_node *nodes; /* by number */
    size_t node_count, node_cap;
    struct id_list online, possible;
    bool has_online, has_possible;
    const char *node_damage;
    struct view_dax *dax;
    size_t dax_count, dax_cap;
    const char *dax_damage;
    bool has_cmdline;
    char cmdline[4096];
    char version[128];
};

/* A log as it comes, in pieces of any length. Memory does not grow with it. */
struct log_reader {
    struct guest_view *view;
    char line[4096];
    size_t len;
    bool too_long; /* the rest of the line is left out */
    bool early;    /* something was seen that the kernel logs before the SRAT */
    /* Nothing was seen yet of what the kernel logs behind it. */
    bool map_open, tables_open, srat_open, setup_open;
};

void log_feed(struct log_reader *reader, const char *bytes, size_t len);
/* At the end: the last line, and what a log that ends there leaves out. */
void log_end(struct log_reader *reader);

/* Whether a file of the guest, by its path below the root, is one that is read. "dmesg" is not: it
 * goes to a log_reader. */
bool view_wants(const char *path);
/* Takes such a file. What is wrong with it is kept as damage of its source. */
void view_take(struct guest_view *view, const char *path, const char *bytes, size_t len);
/* When all files were taken. */
void view_complete(struct guest_view *view);
/* Whether there is anything in it. */
bool view_is_empty(const struct guest_view *view);

/* The readers; `rest` is what follows their folder in the path, "" where the source is one file. */
void dump_memmap(struct guest_view *view, const char *rest, const char *bytes, size_t len);
void dump_memmap_complete(struct guest_view *view);
void dump_iomem(struct guest_view *view, const char *rest, const char *bytes, size_t len);
void dump_node(struct guest_view *view, const char *rest, const char *bytes, size_t len);
void dump_dax(struct guest_view *view, const char *rest, const char *bytes, size_t len);
void dump_table(struct guest_view *view, const char *rest, const char *bytes, size_t len);

/* A new range at the end of a map; NULL, and damage, beyond the limit. */
struct view_range *view_add_range(struct guest_view *view, struct view_map *map);
/* The text of a file without the line break at its end, in the arena. */
char *view_text(struct guest_view *view, const char *bytes, size_t len);
/* A number in a base, and nothing after it. */
bool view_number(const char *text, int base, uint64_t *value);

#endif
