/* SPDX-License-Identifier: MIT */
/* Mappings by tables of keys, and a reader for each kind of value: what the files of the loader share.
 * All report what they refuse and go on. Layer 3. */
#ifndef SPMTOPO_LOAD_KEYS_H
#define SPMTOPO_LOAD_KEYS_H

#include "doc.h"
#include "model.h"

struct loader {
    struct vm *vm;
    struct arena *arena; /* owns what the model holds */
    struct diags *diags;
    const struct doc_node *distances; /* read last: it needs the number of nodes */
    size_t harmless; /* errors that leave the model whole: what follows can be judged */
};

struct key;

/* Reads the value of a key into a field of the structure that its mapping fills. */
typedef void load_function(struct loader *l, const struct doc_node *value, void *into,
                           const struct key *key);

/* A key of a mapping: how its value is read, and where in the structure it goes. */
struct key {
    const char *name;
    load_function *load;
    size_t offset;
    bool required;
    /* for load_number */
    bool (*parse)(const char *text, uint64_t *value, struct unit_error *error);
    uint64_t least, most; /* most 0: no bounds */
    /* for load_choice */
    const char *const *names;
    size_t name_count;
    /* for load_text */
    bool many_lines;
};

#define CHOICE(table) .load = load_choice, .names = (table), .name_count = ARRAY_SIZE(table)
#define NUMBER(low, high) .load = load_number, .parse = number_parse, .least = (low), .most = (high)
#define SIZE .load = load_number, .parse = size_parse
#define BOOLEAN .load = load_boolean

/* Reads a mapping by its table of keys into the structure at base. `what` it is: "a node". */
void load_keys(struct loader *l, const struct doc_node *node, void *base, const struct key *keys,
               size_t count, const char *what);
/* Calls each() for every item of a sequence. `what` is expected: "a sequence of nodes". */
void load_items(struct loader *l, const struct doc_node *value, const char *what,
                void (*each)(struct loader *l, const struct doc_node *item));
/* One more element at the end of an array of the model's. */
#define APPEND(l, array, count, cap)                                                               \
    ((array) = arena_grow((l)->arena, (array), (count), &(cap), sizeof(*(array))),                 \
     &(array)[(count)++])

/* --- readers of values ---------------------------------------------------------------------- */

/* Into a struct number. A size is at least 1. */
load_function load_number;
/* A number, or the word auto, which is 0 with no place. */
load_function load_number_or_auto;
/* A size, or true for the default huge page of x86, or false. */
load_function load_hugepages;
/* Into a struct text, without controls. */
load_function load_text;
/* Into a struct choice: the index of the word. */
load_function load_choice;
/* Into a struct choice: 0 or 1. */
load_function load_boolean;
/* Into a struct id_list: text, or a sequence of numbers and such texts. */
load_function load_ids;

/* The text of a scalar that is not empty, else NULL and an error that says what was expected. */
const char *load_scalar(struct loader *l, const struct doc_node *node, const char *what);
/* Reports that a node is of another kind than `what` was expected. */
struct diag *load_wrong_kind(struct loader *l, const struct doc_node *node, const char *what);
/* Reports what a parser of values refused. */
void load_bad_value(struct loader *l, struct span at, const struct unit_error *error);

/* --- the parts of a topology, by file ------------------------------------------------------- */

/* load_machine.c: into a struct machine, a struct boot, a struct cpus, and the model */
load_function load_machine;
load_function load_boot;
load_function load_cpus;
load_function load_device_memory;
/* load_nodes.c: into the model */
load_function load_defaults;
load_function load_nodes;
/* Sorts the nodes by id. Everything after loading takes a node's id as its index: reports ids that are
 * there twice, and gaps. */
void load_node_ids(struct loader *l);
/* load_distances.c: those that were kept, once the nodes are known */
void load_distances(struct loader *l);
/* load_hmat.c: into the model */
load_function load_hmat;
/* load_rules.c: into the model */
load_function load_rules;
/* load_targets.c: into the model */
load_function load_targets;

#endif
