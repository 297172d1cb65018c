/* canonical.c -- a value as it was read, in one form for all the ways to write it.
 *
 * "yes" and "true", "3" and "3, 3", "1.0/255" and "1/255" are the same text here, and two values
 * that differ in the last bit are not: 17 digits tell any two doubles apart.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "value.h"

enum { NUMBER_MAX = 32 };

/* -0 is 0. */
static int write_real(char *text, double value)
{
    return snprintf(text, NUMBER_MAX, "%.17g", value + 0.0);
}

static char *integers(const int64_t *values, int n)
{
    char *text = tr_alloc((size_t)n + 1, NUMBER_MAX);
    char *end = text;
    for (int i = 0; text != NULL && i < n; i++)
        end += snprintf(end, NUMBER_MAX, "%s%" PRId64, i == 0 ? "" : ",", values[i]);
    return text;
}

static char *reals(const double *values, int n, char separator)
{
    char *text = tr_alloc((size_t)n + 1, NUMBER_MAX);
    char *end = text;
    for (int i = 0; text != NULL && i < n; i++) {
        if (i > 0)
            *end++ = separator;
        end += write_real(end, values[i]);
    }
    return text;
}

/* Without blanks. */
static char *words(const char *text)
{
    char *copy = tr_strdup(text), *to = copy;
    for (const char *c = text; copy != NULL && *c != '\0'; c++)
        if (*c != ' ' && *c != '\t')
            *to++ = *c;
    if (copy != NULL)
        *to = '\0';
    return copy;
}

char *tr_value_canonical(const tr_key *key, const void *fields)
{
    const void *field = (const char *)fields + key->offset;
    const tr_reals *list = field;
    char number[NUMBER_MAX];
    switch (key->kind) {
    case TR_KEY_INT:
        return integers(field, 1);
    case TR_KEY_INTS:
        return integers(field, key->count);
    case TR_KEY_REAL:
        return reals(field, 1, ',');
    case TR_KEY_RATIO:
        return reals(field, 2, '/'); /* two doubles side by side */
    case TR_KEY_REALS:
        return reals(list->values, list->n, ',');
    case TR_KEY_BOOL:
        return tr_strdup(*(const bool *)field ? "true" : "false");
    case TR_KEY_CHOICE:
        return tr_strdup(key->choices[*(const int *)field]);
    case TR_KEY_CHOICES:
        snprintf(number, sizeof number, "%#x", *(const unsigned *)field);
        return tr_strdup(number);
    case TR_KEY_CALL:
        return tr_call_canonical(key, field);
    case TR_KEY_WORDS:
        return words(*(const char *const *)field);
    case TR_KEY_TEXT:
        break;
    }
    return tr_strdup(*(const char *const *)field);
}
