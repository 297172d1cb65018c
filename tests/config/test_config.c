/* test_config.c -- a whole configuration: values, every refusal of its sections, the round trip of
 * the effective configuration, lack of memory, and files broken at random.
 */
#include "trainer/config.h"

#include <criterion/criterion.h>
#include <stdint.h>

#include "config_internal.h"
#include "ini_fixture.h"
#include "mem.h"

static tr_config *config;
static tr_error err;

static void teardown(void)
{
    tr_config_free(config);
    fixture_close();
}

TestSuite(config, .init = fixture_open, .fini = teardown);

static const char reference[] = TR_SOURCE "/configs/mnist.ini";

/* Four required sections and a layer: nothing to complain about. */
static const char least[] = "[data]\nfile = d.h5\n"                /* lines 1, 2 */
                            "[model]\ninput_shape = 2, 3, 4\n"     /* 3, 4 */
                            "[layer.a]\ntype = dense\n"            /* 5, 6 */
                            "[compile]\nloss = l\noptimizer = o\n" /* 7, 8, 9 */
                            "[output]\ndirectory = out\n";         /* 10, 11; more from 12 on */

static tr_status load_file(const char *path, const char *const *overrides, size_t n)
{
    tr_config_free(config);
    config = NULL;
    err.text[0] = '\0';
    const tr_status status = tr_config_load(&config, path, overrides, n, &err);
    return status == TR_OK ? tr_config_check(config, &err) : status;
}

static tr_status load_least_and(const char *more)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s", least, more);
    return load_file(fixture_text(text), NULL, 0);
}

static tr_status load_least_set(const char *override)
{
    return load_file(fixture_text(least), &override, 1);
}

static void assert_count(size_t n)
{
    cr_assert_eq(tr_problems_count(config->problems), n, "%zu, not %zu:\n%s",
                 tr_problems_count(config->problems), n, err.text);
}

/* ---- values ---- */

Test(config, reference_file)
{
    cr_assert_eq(load_file(reference, NULL, 0), TR_OK, "%s", err.text);
    cr_assert_str_eq(config->data.file, "data/mnist.h5");
    cr_assert_str_eq(config->data.x_train, "x_train");
    cr_assert_str_eq(config->data.y_train, "y_train");
    cr_assert_str_eq(config->data.x_test, "x_test");
    cr_assert_str_eq(config->data.y_test, "y_test");
    cr_assert(config->data.scale_num == 1 && config->data.scale_den == 255);
    cr_assert_eq(config->data.validation_split, 0.2);
    cr_assert_eq(config->data.split_seed, 0);
    cr_assert(config->input_shape[0] == 28 && config->input_shape[1] == 28);
    cr_assert_eq(config->input_shape[2], 1);
    cr_assert_str_eq(config->model_name, "sequential");
    cr_assert_str_eq(config->compile.loss, "sparse_categorical_crossentropy");
    cr_assert_str_eq(config->compile.optimizer, "adam");
    cr_assert_str_eq(config->compile.metrics, "accuracy");
    cr_assert(config->fit.batch_size == 128 && config->fit.epochs == 20);
    cr_assert(config->fit.seed == 0 && config->fit.shuffle);
    cr_assert_eq(config->evaluate_batch_size, 100);
    cr_assert_eq(config->engine.isa, TR_ISA_AUTO);
    cr_assert_eq(config->engine.precision, TR_FLOAT32);
    cr_assert_eq(config->engine.convolution, TR_CONVOLUTION_AUTO);
    cr_assert_eq(config->engine.kernels, TR_KERNELS_ONEDNN);
    cr_assert(config->engine.threads == 0 && config->engine.micro_batch == 8);
    cr_assert_str_eq(config->output_directory, "runs/mnist");
    cr_assert_not_null(tr_ini_find(config->ini, "layer.conv1"));
}

