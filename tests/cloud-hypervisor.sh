#!/bin/sh
# SPDX-License-Identifier: MIT
# The configurations and predictions for cloud-hypervisor: see cloud-hypervisor/test.py.
set -u

python=${PYTHON:-python3}
for other in "$python" /usr/bin/python3; do
    if "$other" -c 'import yaml, jsonschema' 2>/dev/null; then
        python=$other
        break
    fi
done
exec "$python" "${srcdir:-.}/tests/cloud-hypervisor/test.py" "$@"
