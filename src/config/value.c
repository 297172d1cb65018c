/* value.c -- one value: its grammar, its range, and the sentence that says what is allowed.
 *
 * A text is converted whole or refused: no trailing characters, no overflow, no nan, inf, hex or
 * empty numbers, no rounding of "1e3" to an integer. Nothing here knows sections, lines or where a
 * value comes from. The C locale's '.' is the decimal point; the library never calls setlocale().
 */
#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_internal.h"

enum {
    PART_MAX = 200, /* no name or number is near as long */
    INTS_MAX = 8    /* no shape has more dimensions */
};

/* ---- parts of a text ---- */

/* Copies n characters without the blanks around them. A part too long for any value becomes
 * empty, and so wrong, instead of being cut. */
static void copy_part(const char *text, size_t n, char part[PART_MAX])
{
    while (n > 0 && isblank((unsigned char)*text))
        text++, n--;
    while (n > 0 && isblank((unsigned char)text[n - 1]))
        n--;
    if (n >= PART_MAX)
        n = 0;
    memcpy(part, text, n);
    part[n] = '\0';
}

/* Copies what stands before the next comma; returns what follows it, or NULL after the last. */
static const char *take_part(const char *list, char part[PART_MAX])
{
    const size_t n = strcspn(list, ",");
    copy_part(list, n, part);
    return list[n] == ',' ? list + n + 1 : NULL;
}

/* ---- numbers ---- */

static bool in_range(const tr_key *key, double value)
{
    if (key->min == 0 && key->max == 0 && !key->above_min && !key->below_max)
        return true;
    return (key->above_min ? value > key->min : value >= key->min) &&
           (key->below_max ? value < key->max : value <= key->max);
}

static bool parse_int(const tr_key *key, const char *text, int64_t *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    errno = 0;
    const int64_t parsed = strtoll(text, NULL, 10);
    if (errno != 0 || !in_range(key, (double)parsed))
        return false;
    *value = parsed;
    return true;
}

static bool parse_real(const char *text, double *value)
{
    /* strtod alone would also take blanks, hex, "inf" and "nan". */
    if (*text == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && isfinite(*value);
}

static bool parse_ratio(const char *text, tr_ratio *ratio)
{
    char part[PART_MAX];
    const char *slash = strchr(text, '/');
    if (slash == NULL) {
        ratio->den = 1;
        return parse_real(text, &ratio->num);
    }
    copy_part(text, (size_t)(slash - text), part);
    if (!parse_real(part, &ratio->num))
        return false;
    copy_part(slash + 1, strlen(slash + 1), part);
    return parse_real(part, &ratio->den) && ratio->den != 0 && isfinite(ratio->num / ratio->den);
}

static bool parse_reals(const tr_key *key, const char *text, tr_reals *reals)
{
    tr_reals parsed = {0};
    tr_ratio ratio = {0, 1};
    char part[PART_MAX];
    for (const char *rest = text; rest != NULL; parsed.n++) {
        rest = take_part(rest, part);
        if (parsed.n == TR_REALS_MAX ||
            !(key->constants ? parse_ratio(part, &ratio) : parse_real(part, &ratio.num)) ||
            !in_range(key, ratio.num / ratio.den))
            return false;
        parsed.values[parsed.n] = ratio.num / ratio.den;
    }
    *reals = parsed;
    return true;
}

/* One integer where several are usual: all zero but the last. */
static bool parse_vector(const tr_key *key, const char *text, int64_t *values)
{
    const tr_key alone = {.kind = TR_KEY_INT, .min = key->min, .max = key->vector_max};
    int64_t value;
    if (key->vector_max == 0 || !parse_int(&alone, text, &value))
        return false;
    memset(values, 0, (size_t)key->count * sizeof *values);
    values[key->count - 1] = value;
    return true;
}

static bool parse_ints(const tr_key *key, const char *text, int64_t *values)
{
    int64_t parsed[INTS_MAX];
    int n = 0;
    char part[PART_MAX];
    for (const char *rest = text; rest != NULL; n++) {
        rest = take_part(rest, part);
        if (n == key->count || n == INTS_MAX || !parse_int(key, part, &parsed[n]))
            return parse_vector(key, text, values);
    }
    if (n == 1 && key->count % 2 == 0) {
        parsed[1] = parsed[0];
        n = 2;
    }
    if (n == 2 && key->count == 4) { /* both sides of height, and of width */
        parsed[2] = parsed[3] = parsed[1];
        parsed[1] = parsed[0];
        n = 4;
    }
    if (n != key->count)
        return parse_vector(key, text, values);
    memcpy(values, parsed, (size_t)n * sizeof *values);
    return true;
}

/* ---- words ---- */

static bool parse_bool(const char *text, bool *value)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *value = i % 2 == 1;
            return true;
        }
    return false;
}

