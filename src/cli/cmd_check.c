/* cmd_check.c -- trainer check and trainer summary: everything short of data and training. */
#include <stdio.h>

#include "command.h"
#include "mem.h"
#include "trainer/checkpoint.h"

static const char check_doc[] =
    "Check a configuration: every mistake with its line, in one run; the shapes of the data, where "
    "they are there (their values are read by a run only); and the memory that a run will need.";
static const char summary_doc[] = "Print the layers, their shapes, parameters and work, and the "
                                  "oneDNN kernel of each direction; of "
                                  "a checkpoint after its weights were read.";

tr_status tr_command_check(int argc, char **argv)
{
    tr_options options;
    tr_session session = {0};
    tr_error err = {0};
    TR_TRY(tr_options_parse(&options, argc, argv, check_doc, TR_TAKES_NONE));
    tr_status status = tr_session_load(&session, &options, &err);
    if (status == TR_OK)
        status = tr_model_check_trainable(session.model, &err);
    if (status == TR_OK)
        status = tr_session_check_parameters(&session, &err);
    if (status == TR_OK)
        status = tr_session_build(&session, &err);
    if (status == TR_OK)
        printf("%s: fine, %d layers; the data are not read here\n", options.config_path,
               tr_model_n_layers(session.model));
    if (status == TR_OK)
        status = tr_session_check_memory(&session, stdout, &err);
    tr_session_close(&session);
    tr_options_release(&options);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}

tr_status tr_command_summary(int argc, char **argv)
{
    tr_options options;
    tr_session session = {0};
    tr_error err = {0};
    char *summary = NULL;
    TR_TRY(tr_options_parse(&options, argc, argv, summary_doc, TR_TAKES_EITHER));
    tr_status status = tr_session_load(&session, &options, &err);
    if (status == TR_OK)
        status = tr_session_build(&session, &err);
    if (status == TR_OK && options.checkpoint != NULL) /* whose model it is, or is not */
        status = tr_checkpoint_read_weights(session.model, options.checkpoint, &err);
    if (status == TR_OK) {
        summary = tr_model_summary(session.model);
        fputs(summary == NULL ? "" : summary, stdout);
    }
    tr_free(summary);
    tr_session_close(&session);
    tr_options_release(&options);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
