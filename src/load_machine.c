/* SPDX-License-Identifier: MIT */
/* The machine, how it boots, its CPUs, and its room for memory devices. */
#include "cmdline.h"
#include "load_keys.h"

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

void load_machine(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
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

void load_boot(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
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

void load_cpus(struct loader *l, const struct doc_node *value, void *into, const struct key *key)
{
    (void)key;
    struct cpus *cpus = into;
    cpus->at = value->at;
    if (doc_has_text(value))
        load_number(l, value, &cpus->count, &cpu_keys[0]);
    else
        load_keys(l, value, cpus, cpu_keys, ARRAY_SIZE(cpu_keys), "'cpus'");
}

static const struct key device_memory_keys[] = {
#define AT(field) .offset = offsetof(struct vm, field)
    {"max-memory", .load = load_number_or_auto, .parse = size_parse, AT(max_memory)},
    {"slots", .load = load_number_or_auto, .parse = number_parse, .most = UINT32_MAX, AT(slots)},
#undef AT
};

void load_device_memory(struct loader *l, const struct doc_node *value, void *into,
                        const struct key *key)
{
    (void)key;
    load_keys(l, value, into, device_memory_keys, ARRAY_SIZE(device_memory_keys),
              "'device-memory'");
}
