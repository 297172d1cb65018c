/* config.h -- the configuration of a run: an INI file, validated.
 *
 * Loading does not stop at the first mistake: problems are collected in the object, layers and
 * optimizers add theirs when the model is built from it, and tr_config_check() reports them all.
 */
#ifndef TRAINER_CONFIG_H
#define TRAINER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer/memory.h"
#include "trainer/status.h"

struct tr_ini;
struct tr_problems;
struct tr_section;

enum { TR_DEFAULT_TOP_K = 5 }; /* Keras's */

typedef enum tr_data_memory {
    TR_MEMORY_AUTO,     /* in memory where there is enough of it */
    TR_MEMORY_RESIDENT, /* in memory */
    TR_MEMORY_STREAMED  /* in their file */
} tr_data_memory;

typedef struct tr_data_config {
    const char *file;    /* HDF5 */
    const char *x_train; /* dataset names inside the file; Keras's mnist.npz names by default */
    const char *y_train;
    const char *x_test;
    const char *y_test;
    const char *test_file;                   /* of x_test and y_test; "": file */
    double scale_num, scale_den;             /* x * num / den */
    double validation_split;                 /* [0, 1): sklearn's test_size; 0: no validation */
    int64_t split_seed;                      /* sklearn's random_state, 0 .. 2^32-1 */
    int64_t folds, fold;                     /* sklearn's KFold; folds 0: none; fold from 1 on */
    bool stratify;                           /* sklearn's stratify=y: shares of classes are kept */
    int64_t limit_train;                     /* samples to train on at most; 0: all */
    const char *validation_file;             /* instead of a split; "": none */
    const char *x_validation, *y_validation; /* dataset names in it */
    /* Dataset names, beside x_train and so on; "": none. */
    const char *sample_weight_train, *sample_weight_validation, *sample_weight_test;
    const char *class_names; /* dataset of them; the default one may be missing */
    bool external_files;     /* what a dataset names in other files is read, too */
    int memory;              /* tr_data_memory: where images are while the run goes on */
} tr_data_config;

typedef struct tr_compile_config {
    const char *loss, *optimizer, *metrics, *weighted_metrics; /* names; resolved by their tables */
    int64_t top_k;                                             /* of the top-k metrics */
} tr_compile_config;

typedef struct tr_fit_config {
    int64_t batch_size, epochs, seed;
    bool shuffle;
    double max_seconds;          /* of training and validation, over all resumes; 0: no limit */
    const char *class_weight;    /* "balanced", or a number per class; "": none */
    const char *initial_weights; /* a file whose weights the training starts from; "": none */
    bool by_name, skip_mismatch; /* how its layers are matched: tr_transfer_rules */
} tr_fit_config;

typedef struct tr_checkpoint_config {
    const char *monitor;  /* what best.h5 is the best by; "auto", "none" */
    int64_t every_steps;  /* last.h5 within an epoch, too; 0: no */
    double every_seconds; /* likewise, by the clock */
    int64_t keep;         /* so many epoch_NNNN.h5; 0: none */
    bool keras_optimizer; /* the group optimizer_weights, too */
} tr_checkpoint_config;

/* What counts as better; auto: less of a loss or an error, else more. */
typedef enum tr_mode { TR_MODE_AUTO, TR_MODE_MIN, TR_MODE_MAX } tr_mode;

/* Sections that need not be there: `on` says whether they are. */
typedef struct tr_early_stopping_config {
    bool on;
    const char *monitor;
    int mode; /* tr_mode */
    int64_t patience, start_from_epoch;
    double min_delta, baseline; /* baseline NAN: none */
    bool restore_best_weights;
} tr_early_stopping_config;

typedef struct tr_plateau_config {
    bool on;
    const char *monitor;
    int mode; /* tr_mode */
    int64_t patience, cooldown;
    double min_delta, factor, min_lr;
} tr_plateau_config;