Test(config, defaults)
{
    cr_assert_eq(load_least_and(""), TR_OK, "%s", err.text);
    cr_assert(config->data.scale_num == 1 && config->data.scale_den == 1);
    cr_assert(config->data.validation_split == 0 && config->data.split_seed == 0);
    cr_assert_str_eq(config->compile.metrics, "");
    cr_assert(config->compile.top_k == 5 && !config->data.stratify);
    cr_assert_str_eq(config->data.validation_file, "");
    cr_assert(config->fit.batch_size == 32 && config->fit.epochs == 1);
    cr_assert(config->fit.seed == 0 && config->fit.shuffle);
    cr_assert_eq(config->evaluate_batch_size, 32);
    cr_assert_eq(config->engine.precision, TR_FLOAT32);
    cr_assert_eq(config->engine.convolution, TR_CONVOLUTION_AUTO);
    cr_assert_eq(config->engine.kernels, TR_KERNELS_ONEDNN);
    cr_assert(config->engine.threads == 0 && config->engine.micro_batch == 8);
}

Test(config, one_number_is_the_length_of_a_vector)
{
    cr_assert_eq(load_file(fixture_text("[data]\nfile=f\n[model]\ninput_shape = 784\n[layer.x]\n"
                                        "[compile]\nloss=l\noptimizer=o\n[output]\ndirectory=d\n"),
                           NULL, 0),
                 TR_OK, "%s", err.text);
    cr_assert(config->input_flat);
    cr_assert(config->input_shape[0] == 1 && config->input_shape[1] == 1);
    cr_assert_eq(config->input_shape[2], 784);
}

Test(config, every_key)
{
    cr_assert_eq(
        load_file(fixture_text("[data]\nfile=f\nx_train=/a\ny_train=/b\nx_test=/c\n"
                               "y_test=/d\nscale=2/3\nvalidation_split=.5\n"
                               "split_seed=4294967295\n[model]\ninput_shape=1,2,65536\n"
                               "name=n\n[layer.x]\n[compile]\nloss=l\noptimizer=o\n"
                               "metrics=accuracy\n[optimizer]\nany=1\n[fit]\n"
                               "batch_size=1048576\nepochs=1000000\n"
                               "seed=9223372036854775807\nshuffle=no\n[evaluate]\n"
                               "batch_size=1\n[engine]\nisa=avx512\nthreads=1024\n"
                               "precision=bfloat16\nconvolution=winograd\nkernels=portable\n"
                               "micro_batch=4096\n[output]\ndirectory=d\n"),
                  NULL, 0),
        TR_OK, "%s", err.text);
    cr_assert_str_eq(config->data.x_train, "/a");
    cr_assert_str_eq(config->data.y_train, "/b");
    cr_assert_str_eq(config->data.x_test, "/c");
    cr_assert_str_eq(config->data.y_test, "/d");
    cr_assert(config->data.scale_num == 2 && config->data.scale_den == 3);
    cr_assert_eq(config->data.validation_split, 0.5);
    cr_assert_eq(config->data.split_seed, 4294967295);
    cr_assert_eq(config->input_shape[2], 65536);
    cr_assert_str_eq(config->model_name, "n");
    cr_assert_eq(config->fit.batch_size, 1048576);
    cr_assert_eq(config->fit.epochs, 1000000);
    cr_assert_eq(config->fit.seed, INT64_MAX);
    cr_assert_not(config->fit.shuffle);
    cr_assert_eq(config->engine.isa, TR_ISA_AVX512);
    cr_assert_eq(config->engine.precision, TR_BFLOAT16);
    cr_assert_eq(config->engine.convolution, TR_CONVOLUTION_WINOGRAD);
    cr_assert_eq(config->engine.kernels, TR_KERNELS_PORTABLE);
    cr_assert_eq(config->engine.threads, 1024);
    cr_assert_eq(config->engine.micro_batch, 4096);
}

/* ---- refusals ---- */

