/* test_cli.c -- the program from outside: every shipped configuration, every kind of failure.
 *
 * The runs use a small dataset of real shape made here; what they must show is that the whole
 * program does what its help says, not that it learns MNIST in a second.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "run.h"
#include "small_run.h"

/* ---- what must work ---- */

#ifdef TR_SANITIZED /* where kernels of our own take minutes; oneDNN's are not instrumented */
static const char kernels[] = " --set engine.kernels=onednn";
#else
static const char kernels[] = "";
#endif

Test(cli, every_shipped_configuration_runs)
{
    DIR *folder = opendir(TR_SOURCE "/configs");
    int n = 0;
    cr_assert_not_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".ini") != 0)
            continue;
        char more[700] = "";
        if (strcmp(entry->d_name, "finetune.ini") == 0) { /* the run that it starts from */
            test_expect(test_run("", test_short_run("mnist.ini", "")), 0, "test loss ");
            snprintf(more, sizeof more, "--set fit.initial_weights=%s/run/last.h5", test_folder());
        }
        strcat(more, kernels);
        test_expect(test_run("", test_short_run(entry->d_name, more)), 0, "test loss ");
        n++;
    }
    closedir(folder);
    cr_assert_geq(n, 2);
}

/* The last line of a run holds the digest of the parameters. */
static void digest(const char *prefix, const char *more, char text[33])
{
    const test_outcome *result = test_run(prefix, test_short_run("mnist.ini", more));
    const char *at = strstr(result->text, "parameters ");
    cr_assert_eq(result->code, 0, "%s", result->text);
    cr_assert_not_null(at, "%s", result->text);
    snprintf(text, 33, "%s", at + strlen("parameters "));
}

Test(cli, threads_and_environment_do_not_change_the_result)
{
    char one[33], other[33];
    digest("OMP_NUM_THREADS=1", "", one);
    digest("OMP_NUM_THREADS=5", "", other);
    cr_assert_str_eq(one, other);
    digest("OMP_NUM_THREADS=1 OMP_DYNAMIC=true OMP_THREAD_LIMIT=1", "--threads 3", other);
    cr_assert_str_eq(one, other);
}

Test(cli, the_first_line_says_where_the_threads_come_from)
{
    char usable[64];
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    test_expect(test_run("OMP_NUM_THREADS=1", test_short_run("mnist.ini", "")), 0,
                "threads: 1 (OMP_NUM_THREADS");
    test_expect(test_run("OMP_NUM_THREADS=1", test_short_run("mnist.ini", "--threads 2")), 0,
                "(engine.threads");
    const test_outcome *result =
        test_run("unset OMP_NUM_THREADS;", test_short_run("mnist.ini", ""));
    const char *at = strstr(result->text, "threads: ");
    cr_assert_not_null(at, "%s", result->text);
    snprintf(usable, sizeof usable, "%.*s", (int)strcspn(at, "\n"), at);
    cr_assert(atol(at + strlen("threads: ")) <= n, "%s", usable);
    test_expect(test_run("OMP_NUM_THREADS=none", test_short_run("mnist.ini", "")), 0, usable);
    /* Bound to its place, the main thread's own affinity mask is one CPU. */
    test_expect(
        test_run("unset OMP_NUM_THREADS; OMP_PROC_BIND=true", test_short_run("mnist.ini", "")), 0,
        usable);
}

Test(cli, avx2_is_its_own_result_at_any_thread_count)
{
    char one[33], other[33], forced[33];
    digest("OMP_NUM_THREADS=1", "--set engine.isa=avx2", one);
    digest("OMP_NUM_THREADS=3", "--set engine.isa=avx2", other);
    digest("DNNL_MAX_CPU_ISA=AVX2 OMP_NUM_THREADS=2", "", forced);
    cr_assert_str_eq(one, other);
    cr_assert_str_eq(one, forced);
    const test_outcome *result = test_run("", test_short_run("mnist.ini", "--set engine.isa=avx2"));
    cr_assert_not_null(strstr(result->text, "jit:avx2"), "%s", result->text);
    cr_assert_null(strstr(result->text, "ref"), "%s", result->text);
}

