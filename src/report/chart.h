/* chart.h -- one panel of a picture of the training: a quantity over the epochs, of training and
 * validation, with axes, grid, legend and the best validation epoch. */
#ifndef TR_CHART_H
#define TR_CHART_H

#include <cairo.h>

#include "trainer/history.h"

/* Of the training's curve, and of the validation's: Okabe and Ito's blue and vermillion, which
 * people with any kind of colour vision tell apart. The markers differ in shape, too. 0xRRGGBB. */
enum { TR_CHART_TRAINING = 0x0072b2, TR_CHART_VALIDATION = 0xd55e00 };

enum { TR_CHART_WIDTH = 560, TR_CHART_HEIGHT = 400 };

/* The area inside the axes, in a panel whose corner is at (0, 0). */
enum { TR_CHART_LEFT = 72, TR_CHART_RIGHT = 540, TR_CHART_TOP = 68, TR_CHART_BOTTOM = 346 };

/* Draws the loss (TR_LOSS) or metric with its corner at the origin. The font face must be set. */
void tr_chart_draw(cairo_t *cr, const tr_history *history, int metric);

#endif
