/* config_keys.c -- the grammar of a configuration: one key table per section; see trainer/config.h.
 *
 * Sections without a table here have their keys where they are read: layers, losses, optimizers.
 */
#include "config_keys.h"

#include <assert.h>
#include <math.h>

#include "trainer/config.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define AT(field) offsetof(tr_config, field)

/* value.c writes a tr_ratio over the two. */
static_assert(offsetof(tr_data_config, scale_den) - offsetof(tr_data_config, scale_num) ==
                  offsetof(tr_ratio, den),
              "scale_num and scale_den must lie as a tr_ratio does");

/* tr_isa */
static const char *const isa_names[] = {"auto", "scalar", "avx2", "avx512", "neon", NULL};
static const char *const precision_names[] = {"float32", "bfloat16", NULL}; /* tr_precision */
/* tr_convolution, tr_kernels_choice */
static const char *const convolution_names[] = {"auto", "direct", "winograd", NULL};
static const char *const mode_names[] = {"auto", "min", "max", NULL}; /* tr_mode */
const char *const tr_kernels_names[] = {"onednn", "fast", "portable", NULL};

/* tr_data_memory */
static const char *const memory_names[] = {"auto", "resident", "streamed", NULL};

static const tr_key data_keys[] = {
    {"file", TR_KEY_TEXT, AT(data.file), NULL, .doc = "HDF5 file with the dataset"},
    {"x_train", TR_KEY_TEXT, AT(data.x_train), "x_train", .doc = "dataset of the training images"},
    {"y_train", TR_KEY_TEXT, AT(data.y_train), "y_train", .doc = "dataset of the training labels"},
    {"x_test", TR_KEY_TEXT, AT(data.x_test), "x_test", .doc = "dataset of the test images"},
    {"y_test", TR_KEY_TEXT, AT(data.y_test), "y_test", .doc = "dataset of the test labels"},
    {"test_file", TR_KEY_TEXT, AT(data.test_file), "",
     .doc = "HDF5 file that has the test images, where it is another"},
    {"scale", TR_KEY_RATIO, AT(data.scale_num), "1", .max = INFINITY, .above_min = true,
     .doc = "factor on every pixel, e.g. 1/255"},
    {"validation_split", TR_KEY_REAL, AT(data.validation_split), "0", .max = 1, .below_max = true,
     .doc = "part of the training images kept for validation (scikit-learn's test_size)"},
    {"split_seed", TR_KEY_INT, AT(data.split_seed), "0", .max = 4294967295.0,
     .doc = "seed of that split (scikit-learn's random_state)"},
    {"folds", TR_KEY_INT, AT(data.folds), "0", .max = 1e6,
     .doc =
         "instead of validation_split: so many folds, one of which validates (scikit-learn's "
         "KFold, with stratify StratifiedKFold); trainer crossvalidate trains them all; 0: none"},
    {"fold", TR_KEY_INT, AT(data.fold), "1", .min = 1, .max = 1e6,
     .doc = "the fold that validates, 1 to folds"},
    {"stratify", TR_KEY_BOOL, AT(data.stratify), "false",
     .doc = "keep the classes' shares in that split (scikit-learn's stratify=y)"},
    {"limit_train", TR_KEY_INT, AT(data.limit_train), "0", .max = 4294967295.0,
     .doc = "train on so many of the images that the split leaves, chosen by split_seed, with "
            "stratify by class (scikit-learn's train_size); 0: all"},
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
    {"class_names", TR_KEY_TEXT, AT(data.class_names), "class_names",
     .doc = "dataset of the classes' names, in the order of their numbers; the default one may be "
            "missing"},
    {"external_files", TR_KEY_BOOL, AT(data.external_files), "false",
     .doc = "read what the dataset's file names in other files, too: links, virtual datasets"},
    {"memory", TR_KEY_CHOICE, AT(data.memory), "auto", .choices = memory_names,
     .doc =
         "where images are: resident: in memory; streamed: in their file, from which batches are "
         "read ahead; no matter for the result; auto: in memory where they take at most half of "
         "what is left"},
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
    {"max_seconds", TR_KEY_REAL, AT(fit.max_seconds), "0", .max = 1e9,
     .doc = "the training ends when its steps and validations took so long, resumed runs included; "
            "0: no limit"},
    {"seed", TR_KEY_INT, AT(fit.seed), "0", .max = 0x1p63, /* and so all of int64_t from 0 */
     .doc = "of initial weights, order and every other random number but the split's"},
    {"shuffle", TR_KEY_BOOL, AT(fit.shuffle), "true", .doc = "a new order in each epoch"},
    {"class_weight", TR_KEY_TEXT, AT(fit.class_weight), "",
     .doc = "how much each class counts: a number per class, or balanced: n / (classes * count)"},
    {"initial_weights", TR_KEY_TEXT, AT(fit.initial_weights), "",
     .doc = "start from the weights of this file, of trainer or Keras, instead of random ones"},
    {"by_name", TR_KEY_BOOL, AT(fit.by_name), "false",
     .doc =
         "initial_weights: layers of the same name, the others begin anew; false: by their order"},
    {"skip_mismatch", TR_KEY_BOOL, AT(fit.skip_mismatch), "false",
     .doc = "initial_weights: a layer that does not fit begins anew, too; false: it is an error"},
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

static const tr_key early_stopping_keys[] = {
    {"monitor", TR_KEY_TEXT, AT(early_stopping.monitor), "auto",
     .doc =
         "what has to improve: loss or a metric, val_ before it; auto: val_loss, or loss without "
         "validation; none: nothing"},
    {"mode", TR_KEY_CHOICE, AT(early_stopping.mode), "auto", .choices = mode_names,
     .doc = "what an improvement is; auto: less of a loss or an error, else more"},
    {"patience", TR_KEY_INT, AT(early_stopping.patience), "0", .max = 1e6,
     .doc = "so many epochs without one, and the training ends"},
    {"min_delta", TR_KEY_REAL, AT(early_stopping.min_delta), "0", .max = 1e300,
     .doc = "the least change that is one"},
    {"baseline", TR_KEY_REAL, AT(early_stopping.baseline), NULL, .optional = true,
     .doc = "an epoch that is not better than this is no improvement either"},
    {"restore_best_weights", TR_KEY_BOOL, AT(early_stopping.restore_best_weights), "false",
     .doc = "the training ends with the weights of its best epoch, also after all epochs"},
    {"start_from_epoch", TR_KEY_INT, AT(early_stopping.start_from_epoch), "0", .max = 1e6,
     .doc = "the first so many epochs are not looked at"},
};

static const tr_key plateau_keys[] = {
    {"monitor", TR_KEY_TEXT, AT(plateau.monitor), "auto",
     .doc = "what has to improve, as in [early_stopping]"},
    {"mode", TR_KEY_CHOICE, AT(plateau.mode), "auto", .choices = mode_names,
     .doc = "what an improvement is"},
    {"factor", TR_KEY_REAL, AT(plateau.factor), "0.1", .max = 1, .above_min = true,
     .below_max = true, .doc = "what the learning rate is multiplied by"},
    {"patience", TR_KEY_INT, AT(plateau.patience), "10", .max = 1e6,
     .doc = "so many epochs without an improvement, and the learning rate is reduced"},
    {"min_delta", TR_KEY_REAL, AT(plateau.min_delta), "1e-4", .max = 1e300,
     .doc = "the least change that is one"},
    {"cooldown", TR_KEY_INT, AT(plateau.cooldown), "0", .max = 1e6,
     .doc = "epochs after a reduction that do not count"},
    {"min_lr", TR_KEY_REAL, AT(plateau.min_lr), "0", .max = 1e6,
     .doc = "it is never reduced below that"},
};

static const char *const view_names[] = {"flip", "shift", NULL}; /* TR_VIEWS_... */

static const tr_key evaluate_keys[] = {
    {"batch_size", TR_KEY_INT, AT(evaluate_batch_size), "32", .min = 1, .max = 1048576,
     .doc = "images per step of the evaluation"},
    {"views", TR_KEY_CHOICES, AT(evaluate_views), "none", .choices = view_names,
     .zero_word = "none",
     .doc = "of each image, whose predictions are averaged: flip, its mirror image, too; shift, "
            "moved by a pixel to two corners, too; flip, shift: all six"},
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
    {"tensorboard", TR_KEY_BOOL, AT(tensorboard), "false",
     .doc = "TensorBoard's event files, too, in its folders train and validation"},
};

const tr_config_section tr_config_sections[] = {
    {"data", "where the images come from", data_keys, COUNT(data_keys), 0},
    {"model", "the network as a whole", model_keys, COUNT(model_keys), 0},
    {"compile", "what is minimised, how, and what is reported", compile_keys, COUNT(compile_keys),
     0},
    {"loss", "settings of the loss: trainer help losses", NULL, 0, 0},
    {"optimizer", "settings of the optimizer: trainer help optimizers", NULL, 0, 0},
    {"learning_rate", "a schedule in place of a number: trainer help optimizers", NULL, 0, 0},
    {"fit", "the training", fit_keys, COUNT(fit_keys), 0},
    {"checkpoint", "when and what is saved", checkpoint_keys, COUNT(checkpoint_keys), 0},
    {"early_stopping", "the end of a training that no longer gets better; without it: all epochs",
     early_stopping_keys, COUNT(early_stopping_keys), AT(early_stopping.on)},
    {"reduce_lr_on_plateau", "a smaller learning rate where it no longer gets better", plateau_keys,
     COUNT(plateau_keys), AT(plateau.on)},
    {"evaluate", "validation, test, prediction", evaluate_keys, COUNT(evaluate_keys), 0},
    {"engine", "how the machine is used", engine_keys, COUNT(engine_keys), 0},
    {"output", "what a run leaves behind", output_keys, COUNT(output_keys), 0},
    {NULL, NULL, NULL, 0, 0},
};
