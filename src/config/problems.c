/* problems.c -- a list of mistakes that stays sorted by line; see problems.h.
 *
 * It judges nothing and prints nothing. Only the first 1000 mistakes are kept: a tr_error holds
 * about a tenth of that, and a hostile file must not cost more memory than its own size.
 */
#include "problems.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config_internal.h"
#include "mem.h"

enum {
    KEPT_MAX = 1000,
    WORD_MAX = 64,      /* names are compared up to here; no name of ours is near as long */
    LAST_LINE_MAX = 256 /* room that the list leaves in tr_error.text for its last line */
};

struct problem {
    int line;
    char *text;
};

struct tr_problems {
    char *path;
    struct problem *kept;
    size_t n_kept;
    size_t n_syntax; /* of those kept, which stay in front */
    size_t n;        /* with those beyond KEPT_MAX */
    bool no_memory;
};

tr_problems *tr_problems_new(const char *path)
{
    tr_problems *problems = tr_alloc(1, sizeof *problems);
    if (problems == NULL)
        return NULL;
    problems->path = tr_strdup(path);
    if (problems->path == NULL) {
        tr_problems_free(problems);
        return NULL;
    }
    return problems;
}

void tr_problems_free(tr_problems *problems)
{
    if (problems == NULL)
        return;
    for (size_t i = 0; i < problems->n_kept; i++)
        tr_free(problems->kept[i].text);
    tr_free(problems->kept);
    tr_free(problems->path);
    tr_free(problems);
}

const char *tr_problems_path(const tr_problems *problems)
{
    return problems->path;
}

void tr_problems_no_memory(tr_problems *problems)
{
    problems->no_memory = true;
}

/* ---- adding ---- */

/* Takes ownership of `text`. Most problems come in line order, so the search starts at the end. */
static bool insert(tr_problems *problems, int line, char *text)
{
    struct problem *kept = tr_grown(problems->kept, problems->n_kept, sizeof *kept);
    if (kept == NULL)
        return false;
    size_t at = problems->n_kept;
    while (at > problems->n_syntax && kept[at - 1].line > line)
        at--;
    memmove(kept + at + 1, kept + at, (problems->n_kept - at) * sizeof *kept);
    kept[at] = (struct problem){line, text};
    problems->kept = kept;
    problems->n_kept++;
    return true;
}

void tr_problems_add(tr_problems *problems, int line, const char *format, ...)
{
    problems->n++;
    if (problems->n_kept == KEPT_MAX)
        return;

    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    char *text = n < 0 ? NULL : tr_alloc((size_t)n + 1, 1);
    if (text != NULL)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);

    if (text == NULL) {
        problems->no_memory = true;
        return;
    }
    for (char *c = text; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?';
    if (!insert(problems, line, text)) {
        tr_free(text);
        problems->no_memory = true;
    }
}

void tr_problems_end_syntax(tr_problems *problems)
{
    problems->n_syntax = problems->n_kept;
}

/* ---- reporting ---- */

size_t tr_problems_count(const tr_problems *problems)
{
    return problems->n + (problems->no_memory ? 1 : 0);
}

/* Writes one problem to `text`; returns the length it needs, as snprintf does. */
static size_t write_problem(const tr_problems *problems, size_t i, char *text, size_t n)
{
    const struct problem *problem = &problems->kept[i];
    const int length = problem->line == 0 ? snprintf(text, n, "%s", problem->text)
                                          : snprintf(text, n, "%s:%d: %s", problems->path,
                                                     problem->line, problem->text);
    return length < 0 ? 0 : (size_t)length;
}

tr_status tr_problems_check(const tr_problems *problems, tr_error *err)
{
    if (problems->no_memory)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory while reading the configuration",
                       problems->path);
    if (problems->n == 0)
        return TR_OK;
    if (err == NULL)
        return TR_ERR_CONFIG;

    err->status = TR_ERR_CONFIG;
    if (problems->n == 1) {
        write_problem(problems, 0, err->text, sizeof err->text);
        return TR_ERR_CONFIG;
    }
    size_t used = 0, shown = 0;
    for (; shown < problems->n_kept; shown++) {
        const size_t room = sizeof err->text - LAST_LINE_MAX - used;
        const size_t length = write_problem(problems, shown, err->text + used, room);
        if (length + 1 >= room)
            break;
        used += length;
        err->text[used++] = '\n';
    }
    if (shown == problems->n)
        snprintf(err->text + used, sizeof err->text - used, "%zu problems", problems->n);
    else
        snprintf(err->text + used, sizeof err->text - used, "%zu problems, the first %zu shown",
                 problems->n, shown);
    return TR_ERR_CONFIG;
}

/* ---- names ---- */

static char folded(char c)
{
    return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance: insert, delete, replace, or swap two neighbours. */
static size_t edit_distance(const char *a, const char *b)
{
    const size_t n_a = strnlen(a, WORD_MAX), n_b = strnlen(b, WORD_MAX);
    size_t rows[3][WORD_MAX + 1]; /* row i, i-1 and i-2 of the table, at index i mod 3 */
    for (size_t j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            const char x = folded(a[i - 1]), y = folded(b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b[j - 2]) && y == folded(a[i - 2]))
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

const char *tr_nearest_name(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    size_t nearest_distance = 0;
    for (; *names != NULL; names++) {
        const size_t n_word = strlen(word), n_name = strlen(*names);
        const size_t longer = n_word > n_name ? n_word : n_name;
        const size_t limit = longer / 3 > 2 ? longer / 3 : 2;
        if (longer > WORD_MAX)
            continue;
        const size_t distance = edit_distance(word, *names);
        if (distance > limit || (distance >= longer && longer > 0))
            continue;
        if (nearest == NULL || distance < nearest_distance) {
            nearest = *names;
            nearest_distance = distance;
        }
    }
    return nearest;
}

const char *tr_join_names(const char *const *names, char *text, size_t n)
{
    size_t used = 0;
    if (n > 0)
        text[0] = '\0';
    for (size_t i = 0; names[i] != NULL; i++) {
        const char *separator = i == 0 ? "" : ", ";
        const size_t length = strlen(separator) + strlen(names[i]);
        /* The last name may fill the text; any other must leave room for ", ...". */
        const size_t reserve = names[i + 1] == NULL ? 0 : strlen(", ...");
        if (used + length + reserve >= n) {
            snprintf(text + used, n - used, "%s...", separator);
            break;
        }
        snprintf(text + used, n - used, "%s%s", separator, names[i]);
        used += length;
    }
    return text;
}
