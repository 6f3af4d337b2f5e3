/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "cmdline.h"
#include "nearest.h"
#include "strbuf.h"

struct loader {
    struct vm *vm;
    struct arena *arena;
    struct diags *diags;
    const struct doc_node *distances; /* read last: it needs the number of nodes */
    size_t harmless; /* errors that leave the model whole: what follows can be judged */
};

/* A key of a mapping: how its value is read, and where in the structure it goes. */
struct key {
    const char *name;
    void (*load)(struct loader *l, const struct doc_node *value, void *into, const struct key *key);
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

static const char *const kind_names[] = {
    [DOC_SCALAR] = "a scalar", [DOC_SEQUENCE] = "a sequence", [DOC_MAPPING] = "a mapping"};

static const char *found(const struct doc_node *node)
{
    return node->kind == DOC_SCALAR && !doc_has_text(node) ? "nothing" : kind_names[node->kind];
}

static struct diag *expected(struct loader *l, const struct doc_node *node, const char *what)
{
    struct diag *d =
        diag_add(l->diags, RULE_WRONG_KIND, node->at, "expected %s, found %s", what, found(node));
    diag_help(l->diags, d, "write %s here; the manual spmtopo.yaml(5) shows each key's form", what);
    return d;
}

/* The text of a scalar that is not empty, else NULL and an error that says what was expected. */
static const char *scalar(struct loader *l, const struct doc_node *node, const char *what)
{
    if (doc_has_text(node))
        return doc_text(node);
    expected(l, node, what);
    return NULL;
}

static void bad_value(struct loader *l, struct span at, const struct unit_error *error)
{
    struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, at, "%s", error->message);
    if (error->help[0])
        diag_help(l->diags, d, "%s", error->help);
}

static void load_number(struct loader *l, const struct doc_node *value, void *into,
                        const struct key *key)
{
    struct number *number = into;
    struct unit_error error;
    if (!doc_has_text(value)) {
        expected(l, value,
                 key->parse == size_parse      ? "a size"
                 : key->parse == address_parse ? "an address"
                 : key->parse == number_parse  ? "a whole number"
                 : key->parse == latency_parse ? "a latency"
                                               : "a bandwidth");
        return;
    }
    uint64_t v = 0;
    if (!key->parse(doc_text(value), &v, &error)) {
        bad_value(l, value->at, &error);
        return;
    }
    if (key->most && (v < key->least || v > key->most)) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at,
                                  "'%s' of %" PRIu64 " is out of range", key->name, v);
        diag_help(l->diags, d, "write a number from %" PRIu64 " to %" PRIu64, key->least,
                  key->most);
        return;
    }
    if (key->parse == size_parse && v == 0) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "'%s' is 0", key->name);
        diag_help(l->diags, d, "write a size above 0, or leave '%s' out", key->name);
        return;
    }
    *number = (struct number){.value = v, .at = value->at};
}

/* Controls, line separators and what turns the direction of text: they hide or forge what a person
 * reads. */
static bool has_control(const char *text, bool many_lines)
{
    static const char *const marks[] = {"\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAA",
                                        "\xE2\x80\xAB", "\xE2\x80\xAC", "\xE2\x80\xAD",
                                        "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA7",
                                        "\xE2\x81\xA8", "\xE2\x81\xA9", "\xEF\xBB\xBF"};
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if ((*p < 0x20 && !(many_lines && (*p == '\n' || *p == '\t'))) || *p == 0x7f)
            return true;
        if (*p == 0xC2 && p[1] < 0xA0)
            return true;
        for (size_t i = 0; *p >= 0xE2 && i < ARRAY_SIZE(marks); i++)
            if (strncmp((const char *)p, marks[i], 3) == 0)
                return true;
    }
    return false;
}

static void load_text(struct loader *l, const struct doc_node *value, void *into,
                      const struct key *key)
{
    struct text *text = into;
    if (value->kind != DOC_SCALAR) {
        expected(l, value, "a text");
        return;
    }
    if (has_control(doc_text(value), key->many_lines)) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at,
                                  "'%s' holds a control character", key->name);
        diag_help(l->diags, d, "write it on one line, without tabs or other controls");
        return;
    }
    if (!doc_has_text(value) && !key->many_lines) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "'%s' is empty", key->name);
        diag_help(l->diags, d, "write a text, or leave '%s' out", key->name);
        return;
    }
    *text = (struct text){arena_strdup(l->arena, doc_text(value)), value->at};
}

