/* config.c -- the grammar of a configuration: one key table per section; see trainer/config.h.
 *
 * [layer.*], [loss], [optimizer], [learning_rate] and [optimizer.*], [learning_rate.*] are let
 * through unread: their keys are known to layers/, losses/ and optimizers/, which read the same
 * sections with tables of their own.
 * Values are only checked one by one here; whether the dataset fits the model is decided where both
 * are known.
 */
#include "trainer/config.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config_internal.h"
#include "config_keys.h"
#include "file.h"
#include "mem.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define AT(field) offsetof(tr_config, field)

/* value.c writes a tr_ratio over the two. */
static_assert(offsetof(tr_data_config, scale_den) - offsetof(tr_data_config, scale_num) ==
                  offsetof(tr_ratio, den),
              "scale_num and scale_den must lie as a tr_ratio does");

enum { LAYER_NAME_MAX = 42 }; /* with "layer." it must fit what inih keeps of a section's name */

static const char layer_prefix[] = "layer.";

/* ---- the tables ---- */

/* tr_isa */
static const char *const isa_names[] = {"auto", "scalar", "avx2", "avx512", "neon", NULL};
static const char *const precision_names[] = {"float32", "bfloat16", NULL}; /* tr_precision */
/* tr_convolution, tr_kernels_choice */
static const char *const convolution_names[] = {"auto", "direct", "winograd", NULL};
const char *const tr_kernels_names[] = {"onednn", "fast", "portable", NULL};

static const tr_key data_keys[] = {
    {"file", TR_KEY_TEXT, AT(data.file), NULL, .doc = "HDF5 file with the dataset"},
    {"x_train", TR_KEY_TEXT, AT(data.x_train), "x_train", .doc = "dataset of the training images"},
    {"y_train", TR_KEY_TEXT, AT(data.y_train), "y_train", .doc = "dataset of the training labels"},
    {"x_test", TR_KEY_TEXT, AT(data.x_test), "x_test", .doc = "dataset of the test images"},
    {"y_test", TR_KEY_TEXT, AT(data.y_test), "y_test", .doc = "dataset of the test labels"},
    {"scale", TR_KEY_RATIO, AT(data.scale_num), "1", .max = INFINITY, .above_min = true,
     .doc = "factor on every pixel, e.g. 1/255"},
    {"validation_split", TR_KEY_REAL, AT(data.validation_split), "0", .max = 1, .below_max = true,
     .doc = "part of the training images kept for validation (scikit-learn's test_size)"},
    {"split_seed", TR_KEY_INT, AT(data.split_seed), "0", .max = 4294967295.0,
     .doc = "seed of that split (scikit-learn's random_state)"},
    {"stratify", TR_KEY_BOOL, AT(data.stratify), "false",
     .doc = "keep the classes' shares in that split (scikit-learn's stratify=y)"},
    {"validation_file", TR_KEY_TEXT, AT(data.validation_file), "",
     .doc = "HDF5 file with validation images, instead of a split; may be the same file"},
    {"x_validation", TR_KEY_TEXT, AT(data.x_validation), "x_validation",
     .doc = "dataset of the validation images in it"},
    {"y_validation", TR_KEY_TEXT, AT(data.y_validation), "y_validation",
     .doc = "dataset of the validation labels in it"},
    {"sample_weight_train", TR_KEY_TEXT, AT(data.sample_weight_train), "",
     .doc = "dataset of how much each training image counts in loss and weighted metrics"},
    {"sample_weight_validation", TR_KEY_TEXT, AT(data.sample_weight_validation), "",
     .doc = "the same of the validation images, in validation_file"},
    {"sample_weight_test", TR_KEY_TEXT, AT(data.sample_weight_test), "",
     .doc = "the same of the test images"},
    {"external_files", TR_KEY_BOOL, AT(data.external_files), "false",
     .doc = "read what the dataset's file names in other files, too: links, virtual datasets"},
};

static const tr_key model_keys[] = {
    {"input_shape", TR_KEY_INTS, AT(input_shape), NULL, .min = 1, .max = 65536, .count = 3,
     .vector_max = 16777216, .doc = "height, width, channels of an image; or one number: a vector"},
    {"name", TR_KEY_TEXT, AT(model_name), "sequential", .doc = "the model's name in Keras"},
};