Test(config, ranges)
{
    static const struct {
        const char *section, *key, *value, *expected;
    } cases[] = {
        {"fit", "batch_size", "0", "an integer from 1 to 1048576"},
        {"fit", "batch_size", "1048577", "an integer from 1 to 1048576"},
        {"fit", "epochs", "0", "an integer from 1 to 1000000"},
        {"fit", "epochs", "1000001", "an integer from 1 to 1000000"},
        {"fit", "seed", "-1", "an integer from 0 to 9223372036854775807"},
        {"fit", "seed", "9223372036854775808", "an integer from 0 to 9223372036854775807"},
        {"fit", "shuffle", "2", "true or false"},
        {"evaluate", "batch_size", "0", "an integer from 1 to 1048576"},
        {"engine", "isa", "sse", "one of: auto, scalar, avx2, avx512, neon"},
        {"engine", "precision", "float16", "one of: float32, bfloat16"},
        {"engine", "precision", "BFLOAT16", "one of: float32, bfloat16"},
        {"engine", "convolution", "fft", "one of: auto, direct, winograd"},
        {"engine", "kernels", "own", "one of: onednn, fast, portable"},
        {"engine", "threads", "1025", "auto or an integer from 0 to 1024"},
        {"engine", "threads", "-1", "auto or an integer from 0 to 1024"},
        {"engine", "micro_batch", "0", "an integer from 1 to 4096"},
        {"engine", "micro_batch", "4097", "an integer from 1 to 4096"},
        {"engine", "gradient_slots", "12", "auto or a power of two (1, 2, 4, 8, ...)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        snprintf(text, sizeof text, "\n[%s]\n%s = %s\n", cases[i].section, cases[i].key,
                 cases[i].value);
        cr_assert_eq(load_least_and(text), TR_ERR_CONFIG, "%s", text);
        snprintf(text, sizeof text, "[%s] %s = %s: must be %s", cases[i].section, cases[i].key,
                 cases[i].value, cases[i].expected);
        assert_problem(&err, 14, text, NULL);
        assert_count(1);
    }
}

