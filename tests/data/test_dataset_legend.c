/* test_dataset_legend.c -- names of classes in a dataset, and labels that are words. */
#include "data_fixture.h"
#include "h5_attributes.h"

enum { N = 6, SIDE = 2 };

TestSuite(dataset_legend, .init = make_folder, .fini = remove_folder);

/* ---- files ---- */

static void put_images(hid_t file, const char *name)
{
    static const uint8_t x[N * SIDE * SIDE];
    h5_put(file, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, x, 3, N, SIDE, SIDE);
}

/* Strings of one length: as many bytes as there are, padded so. */
static void put_fixed(hid_t file, const char *name, const char *const *texts, int n, size_t width,
                      H5T_str_t pad, int chunked)
{
    char block[N * 64];
    memset(block, pad == H5T_STR_SPACEPAD ? ' ' : '\0', sizeof block);
    for (int i = 0; i < n; i++)
        memcpy(block + (size_t)i * width, texts[i], strlen(texts[i]));
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, width);
    H5Tset_strpad(type, pad);
    h5_put(file, name, type, type, chunked, block, 1, n);
    H5Tclose(type);
}

static void put_variable(hid_t file, const char *name, const char *const *texts, int n, int chunked)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    h5_put(file, name, type, type, chunked, texts, 1, n);
    H5Tclose(type);
}

static void put_classes(hid_t file, const char *name)
{
    static const uint8_t y[N] = {0, 1, 2, 0, 1, 2};
    h5_put(file, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, y, 1, N);
}

/* ---- opening ---- */

static tr_dataset *opens(const tr_config *config, unsigned targets)
{
    tr_error err = {0};
    tr_dataset *dataset = NULL;
    cr_assert_eq(tr_dataset_open(&dataset, config, targets, &err), TR_OK, "%s", err.text);
    return dataset;
}

static void fails(const tr_config *config, const char *text)
{
    tr_error err = {0};
    tr_dataset *dataset = NULL;
    cr_assert_eq(tr_dataset_open(&dataset, config, TR_TARGET_CLASSES, &err), TR_ERR_DATA);
    cr_expect_null(dataset);
    expect_texts(&err, text, NULL);
}

static void expect_names(const tr_dataset *dataset, int n, const char *const *names)
{
    const tr_legend *legend = tr_dataset_legend(dataset);
    cr_assert_eq(legend->n_classes, n);
    for (int i = 0; i < n; i++)
        cr_expect_str_eq(legend->class_names[i], names[i]);
}

/* ---- words ---- */

/* As Python sorts them: by characters, capitals first. */
static const char *const words[N] = {"b", "\xc3\xa9t\xc3\xa9", "B c", "b", "\xe7\x8c\xab", "a"};
static const char *const sorted[5] = {"B c", "a", "b", "\xc3\xa9t\xc3\xa9", "\xe7\x8c\xab"};
static const int32_t numbers[N] = {2, 3, 0, 2, 4, 1};

Test(dataset_legend, labels_that_are_words_of_every_kind)
{
    for (int kind = 0; kind < 6; kind++) {
        const char *path = in_folder("words.h5");
        const hid_t file = h5_create(path);
        put_images(file, "x_train");
        if (kind < 2)
            put_variable(file, "y_train", words, N, kind == 1);
        else if (kind < 4)
            put_fixed(file, "y_train", words, N, 6, H5T_STR_NULLPAD, kind == 3);
        else
            put_fixed(file, "y_train", words, N, 9, kind == 4 ? H5T_STR_SPACEPAD : H5T_STR_NULLTERM,
                      0);
        put_images(file, "x_test"); /* a part has not all of them */
        put_fixed(file, "y_test", (const char *const[]){"a", "a", "b", "b", "a", "a"}, N, 3,
                  H5T_STR_NULLPAD, 0);
        H5Fclose(file);
        const tr_config config = config_for(path, SIDE, SIDE, 1);
        tr_dataset *dataset = opens(&config, TR_TARGET_CLASSES);
        expect_names(dataset, 5, sorted);
        for (int i = 0; i < N; i++)
            cr_expect_eq(tr_dataset_train(dataset)->y[i], numbers[i], "kind %d", kind);
        cr_expect_eq(tr_dataset_test(dataset)->y[0], 1);
        cr_expect_eq(tr_dataset_test(dataset)->y[2], 2);
        tr_dataset_free(dataset);
    }
    expect_no_leak();
}