/* Scalar and NEON are there for kernels of our own. */
typedef enum tr_isa { TR_ISA_AUTO, TR_ISA_SCALAR, TR_ISA_AVX2, TR_ISA_AVX512, TR_ISA_NEON } tr_isa;

/* What layers compute with. Parameters, gradients, their sum and the update are float32 always. */
typedef enum tr_precision { TR_FLOAT32, TR_BFLOAT16 } tr_precision;

typedef enum tr_convolution {
    TR_CONVOLUTION_AUTO, /* oneDNN's: direct; our own: by a rule of the sizes */
    TR_CONVOLUTION_DIRECT,
    TR_CONVOLUTION_WINOGRAD
} tr_convolution;

/* Whose kernels compute. Fast: ours where they are the faster ones; portable: ours alone. */
typedef enum tr_kernels_choice {
    TR_KERNELS_ONEDNN,
    TR_KERNELS_FAST,
    TR_KERNELS_PORTABLE
} tr_kernels_choice;
extern const char *const tr_kernels_names[]; /* NULL-terminated */

typedef struct tr_engine_config {
    int isa;                /* tr_isa */
    int precision;          /* tr_precision */
    int convolution;        /* tr_convolution: the algorithm, where there is a choice */
    int kernels;            /* tr_kernels_choice */
    int64_t threads;        /* 0: OMP_NUM_THREADS, or what the machine has to offer */
    int64_t gradient_slots; /* a power of two; 0: as many as a limit of memory allows */
    int64_t micro_batch;    /* samples that one thread takes through all layers at once; part of the
                             * numeric result, never derived from the thread count */
} tr_engine_config;

/* [evaluate] views. */
enum { TR_VIEWS_FLIP = 1, TR_VIEWS_SHIFT = 2 };

typedef struct tr_config {
    tr_data_config data;
    int64_t input_shape[3]; /* height, width, channels */
    bool input_flat;        /* a vector: its length is input_shape[2], the others are 1 */
    const char *model_name;
    tr_compile_config compile;
    tr_fit_config fit;
    tr_checkpoint_config checkpoint;
    tr_early_stopping_config early_stopping;
    tr_plateau_config plateau; /* [reduce_lr_on_plateau] */
    int64_t evaluate_batch_size;
    unsigned evaluate_views; /* TR_VIEWS_... */
    tr_engine_config engine;
    const char *output_directory;
    bool tensorboard; /* event files in it, too */

    struct tr_ini *ini;           /* all sections; layers read theirs from here */
    struct tr_problems *problems; /* all mistakes so far */
} tr_config;

/* Reads `path`, applies "section.key=value" overrides, validates every section except [layer.*],
 * [loss], [optimizer] and [learning_rate], whose keys only layers, losses and optimizers know, and
 * refuses unknown sections.
 * Fails only when the file cannot be read (TR_ERR_CONFIG) or memory is out; mistakes inside it are
 * kept for tr_config_check(). Release with tr_config_free(); all strings are owned by it. */
tr_status tr_config_load(tr_config **out, const char *path, const char *const *overrides,
                         size_t n_overrides, tr_error *err);
/* The same from text, e.g. of a checkpoint; `name` stands for the file in messages. */
tr_status tr_config_parse(tr_config **out, const char *name, const char *text,
                          const char *const *overrides, size_t n_overrides, tr_error *err);
void tr_config_free(tr_config *config);

/* TR_OK, or TR_ERR_CONFIG with every problem found so far, one a line: "file:line: what is wrong,
 * what is allowed, what was perhaps meant". */
tr_status tr_config_check(const tr_config *config, tr_error *err);

/* The effective configuration as INI text, every default spelled out; NULL: no memory. Free with
 * tr_free(). */
char *tr_config_text(const tr_config *config);

/* Writes the effective configuration, every default spelled out, to `path` (whole or not at all).
 * Training from that file repeats the run. */
tr_status tr_config_write(const tr_config *config, const char *path, tr_error *err);

#endif
