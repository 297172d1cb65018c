/* class_names_table.c -- see class_names_table.h. */
#include "class_names_table.h"

#include <stdbool.h>

#include "utf8.h"

enum { WIDTH = 100, SHOWN = 1000, GAP = 3 };

void tr_print_class_names(FILE *out, const tr_legend *legend)
{
    const int64_t n = legend->n_classes < SHOWN ? legend->n_classes : SHOWN;
    if (n == 0)
        return;
    const int digits = snprintf(NULL, 0, "%lld", (long long)(n - 1));
    int widest = 0;
    for (int64_t i = 0; i < n; i++) {
        const int columns = (int)tr_utf8_columns(legend->class_names[i]);
        widest = columns > widest ? columns : widest;
    }
    const int cell = GAP + digits + 1 + widest;
    const int per_row = cell > WIDTH ? 1 : WIDTH / cell;
    fprintf(out, "\nClasses\n");
    for (int64_t i = 0; i < n; i++) {
        const char *name = legend->class_names[i];
        const bool last = (i + 1) % per_row == 0 || i + 1 == n;
        fprintf(out, "%*s%*lld %s%*s", GAP, "", digits, (long long)i, name,
                last ? 0 : widest - (int)tr_utf8_columns(name), "");
        if (last)
            fputc('\n', out);
    }
    if (n < legend->n_classes)
        fprintf(out, "and %lld more\n", (long long)(legend->n_classes - n));
}
