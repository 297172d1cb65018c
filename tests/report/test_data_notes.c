/* test_data_notes.c -- warnings about the range of the pixels and about classes without a sample.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data_notes.h"
#include "ini_file.h"
#include "mem.h"
#include "net.h"

/* ---- pixels ---- */

static char *warning_of(double stored_high, double num, double den)
{
    char *text = NULL;
    size_t size = 0;
    float pixels[4] = {0, (float)stored_high, 0, 0};
    tr_ini none = {0};
    const tr_config config = {.data = {.file = "d.h5", .scale_num = num, .scale_den = den},
                              .ini = &none};
    const tr_samples samples = {.n = 1, .h = 2, .w = 2, .c = 1, .pixel = TR_PIXEL_F32, .x = pixels};
    tr_pixel_range range;
    cr_assert_eq(tr_pixel_range_of(&range, &config, &samples, NULL), TR_OK);
    cr_assert_eq(range.high, fmax((double)(float)stored_high, 0.0));
    FILE *out = open_memstream(&text, &size);
    tr_warn_of_pixels(out, &config, &range);
    fclose(out);
    return text;
}

static void warns(double stored_high, double num, double den, const char *range, const char *advice)
{
    char *text = warning_of(stored_high, num, den);
    cr_expect_not_null(strstr(text, range), "%g: %s", stored_high, text);
    cr_expect_not_null(strstr(text, advice), "%g: %s", stored_high, text);
    free(text);
}

static void is_silent(double stored_high, double num, double den)
{
    char *text = warning_of(stored_high, num, den);
    cr_expect_str_eq(text, "");
    free(text);
}

Test(data_notes, pixels_far_from_1_are_named)
{
    warns(1, 1, 255, "pixels from 0 to 0.00392157 (d.h5: 0 to 1", "use [data] scale = 1");
    warns(-1, 1, 255, "pixels from -0.00392157 to 0", "use [data] scale = 1");
    warns(255, 1, 1, "pixels from 0 to 255", "use [data] scale = 1/255");
    warns(65535, 1, 1, "pixels from 0 to 65535", "use [data] scale = 1/65535");
    warns(65535, 1, 255, "pixels from 0 to 257", "use [data] scale = 1/65535");
    warns(0, 1, 1, "pixels from 0 to 0", "they are all 0");
    is_silent(255, 1, 255);
    is_silent(1, 1, 1);
    is_silent(-1, 1, 1);
    is_silent(6, 1, 1); /* standardised */
    is_silent(0.05, 1, 1);
}

