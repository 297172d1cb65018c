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
    "The machine should have nothing else to do. Other micro-batches and kernels are tried for a "
    "moment each, and the fastest is named.";

typedef struct bench_options {
    int json, verify, alone;
    double seconds;
} bench_options;

static const struct argp_option table[] = {
    {"json", 'j', NULL, 0, "print one JSON object instead of tables", 0},
    {"verify", 'V', NULL, 0, "check every kernel against plain C instead of measuring", 0},
    {"alone", 'a', NULL, 0, "the configuration as it is; nothing else is tried", 0},
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
    case 'a':
        options->alone = 1;
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
    int64_t micro_batch;
    int kernels; /* tr_kernels_choice */
    int threads; /* 0: nothing is replaced, the configuration is measured as it is */
} variant;

enum { N_REPLACED = 3 };

/* `options` with the overrides of `other` behind its own; text and list are the caller's. */
static tr_options with_variant(const tr_options *options, const variant *other,
                               char text[N_REPLACED][48], const char **list)
{
    tr_options result = *options;
    for (size_t i = 0; i < options->n_overrides; i++)
        list[i] = options->overrides[i];
    snprintf(text[0], sizeof text[0], "engine.micro_batch=%lld", (long long)other->micro_batch);
    snprintf(text[1], sizeof text[1], "engine.threads=%d", other->threads);
    snprintf(text[2], sizeof text[2], "engine.kernels=%s", tr_kernels_names[other->kernels]);
    for (size_t i = 0; i < N_REPLACED; i++)
        list[options->n_overrides + i] = text[i];
    result.overrides = list;
    result.n_overrides += other->threads > 0 ? N_REPLACED : 0;
    return result;
}

/* Builds a model of its own and measures it. */
static tr_status measure(tr_session *session, const tr_options *options, const variant *other,
                         double seconds, tr_bench *bench, tr_error *err)
{
    char text[N_REPLACED][48];
    const char **list = tr_alloc(options->n_overrides + N_REPLACED, sizeof *list);
    if (list == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_options own = with_variant(options, other, text, list);
    tr_status status = tr_session_load(session, &own, err);
    if (status == TR_OK)
        status = other->threads > 0 ? tr_model_build(session->model, err)
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

/* Images per second; 0 where the variant is refused (too large for this machine, say). */
static double speed_of(const tr_options *options, const variant *changed, double seconds)
{
    tr_session session = {0};
    tr_bench other = {0};
    tr_error refused;
    const tr_status status = measure(&session, options, changed, seconds, &other, &refused);
    const double speed = status == TR_OK ? other.images_per_s.median : 0.0;
    tr_bench_release(&other);
    tr_session_close(&session);
    return speed;
}

/* What this machine makes of other micro-batches. */
static size_t try_choices(const tr_options *options, const tr_engine_config *engine,
                          const tr_bench *bench, double seconds,
                          tr_bench_choice choices[MAX_CHOICES])
{
    int64_t sizes[MAX_CHOICES];
    const size_t n_sizes = list_sizes(engine->micro_batch, bench->batch, sizes);
    size_t n = 0;
    for (size_t i = 0; i < n_sizes; i++) {
        const variant changed = {sizes[i], engine->kernels, bench->threads};
        const double speed = sizes[i] == engine->micro_batch ? bench->images_per_s.median
                                                             : speed_of(options, &changed, seconds);
        if (speed > 0.0)
            choices[n++] = (tr_bench_choice){sizes[i], speed};
    }
    return n;
}

/* And of other kernels. */
static size_t try_kernels(const tr_options *options, const tr_engine_config *engine,
                          const tr_bench *bench, double seconds,
                          tr_bench_kernels kernels[TR_BENCH_KERNELS])
{
    size_t n = 0;
    for (int i = 0; i < TR_BENCH_KERNELS; i++) {
        const variant changed = {engine->micro_batch, i, bench->threads};
        const double speed = i == engine->kernels ? bench->images_per_s.median
                                                  : speed_of(options, &changed, seconds);
        if (speed > 0.0)
            kernels[n++] = (tr_bench_kernels){(tr_kernels_choice)i, speed};
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
    tr_bench_kernels kernels[TR_BENCH_KERNELS];
    tr_bench_report report = {.bench = &result, .choices = choices, .kernels = kernels};
    TR_TRY(measure(session, options, &(variant){0}, own->seconds, &result, err));
    report.config = session->config;
    const tr_engine_config *engine = &session->config->engine;
    if (!own->alone) {
        report.n_choices = try_choices(options, engine, &result, 0.1 * own->seconds, choices);
        report.n_kernels = try_kernels(options, engine, &result, 0.2 * own->seconds, kernels);
    }
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
