#!/bin/sh
# SPDX-License-Identifier: MIT
# In the place of the unit tests where their library is missing.
set -u

if [ "${SPMTOPO_REQUIRE_VMM:-}" = 1 ]; then
    echo 'TAP version 13'
    echo 'Bail out! cmocka not found: the unit tests did not run'
    exit 1
fi
echo 'TAP version 13'
echo '1..0 # SKIP cmocka not found: the unit tests did not run'
