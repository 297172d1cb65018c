/* sigmoid.c -- a logit as a probability: 1 / (1 + exp(-z)); see loss.h. */
#include <math.h>

#include "elementary_math.h"
#include "loss.h"

double tr_sigmoid(double z)
{
    const double e = tr_exp(-fabs(z)); /* no overflow on either side */
    return z >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

void tr_sigmoid_row(const float *z, float *out, int64_t width)
{
    for (int64_t j = 0; j < width; j++)
        out[j] = (float)tr_sigmoid((double)z[j]);
}
