/* SPDX-License-Identifier: MIT */
/* A topology for people, as text and pictures, and as a file with every default filled in; where its
 * memory lies is one target's. Layer 7. */
#ifndef SPMTOPO_SHOW_H
#define SPMTOPO_SHOW_H

#include "predict.h"

/* All append, for a prediction that is ok, and cannot fail. */

/* Nodes, CPUs, regions, address map, distances, aligned for reading. */
void show_text(struct strbuf *out, const struct vm *vm, const struct prediction *prediction);
/* A topology file that compiles to the same outputs and leaves nothing to defaults. */
void show_yaml(struct strbuf *out, const struct vm *vm, const struct prediction *prediction);
/* A picture: address map, nodes, distances; one whole SVG 1.1 document that refers to nothing. */
void show_svg(struct strbuf *out, const struct vm *vm, const struct prediction *prediction);
/* A graph for Graphviz: nodes, whose memory is near to whom, and the distances that matter. */
void show_dot(struct strbuf *out, const struct vm *vm, const struct prediction *prediction);

#endif