Test(cli, leaves_its_files_and_they_repeat_the_run)
{
    char first[33], again[33], path[600];
    static const char *const files[] = {"last.h5",     "history.csv", "history.jsonl",
                                        "history.svg", "history.png", "config.ini"};
    digest("", "", first);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/run/%s", test_folder(), files[i]);
        cr_assert_eq(access(path, R_OK), 0, "%s", path);
    }
    snprintf(path, sizeof path, "-c %s/run/config.ini --overwrite", test_folder());
    const test_outcome *result = test_run("", path);
    const char *at = strstr(result->text, "parameters ");
    cr_assert_not_null(at, "%s", result->text);
    snprintf(again, sizeof again, "%s", at + strlen("parameters "));
    cr_assert_str_eq(first, again);
}

/* All but where its files are. */
Test(cli, evaluate_repeats_the_result_of_the_run)
{
    char last[256], arguments[2048];
    const test_outcome *result = test_run("", test_short_run("mnist.ini", ""));
    const char *begin = strstr(result->text, "test loss ");
    cr_assert_not_null(begin);
    snprintf(last, sizeof last, "%.*s", (int)strcspn(begin, "\n"), begin);
    snprintf(arguments, sizeof arguments,
             "evaluate -c %s/configs/mnist.ini --set data.file=%s --checkpoint %s/run/last.h5",
             TR_SOURCE, test_small_data(), test_folder());
    test_expect(test_run("", arguments), 0, last);
}

Test(cli, no_progress_bar_in_a_log)
{
    const test_outcome *result = test_run("", test_short_run("mnist.ini", ""));
    cr_assert_null(strchr(result->text, '\r'));
    cr_assert_not_null(strstr(result->text, "Epoch 2/2  loss "), "%s", result->text);
}

Test(cli, check_and_summary_need_no_data)
{
    test_expect(test_run("", "check -c " TR_SOURCE "/configs/mnist.ini"), 0,
                "fine, 6 layers; the data are not read here");
    test_expect(test_run("", "check -c " TR_SOURCE "/configs/mnist.ini --set"
                             " layer.conv1.trainable=false --set layer.conv2.trainable=false"
                             " --set layer.output.trainable=false"),
                2, "there is nothing to train"); /* as the run would say */
    test_expect(test_run("", "summary -c " TR_SOURCE "/configs/mnist.ini"), 0,
                "Total params: 50,186");
    test_expect(test_run("", "--help"), 0, "trainer summary");
    test_expect(test_run("", "help"), 0, "trainer convert");
    test_expect(test_run("", "help layers"), 0, "kernel_size");
    test_expect(test_run("", "help layers"), 0, "every layer:\n    type ");
    test_expect(test_run("", "help optimizers"), 0, "beta_2");
    test_expect(test_run("", "help optimizers"), 0, "global_clipnorm");
    test_expect(test_run("", "help optimizers"), 0, "schedule = cosine_decay ");
    test_expect(test_run("", "help losses"), 0, "label_smoothing");
    test_expect(test_run("", "help metrics"), 0, "sparse_top_k_categorical_accuracy");
    test_expect(test_run("", "help config"), 0, "validation_split");
    test_expect(test_run("", "help yourself"), 2,
                "config, layers, losses, metrics, optimizers, weights");
    test_expect(test_run("", "help weights"), 0, "he_normal(seed) -- ");
    test_expect(test_run("", "--version"), 0, "trainer ");
    test_expect(test_run("", "evaluate --help"), 0, "--checkpoint");
}

/* What is allowed is said whole, however long a table has grown. */
Test(cli, lists_of_names_are_whole)
{
    static const char *const arguments[] = {
        "help layers",
        "help optimizers",
        "help losses",
        "help config",
        "check -c " TR_SOURCE "/configs/mnist.ini --set layer.conv1.type=x",
        "check -c " TR_SOURCE "/configs/mnist.ini --set layer.conv1.activation=x",
        "check -c " TR_SOURCE "/configs/mnist.ini --set compile.loss=x",
        "check -c " TR_SOURCE "/configs/mnist.ini --set compile.optimizer=x",
        "check -c " TR_SOURCE "/configs/mnist.ini --set compile.metrics=x",
        "check -c " TR_SOURCE "/configs/mnist.ini --set learning_rate.schedule=x",
        "check -c " TR_SOURCE "/configs/mnist.ini --set layer.conv1.kernel_initializer=x"};
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        const test_outcome *result = test_run("", arguments[i]);
        cr_expect_eq(result->code, i < 4 ? 0 : 2, "%s", arguments[i]);
        cr_expect_null(strstr(result->text, ", ..."), "%s", result->text);
    }
}