Test(config, ranges_by_override)
{
    static const char *const cases[][2] = {
        {"data.scale=0", "a number above 0"},
        {"data.scale=-1/255", "a number above 0"},
        {"data.validation_split=1", "at least 0 and below 1"},
        {"data.validation_split=-0.1", "at least 0 and below 1"},
        {"data.split_seed=4294967296", "an integer from 0 to 4294967295"},
        {"data.split_seed=-1", "an integer from 0 to 4294967295"},
        {"data.file=", "not empty"},
        {"data.x_train=", "not empty"},
        {"model.input_shape=28, 28", "3 integers from 1 to 65536"},
        {"model.input_shape=28, 28, 0", "3 integers from 1 to 65536"},
        {"model.input_shape=65537, 1, 1", "3 integers from 1 to 65536"},
        {"model.input_shape=0", "or one alone"},
        {"model.input_shape=16777217", "or one alone"},
        {"compile.top_k=0", "an integer from 1 to 1048576"},
        {"data.stratify=maybe", "must be"},
        {"compile.loss=", "not empty"},
        {"output.directory=", "not empty"},
        {"fit.epochs=x", "an integer from 1 to 1000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        cr_assert_eq(load_least_set(cases[i][0]), TR_ERR_CONFIG, "%s", cases[i][0]);
        snprintf(text, sizeof text, "--set %s: must be ", cases[i][0]);
        assert_problem(&err, 0, text, cases[i][1], NULL);
        assert_count(1);
    }
}

Test(config, unknown_keys)
{
    cr_assert_eq(load_least_and("[fit]\nbatchsize = 3\n"), TR_ERR_CONFIG);
    char expected[512];
    snprintf(
        expected, sizeof expected,
        "%s:13: [fit] batchsize: unknown key; did you mean batch_size? allowed: batch_size, "
        "epochs, max_seconds, seed, shuffle, class_weight, initial_weights, by_name, skip_mismatch",
        fixture_path);
    cr_assert_str_eq(err.text, expected);
    cr_assert_eq(load_least_and("[evaluate]\nBatch-Size = 3\n"), TR_ERR_CONFIG);
    assert_problem(&err, 13, "did you mean batch_size?", NULL);
}

Test(config, validation_comes_from_one_place)
{
    static const char *const cases[][2] = {
        {"data.stratify=true", "has no effect without validation_split"},
        {"data.x_validation=/a", "x_validation has no effect without validation_file"},
        {"data.y_validation=/a", "y_validation has no effect without validation_file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_eq(load_least_set(cases[i][0]), TR_ERR_CONFIG, "%s", cases[i][0]);
        cr_assert_not_null(strstr(err.text, cases[i][1]), "%s", err.text);
        assert_count(1);
    }
    const char *const both[] = {"data.validation_file=v.h5", "data.validation_split=0.2"};
    cr_assert_eq(load_file(fixture_text(least), both, 2), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "keep one"), "%s", err.text);
    const char *const fine[] = {"data.validation_file=v.h5", "data.x_validation=/a"};
    cr_assert_eq(load_file(fixture_text(least), fine, 2), TR_OK, "%s", err.text);
    const char *const shares[] = {"data.stratify=true", "data.validation_split=0.2"};
    cr_assert_eq(load_file(fixture_text(least), shares, 2), TR_OK, "%s", err.text);
}

Test(config, text_reads_like_a_file)
{
    static const char text[] = "[data]\nfile = d.h5\nfiel = x\n";
    tr_config_free(config);
    config = NULL;
    cr_assert_eq(tr_config_parse(&config, "last.h5", text, NULL, 0, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "last.h5:3: [data] fiel: unknown key"), "%s", err.text);
}

Test(config, unknown_sections)
{
    static const char *const cases[][2] = {
        {"modle", "did you mean [model]?"},
        {"Fit", "did you mean [fit]?"},
        {" fit ", "did you mean [fit]?"},
        {"optimiser", "did you mean [optimizer]?"},
        {"learningrate", "did you mean [learning_rate]?"},
        {"conv1", "layers are written [layer.conv1]"},
        {"layers.conv1", "did you mean [layer.conv1]?"},
        {"Layer.conv1", "did you mean [layer.conv1]?"},
        {"layer", "layers are written [layer.NAME]"},
        {"my conv", "layers are written [layer.NAME]"},
        {"DEFAULT", "unknown section"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128], head[64];
        snprintf(text, sizeof text, "\n[%s]\nx = 1\n", cases[i][0]);
        snprintf(head, sizeof head, "[%s]: unknown section; ", cases[i][0]);
        cr_assert_eq(load_least_and(text), TR_ERR_CONFIG);
        assert_problem(
            &err, 13, head, cases[i][1],
            "allowed: data, model, compile, loss, optimizer, learning_rate, fit, checkpoint, ",
            ", layer.NAME, optimizer.NAME, learning_rate.NAME, metric.NAME", NULL);
        assert_count(1);
    }
    cr_assert_eq(load_least_set("modle.name=x"), TR_ERR_CONFIG);
    assert_problem(&err, 0, "--set modle.name=x: unknown section; did you mean [model]?", NULL);
    assert_count(1);
}

Test(config, names_of_layers)
{
    static const char *const good[] = {"b", "B_9", "a12345678901234567890123456789012345678901"};
    static const char *const bad[] = {
        "",    "1a", "_a",       "a-b", "a.b",
        "a b", " a", "\xc3\xa4", "a/b", "a123456789012345678901234567890123456789012"};
    char text[128];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text, "[layer.%s]\nx = 1\n", good[i]);
        cr_assert_eq(load_least_and(text), TR_OK, "%s", err.text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "[layer.%s]\nx = 1\n", bad[i]);
        cr_assert_eq(load_least_and(text), TR_ERR_CONFIG, "%s", text);
        assert_problem(&err, 12, "a layer's name must be 1 to 42 letters", NULL);
        assert_count(1);
    }
    cr_assert_eq(load_least_and("[layer.b]\n[layer.a]\ntype = dense\n"), TR_ERR_CONFIG);
    assert_problem(&err, 13, "[layer.a]", "already at line 5", NULL);
    assert_count(1);
}

Test(config, missing_sections_and_keys)
{
    cr_assert_eq(load_file(fixture_text(""), NULL, 0), TR_ERR_CONFIG);
    assert_problem(&err, 0, "x.ini: [data] is missing: it needs file = ...", NULL);
    assert_problem(&err, 0, "x.ini: [model] is missing: it needs input_shape = ...", NULL);
    assert_problem(&err, 0, "x.ini: [compile] is missing: it needs loss = ..., optimizer = ...",
                   NULL);
    assert_problem(&err, 0, "x.ini: [output] is missing: it needs directory = ...", NULL);
    assert_problem(&err, 0, "x.ini: the model has no layers", "[layer.NAME]", NULL);
    assert_count(5);

    cr_assert_eq(
        load_file(fixture_text("\n[data]\nscale = 2\n[model]\n[layer.a]\n[compile]\nloss = l\n"
                               "[output]\n"),
                  NULL, 0),
        TR_ERR_CONFIG);
    assert_problem(&err, 2, "[data] file is missing", NULL);
    assert_problem(&err, 4, "[model] input_shape is missing", "height, width, channels", NULL);
    assert_problem(&err, 6, "[compile] optimizer is missing", NULL);
    assert_problem(&err, 8, "[output] directory is missing", NULL);
    assert_count(4);
}