/* class_names numbers them; of a network with one output the number is its value. */
Test(dataset_legend, words_have_the_numbers_of_class_names)
{
    const char *path = in_folder("words.h5");
    const hid_t file = h5_create(path);
    put_images(file, "x_train");
    put_variable(file, "y_train", (const char *const[]){"no", "yes", "yes", "no", "no", "yes"}, N,
                 0);
    put_fixed(file, "class_names", (const char *const[]){"yes", "no"}, 2, 3, H5T_STR_NULLPAD, 0);
    H5Fclose(file);
    const tr_config config = config_for(path, SIDE, SIDE, 1);
    tr_dataset *dataset = opens(&config, TR_TARGET_CLASSES);
    expect_names(dataset, 2, (const char *const[]){"yes", "no"});
    cr_expect(tr_dataset_train(dataset)->y[0] == 1 && tr_dataset_train(dataset)->y[1] == 0);
    tr_dataset_free(dataset);
    dataset = opens(&config, TR_TARGET_VALUES);
    cr_expect_eq(tr_dataset_train(dataset)->width, 1);
    cr_expect_eq(tr_dataset_train(dataset)->values[0], 1.0f);
    cr_expect_eq(tr_dataset_train(dataset)->values[5], 0.0f);
    tr_dataset_free(dataset);
}