/* A table becomes a dataset, which a network of vectors is trained on. */
Test(cli, tables_become_a_dataset)
{
    char line[2048], table[600], out[600];
    snprintf(table, sizeof table, "%s",
             test_file("t.csv", "label,a,b,c\n0,9,1,2\n1,0,250,3\n0,8,2,1\n1,1,251,2\n"));
    snprintf(out, sizeof out, "%s/t.h5", test_folder());
    snprintf(line, sizeof line, "convert csv %s %s %s", table, table, out);
    test_expect(test_run("", line), 0, "written from");
    snprintf(line, sizeof line,
             "-c %s/configs/mnist_mlp.ini --set data.file=%s --set model.input_shape=3 --set "
             "fit.epochs=1 --set data.validation_split=0 --set output.directory=%s/vectors",
             TR_SOURCE, out, test_folder());
    test_expect(test_run("", line), 0, "4 training, 0 validation, 4 test samples, uint8 3\n");
    snprintf(line, sizeof line, "predict --checkpoint %s/vectors/last.h5 --image %s", test_folder(),
             test_file("one.ppm", "P3 1 1 255\n9 1 2\n"));
    test_expect(test_run("", line), 0, "one.ppm: class "); /* its three colours */
    snprintf(line, sizeof line, "convert csv %s %s --shape 1,3", table, out);
    test_expect(test_run("", line), 0, "written from");
    snprintf(line, sizeof line, "inspect %s", out);
    test_expect(test_run("", line), 0, "4, 1, 3");
}

/* ---- what must be refused, with the exit code of its kind ---- */

Test(cli, usage_errors)
{
    test_expect(test_run("", ""), 2, "trainer -c FILE");
    test_expect(test_run("", "fly"), 2, "unknown command 'fly'");
    test_expect(test_run("", "check"), 2, "no configuration");
    test_expect(test_run("", "-c"), 2, "requires an argument");
    test_expect(test_run("", "-c x --frobnicate"), 2, "unrecognized option");
    test_expect(test_run("", "-c x y"), 2, "unexpected argument 'y'");
    test_expect(test_run("", "evaluate -c x"), 2, "no checkpoint");
    test_expect(test_run("", "check -c x -c y"), 2, "--config is given twice, as x and as y");
    test_expect(test_run("", "evaluate --checkpoint x --checkpoint y"), 2, "given twice");
    test_expect(test_run("", "check -c x --set fit.epochs=3 --set fit.seed=3 --set fit.epochs=4"),
                2, "note: --set fit.epochs is given twice: 4 counts, not 3");
    test_expect(test_run("", "predict -k x -o a.csv -o b.csv"), 2, "--output is given twice");
    test_expect(test_run("", "predict -k x -i a.h5 -i b.h5"), 2, "--input is given twice");
    test_expect(test_run("", "convert idx onlyone"), 2, "idx FOLDER OUT.h5");
    test_expect(test_run("", "convert tar a b"), 2, "unknown format");
    char same[1200];
    const char *path = test_file("same.npz", "");
    snprintf(same, sizeof same, "convert npz %s %s", path, path);
    test_expect(test_run("", same), 2, "is the input");
    snprintf(same, sizeof same, "convert csv a.csv %s %s", path, path);
    test_expect(test_run("", same), 2, "is the input");
    test_expect(test_run("", "convert npz a.npz b.h5 c"), 2, "unexpected argument 'c'");
    test_expect(test_run("", "convert npz a.npz b.h5 --shape 2,2"), 2, "--shape is for csv");
    static const char *const shapes[] = {"2", "2,", "2,0", "a,2", "1,2,3,4", "2,65537", "-2,2"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        snprintf(same, sizeof same, "convert csv a.csv b.h5 --shape %s", shapes[i]);
        test_expect(test_run("", same), 2, "must be height, width and perhaps channels");
    }
}

Test(cli, configuration_errors)
{
    test_expect(test_run("", "-c /no/such.ini"), 2, "/no/such.ini");
    test_expect(test_run("", test_short_run("mnist.ini", "--set fit.epochs=0")), 2, "fit.epochs");
    test_expect(test_run("", test_short_run("mnist.ini", "--set fit.epoch=3")), 2,
                "did you mean epochs");
    test_expect(test_run("", test_short_run("mnist.ini", "--set nonsense")), 2, "nonsense");
    test_expect(test_run("", test_short_run("mnist.ini", "--threads 2x")), 2, "engine.threads");
    test_expect(test_run("", test_short_run("mnist.ini", "--set layer.conv1.filters=many")), 2,
                "layer.conv1.filters");
    test_expect(test_run("", test_short_run("mnist.ini", "--set compile.optimizer=adams")), 2,
                "did you mean adam");
}