/* Appends the words of a list to a help text: "a, b or c". */
static void add_words(struct strbuf *b, const char *const *names, size_t count)
{
    for (size_t i = 0, written = 0; i < count; i++) {
        if (!names[i])
            continue;
        strbuf_adds(b, written == 0 ? "" : i + 1 == count ? " or " : ", ");
        strbuf_adds(b, names[i]);
        written++;
    }
}

static void load_choice(struct loader *l, const struct doc_node *value, void *into,
                        const struct key *key)
{
    struct choice *choice = into;
    struct strbuf words = {0};
    add_words(&words, key->names, key->name_count);
    if (!doc_has_text(value)) {
        diag_help(l->diags, expected(l, value, "a word"), "write %s", words.data);
        strbuf_free(&words);
        return;
    }
    struct nearest nearest = {.word = doc_text(value)};
    for (size_t i = 0; i < key->name_count; i++) {
        if (!key->names[i])
            continue;
        if (strcmp(key->names[i], doc_text(value)) == 0) {
            *choice = (struct choice){.value = (int)i, .at = value->at};
            strbuf_free(&words);
            return;
        }
        nearest_offer(&nearest, key->names[i]);
    }
    struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "'%.60s' is not a value of '%s'",
                              doc_text(value), key->name);
    if (nearest.best)
        diag_help(l->diags, d, "did you mean '%s'? There are %s", nearest.best, words.data);
    else
        diag_help(l->diags, d, "write %s", words.data);
    strbuf_free(&words);
}

/* true, false, or -1 where it is neither. */
static int boolean(const char *text)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return (int)(i % 2);
    return -1;
}

static void load_boolean(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    struct choice *choice = into;
    const char *text = scalar(l, value, "true or false");
    if (!text)
        return;
    int v = boolean(text);
    if (v < 0) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at,
                                  "'%.60s' is not a value of '%s'", text, key->name);
        diag_help(l->diags, d, "write true or false");
        return;
    }
    *choice = (struct choice){.value = v, .at = value->at};
}

/* A size, or true for the default huge page of x86, or false. */
static void load_hugepages(struct loader *l, const struct doc_node *value, void *into,
                           const struct key *key)
{
    struct number *number = into;
    int v = value->kind == DOC_SCALAR ? boolean(doc_text(value)) : -1;
    if (v >= 0)
        *number = (struct number){.value = v ? 2 * MIB : 0, .at = value->at};
    else
        load_number(l, value, number, &(struct key){.name = key->name, .parse = size_parse});
}

/* A number, or the word auto. */
static void load_number_or_auto(struct loader *l, const struct doc_node *value, void *into,
                                const struct key *key)
{
    if (value->kind == DOC_SCALAR && strcmp(doc_text(value), "auto") == 0)
        *(struct number *)into = (struct number){0};
    else
        load_number(l, value, into, key);
}

static void add_ids(struct loader *l, const struct doc_node *value, struct id_list *list)
{
    const char *text = scalar(l, value, "a list of ids such as 0-3,8");
    while (text && *text) {
        struct unit_error error;
        struct id_range range;
        if (!id_range_next(&text, &range, &error)) {
            bad_value(l, value->at, &error);
            return;
        }
        if (list->count == VCPU_LIMIT) {
            struct diag *d = diag_add(l->diags, RULE_LIMIT, value->at,
                                      "a list of more than %d ids and ranges", VCPU_LIMIT);
            diag_help(l->diags, d, "write ranges, such as 0-8191");
            return;
        }
        list->ranges =
            arena_grow(l->arena, list->ranges, list->count, &list->cap, sizeof(*list->ranges));
        list->ranges[list->count++] = range;
    }
}

/* An id list: text, or a sequence of numbers and such texts. */
static void load_ids(struct loader *l, const struct doc_node *value, void *into,
                     const struct key *key)
{
    (void)key;
    struct id_list *list = into;
    list->at = value->at;
    if (value->kind != DOC_SEQUENCE)
        add_ids(l, value, list);
    for (size_t i = 0; value->kind == DOC_SEQUENCE && i < doc_count(value); i++)
        add_ids(l, doc_items(value)[i], list);
    if (value->kind == DOC_SEQUENCE && !doc_count(value)) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "the list is empty");
        diag_help(l->diags, d, "write the ids, or leave the key out");
    }
}

