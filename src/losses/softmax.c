/* softmax.c -- a row of logits as probabilities: exp(z - max) / sum; see loss.h. */
#include "elementary_math.h"
#include "loss.h"

void tr_softmax_row(const float *z, float *out, int64_t width)
{
    const float max = z[tr_argmax(z, width)];
    double sum = 0.0;
    for (int64_t j = 0; j < width; j++) {
        out[j] = tr_expf(z[j] - max);
        sum += out[j];
    }
    const float scale = (float)(1.0 / sum);
    for (int64_t j = 0; j < width; j++)
        out[j] *= scale;
}
