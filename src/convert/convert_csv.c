/* convert_csv.c -- a table as text, one sample a line: its class and its numbers, into an HDF5
 * dataset.
 *
 *     label,pixel0,pixel1,...        a head is optional; the class is in the column of it that is
 *     5,0,12,...                     called label or class, or else in the first
 *
 * Separated by commas, semicolons or tabs, whichever the first line has; numbers may be quoted.
 * Whole numbers from 0 to 255 alone become uint8, as pixels are, others float32. Samples are
 * vectors [n, length], or of the shape that is asked for. Read in a child, twice (arrays.h): first
 * the size.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "arrays.h"
#include "file.h"
#include "mem.h"
#include "trainer/convert.h"

/* ---- a line ---- */

typedef struct csv_reader {
    const char *path;
    FILE *file;
    char *line; /* without its end */
    size_t space;
    int64_t number; /* of the line, from 1 */
    char separator;
    int64_t label;   /* its column */
    int64_t columns; /* of every line */
} csv_reader;

static tr_status fail_line(const csv_reader *self, const char *found, const char *expected,
                           tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA, "%s:%lld: %s; expected %s", self->path,
                   (long long)self->number, found, expected);
}

/* The next line that is not empty; false at the end. */
static bool next_line(csv_reader *self)
{
    ssize_t n;
    while ((n = getline(&self->line, &self->space, self->file)) >= 0) {
        self->number++;
        while (n > 0 && strchr("\r\n \t", self->line[n - 1]) != NULL)
            self->line[--n] = '\0';
        if (n > 0)
            return true;
    }
    return false;
}

/* Cuts the next field out of *rest, without blanks and quotes around it; NULL behind the last. */
static char *next_field(const csv_reader *self, char **rest)
{
    char *field = *rest;
    if (field == NULL)
        return NULL;
    char *end = strchr(field, self->separator);
    *rest = end == NULL ? NULL : end + 1;
    end = end == NULL ? field + strlen(field) : end;
    field += strspn(field, " ");
    while (end > field && end[-1] == ' ')
        end--;
    if (end - field >= 2 && field[0] == '"' && end[-1] == '"')
        field++, end--;
    *end = '\0';
    return field;
}

/* strtod without its words and blanks; most values are short whole numbers. */
static bool parse_number(const char *text, double *value)
{
    const size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits < 10 && text[digits] == '\0') {
        *value = (double)strtol(text, NULL, 10);
        return true;
    }
    char *end;
    if (text[0] == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    *value = strtod(text, &end);
    return *end == '\0';
}

/* Separator, number of columns and that of the class, from the first line. *head: it is no sample.
 */
static tr_status read_first(csv_reader *self, bool *head, tr_error *err)
{
    if (!next_line(self))
        return tr_fail(err, TR_ERR_DATA, "%s: has no lines", self->path);
    if (strncmp(self->line, "\xef\xbb\xbf", 3) == 0) /* Excel's mark of UTF-8 */
        memmove(self->line, self->line + 3, strlen(self->line + 3) + 1);
    self->separator = strchr(self->line, ',') != NULL   ? ','
                      : strchr(self->line, ';') != NULL ? ';'
                                                        : '\t';
    char *rest = tr_strdup(self->line), *all = rest;
    if (all == NULL)
        return tr_out_of_memory(err, self->path);
    double value;
    for (const char *field; (field = next_field(self, &rest)) != NULL; self->columns++) {
        *head = *head || !parse_number(field, &value);
        if (strcasecmp(field, "label") == 0 || strcasecmp(field, "class") == 0)
            self->label = self->columns;
    }
    tr_free(all);
    return self->columns >= 2 ? TR_OK
                              : fail_line(self, "a single column",
                                          "a class and numbers, with commas between", err);
}

/* ---- all samples ---- */

typedef struct csv_sample {
    int64_t n;
    float *x;    /* [n][length], or NULL: only look */
    uint8_t *x8; /* the same as bytes */
    int32_t *y;
    bool bytes; /* so far all values are whole numbers from 0 to 255 */
} csv_sample;

static tr_status put_label(const csv_reader *self, csv_sample *out, double value, tr_error *err)
{
    if (!(value >= 0 && value <= INT32_MAX) || value != (double)(int32_t)value)
        return fail_line(self, "a class that is no whole number from 0 on",
                         "one in the first column, or in one that the head calls label", err);
    if (out->y != NULL)
        out->y[out->n] = (int32_t)value;
    return TR_OK;
}

static void put_value(csv_sample *out, int64_t i, double value)
{
    out->bytes = out->bytes && value >= 0 && value <= 255 && value == (double)(int)value;
    if (out->x8 != NULL)
        out->x8[i] = (uint8_t)value;
    if (out->x != NULL)
        out->x[i] = (float)value;
}

