/* cmd_evaluate.c -- trainer evaluate --checkpoint FILE: Keras's evaluate() on the test set. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "trainer/checkpoint.h"

static const char doc[] =
    "Measure the weights of a checkpoint on the test set.\v"
    "Without -c the model is that inside the checkpoint. One of Keras knows no dataset and no "
    "scale "
    "of the pixels: --set data.file=FILE, and where it was trained on pixels from 0 to 1 --set "
    "data.scale=1/255. A .weights.h5 of Keras has no model inside: give -c FILE.";

/* A loss that we do not have is not measured as another, unless that is asked for. */
static tr_status check_loss(const tr_session *session, const tr_options *options, tr_error *err)
{
    static const char override[] = "compile.loss=";
    if (session->checkpoint.no_measure == NULL || session->checkpoint.no_measure[0] == '\0')
        return TR_OK;
    for (size_t i = 0; i < options->n_overrides; i++)
        if (strncmp(options->overrides[i], override, strlen(override)) == 0)
            return TR_OK;
    return tr_fail(err, TR_ERR_DATA, "%s: %s; measure another with --set compile.loss=NAME",
                   options->checkpoint, session->checkpoint.no_measure);
}

static tr_status evaluate(tr_session *session, const char *checkpoint, tr_error *err)
{
    tr_evaluation test;
    int64_t begin;
    TR_TRY(tr_session_build_for_inference(session, err));
    TR_TRY(tr_checkpoint_read_weights(session->model, checkpoint, err));
    TR_TRY(tr_session_opened(session,
                             tr_dataset_open_test(&session->dataset, session->config,
                                                  tr_model_targets(session->model), err),
                             err));
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
    TR_TRY(tr_options_parse(&options, argc, argv, doc, TR_TAKES_CHECKPOINT));
    tr_status status = tr_session_load(&session, &options, &err);
    if (status == TR_OK)
        status = tr_session_need_dataset(&session, options.checkpoint, &err);
    if (status == TR_OK)
        status = check_loss(&session, &options, &err);
    if (status == TR_OK)
        status = evaluate(&session, options.checkpoint, &err);
    tr_session_close(&session);
    tr_options_release(&options);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
