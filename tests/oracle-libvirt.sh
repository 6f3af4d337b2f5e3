#!/bin/sh
# SPDX-License-Identifier: MIT
# The real libvirt and its QEMU against what spmtopo emits and predicts; see tests/oracle/libvirt.
exec "${PYTHON:-python3}" "${srcdir:-.}/tests/oracle/libvirt"
