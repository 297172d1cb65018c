/* test_history_jsonl.c -- a JSON object per epoch and line, with Keras's keys, read by jansson. */
#include <jansson.h>
#include <string.h>

#include "made_history.h"
#include "net.h"

/* The keys of the object in their order, separated by blanks. */
static const char *keys(json_t *object)
{
    static char text[512];
    const char *key;
    json_t *value;
    text[0] = '\0';
    json_object_foreach(object, key, value)
    {
        strcat(text, text[0] == '\0' ? "" : " ");
        strcat(text, key);
    }
    return text;
}

static double number(json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

Test(history_jsonl, a_line_is_an_epoch)
{
    tr_error err = {0};
    tr_history history = made_history(3, 1, true);
    const char *path = test_file("history.jsonl", "old contents\n");
    cr_assert_eq(tr_history_write_jsonl(&history, path, &err), TR_OK, "%s", err.text);
    FILE *file = fopen(path, "r");
    char line[1024];
    int n = 0;
    for (; fgets(line, sizeof line, file) != NULL; n++) {
        const tr_epoch *epoch = &history.epochs[n];
        json_t *object = json_loads(line, 0, NULL);
        cr_assert(json_is_object(object), "%s", line);
        cr_assert_str_eq(keys(object), "epoch loss accuracy val_loss val_accuracy learning_rate "
                                       "seconds images_per_s");
        cr_assert_eq(json_integer_value(json_object_get(object, "epoch")), n + 1);
        cr_assert_float_eq(number(object, "loss"), epoch->train.loss, 1e-9);
        cr_assert_float_eq(number(object, "accuracy"), epoch->train.values[0], 1e-8);
        cr_assert_float_eq(number(object, "val_loss"), epoch->validation.loss, 1e-9);
        cr_assert_float_eq(number(object, "val_accuracy"), epoch->validation.values[0], 1e-8);
        cr_assert_float_eq(number(object, "learning_rate"), 0.001, 1e-12);
        cr_assert_float_eq(number(object, "images_per_s"), 50.0, 1e-9);
        json_decref(object);
    }
    cr_assert_eq(n, 3);
    fclose(file);
    tr_history_release(&history);
}

Test(history_jsonl, leaves_out_what_the_run_has_not)
{
    tr_error err = {0};
    tr_history history = made_history(1, 0, false);
    const char *path = test_file("history.jsonl", "");
    cr_assert_eq(tr_history_write_jsonl(&history, path, &err), TR_OK, "%s", err.text);
    json_t *object = json_load_file(path, 0, NULL);
    cr_assert_str_eq(keys(object), "epoch loss learning_rate seconds images_per_s");
    json_decref(object);
    tr_history_release(&history);
}

Test(history_jsonl, no_number_is_null)
{
    tr_error err = {0};
    tr_history history = made_history(1, 1, false);
    history.epochs[0].train.values[0] = NAN;
    const char *path = test_file("history.jsonl", "");
    cr_assert_eq(tr_history_write_jsonl(&history, path, &err), TR_OK, "%s", err.text);
    json_t *object = json_load_file(path, 0, NULL);
    cr_assert(json_is_null(json_object_get(object, "accuracy")));
    json_decref(object);
    tr_history_release(&history);
}

Test(history_jsonl, says_where_it_cannot_write)
{
    tr_error err = {0};
    tr_history history = made_history(1, 1, false);
    cr_assert_eq(tr_history_write_jsonl(&history, "/nowhere/h.jsonl", &err), TR_ERR_IO);
    cr_assert_not_null(strstr(err.text, "/nowhere/h.jsonl"));
    tr_history_release(&history);
}
