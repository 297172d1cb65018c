/* csv_cell.h -- a text as a cell of a CSV file. */
#ifndef TR_CSV_CELL_H
#define TR_CSV_CELL_H

#include <stdio.h>

/* One that would break the line is quoted, as RFC 4180 has it. */
void tr_print_csv_cell(FILE *out, const char *text);

#endif