static tr_status read_sample(const csv_reader *self, csv_sample *out, tr_error *err)
{
    char *rest = self->line;
    const int64_t length = self->columns - 1;
    int64_t column = 0, i = 0;
    double value;
    for (const char *field; (field = next_field(self, &rest)) != NULL; column++) {
        if (column == self->columns)
            return fail_line(self, "more columns than in the first line", "as many", err);
        char found[80];
        snprintf(found, sizeof found, "\"%.40s\" in column %lld", field, (long long)column + 1);
        if (!parse_number(field, &value))
            return fail_line(self, found, "a number", err);
        if (column == self->label)
            TR_TRY(put_label(self, out, value, err));
        else
            put_value(out, out->n * length + i++, value);
    }
    if (column < self->columns)
        return fail_line(self, "fewer columns than in the first line", "as many", err);
    out->n++;
    return TR_OK;
}

static void describe(tr_arrays_visit *job, const csv_reader *self, const csv_sample *found)
{
    const int64_t length = self->columns - 1;
    job->arrays.items[TR_X_TRAIN] = (tr_array){.type = found->bytes ? TR_NUMBER_U8 : TR_NUMBER_F32,
                                               .rank = 2,
                                               .dims = {found->n, length},
                                               .n = found->n * length};
    job->arrays.items[TR_Y_TRAIN] =
        (tr_array){.type = TR_NUMBER_I32, .rank = 1, .dims = {found->n}, .n = found->n};
}

static tr_status read_samples(csv_reader *self, tr_arrays_visit *job, tr_error *err)
{
    const tr_array *x = &job->arrays.items[TR_X_TRAIN], *y = &job->arrays.items[TR_Y_TRAIN];
    csv_sample found = {.bytes = true};
    bool head = false;
    TR_TRY(read_first(self, &head, err));
    if (job->reading) {
        found.y = y->values;
        found.x = x->type == TR_NUMBER_F32 ? x->values : NULL;
        found.x8 = x->type == TR_NUMBER_U8 ? x->values : NULL;
    }
    for (bool more = !head || next_line(self); more; more = next_line(self)) {
        if (job->reading && (found.n == y->n || self->columns - 1 != x->dims[1]))
            return tr_fail(err, TR_ERR_DATA, "%s: changed while it was read", self->path);
        TR_TRY(read_sample(self, &found, err));
    }
    if (found.n == 0)
        return tr_fail(err, TR_ERR_DATA, "%s: has no line but its head", self->path);
    if (job->reading && (found.n != y->n || found.bytes != (x->type == TR_NUMBER_U8)))
        return tr_fail(err, TR_ERR_DATA, "%s: changed while it was read", self->path);
    if (!job->reading)
        describe(job, self, &found);
    return TR_OK;
}

static tr_status visit_file(void *user, tr_error *err)
{
    tr_arrays_visit *job = user;
    csv_reader self = {.path = job->path};
    int fd;
    TR_TRY(tr_file_open_input(&fd, job->path, err));
    self.file = fdopen(fd, "r");
    if (self.file == NULL) {
        close(fd);
        return tr_out_of_memory(err, job->path);
    }
    const tr_status status = read_samples(&self, job, err);
    free(self.line); /* getline's own */
    fclose(self.file);
    return status;
}

/* ---- the dataset ---- */

/* [n, length] as [n, shape...]. */
static tr_status give_shape(tr_array *x, const int64_t *shape, int n_shape, const char *path,
                            tr_error *err)
{
    int64_t n = 1;
    for (int i = 0; i < n_shape; i++)
        if (__builtin_mul_overflow(n, shape[i], &n))
            n = INT64_MAX;
    if (n_shape > 0 && n != x->dims[1])
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has %lld numbers beside the class in a line; the shape asks for %lld",
                       path, (long long)x->dims[1], (long long)n);
    if (n_shape > 0) {
        x->rank = 1 + n_shape;
        memcpy(x->dims + 1, shape, (size_t)n_shape * sizeof *shape);
    }
    return TR_OK;
}

static tr_status read_table(tr_arrays *all, int first, const char *path, const int64_t *shape,
                            int n_shape, tr_error *err)
{
    tr_arrays table = {0};
    TR_TRY(tr_arrays_fetch(&table, &(tr_arrays_visit){.path = path}, visit_file, err));
    all->items[first] = table.items[TR_X_TRAIN];
    all->items[first + 1] = table.items[TR_Y_TRAIN];
    return give_shape(&all->items[first], shape, n_shape, path, err);
}

tr_status tr_convert_csv(const char *train, const char *test, const int64_t *shape, int n_shape,
                         const char *out_path, tr_error *err)
{
    static const tr_arrays_origin origin = {.source = "CSV files",
                                            .creator = "trainer convert csv"};
    tr_arrays arrays = {0};
    tr_status status = read_table(&arrays, TR_X_TRAIN, train, shape, n_shape, err);
    if (status == TR_OK && test != NULL)
        status = read_table(&arrays, TR_X_TEST, test, shape, n_shape, err);
    const tr_array *x = arrays.items;
    if (status == TR_OK && test != NULL && x[TR_X_TRAIN].dims[1] != x[TR_X_TEST].dims[1])
        status = tr_fail(err, TR_ERR_DATA, "%s: has %lld numbers beside the class, %s %lld", test,
                         (long long)x[TR_X_TEST].dims[1], train, (long long)x[TR_X_TRAIN].dims[1]);
    if (status == TR_OK)
        status = tr_arrays_write_h5(&arrays, &origin, out_path, err);
    tr_arrays_release(&arrays);
    return status;
}