static const tr_key compile_keys[] = {
    {"loss", TR_KEY_TEXT, AT(compile.loss), NULL, .doc = "the loss function"},
    {"optimizer", TR_KEY_TEXT, AT(compile.optimizer), NULL,
     .doc = "the optimizer; its settings are in [optimizer]"},
    {"metrics", TR_KEY_TEXT, AT(compile.metrics), "",
     .doc = "what to report besides the loss, separated by commas"},
    {"weighted_metrics", TR_KEY_TEXT, AT(compile.weighted_metrics), "",
     .doc = "the same, of samples that count by their weights"},
    {"top_k", TR_KEY_INT, AT(compile.top_k), "5", .min = 1, .max = 1048576,
     .doc = "the k of the top_k metrics"},
};

static const tr_key fit_keys[] = {
    {"batch_size", TR_KEY_INT, AT(fit.batch_size), "32", .min = 1, .max = 1048576,
     .doc = "images per step"},
    {"epochs", TR_KEY_INT, AT(fit.epochs), "1", .min = 1, .max = 1000000,
     .doc = "passes over the training images"},
    {"seed", TR_KEY_INT, AT(fit.seed), "0", .max = 0x1p63, /* and so all of int64_t from 0 */
     .doc = "of initial weights, order and every other random number but the split's"},
    {"shuffle", TR_KEY_BOOL, AT(fit.shuffle), "true", .doc = "a new order in each epoch"},
    {"class_weight", TR_KEY_TEXT, AT(fit.class_weight), "",
     .doc = "how much each class counts: a number per class, or balanced: n / (classes * count)"},
    {"initial_weights", TR_KEY_TEXT, AT(fit.initial_weights), "",
     .doc = "start from the weights of this file, of trainer or Keras, instead of random ones"},
};

static const tr_key checkpoint_keys[] = {
    {"monitor", TR_KEY_TEXT, AT(checkpoint.monitor), "auto",
     .doc = "what decides which epoch is kept as best.h5: loss or a metric, val_ before it; auto: "
            "val_loss, or loss without validation; none: no best.h5"},
    {"every_steps", TR_KEY_INT, AT(checkpoint.every_steps), "0", .max = 1e15,
     .doc = "last.h5 also after so many steps; 0: after each epoch only"},
    {"every_seconds", TR_KEY_REAL, AT(checkpoint.every_seconds), "0", .max = 1e9,
     .doc = "last.h5 also after so many seconds; 0: after each epoch only"},
    {"keep", TR_KEY_INT, AT(checkpoint.keep), "0", .max = 1e6,
     .doc = "the newest so many epochs stay as epoch_NNNN.h5"},
    {"keras_optimizer", TR_KEY_BOOL, AT(checkpoint.keras_optimizer), "false",
     .doc = "write Keras 3's group optimizer_weights, too, for other readers; Keras 3 then wants "
            "compile() before fit()"},
};

static const tr_key evaluate_keys[] = {
    {"batch_size", TR_KEY_INT, AT(evaluate_batch_size), "32", .min = 1, .max = 1048576,
     .doc = "images per step of the evaluation"},
};

