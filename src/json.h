/* SPDX-License-Identifier: MIT */
/* JSON documents, on top of cJSON. Layer 0. */
#ifndef SPMTOPO_JSON_H
#define SPMTOPO_JSON_H

#include "strbuf.h"

struct cJSON;

/* A new object at the end of an array, which owns it. */
struct cJSON *json_add_object(struct cJSON *array);
/* A number as the text "0x…": cJSON's own are doubles, which hold no 64 bits. */
void json_add_hex(struct cJSON *object, const char *key, uint64_t value);
/* Appends a document, indented and with a newline, and frees it. */
void json_print(struct strbuf *out, struct cJSON *root);

#endif