Test(config, all_problems_in_one_run)
{
    static const char *const set[] = {"fit.epochs=x", "nonsense"};
    fixture_text("[data]\n"              /* 1: no file */
                 "scale = 0\n"           /* 2 */
                 "[modle]\n"             /* 3 */
                 "[layer.a]\n"           /* 4 */
                 "type = x\n"            /* 5 */
                 "type = y\n"            /* 6 */
                 "[fit]\n"               /* 7 */
                 "epochs = 0\n"          /* 8: overridden */
                 "batchsize = 3\n"       /* 9 */
                 "[engine]\n"            /* 10 */
                 "isa = avx\n"           /* 11 */
                 "  threads = 3\n"       /* 12 */
                 "[compile]\n"           /* 13: neither loss nor optimizer */
                 "[output]\n"            /* 14 */
                 "directory = a # b\n"); /* 15 */
    cr_assert_eq(load_file(fixture_path, set, 2), TR_ERR_CONFIG);
    static const int lines[] = {0, 6, 12, 15, 0, 0, 1, 2, 3, 9, 11, 13, 13}; /* form first */
    const size_t n = sizeof lines / sizeof *lines;
    assert_count(n);
    const char *text = err.text;
    for (size_t i = 0; i < n; i++)
        cr_assert_not_null(problem_at(&text, lines[i]), "problem %zu of:\n%s", i, err.text);
    cr_assert_str_eq(text, "13 problems");
    assert_problem(&err, 0, "--set fit.epochs=x: must be", NULL);
    assert_problem(&err, 0, "--set nonsense: must be SECTION.KEY=VALUE", NULL);
}

Test(config, duplicate_sections_are_both_read)
{
    cr_assert_eq(load_least_and("[fit]\nepochs = 2\n[fit]\nepochs = 0\n"), TR_ERR_CONFIG);
    assert_problem(&err, 14, "[fit]", "already at line 12", NULL);
    assert_problem(&err, 15, "epochs = 0: must be", NULL);
    assert_count(2);
}

Test(config, unreadable_file_is_an_error_at_once)
{
    tr_config *none = NULL;
    cr_assert_eq(tr_config_load(&none, "/no/such/file.ini", NULL, 0, &err), TR_ERR_CONFIG);
    cr_assert_null(none);
    cr_assert_not_null(strstr(err.text, "/no/such/file.ini: cannot read"), "%s", err.text);
    tr_config_free(NULL);
}

Test(config, overrides)
{
    static const char *const set[] = {"fit.epochs=3", "engine.threads=2", "layer.b.type=flatten",
                                      "optimizer.learning_rate=0.01", "fit.epochs=5"};
    cr_assert_eq(load_file(fixture_text(least), set, 5), TR_OK, "%s", err.text);
    cr_assert_eq(config->fit.epochs, 5);
    cr_assert_eq(config->engine.threads, 2);
    cr_assert_not_null(tr_ini_find(config->ini, "layer.b"));
    cr_assert_not_null(tr_ini_find(config->ini, "optimizer"));
}

/* ---- the effective configuration ---- */