static void unknown_key(struct loader *l, const struct doc_node *key, const struct key *keys,
                        size_t count, const char *what)
{
    struct nearest nearest = {.word = doc_text(key)};
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, keys[i].name);
    struct diag *d = diag_add(l->diags, RULE_UNKNOWN_KEY, key->at, "unknown key '%.60s' in %s",
                              doc_text(key), what);
    /* A mistyped 'memory' leaves a node without; where every key may be left out, one more is. */
    bool optional = true;
    for (size_t i = 0; i < count; i++)
        optional = optional && !keys[i].required;
    l->harmless += optional || !nearest.best;
    if (nearest.best) {
        diag_help(l->diags, d, "did you mean '%s'?", nearest.best);
        return;
    }
    const char *names[32];
    for (size_t i = 0; i < count; i++)
        names[i] = keys[i].name;
    struct strbuf words = {0};
    add_words(&words, names, count);
    diag_help(l->diags, d, "the keys are %s; keys that begin with x- are ignored", words.data);
    strbuf_free(&words);
}

/* The index of a key in its table, `count` where there is none. People write keys in the table's order,
 * so the search begins where the last one ended. */
static size_t find_key(const struct key *keys, size_t count, size_t from, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = from + i < count ? from + i : (from + i) % count;
        if (strcmp(keys[k].name, name) == 0)
            return k;
    }
    return count;
}

/* Reads a mapping by its table of keys into the structure at base. */
static void load_keys(struct loader *l, const struct doc_node *node, void *base,
                      const struct key *keys, size_t count, const char *what)
{
    if (node->kind != DOC_MAPPING) {
        expected(l, node, *what == '\'' ? arena_printf(l->arena, "a mapping for %s", what) : what);
        return;
    }
    uint64_t seen = 0;
    size_t next = 0;
    for (size_t p = 0; p < doc_count(node); p++) {
        const struct doc_node *name = doc_pairs(node)[p].key;
        size_t k = find_key(keys, count, next, doc_text(name));
        next = k + 1;
        if (k < count && !(seen >> k & 1)) {
            seen |= UINT64_C(1) << k;
            keys[k].load(l, doc_pairs(node)[p].value, (char *)base + keys[k].offset, &keys[k]);
        } else if (k == count && strncmp(doc_text(name), "x-", 2) != 0) {
            unknown_key(l, name, keys, count, what);
        }
    }
    for (size_t k = 0; k < count; k++)
        if (keys[k].required && !(seen >> k & 1)) {
            struct span at = node->at;
            at.end = at.start + 1;
            struct diag *d = diag_add(l->diags, RULE_MISSING_KEY, at,
                                      "the key '%s' is missing in %s", keys[k].name, what);
            diag_help(l->diags, d, "add '%s: …'", keys[k].name);
        }
}

/* One more element at the end of an array of the model's. */
#define APPEND(l, array, count, cap)                                                               \
    ((array) = arena_grow((l)->arena, (array), (count), &(cap), sizeof(*(array))),                 \
     &(array)[(count)++])

/* Calls each() for every item of a sequence. */
static void load_items(struct loader *l, const struct doc_node *value, const char *what,
                       void (*each)(struct loader *l, const struct doc_node *item))
{
    if (value->kind != DOC_SEQUENCE) {
        diag_help(l->diags, expected(l, value, what), "begin each item with '- '");
        return;
    }
    for (size_t i = 0; i < doc_count(value); i++)
        each(l, doc_items(value)[i]);
}

/* --- the tables, innermost first ----------------------------------------------------------- */

static const struct key backend_keys[] = {
#define AT(field) .offset = offsetof(struct backend, field)
    {"kind", CHOICE(backend_kind_names), AT(kind)},
    {"path", load_text, AT(path)},
    {"offset", .load = load_number, .parse = address_parse, AT(offset)},
    {"hugepages", load_hugepages, AT(hugepages)},
    {"share", BOOLEAN, AT(share)},
    {"prealloc", BOOLEAN, AT(prealloc)},
    {"reserve", BOOLEAN, AT(reserve)},
    {"merge", BOOLEAN, AT(merge)},
    {"dump", BOOLEAN, AT(dump)},
    {"align", SIZE, AT(align)},
    {"pmem", BOOLEAN, AT(pmem)},
    {"host-nodes", load_ids, AT(host_nodes)},
    {"policy", CHOICE(policy_names), AT(policy)},
#undef AT
};

static void load_backend(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    (void)key;
    struct backend *backend = into;
    backend->at = value->at;
    load_keys(l, value, backend, backend_keys, ARRAY_SIZE(backend_keys), "a backend");
}

static const struct key region_keys[] = {
#define AT(field) .offset = offsetof(struct region, field)
    {"size", SIZE, AT(size), .required = true},
    {"type", CHOICE(memory_type_names), AT(type)},
    {"address", .load = load_number, .parse = address_parse, AT(address)},
    {"id", load_text, AT(id)},
    {"backend", load_backend, AT(backend)},
#undef AT
};

