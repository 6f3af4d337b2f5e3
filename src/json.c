/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

cJSON *json_add_object(cJSON *array)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(array, item);
    return item;
}

void json_add_hex(cJSON *object, const char *key, uint64_t value)
{
    char text[sizeof("0x0123456789abcdef")];
    snprintf(text, sizeof(text), "0x%" PRIx64, value);
    cJSON_AddStringToObject(object, key, text);
}

void json_print(struct strbuf *out, cJSON *root)
{
    char *text = cJSON_Print(root);
    strbuf_adds(out, text);
    strbuf_addc(out, '\n');
    cJSON_free(text);
    cJSON_Delete(root);
}
