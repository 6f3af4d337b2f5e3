/* SPDX-License-Identifier: MIT */
#include "target_qemu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"

static const unsigned versions[] = {602, 700, 701,  702,  800,  801,  802, 900,
                                    901, 902, 1000, 1001, 1002, 1100, 1101};

#define NEWEST (versions[ARRAY_SIZE(versions) - 1])

static const struct cpu_model cpu_models[] = {
    {"486", MODEL_INTEL, false, false, 1, 1},
    {"Broadwell", MODEL_INTEL, true, true, 4, 4},
    {"Broadwell-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"Broadwell-noTSX", MODEL_INTEL, true, true, 0, 0},
    {"Broadwell-noTSX-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"Cascadelake-Server", MODEL_INTEL, true, true, 7, 5},
    {"Cascadelake-Server-noTSX", MODEL_INTEL, true, true, 0, 0},
    {"ClearwaterForest", MODEL_INTEL, true, true, 4, -1},
    {"Conroe", MODEL_INTEL, true, false, 1, 1},
    {"Cooperlake", MODEL_INTEL, true, true, 2, 2},
    {"Denverton", MODEL_INTEL, true, true, 3, 3},
    {"Dhyana", MODEL_OTHER, true, false, 2, 2},
    {"DiamondRapids", MODEL_INTEL, true, true, 2, -1},
    {"EPYC", MODEL_AMD, true, false, 5, 3},
    {"EPYC-Genoa", MODEL_AMD, true, false, 3, -1},
    {"EPYC-IBPB", MODEL_AMD, true, false, 0, 0},
    {"EPYC-Milan", MODEL_AMD, true, false, 4, 1},
    {"EPYC-Rome", MODEL_AMD, true, false, 5, 2},
    {"EPYC-Turin", MODEL_AMD, true, false, 2, -1},
    {"GraniteRapids", MODEL_INTEL, true, true, 7, -1},
    {"Haswell", MODEL_INTEL, true, true, 4, 4},
    {"Haswell-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"Haswell-noTSX", MODEL_INTEL, true, true, 0, 0},
    {"Haswell-noTSX-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"Icelake-Server", MODEL_INTEL, true, true, 9, 6},
    {"Icelake-Server-noTSX", MODEL_INTEL, true, true, 0, 0},
    {"IvyBridge", MODEL_INTEL, true, true, 2, 2},
    {"IvyBridge-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"KnightsMill", MODEL_INTEL, true, true, 1, 1},
    {"Nehalem", MODEL_INTEL, true, false, 2, 2},
    {"Nehalem-IBRS", MODEL_INTEL, true, false, 0, 0},
    {"Opteron_G1", MODEL_AMD, true, false, 1, 1},
    {"Opteron_G2", MODEL_AMD, true, false, 1, 1},
    {"Opteron_G3", MODEL_AMD, true, false, 1, 1},
    {"Opteron_G4", MODEL_AMD, true, false, 1, 1},
    {"Opteron_G5", MODEL_AMD, true, false, 1, 1},
    {"Penryn", MODEL_INTEL, true, false, 1, 1},
    {"SandyBridge", MODEL_INTEL, true, true, 2, 2},
    {"SandyBridge-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"SapphireRapids", MODEL_INTEL, true, true, 8, -1},
    {"SierraForest", MODEL_INTEL, true, true, 6, -1},
    {"Skylake-Client", MODEL_INTEL, true, true, 4, 4},
    {"Skylake-Client-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"Skylake-Client-noTSX-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"Skylake-Server", MODEL_INTEL, true, true, 6, 5},
    {"Skylake-Server-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"Skylake-Server-noTSX-IBRS", MODEL_INTEL, true, true, 0, 0},
    {"Snowridge", MODEL_INTEL, true, true, 4, 4},
    {"Westmere", MODEL_INTEL, true, false, 2, 2},
    {"Westmere-IBRS", MODEL_INTEL, true, false, 0, 0},
    {"YongFeng", MODEL_OTHER, true, true, 3, -1},
    {"athlon", MODEL_AMD, false, false, 1, 1},
    {"core2duo", MODEL_INTEL, true, false, 1, 1},
    {"coreduo", MODEL_INTEL, false, false, 1, 1},
    {"kvm32", MODEL_INTEL, false, false, 1, 1},
    {"kvm64", MODEL_INTEL, true, false, 1, 1},
    {"max", MODEL_AMD, true, true, 0, 0},
    {"n270", MODEL_INTEL, false, false, 1, 1},
    {"pentium", MODEL_INTEL, false, false, 1, 1},
    {"pentium2", MODEL_INTEL, false, false, 1, 1},
    {"pentium3", MODEL_INTEL, false, false, 1, 1},
    {"phenom", MODEL_AMD, true, false, 1, 1},
    {"qemu32", MODEL_INTEL, false, false, 1, 1},
    {"qemu64", MODEL_AMD, true, false, 1, 1},
};

/* "11.1", or "11.1.2" where three numbers are allowed, to 1101; 0 where it is none that is known. */
static unsigned read_version(const char *text, unsigned most_parts)
{
    unsigned parts[3];
    unsigned count = version_parts(text, parts);
    if (count < 2 || count > most_parts || parts[1] >= 100)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
        if (versions[i] == parts[0] * 100 + parts[1])
            return versions[i];
    return 0;
}

static unsigned resolve_version(const struct vm *vm, struct diags *diags)
{
    const char *text = vm->qemu_version.value;
    unsigned version = read_version(text, 3);
    if (version)
        return version;
    struct version_text plain = version_without_zeros(text);
    struct diag *d = diag_add(diags, RULE_VERSION_UNKNOWN, vm->qemu_version.at,
                              "QEMU '%.40s' is not a version whose tables are known", text);
    if (read_version(plain.text, 3))
        diag_help(diags, d, "write %s", plain.text);
    else
        diag_help(diags, d, "write a release from %u.%u to %u.%u", versions[0] / 100,
                  versions[0] % 100, NEWEST / 100, NEWEST % 100);
    return 0;
}

static bool resolve_machine(struct qemu_target *t, const struct vm *vm, struct diags *diags)
{
    static const struct {
        const char *prefix;
        enum machine_type machine;
    } families[] = {{"pc-q35-", MACHINE_Q35}, {"pc-i440fx-", MACHINE_PC}};
    const char *type = vm->machine.type.value;
    t->machine = strcmp(type, "pc") == 0 ? MACHINE_PC : MACHINE_Q35;
    t->machine_version = strcmp(type, "q35") == 0 || strcmp(type, "pc") == 0 ? t->version : 0;
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        size_t len = strlen(families[i].prefix);
        if (strncmp(type, families[i].prefix, len) != 0)
            continue;
        /* A machine is named after a release of two numbers. */
        unsigned version = read_version(type + len, 2);
        if (version) {
            t->machine = families[i].machine;
            t->machine_version = version;
        }
    }
    if (!t->machine_version) {
        struct nearest nearest = {.word = type};
        char names[ARRAY_SIZE(families)][24];
        nearest_offer(&nearest, "q35");
        nearest_offer(&nearest, "pc");
        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
            snprintf(names[i], sizeof(names[i]), "%s%u.%u", families[i].prefix, NEWEST / 100,
                     NEWEST % 100);
            nearest_offer(&nearest, names[i]);
        }
        struct diag *d = diag_add(diags, RULE_MACHINE_UNKNOWN, vm->machine.type.at,
                                  "the machine type '%.40s' is not known", type);
        diag_help(diags, d,
                  "%s%s%swrite q35, pc, or a versioned name from pc-q35-%u.%u to %s; no other "
                  "machine of QEMU's announces SPM",
                  nearest.best ? "did you mean '" : "", nearest.best ? nearest.best : "",
                  nearest.best ? "'? " : "", versions[0] / 100, versions[0] % 100,
                  names[ARRAY_SIZE(families) - 1]);
        return false;
    }
    if (t->version && t->machine_version > t->version) {
        struct diag *d = diag_add(diags, RULE_MACHINE_VERSION, vm->machine.type.at,
                                  "QEMU %u.%u has no machine type '%s'", t->version / 100,
                                  t->version % 100, type);
        if (given(vm->qemu_version.at))
            diag_note(diags, d, vm->qemu_version.at, "the version of QEMU");
        diag_help(diags, d, "name an older machine type, or a newer 'targets.qemu.version'");
        return false;
    }
    t->max_cpus = t->machine == MACHINE_PC         ? 255
                  : t->machine_version >= QEMU_9_0 ? 4096
                  : t->machine_version >= QEMU_8_1 ? 1024
                                                   : 288;
    t->pci_hole64 = t->machine == MACHINE_PC ? 2 * GIB : 32 * GIB;
    return true;
}

/* The model of a name with or without -vN; *version is N, 0 without. */
static const struct cpu_model *find_model(const char *name, int *version)
{
    const char *suffix = strrchr(name, '-');
    size_t len = strlen(name);
    *version = 0;
    if (suffix && suffix[1] == 'v' && suffix[2] >= '1' && suffix[2] <= '9' && strlen(suffix) <= 4 &&
        strspn(suffix + 2, DIGITS) == strlen(suffix + 2)) {
        *version = (int)strtol(suffix + 2, NULL, 10);
        len = (size_t)(suffix - name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(cpu_models); i++)
        if (strncmp(cpu_models[i].name, name, len) == 0 && cpu_models[i].name[len] == '\0')
            return &cpu_models[i];
    return NULL;
}

static bool resolve_model(struct qemu_target *t, const struct vm *vm, struct diags *diags)
{
    const struct text *cpu = &vm->machine.cpu;
    if (strcmp(cpu->value, "host") == 0) {
        if (t->kvm)
            return true;
        struct diag *d = diag_add(diags, RULE_CPU_MODEL, cpu->at,
                                  "the CPU model 'host' needs the accelerator kvm");
        diag_help(diags, d, "write 'cpu: max', or 'accel: kvm'");
        return false;
    }
    int version;
    t->model = find_model(cpu->value, &version);
    /* Releases between the two that were read have no fewer models than 7.2. */
    int newest = !t->model ? -1 : t->version <= 702 ? t->model->newest_7_2 : t->model->newest;
    if (!t->model || version > newest || newest < 0) {
        struct nearest nearest = {.word = cpu->value};
        for (size_t i = 0; i < ARRAY_SIZE(cpu_models); i++)
            nearest_offer(&nearest, cpu_models[i].name);
        struct diag *d =
            diag_add(diags, RULE_CPU_MODEL, cpu->at, "QEMU %u.%u has no CPU model '%.60s'",
                     t->version / 100, t->version % 100, cpu->value);
        if (strchr(cpu->value, ','))
            diag_help(diags, d,
                      "name the model alone; add its features to the emitted -cpu option");
        else if (nearest.best && !t->model)
            diag_help(diags, d, "did you mean '%s'?", nearest.best);
        else
            diag_help(diags, d, "'qemu-system-x86_64 -cpu help' lists the models");
        return false;
    }
    if (!t->model->long_mode) {
        struct diag *d = diag_add(diags, RULE_CPU_MODEL, cpu->at,
                                  "the CPU model '%s' has no 64-bit mode", cpu->value);
        diag_help(diags, d,
                  "a guest with specific-purpose memory needs a 64-bit model, such as "
                  "'max'");
        return false;
    }
    return true;
}

/* Under TCG a model has its own vendor; under KVM every model has the host's. SEV-SNP and TDX say whose
 * that is; an unstated host is else taken for AMD's, like QEMU's own default model: where that
 * matters, the user is told. */
static void resolve_vendor(struct qemu_target *t, const struct vm *vm, struct diags *diags)
{
    const struct choice *stated = &vm->machine.cpu_vendor;
    if (t->kvm) {
        enum cpu_vendor vendor = stated->value != VENDOR_UNSTATED
                                     ? (enum cpu_vendor)stated->value
                                     : confidential_vendors[vm->machine.confidential.value];
        t->amd = vendor != VENDOR_INTEL;
        t->vendor_assumed = vendor == VENDOR_UNSTATED;
        return;
    }
    t->amd = t->model->vendor == MODEL_AMD;
    if (stated->value == VENDOR_UNSTATED)
        return;
    if (t->amd == (stated->value == VENDOR_AMD) && t->model->vendor != MODEL_OTHER)
        return;
    static const char *const shown[] = {"GenuineIntel", "AuthenticAMD", "of another vendor"};
    struct diag *d =
        diag_add(diags, RULE_CPU_VENDOR, stated->at, "under tcg the CPU model '%s' is %s",
                 vm->machine.cpu.value, shown[t->model->vendor]);
    diag_help(diags, d,
              "leave 'cpu-vendor' out, or choose another model (max is AMD, "
              "Skylake-Server is Intel)");
}

static void resolve_interface(struct qemu_target *t, const struct vm *vm, struct diags *diags)
{
    uint64_t spm = vm_memory(vm, MEMORY_SPM);
    t->interface = (enum spm_interface)vm->qemu_spm.value;
    bool automatic = t->interface == SPM_AUTO;
    if (automatic)
        t->interface = SPM_SP_MEM;
    if (t->interface != SPM_SP_MEM || t->version >= QEMU_11_1 || spm == 0)
        return;
    const struct region *first = vm_first_region(vm, MEMORY_SPM);
    struct span at = automatic && first ? first->type.at : vm->qemu_spm.at;
    struct diag *d = diag_add(diags, RULE_SPM_INTERFACE, at,
                              "QEMU %u.%u has no '-device sp-mem', the interface for SPM",
                              t->version / 100, t->version % 100);
    if (given(vm->qemu_version.at))
        diag_note(diags, d, vm->qemu_version.at, "the version of QEMU");
    diag_help(
        diags, d,
        "run QEMU 11.1, or choose 'targets.qemu.spm-interface': kernel-parameter "
        "(any QEMU; the guest's kernel is told), memmap-type or spm-flag (patched QEMU only)");
}

bool qemu_target_resolve(struct qemu_target *t, const struct vm *vm, struct diags *diags)
{
    *t = (struct qemu_target){.kvm = vm->machine.accel.value == ACCEL_KVM, .size_unit = 4 * KIB};
    t->version = resolve_version(vm, diags);
    if (!t->version || !resolve_machine(t, vm, diags) || !resolve_model(t, vm, diags))
        return false;
    resolve_vendor(t, vm, diags);
    resolve_interface(t, vm, diags);
    return true;
}

bool qemu_has_amd_rule(const struct qemu_target *t)
{
    return t->version >= QEMU_7_1 && t->machine_version >= QEMU_7_1;
}

uint32_t apic_id(const struct cpus *cpus, uint32_t vcpu)
{
    const uint64_t counts[] = {cpus->threads.value, cpus->cores.value, cpus->modules.value,
                               cpus->dies.value};
    uint64_t id = 0;
    uint64_t rest = vcpu;
    unsigned shift = 0;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        id |= rest % counts[i] << shift;
        rest /= counts[i];
        shift += bits_for(counts[i]);
    }
    return (uint32_t)(id | rest << shift);
}

uint64_t backend_alignment(const struct backend *backend)
{
    uint64_t page = backend->hugepages.value             ? backend->hugepages.value
                    : backend->kind.value == BACKEND_RAM ? 2 * MIB
                                                         : 4 * KIB;
    return u64_max(page, backend->align.value);
}

bool qemu_spm_is_boot_memory(const struct qemu_target *t)
{
    return t->interface != SPM_SP_MEM;
}

struct boot_memory qemu_boot_memory(const struct node *node, const struct qemu_target *t)
{
    struct boot_memory boot = {0};
    for (size_t r = 0; r < node->region_count; r++) {
        const struct region *region = &node->regions[r];
        if (region->type.value != MEMORY_NORMAL && !qemu_spm_is_boot_memory(t))
            continue;
        if (!boot.region)
            boot.region = region;
        boot.size += region->size.value;
    }
    return boot;
}
