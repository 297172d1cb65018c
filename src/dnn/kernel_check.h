/* kernel_check.h -- whether every kernel of a program is right, at the cost of a few steps.
 *
 * For every start of a run: oneDNN's releases have had kernels that are wrong for odd shapes, and a
 * network on such a kernel trains, only badly. verify.h recomputes every element by definition and
 * takes seconds to minutes; this takes tens of milliseconds and looks at every element all the
 * same.
 *
 * Each operation runs once or twice by itself, on numbers made for it. Those that multiply by
 * weights (convolution, inner product; most of the work) are linear, and the numbers are small
 * whole ones, scattered so that every sum is exact in the type of the result, whatever the order of
 * its additions. Then, for random whole numbers r[o] that are not 0 (Freivalds),
 *
 *     sum over o of r[o] dst[n,o,y,x]  =  the convolution of src with sum over o of r[o]
 * w[o,i,ky,kx]
 *
 * must hold *exactly*: all output channels for the price of one, without a tolerance in which a
 * missing term, a wrong row or a stale element could hide. Two wrong elements escape only where
 * they share a position and cancel, r[a] e[a] = -r[b] e[b]: one in a million. Gradients of weights
 * likewise (over o), those of data over the input channels, and copies from layout to layout.
 *
 *  - A fused relu, leaky relu or elu leaves positive numbers as they are: a first run on positive
 *    numbers is compared as above. In a second one the weights of each output channel are
 *    multiplied by a power of two of either sign, which is exact, so that every argument of the
 *    function is known and its values are compared one by one.
 *  - Winograd's algorithm is not exact: the same sums, of noise and with factors of a like size,
 *    hold within a tolerance, far below what one wrong element would make of them.
 *  - A fused sigmoid, tanh or hard_sigmoid is not exact either: these operations are checked as
 *    verify.h does it, which takes longer.
 *  - All others cost little, and are compared one by one with their plain definition (reference.h)
 *    on noise, within the tolerance of verify.h.
 *
 * Results are set to NaN beforehand, so that what a kernel leaves unwritten is found; the padding
 * of blocked layouts must come out as 0. Nothing depends on the threads, the time or the weights:
 * what is found is a function of program, CPU and oneDNN. So there is nothing to be kept from one
 * start to the next, and no file that could grow stale.
 */
#ifndef TR_KERNEL_CHECK_H
#define TR_KERNEL_CHECK_H

#include "verify.h"

/* Calls `report` once per operation, with the number of that operation in the program. */
typedef tr_status tr_kernel_check_fn(void *context, size_t i, const tr_op_check *check,
                                     tr_error *err);
tr_status tr_kernels_check(const tr_program *program, tr_kernel_check_fn *report, void *context,
                           tr_error *err);

#endif
