/* test_checkpoint_legend.c -- class names and the making of pictures go into a checkpoint and come
 * out of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "h5.h"
#include "keras.h"
#include "net.h"
#include "trainer/checkpoint.h"

static const char body[] =
    "[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\n"
    "units = 3\nactivation = softmax\n";

static tr_model *model_of(tr_config **config)
{
    tr_error err = {0};
    tr_model *model = NULL;
    *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, *config, &err), TR_OK);
    cr_assert_eq(tr_model_build(model, &err), TR_OK, "%s", err.text);
    return model;
}

static const char *saved(const tr_legend *legend)
{
    static char path[512];
    tr_error err = {0};
    tr_config *config;
    tr_model *model = model_of(&config);
    snprintf(path, sizeof path, "%s/legend.h5", test_folder());
    cr_assert_eq(tr_model_set_legend(model, legend, &err), TR_OK);
    cr_assert_eq(test_save(model, path, &err), TR_OK, "%s", err.text);
    tr_model_free(model);
    tr_config_free(config);
    return path;
}

Test(checkpoint_legend, comes_out_as_it_went_in)
{
    char *names[3] = {"\xe7\x8c\xab", "", "a longer name, \"quoted\""};
    const tr_legend legend = {.n_classes = 3,
                              .class_names = names,
                              .pictures = {.h = 64, .w = 48, .channels = 3, .fit = "stretch"}};
    const char *path = saved(&legend);
    tr_error err = {0};
    tr_config *config;
    tr_model *model = model_of(&config);
    cr_assert_eq(tr_checkpoint_read_weights(model, path, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_model_legend(model)->n_classes, 0, "weights alone bring no names");
    cr_assert_eq(tr_checkpoint_read_legend(model, path, &err), TR_OK, "%s", err.text);
    const tr_legend *read = tr_model_legend(model);
    cr_assert_eq(read->n_classes, 3);
    for (int i = 0; i < 3; i++)
        cr_expect_str_eq(read->class_names[i], names[i]);
    cr_expect_str_eq(tr_model_class_name(model, 0), names[0]);
    cr_expect_null(tr_model_class_name(model, 1));
    cr_expect_null(tr_model_class_name(model, 3));
    cr_expect(read->pictures.h == 64 && read->pictures.w == 48 && read->pictures.channels == 3);
    cr_expect_str_eq(read->pictures.fit, "stretch");
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT); /* as others read it */
    const hid_t array = H5Dopen2(file, "trainer/class_names", H5P_DEFAULT);
    const hid_t type = H5Dget_type(array);
    cr_expect_eq(H5Tget_strpad(type), H5T_STR_NULLPAD);
    cr_expect_eq(H5Tget_cset(type), H5T_CSET_UTF8);
    H5Tclose(type);
    H5Dclose(array);
    H5Fclose(file);
    tr_model_free(model);
    tr_config_free(config);
}

/* Nor does it count that an earlier version wrote nothing of the kind. */
Test(checkpoint_legend, of_nothing_and_of_keras_is_nothing)
{
    static const char *const others[] = {"small_v3.3.3.h5", "handmade_minimal.keras"};
    char *names[1] = {"old"};
    tr_error err = {0};
    tr_config *config;
    tr_model *model = model_of(&config);
    for (int i = 0; i < 3; i++) {
        const char *path = i == 0 ? saved(&(tr_legend){0}) : test_keras_golden(others[i - 1]);
        cr_assert_eq(tr_model_set_legend(model, &(tr_legend){1, names, {0}}, &err), TR_OK);
        cr_assert_eq(tr_checkpoint_read_legend(model, path, &err), TR_OK, "%s", err.text);
        cr_expect_eq(tr_model_legend(model)->n_classes, 0);
        cr_expect_eq(tr_model_legend(model)->pictures.h, 0);
    }
    tr_model_free(model);
    tr_config_free(config);
}

Test(checkpoint_legend, of_a_damaged_file_is_refused)
{
    char *names[2] = {"cat", "dog"};
    tr_error err = {0};
    tr_config *config;
    tr_model *model = model_of(&config);
    const char *path = saved(&(tr_legend){.n_classes = 2, .class_names = names});
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "trainer/class_names", H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/x", file, "trainer/class_names", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    cr_assert_eq(tr_checkpoint_read_legend(model, path, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "trainer/class_names is an external link to /x"), "%s",
                       err.text);
    tr_model_free(model);
    tr_config_free(config);
}
