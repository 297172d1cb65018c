/* test_keras_activation.c -- activations by name, as objects, as layers. */
#include <criterion/criterion.h>
#include <string.h>

#include "keras.h"
#include "keras_config.h"
#include "primitives.h"

static const char *activation(const char *json, char why[512])
{
    json_t *value = json_loads(test_json(json), JSON_DECODE_ANY, NULL);
    cr_assert_not_null(value, "%s", json);
    const char *name = tr_keras_activation(value, why);
    json_decref(value);
    return name;
}

Test(keras_activation, every_name_of_ours_and_none)
{
    char why[512], json[64];
    for (int i = 0; i < TR_N_ACTIVATIONS; i++) {
        snprintf(json, sizeof json, "'%s'", tr_activation_names[i]);
        cr_expect_str_eq(activation(json, why), tr_activation_names[i]);
    }
    cr_expect_str_eq(activation("null", why), "linear");
}

Test(keras_activation, objects)
{
    char why[512];
    cr_expect_str_eq(activation("{'class_name':'function','config':'elu'}", why), "elu");
    cr_expect_null(activation("{'class_name':'Odd','config':{}}", why));
    cr_expect_not_null(strstr(why, "Odd"), "%s", why);
    cr_expect_null(activation("3", why));
    cr_expect_null(activation("{'module':'x'}", why));
}

Test(keras_activation, unknown_names)
{
    char why[512];
    cr_expect_null(activation("'relu7'", why));
    cr_expect_not_null(strstr(why, "\"relu7\"; supported: linear, relu"), "%s", why);
}

Test(keras_activation, hard_sigmoid_of_keras_2)
{
    static const struct {
        const char *json, *version;
        bool is;
    } cases[] = {
        {"'hard_sigmoid'", "2.13.1", true},
        {"'hard_sigmoid'", "", true},
        {"'hard_sigmoid'", "3.9.2", false},
        {"'sigmoid'", "2.13.1", false},
        {"null", "2.13.1", false},
        {"{'class_name':'function','config':'hard_sigmoid'}", "2.9.0", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tr_keras_file file = {.path = "made.h5"};
        strcpy(file.version, cases[i].version);
        json_t *value = json_loads(test_json(cases[i].json), JSON_DECODE_ANY, NULL);
        cr_expect_eq(tr_keras_is_old_sigmoid(&file, value), cases[i].is, "%s", cases[i].json);
        json_decref(value);
    }
}
