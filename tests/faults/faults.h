/* SPDX-License-Identifier: MIT */
/* What faults.c and fail.c share. */
#ifndef SPMTOPO_FAULTS_H
#define SPMTOPO_FAULTS_H

#include <stdint.h>

enum { FAULT_PLACES = 1 << 18 };

struct fault_state {
    uint64_t fail_at; /* from 1; 0: none fails, and the places are noted */
    uint64_t sticky;  /* all after it fail, too */
    uint64_t count;   /* allocations so far */
    uint64_t failed;
    uint64_t places[FAULT_PLACES]; /* a number for the stack of each */
};

#endif
