/* test_cmd_predict.c -- predictions from a checkpoint alone: arrays, pictures, files, refusals. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5_write.h"
#include "net.h"
#include "run.h"
#include "small_run.h"

static const char *in_folder(const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder(), name);
    return path;
}

static void train(const char *config, const char *more)
{
    const test_outcome *result = test_run("", test_short_run(config, more));
    cr_assert_eq(result->code, 0, "%s", result->text);
}

/* `trainer predict --checkpoint <run>/last.h5 <more>` */
static const test_outcome *predict(const char *more)
{
    char arguments[2048];
    snprintf(arguments, sizeof arguments, "predict --checkpoint %s/run/last.h5 %s", test_folder(),
             more);
    return test_run("", arguments);
}

static void write_pgm(const char *path, int h, int w)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    fprintf(file, "P5\n%d %d\n255\n", w, h);
    for (int i = 0; i < h * w; i++)
        fputc(i * 7 % 256, file);
    fclose(file);
}

/* A network of vectors takes as many pixels as its length, grey or of three colours. */
Test(cmd_predict, pictures_for_a_network_of_vectors)
{
    char more[1024];
    train("mnist_mlp.ini", "");
    test_expect(predict(""), 0, "sample,class,p0");
    write_pgm(in_folder("a.pgm"), 28, 28);
    snprintf(more, sizeof more, "--image %s", in_folder("a.pgm"));
    test_expect(predict(more), 0, "a.pgm: class ");
    write_pgm(in_folder("a.pgm"), 14, 14);
    test_expect(predict(more), 3, "is 14 x 14 pixels (height x width), the network takes vectors");
}

/* The test set of the configuration inside: a head and a row per image; probabilities add up. */
Test(cmd_predict, prints_the_test_set_as_csv)
{
    train("mnist.ini", "");
    const test_outcome *result = predict("");
    cr_assert_eq(result->code, 0, "%s", result->text);
    static const char head[] = "sample,class,p0,p1,p2,p3,p4,p5,p6,p7,p8,p9\n0,";
    cr_assert_eq(strncmp(result->text, head, strlen(head)), 0, "%.200s", result->text);
    int lines = 0;
    double sum = 0.0;
    for (const char *at = result->text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    cr_assert_eq(lines, TEST_SMALL_N + 1);
    char *row = strchr(strchr(strchr(result->text, '\n'), ',') + 1, ',') + 1;
    for (int j = 0; j < 10; j++, row++)
        sum += strtod(row, &row);
    cr_assert_float_eq(sum, 1.0, 1e-6);
}

Test(cmd_predict, writes_csv_and_hdf5)
{
    char more[1024];
    size_t n_classes, n_values;
    train("mnist.ini", "");
    snprintf(more, sizeof more, "--input %s:x_train --output %s", test_small_data(),
             in_folder("p.h5"));
    test_expect(predict(more), 0, "p.h5: predictions for 230 images");
    const hid_t file = H5Fopen(in_folder("p.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    float *classes = test_golden_floats(file, "classes", &n_classes);
    float *values = test_golden_floats(file, "predictions", &n_values);
    cr_assert(n_classes == TEST_SMALL_N && n_values == 10 * TEST_SMALL_N);
    for (size_t i = 0; i < n_classes; i++)
        for (size_t j = 0; j < 10; j++)
            cr_assert_leq(values[i * 10 + j], values[i * 10 + (size_t)classes[i]]);
    H5Fclose(file);
    snprintf(more, sizeof more, "--output %s", in_folder("p.csv"));
    test_expect(predict(more), 0, "p.csv: predictions");
}

Test(cmd_predict, says_what_is_in_a_picture)
{
    char more[1024];
    train("mnist.ini", "");
    write_pgm(in_folder("a.pgm"), 28, 28);
    snprintf(more, sizeof more, "--image %s --image %s", in_folder("a.pgm"), in_folder("a.pgm"));
    const test_outcome *result = predict(more);
    test_expect(result, 0, "a.pgm: class ");
    cr_assert_not_null(strstr(result->text, ", then "));
    write_pgm(in_folder("b.pgm"), 28, 27);
    snprintf(more, sizeof more, "--image %s", in_folder("b.pgm"));
    test_expect(predict(more), 3,
                "is 28 x 27 pixels (height x width), the network was trained for 28 x 28");
    test_expect(predict("--image /no/such.png"), 3, "/no/such.png");
}

Test(cmd_predict, refuses_what_makes_no_sense)
{
    char more[1024];
    test_expect(test_run("", "predict"), 2, "no checkpoint");
    test_expect(test_run("", "predict --checkpoint /no/such.h5"), 3, "/no/such.h5");
    train("mnist.ini", "");
    test_expect(predict("--input a.h5 --image b.png"), 2, "give one of them");
    test_expect(predict("--input /no/such.h5:x"), 3, "/no/such.h5");
    snprintf(more, sizeof more, "--input %s:nothing", test_small_data());
    test_expect(predict(more), 3, "nothing");
    snprintf(more, sizeof more, "--input %s:y_test", test_small_data());
    test_expect(predict(more), 3, "input_shape");
    test_expect(predict("--output p.txt"), 2, "allowed: .csv, .h5, .hdf5");
    test_expect(predict("--output /nowhere/p.csv"), 5, "/nowhere/p.csv");
    snprintf(more, sizeof more, "predict --checkpoint %s/losses.h5", TR_GOLDEN);
    test_expect(test_run("", more), 3, "has no configuration inside");
}

/* A file of Keras and the INI file of its network. */
Test(cmd_predict, takes_weights_of_keras)
{
    char more[1024];
    snprintf(more, sizeof more,
             "predict -c %s/configs/mnist.ini --set data.file=%s --checkpoint "
             "%s/keras_written.h5",
             TR_SOURCE, test_small_data(), TR_GOLDEN);
    test_expect(test_run("", more), 0, "sample,class,p0");
}

/* A file of Keras alone: what to predict has to be said, a dataset is not needed. */
Test(cmd_predict, needs_nothing_but_a_file_of_keras)
{
    char more[1024];
    snprintf(more, sizeof more, "predict --checkpoint %s/keras/handmade_minimal.keras", TR_GOLDEN);
    test_expect(test_run("", more), 2, "give the dataset with --set data.file=FILE");
    snprintf(more, sizeof more,
             "predict --checkpoint %s/keras/handmade_minimal.keras --set data.scale=1/255 "
             "--input %s:x_test",
             TR_GOLDEN, test_small_data());
    test_expect(test_run("", more), 0, "sample,class,p0");
    write_pgm(in_folder("k.pgm"), 28, 28);
    snprintf(more, sizeof more, "predict --checkpoint %s/keras_written.h5 --image %s", TR_GOLDEN,
             in_folder("k.pgm"));
    test_expect(test_run("", more), 0, "k.pgm");
    snprintf(more, sizeof more,
             "predict --checkpoint %s/keras_written.h5 --set data.scale=0 --image x", TR_GOLDEN);
    test_expect(test_run("", more), 2, "data.scale");
}