static int choice_index(const tr_key *key, const char *word)
{
    for (int i = 0; key->choices[i] != NULL; i++)
        if (strcmp(word, key->choices[i]) == 0)
            return i;
    return -1;
}

static bool parse_choices(const tr_key *key, const char *text, unsigned *set)
{
    char part[PART_MAX];
    unsigned bits = 0;
    if (key->zero_word != NULL && strcmp(text, key->zero_word) == 0)
        text = "";
    for (const char *rest = *text == '\0' ? NULL : text; rest != NULL;) {
        rest = take_part(rest, part);
        const int i = choice_index(key, part);
        if (i < 0 || (bits & 1u << i) != 0)
            return false;
        bits |= 1u << i;
    }
    *set = bits;
    return true;
}

const char *tr_value_meant(const tr_key *key, const char *text)
{
    char part[PART_MAX];
    if (key->kind == TR_KEY_CHOICE)
        return tr_nearest_name(text, key->choices);
    if (key->kind == TR_KEY_CALL)
        return tr_call_meant(key, text);
    if (key->kind == TR_KEY_CHOICES)
        for (const char *rest = text; rest != NULL;) {
            rest = take_part(rest, part);
            if (choice_index(key, part) < 0)
                return tr_nearest_name(part, key->choices);
        }
    return NULL;
}

/* ---- one value ---- */

static bool store_number(const tr_key *key, const char *text, void *field)
{
    tr_ratio ratio;
    switch (key->kind) {
    case TR_KEY_INT:
        if (key->zero_word != NULL && strcmp(text, key->zero_word) == 0) {
            *(int64_t *)field = 0;
            return true;
        }
        return parse_int(key, text, field);
    case TR_KEY_REAL:
        if (key->zero_word != NULL && strcmp(text, key->zero_word) == 0) {
            *(double *)field = 0.0;
            return true;
        }
        if (!parse_real(text, &ratio.num) || !in_range(key, ratio.num))
            return false;
        *(double *)field = ratio.num;
        return true;
    case TR_KEY_RATIO:
        if (!parse_ratio(text, &ratio) || !in_range(key, ratio.num / ratio.den))
            return false;
        memcpy(field, &ratio, sizeof ratio); /* the field may be two doubles side by side */
        return true;
    case TR_KEY_REALS:
        return parse_reals(key, text, field);
    default:
        return parse_ints(key, text, field);
    }
}

/* Between commas, with blanks around them. */
static bool are_words(const char *text)
{
    static const char blanks[] = " \t";
    for (const char *at = text; *text != '\0'; at++) {
        at += strspn(at, blanks);
        const char *word = at;
        while (isalnum((unsigned char)*at) || *at == '_' || *at == '/')
            at++;
        if (at == word)
            return false;
        at += strspn(at, blanks);
        if (*at == '\0')
            break;
        if (*at != ',')
            return false;
    }
    return true;
}

bool tr_value_parse(const tr_key *key, const char *text, void *fields)
{
    void *field = (char *)fields + key->offset;
    int choice;
    switch (key->kind) {
    case TR_KEY_BOOL:
        return parse_bool(text, field);
    case TR_KEY_CHOICE:
        choice = choice_index(key, text);
        if (choice < 0)
            return false;
        *(int *)field = choice;
        return true;
    case TR_KEY_CHOICES:
        return parse_choices(key, text, field);
    case TR_KEY_TEXT:
        if (*text == '\0' && (key->fallback == NULL || *key->fallback != '\0'))
            return false;
        *(const char **)field = text;
        return true;
    case TR_KEY_WORDS:
        if (!are_words(text) ||
            (*text == '\0' && (key->fallback == NULL || *key->fallback != '\0')))
            return false;
        *(const char **)field = text;
        return true;
    case TR_KEY_CALL:
        return tr_call_parse(key, text, field);
    default:
        return store_number(key, text, field);
    }
}

