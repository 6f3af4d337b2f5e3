/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry: FUZZ_TARGET in the environment says what is fuzzed. */
#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *target = getenv("FUZZ_TARGET");
    if (!target || !fuzz(target, bytes, len))
        abort();
    return 0;
}
