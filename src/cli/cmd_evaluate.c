/* cmd_evaluate.c -- trainer evaluate --checkpoint FILE: Keras's evaluate() on the test set. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "evaluation_files.h"
#include "trainer/checkpoint.h"

static const char doc[] =
    "Measure the weights of a checkpoint on the test set.\v"
    "Without -c the model is that inside the checkpoint. One of Keras knows no dataset and no "
    "scale "
    "of the pixels: --set data.file=FILE, and where it was trained on pixels from 0 to 1 --set "
    "data.scale=1/255. A .weights.h5 of Keras has no model inside: give -c FILE. With --json the "
    "answer is what a run leaves in evaluation.json.";

static const struct argp_option table[] = {
    {"json", 'j', NULL, 0, "one JSON object in place of the tables", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != 'j')
        return ARGP_ERR_UNKNOWN;
    *(bool *)state->input = true;
    return 0;
}

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

static tr_status print(const tr_session *session, const tr_evaluation *test, double seconds,
                       bool json, tr_error *err)
{
    if (json)
        return tr_evaluation_print_json(stdout, session->model, test, err);
    printf("evaluated %lld images in %.3f s, %.0f images/s\n", (long long)test->metrics.n, seconds,
           (double)test->metrics.n / seconds);
    return tr_print_result(session, test, err);
}

static tr_status evaluate(tr_session *session, const char *checkpoint, bool json, tr_error *err)
{
    tr_evaluation test;
    int64_t begin;
    TR_TRY(tr_session_build_for_inference(session, err));
    TR_TRY(tr_checkpoint_read_weights(session->model, checkpoint, err));
    TR_TRY(tr_checkpoint_read_legend(session->model, checkpoint, err));
    TR_TRY(tr_session_opened(session,
                             tr_dataset_open_test(&session->dataset, session->config,
                                                  tr_model_targets(session->model),
                                                  tr_model_legend(session->model), err),
                             err));
    if (tr_dataset_test(session->dataset)->n == 0)
        return tr_fail(err, TR_ERR_DATA, "%s: has no test set (%s, %s)", session->config->data.file,
                       session->config->data.x_test, session->config->data.y_test);
    TR_TRY(tr_model_set_legend(session->model, tr_dataset_legend(session->dataset), err));
    begin = tr_clock_ns();
    TR_TRY(tr_evaluate(session->config, session->model, session->dataset, &test, err));
    const double seconds = 1e-9 * (double)(tr_clock_ns() - begin);
    const tr_status status = print(session, &test, seconds, json, err);
    tr_evaluation_release(&test);
    return status;
}

tr_status tr_command_evaluate(int argc, char **argv)
{
    const struct argp more = {.options = table, .parser = parse};
    bool json = false;
    tr_options options;
    tr_session session = {0};
    tr_error err = {0};
    TR_TRY(tr_options_parse_more(&options, argc, argv, doc, TR_TAKES_CHECKPOINT, &more, &json));
    tr_status status = tr_session_load(&session, &options, &err);
    if (status == TR_OK)
        status = tr_session_need_dataset(&session, options.checkpoint, &err);
    if (status == TR_OK)
        status = check_loss(&session, &options, &err);
    if (status == TR_OK)
        status = evaluate(&session, options.checkpoint, json, &err);
    tr_session_close(&session);
    tr_options_release(&options);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
