/* SPDX-License-Identifier: MIT */
#include "compile.h"

#include "check.h"
#include "layout_cloudhv.h"
#include "load.h"
#include "target_libvirt.h"

static void override(struct vm *vm, const struct overrides *o)
{
    if (o->qemu_version)
        vm->qemu_version = (struct text){.value = o->qemu_version};
    if (o->spm_interface >= 0)
        vm->qemu_spm = (struct choice){.value = o->spm_interface};
    if (o->firmware >= 0) {
        /* The file's version and files are another firmware's. */
        vm->boot.firmware = (struct choice){.value = o->firmware};
        vm->boot.version = vm->boot.code = vm->boot.vars = (struct text){0};
    }
}

/* What a prediction takes for granted because the file does not say it. */
static void assume(struct compilation *c, struct prediction *p)
{
    if (!p->qemu.vendor_assumed || !layout_has_ht_entry(&p->layout, &p->qemu))
        return;
    p->assumption = "the host's CPU is AMD's";
    struct diag *d = diag_add(&c->diags, RULE_CPU_VENDOR_UNSTATED, vm_vendor_place(&c->vm),
                              "assumed that %s: on another the E820 is without the reserved range "
                              "0xfd00000000-0xffffffffff",
                              p->assumption);
    diag_help(&c->diags, d, "write 'machine: {cpu-vendor: amd}' or 'intel', as the host is");
}

/* What libvirt makes of the guest before QEMU gets it: the model of that guest. */
static const struct vm *adjust(struct compilation *c, struct prediction *p)
{
    if (p->target != TARGET_LIBVIRT)
        return &c->vm;
    struct domain domain = domain_read(&c->vm, &p->qemu);
    domain_adjust_target(&domain, &p->qemu);
    return domain_guest(&domain, &c->arena);
}

/* Judges for a target that runs QEMU, and makes its guest's tables. `model` says whether the model
 * is without errors; QEMU's own rules stand on one with errors too, so that one run reports theirs. */
static void predict_qemu(struct compilation *c, const struct overrides *o,
                         struct check_context context, bool model, struct prediction *p)
{
    size_t before = c->diags.errors;
    if (!qemu_target_resolve(&p->qemu, &c->vm, &c->diags))
        return;
    context.qemu = &p->qemu;
    if (model || p->target == TARGET_QEMU)
        check_run(&context, PHASE_TARGET);
    if (model && o->judges_guest)
        check_run(&context, PHASE_GUEST);
    if (!model || c->diags.errors != before)
        return;
    const struct vm *guest = adjust(c, p);
    if (!layout_qemu(&p->layout, &c->vm, &p->qemu, &c->arena, &c->diags))
        return;
    context.layout = &p->layout;
    if (o->judges_guest)
        check_run(&context, PHASE_PLACED);
    p->ok = true;
    tables_qemu(&p->tables, guest, &p->qemu, &p->layout, &c->arena);
    if (o->predicts && !diag_count(&c->diags, SEVERITY_ERROR))
        assume(c, p);
}

static void predict_cloudhv(struct compilation *c, const struct overrides *o,
                            struct check_context context, bool model, struct prediction *p)
{
    if (!model)
        return;
    p->ok = check_run(&context, PHASE_TARGET);
    if (o->judges_guest)
        check_run(&context, PHASE_GUEST);
    if (!p->ok)
        return;
    layout_cloudhv(&p->layout, &c->vm, &c->arena);
    context.layout = &p->layout;
    if (o->judges_guest)
        check_run(&context, PHASE_PLACED);
    tables_cloudhv(&p->tables, &c->vm, &p->layout, &c->arena);
    p->assumption = layout_cloudhv_assumption(&c->vm, &c->arena);
}

/* In the order of the bits. */
static void (*const predict[TARGET_COUNT])(struct compilation *, const struct overrides *,
                                           struct check_context, bool,
                                           struct prediction *) = {predict_qemu, predict_qemu,
                                                                   predict_cloudhv};

/* The document is gone once it is a model: it is the largest thing that is made of a file. */
static bool load(struct compilation *c)
{
    struct arena arena = {0};
    const struct doc_node *root = doc_parse(&c->source, &arena, &c->diags);
    if (root)
        c->allow_count = doc_allows(&c->source, root, &c->arena, &c->allows);
    bool loaded = root && model_load(&c->vm, root, &c->arena, &c->diags);
    arena_free(&arena);
    return loaded;
}

static bool build(struct compilation *c, const struct overrides *o)
{
    if (!load(c))
        return false;
    override(&c->vm, o);
    model_complete(&c->vm, &c->arena);
    c->targets = o->targets ? o->targets : c->vm.named_targets ? c->vm.named_targets : TARGET_QEMU;
    if (o->first_target)
        c->targets &= -c->targets;
    struct check_context context = {
        .vm = &c->vm,
        .targets = c->targets,
        .diags = &c->diags,
    };
    /* With a key that is not known, what follows may be another guest's. */
    bool model = check_run(&context, PHASE_MODEL) && c->diags.errors == 0;
    bool ok = model;
    /* An error for one target does not hide what another would say. */
    for (size_t t = 0; t < TARGET_COUNT; t++) {
        struct prediction *p = &c->predictions[t];
        p->target = (enum target_bit)(1u << t);
        context.targets = p->target;
        if (c->targets & p->target)
            predict[t](c, o, context, model, p);
        ok = ok && (p->ok || !(c->targets & p->target));
    }
    return ok;
}