static void assert_same_values(const tr_config *a, const tr_config *b)
{
    cr_assert_str_eq(a->data.file, b->data.file);
    cr_assert_str_eq(a->data.x_train, b->data.x_train);
    cr_assert_str_eq(a->data.y_test, b->data.y_test);
    cr_assert_eq(a->data.scale_num, b->data.scale_num);
    cr_assert_eq(a->data.scale_den, b->data.scale_den);
    cr_assert_eq(a->data.validation_split, b->data.validation_split);
    cr_assert_eq(a->data.split_seed, b->data.split_seed);
    cr_assert_arr_eq(a->input_shape, b->input_shape, sizeof a->input_shape);
    cr_assert_str_eq(a->model_name, b->model_name);
    cr_assert_str_eq(a->compile.loss, b->compile.loss);
    cr_assert_str_eq(a->compile.optimizer, b->compile.optimizer);
    cr_assert_str_eq(a->compile.metrics, b->compile.metrics);
    cr_assert_eq(a->compile.top_k, b->compile.top_k);
    cr_assert_eq(a->data.stratify, b->data.stratify);
    cr_assert_str_eq(a->data.validation_file, b->data.validation_file);
    cr_assert_str_eq(a->data.x_validation, b->data.x_validation);
    cr_assert_str_eq(a->data.y_validation, b->data.y_validation);
    cr_assert_eq(a->fit.batch_size, b->fit.batch_size);
    cr_assert_eq(a->fit.epochs, b->fit.epochs);
    cr_assert_eq(a->fit.seed, b->fit.seed);
    cr_assert_eq(a->fit.shuffle, b->fit.shuffle);
    cr_assert_eq(a->evaluate_batch_size, b->evaluate_batch_size);
    cr_assert_eq(a->engine.isa, b->engine.isa);
    cr_assert_eq(a->engine.precision, b->engine.precision);
    cr_assert_eq(a->engine.convolution, b->engine.convolution);
    cr_assert_eq(a->engine.threads, b->engine.threads);
    cr_assert_eq(a->engine.micro_batch, b->engine.micro_batch);
    cr_assert_str_eq(a->output_directory, b->output_directory);
}

