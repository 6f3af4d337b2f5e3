#!/bin/sh
# SPDX-License-Identifier: MIT
# The documents of the public YAML test suite; see tests/yaml-suite/suite.py.
# What a sanitizer finds must not look like a refusal, of which the status is 1.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=199
UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}halt_on_error=1:exitcode=199
export ASAN_OPTIONS UBSAN_OPTIONS
SPMTOPO=${SPMTOPO:-./spmtopo} exec "${PYTHON:-python3}" "${srcdir:-.}/tests/yaml-suite/suite.py"
