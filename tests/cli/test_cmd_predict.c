/* test_cmd_predict.c -- predictions from a checkpoint alone: arrays, pictures, files, refusals. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5_write.h"
#include "mem.h"
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
    char arguments[4096];
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
    strcat(more, " --fit pad");
    test_expect(predict(more), 2, "--fit: the network takes vectors, and its checkpoint does not");
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
    cr_assert_null(strstr(result->text, "scaled"));
    write_pgm(in_folder("b.pgm"), 56, 27);
    snprintf(more, sizeof more, "%s --top 2", in_folder("b.pgm"));
    result = predict(more);
    test_expect(result, 0, "note: pictures are scaled to 28 x 28 pixels, and cropped where");
    test_expect(result, 0, "b.pgm: class ");
    strcat(more, " --fit pad");
    result = predict(more);
    test_expect(result, 0, "b.pgm: class ");
    cr_assert_null(strstr(result->text, "scaled"));
    strcat(more, "ded");
    test_expect(predict(more), 2, "--fit padded: allowed: crop, pad, stretch");
    test_expect(predict("--image /no/such.png"), 3, "/no/such.png");
}

/* ---- a folder of pictures, from its conversion to a prediction ---- */

/* Of each class so many pictures of different sizes: light above, or light below. */
static void write_classes(const char *folder, int n)
{
    static const char *const names[2] = {"over", "under \"it\", so"};
    char path[1024];
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n; i++) {
            const int h = 20 + i % 7, w = 30 - i % 5;
            snprintf(path, sizeof path, "mkdir -p '%s/%s'", in_folder(folder), names[k]);
            cr_assert_eq(system(path), 0);
            snprintf(path, sizeof path, "%s/%s/%02d.pgm", in_folder(folder), names[k], i);
            FILE *file = fopen(path, "wb");
            cr_assert_not_null(file, "%s", path);
            fprintf(file, "P5\n%d %d\n255\n", w, h);
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++)
                    fputc(((y < h / 2) == (k == 0) ? 180 : 20) + (x * 7 + i) % 50, file);
            fclose(file);
        }
}

static void train_classes(void)
{
    char command[2048];
    write_classes("photos", 24);
    snprintf(command, sizeof command, "convert images %s %s --size 28x28 --gray --fit stretch",
             in_folder("photos"), in_folder("photos.h5"));
    cr_assert_eq(test_run("", command)->code, 0);
    snprintf(command, sizeof command,
             "--set data.file=%s --set layer.output.units=2 --set fit.batch_size=8",
             in_folder("photos.h5"));
    train("mnist.ini", command);
}