Test(cli, data_errors)
{
    test_expect(test_run("", test_short_run("mnist.ini", "--set data.file=/no/such.h5")), 3,
                "/no/such.h5");
    test_expect(test_run("", test_short_run("mnist.ini", "--set data.file=" TR_SOURCE "/LICENSE")),
                3, "LICENSE");
    test_expect(test_run("", test_short_run("mnist.ini", "--set data.x_train=images")), 3,
                "images");
    test_expect(test_run("", test_short_run("mnist.ini", "--set model.input_shape=14,28,2")), 3,
                "input_shape");
    test_expect(test_run("", test_short_run("mnist.ini", "--set layer.output.units=9")), 3, "9");
    test_expect(test_run("", test_short_run("mnist.ini", "--set data.validation_split=0.999")), 3,
                "split");
}

Test(cli, numeric_error)
{
    test_expect(test_run("", test_short_run("mnist.ini",
                                            "--set compile.optimizer=sgd --set data.scale=1000 "
                                            "--set optimizer.learning_rate=1000000")),
                4, "training diverged");
}

Test(cli, scales_beyond_float32_are_refused)
{
    test_expect(test_run("", test_short_run("mnist.ini", "--set data.scale=1e300")), 2,
                "computable in float32");
    test_expect(test_run("", test_short_run("mnist.ini", "--set data.scale=1e-60")), 2,
                "computable in float32");
    test_expect(test_run("", test_short_run("mnist.ini", "--set optimizer.epsilon=1e-50")), 2,
                "epsilon");
}

/* ReLU turns NaN into 0: the loss stays finite while the weights are lost. */
Test(cli, weights_that_are_no_numbers_are_noticed_and_not_saved)
{
    char path[600];
    snprintf(path, sizeof path, "%s/run/last.h5", test_folder());
    test_expect(test_run("", test_short_run("mnist.ini",
                                            "--set compile.optimizer=sgd --set data.scale=1e10 "
                                            "--set optimizer.learning_rate=1000000 "
                                            "--set fit.batch_size=1000 --set fit.epochs=1")),
                4, "training diverged");
    cr_assert_neq(access(path, F_OK), 0, "a checkpoint of NaN was written");
}

Test(cli, lost_output_is_noticed)
{
    char command[2200];
    snprintf(command, sizeof command, "summary -c %s/configs/mnist.ini 2>&1 > /dev/full; exit $?",
             TR_SOURCE);
    test_expect(test_run("", command), 5, "standard output cannot be written");
    test_expect(test_run("", "--version 2>&1 > /dev/full; exit $?"), 5,
                "standard output cannot be written");
    test_expect(test_run("", "evaluate --help 2>&1 > /dev/full; exit $?"), 5,
                "standard output cannot be written");
}

Test(cli, two_runs_do_not_share_a_folder)
{
    char lock[700];
    test_run("", test_short_run("mnist.ini", ""));
    snprintf(lock, sizeof lock, "flock %s/run", test_folder());
    test_expect(test_run(lock, test_short_run("mnist.ini", "")), 5, "in use by another run");
    test_expect(test_run("", test_short_run("mnist.ini", "")), 0, "test loss");
}

Test(cli, output_errors)
{
    test_expect(test_run("", test_short_run("mnist.ini", "--set output.directory=/proc/none")), 5,
                "/proc/none");
    test_expect(test_run("ulimit -f 8;", test_short_run("mnist.ini", "")), 5, "best.h5");
    test_expect(
        test_run("ulimit -f 8;", test_short_run("mnist.ini", "--set checkpoint.monitor=none")), 5,
        "last.h5: cannot write: File too large; raise the limit");
}

Test(cli, check_knows_what_can_be_monitored)
{
    test_expect(
        test_run("", "check -c " TR_SOURCE "/configs/mnist.ini --set checkpoint.monitor=val_acc"),
        2, "monitor = val_acc: this run has no such value; allowed: auto, none, loss");
}
