/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"

enum {
    OPTION_TARGET = 256,
    OPTION_FORMAT,
    OPTION_FRAGMENT,
    OPTION_TABLE,
    OPTION_STAGE,
    OPTION_COLOR,
    OPTION_WERROR,
    OPTION_QEMU_VERSION,
    OPTION_SPM_INTERFACE,
    OPTION_FIRMWARE,
    OPTION_JOBS,
    OPTION_GUEST,
    OPTION_KERNEL,
    OPTION_QMP,
};

/* The commands that compile a file, and those that print something. */
enum {
    COMPILERS = COMMAND_GEN | COMMAND_EXPECT | COMMAND_SHOW | COMMAND_CHECK | COMMAND_VERIFY,
    ALL_COMMANDS = COMPILERS | COMMAND_RULES | COMMAND_EXPLAIN,
};

static const struct {
    const char *name;
    int key;
    const char *arg;
    const char *doc;
    unsigned commands;
    int flags;
} table[] = {
    {"target", OPTION_TARGET, "TARGET", "qemu, libvirt or cloud-hypervisor",
     COMMAND_GEN | COMMAND_VERIFY, 0},
    {"target", OPTION_TARGET, "TARGET",
     "qemu (default), libvirt, cloud-hypervisor, or all, side by side", COMMAND_EXPECT, 0},
    {"target", OPTION_TARGET, "TARGET",
     "qemu, libvirt or cloud-hypervisor; default: those that the file names, or qemu",
     COMMAND_CHECK, 0},
    {"target", OPTION_TARGET, "TARGET",
     "qemu, libvirt or cloud-hypervisor; default: the first that the file names, or qemu",
     COMMAND_SHOW, 0},
    {"jobs", OPTION_JOBS, "N", "judge N files at a time", COMMAND_CHECK, 0},
    {"format", OPTION_FORMAT, "FORMAT", NULL, ALL_COMMANDS, 0},
    {"output", 'o', "FILE", "write to FILE, whole or not at all", ALL_COMMANDS, 0},
    {"fragment", OPTION_FRAGMENT, NULL,
     "leave out program, machine, CPU model, accelerator and firmware", COMMAND_GEN, 0},
    {"table", OPTION_TABLE, "TABLE", "e820, srat, slit, hmat or all (default)", COMMAND_EXPECT, 0},
    {"stage", OPTION_STAGE, "STAGE",
     "vmm (default): what the VMM hands over; guest: what the operating system sees",
     COMMAND_EXPECT, 0},
    {"kernel", OPTION_KERNEL, "VERSION",
     "of --format dmesg: the Linux in whose words (default: 6.1; they changed in 7.0)",
     COMMAND_EXPECT, 0},
    {"guest", OPTION_GUEST, "SOURCE",
     "where the guest shows itself: live (default; this machine), a directory, a tar or a boot log; "
     "'-' is standard input",
     COMMAND_VERIFY, 0},
    {"qmp", OPTION_QMP, "SOCKET", "ask the QEMU whose QMP listens there, from the host",
     COMMAND_VERIFY, 0},
    {"qemu-version", OPTION_QEMU_VERSION, "VERSION", "the QEMU that will run it, over the file's",
     COMPILERS, 0},
    {"spm-interface", OPTION_SPM_INTERFACE, "NAME",
     "sp-mem, memmap-type, spm-flag, kernel-parameter or auto, over the file's", COMPILERS, 0},
    {"firmware", OPTION_FIRMWARE, "NAME", "ovmf, seabios, qboot or none, over the file's",
     COMPILERS, 0},
    {NULL, 'W', "[no-]RULE", "report a rule's findings as warnings, or not at all", COMPILERS, 0},
    {"Werror", OPTION_WERROR, "RULE", "take warnings, or a rule's findings, as errors", COMPILERS,
     OPTION_ARG_OPTIONAL},
    {"quiet", 'q', NULL, "print errors only", COMPILERS, 0},
    {"color", OPTION_COLOR, "WHEN", "auto (default), always or never", COMPILERS, 0},
};

static const char *const format_names[] = {
    [FORMAT_SHELL] = "shell", [FORMAT_JSON] = "json",   [FORMAT_ARGV] = "argv",
    [FORMAT_TEXT] = "text",   [FORMAT_RAW] = "raw",     [FORMAT_DMESG] = "dmesg",
    [FORMAT_YAML] = "yaml",   [FORMAT_SARIF] = "sarif", [FORMAT_GITHUB] = "github",
    [FORMAT_TAP] = "tap",     [FORMAT_XML] = "xml",     [FORMAT_SVG] = "svg",
    [FORMAT_DOT] = "dot",
};

static const char *const table_names[] = {[TABLE_E820] = "e820",
                                          [TABLE_SRAT] = "srat",
                                          [TABLE_SLIT] = "slit",
                                          [TABLE_HMAT] = "hmat",
                                          [TABLE_ALL] = "all"};

static const char *const stage_names[] = {"vmm", "guest"};

