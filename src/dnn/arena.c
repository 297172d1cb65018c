/* arena.c -- one block of memory for all tensors of a micro-batch, shared by lifetimes; and another
 * for those that cross a cut, which every micro-batch of a batch has for itself.
 *
 * Two values may lie over each other when no operation needs both. That keeps a micro-batch's
 * working set near the size of its largest neighbours instead of the sum of all layers, which is
 * what lets it stay in a core's second-level cache. Greedy by size: the largest value first, each
 * at the lowest offset that collides with no living neighbour.
 */
#include <stdlib.h>

#include "mem.h"
#include "program_internal.h"

size_t tr_value_bytes(const tr_value_box *value)
{
    return (tr_layout_bytes(value->layout) + TR_ALIGN - 1) / TR_ALIGN * TR_ALIGN;
}

static bool alive_together(const tr_value_box *a, const tr_value_box *b)
{
    if (a->space == TR_SPACE_PREPARED || a->space == TR_SPACE_SUMS)
        return true;
    return a->first <= b->last && b->first <= a->last;
}

/* qsort: larger first; equal sizes in the order of birth, so that the plan is a pure function. */
static int larger_first(const void *left, const void *right)
{
    const tr_value_box *a = *(tr_value_box *const *)left, *b = *(tr_value_box *const *)right;
    const size_t a_bytes = tr_value_bytes(a), b_bytes = tr_value_bytes(b);
    if (a_bytes != b_bytes)
        return a_bytes < b_bytes ? 1 : -1;
    return a < b ? -1 : a > b;
}

/* The lowest offset at which `value` fits between the first `n` values, already placed. */
static size_t lowest_offset(const tr_value_box *value, tr_value_box *const *placed, size_t n)
{
    const size_t bytes = tr_value_bytes(value);
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n; i++) {
            const tr_value_box *other = placed[i];
            const size_t other_end = other->offset + tr_value_bytes(other);
            if (alive_together(value, other) && offset < other_end &&
                other->offset < offset + bytes) {
                offset = other_end;
                moved = true;
            }
        }
    }
    return offset;
}

/* What is of one space, from `begin` bytes on. */
static void place(tr_program *program, tr_space space, size_t begin, tr_value_box **order)
{
    size_t n = 0, end = begin;
    for (size_t i = 0; i < program->n_values; i++)
        if (program->values[i].space == space && program->values[i].root == (tr_value)i)
            order[n++] = &program->values[i];
    qsort(order, n, sizeof *order, larger_first);
    for (size_t i = 0; i < n; i++) {
        order[i]->offset = lowest_offset(order[i], order, i);
        if (order[i]->offset + tr_value_bytes(order[i]) > end - begin)
            end = begin + order[i]->offset + tr_value_bytes(order[i]);
    }
    for (size_t i = 0; i < n; i++)
        order[i]->offset += begin;
    program->bytes[space] = end;
}

tr_status tr_arena_place(tr_program *program, tr_error *err)
{
    tr_value_box **order = tr_alloc(program->n_values, sizeof *order);
    if (order == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t i = 0; i < program->n_values; i++)
        if (program->values[i].space == TR_SPACE_ARENA &&
            program->values[i].last_stage > program->values[i].stage)
            program->values[i].space = TR_SPACE_KEPT;
    place(program, TR_SPACE_ARENA, 0, order);
    place(program, TR_SPACE_PREPARED, 0, order);
    place(program, TR_SPACE_KEPT, 0, order);
    place(program, TR_SPACE_SUMS, program->bytes[TR_SPACE_KEPT], order);
    tr_free(order);
    for (size_t i = 0; i < program->n_values; i++) { /* views */
        const tr_value_box *root = &program->values[program->values[i].root];
        program->values[i].space = root->space;
        program->values[i].group = root->group;
        program->values[i].offset = root->offset;
    }
    return TR_OK;
}
