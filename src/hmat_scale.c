/* SPDX-License-Identifier: MIT */
#include "hmat_scale.h"

void hmat_scale_start(struct hmat_scale *scale, enum hmat_type type)
{
    scale->base = hmat_is_latency(type) ? UINT64_MAX : 1;
    scale->seen = 0;
}

static uint64_t power_of_ten_in(uint64_t value)
{
    uint64_t power = 1;
    while (value % (power * 10) == 0)
        power *= 10;
    return power;
}

bool hmat_scale_add(struct hmat_scale *scale, enum hmat_type type, uint64_t value)
{
    if (hmat_is_latency(type)) {
        scale->seen = u64_max(scale->seen, value / scale->base);
        if (scale->seen >= UINT16_MAX)
            return false;
        scale->base = u64_min(scale->base, power_of_ten_in(value));
        return true;
    }
    uint64_t bits = scale->seen | value;
    unsigned low = (unsigned)__builtin_ctzll(bits);
    unsigned high = 64 - (unsigned)__builtin_clzll(bits);
    if (high - low > 16 || value >> low >= UINT16_MAX)
        return false;
    scale->base = UINT64_C(1) << low;
    scale->seen = bits;
    return true;
}
