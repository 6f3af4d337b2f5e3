/* SPDX-License-Identifier: MIT */
/* Gives files to a fuzz target, without a fuzzer: replay TARGET FILE... */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "util.h"

static unsigned char *read_file(const char *name, size_t *len)
{
    FILE *file = fopen(name, "rb");
    unsigned char *bytes = NULL;
    size_t cap = 0;
    *len = 0;
    if (!file)
        return NULL;
    do {
        cap = cap ? 2 * cap : (size_t)64 * 1024;
        bytes = xrealloc(bytes, cap, 1);
        *len += fread(bytes + *len, 1, cap - *len, file);
    } while (*len == cap);
    fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        size_t len;
        unsigned char *bytes = read_file(argv[i], &len);
        if (!bytes || !fuzz(argv[1], bytes, len)) {
            fprintf(stderr, "replay: cannot give '%s' to '%s'\n", argv[i], argv[1]);
            return 2;
        }
        free(bytes);
    }
    printf("%d inputs\n", argc - 2);
    return argc > 2 ? 0 : 2;
}