/* The pictures themselves give what the dataset made of them gives, to the bit. */
Test(cmd_predict, a_folder_is_its_dataset, .timeout = 120)
{
    char more[2048];
    size_t n, m;
    train_classes();
    snprintf(more, sizeof more, "%s --output %s", in_folder("photos"), in_folder("a.h5"));
    test_expect(predict(more), 0, "a.h5: predictions for 48 images");
    snprintf(more, sizeof more, "--input %s:x_train --output %s", in_folder("photos.h5"),
             in_folder("b.h5"));
    test_expect(predict(more), 0, "b.h5: predictions for 48 images");
    const hid_t a = H5Fopen(in_folder("a.h5"), H5F_ACC_RDONLY, H5P_DEFAULT),
                b = H5Fopen(in_folder("b.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    float *x = test_golden_floats(a, "predictions", &n),
          *y = test_golden_floats(b, "predictions", &m);
    cr_assert(n == 96 && m == 96);
    cr_expect_eq(memcmp(x, y, n * sizeof *x), 0);
    float *labels = test_golden_floats(a, "labels", &n);
    cr_assert_eq(n, 48);
    for (int i = 0; i < 48; i++)
        cr_expect_eq(labels[i], i / 24);
    cr_expect(H5Lexists(a, "files", H5P_DEFAULT) > 0 && H5Lexists(b, "files", H5P_DEFAULT) == 0);
    cr_expect(H5Lexists(b, "class_names", H5P_DEFAULT) > 0);
    H5Fclose(a);
    H5Fclose(b);
}

Test(cmd_predict, says_names_and_how_many_were_right, .timeout = 120)
{
    char more[2048];
    train_classes();
    write_classes("new", 3);
    snprintf(more, sizeof more, "%s", in_folder("new"));
    const test_outcome *result = predict(more);
    test_expect(result, 0, "/new/over/00.pgm: over (");
    test_expect(result, 0, "/new/under \"it\", so/02.pgm: under \"it\", so (");
    test_expect(result, 0, "\n0 over               1.0000     1.0000     1.0000         3\n");
    test_expect(result, 0, "accuracy 1.0000 +- 0.0000: 6 of 6 pictures in folders with the name");
    /* A class where the other one is; a file that is none; one that is no picture by its name. */
    snprintf(more, sizeof more,
             "cd %s && cp over/01.pgm . && mv 'under \"it\", so/00.pgm' over/wrong.pgm && "
             "echo no > over/broken.jpg && echo no > over/notes.txt",
             in_folder("new"));
    cr_assert_eq(system(more), 0);
    snprintf(more, sizeof more, "%s", in_folder("new"));
    result = predict(more);
    test_expect(result, 3, "passed over: ");
    test_expect(result, 3, "/new/over/broken.jpg: begins with the bytes");
    test_expect(result, 3, "error: 1 of 8 pictures cannot be read");
    test_expect(result, 3, "/new/over/wrong.pgm: under \"it\", so (");
    test_expect(result, 3, "; wrong: over\n");
    test_expect(result, 3, "accuracy 0.8333 +- 0.1521: 5 of 6 pictures in folders");
    snprintf(more, sizeof more, "%s/over/00.pgm %s/over/01.pgm", in_folder("new"),
             in_folder("new"));
    cr_expect_null(strstr(predict(more)->text, "accuracy"), "nobody said what files are");
    snprintf(more, sizeof more, "mkdir -p %s", in_folder("empty"));
    cr_assert_eq(system(more), 0);
    snprintf(more, sizeof more, "%s", in_folder("empty"));
    test_expect(predict(more), 3, "/empty: no pictures in it");
}

/* A name that the network has no output for is no label. */
Test(cmd_predict, more_names_than_outputs, .timeout = 120)
{
    static const char names[3][16] = {"over", "under \"it\", so", "more"};
    char command[2048];
    const int64_t n = 3;
    tr_error err = {0};
    train_classes();
    const hid_t file = H5Fopen(in_folder("photos.h5"), H5F_ACC_RDWR, H5P_DEFAULT),
                text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, sizeof names[0]);
    cr_assert_eq(tr_h5_write_dataset(file, "three", 1, &n, text, text, names, &err), TR_OK);
    H5Tclose(text);
    H5Fclose(file);
    snprintf(command, sizeof command,
             "--set data.file=%s --set layer.output.units=2 --set fit.batch_size=8 "
             "--set data.class_names=three --overwrite",
             in_folder("photos.h5"));
    train("mnist.ini", command);
    write_classes("new", 2);
    snprintf(command, sizeof command, "mkdir %s/more && cp %s/over/*.pgm %s/more", in_folder("new"),
             in_folder("new"), in_folder("new"));
    cr_assert_eq(system(command), 0);
    snprintf(command, sizeof command, "%s", in_folder("new"));
    test_expect(predict(command), 0, "4 of 4 pictures in folders");
}

static char *contents(const char *path)
{
    static char text[1 << 18];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

/* More than are predicted at a time; single files, a link and a folder together. */
Test(cmd_predict, portions_make_one_file, .timeout = 120)
{
    char more[2048];
    train_classes();
    write_classes("many", 260);
    snprintf(more, sizeof more, "ln -s %s/over/00.pgm %s", in_folder("many"),
             in_folder("link.pgm"));
    cr_assert_eq(system(more), 0);
    snprintf(more, sizeof more, "%s %s %s/over/01.pgm --output %s", in_folder("link.pgm"),
             in_folder("many"), in_folder("many"), in_folder("p.csv"));
    test_expect(predict(more), 0, "p.csv: predictions for 522 images");
    const char *text = contents(in_folder("p.csv"));
    cr_expect_eq(count(text, "\n"), 523);
    cr_expect_eq(count(text, "file,class"), 1);
    cr_expect_eq(count(text, "over/01.pgm,0,over,,0."), 1, "%s", text);
    cr_expect_eq(count(text, "link.pgm,0,over,,0."), 1);
    snprintf(more, sizeof more, "%s --top 1 --output %s", in_folder("many"), in_folder("p.json"));
    test_expect(predict(more), 0, "p.json: predictions for 520 images");
    text = contents(in_folder("p.json"));
    cr_expect_eq(count(text, "["), 1 + 520);
    cr_expect_eq(count(text, ",\n{"), 519);
    snprintf(more, sizeof more, "%s --output %s", in_folder("many"), in_folder("p.h5"));
    test_expect(predict(more), 0, "accuracy 1.0000 +- 0.0000: 520 of 520 pictures");
    size_t n;
    const hid_t file = H5Fopen(in_folder("p.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    float *classes = test_golden_floats(file, "classes", &n);
    cr_assert_eq(n, 520);
    for (size_t i = 0; i < n; i++)
        cr_expect_eq(classes[i], (float)(i / 260));
    tr_free(classes);
    H5Fclose(file);
}

Test(cmd_predict, names_in_files, .timeout = 120)
{
    char more[2048];
    train_classes();
    write_classes("new", 1);
    snprintf(more, sizeof more, "%s --output %s", in_folder("new"), in_folder("p.csv"));
    test_expect(predict(more), 0, "p.csv: predictions for 2 images");
    const char *text = contents(in_folder("p.csv"));
    cr_expect_eq(strncmp(text, "file,class,name,label,p0,p1\n", 28), 0, "%s", text);
    cr_expect_not_null(
        strstr(text, "00.pgm\",1,\"under \"\"it\"\", so\",\"under \"\"it\"\", so\",0."), "%s",
        text);
    strcat(more, " --top 2");
    test_expect(predict(more), 0, "p.csv: predictions for 2 images");
    text = contents(in_folder("p.csv"));
    cr_expect_eq(strncmp(text, "file,rank,class,name,probability,label\n", 39), 0, "%s", text);
    cr_expect_not_null(strstr(text, "over/00.pgm,1,0,over,0."), "%s", text);
    cr_expect_not_null(strstr(text, "over/00.pgm,2,1,\"under"), "%s", text);
    snprintf(more, sizeof more, "%s --output %s", in_folder("new"), in_folder("p.json"));
    test_expect(predict(more), 0, "p.json: predictions for 2 images");
    text = contents(in_folder("p.json"));
    cr_expect_eq(strncmp(text, "[\n{\"file\":\"", 11), 0, "%s", text);
    cr_expect_not_null(
        strstr(text, "/over/00.pgm\",\"class\":0,\"name\":\"over\",\"probability\":0."));
    cr_expect_not_null(
        strstr(text, "\"label\":1,\"label_name\":\"under \\\"it\\\", so\",\"probabil"));
    cr_expect(tr_ends_in(text, "]}\n]\n"));
    strcat(more, " --top 1");
    test_expect(predict(more), 0, "p.json: predictions for 2 images");
    cr_expect_not_null(
        strstr(contents(in_folder("p.json")), ",\"top\":[{\"class\":0,\"name\":\"over\","));
    snprintf(more, sizeof more, "%s --output p.h5 --top 1", in_folder("new"));
    test_expect(predict(more), 2, "--top 1: an HDF5 file has the outputs of all classes");
    snprintf(more, sizeof more, "%s --top 0", in_folder("new"));
    test_expect(predict(more), 2, "--top 0: must be a whole number from 1");
    test_expect(predict("--fit pad"), 2, "--fit: says how pictures come to their size");
    snprintf(more, sizeof more, "/no/such.jpg --output %s", in_folder("none.csv"));
    test_expect(predict(more), 3, "error: 1 of 1 pictures cannot be read");
    cr_expect_null(fopen(in_folder("none.csv"), "r"), "nothing was predicted");
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
    test_expect(predict("--output p.txt"), 2, "allowed: .csv, .json, .h5, .hdf5");
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
