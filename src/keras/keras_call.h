/* keras_call.h -- a function with arguments, such as an initializer, as Keras's object and back.
 *
 *     he_normal                     {"class_name": "HeNormal", "config": {"seed": null}}
 *     l2(0.0001)                    {"class_name": "L2", "config": {"l2": 0.0001}}
 *     none                          null
 */
#ifndef TR_KERAS_CALL_H
#define TR_KERAS_CALL_H

#include "keras_value.h"

/* Fresh; NULL: out of memory. */
json_t *tr_keras_call_object(const tr_key *key, const tr_call *call);

/* Appends the text of the call. False: no function of the key's, or other arguments. */
bool tr_keras_call_text(const tr_key *key, const json_t *value, char text[TR_KERAS_TEXT]);

#endif
