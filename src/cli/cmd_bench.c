/* cmd_bench.c -- trainer bench -c FILE: the step's time by layer, against the machine's peak. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_report.h"
#include "command.h"
#include "mem.h"
#include "self_check_table.h"

static const char doc[] =
    "Measure a training step: time, GFLOP/s, share of the measured peak and kernel of every layer "
    "and direction, and all that is not oneDNN. Needs no dataset: the images are noise.\v"
    "The machine should have nothing else to do. Other micro-batches are tried for a moment each, "
    "and the fastest is recommended.";

typedef struct bench_options {
    int json, verify;
    double seconds;
} bench_options;

static const struct argp_option table[] = {
    {"json", 'j', NULL, 0, "print one JSON object instead of tables", 0},
    {"verify", 'V', NULL, 0, "check every kernel against plain C instead of measuring", 0},
    {"seconds", 'n', "S", 0, "measure for about S seconds (default 4)", 0},
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    bench_options *options = state->input;
    char *end;
    switch (key) {
    case 'j':
        options->json = 1;
        return 0;
    case 'V':
        options->verify = 1;
        return 0;
    case 'n':
        options->seconds = strtod(arg, &end);
        if (end == arg || *end != '\0' || !(options->seconds > 0.0 && options->seconds <= 3600.0))
            argp_error(state, "--seconds %s: must be a number above 0, up to 3600", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {.options = table, .parser = parse_option};

/* What replaces values of the configuration for another micro-batch. The number of threads is
 * stated, because OpenMP's own is 1 as long as a model is alive. */
typedef struct variant {
    int64_t micro_batch; /* 0: the configuration as it is */
    int threads;
} variant;

/* `options` with the overrides of `other` behind its own; text and list are the caller's. */
static tr_options with_variant(const tr_options *options, const variant *other, char text[2][48],
                               const char **list)
{
    tr_options result = *options;
    for (size_t i = 0; i < options->n_overrides; i++)
        list[i] = options->overrides[i];
    snprintf(text[0], sizeof text[0], "engine.micro_batch=%lld", (long long)other->micro_batch);
    snprintf(text[1], sizeof text[1], "engine.threads=%d", other->threads);
    list[options->n_overrides] = text[0];
    list[options->n_overrides + 1] = text[1];
    result.overrides = list;
    result.n_overrides += other->micro_batch > 0 ? 2 : 0;
    return result;
}

/* Builds a model of its own and measures it. */
static tr_status measure(tr_session *session, const tr_options *options, const variant *other,
                         double seconds, tr_bench *bench, tr_error *err)
{
    char text[2][48];
    const char **list = tr_alloc(options->n_overrides + 2, sizeof *list);
    if (list == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_options own = with_variant(options, other, text, list);
    tr_status status = tr_session_load(session, &own, err);
    if (status == TR_OK)
        status = other->micro_batch > 0 ? tr_model_build(session->model, err)
                                        : tr_session_build(session, err); /* warns of slow ones */
    if (status == TR_OK)
        status = tr_model_check_trainable(session->model, err);
    if (status == TR_OK)
        status = tr_bench_run(bench, session->model, seconds, err);
    tr_free(list);
    return status;
}

enum { MAX_CHOICES = 8 }; /* 1, 2, 4, ... 64, and the configured one */

/* Powers of two up to the batch and the configured micro-batch, ascending; returns their number. */
static size_t list_sizes(int64_t configured, int64_t batch, int64_t sizes[MAX_CHOICES])
{
    size_t n = 0;
    bool placed = false;
    for (int64_t size = 1; size <= 64 && size <= batch; size *= 2) {
        if (!placed && configured <= size) {
            sizes[n++] = configured;
            placed = true;
        }
        if (size != configured)
            sizes[n++] = size;
    }
    if (!placed)
        sizes[n++] = configured;
    return n;
}

/* What this machine makes of other micro-batches; one that is refused (too large for it, say) is
 * left out. */
static size_t try_choices(const tr_options *options, const tr_session *own, const tr_bench *bench,
                          double seconds, tr_bench_choice choices[MAX_CHOICES])
{
    int64_t sizes[MAX_CHOICES];
    const int64_t configured = own->config->engine.micro_batch;
    const size_t n_sizes = list_sizes(configured, bench->batch, sizes);
    size_t n = 0;
    for (size_t i = 0; i < n_sizes; i++) {
        tr_session session = {0};
        tr_bench other = {0};
        tr_error refused;
        const variant changed = {sizes[i], bench->threads};
        if (sizes[i] == configured)
            choices[n++] = (tr_bench_choice){configured, bench->images_per_s.median};
        else if (measure(&session, options, &changed, seconds, &other, &refused) == TR_OK)
            choices[n++] = (tr_bench_choice){sizes[i], other.images_per_s.median};
        tr_bench_release(&other);
        tr_session_close(&session);
    }
    return n;
}

static tr_status verify(tr_session *session, const tr_options *options, tr_error *err)
{
    TR_TRY(tr_session_load(session, options, err));
    TR_TRY(tr_session_build(session, err));
    return tr_self_check_print(stdout, session->model, err);
}

static tr_status bench(tr_session *session, const tr_options *options, const bench_options *own,
                       tr_error *err)
{
    tr_bench result = {0};
    tr_bench_choice choices[MAX_CHOICES];
    tr_bench_report report = {.bench = &result, .choices = choices};
    TR_TRY(measure(session, options, &(variant){0}, own->seconds, &result, err));
    report.config = session->config;
    report.n_choices = try_choices(options, session, &result, 0.1 * own->seconds, choices);
    tr_status status = TR_OK;
    if (own->json)
        status = tr_bench_print_json(stdout, &report, err);
    else
        tr_bench_print(stdout, &report);
    tr_bench_release(&result);
    return status;
}

tr_status tr_command_bench(int argc, char **argv)
{
    tr_options options;
    bench_options own = {.seconds = 4.0};
    tr_session session = {0};
    tr_error err = {0};
    TR_TRY(tr_options_parse_more(&options, argc, argv, doc, TR_TAKES_NONE, &argp, &own));
    const tr_status status =
        own.verify ? verify(&session, &options, &err) : bench(&session, &options, &own, &err);
    tr_session_close(&session);
    tr_options_release(&options);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
