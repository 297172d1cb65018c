/* eigen.c -- eigenvalues and eigenvectors of a symmetric matrix; see whitening.h.
 *
 * Jacobi's cyclic rotations: additions, multiplications, divisions and square roots in a fixed
 * order, so that all machines get the same bits. The sign of a vector is that which makes its
 * element of the largest size positive.
 */
#include <math.h>
#include <string.h>

#include "whitening.h"

enum { MAX_SWEEPS = 60 };

/* Makes a[p][q] zero; rows of v turn with it. */
static void rotate(double *a, double *v, int64_t n, int64_t p, int64_t q)
{
    const double apq = a[p * n + q];
    const double theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    const double t = (theta < 0.0 ? -1.0 : 1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
    const double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
    for (int64_t k = 0; k < n; k++) {
        const double x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for (int64_t k = 0; k < n; k++) {
        const double x = a[p * n + k], y = a[q * n + k];
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
    }
    for (int64_t k = 0; k < n; k++) {
        const double x = v[p * n + k], y = v[q * n + k];
        v[p * n + k] = c * x - s * y;
        v[q * n + k] = s * x + c * y;
    }
}

static double sum_of_squares(const double *a, int64_t n, bool diagonal)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++)
            sum += (i == k) == diagonal ? a[i * n + k] * a[i * n + k] : 0.0;
    return sum;
}

static void make_sign(double *vector, int64_t n)
{
    int64_t largest = 0;
    for (int64_t k = 1; k < n; k++)
        if (fabs(vector[k]) > fabs(vector[largest]))
            largest = k;
    if (vector[largest] >= 0.0)
        return;
    for (int64_t k = 0; k < n; k++)
        vector[k] = -vector[k];
}

/* By insertion, as there are few. */
static void sort(double *values, double *vectors, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        for (int64_t j = i; j > 0 && values[j] > values[j - 1]; j--) {
            const double value = values[j];
            values[j] = values[j - 1];
            values[j - 1] = value;
            for (int64_t k = 0; k < n; k++) {
                const double x = vectors[j * n + k];
                vectors[j * n + k] = vectors[(j - 1) * n + k];
                vectors[(j - 1) * n + k] = x;
            }
        }
}

void tr_eigen(double *matrix, int64_t n, double *values, double *vectors)
{
    memset(vectors, 0, (size_t)(n * n) * sizeof *vectors);
    for (int64_t i = 0; i < n; i++)
        vectors[i * n + i] = 1.0;
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        if (!(sum_of_squares(matrix, n, false) > 1e-30 * sum_of_squares(matrix, n, true)))
            break;
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                if (matrix[p * n + q] != 0.0)
                    rotate(matrix, vectors, n, p, q);
    }
    for (int64_t i = 0; i < n; i++) {
        values[i] = matrix[i * n + i];
        make_sign(vectors + i * n, n);
    }
    sort(values, vectors, n);
}