/* A layer that scales them knows why; the range of what comes in is that of the layers. */
Test(data_notes, value_ranges_of_layers)
{
    static const struct {
        const char *layers;
        double low, high;
        const char *expected;
    } cases[] = {
        {"type = random_contrast\nfactor = 0.1\n", 0, 1,
         "[layer.a] value_range = 0, 255, but pixels come in from 0 to 1; if that is their whole "
         "range, use value_range = 0, 1\n"},
        {"type = random_contrast\nfactor = 0.1\nvalue_range = 0, 1\n", 0, 255,
         "use value_range = "
         "0, 255\n"},
        {"type = random_brightness\nfactor = 0.1\nvalue_range = 0, 1\n", -1, 1,
         "use value_range = -1, 1\n"},
        {"type = random_contrast\nfactor = 0.1\nvalue_range = 0, 1\n", 0, 0.9, ""},
        {"type = random_contrast\nfactor = 0.1\n", 0, 255, ""},
        {"type = rescaling\nscale = 255\n[layer.b]\ntype = random_erasing\n", 0, 1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        size_t size = 0;
        tr_error err = {0};
        tr_model *model = NULL;
        const tr_pixel_range range = {0, 255, cases[i].low, cases[i].high};
        char *body = tr_format("[model]\ninput_shape = 4, 4, 3\n[layer.a]\n%s[layer.f]\n"
                               "type = flatten\n",
                               cases[i].layers);
        tr_config *config = test_config(body, NULL, 0);
        cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
        FILE *out = open_memstream(&text, &size);
        tr_warn_of_value_ranges(out, config, &range);
        fclose(out);
        if (cases[i].expected[0] == '\0')
            cr_expect_str_eq(text, "", "%d", (int)i);
        cr_expect_not_null(strstr(text, cases[i].expected), "%d: %s", (int)i, text);
        free(text);
        tr_model_free(model);
        tr_config_free(config);
        tr_free(body);
    }
}

/* ---- classes ---- */

static tr_legend legend; /* of the data */

static char *classes_warning(const char *loss, int units, const tr_samples *samples)
{
    char *text = NULL;
    size_t size = 0;
    tr_error err = {0};
    tr_model *model;
    char *body = tr_format("[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n[layer.o]\n"
                           "type = dense\nunits = %d\nactivation = %s\n[compile]\nloss = %s\n"
                           "optimizer = sgd\n",
                           units, units == 1 ? "sigmoid" : "softmax", loss);
    tr_config *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(tr_model_set_legend(model, &legend, &err), TR_OK);
    tr_warn_of_classes(out, config, model, samples);
    fclose(out);
    tr_model_free(model);
    tr_config_free(config);
    tr_free(body);
    return text;
}

static void classes(const char *loss, int units, const tr_samples *samples, const char *expected)
{
    char *text = classes_warning(loss, units, samples);
    if (*expected == '\0')
        cr_expect_str_eq(text, "");
    else
        cr_expect_not_null(strstr(text, expected), "\"%s\" in \"%s\"", expected, text);
    free(text);
}

Test(data_notes, classes_without_a_sample_are_named)
{
    const int32_t from_1[] = {1, 2, 3}, gaps[] = {0, 3, 3}, all[] = {2, 1, 0};
    const char *sparse = "sparse_categorical_crossentropy";
    classes(sparse, 4, &(tr_samples){.n = 3, .y = from_1},
            "of class 0: are the labels numbered from 1?");
    classes(sparse, 4, &(tr_samples){.n = 3, .y = gaps}, "of class 1, 2: the network");
    classes(sparse, 20, &(tr_samples){.n = 3, .y = all},
            "of class 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, ...");
    classes(sparse, 3, &(tr_samples){.n = 3, .y = all}, "");
    const float rows[] = {1, 0, 0, 0, 1, 0}, yes[] = {1, 1}, both[] = {1, 0};
    classes("categorical_crossentropy", 3, &(tr_samples){.n = 2, .width = 3, .values = rows},
            "of class 2");
    classes("binary_crossentropy", 1, &(tr_samples){.n = 2, .width = 1, .values = yes},
            "of class 0");
    classes("binary_crossentropy", 1, &(tr_samples){.n = 2, .width = 1, .values = both}, "");
}

Test(data_notes, names_for_another_number_of_classes)
{
    char *names[3] = {"cat", "dog", "hen"};
    const int32_t all[] = {1, 0, 1};
    const float answers[] = {1, 0, 1, 1};
    const char *sparse = "sparse_categorical_crossentropy";
    legend = (tr_legend){.n_classes = 3, .class_names = names};
    classes(sparse, 2, &(tr_samples){.n = 3, .y = all},
            "has names for 3 classes, the network has outputs for 2\n");
    classes(sparse, 3, &(tr_samples){.n = 3, .y = all}, "of class 2 (hen): the network");
    classes("binary_crossentropy", 2, &(tr_samples){.n = 2, .width = 2, .values = answers},
            "has names for 3 classes, the network has outputs for 2\n");
    legend.n_classes = 2;
    classes(sparse, 2, &(tr_samples){.n = 3, .y = all}, "");
    classes("binary_crossentropy", 2, &(tr_samples){.n = 2, .width = 2, .values = answers}, "");
}
