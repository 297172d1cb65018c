/* call.c -- a function of a table and its arguments: "max_norm(max_value=3, axis=[0, 1, 2])".
 *
 * As Python writes a call, so that what a user knows of Keras can be typed: arguments by place or
 * by name, each at most once, the rest at their defaults; without any, the parentheses may go too.
 * All arguments are kept as doubles, whatever they are in the text.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "problems.h"
#include "value.h"

enum {
    TEXT_MAX = 200, /* no call is near as long */
    NAMES_MAX = 64  /* more functions than any table of ours has */
};

/* ---- parts of a text ---- */

static char *trimmed(char *text)
{
    while (isblank((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isblank((unsigned char)text[n - 1]))
        text[--n] = '\0';
    return text;
}

/* Ends the argument that begins at `text` with its comma, one within brackets left out; returns
 * what follows, or NULL after the last. */
static char *end_argument(char *text)
{
    int depth = 0;
    for (; *text != '\0'; text++) {
        depth += (*text == '[') - (*text == ']');
        if (*text == ',' && depth == 0) {
            *text = '\0';
            return text + 1;
        }
    }
    return NULL;
}

/* A list may stand in brackets. */
static char *without_brackets(char *text)
{
    const size_t n = strlen(text);
    if (n < 2 || text[0] != '[' || text[n - 1] != ']')
        return text;
    text[n - 1] = '\0';
    return trimmed(text + 1);
}

/* ---- one argument ---- */

static bool parse_argument(const tr_key *argument, char *text, double *value)
{
    union {
        int64_t integer;
        double real;
        int choice;
        unsigned choices;
    } parsed;
    if (argument->kind == TR_KEY_CHOICES)
        text = without_brackets(text);
    if (*text == '\0' || !tr_value_parse(argument, text, &parsed))
        return false;
    *value = argument->kind == TR_KEY_INT      ? (double)parsed.integer
             : argument->kind == TR_KEY_CHOICE ? (double)parsed.choice
             : argument->kind == TR_KEY_REAL   ? parsed.real
                                               : (double)parsed.choices;
    return true;
}

double tr_argument_default(const tr_key *argument)
{
    char text[TEXT_MAX];
    double value = 0.0;
    snprintf(text, sizeof text, "%s", argument->fallback);
    (void)parse_argument(argument, text, &value); /* the tests read every table's */
    return value;
}

/* ---- a call ---- */

static int find_function(const tr_key *key, const char *name)
{
    for (int i = 0; key->functions[i].name != NULL; i++)
        if (strcmp(name, key->functions[i].name) == 0)
            return i;
    return -1;
}

/* Takes the text between the parentheses apart. */
static bool parse_arguments(const tr_callable *function, char *text, double *values)
{
    bool given[TR_MAX_ARGUMENTS] = {false};
    size_t place = 0;
    for (char *next = text; next != NULL; place++) {
        char *one = next, *equals;
        next = end_argument(one);
        equals = strchr(one, '=');
        size_t i = place;
        if (equals != NULL) {
            *equals = '\0';
            const tr_key *row =
                tr_key_find(function->arguments, function->n_arguments, trimmed(one));
            if (row == NULL)
                return false;
            i = (size_t)(row - function->arguments);
            one = equals + 1;
        }
        if (i >= function->n_arguments || given[i] ||
            !parse_argument(&function->arguments[i], trimmed(one), &values[i]))
            return false;
        given[i] = true;
    }
    return true;
}

bool tr_call_parse(const tr_key *key, const char *text, tr_call *call)
{
    char copy[TEXT_MAX];
    tr_call parsed = {0};
    if (snprintf(copy, sizeof copy, "%s", text) >= TEXT_MAX)
        return false;
    char *arguments = strchr(copy, '('), *end = copy + strlen(copy);
    if (arguments != NULL) {
        if (end[-1] != ')')
            return false;
        end[-1] = '\0';
        *arguments++ = '\0';
    }
    parsed.function = find_function(key, trimmed(copy));
    if (parsed.function < 0)
        return false;
    const tr_callable *function = &key->functions[parsed.function];
    for (size_t i = 0; i < function->n_arguments; i++)
        parsed.arguments[i] = tr_argument_default(&function->arguments[i]);
    if (arguments != NULL && *trimmed(arguments) != '\0' &&
        !parse_arguments(function, arguments, parsed.arguments))
        return false;
    *call = parsed;
    return true;
}

char *tr_call_canonical(const tr_key *key, const tr_call *call)
{
    enum { NUMBER_MAX = 32 };
    const tr_callable *function = &key->functions[call->function];
    const size_t size = strlen(function->name) + TR_MAX_ARGUMENTS * NUMBER_MAX + 3;
    char *text = tr_alloc(size, 1);
    if (text == NULL)
        return NULL;
    size_t used = (size_t)snprintf(text, size, "%s", function->name);
    for (size_t i = 0; i < function->n_arguments; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%.17g", i == 0 ? "(" : ",",
                                 call->arguments[i] + 0.0);
    if (function->n_arguments > 0)
        snprintf(text + used, size - used, ")");
    return text;
}

/* ---- the sentence ---- */

const char *tr_call_signature(const tr_callable *function, char *text, size_t n)
{
    size_t used = (size_t)snprintf(text, n, "%s", function->name);
    for (size_t i = 0; i < function->n_arguments && used < n; i++)
        used += (size_t)snprintf(text + used, n - used, "%s%s%s", i == 0 ? "(" : ", ",
                                 function->arguments[i].name,
                                 i + 1 == function->n_arguments ? ")" : "");
    return text;
}

static void name_of(const char *text, char name[TEXT_MAX])
{
    snprintf(name, TEXT_MAX, "%.*s", (int)strcspn(text, "( \t"), text);
}

/* "l2(l2), with l2 a number of at least 0" */
static void expect_arguments(const tr_callable *function, char *expected, size_t n)
{
    char about[512];
    tr_call_signature(function, expected, n);
    for (size_t i = 0; i < function->n_arguments; i++) {
        const size_t used = strlen(expected);
        snprintf(expected + used, n - used, "%s%s %s", i == 0 ? ", with " : "; ",
                 function->arguments[i].name,
                 tr_value_expected(&function->arguments[i], about, sizeof about));
    }
}

const char *tr_call_expected(const tr_key *key, const char *text, char *expected, size_t n)
{
    char name[TEXT_MAX];
    name_of(text, name);
    const int found = find_function(key, name);
    if (found >= 0) {
        expect_arguments(&key->functions[found], expected, n);
        return expected;
    }
    size_t used = (size_t)snprintf(expected, n, "one of: ");
    char signature[TEXT_MAX];
    for (int i = 0; key->functions[i].name != NULL && used < n; i++)
        used +=
            (size_t)snprintf(expected + used, n - used, "%s%s", i == 0 ? "" : ", ",
                             tr_call_signature(&key->functions[i], signature, sizeof signature));
    return expected;
}

const char *tr_call_meant(const tr_key *key, const char *text)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    char name[TEXT_MAX];
    name_of(text, name);
    for (int i = 0; i < NAMES_MAX && key->functions[i].name != NULL; i++)
        names[i] = key->functions[i].name;
    return find_function(key, name) >= 0 ? NULL : tr_nearest_name(name, names);
}
