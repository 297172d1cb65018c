/* whitening.h -- kernels that are made of the training samples: the initializer `whitening`.
 *
 * Windows of what comes into the layer are vectors p; their matrix of second moments, E[p p^T], has
 * eigenvectors v and eigenvalues l. The first half of the filters are the v of the largest l,
 * divided by sqrt(l + eps), the second half their negatives: results of a variance of about 1 that
 * are not correlated. Keller Jordan, "94% on CIFAR-10 in 3.29 seconds" (2024).
 */
#ifndef TR_WHITENING_H
#define TR_WHITENING_H

#include "from_samples.h"

/* values [n] in falling order and vectors [n, n], a row each, of the symmetric matrix [n, n], which
 * is spoiled. */
void tr_eigen(double *matrix, int64_t n, double *values, double *vectors);

#endif
