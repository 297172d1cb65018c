/* keras_names.h -- names that Keras derives from its classes. */
#ifndef TR_KERAS_NAMES_H
#define TR_KERAS_NAMES_H

#include <stddef.h>

/* Keras's to_snake_case(): MaxPooling2D -> max_pooling2d, ReLU -> re_lu; cut to fit. */
void tr_keras_snake_case(char *name, size_t n, const char *class_name);

#endif