static void load_region(struct loader *l, const struct doc_node *value, struct region *region)
{
    region->at = value->at;
    if (value->kind == DOC_MAPPING)
        load_keys(l, value, region, region_keys, ARRAY_SIZE(region_keys), "a region");
    else if (doc_has_text(value))
        load_number(l, value, &region->size, &region_keys[0]);
    else
        expected(l, value, "a size or a region");
}

static void too_many_regions(struct loader *l, struct span at)
{
    struct diag *d = diag_add(l->diags, RULE_LIMIT, at, "more than %d regions", REGION_LIMIT);
    diag_help(l->diags, d, "use fewer and larger regions");
}

/* A size, a region, or a sequence of regions. */
static void load_memory(struct loader *l, const struct doc_node *value, void *into,
                        const struct key *key)
{
    (void)key;
    struct node *node = into;
    bool several = value->kind == DOC_SEQUENCE;
    node->region_count = several ? doc_count(value) : 1;
    if (node->region_count > REGION_LIMIT) {
        too_many_regions(l, value->at);
        node->region_count = 0;
        return;
    }
    node->regions = arena_alloc(l->arena, node->region_count, sizeof(*node->regions));
    for (size_t i = 0; i < node->region_count; i++)
        load_region(l, several ? doc_items(value)[i] : value, &node->regions[i]);
}

/* A node as written: its id may stand for many. */
struct written_node {
    struct id_list ids;
    struct node node;
};

static const struct key node_keys[] = {
#define AT(field) .offset = offsetof(struct written_node, field)
    {"id", load_ids, AT(ids), .required = true},
    {"label", load_text, AT(node.label)},
    {"cpus", load_ids, AT(node.cpus)},
    {"memory", load_memory, AT(node)},
    {"initiator", NUMBER(0, UINT32_MAX), AT(node.initiator)},
    {"host-nodes", load_ids, AT(node.host_nodes)},
    {"policy", CHOICE(policy_names), AT(node.policy)},
#undef AT
};

static void add_node(struct loader *l, const struct written_node *written, uint32_t id)
{
    struct vm *vm = l->vm;
    struct node *node = APPEND(l, vm->nodes, vm->node_count, vm->node_cap);
    *node = written->node;
    node->id = id;
    node->at = written->ids.at;
    node->regions = arena_alloc(l->arena, node->region_count, sizeof(*node->regions));
    for (size_t r = 0; r < node->region_count; r++) {
        node->regions[r] = written->node.regions[r];
        node->regions[r].node = id;
    }
    vm->region_count += node->region_count;
}

static void load_node(struct loader *l, const struct doc_node *item)
{
    struct vm *vm = l->vm;
    struct written_node written = {0};
    load_keys(l, item, &written, node_keys, ARRAY_SIZE(node_keys), "a node");
    size_t count = id_list_size(&written.ids);
    if (count > NODE_LIMIT - vm->node_count) {
        struct diag *d =
            diag_add(l->diags, RULE_LIMIT, written.ids.at, "more than %d nodes", NODE_LIMIT);
        diag_help(l->diags, d, "QEMU holds 128 nodes, Linux on x86-64 up to 1,024");
        return;
    }
    if (count > 1 && given(written.node.cpus.at)) {
        struct diag *d = diag_add(l->diags, RULE_NODE_LIST_CPUS, written.node.cpus.at,
                                  "a list of nodes cannot have CPUs: each vCPU is in one node");
        diag_note(l->diags, d, written.ids.at, "the list of %zu nodes", count);
        diag_help(l->diags, d, "write one item for each node with CPUs");
    }
    if (written.node.region_count * count > REGION_LIMIT - vm->region_count) {
        too_many_regions(l, item->at);
        return;
    }
    for (size_t i = 0; i < written.ids.count; i++)
        for (uint64_t id = written.ids.ranges[i].first; id <= written.ids.ranges[i].last; id++)
            add_node(l, &written, (uint32_t)id);
}

static void load_nodes(struct loader *l, const struct doc_node *value, void *into,
                       const struct key *key)
{
    (void)into;
    (void)key;
    l->vm->nodes_at = value->at;
    load_items(l, value, "a sequence of nodes", load_node);
    if (value->kind == DOC_SEQUENCE && !doc_count(value)) {
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, value->at, "there is no node");
        diag_help(l->diags, d, "write at least '- {id: 0, cpus: …, memory: …}'");
    }
}

