#!/bin/sh
# SPDX-License-Identifier: MIT
# Guests that the real libvirt starts, under TCG; see tests/oracle/libvirt-boot.
exec "${PYTHON:-python3}" "${srcdir:-.}/tests/oracle/libvirt-boot"
