/* SPDX-License-Identifier: MIT */
#include "emit.h"

#include "emit_cloudhv.h"
#include "emit_libvirt.h"
#include "emit_qemu.h"

static const struct emitter emitters[] = {
    {TARGET_QEMU, {FORMAT_SHELL, FORMAT_JSON, FORMAT_ARGV}, emit_qemu},
    {TARGET_LIBVIRT, {FORMAT_XML}, emit_libvirt},
    {TARGET_CLOUDHV, {FORMAT_JSON, FORMAT_SHELL, FORMAT_ARGV}, emit_cloudhv},
};

const struct emitter *emitter_for(enum target_bit target)
{
    for (size_t i = 0; i < ARRAY_SIZE(emitters); i++)
        if (emitters[i].target == target)
            return &emitters[i];
    return NULL;
}

bool emitter_has(const struct emitter *emitter, enum format format)
{
    for (size_t i = 0; i < EMITTER_FORMATS; i++)
        if (emitter->formats[i] == format)
            return true;
    return false;
}