static const struct key machine_keys[] = {
#define AT(field) .offset = offsetof(struct machine, field)
    {"type", load_text, AT(type)},
    {"accel", CHOICE(accel_names), AT(accel)},
    {"cpu", load_text, AT(cpu)},
    {"cpu-vendor", CHOICE(vendor_names), AT(cpu_vendor)},
    /* 32 ... 52: Intel SDM volume 3, section 4.1.4 */
    {"phys-bits", NUMBER(32, 52), AT(phys_bits)},
    {"confidential", CHOICE(confidential_names), AT(confidential)},
    {"migratable", BOOLEAN, AT(migratable)},
#undef AT
};

static void load_machine(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    (void)key;
    struct machine *machine = into;
    if (doc_has_text(value))
        load_text(l, value, &machine->type, &machine_keys[0]);
    else
        load_keys(l, value, machine, machine_keys, ARRAY_SIZE(machine_keys), "a machine");
}

static const struct key firmware_keys[] = {
#define AT(field) .offset = offsetof(struct boot, field)
    {"type", CHOICE(firmware_names), AT(firmware), .required = true},
    {"version", load_text, AT(version)},
    {"code", load_text, AT(code)},
    {"vars", load_text, AT(vars)},
#undef AT
};

static void load_firmware(struct loader *l, const struct doc_node *value, void *into,
                          const struct key *key)
{
    (void)key;
    struct boot *boot = into;
    if (doc_has_text(value))
        load_choice(l, value, &boot->firmware,
                    &(struct key){.name = "firmware", CHOICE(firmware_names)});
    else
        load_keys(l, value, boot, firmware_keys, ARRAY_SIZE(firmware_keys), "a firmware");
}

static const struct key boot_keys[] = {
#define AT(field) .offset = offsetof(struct boot, field)
    {"firmware", load_firmware, .offset = 0},
    {"kernel", load_text, AT(kernel)},
    {"initrd", load_text, AT(initrd)},
    {"cmdline", load_text, AT(cmdline)},
#undef AT
};

static void load_boot(struct loader *l, const struct doc_node *value, void *into,
                      const struct key *key)
{
    (void)key;
    struct boot *boot = into;
    load_keys(l, value, boot, boot_keys, ARRAY_SIZE(boot_keys), "'boot'");
    if (!boot->cmdline.value || !cmdline_is_open(boot->cmdline.value))
        return;
    struct diag *d =
        diag_add(l->diags, RULE_BAD_VALUE, boot->cmdline.at,
                 "a quote in 'cmdline' is not closed: the kernel takes all behind it, and "
                 "what is added, for one word");
    diag_help(l->diags, d, "close it, or leave it out");
}

/* clang-format off */
static const struct key cpu_keys[] = {
#define AT(field) .offset = offsetof(struct cpus, field)
    {"count", NUMBER(1, VCPU_LIMIT), AT(count)},
    {"sockets", NUMBER(1, VCPU_LIMIT), AT(sockets)},
    {"dies", NUMBER(1, VCPU_LIMIT), AT(dies)},
    {"modules", NUMBER(1, VCPU_LIMIT), AT(modules)},
    {"cores", NUMBER(1, VCPU_LIMIT), AT(cores)},
    {"threads", NUMBER(1, VCPU_LIMIT), AT(threads)},
    {"max", NUMBER(1, VCPU_LIMIT), AT(max)},
#undef AT
};
/* clang-format on */

static void load_cpus(struct loader *l, const struct doc_node *value, void *into,
                      const struct key *key)
{
    (void)key;
    struct cpus *cpus = into;
    cpus->at = value->at;
    if (doc_has_text(value))
        load_number(l, value, &cpus->count, &cpu_keys[0]);
    else
        load_keys(l, value, cpus, cpu_keys, ARRAY_SIZE(cpu_keys), "'cpus'");
}

static const struct key defaults_keys[] = {
    {"backend", load_backend, .offset = offsetof(struct vm, default_backend)},
};

static void load_defaults(struct loader *l, const struct doc_node *value, void *into,
                          const struct key *key)
{
    (void)key;
    load_keys(l, value, into, defaults_keys, ARRAY_SIZE(defaults_keys), "'defaults'");
}

#define BANDWIDTH .load = load_number, .parse = bandwidth_parse
#define LATENCY .load = load_number, .parse = latency_parse

