#!/bin/sh
# SPDX-License-Identifier: MIT
# Random topologies on the real libvirt. SPMTOPO_ORACLE_COUNT says how many, SPMTOPO_ORACLE_SEED which;
# the seed is printed.
exec "${PYTHON:-python3}" "${srcdir:-.}/tests/oracle/libvirt" \
    --random "${SPMTOPO_ORACLE_COUNT:-100}" ${SPMTOPO_ORACLE_SEED:+"$SPMTOPO_ORACLE_SEED"}