static void assert_round_trip(const char *path, const char *const *set, size_t n_set)
{
    cr_assert_eq(load_file(path, set, n_set), TR_OK, "%s", err.text);
    tr_config *first = config;
    config = NULL;
    cr_assert_eq(tr_config_write(first, fixture_path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(load_file(fixture_path, NULL, 0), TR_OK, "%s", err.text);
    assert_same_values(first, config);
    cr_assert_eq(first->ini->n_sections, config->ini->n_sections);
    for (size_t i = 0; i < first->ini->n_sections; i++) {
        const tr_section *a = &first->ini->sections[i], *b = &config->ini->sections[i];
        cr_assert_str_eq(a->name, b->name);
        cr_assert_eq(a->n_entries, b->n_entries, "[%s]", a->name);
        for (size_t k = 0; k < b->n_entries; k++) {
            cr_assert_str_eq(a->entries[k].value, b->entries[k].value);
            cr_assert_not(b->entries[k].is_default, "[%s] %s was not written", b->name,
                          b->entries[k].key);
        }
    }
    tr_config_free(first);
}

Test(config, effective_configuration_reads_back_the_same)
{
    static const char *const set[] = {"data.scale=0.1/3",          "data.file=a;b #c",
                                      "fit.seed=123456789012",     "engine.isa=avx2",
                                      "compile.metrics=",          "optimizer.beta_1=0.9",
                                      "engine.precision=bfloat16", "engine.convolution=winograd"};
    enum { N_SET = sizeof set / sizeof *set };
    assert_round_trip(reference, NULL, 0);
    fixture_text(least);
    assert_round_trip(fixture_path, NULL, 0);
    const char *sane[N_SET];
    memcpy(sane, set, sizeof sane);
    sane[1] = "data.file=a;b#c=d:e"; /* " #" is refused, as in a file */
    assert_round_trip(reference, sane, N_SET);
    cr_assert_eq(load_file(reference, set, N_SET), TR_ERR_CONFIG);
    assert_problem(&err, 0, "--set data.file=a;b #c", NULL);
}

Test(config, effective_configuration_needs_a_sane_one)
{
    cr_assert_eq(load_least_and("[fit]\nepochs = 0\n"), TR_ERR_CONFIG);
    char path[320];
    snprintf(path, sizeof path, "%s/none.ini", fixture_folder);
    cr_assert_eq(tr_config_write(config, path, &err), TR_ERR_CONFIG);
    cr_assert_neq(access(path, F_OK), 0);
    cr_assert_eq(load_least_and(""), TR_OK);
    cr_assert_eq(tr_config_write(config, "/no/such/folder/config.ini", &err), TR_ERR_IO);
}

/* ---- lack of memory ---- */

static void assert_survives_lack_of_memory(const char *path, const char *const *set, size_t n_set)
{
    (void)load_file(path, set, n_set); /* with problems, in one of the cases */
    const size_t n_problems = tr_problems_count(config->problems);
    tr_config *whole = config;
    config = NULL;
    int64_t k = 0;
    for (; config == NULL; k++) {
        tr_alloc_fail_after(k);
        const tr_status status = tr_config_load(&config, path, set, n_set, &err);
        tr_alloc_fail_after(-1);
        cr_assert_eq(status, config == NULL ? TR_ERR_INTERNAL : TR_OK);
        if (status != TR_OK)
            cr_assert_not_null(strstr(err.text, "out of memory"), "%s", err.text);
    }
    cr_assert_gt(k, 80, "a load makes more allocations than %d: one failed unseen", (int)k);
    cr_assert_eq(tr_problems_count(config->problems), n_problems);
    if (n_problems == 0)
        assert_same_values(config, whole);
    tr_config_free(whole);
}

Test(config, lack_of_memory_is_never_silent)
{
    static const char *const set[] = {"fit.epochs=3", "fit.seed=1", "layer.z.type=flatten",
                                      "a.b=c"};
    assert_survives_lack_of_memory(reference, NULL, 0);
    assert_survives_lack_of_memory(reference, set, 3);
    assert_survives_lack_of_memory(reference, set, 4);
}

Test(config, lack_of_memory_while_writing)
{
    cr_assert_eq(load_file(reference, NULL, 0), TR_OK);
    tr_status status = TR_ERR_INTERNAL;
    int64_t k = 0;
    for (; status != TR_OK; k++) {
        tr_alloc_fail_after(k);
        status = tr_config_write(config, fixture_path, &err);
        tr_alloc_fail_after(-1);
        cr_assert_lt(k, 100, "%s", err.text);
    }
    cr_assert_gt(k, 3);
}

/* ---- files broken at random ---- */

static uint64_t random_state;

static size_t random_below(size_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % n;
}

static size_t read_reference(char *bytes, size_t capacity)
{
    FILE *file = fopen(reference, "rb");
    cr_assert_not_null(file);
    const size_t n = fread(bytes, 1, capacity, file);
    fclose(file);
    cr_assert(n > 500 && n < capacity);
    return n;
}

/* One mutation of n bytes (capacity: twice that); returns the new length. */
static size_t mutate(char *bytes, size_t n)
{
    const size_t at = random_below(n);
    const size_t length = 1 + random_below(n - at < 60 ? n - at : 60);
    const char *newline;
    size_t line, n_line;
    switch (random_below(5)) {
    case 0:
        bytes[at] = (char)(bytes[at] ^ 1 << random_below(8));
        return n;
    case 1:
        bytes[at] = (char)random_below(256);
        return n;
    case 2:
        memmove(bytes + at, bytes + at + length, n - at - length);
        return n - length;
    case 3: /* the line at `at`, twice */
        for (line = at; line > 0 && bytes[line - 1] != '\n'; line--)
            ;
        newline = memchr(bytes + line, '\n', n - line);
        n_line = newline == NULL ? n - line : (size_t)(newline - bytes) - line + 1;
        memmove(bytes + line + n_line, bytes + line, n - line);
        return n + n_line;
    default:
        return at < n / 2 ? n : at; /* cut, but not always to nearly nothing */
    }
}

Test(config, three_hundred_broken_files)
{
    static char whole[4096], bytes[65536];
    const size_t n_whole = read_reference(whole, sizeof whole);
    unsigned n_refused = 0;
    for (unsigned seed = 0; seed < 300; seed++) {
        random_state = seed;
        size_t n = n_whole;
        memcpy(bytes, whole, n);
        for (size_t i = 0, n_mutations = 1 + random_below(4); i < n_mutations && n > 0; i++)
            n = mutate(bytes, n);
        fixture_bytes(bytes, n);
        if (load_file(fixture_path, NULL, 0) != TR_OK) {
            cr_assert_gt(strlen(err.text), 0);
            n_refused++;
            continue;
        }
        assert_round_trip(fixture_path, NULL, 0);
    }
    cr_assert(n_refused > 100 && n_refused < 300, "%u", n_refused);
}
