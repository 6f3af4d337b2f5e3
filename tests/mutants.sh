#!/bin/sh
# SPDX-License-Identifier: MIT
# Captures of guests with one fact altered; see tests/mutants.py.
SPMTOPO=${SPMTOPO:-./spmtopo} exec "${PYTHON:-python3}" "${srcdir:-.}/tests/mutants.py"
