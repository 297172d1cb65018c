/* cmd_evaluate.c -- trainer evaluate -c FILE --checkpoint F: Keras's evaluate() on the test set. */
#include <stdio.h>

#include "clock.h"
#include "command.h"
#include "trainer/checkpoint.h"

static const char doc[] = "Measure the weights of a checkpoint on the test set.";

static tr_status evaluate(tr_session *session, const char *checkpoint, tr_error *err)
{
    tr_evaluation test;
    int64_t begin;
    TR_TRY(tr_session_build(session, err));
    TR_TRY(tr_checkpoint_read_weights(session->model, checkpoint, err));
    TR_TRY(
        tr_dataset_open(&session->dataset, session->config, tr_model_targets(session->model), err));
    if (tr_dataset_test(session->dataset)->n == 0)
        return tr_fail(err, TR_ERR_DATA, "%s: has no test set (%s, %s)", session->config->data.file,
                       session->config->data.x_test, session->config->data.y_test);
    begin = tr_clock_ns();
    TR_TRY(tr_evaluate(session->config, session->model, session->dataset, &test, err));
    const double seconds = 1e-9 * (double)(tr_clock_ns() - begin);
    printf("evaluated %lld images in %.3f s, %.0f images/s\n", (long long)test.metrics.n, seconds,
           (double)test.metrics.n / seconds);
    const tr_status status = tr_print_result(session, &test, err);
    tr_evaluation_release(&test);
    return status;
}

tr_status tr_command_evaluate(int argc, char **argv)
{
    tr_options options;
    tr_session session = {0};
    tr_error err = {0};
    TR_TRY(tr_options_parse(&options, argc, argv, doc, 1));
    tr_status status = tr_session_load(&session, &options, &err);
    if (status == TR_OK)
        status = evaluate(&session, options.checkpoint, &err);
    tr_session_close(&session);
    tr_options_release(&options);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
