#!/bin/sh
# SPDX-License-Identifier: MIT
# Faulty topologies: what 'check' passes the real QEMU must take, what it refuses QEMU must not hold.
# SPMTOPO_ORACLE_COUNT says how many, SPMTOPO_ORACLE_SEED which; the seed is printed.
exec "${PYTHON:-python3}" "${srcdir:-.}/tests/oracle/run" faults \
    --count "${SPMTOPO_ORACLE_COUNT:-100}" ${SPMTOPO_ORACLE_SEED:+--seed "$SPMTOPO_ORACLE_SEED"}