static const struct key pair_keys[] = {
#define AT(field) .offset = offsetof(struct hmat_pair, field)
    {"from", NUMBER(0, UINT32_MAX), AT(from), .required = true},
    {"to", NUMBER(0, UINT32_MAX), AT(to), .required = true},
    {"latency", LATENCY, AT(values[HMAT_ACCESS_LATENCY])},
    {"bandwidth", BANDWIDTH, AT(values[HMAT_ACCESS_BANDWIDTH])},
    {"read-latency", LATENCY, AT(values[HMAT_READ_LATENCY])},
    {"write-latency", LATENCY, AT(values[HMAT_WRITE_LATENCY])},
    {"read-bandwidth", BANDWIDTH, AT(values[HMAT_READ_BANDWIDTH])},
    {"write-bandwidth", BANDWIDTH, AT(values[HMAT_WRITE_BANDWIDTH])},
#undef AT
};

static void load_pair(struct loader *l, const struct doc_node *item)
{
    struct hmat_pair *pair = APPEND(l, l->vm->pairs, l->vm->pair_count, l->vm->pair_cap);
    *pair = (struct hmat_pair){.at = item->at};
    load_keys(l, item, pair, pair_keys, ARRAY_SIZE(pair_keys), "a pair of 'performance'");
}

static void load_pairs(struct loader *l, const struct doc_node *value, void *into,
                       const struct key *key)
{
    (void)into;
    (void)key;
    /* As many as there are: a growing array would leave its former selves in the arena. */
    l->vm->pair_cap = value->kind == DOC_SEQUENCE ? doc_count(value) : 0;
    l->vm->pairs = arena_alloc(l->arena, l->vm->pair_cap, sizeof(*l->vm->pairs));
    load_items(l, value, "a sequence of {from, to, latency, bandwidth}", load_pair);
}

static const struct key cache_keys[] = {
#define AT(field) .offset = offsetof(struct hmat_cache, field)
    {"node", NUMBER(0, UINT32_MAX), AT(node), .required = true},
    {"level", NUMBER(1, 3), AT(level), .required = true},
    {"size", SIZE, AT(size), .required = true},
    {"line", NUMBER(0, UINT16_MAX), AT(line), .required = true},
    {"associativity", CHOICE(associativity_names), AT(associativity), .required = true},
    {"write-policy", CHOICE(cache_policy_names), AT(policy), .required = true},
#undef AT
};

static void load_cache(struct loader *l, const struct doc_node *item)
{
    struct hmat_cache *cache = APPEND(l, l->vm->caches, l->vm->cache_count, l->vm->cache_cap);
    *cache = (struct hmat_cache){.at = item->at};
    load_keys(l, item, cache, cache_keys, ARRAY_SIZE(cache_keys), "a cache");
}

static void load_caches(struct loader *l, const struct doc_node *value, void *into,
                        const struct key *key)
{
    (void)into;
    (void)key;
    load_items(l, value, "a sequence of caches", load_cache);
}

static const struct key hmat_keys[] = {
    {"performance", load_pairs, .offset = 0},
    {"caches", load_caches, .offset = 0},
};

static void load_hmat(struct loader *l, const struct doc_node *value, void *into,
                      const struct key *key)
{
    (void)key;
    l->vm->hmat_at = value->at;
    load_keys(l, value, into, hmat_keys, ARRAY_SIZE(hmat_keys), "'hmat'");
}

static const struct key device_memory_keys[] = {
#define AT(field) .offset = offsetof(struct vm, field)
    {"max-memory", .load = load_number_or_auto, .parse = size_parse, AT(max_memory)},
    {"slots", .load = load_number_or_auto, .parse = number_parse, .most = UINT32_MAX, AT(slots)},
#undef AT
};

static void load_device_memory(struct loader *l, const struct doc_node *value, void *into,
                               const struct key *key)
{
    (void)key;
    load_keys(l, value, into, device_memory_keys, ARRAY_SIZE(device_memory_keys),
              "'device-memory'");
}

static void add_setting(struct loader *l, const struct doc_node *word, enum rule_action action)
{
    const char *text = scalar(l, word, "the name or id of a rule");
    if (!text)
        return;
    const struct rule *rule = rule_find(text);
    if (!rule) {
        struct nearest nearest = {.word = text};
        for (int i = 0; i < RULE_COUNT; i++)
            nearest_offer(&nearest, rule_info((enum rule_id)i)->name);
        struct diag *d = diag_add(l->diags, RULE_BAD_VALUE, word->at, "no rule '%.60s'", text);
        l->harmless++;
        if (nearest.best)
            diag_help(l->diags, d, "did you mean '%s'?", nearest.best);
        else
            diag_help(l->diags, d, "write a rule's id or name, such as SPM402 or mixed-node");
        return;
    }
    struct rule_setting *setting =
        APPEND(l, l->vm->settings, l->vm->setting_count, l->vm->setting_cap);
    *setting = (struct rule_setting){
        .action = action,
        .rule = {arena_strdup(l->arena, text), word->at},
    };
}

