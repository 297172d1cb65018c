/* geometry.c -- a sliding window in oneDNN's terms. */
#include "program_internal.h"

tr_window tr_window_of(const tr_geometry *geometry)
{
    tr_window window = {0};
    for (int i = 0; i < 2; i++) {
        window.kernel[i] = geometry->kernel[i];
        window.strides[i] = geometry->strides[i];
        window.pad_before[i] = geometry->pad_before[i];
        window.pad_after[i] = geometry->pad_after[i];
    }
    return window;
}