static const char *const color_names[] = {
    [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

struct parsing {
    struct options *options;
    const struct command *command;
};

/* The index of a word in a table, or a usage error that names the words. */
static int word(struct argp_state *state, const char *option, const char *arg,
                const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] && strcmp(names[i], arg) == 0)
            return (int)i;
    struct strbuf words = {0};
    strbuf_add_choice(&words, names, count);
    argp_error(state, "'%s' is not a value of --%s: write %s", arg, option, words.data);
    return 0;
}

static enum format format_of(struct argp_state *state, const struct command *command,
                             const char *arg)
{
    const char *own[ARRAY_SIZE(format_names)] = {NULL};
    for (size_t i = 0; i < ARRAY_SIZE(command->formats) && command->formats[i]; i++)
        own[command->formats[i]] = format_names[command->formats[i]];
    return (enum format)word(state, "format", arg, own, ARRAY_SIZE(own));
}

/* 'all' is a target of 'expect' alone. */
static enum target_bit target_of(struct argp_state *state, const struct command *command,
                                 const char *arg)
{
    const char *own[TARGET_COUNT + 1] = {NULL};
    memcpy(own, target_names, sizeof(target_names));
    own[TARGET_COUNT] = command->bit == COMMAND_EXPECT ? "all" : NULL;
    int target = word(state, "target", arg, own, ARRAY_SIZE(own));
    return target == TARGET_COUNT ? TARGET_ANY : (enum target_bit)(1u << target);
}

static void refuse_format(struct argp_state *state, const struct emitter *emitter,
                          const struct options *o)
{
    const char *own[EMITTER_FORMATS] = {NULL};
    for (size_t i = 0; i < EMITTER_FORMATS && emitter->formats[i]; i++)
        own[i] = format_names[emitter->formats[i]];
    struct strbuf words = {0};
    strbuf_add_choice(&words, own, EMITTER_FORMATS);
    argp_error(state, "'%s' is not a format of --target %s: write %s", format_names[o->format],
               target_names[target_index(o->target)], words.data);
}

/* What of expect goes with what; an option that would have no effect is refused. */
static void complete_expect(struct argp_state *state, struct options *o)
{
    if (o->target == TARGET_ANY && (o->guest_stage || o->table != TABLE_ALL ||
                                    o->format == FORMAT_RAW || o->format == FORMAT_DMESG))
        argp_error(state,
                   "'--target all' is a table of its own: it goes with --format text or json");
    if (o->guest_stage && o->format == FORMAT_RAW)
        argp_error(state, "'--format raw' is the bytes of a table that the VMM hands over, and "
                          "'--stage guest' goes with --format text, json or dmesg");
    if (o->guest_stage && o->table != TABLE_ALL)
        argp_error(state, "'--table' chooses among the tables that the VMM hands over, and "
                          "'--stage guest' prints none of them");
    if (o->format == FORMAT_RAW && o->table == TABLE_ALL)
        argp_error(state, "'--format raw' needs one --table: e820, srat, slit or hmat");
    if (o->kernel && o->format != FORMAT_DMESG)
        argp_error(state, "'--kernel' is in whose words '--format dmesg' is, and alters no other");
}

/* What goes with the target that was asked for. */
static void complete(struct argp_state *state, const struct command *command, struct options *o)
{
    if (command->bit == COMMAND_GEN) {
        const struct emitter *emitter = emitter_for(o->target);
        if (!o->target)
            argp_error(state, "'gen' needs a --target: qemu, libvirt or cloud-hypervisor");
        else if (o->format == FORMAT_DEFAULT)
            o->format = emitter->formats[0];
        else if (!emitter_has(emitter, o->format))
            refuse_format(state, emitter, o);
    }
    if (o->guest && o->qmp)
        argp_error(state,
                   "--guest is the guest itself, --qmp is seen from the host: one of them, please");
    if (command->bit == COMMAND_EXPECT)
        complete_expect(state, o);
    if (command->bit & (COMMAND_EXPECT | COMMAND_VERIFY)) {
        if (o->qmp && o->target == TARGET_CLOUDHV)
            argp_error(state, "QMP is QEMU's, and cloud-hypervisor has none");
        o->target = o->target ? o->target : TARGET_QEMU;
    }
    if (o->target == TARGET_CLOUDHV &&
        (o->overrides.qemu_version || o->overrides.spm_interface >= 0))
        argp_error(state,
                   "--qemu-version and --spm-interface are QEMU's, and cloud-hypervisor runs none");
}

static unsigned job_count(struct argp_state *state, const char *arg)
{
    uint64_t jobs;
    struct unit_error error;
    if (!number_parse(arg, &jobs, &error) || jobs < 1 || jobs > JOB_LIMIT)
        argp_error(state, "'%s' is not a number of jobs, 1 to %d", arg, JOB_LIMIT);
    return (unsigned)jobs;
}

static unsigned kernel_version(struct argp_state *state, const char *arg)
{
    unsigned parts[3];
    if (!version_parts(arg, parts) || !parts[0])
        argp_error(state, "'%s' is not a version of Linux, such as 6.1 or 7.2", arg);
    return parts[0];
}

