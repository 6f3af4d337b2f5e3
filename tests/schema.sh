#!/bin/sh
# SPDX-License-Identifier: MIT
# The JSON schemas against the loader, the program and the files of the source tree: see schema.py.
set -u

python=${PYTHON:-python3}
for other in "$python" /usr/bin/python3; do
    if "$other" -c 'import yaml, jsonschema' 2>/dev/null; then
        python=$other
        break
    fi
done
exec "$python" "${srcdir:-.}/tests/schema.py"