static const char *const action_names[] = {
    [ACTION_DISABLE] = "disable", [ACTION_ERROR] = "error", [ACTION_WARNING] = "warning"};

static void load_settings(struct loader *l, const struct doc_node *value, void *into,
                          const struct key *key)
{
    (void)into;
    enum rule_action action = ACTION_DISABLE;
    while (action < ACTION_WARNING && strcmp(action_names[action], key->name) != 0)
        action++;
    if (value->kind != DOC_SEQUENCE)
        add_setting(l, value, action);
    for (size_t i = 0; value->kind == DOC_SEQUENCE && i < doc_count(value); i++)
        add_setting(l, doc_items(value)[i], action);
}

static const struct key rules_keys[] = {
    {"disable", load_settings, .offset = 0},
    {"error", load_settings, .offset = 0},
    {"warning", load_settings, .offset = 0},
    {"mixed-nodes", CHOICE(mixed_names), .offset = offsetof(struct vm, mixed)},
};

static void load_rules(struct loader *l, const struct doc_node *value, void *into,
                       const struct key *key)
{
    (void)key;
    load_keys(l, value, into, rules_keys, ARRAY_SIZE(rules_keys), "'rules'");
}

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

static void load_targets(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    (void)key;
    load_keys(l, value, into, targets_keys, ARRAY_SIZE(targets_keys), "'targets'");
}