static const tr_key engine_keys[] = {
    {"isa", TR_KEY_CHOICE, AT(engine.isa), "auto", .choices = isa_names,
     .doc = "the instruction set; part of the numeric result"},
    {"precision", TR_KEY_CHOICE, AT(engine.precision), "float32", .choices = precision_names,
     .doc = "what layers compute with; parameters, their gradients and the update stay float32"},
    {"convolution", TR_KEY_CHOICE, AT(engine.convolution), "auto", .choices = convolution_names,
     .doc =
         "the algorithm; winograd: faster and a little less exact, where there is such a kernel; "
         "auto: direct with kernels = onednn, else winograd where it is the faster one"},
    {"kernels", TR_KEY_CHOICE, AT(engine.kernels), "onednn", .choices = tr_kernels_names,
     .doc = "whose kernels compute: oneDNN's; fast: our own where they are faster, in float32; "
            "portable: our own alone, the same result on every CPU"},
    {"threads", TR_KEY_INT, AT(engine.threads), "auto", .max = 1024, .zero_word = "auto",
     .doc = "number of threads, at most those that can run at once; auto: OMP_NUM_THREADS, or the "
            "cores within the cgroup quota"},
    {"micro_batch", TR_KEY_INT, AT(engine.micro_batch), "8", .min = 1, .max = 4096,
     .doc = "images that a thread takes through all layers at once; part of the numeric result"},
    {"gradient_slots", TR_KEY_INT, AT(engine.gradient_slots), "auto", .max = 1048576,
     .zero_word = "auto",
     .doc =
         "micro-batches whose gradients lie in memory at once, a power of two; no matter for the "
         "result; auto: all, within 128 MB"},
};

static const tr_key output_keys[] = {
    {"directory", TR_KEY_TEXT, AT(output_directory), NULL,
     .doc = "folder for all files of the run"},
};

const tr_config_section tr_config_sections[] = {
    {"data", "where the images come from", data_keys, COUNT(data_keys)},
    {"model", "the network as a whole", model_keys, COUNT(model_keys)},
    {"compile", "what is minimised, how, and what is reported", compile_keys, COUNT(compile_keys)},
    {"loss", "settings of the loss: trainer help losses", NULL, 0},
    {"optimizer", "settings of the optimizer: trainer help optimizers", NULL, 0},
    {"learning_rate", "a schedule in place of a number: trainer help optimizers", NULL, 0},
    {"fit", "the training", fit_keys, COUNT(fit_keys)},
    {"checkpoint", "when and what is saved", checkpoint_keys, COUNT(checkpoint_keys)},
    {"evaluate", "validation, test, prediction", evaluate_keys, COUNT(evaluate_keys)},
    {"engine", "how the machine is used", engine_keys, COUNT(engine_keys)},
    {"output", "what a run leaves behind", output_keys, COUNT(output_keys)},
    {NULL, NULL, NULL, 0},
};

enum { N_SECTIONS = COUNT(tr_config_sections) - 1 };

static const tr_config_section *find_spec(const char *name)
{
    for (size_t i = 0; i < N_SECTIONS; i++)
        if (strcmp(tr_config_sections[i].name, name) == 0)
            return &tr_config_sections[i];
    return NULL;
}

/* ---- names of sections ---- */

static bool is_layer(const char *name)
{
    return strncmp(name, layer_prefix, strlen(layer_prefix)) == 0;
}

/* What an [optimizer.NAME], [learning_rate.NAME] or [metric.NAME] names; NULL: another section. */
static const char *what_is_named(const char *name)
{
    static const char *const heads[][2] = {{"optimizer.", "a group of layers"},
                                           {"learning_rate.", "a group of layers"},
                                           {"metric.", "a metric"}};
    for (size_t i = 0; i < COUNT(heads); i++)
        if (strncmp(name, heads[i][0], strlen(heads[i][0])) == 0)
            return heads[i][1];
    return NULL;
}

static bool is_layer_name(const char *name)
{
    const size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_')
            return false;
    return n <= LAYER_NAME_MAX && isalpha((unsigned char)name[0]);
}

/* What the author of an unknown section perhaps meant; "" when there is no guess. */
static const char *guess(const char *name, char *text, size_t n)
{
    static const char *const layer_words[] = {"layer", NULL};
    const char *names[N_SECTIONS + 1] = {NULL};
    char head[TR_INI_NAME_MAX + 1];
    for (size_t i = 0; i < N_SECTIONS; i++)
        names[i] = tr_config_sections[i].name;
    const char *nearest = tr_nearest_name(name, names);
    const char *dot = strchr(name, '.');
    snprintf(head, sizeof head, "%.*s", (int)(dot == NULL ? 0 : dot - name), name);

    if (nearest != NULL)
        snprintf(text, n, "did you mean [%s]? ", nearest);
    else if (dot != NULL && is_layer_name(dot + 1) && tr_nearest_name(head, layer_words) != NULL)
        snprintf(text, n, "did you mean [layer.%s]? ", dot + 1);
    else if (is_layer_name(name) && tr_nearest_name(name, layer_words) == NULL)
        snprintf(text, n, "layers are written [layer.%s]; ", name);
    else
        snprintf(text, n, "layers are written [layer.NAME]; ");
    return text;
}