/* Whether a setting or comment that names a rule speaks of this finding. */
static bool applies(const struct diag *diag, const char *rule)
{
    return rule_find(rule) == rule_info(diag->rule) && !rule_is_final(rule_info(diag->rule));
}

/* Returns whether the finding stays. */
static bool apply(struct diag *diag, const struct rule_setting *setting)
{
    if (!applies(diag, setting->rule.value))
        return true;
    if (setting->action == ACTION_DISABLE)
        return false;
    diag->severity = setting->action == ACTION_ERROR ? SEVERITY_ERROR : SEVERITY_WARNING;
    return true;
}

/* A comment that allows a rule on a line. */
struct allowance {
    const struct doc_allow *comment;
    const struct rule *rule; /* NULL: there is none of that name */
    bool used;
};

/* Those of one file, in order of lines. */
struct allowances {
    struct allowance *items;
    size_t count;
};

static struct allowances find_rules(struct compilation *c)
{
    struct allowances all = {arena_alloc(&c->arena, c->allow_count, sizeof(*all.items)),
                             c->allow_count};
    for (size_t i = 0; i < all.count; i++)
        all.items[i] = (struct allowance){&c->allows[i], rule_find(c->allows[i].rule), false};
    return all;
}

/* Whether comments allow a finding; they have had their use then. */
static bool allow(const struct compilation *c, const struct allowances *all,
                  const struct diag *diag)
{
    uint32_t line = source_place(&c->source, diag->at).line;
    const struct rule *rule = rule_info(diag->rule);
    size_t low = 0;
    for (size_t high = all->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (all->items[middle].comment->line < line)
            low = middle + 1;
        else
            high = middle;
    }
    bool allowed = false;
    bool final = rule_is_final(rule);
    for (; low < all->count && all->items[low].comment->line == line; low++)
        if (all->items[low].rule == rule && !final)
            allowed = all->items[low].used = true;
    return allowed;
}

/* Comments whose rule is judged and has found nothing on their line. Where there is no result, what
 * was not judged may still be there. */
static void report_unused(struct compilation *c, const struct overrides *o,
                          const struct allowances *all)
{
    for (size_t a = 0; a < all->count; a++) {
        const struct doc_allow *comment = all->items[a].comment;
        const struct rule *rule = all->items[a].rule;
        struct diag *d;
        if (!rule) {
            d = diag_add(&c->diags, RULE_ALLOW_UNUSED, comment->at, "there is no rule '%.60s'",
                         comment->rule);
            diag_help(&c->diags, d, "'spmtopo rules' lists them");
        } else if (rule_is_final(rule)) {
            d = diag_add(&c->diags, RULE_ALLOW_UNUSED, comment->at,
                         "'%s' is an error and cannot be allowed", rule->name);
            diag_help(&c->diags, d, "leave the comment out; 'spmtopo explain %s' says what to do",
                      rule->id);
        } else if (!all->items[a].used && c->ok && o->judges_guest &&
                   (rule->targets & c->targets) && rule != rule_info(RULE_CPU_VENDOR_UNSTATED)) {
            d = diag_add(&c->diags, RULE_ALLOW_UNUSED, comment->at, "'%s' finds nothing on line %u",
                         rule->name, comment->line);
            diag_help(&c->diags, d, "leave the comment out, or move it to the line of the finding");
        }
    }
}

/* Settings of the file that cannot have an effect. */
static void report_settings(struct compilation *c)
{
    for (size_t s = 0; s < c->vm.setting_count; s++) {
        const struct rule_setting *setting = &c->vm.settings[s];
        const struct rule *rule = rule_find(setting->rule.value);
        if (setting->action == ACTION_ERROR || !rule_is_final(rule))
            continue;
        struct diag *d = diag_add(&c->diags, RULE_ALLOW_UNUSED, setting->rule.at,
                                  "'%s' is an error and cannot be turned off", rule->name);
        diag_help(&c->diags, d, "leave it out; 'spmtopo explain %s' says what to do", rule->id);
    }
}

static void apply_settings(struct compilation *c, const struct overrides *o)
{
    report_settings(c);
    struct allowances all = find_rules(c);
    for (size_t i = 0; i < c->diags.count; i++)
        allow(c, &all, c->diags.items[i]);
    report_unused(c, o, &all);
    size_t kept = 0;
    for (size_t i = 0; i < c->diags.count; i++) {
        struct diag *diag = c->diags.items[i];
        bool stays = !allow(c, &all, diag);
        for (size_t s = 0; stays && s < c->vm.setting_count; s++)
            stays = apply(diag, &c->vm.settings[s]);
        for (size_t s = 0; stays && s < o->setting_count; s++)
            stays = apply(diag, &o->settings[s]);
        if (o->all_warnings_are_errors && diag->severity == SEVERITY_WARNING)
            diag->severity = SEVERITY_ERROR;
        if (stays)
            c->diags.items[kept++] = diag;
    }
    c->diags.count = kept;
}

void compile(struct compilation *c, const struct overrides *o)
{
    c->diags.arena = &c->arena;
    c->ok = build(c, o);
    apply_settings(c, o);
    diag_sort(&c->diags);
    c->ok = c->ok && c->diags.errors == 0 && diag_count(&c->diags, SEVERITY_ERROR) == 0;
}

const struct prediction *compile_prediction(const struct compilation *c, enum target_bit target)
{
    return &c->predictions[target_index(target)];
}

void compile_free(struct compilation *c)
{
    source_free(&c->source);
    arena_free(&c->arena);
}
