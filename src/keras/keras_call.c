/* keras_call.c -- see keras_call.h. Names and arguments are Keras's; only the spelling differs. */
#include "keras_call.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keras_parts.h"
#include "value.h"

static const char NONE[] = "none", SEED[] = "seed";

/* ---- to Keras ---- */

/* The bits of a CHOICES: one integer, or a list of them. */
static json_t *integers_of(const tr_key *argument, unsigned bits)
{
    json_t *list = json_array();
    for (int i = 0; argument->choices[i] != NULL; i++)
        if ((bits & 1u << i) != 0)
            json_array_append_new(list, json_integer(strtol(argument->choices[i], NULL, 10)));
    if (json_array_size(list) != 1)
        return list;
    json_t *one = json_incref(json_array_get(list, 0));
    json_decref(list);
    return one;
}

static json_t *argument_value(const tr_key *argument, double value)
{
    switch (argument->kind) {
    case TR_KEY_CHOICE:
        return json_string(argument->choices[(int)value]);
    case TR_KEY_CHOICES:
        return integers_of(argument, (unsigned)value);
    case TR_KEY_INT:
        return strcmp(argument->name, SEED) == 0 && value < 0.0 ? json_null()
                                                                : json_integer((json_int_t)value);
    default:
        return json_real(value);
    }
}

static json_t *object_of(const tr_callable *function, const double *arguments)
{
    json_t *config = json_object();
    for (size_t i = 0; i < function->n_arguments; i++) {
        const tr_key *argument = &function->arguments[i];
        json_object_set_new(config, argument->name,
                            argument_value(argument, arguments == NULL
                                                         ? tr_argument_default(argument)
                                                         : arguments[i]));
    }
    /* The first versions of Keras 3 call this class OrthogonalInitializer; all know its function.
     */
    return strcmp(function->name, "orthogonal") == 0
               ? tr_keras_object(function->name, config)
               : tr_keras_object_named(function->name, config);
}

json_t *tr_keras_call_object(const tr_key *key, const tr_call *call)
{
    const tr_callable *function = &key->functions[call->function];
    if (function->instead == NULL)
        return strcmp(function->name, NONE) == 0 ? json_null()
                                                 : object_of(function, call->arguments);
    for (const tr_callable *other = key->functions; other->name != NULL; other++)
        if (strcmp(other->name, function->instead) == 0)
            return strcmp(other->name, NONE) == 0 ? json_null() : object_of(other, NULL);
    return NULL;
}

/* ---- from Keras ---- */

/* Our names for other ones of Keras. */
static const char *our_name(const char *name)
{
    static const char *const names[][2] = {
        {"normal", "random_normal"},
        {"uniform", "random_uniform"},
        {"one", "ones"},
        {"zero", "zeros"},
        {"identity_initializer", "identity"},
        {"orthogonal_initializer", "orthogonal"},
        {"l1l2", "l1_l2"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i][0]) == 0)
            return names[i][1];
    return name;
}

static const tr_callable *find_function(const tr_key *key, const json_t *value)
{
    char name[TR_KERAS_TEXT];
    tr_keras_function_name(value, name);
    for (const tr_callable *function = key->functions; function->name != NULL; function++)
        if (function->instead == NULL && strcmp(function->name, our_name(name)) == 0)
            return function;
    return NULL;
}

/* No value depends on it: None, a seed that is an object, the dtype of Keras 2.2. */
static bool says_nothing(const char *name, const json_t *value)
{
    return json_is_null(value) || strcmp(name, "dtype") == 0 ||
           (strcmp(name, SEED) == 0 && (!json_is_integer(value) || json_integer_value(value) < 0));
}

static bool append(char text[TR_KERAS_TEXT], const char *more)
{
    const size_t used = strlen(text), n = strlen(more);
    if (used + n >= TR_KERAS_TEXT)
        return false;
    memcpy(text + used, more, n + 1);
    return true;
}

static bool append_axes(char text[TR_KERAS_TEXT], const json_t *value)
{
    char number[32];
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%" PRId64, (int64_t)json_integer_value(value));
        return append(text, number);
    }
    bool ok = json_array_size(value) > 0 && append(text, "[");
    for (size_t i = 0; ok && i < json_array_size(value); i++)
        ok = json_is_integer(json_array_get(value, i)) && (i == 0 || append(text, ", ")) &&
             append_axes(text, json_array_get(value, i));
    return ok && append(text, "]");
}

static bool append_argument(const tr_key *argument, const json_t *value, char text[TR_KERAS_TEXT])
{
    char own[TR_KERAS_TEXT];
    if (!append(text, argument->name) || !append(text, "="))
        return false;
    if (argument->kind == TR_KEY_CHOICES)
        return append_axes(text, value);
    if (json_is_string(value) && strcmp(json_string_value(value), "normal") == 0)
        return append(text,
                      "truncated_normal"); /* what Keras takes a distribution of that name for */
    return tr_keras_value(argument, value, own) && append(text, own);
}

static bool append_arguments(const tr_callable *function, const json_t *config,
                             char text[TR_KERAS_TEXT])
{
    const char *name;
    json_t *value;
    bool any = false;
    json_object_foreach((json_t *)config, name, value)
    {
        const tr_key *argument = tr_key_find(function->arguments, function->n_arguments, name);
        if (says_nothing(name, value))
            continue;
        if (argument == NULL || !append(text, any ? ", " : "(") ||
            !append_argument(argument, value, text))
            return false;
        any = true;
    }
    return !any || append(text, ")");
}

bool tr_keras_call_text(const tr_key *key, const json_t *value, char text[TR_KERAS_TEXT])
{
    const tr_callable *function = find_function(key, value);
    return function != NULL && append(text, function->name) &&
           append_arguments(function, json_object_get(value, "config"), text);
}