static void check_name(const tr_section *section, tr_problems *problems)
{
    char about[512], meant[128];
    if (section->line == 0 && section->n_entries > 0)
        snprintf(about, sizeof about, "--set %s.%s=%s", section->name, section->entries[0].key,
                 section->entries[0].value);
    else
        snprintf(about, sizeof about, "[%s]", section->name);

    if (is_layer(section->name)) {
        if (!is_layer_name(section->name + strlen(layer_prefix)))
            tr_problems_add(problems, section->line,
                            "%s: a layer's name must be 1 to %d letters, digits or _, the first a "
                            "letter: [layer.NAME]",
                            about, LAYER_NAME_MAX);
    } else if (what_is_named(section->name) != NULL) {
        if (!is_layer_name(strchr(section->name, '.') + 1))
            tr_problems_add(problems, section->line,
                            "%s: the name of %s must be 1 to %d letters, digits or _, the first a "
                            "letter",
                            about, what_is_named(section->name), LAYER_NAME_MAX);
    } else if (find_spec(section->name) == NULL) {
        tr_problems_add(problems, section->line,
                        "%s: unknown section; %sallowed: data, model, layer.NAME, compile, "
                        "loss, optimizer, learning_rate, optimizer.NAME, learning_rate.NAME, fit, "
                        "checkpoint, evaluate, engine, output",
                        about, guess(section->name, meant, sizeof meant));
    }
}

/* Pixels are scaled in float32, where 1e300 is infinite and 1e-60 is 0. */
static void check_scale(const tr_config *config)
{
    const float num = (float)config->data.scale_num, den = (float)config->data.scale_den;
    const tr_section *data = tr_ini_find(config->ini, "data");
    const tr_entry *scale = data == NULL ? NULL : tr_section_find(data, "scale");
    if (scale != NULL && den != 0.0f && !(isnormal(num) && isnormal(den) && isnormal(num / den)))
        tr_problems_add(config->problems, scale->line,
                        "[data] scale = %s: must be computable in float32: numerator, denominator "
                        "and quotient from 1.2e-38 to 3.4e38",
                        scale->value);
}

/* Waves of gradients are subtrees of a binary tree. */
static void check_gradient_slots(const tr_config *config)
{
    const int64_t slots = config->engine.gradient_slots;
    if ((slots & (slots - 1)) != 0)
        tr_problems_add(config->problems,
                        tr_section_line(tr_ini_find(config->ini, "engine"), "gradient_slots"),
                        "[engine] gradient_slots = %lld: must be auto or a power of two (1, 2, 4, "
                        "8, ...)",
                        (long long)slots);
}

/* Where validation samples come from: one place, and nothing said about another. */
static void check_validation(const tr_config *config)
{
    const tr_data_config *data = &config->data;
    const tr_section *section = tr_ini_find(config->ini, "data");
    const bool split = data->validation_split > 0.0, file = data->validation_file[0] != '\0';
    if (split && file)
        tr_problems_add(config->problems, tr_section_line(section, "validation_file"),
                        "[data] validation_file and validation_split both say where validation "
                        "images come from; keep one");
    if (data->stratify && !split)
        tr_problems_add(config->problems, tr_section_line(section, "stratify"),
                        "[data] stratify = true has no effect without validation_split");
    if (!file && strcmp(data->x_validation, "x_validation") != 0)
        tr_problems_add(config->problems, tr_section_line(section, "x_validation"),
                        "[data] x_validation has no effect without validation_file");
    if (!file && data->sample_weight_validation[0] != '\0')
        tr_problems_add(config->problems, tr_section_line(section, "sample_weight_validation"),
                        "[data] sample_weight_validation has no effect without validation_file; "
                        "images that are split off keep the weights of sample_weight_train");
    if (config->fit.class_weight[0] != '\0' && data->sample_weight_train[0] != '\0')
        tr_problems_add(config->problems, tr_section_line(section, "sample_weight_train"),
                        "[data] sample_weight_train and [fit] class_weight both say what a sample "
                        "counts; as in Keras, keep one");
    if (!file && strcmp(data->y_validation, "y_validation") != 0)
        tr_problems_add(config->problems, tr_section_line(section, "y_validation"),
                        "[data] y_validation has no effect without validation_file");
}

