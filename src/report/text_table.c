/* text_table.c -- see text_table.h. */
#include "text_table.h"

#include <string.h>

#include "utf8.h"

typedef struct table {
    int n_columns;
    size_t width[TR_TABLE_COLUMNS];
} table;

static void widen(table *self, const tr_table_row *line)
{
    for (int i = 0; i < self->n_columns; i++)
        if (tr_utf8_columns(line->cell[i]) > self->width[i])
            self->width[i] = tr_utf8_columns(line->cell[i]);
}

static void print_row(FILE *out, const table *self, const tr_table_row *line)
{
    int last = self->n_columns - 1;
    while (last > 0 && line->cell[last][0] == '\0')
        last--;
    for (int i = 0; i < last; i++)
        fprintf(out, " %s%*s", line->cell[i],
                (int)(self->width[i] + 1 - tr_utf8_columns(line->cell[i])), "");
    fprintf(out, " %s\n", line->cell[last]);
}

static void rule(FILE *out, const table *self, char c)
{
    size_t n = 0;
    for (int i = 0; i < self->n_columns; i++)
        n += self->width[i] + 2;
    for (size_t i = 0; i < n; i++)
        fputc(c, out);
    fputc('\n', out);
}

/* Two passes, so that no row has to be kept: widths, then lines. */
void tr_print_table(FILE *out, const tr_table_row *head, int n_columns, tr_row_maker make,
                    const void *user)
{
    table self = {.n_columns = n_columns};
    tr_table_row line;
    widen(&self, head);
    for (int64_t i = 0; make(&line, user, i); i++)
        widen(&self, &line);
    rule(out, &self, '_');
    print_row(out, &self, head);
    rule(out, &self, '=');
    for (int64_t i = 0; make(&line, user, i); i++)
        print_row(out, &self, &line);
    rule(out, &self, '=');
}