Test(dataset_legend, a_word_that_names_no_class)
{
    const char *path = in_folder("words.h5");
    const tr_config config = config_for(path, SIDE, SIDE, 1);
    hid_t file = h5_create(path);
    put_images(file, "x_train");
    put_images(file, "x_test");
    put_variable(file, "y_train", words, N, 0);
    put_variable(file, "y_test", (const char *const[]){"a", "b", "a", "dog", "a", "b"}, N, 0);
    H5Fclose(file);
    fails(&config,
          "y_test is string [6] and holds \"dog\" at index 3; the classes are B c, a, b, ");
    static const char *const bad[][2] = {{"", "holds \"\" at index 5, which names no class"},
                                         {"a\033[2J", "holds \"a?[2J\" at index 5, which names no"},
                                         {"caf\xe9", "holds \"caf?\" at index 5, which names no"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        file = h5_create(path);
        put_images(file, "x_train");
        put_variable(file, "y_train", (const char *const[]){"a", "b", "a", "b", "a", bad[k][0]}, N,
                     0);
        H5Fclose(file);
        fails(&config, bad[k][1]);
    }
    char longest[300];
    memset(longest, 'x', sizeof longest);
    longest[256] = '\0';
    file = h5_create(path);
    put_images(file, "x_train");
    put_variable(file, "y_train", (const char *const[]){"a", longest, "a", "b", "a", "b"}, N, 0);
    H5Fclose(file);
    fails(&config, "at index 1, which names no class; expected UTF-8 of 1 to 255 bytes");
    file = h5_create(path);
    put_images(file, "x_train");
    const hid_t type = H5Tcopy(H5T_C_S1);
    h5_put(file, "y_train", type, type, 0, "abcdefabcdef", 2, N, 2);
    H5Fclose(file);
    fails(&config, "y_train is string [6, 2]; expected one string in each row");
}

Test(dataset_legend, truth_is_false_and_true)
{
    const char *path = in_folder("bool.h5");
    const hid_t file = h5_create(path), type = H5Tenum_create(H5T_NATIVE_INT8);
    static const int8_t no = 0, yes = 1, y[N] = {0, 1, 1, 0, 0, 1};
    H5Tenum_insert(type, "FALSE", &no);
    H5Tenum_insert(type, "TRUE", &yes);
    put_images(file, "x_train");
    h5_put(file, "y_train", type, type, 0, y, 1, N);
    H5Tclose(type);
    H5Fclose(file);
    const tr_config config = config_for(path, SIDE, SIDE, 1);
    tr_dataset *dataset = opens(&config, TR_TARGET_CLASSES);
    expect_names(dataset, 2, (const char *const[]){"False", "True"});
    cr_expect_eq(tr_dataset_train(dataset)->y[1], 1);
    tr_dataset_free(dataset);
}

/* ---- names ---- */

Test(dataset_legend, names_are_cleaned_and_pictures_told)
{
    const char *path = in_folder("named.h5");
    hid_t file = h5_create(path);
    put_images(file, "x_train");
    put_classes(file, "y_train");
    put_fixed(file, "class_names", (const char *const[]){"a\033[31m\r\n", "caf\xe9", ""}, 3, 9,
              H5T_STR_NULLPAD, 1);
    tr_h5_write_text(file, "picture_size", "64x48", H5T_CSET_ASCII);
    tr_h5_write_text(file, "picture_fit", "pad", H5T_CSET_ASCII);
    tr_h5_write_int(file, "picture_channels", 3);
    H5Fclose(file);
    const tr_config config = config_for(path, SIDE, SIDE, 1);
    tr_dataset *dataset = opens(&config, TR_TARGET_CLASSES);
    expect_names(dataset, 3, (const char *const[]){"a?[31m??", "caf?", ""});
    cr_expect_null(tr_legend_class(tr_dataset_legend(dataset), 2), "an empty name is none");
    const tr_picture_making *pictures = &tr_dataset_legend(dataset)->pictures;
    cr_expect(pictures->h == 64 && pictures->w == 48 && pictures->channels == 3);
    cr_expect_str_eq(pictures->fit, "pad");
    tr_dataset_free(dataset);
    static const char *const wrong[] = {"64",      "64x",  "x48",   "64x-1",
                                        "64x48x3", "0x48", "1e3x2", "64x99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        H5Adelete(file, "picture_size");
        tr_h5_write_text(file, "picture_size", wrong[i], H5T_CSET_ASCII);
        H5Fclose(file);
        fails(&config, "its attributes picture_size, picture_fit and picture_channels do not say");
    }
}

/* Courses ship names, or the numbers themselves, under another name. */
Test(dataset_legend, names_in_another_array)
{
    const char *path = in_folder("courses.h5");
    const hid_t file = h5_create(path);
    static const int64_t signs[3] = {5, 6, -1};
    static const float reals[3] = {0.5f, 1.5f, 2.5f};
    put_images(file, "x_train");
    put_classes(file, "y_train");
    put_fixed(file, "list_classes", (const char *const[]){"non-cat", "cat", "dog"}, 3, 7,
              H5T_STR_NULLPAD, 0);
    h5_put(file, "signs", H5T_STD_I64LE, H5T_NATIVE_INT64, 0, signs, 1, 3);
    h5_put(file, "class_names", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, reals, 1, 3);
    H5Fclose(file);
    tr_config config = config_for(path, SIDE, SIDE, 1);
    tr_dataset *dataset = opens(&config, TR_TARGET_CLASSES);
    expect_names(dataset, 0, NULL); /* what lies under the default name may be something else */
    tr_dataset_free(dataset);
    config.data.class_names = "list_classes";
    dataset = opens(&config, TR_TARGET_CLASSES);
    expect_names(dataset, 3, (const char *const[]){"non-cat", "cat", "dog"});
    tr_dataset_free(dataset);
    config.data.class_names = "signs";
    dataset = opens(&config, TR_TARGET_CLASSES);
    expect_names(dataset, 3, (const char *const[]){"5", "6", "-1"});
    tr_dataset_free(dataset);
    config.data.class_names = "x_train";
    fails(&config, "x_train is uint8 [6, 2, 2]; expected the names of the classes, strings [n]");
    config.data.class_names = "nowhere";
    fails(&config, "has no dataset \"nowhere\"");
}

/* A class has one number in all files. */
Test(dataset_legend, files_must_agree)
{
    const char *paths[2] = {in_folder("train.h5"), in_folder("validation.h5")};
    tr_error err = {0};
    tr_dataset *dataset = NULL;
    for (int k = 0; k < 2; k++) {
        const hid_t file = h5_create(paths[k]);
        put_images(file, k == 0 ? "x_train" : "x_test");
        put_classes(file, k == 0 ? "y_train" : "y_test");
        put_fixed(file, "class_names", (const char *const[]){"cat", k == 0 ? "dog" : "fox", "hen"},
                  3, 3, H5T_STR_NULLPAD, 0);
        H5Fclose(file);
    }
    tr_config config = config_for(paths[0], SIDE, SIDE, 1);
    config.data.validation_file = paths[1];
    config.data.x_validation = "x_test";
    config.data.y_validation = "y_test";
    fails(&config, "class 1 is \"fox\", of ");
    dataset = NULL;
    config = config_for(paths[1], SIDE, SIDE, 1);
    char *known[] = {"cat", "dog"};
    cr_assert_eq(tr_dataset_open_test(&dataset, &config, TR_TARGET_CLASSES,
                                      &(tr_legend){.n_classes = 2, .class_names = known}, &err),
                 TR_ERR_DATA);
    expect_texts(&err, "validation.h5: class 1 is \"fox\", of the model it is \"dog\"", NULL);
    known[1] = "fox";
    cr_assert_eq(tr_dataset_open_test(&dataset, &config, TR_TARGET_CLASSES,
                                      &(tr_legend){.n_classes = 2, .class_names = known}, &err),
                 TR_OK, "%s", err.text);
    tr_dataset_free(dataset);
}

/* Words are measured with the numbers of the model that says them. */
Test(dataset_legend, words_have_the_numbers_of_the_model)
{
    const char *path = in_folder("words.h5");
    tr_error err = {0};
    tr_dataset *dataset = NULL;
    const hid_t file = h5_create(path);
    put_images(file, "x_test");
    put_variable(file, "y_test", (const char *const[]){"b", "a", "b", "a", "b", "a"}, N, 0);
    H5Fclose(file);
    const tr_config config = config_for(path, SIDE, SIDE, 1);
    char *known[] = {"c", "b", "a"};
    cr_assert_eq(tr_dataset_open_test(&dataset, &config, TR_TARGET_CLASSES,
                                      &(tr_legend){.n_classes = 3, .class_names = known}, &err),
                 TR_OK, "%s", err.text);
    cr_expect(tr_dataset_test(dataset)->y[0] == 1 && tr_dataset_test(dataset)->y[1] == 2);
    expect_names(dataset, 3, (const char *const *)known);
    tr_dataset_free(dataset);
    cr_assert_eq(tr_dataset_open_test(&dataset, &config, TR_TARGET_CLASSES, NULL, &err), TR_OK);
    cr_expect(tr_dataset_test(dataset)->y[0] == 1 && tr_dataset_test(dataset)->y[1] == 0);
    tr_dataset_free(dataset);
}
