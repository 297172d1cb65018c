/* views.h -- an evaluation of several views of each image: [evaluate] views.
 *
 * What the loss sees of an image (logits, where a crossentropy takes over the last softmax or
 * sigmoid; else what the network gives) is the weighted mean over views:
 *
 *     flip         1/2 as it is, 1/2 its mirror image, left and right exchanged
 *     shift        1/2 as it is, 1/4 moved a pixel up and to the left, 1/4 down and to the right;
 *                  what comes in is the rim's neighbour again (PyTorch's padding "reflect")
 *     flip, shift  of each of the three both, half each
 *
 * as in Keller Jordan's "94% on CIFAR-10 in 3.29 seconds" (2024). Penalties of results
 * are those of the image as it is.
 */
#ifndef TR_VIEWS_H
#define TR_VIEWS_H

#include <stdint.h>

#include "trainer/config.h"

typedef struct tr_view {
    double weight;
    bool flips;
    int shift; /* pixels down and to the right */
} tr_view;

/* The views of that [evaluate] views, the image as it is first; their number. */
enum { TR_MAX_VIEWS = 6 };
int tr_views_of(unsigned chosen, tr_view views[TR_MAX_VIEWS]);

/* dst = that view of src; n images [h, w, c], shape = {h, w, c}. */
void tr_view_make(const tr_view *view, int64_t n, const int64_t shape[3], const float *src,
                  float *dst);

#endif
