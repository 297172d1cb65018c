/* session_memory.c -- will what a configuration asks for fit into the memory that there is? */
#include <unistd.h>

#include "command.h"
#include "memory_lines.h"

tr_status tr_session_check_memory(const tr_session *session, FILE *out, tr_error *err)
{
    tr_dataset_outline data = {0};
    tr_memory_need need;
    const tr_config *config = session->config;
    const tr_memory_limit limit = tr_memory_limit_read("");
    const bool there = access(config->data.file, F_OK) == 0;
    if (there) {
        const tr_status status =
            tr_dataset_look(&data, config, tr_model_targets(session->model), err);
        if (status != TR_OK)
            return out == NULL ? TR_OK : status;
    }
    TR_TRY(tr_memory_need_of(&need, session->model, &data, err));
    if (out != NULL)
        tr_print_memory(out, &need, &limit, there);
    return tr_check_memory(stderr, &need, &limit, err);
}

static double parameter_bytes(const tr_session *session)
{
    double bytes = 0.0;
    for (int i = 0; i < tr_model_n_weights(session->model); i++)
        bytes += (double)tr_model_weight(session->model, i).n * sizeof(float);
    return bytes;
}

tr_status tr_session_check_parameters(const tr_session *session, tr_error *err)
{
    enum { LEAST_COPIES = 3 }; /* weights, a gradient, a checkpoint on its way */
    const tr_memory_limit limit = tr_memory_limit_read("");
    const double least = LEAST_COPIES * parameter_bytes(session);
    if (least <= (double)limit.bytes)
        return TR_OK;
    return tr_fail(err, TR_ERR_INTERNAL,
                   "the parameters, their gradient and a checkpoint of them take %.0f MiB of "
                   "memory, and %s has %.0f: train a smaller network",
                   least * 0x1p-20, limit.what, (double)limit.bytes * 0x1p-20);
}

/* Planning a run twice takes a moment, so it is done where memory is short at all: the parameters
 * of a network are there a few times, its activations seldom take gigabytes. */
bool tr_session_memory_is_short(const tr_session *session)
{
    enum { COPIES = 32 };
    const double plenty = 4.0 * 0x1p30;
    return (double)tr_memory_left() < plenty + COPIES * parameter_bytes(session);
}
