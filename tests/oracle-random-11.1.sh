#!/bin/sh
# SPDX-License-Identifier: MIT
# Random topologies on the real QEMU 11.1. SPMTOPO_ORACLE_COUNT says how many, SPMTOPO_ORACLE_SEED which;
# the seed is printed.
exec "${PYTHON:-python3}" "${srcdir:-.}/tests/oracle/run" random --qemu 11.1 \
    --count "${SPMTOPO_ORACLE_COUNT:-100}" ${SPMTOPO_ORACLE_SEED:+--seed "$SPMTOPO_ORACLE_SEED"}
