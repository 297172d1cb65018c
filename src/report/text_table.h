/* text_table.h -- a table of short texts (base/utf8.h), each column as wide as it has to be. */
#ifndef TR_TEXT_TABLE_H
#define TR_TEXT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { TR_TABLE_COLUMNS = 32, TR_TABLE_CELL = 256 };

typedef struct tr_table_row {
    char cell[TR_TABLE_COLUMNS][TR_TABLE_CELL];
} tr_table_row;

/* The cells of row number i, or false behind the last. */
typedef bool (*tr_row_maker)(tr_table_row *line, const void *user, int64_t i);

void tr_print_table(FILE *out, const tr_table_row *head, int n_columns, tr_row_maker make,
                    const void *user);

#endif
