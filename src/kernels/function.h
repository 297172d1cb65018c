/* function.h -- elementary functions of one element, of which activations are chains.
 *
 * What they are called and what their numbers mean; function.c computes them, and the derivative
 * of each: from the argument, or from the result where that determines it.
 */
#ifndef TR_FUNCTION_H
#define TR_FUNCTION_H

typedef enum tr_function_kind {
    TR_FN_LINEAR,   /* alpha x + beta */
    TR_FN_RELU,     /* x > 0 ? x : alpha x */
    TR_FN_ELU,      /* x > 0 ? x : alpha (exp(x) - 1) */
    TR_FN_LOGISTIC, /* 1 / (1 + exp(-x)) */
    TR_FN_TANH,
    TR_FN_GELU,     /* x (1 + erf(x / sqrt 2)) / 2 */
    TR_FN_SWISH,    /* x / (1 + exp(-alpha x)) */
    TR_FN_SOFTPLUS, /* log(1 + exp(x)) */
    TR_FN_CLIP      /* min(max(x, alpha), beta) */
} tr_function_kind;

typedef struct tr_function {
    tr_function_kind kind;
    float alpha, beta;
} tr_function;

#endif
