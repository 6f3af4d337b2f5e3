/* SPDX-License-Identifier: MIT */
/* A topology for people, as text and pictures, and as a file with every default filled in.
 * Layer 7. */
#ifndef SPMTOPO_SHOW_H
#define SPMTOPO_SHOW_H

#include "acpi.h"

/* Nodes, CPUs, regions, address map, distances, aligned for reading. */
void show_text(struct strbuf *out, const struct vm *vm, const struct qemu_target *target,
               const struct layout *layout);
/* A topology file that compiles to the same outputs and leaves nothing to defaults. */
void show_yaml(struct strbuf *out, const struct vm *vm, const struct qemu_target *target,
               const struct layout *layout);
/* A picture: address map, nodes, distances; one whole SVG 1.1 document that refers to nothing. */
void show_svg(struct strbuf *out, const struct vm *vm, const struct qemu_target *target,
              const struct layout *layout);
/* A graph for Graphviz: nodes, whose memory is near to whom, and the distances that matter. */
void show_dot(struct strbuf *out, const struct vm *vm, const struct qemu_target *target,
              const struct layout *layout);

#endif
