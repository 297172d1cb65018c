/* test_keras_compile.c -- losses, metrics, optimizers in the spellings of all versions. */
#include <criterion/criterion.h>
#include <string.h>

#include "keras.h"
#include "mem.h"

#define NET(units, activation)                                                                     \
    "{'class_name':'Flatten','config':{'name':'f'}},{'class_name':'Dense','config':{'name':'d',"   \
    "'units':" units ",'activation':'" activation "'}}"
#define ADAM "'optimizer_config':{'class_name':'Adam','config':{}}"
#define SOFTMAX NET("3", "softmax")

static const test_translation *compiled(const char *training)
{
    return test_translate(SOFTMAX, training, "3.3.3");
}

static void loss(const char *json, const char *expected)
{
    char *training =
        tr_format("{'loss':%s,'optimizer_config':{'class_name':'Adam','config':{}}}", json);
    const test_translation *made = compiled(training);
    test_translation_has(made, expected);
    cr_expect_str_eq(made->no_measure, "");
    tr_free(training);
}

Test(keras_compile, losses)
{
    static const char sparse[] = "loss = sparse_categorical_crossentropy\noptimizer = adam\n";
    loss("'sparse_categorical_crossentropy'", sparse);
    loss("['sparse_categorical_crossentropy']", sparse);
    loss("{'d':'sparse_categorical_crossentropy'}", sparse);
    loss("'SparseCategoricalCrossentropy'", sparse);
    loss("{'class_name':'function','config':'sparse_categorical_crossentropy'}", sparse);
    loss("{'class_name':'LossFunctionWrapper','config':{'fn':'sparse_categorical_crossentropy',"
         "'reduction':'auto','name':'x'}}",
         sparse);
    loss("{'module':'keras.losses','class_name':'SparseCategoricalCrossentropy','config':{'name':"
         "'s','reduction':'sum_over_batch_size','from_logits':false,'ignore_class':null,'dtype':"
         "'float32'},'registered_name':null}",
         sparse);
    loss("'mse'", "loss = mean_squared_error\n");
    loss("'MSE'", "loss = mean_squared_error\n");
    loss("{'class_name':'CategoricalCrossentropy','config':{'reduction':'auto','from_logits':true,"
         "'label_smoothing':0.1,'axis':-1,'fn':'categorical_crossentropy'}}",
         "loss = categorical_crossentropy\n");
    loss("{'class_name':'CategoricalCrossentropy','config':{'label_smoothing':0.1}}",
         "[loss]\nlabel_smoothing = 0.1\n");
    loss("{'class_name':'BinaryCrossentropy','config':{'from_logits':true}}",
         "[loss]\nfrom_logits = true\n");
    loss("'MAPE'", "loss = mean_absolute_percentage_error\n");
    loss("{'class_name':'KLDivergence','config':{'name':'kl_divergence','reduction':'auto'}}",
         "loss = kl_divergence\n");
    loss("{'class_name':'CosineSimilarity','config':{'axis':-1}}", "loss = cosine_similarity\n");
    loss("{'class_name':'Huber','config':{'name':'huber_loss','delta':0.5}}",
         "loss = huber\noptimizer = adam\nmetrics = \n\n[loss]\ndelta = 0.5\n");
    loss("{'class_name':'BinaryFocalCrossentropy','config':{'apply_class_balancing':true,'alpha':"
         "0.3,'gamma':3.0,'from_logits':false,'label_smoothing':0.1,'axis':-1,'reduction':"
         "'sum_over_batch_size','name':'binary_focal_crossentropy','dtype':null}}",
         "label_smoothing = 0.1\napply_class_balancing = true\nalpha = 0.3\ngamma = 3\n");
}

