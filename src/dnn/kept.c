/* kept.c -- see kept.h. One block per micro-batch, and one of all that is shared. */
#include "kept.h"

#include "mem.h"
#include "program_internal.h"

struct tr_kept {
    const tr_program *program;
    int64_t n;
    size_t stride; /* bytes of a micro-batch */
    unsigned char *blocks, *shared;
    size_t *at; /* [values] where in `shared` those of a shared value begin */
};

static int64_t groups_of(const tr_value_box *value, int64_t n)
{
    return value->group == TR_WHOLE_BATCH ? 1 : (n + value->group - 1) / value->group;
}

tr_status tr_kept_new(tr_kept **out, const tr_program *program, int64_t n, tr_error *err)
{
    tr_kept *kept = tr_alloc(1, sizeof *kept);
    if (kept == NULL)
        return tr_out_of_memory(err, NULL);
    kept->program = program;
    kept->n = n;
    kept->stride = tr_program_kept_bytes(program);
    kept->at = tr_alloc(program->n_values, sizeof *kept->at);
    kept->blocks = tr_alloc((size_t)n, kept->stride);
    size_t shared_bytes = 0;
    for (size_t i = 0; kept->at != NULL && i < program->n_values; i++) {
        const tr_value_box *value = &program->values[i];
        kept->at[i] = shared_bytes;
        if (value->space == TR_SPACE_SHARED)
            shared_bytes += (size_t)groups_of(value, n) * tr_value_bytes(value);
    }
    kept->shared = tr_alloc(shared_bytes, 1);
    if (kept->at == NULL || kept->blocks == NULL || kept->shared == NULL) {
        tr_kept_free(kept);
        return tr_fail(err, TR_ERR_INTERNAL,
                       "out of memory: %lld micro-batches x %zu bytes between the stages of the "
                       "network; use a smaller [fit] batch_size",
                       (long long)n, tr_program_kept_bytes(program));
    }
    *out = kept;
    return TR_OK;
}

void tr_kept_free(tr_kept *kept)
{
    if (kept == NULL)
        return;
    tr_free(kept->at);
    tr_free(kept->blocks);
    tr_free(kept->shared);
    tr_free(kept);
}

void *tr_kept_memory(const tr_kept *kept, tr_value value, int64_t m)
{
    const tr_value_box *box = &kept->program->values[value];
    if (kept->n == 1 && box->sums != TR_NO_VALUE)
        box = &kept->program->values[box->sums];
    if (box->space != TR_SPACE_SHARED)
        return kept->blocks + (size_t)m * kept->stride + box->offset;
    const int64_t group = box->group == TR_WHOLE_BATCH ? 0 : m / box->group;
    return kept->shared + kept->at[value] + (size_t)group * tr_value_bytes(box);
}

size_t tr_kept_stride(const tr_kept *kept)
{
    return kept->stride / sizeof(double);
}
