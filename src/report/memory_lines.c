/* memory_lines.c -- see memory_lines.h.
 *
 * The prediction is right to a tenth (tests/cli/test_memory_need.c): what is more than that above
 * the limit will be killed by the kernel, in the middle of the training and without a word.
 */
#include "memory_lines.h"

static double mebibytes(uint64_t bytes)
{
    return (double)bytes * 0x1p-20;
}

void tr_print_memory(FILE *out, const tr_memory_need *need, const tr_memory_limit *limit,
                     bool knows_data)
{
    fprintf(out, "memory: about %.0f MiB at the peak%s: ", mebibytes(need->total),
            knows_data ? "" : " and the data, which were not found");
    if (knows_data)
        fprintf(out, "data %.0f, ", mebibytes(need->data));
    fprintf(out, "training %.0f, saving %.0f, program %.0f", mebibytes(need->model),
            mebibytes(need->saving), mebibytes(need->program));
    if (limit->bytes != UINT64_MAX)
        fprintf(out, "; %s has %.0f, of which %.0f are left", limit->what, mebibytes(limit->bytes),
                mebibytes(limit->left));
    fputc('\n', out);
}

tr_status tr_check_memory(FILE *out, const tr_memory_need *need, const tr_memory_limit *limit,
                          tr_error *err)
{
    static const char advice[] = "a smaller [fit] batch_size, [engine] gradient_slots or threads, "
                                 "or [data] memory = streamed need less";
    const uint64_t more = need->total - need->program; /* which is in memory already */
    if ((double)need->total > 1.1 * (double)limit->bytes)
        return tr_fail(err, TR_ERR_INTERNAL,
                       "the run needs about %.0f MiB of memory, and %s has %.0f: %s",
                       mebibytes(need->total), limit->what, mebibytes(limit->bytes), advice);
    if (more > limit->left)
        fprintf(out,
                "trainer: warning: the run needs about %.0f MiB of memory more than it has, and "
                "%.0f are left: it may be killed; %s\n",
                mebibytes(more), mebibytes(limit->left), advice);
    return TR_OK;
}
