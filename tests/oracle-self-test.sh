#!/bin/sh
# SPDX-License-Identifier: MIT
# The real QEMU against what spmtopo predicts; see tests/oracle/run.
exec "${PYTHON:-python3}" "${srcdir:-.}/tests/oracle/run" self-test
