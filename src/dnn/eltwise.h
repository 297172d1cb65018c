/* eltwise.h -- elementary functions of one element, of which activations are chains. For src/dnn
 * only; activation.c has the chains, reference_eltwise.c the same functions in plain C.
 */
#ifndef TR_ELTWISE_H
#define TR_ELTWISE_H

#include "descriptors.h"
#include "function.h"
#include "program.h"

/* What the derivative is computed from: nothing, the result, or the argument. */
typedef enum tr_derivative { TR_FROM_NOTHING, TR_FROM_DST, TR_FROM_SRC } tr_derivative;
tr_derivative tr_function_derivative(const tr_function *function);

/* Whether f(0) is not 0. oneDNN 2.6 computes such a function by a reference kernel where channels
 * are padded, since the padding has to stay 0. */
bool tr_function_moves_zero(const tr_function *function);

/* Whether oneDNN has it; and in its terms. */
bool tr_function_is_onednns(const tr_function *function);
tr_eltwise tr_function_forward(const tr_function *function);
tr_eltwise tr_function_backward(const tr_function *function);

#endif