/* Predictions need none; only measuring it is not possible. */
Test(keras_compile, unknown_losses_leave_a_reason)
{
    static const char *const cases[][2] = {
        {"{'loss':'dice'}", "dice"},
        {"{'loss':'my>odd'}", "odd"},
        {"{'loss':{'a':'mse','b':'mse'}}", "its loss is {"},
        {"{'loss':7}", "its loss is 7"},
        {"{'loss':{'class_name':'MeanSquaredError','config':{'reduction':'sum'}}}",
         "reduction = \"sum\""},
        {"{'loss':{'class_name':'SparseCategoricalCrossentropy','config':{'ignore_class':0}}}",
         "ignore_class = 0"},
        {"{'loss':'mse','loss_weights':[0.5]}", "loss_weights = [0.5]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const test_translation *made = compiled(cases[i][0]);
        test_translation_has(made, "loss = sparse_categorical_crossentropy\n");
        cr_expect_not_null(strstr(made->no_measure, cases[i][1]), "%s: %s", cases[i][0],
                           made->no_measure);
    }
    cr_expect_str_eq(compiled("{'loss':'mse','loss_weights':null}")->no_measure, "");
    cr_expect_str_eq(compiled("{'loss':'mse','loss_weights':[1.0]}")->no_measure, "");
}

Test(keras_compile, without_a_loss_one_is_taken_that_fits_and_said)
{
    static const char *const cases[][2] = {
        {SOFTMAX, "sparse_categorical_crossentropy"},
        {NET("1", "sigmoid"), "binary_crossentropy"},
        {NET("4", "tanh"), "mean_squared_error"},
        {NET("4", "linear") ",{'class_name':'Softmax','config':{'name':'s'}}",
         "sparse_categorical_crossentropy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const test_translation *made = test_translate(cases[i][0], NULL, "3.3.3");
        char line[128];
        snprintf(line, sizeof line, "loss = %s\n", cases[i][1]);
        test_translation_has(made, line);
        cr_expect_not_null(strstr(made->notes, "saved without its loss"), "%s", made->notes);
        cr_expect_not_null(strstr(made->notes, cases[i][1]), "%s", made->notes);
        cr_expect_str_eq(made->no_measure, "");
    }
}

static void metrics(const char *json, const char *expected, const char *note)
{
    char *training = tr_format("{'loss':'sparse_categorical_crossentropy','metrics':%s}", json);
    char *line = tr_format("metrics = %s\n", expected);
    const test_translation *made = compiled(training);
    test_translation_has(made, line);
    if (note == NULL)
        cr_expect_null(strstr(made->notes, "metric"), "%s", made->notes);
    else
        cr_expect_not_null(strstr(made->notes, note), "%s", made->notes);
    tr_free(training);
    tr_free(line);
}

Test(keras_compile, metrics_of_all_spellings)
{
    metrics("null", "", NULL);
    metrics("[]", "", NULL);
    metrics("['accuracy']", "accuracy", NULL);
    metrics("['acc']", "acc", NULL);
    metrics("{'d':['accuracy']}", "accuracy", NULL);
    metrics("[['accuracy',{'class_name':'SparseTopKCategoricalAccuracy','config':{'k':2,'name':"
            "'t'}}]]",
            "accuracy, t\ntop_k = 2\n\n[metric.t]\ntype = sparse_top_k_categorical_accuracy", NULL);
    metrics("[[{'class_name':'MeanMetricWrapper','config':{'name':'accuracy','dtype':'float32','fn'"
            ":'sparse_categorical_accuracy'}}]]",
            "accuracy", NULL);
    metrics("[{'module':'keras.metrics','class_name':'SparseCategoricalAccuracy','config':{'name':"
            "'hits','dtype':'float32'},'registered_name':null}]",
            "hits\n\n[metric.hits]\ntype = sparse_categorical_accuracy", NULL);
    metrics("[{'class_name':'BinaryAccuracy','config':{'threshold':0.4}}]",
            "binary_accuracy\n\n[metric.binary_accuracy]\nthreshold = 0.4", NULL);
    metrics("[{'class_name':'MeanIoU','config':{'name':'iou'}},'accuracy']", "accuracy",
            "is left out: trainer does not have it");
    metrics("[{'class_name':'Accuracy','config':{'name':'accuracy'}}]", "",
            "its metric accuracy is left out");
}

/* The true reason: Keras's own settings, and a class that only sounds like ours. */
Test(keras_compile, metrics_are_left_out_for_their_reason)
{
    metrics("[{'class_name':'AUC','config':{'label_weights':[1.0,2.0]}}]", "",
            "its metric auc is left out: its label_weights = [1.0,2.0] is nothing that trainer "
            "has\n");
    metrics("[{'class_name':'Precision','config':{'thresholds':[0.1,0.9]}}]", "",
            "its metric precision is left out: its thresholds = [0.1,0.9] is nothing");
    metrics("[{'class_name':'F1Score','config':{'average':null,'threshold':null}}]", "",
            "its metric f1_score is left out: its average = null gives a number per class");
    metrics("[{'class_name':'Accuracy','config':{'name':'accuracy'}}]", "",
            "its metric accuracy is left out: Keras's class Accuracy counts equal numbers");
    metrics("['r2_score']", "", "its metric r2_score is left out: trainer does not have it\n");
}

/* What the metric was called in Keras's history; one output makes "accuracy" the binary one. */
Test(keras_compile, metrics_keep_their_names)
{
    static const char training[] =
        "{'loss':'binary_crossentropy','metrics':[{'class_name':'MeanSquaredError','config':{"
        "'name':'mse'}},{'class_name':'BinaryAccuracy','config':{'name':'accuracy'}}]}";
    test_translation_has(test_translate(NET("1", "sigmoid"), training, "3.3.3"),
                         "metrics = mse, accuracy\n");
    test_translation_has(test_translate(NET("4", "sigmoid"), training, "3.3.3"),
                         "metrics = mse, binary_accuracy\n");
    test_translation_has(
        compiled(
            "{'loss':'categorical_focal_crossentropy','metrics':[[{'class_name':"
            "'MeanMetricWrapper','config':{'name':'accuracy','fn':'categorical_accuracy'}}]]}"),
        "metrics = accuracy\n");
}

Test(keras_compile, what_stands_for_the_optimizer_is_said)
{
    const test_translation *made = compiled("{'loss':'sparse_categorical_crossentropy'}");
    test_translation_has(made, "optimizer = sgd\n");
    cr_expect_str_eq(made->notes, "the model was saved without its optimizer; sgd stands for it\n");
    cr_expect_not(made->compiled);
    cr_expect_not(
        compiled("{'optimizer_config':{'class_name':'Adam','config':{}},'loss':'dice'}")->compiled);
    cr_expect(compiled("{'optimizer_config':{'class_name':'Adam','config':{}},'loss':"
                       "'sparse_categorical_crossentropy'}")
                  ->compiled);
    cr_expect_not(compiled("{}")->compiled); /* Keras 3.15 of a model that was not compiled */
}

static void optimizer(const char *key, const char *json, const char *expected)
{
    char *training = tr_format("{'loss':'mse','%s':%s}", key, json);
    test_translation_has(compiled(training), expected);
    tr_free(training);
}

Test(keras_compile, optimizers_of_all_spellings)
{
    optimizer("optimizer_config",
              "{'class_name':'Adam','config':{'learning_rate':0.002,'beta_1':0.8"
              ",'decay':0.0,'jit_compile':true}}",
              "beta_1 = 0.8\n");
    optimizer("optimizer_config", "{'class_name':'adam','config':{'lr':0.5}}",
              "[optimizer]\nlearning_rate = 0.5\n");
    optimizer("optimizer_config", "{'class_name':'Custom>RMSprop','config':{'rho':0.8}}",
              "optimizer = rmsprop\n");
    optimizer("optimizer", "'sgd'", "optimizer = sgd\n");
    optimizer("optimizer",
              "{'module':'keras.src.backend.torch.optimizers.torch_adam','class_name':"
              "'Adam','config':{'clipnorm':1.0,'use_ema':false,'ema_momentum':0.99}}",
              "clipnorm = 1\n");
    optimizer(
        "optimizer_config",
        "{'class_name':'SGD','config':{'learning_rate':{'module':'keras.optimizers.schedules',"
        "'class_name':'ExponentialDecay','config':{'initial_learning_rate':0.1,'decay_steps':"
        "100,'decay_rate':0.5,'staircase':true,'name':'e'}}}}",
        "[learning_rate]\nschedule = exponential_decay\ninitial_learning_rate = 0.1\n");
}

/* lr / (1 + decay * steps); Nadam's decay is another, and a schedule of its own makes it two. */
Test(keras_compile, decay_of_keras_2_is_a_schedule)
{
    optimizer("optimizer_config",
              "{'class_name':'SGD','config':{'name':'SGD','learning_rate':0.5,'decay':0.01,"
              "'momentum':0.9,'nesterov':false}}",
              "[optimizer]\nmomentum = 0.9\nnesterov = false\n\n[learning_rate]\nschedule = "
              "inverse_time_decay\ninitial_learning_rate = 0.5\ndecay_steps = 1\ndecay_rate = "
              "0.01\n");
    optimizer("optimizer_config", "{'class_name':'Adam','config':{'lr':0.5,'decay':0.0}}",
              "[optimizer]\nlearning_rate = 0.5\n");
}

Test(keras_compile, newer_optimizers)
{
    optimizer("optimizer",
              "{'module':'keras.optimizers','class_name':'Muon','config':{'name':'muon',"
              "'weight_decay':null,'rms_rate':null,'exclude_layers':['a','b/kernel'],"
              "'ns_steps':3,'adam_lr_ratio':1}}",
              "optimizer = muon\nmetrics = \n\n[optimizer]\nweight_decay = none\nexclude_layers = "
              "a, b/kernel\nns_steps = 3\nrms_rate = none\nadam_lr_ratio = 1\n");
    optimizer("optimizer",
              "{'class_name':'ScheduleFreeAdamW','config':{'warmup_steps':7,'weight_decay':null}}",
              "optimizer = schedule_free_adamw\nmetrics = \n\n[optimizer]\nwarmup_steps = 7\n");
    optimizer("optimizer", "{'class_name':'Adafactor','config':{'relative_step':true}}",
              "optimizer = adafactor\nmetrics = \n");
}

#define MULTI(map)                                                                                 \
    "{'class_name':'MultiOptimizer','config':{'name':'m','optimizer_map':{'class_name':"           \
    "'OptimizerMap','config':{'default_optimizer':{'class_name':'SGD','config':{"                  \
    "'learning_rate':0.5}},'optimizer_map':{" map "}}}}}"

Test(keras_compile, a_map_of_optimizers_is_groups)
{
    optimizer("optimizer", MULTI("'(.*/)?(d|e-f)/.*':{'class_name':'Adam','config':{}}"),
              "optimizer = sgd\n"); /* no such name: left out, with a note */
    optimizer("optimizer",
              MULTI("'(.*/)?(d|f)/[^/]*':{'class_name':'Adam','config':{'learning_rate':{"
                    "'class_name':'ExponentialDecay','config':{'initial_learning_rate':0.1,"
                    "'decay_steps':2,'decay_rate':0.5}},'beta_1':0.5}},'^x/.*$':{'class_name':"
                    "'SGD','config':{'momentum':0.5}}"),
              "[optimizer]\nlearning_rate = 0.5\n\n[optimizer.group1]\noptimizer = adam\n"
              "layers = d, f\nbeta_1 = 0.5\n\n[learning_rate.group1]\nschedule = "
              "exponential_decay\ninitial_learning_rate = 0.1\ndecay_steps = 2\ndecay_rate = "
              "0.5\n\n[optimizer.group2]\noptimizer = sgd\nlayers = x\nmomentum = 0.5\n");
}

Test(keras_compile, unknown_optimizers_get_a_note)
{
    const test_translation *made =
        compiled("{'loss':'mse','optimizer_config':{'class_name':'my>Shampoo','config':{}}}");
    test_translation_has(made, "optimizer = sgd\n");
    cr_expect_not_null(strstr(made->notes, "its optimizer my>Shampoo is left out"), "%s",
                       made->notes);
}

static const char *notes_of(const char *optimizer)
{
    char *training = tr_format("{'loss':'mse','optimizer_config':%s}", optimizer);
    const test_translation *made = compiled(training);
    cr_assert_eq(made->status, TR_OK, "%s", made->err.text);
    tr_free(training);
    return made->notes;
}

static void noted(const char *optimizer, const char *expected)
{
    const char *notes = notes_of(optimizer);
    cr_expect_not_null(strstr(notes, expected), "\"%s\" of %s in: %s", expected, optimizer, notes);
}

Test(keras_compile, settings_that_are_not_written_get_a_note)
{
    noted("{'class_name':'Adam','config':{'decay':0.001}}",
          "its Adam: decay = 0.001 is left out: trainer does not have it\n");
    noted("{'class_name':'Adam','config':{'beta_1':1.5}}",
          "its Adam: beta_1 = 1.5 is left out: must be a number of at least 0 and below 1 here\n");
    noted("{'class_name':'Adam','config':{'loss_scale_factor':8.0}}", "loss_scale_factor = 8");
    noted("{'class_name':'SGD','config':{'clipnorm':-1.0}}", "its SGD: clipnorm = -1");
    noted("{'class_name':'SGD','config':{'learning_rate':[1]}}", "learning_rate = [1] is left out");
    noted("{'class_name':'SGD','config':{'novel':true}}", "its SGD: novel = true is left out");
    noted("{'class_name':'SGD','config':{'learning_rate':{'class_name':'my>Warmup','config':{}}}}",
          "its schedule of the learning rate, warmup, is left out");
    noted("{'class_name':'SGD','config':{'learning_rate':{'class_name':'CosineDecay','config':{"
          "'initial_learning_rate':0.1,'decay_steps':100,'alpha':2.0}}}}",
          "its cosine_decay: alpha = 2.0 is left out: must be a number from 0 to 1 here\n");
    noted(MULTI("'.*kernel.*':{'class_name':'Adam','config':{}}"),
          "its optimizer MultiOptimizer is left out");
    noted(MULTI("'d/.*':{'class_name':'Shampoo','config':{}}"),
          "its optimizer MultiOptimizer is left out");
    noted("{'class_name':'Nadam','config':{'learning_rate':0.1,'decay':0.01}}", "decay = 0.01");
    noted("{'config':{}}", "its optimizer {\"config\":{}} is left out");
}

Test(keras_compile, settings_that_say_nothing_get_no_note)
{
    static const char *const silent[] = {
        "{'class_name':'Adam','config':{'name':'a','jit_compile':true,'is_legacy_optimizer':false,"
        "'decay':0.0,'loss_scale_factor':null,'weight_decay':false,'use_ema':false,'ema_momentum':"
        "0.99,'ema_overwrite_frequency':100,'gradient_accumulation_steps':1}}",
        "{'class_name':'SGD','config':{'learning_rate':{'class_name':'CosineDecay','config':{'name'"
        ":null,'initial_learning_rate':0.1,'decay_steps':100.0,'warmup_target':null,"
        "'warmup_steps':0}}}}",
        "{'class_name':'AdamW','config':{'weight_decay':0.01}}",
        "{'class_name':'Nadam','config':{'lr':0.01,'schedule_decay':0.004}}"};
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        cr_expect_str_eq(notes_of(silent[i]), "", "%s", silent[i]);
    cr_expect_null(strstr(compiled("{'loss':'mse','optimizer_config':{'class_name':'RMSprop',"
                                   "'config':{'ema_overwrite_frequency':100}}}")
                              ->ini,
                          "ema_overwrite"));
}

/* Settings, names of its own, two of a kind, functions that are no class of a metric. */
Test(keras_compile, metrics_with_settings)
{
    metrics("[[{'class_name':'AUC','config':{'name':'prc','dtype':'float32','num_thresholds':100,"
            "'curve':'PR','summation_method':'interpolation','multi_label':false,'num_labels':null,"
            "'label_weights':null}},{'class_name':'AUC','config':{'name':'auc'}},{'class_name':"
            "'Precision','config':{'name':'precision','thresholds':[0.7],'top_k':null,'class_id':"
            "1}}]]",
            "prc, auc, precision\n\n[metric.prc]\ntype = auc\nnum_thresholds = 100\ncurve = PR\n"
            "summation_method = interpolation\nmulti_label = false\n\n[metric.precision]\n"
            "thresholds = 0.7\nclass_id = 1",
            NULL);
    metrics("[{'module':'keras.metrics','class_name':'MeanMetricWrapper','config':{'name':'huber',"
            "'dtype':'float32','fn':{'module':'builtins','class_name':'function','config':'huber',"
            "'registered_name':'function'},'delta':0.5}}]",
            "huber\n\n[metric.huber]\ndelta = 0.5", NULL);
}

Test(keras_compile, weighted_metrics)
{
    static const char *const none[] = {"null", "[]", "[[]]", "{}", "{'d':[null]}"};
    char training[160];
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        snprintf(training, sizeof training, "{'loss':'mse','weighted_metrics':%s," ADAM "}",
                 none[i]);
        const test_translation *made = compiled(training);
        cr_expect_str_eq(made->notes, "", "%s", none[i]);
        cr_expect_null(strstr(made->ini, "weighted"), "%s", none[i]);
    }
    test_translation_has(
        compiled("{'loss':'mse','metrics':['mae'],'weighted_metrics':['mae']," ADAM "}"),
        "metrics = mae\nweighted_metrics = mae\n");
}

Test(keras_compile, one_k_for_all_metrics)
{
    metrics("[{'class_name':'SparseTopKCategoricalAccuracy','config':{'k':2}},"
            "{'class_name':'TopKCategoricalAccuracy','config':{}}]",
            "sparse_top_k_categorical_accuracy\ntop_k = 2",
            "its metric top_k_categorical_accuracy is left out: its k is 5, that of another is 2");
}