static void load_name(struct loader *l, const struct doc_node *value, void *into,
                      const struct key *key)
{
    static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    load_text(l, value, into, key);
    struct text *name = into;
    const char *text = name->value;
    if (!text)
        return;
    size_t len = strlen(text);
    if (len > 63 || !strchr(alnum, text[0]) ||
        strspn(text, "._-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != len) {
        struct diag *d =
            diag_add(l->diags, RULE_BAD_VALUE, value->at, "'%.70s' is not a name", text);
        diag_help(l->diags, d,
                  "write 1 to 63 letters, digits, '.', '_' or '-', first a letter or "
                  "digit");
    }
}

static void load_version(struct loader *l, const struct doc_node *value, void *into,
                         const struct key *key)
{
    (void)into;
    (void)key;
    if (value->kind == DOC_SCALAR && strcmp(doc_text(value), "1") == 0)
        return;
    struct diag *d = diag_add(l->diags, RULE_LANGUAGE_VERSION, value->at,
                              "this version of the language is not known");
    diag_help(l->diags, d, "write 'spmtopo: 1'");
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
    {"spmtopo", load_version, .offset = 0, .required = true},
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

/* --- distances ------------------------------------------------------------------------------ */

static void set_distance(struct loader *l, size_t from, size_t to, const struct doc_node *value)
{
    struct distances *distances = &l->vm->distances;
    struct unit_error error;
    uint64_t v = 0;
    const char *text = scalar(l, value, "a distance");
    if (!text)
        return;
    /* Without its value the pair is as if not given. */
    if (!number_parse(text, &v, &error)) {
        bad_value(l, value->at, &error);
        l->harmless++;
        return;
    }
    /* ACPI 6.5, section 5.2.17: 0-9 are reserved, 10 is local, 255 is unreachable. */
    if (v < 10 || v > 255 || (v == 10) != (from == to)) {
        struct diag *d = diag_add(l->diags, RULE_DISTANCE_VALUE, value->at,
                                  "%" PRIu64 " is not a distance from node %zu to %s%zu", v, from,
                                  from == to ? "itself, node " : "node ", to);
        l->harmless++;
        if (from == to)
            diag_help(l->diags, d, "a node is at 10 from itself");
        else
            diag_help(l->diags, d,
                      "write 11 to 254, or 255 for unreachable; 10 means the same "
                      "node");
        return;
    }
    distances->values[from * l->vm->node_count + to] = (uint8_t)v;
    distances->spans[from * l->vm->node_count + to] = value->at;
}

static void load_distance_rows(struct loader *l, const struct doc_node *rows)
{
    size_t n = l->vm->node_count;
    if (doc_count(rows) != n) {
        struct diag *d =
            diag_add(l->diags, RULE_DISTANCE_SHAPE, rows->at,
                     "there are %zu rows of distances for %zu nodes", doc_count(rows), n);
        diag_help(l->diags, d, "write one row for each node, in order of node id");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct doc_node *row = doc_items(rows)[i];
        if (row->kind != DOC_SEQUENCE) {
            expected(l, row, "a row of distances");
            continue;
        }
        if (doc_count(row) != n) {
            struct diag *d =
                diag_add(l->diags, RULE_DISTANCE_SHAPE, row->at,
                         "%zu distances from node %zu to %zu nodes", doc_count(row), i, n);
            diag_help(l->diags, d, "write one distance for each node, in order of node id");
            continue;
        }
        for (size_t j = 0; j < n; j++)
            set_distance(l, i, j, doc_items(row)[j]);
    }
}

/* The node that a key of the mapping form names; false with an error where there is none. */
static bool node_key(struct loader *l, const struct doc_node *key, size_t *node)
{
    struct unit_error error;
    uint64_t v;
    if (strncmp(doc_text(key), "x-", 2) == 0)
        return false;
    if (!number_parse(doc_text(key), &v, &error)) {
        bad_value(l, key->at, &error);
        return false;
    }
    if (v >= l->vm->node_count) {
        struct diag *d =
            diag_add(l->diags, RULE_NODE_UNKNOWN, key->at, "there is no node %" PRIu64, v);
        diag_help(l->diags, d, "the nodes are 0 to %zu", l->vm->node_count - 1);
        return false;
    }
    *node = (size_t)v;
    return true;
}

static void load_distance_map(struct loader *l, const struct doc_node *map)
{
    for (size_t i = 0; i < doc_count(map); i++) {
        size_t from;
        const struct doc_node *row = doc_pairs(map)[i].value;
        if (!node_key(l, doc_pairs(map)[i].key, &from))
            continue;
        if (row->kind != DOC_MAPPING) {
            diag_help(l->diags, expected(l, row, "a mapping of nodes to distances"),
                      "write {1: 21, 2: 31}");
            continue;
        }
        for (size_t j = 0; j < doc_count(row); j++) {
            size_t to;
            if (node_key(l, doc_pairs(row)[j].key, &to))
                set_distance(l, from, to, doc_pairs(row)[j].value);
        }
    }
}

static void load_distances(struct loader *l)
{
    struct distances *distances = &l->vm->distances;
    const struct doc_node *value = l->distances;
    size_t n = l->vm->node_count;
    distances->at = value->at;
    if (!n)
        return;
    distances->values = arena_alloc(l->arena, n * n, sizeof(*distances->values));
    distances->spans = arena_alloc(l->arena, n * n, sizeof(*distances->spans));
    if (value->kind == DOC_SEQUENCE)
        load_distance_rows(l, value);
    else if (value->kind == DOC_MAPPING)
        load_distance_map(l, value);
    else
        diag_help(l->diags, expected(l, value, "rows or a mapping of distances"),
                  "write [[10, 21], [21, 10]] or {0: {1: 21}}");
}

/* --- nodes in order ------------------------------------------------------------------------- */

static void sort_nodes(struct vm *vm)
{
    /* Insertion: files name their nodes in order, or nearly. */
    for (size_t i = 1; i < vm->node_count; i++) {
        struct node node = vm->nodes[i];
        size_t j = i;
        for (; j > 0 && vm->nodes[j - 1].id > node.id; j--)
            vm->nodes[j] = vm->nodes[j - 1];
        vm->nodes[j] = node;
    }
}

/* Everything after loading takes a node's id as its index. */
static void check_ids(struct loader *l)
{
    struct vm *vm = l->vm;
    sort_nodes(vm);
    bool twice = false;
    for (size_t i = 1; i < vm->node_count; i++) {
        if (vm->nodes[i].id != vm->nodes[i - 1].id)
            continue;
        struct diag *d = diag_add(l->diags, RULE_NODE_TWICE, vm->nodes[i].at,
                                  "node %u is declared twice", vm->nodes[i].id);
        diag_note(l->diags, d, vm->nodes[i - 1].at, "also here");
        diag_help(l->diags, d, "give each node an id of its own, 0 to %zu", vm->node_count - 1);
        twice = true;
    }
    /* A node whose id could not be read is the gap. */
    for (size_t i = 0; !twice && l->diags->errors <= l->harmless && i < vm->node_count; i++) {
        if (vm->nodes[i].id == i)
            continue;
        struct diag *d = diag_add(l->diags, RULE_NODE_GAP, vm->nodes[i].at,
                                  "node ids have a gap: there is no node %zu", i);
        diag_help(l->diags, d, "number the nodes 0 to %zu", vm->node_count - 1);
        break;
    }
}

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
    load_keys(&l, root, vm, top_keys, ARRAY_SIZE(top_keys), "a topology");
    check_ids(&l);
    if (l.distances && diags->errors == before + l.harmless)
        load_distances(&l);
    return diags->errors == before + l.harmless;
}
