/* keras_names.h -- names that Keras derives from its classes, and ours from its names. */
#ifndef TR_KERAS_NAMES_H
#define TR_KERAS_NAMES_H

#include <jansson.h>
#include <stddef.h>

/* Keras's to_snake_case(): MaxPooling2D -> max_pooling2d, ReLU -> re_lu; cut to fit. */
void tr_keras_snake_case(char *name, size_t n, const char *class_name);

/* The name of a class without what registering puts before it: "Custom>Adam" -> Adam. */
const char *tr_keras_bare_name(const char *class_name);

/* The class of a layer or model, "": none. One that a user registered keeps the name of the package
 * before it ("my>Conv2D"): it may compute anything, whatever class of Keras it is called like. */
const char *tr_keras_class_name(const json_t *object);

/* A name of letters, digits and _ of at most `most` characters, the first a letter. */
void tr_keras_clean_name(const char *name, size_t most, char *text);

#endif
