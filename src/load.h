/* SPDX-License-Identifier: MIT */
/* From a document to a model: which keys there are and what their values look like. Layer 3. */
#ifndef SPMTOPO_LOAD_H
#define SPMTOPO_LOAD_H

#include "doc.h"
#include "model.h"

/* Fills *vm from a document. Goes on after an error, so that one run reports them all; false when
 * one left the model incomplete (an unknown key does not). Nothing of the document is borrowed: what the
 * model owns is in the arena given here. */
bool model_load(struct vm *vm, const struct doc_node *root, struct arena *arena,
                struct diags *diags);

#endif
