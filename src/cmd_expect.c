/* SPDX-License-Identifier: MIT */
#include "cmd.h"
#include "expect_guest.h"

/* What the VMM hands over. */
static void print_vmm(struct strbuf *out, const struct compilation *c,
                      const struct options *options)
{
    static void (*const printers[])(struct strbuf *, const struct vm *, const struct prediction *,
                                    enum table) = {
        [FORMAT_TEXT] = expect_text,
        [FORMAT_JSON] = expect_json,
        [FORMAT_DMESG] = expect_dmesg,
        [FORMAT_RAW] = expect_raw,
    };
    if (options->format == FORMAT_DMESG && options->kernel >= 7)
        expect_dmesg_7(out, &c->vm, compile_prediction(c, options->target), options->table);
    else
        printers[options->format](out, &c->vm, compile_prediction(c, options->target),
                                  options->table);
}

/* What the guest's operating system sees. */
static void print_guest(struct strbuf *out, struct compilation *c, const struct options *options)
{
    static void (*const printers[])(struct strbuf *, const struct guest *) = {
        [FORMAT_TEXT] = expect_guest_text,
        [FORMAT_JSON] = expect_guest_json,
        [FORMAT_DMESG] = expect_guest_dmesg,
    };
    struct guest guest;
    guest_expect(&guest, &c->vm, compile_prediction(c, options->target), &c->arena);
    if (options->format == FORMAT_DMESG && options->kernel >= 7)
        expect_guest_dmesg_7(out, &guest);
    else
        printers[options->format](out, &guest);
}

int cmd_expect(const struct options *options)
{
    if (options->target == TARGET_ANY)
        return cmd_expect_all(options);
    struct compilation c;
    struct strbuf out = {0};
    int status = cmd_compile_one(&c, options);
    if (status == STATUS_OK && options->guest_stage)
        print_guest(&out, &c, options);
    else if (status == STATUS_OK)
        print_vmm(&out, &c, options);
    return cmd_finish(&c, options, status, &out);
}