/* ---- the whole ---- */

/* Sections that stand twice are a problem already; reading both finds the mistakes inside, too. */
static void read_sections(tr_config *config)
{
    tr_ini *ini = config->ini;
    bool has_layer = false;
    for (size_t i = 0; i < N_SECTIONS; i++)
        if (tr_config_sections[i].keys != NULL &&
            tr_ini_demand(ini, tr_config_sections[i].name) == NULL)
            tr_problems_no_memory(config->problems);
    for (size_t i = 0; i < ini->n_sections; i++) {
        tr_section *section = &ini->sections[i];
        const tr_config_section *spec = find_spec(section->name);
        check_name(section, config->problems);
        has_layer = has_layer || is_layer(section->name);
        if (spec != NULL && spec->keys != NULL)
            tr_section_read(section, spec->keys, spec->n_keys, config, config->problems);
    }
    if (config->input_shape[2] > 0 && config->input_shape[0] == 0) {
        config->input_flat = true;
        config->input_shape[0] = config->input_shape[1] = 1;
    }
    if (tr_problems_count(config->problems) == 0) {
        check_scale(config);
        check_gradient_slots(config);
        check_validation(config);
    }
    if (!has_layer)
        tr_problems_add(config->problems, 0,
                        "%s: the model has no layers: add sections [layer.NAME] with type = ...",
                        ini->path);
}

/* `text` NULL: the file at `path`. */
static tr_status load(tr_config **out, const char *path, const char *text,
                      const char *const *overrides, size_t n_overrides, tr_error *err)
{
    tr_status status = TR_ERR_INTERNAL;
    tr_config *config = tr_alloc(1, sizeof *config);
    if (config == NULL)
        goto no_memory;
    config->problems = tr_problems_new(path);
    if (config->problems == NULL)
        goto no_memory;
    status = text == NULL
                 ? tr_ini_load(&config->ini, path, overrides, n_overrides, config->problems, err)
                 : tr_ini_parse(&config->ini, path, text, strlen(text), overrides, n_overrides,
                                config->problems, err);
    if (status != TR_OK)
        goto fail;
    read_sections(config);
    if (tr_problems_check(config->problems, NULL) == TR_ERR_INTERNAL)
        goto no_memory;
    *out = config;
    return TR_OK;

no_memory:
    status = tr_out_of_memory(err, path);
fail:
    tr_config_free(config);
    return status;
}

tr_status tr_config_load(tr_config **out, const char *path, const char *const *overrides,
                         size_t n_overrides, tr_error *err)
{
    return load(out, path, NULL, overrides, n_overrides, err);
}

tr_status tr_config_parse(tr_config **out, const char *name, const char *text,
                          const char *const *overrides, size_t n_overrides, tr_error *err)
{
    return load(out, name, text, overrides, n_overrides, err);
}

void tr_config_free(tr_config *config)
{
    if (config == NULL)
        return;
    tr_ini_free(config->ini);
    tr_problems_free(config->problems);
    tr_free(config);
}

tr_status tr_config_check(const tr_config *config, tr_error *err)
{
    return tr_problems_check(config->problems, err);
}

char *tr_config_text(const tr_config *config)
{
    return tr_ini_text(config->ini, "The effective configuration, every default spelled out."
                                    "\nTraining from this file repeats the run.");
}

tr_status tr_config_write(const tr_config *config, const char *path, tr_error *err)
{
    TR_TRY(tr_config_check(config, err));
    char *text = tr_config_text(config);
    if (text == NULL)
        return tr_out_of_memory(err, path);
    const tr_status status = tr_file_write(path, text, strlen(text), err);
    tr_free(text);
    return status;
}
