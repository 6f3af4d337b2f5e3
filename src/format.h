/* SPDX-License-Identifier: MIT */
/* The forms of what is printed. Layer 0. */
#ifndef SPMTOPO_FORMAT_H
#define SPMTOPO_FORMAT_H

enum format {
    FORMAT_DEFAULT,
    FORMAT_SHELL,
    FORMAT_JSON,
    FORMAT_ARGV,
    FORMAT_TEXT,
    FORMAT_RAW,
    FORMAT_DMESG,
    FORMAT_YAML,
    FORMAT_SARIF,
    FORMAT_GITHUB,
    FORMAT_TAP,
    FORMAT_XML,
    FORMAT_SVG,
    FORMAT_DOT
};

#endif
