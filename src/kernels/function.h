/* function.h -- elementary functions of one element, of which activations are chains.
 *
 * What they are called and what their numbers mean; functions.c computes them, and the derivative
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
    TR_FN_GELU,      /* x (1 + erf(x / sqrt 2)) / 2 */
    TR_FN_SWISH,     /* x / (1 + exp(-alpha x)) */
    TR_FN_SOFTPLUS,  /* log(1 + exp(x)) */
    TR_FN_CLIP,      /* min(max(x, alpha), beta) */
    TR_FN_THRESHOLD, /* x > beta ? x : alpha (x - beta), beta >= 0 */
    TR_FN_EXP,
    TR_FN_LOG_SIGMOID, /* log(1 / (1 + exp(-x))) */
    TR_FN_SOFTSIGN,    /* x / (1 + |x|) */
    TR_FN_SQUAREPLUS,  /* (x + sqrt(x^2 + alpha)) / 2, alpha > 0 */
    TR_FN_SPARSE_PLUS, /* x > 1 ? x : max(x + 1, 0)^2 / 4 */
    TR_FN_MISH,        /* x tanh(log(1 + exp(x))) */
    TR_FN_HARD_SWISH,  /* x min(max(x / 6 + 1/2, 0), 1) */
    TR_FN_SOFT_SHRINK, /* x - min(max(x, -alpha), alpha) */
    TR_FN_HARD_SHRINK, /* |x| > alpha ? x : 0 */
    TR_FN_TANH_SHRINK, /* x - tanh(x) */
    TR_N_FUNCTIONS
} tr_function_kind;

typedef struct tr_function {
    tr_function_kind kind;
    float alpha, beta;
} tr_function;

#endif
