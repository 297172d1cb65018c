/* class_names_table.h -- the names of classes, in columns. */
#ifndef TR_CLASS_NAMES_TABLE_H
#define TR_CLASS_NAMES_TABLE_H

#include <stdio.h>

#include "trainer/legend.h"

/* Of more than 1000 the first ones and how many there are. Nothing where there are none. */
void tr_print_class_names(FILE *out, const tr_legend *legend);

#endif
