#!/bin/sh
# SPDX-License-Identifier: MIT
# `verify --qmp` against a QEMU that is played; see tests/qmp.py.
SPMTOPO=${SPMTOPO:-./spmtopo} exec "${PYTHON:-python3}" "${srcdir:-.}/tests/qmp.py"
