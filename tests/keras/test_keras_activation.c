/* test_keras_activation.c -- activations by name, as objects, as layers. */
#include <criterion/criterion.h>
#include <string.h>

#include "keras.h"
#include "keras_config.h"
#include "primitives.h"

static const char *activation(const char *json, const char *version, char why[512])
{
    tr_keras_file file = {.path = "made.h5"};
    strcpy(file.version, version);
    json_t *value = json_loads(test_json(json), JSON_DECODE_ANY, NULL);
    cr_assert_not_null(value, "%s", json);
    const char *name = tr_keras_activation(&file, value, why);
    json_decref(value);
    return name;
}

Test(keras_activation, every_name_of_ours_and_the_aliases)
{
    char why[512], json[64];
    for (int i = 0; i < TR_N_ACTIVATIONS; i++) {
        snprintf(json, sizeof json, "'%s'", tr_activation_names[i]);
        cr_expect_str_eq(activation(json, "3.9.2", why), tr_activation_names[i]);
        if (i != TR_HARD_SIGMOID)
            cr_expect_str_eq(activation(json, "2.13.1", why), tr_activation_names[i]);
    }
    cr_expect_str_eq(activation("'silu'", "3.9.2", why), "swish");
    cr_expect_str_eq(activation("null", "3.9.2", why), "linear");
}

Test(keras_activation, objects)
{
    char why[512];
    cr_expect_str_eq(activation("{'class_name':'function','config':'elu'}", "2.9.0", why), "elu");
    cr_expect_str_eq(
        activation("{'class_name':'LeakyReLU','config':{'negative_slope':0.2}}", "3.9.2", why),
        "leaky_relu");
    cr_expect_null(
        activation("{'class_name':'LeakyReLU','config':{'negative_slope':0.1}}", "3.9.2", why));
    cr_expect_not_null(strstr(why, "negative_slope = 0.1; only 0.2"), "%s", why);
    cr_expect_null(activation("{'class_name':'Odd','config':{}}", "3.9.2", why));
    cr_expect_not_null(strstr(why, "Odd"), "%s", why);
    cr_expect_null(activation("3", "3.9.2", why));
    cr_expect_null(activation("{'module':'x'}", "3.9.2", why));
}

Test(keras_activation, unknown_names_and_keras_2_hard_sigmoid)
{
    char why[512];
    cr_expect_null(activation("'relu7'", "3.9.2", why));
    cr_expect_not_null(strstr(why, "\"relu7\"; supported: linear, relu"), "%s", why);
    cr_expect_null(activation("'hard_sigmoid'", "2.13.1", why));
    cr_expect_not_null(strstr(why, "2.13.1"), "%s", why);
}