/* ---- the sentence ---- */

static const char *bound_text(const tr_key *key, double bound, char text[32])
{
    const bool integer = key->kind == TR_KEY_INT || key->kind == TR_KEY_INTS;
    if (integer && bound >= 0x1p63) /* INT64_MAX itself is no double */
        snprintf(text, 32, "%" PRId64, INT64_MAX);
    else if (integer && bound > -0x1p63)
        snprintf(text, 32, "%" PRId64, (int64_t)bound);
    else
        snprintf(text, 32, "%.10g", bound);
    return text;
}

static const char *range_text(const tr_key *key, char *text, size_t n)
{
    char low[32], high[32];
    bound_text(key, key->min, low);
    bound_text(key, key->max, high);
    const bool any = key->min == 0 && key->max == 0 && !key->above_min && !key->below_max;
    const bool has_low = !any && isfinite(key->min), has_high = !any && isfinite(key->max);
    const char *above = key->above_min ? "above" : "of at least";
    const char *below = key->below_max ? "below" : "at most";
    if (has_low && has_high && !key->above_min && !key->below_max)
        snprintf(text, n, " from %s to %s", low, high);
    else if (has_low && has_high)
        snprintf(text, n, " %s %s and %s %s", above, low, below, high);
    else if (has_low)
        snprintf(text, n, " %s %s", above, low);
    else if (has_high)
        snprintf(text, n, " %s%s %s", key->below_max ? "" : "of ", below, high);
    else
        snprintf(text, n, "%s", "");
    return text;
}

const char *tr_value_expected(const tr_key *key, char *text, size_t n)
{
    char range[96], names[TR_NAMES_MAX];
    range_text(key, range, sizeof range);
    switch (key->kind) {
    case TR_KEY_INT:
        snprintf(text, n, "%s%san integer%s", key->zero_word == NULL ? "" : key->zero_word,
                 key->zero_word == NULL ? "" : " or ", range);
        break;
    case TR_KEY_REAL:
        snprintf(text, n, "%s%sa number%s", key->zero_word == NULL ? "" : key->zero_word,
                 key->zero_word == NULL ? "" : " or ", range);
        break;
    case TR_KEY_RATIO:
        snprintf(text, n, "a number%s, or a fraction of two such as 1/255", range);
        break;
    case TR_KEY_BOOL:
        snprintf(text, n, "true or false (or yes, no, on, off, 1, 0)");
        break;
    case TR_KEY_CHOICE:
        snprintf(text, n, "one of: %s", tr_join_names(key->choices, names, sizeof names));
        break;
    case TR_KEY_CHOICES:
        snprintf(text, n, "%s or a list, each name once, of: %s",
                 key->zero_word == NULL ? "empty" : key->zero_word,
                 tr_join_names(key->choices, names, sizeof names));
        break;
    case TR_KEY_WORDS:
        snprintf(text, n, "%sa list of words of letters, digits and _",
                 key->fallback != NULL && *key->fallback == '\0' ? "empty or " : "");
        break;
    case TR_KEY_TEXT:
        snprintf(text, n, "a text that is not empty");
        break;
    case TR_KEY_INTS:
        snprintf(text, n, "%s%d integers%s, separated by commas%s",
                 key->count == 2   ? "1 or "
                 : key->count == 4 ? "1, 2 or "
                                   : "",
                 key->count, range, key->vector_max == 0 ? "" : ", or one alone");
        break;
    case TR_KEY_REALS:
        snprintf(text, n, "up to %d numbers%s%s, separated by commas", TR_REALS_MAX,
                 key->constants ? " or fractions" : "", range);
        break;
    case TR_KEY_CALL:
        return tr_call_expected(key, "", text, n);
    }
    return text;
}