static void add_setting(struct argp_state *state, struct options *o, enum rule_action action,
                        const char *rule)
{
    if (!rule_find(rule))
        argp_error(state, "there is no rule '%s'", rule);
    if (o->overrides.setting_count == SETTING_LIMIT)
        argp_error(state, "more than %d rules", SETTING_LIMIT);
    o->settings[o->overrides.setting_count++] =
        (struct rule_setting){.action = action, .rule = {.value = rule}};
    o->overrides.settings = o->settings;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct parsing *p = state->input;
    struct options *o = p->options;
    switch (key) {
    case OPTION_TARGET:
        o->target = target_of(state, p->command, arg);
        return 0;
    case OPTION_JOBS:
        o->jobs = job_count(state, arg);
        return 0;
    case OPTION_FORMAT:
        o->format = format_of(state, p->command, arg);
        return 0;
    case 'o':
        o->output = arg;
        return 0;
    case OPTION_FRAGMENT:
        o->fragment = true;
        return 0;
    case OPTION_TABLE:
        o->table = (enum table)word(state, "table", arg, table_names, ARRAY_SIZE(table_names));
        return 0;
    case OPTION_STAGE:
        o->guest_stage = word(state, "stage", arg, stage_names, ARRAY_SIZE(stage_names)) == 1;
        return 0;
    case OPTION_KERNEL:
        o->kernel = kernel_version(state, arg);
        return 0;
    case OPTION_GUEST:
        o->guest = arg;
        return 0;
    case OPTION_QMP:
        o->qmp = arg;
        return 0;
    case OPTION_QEMU_VERSION:
        o->overrides.qemu_version = arg;
        return 0;
    case OPTION_SPM_INTERFACE:
        o->overrides.spm_interface =
            word(state, "spm-interface", arg, spm_interface_names, SPM_NONE);
        return 0;
    case OPTION_FIRMWARE:
        o->overrides.firmware =
            word(state, "firmware", arg, firmware_names, ARRAY_SIZE(firmware_names));
        return 0;
    case 'W':
        if (strncmp(arg, "no-", 3) == 0 && !rule_find(arg))
            add_setting(state, o, ACTION_DISABLE, arg + 3);
        else
            add_setting(state, o, ACTION_WARNING, arg);
        return 0;
    case OPTION_WERROR:
        if (arg)
            add_setting(state, o, ACTION_ERROR, arg);
        else
            o->overrides.all_warnings_are_errors = true;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case OPTION_COLOR:
        o->color = (enum color)word(state, "color", arg, color_names, ARRAY_SIZE(color_names));
        return 0;
    case ARGP_KEY_ARG:
        if (!p->command->args)
            argp_error(state, "'%s' takes no arguments", p->command->name);
        if (o->file_count == 1 && !p->command->many)
            argp_error(state, "one %s, please", p->command->args);
        o->files = xrealloc(o->files, o->file_count + 1, sizeof(*o->files));
        o->files[o->file_count++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->file_count && p->command->args)
            argp_error(state, "%s is missing%s", p->command->args,
                       p->command->bit & COMPILERS ? "; '-' is standard input" : "");
        complete(state, p->command, o);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add_format_doc(struct strbuf *b, const struct command *command)
{
    for (size_t i = 0; i < ARRAY_SIZE(command->formats) && command->formats[i]; i++) {
        if (i)
            strbuf_adds(b, ", ");
        strbuf_adds(b, format_names[command->formats[i]]);
        if (i == 0)
            strbuf_adds(b, " (default)");
    }
}

void options_parse(struct options *o, const struct command *command, int argc, char **argv)
{
    struct argp_option own[ARRAY_SIZE(table) + 1] = {{0}};
    struct strbuf formats = {0};
    add_format_doc(&formats, command);
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (table[i].commands & command->bit)
            own[count++] = (struct argp_option){
                .name = table[i].name,
                .key = table[i].key,
                .arg = table[i].arg,
                .flags = table[i].flags,
                .doc = table[i].key == OPTION_FORMAT ? formats.data : table[i].doc,
            };
    const struct argp argp = {
        .options = own,
        .parser = parse_option,
        .args_doc = command->args,
        .doc = command->summary,
    };
    *o = (struct options){
        .command = command,
        .format = command->bit == COMMAND_GEN ? FORMAT_DEFAULT : command->formats[0],
        .table = TABLE_ALL,
        .jobs = 1,
        .overrides = {.spm_interface = -1, .firmware = -1},
    };
    struct strbuf name = {0};
    strbuf_adds(&name, "spmtopo ");
    strbuf_adds(&name, command->name);
    argv[0] = name.data;
    struct parsing parsing = {.options = o, .command = command};
    /* It ends the program by itself where it does not like what it reads. */
    if (argp_parse(&argp, argc, argv, 0, NULL, &parsing) != 0)
        out_of_memory();
    strbuf_free(&name);
    strbuf_free(&formats);
}

void options_free(struct options *o)
{
    free(o->files);
    o->files = NULL;
}
