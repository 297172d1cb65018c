/* keras_value.c -- see keras_value.h. */
#include "keras_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keras_call.h"
#include "keras_names.h"
#include "value.h"

/* As large as the largest value of a key. */
typedef union any_value {
    int64_t integers[8];
    double real;
    tr_ratio ratio;
    tr_reals reals;
    const char *text;
    tr_call call;
} any_value;

/* ---- JSON to text ---- */

/* Appends to text; false where it is full. */
__attribute__((format(printf, 2, 3))) static bool append(char text[TR_KERAS_TEXT],
                                                         const char *format, ...)
{
    const size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text + used, TR_KERAS_TEXT - used, format, args);
    va_end(args);
    return n >= 0 && (size_t)n < TR_KERAS_TEXT - used;
}

/* The shortest that reads back to the same number: 0.001, not 0.001000000000000000021. */
static bool append_real(char text[TR_KERAS_TEXT], double value)
{
    char digits[40];
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    return append(text, "%s", digits);
}

static bool append_number(char text[TR_KERAS_TEXT], const json_t *value, bool integer)
{
    if (json_is_integer(value))
        return append(text, "%" PRId64, (int64_t)json_integer_value(value));
    if (!json_is_real(value))
        return false;
    const double real = json_real_value(value);
    return !integer                                   ? append_real(text, real)
           : floor(real) == real && fabs(real) < 1e15 ? append(text, "%.0f", real)
                                                      : false;
}

/* Keras's tuples are lists; pairs of pairs, as of ZeroPadding2D, follow one another. */
static bool append_list(char text[TR_KERAS_TEXT], const json_t *value, bool integers)
{
    if (!json_is_array(value))
        return append(text, "%s", text[0] == '\0' ? "" : ", ") &&
               append_number(text, value, integers);
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        if (!append_list(text, item, integers))
            return false;
    }
    return json_array_size(value) > 0;
}

/* Of a list of strings; whether they are words is the key's business. */
static bool append_words(char text[TR_KERAS_TEXT], const json_t *value)
{
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item) || strchr(json_string_value(item), ',') != NULL ||
            !append(text, "%s%s", i == 0 ? "" : ", ", json_string_value(item)))
            return false;
    }
    return json_is_array(value);
}

static bool write_text(const tr_key *key, const json_t *value, char text[TR_KERAS_TEXT])
{
    text[0] = '\0';
    switch (key->kind) {
    case TR_KEY_INT:
        return append_number(text, value, true);
    case TR_KEY_REAL:
        if (key->zero_word != NULL && json_is_null(value))
            return append(text, "%s", key->zero_word);
        return append_number(text, value, false);
    case TR_KEY_RATIO:
        return append_number(text, value, false);
    case TR_KEY_WORDS:
        return append_words(text, value);
    case TR_KEY_BOOL:
        return json_is_boolean(value) && append(text, json_is_true(value) ? "true" : "false");
    case TR_KEY_INTS:
    case TR_KEY_REALS:
        return append_list(text, value, key->kind == TR_KEY_INTS);
    case TR_KEY_CHOICE:
        return json_is_string(value) && append(text, "%s", json_string_value(value));
    case TR_KEY_CALL:
        return tr_keras_call_text(key, value, text);
    case TR_KEY_CHOICES:
    case TR_KEY_TEXT:
        return false; /* free text of a file does not go into the configuration */
    }
    return false;
}

bool tr_keras_value(const tr_key *key, const json_t *value, char text[TR_KERAS_TEXT])
{
    any_value parsed;
    tr_key at_start = *key;
    at_start.offset = 0;
    if (write_text(key, value, text) && tr_value_parse(&at_start, text, &parsed))
        return true;
    tr_keras_shown(value, text);
    return false;
}

const char *tr_keras_shown(const json_t *value, char text[TR_KERAS_TEXT])
{
    enum { MOST = 100 };
    char *json = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII |
                                       JSON_REAL_PRECISION(9));
    snprintf(text, TR_KERAS_TEXT, "%.*s%s", MOST, json == NULL ? "?" : json,
             json != NULL && strlen(json) > MOST ? "..." : "");
    free(json); /* jansson's own */
    return text;
}

void tr_keras_take_keys(FILE *ini, const char **section, json_t *config, const tr_key *keys,
                        size_t n_keys)
{
    char text[TR_KERAS_TEXT];
    for (size_t i = 0; i < n_keys; i++) {
        const json_t *value = json_object_get(config, keys[i].name);
        if (value == NULL || (json_is_null(value) && keys[i].zero_word == NULL) ||
            !tr_keras_value(&keys[i], value, text))
            continue;
        if (*section != NULL)
            fprintf(ini, "\n[%s]\n", *section);
        *section = NULL;
        fprintf(ini, "%s = %s\n", keys[i].name, text);
        json_object_del(config, keys[i].name);
    }
}

/* ---- names ---- */

void tr_keras_function_name(const json_t *value, char name[TR_KERAS_TEXT])
{
    const json_t *config = json_object_get(value, "config");
    const json_t *fn = json_object_get(config, "fn");
    const char *class_name = json_string_value(json_object_get(value, "class_name"));
    name[0] = '\0';
    if (json_is_object(fn)) /* {"class_name": "function", "config": "..."} */
        fn = json_object_get(fn, "config");
    const char *text = json_is_string(value)    ? json_string_value(value)
                       : json_is_string(fn)     ? json_string_value(fn)
                       : json_is_string(config) ? json_string_value(config)
                                                : class_name;
    if (text == NULL)
        return;
    text = tr_keras_bare_name(text);
    size_t n = 0, n_capitals = 0;
    for (; text[n] != '\0'; n++)
        n_capitals += isupper((unsigned char)text[n]) != 0;
    if (n_capitals < n) { /* else "MSE" */
        tr_keras_snake_case(name, TR_KERAS_TEXT, text);
        return;
    }
    for (size_t i = 0; i < n && i + 1 < TR_KERAS_TEXT; i++) {
        name[i] = (char)tolower((unsigned char)text[i]);
        name[i + 1] = '\0';
    }
}

/* ---- comparing ---- */

bool tr_keras_same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        const double x = json_number_value(a), y = json_number_value(b);
        return fabs(x - y) <= 1e-7 * fabs(y);
    }
    if (json_is_array(a) && json_is_array(b)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!tr_keras_same(json_array_get(a, i), json_array_get(b, i)))
                return false;
        return true;
    }
    if (json_is_array(a) && json_is_number(b)) {
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!tr_keras_same(json_array_get(a, i), b))
                return false;
        return json_array_size(a) > 0;
    }
    if (json_is_number(a) && json_is_array(b))
        return tr_keras_same(b, a);
    return json_equal(a, b);
}
