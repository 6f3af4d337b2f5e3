/* SPDX-License-Identifier: MIT */
/* The known word that a mistyped one most likely stands for. Layer 0. */
#ifndef SPMTOPO_NEAREST_H
#define SPMTOPO_NEAREST_H

#include "util.h"

/* Holds the best of the candidates offered so far: start with {.word = typed}. All is borrowed. */
struct nearest {
    const char *word;
    const char *best; /* NULL while nothing is near enough */
    size_t distance;
};

void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
