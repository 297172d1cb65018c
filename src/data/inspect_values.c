/* inspect_values.c -- ranges, means and class counts of an array that may be larger than memory.
 *
 * The array is read in slabs: along the first axis below which a row fits the budget, in steps of
 * whole chunks where that is axis 0, so that each chunk is unpacked once.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "h5.h"
#include "inspect.h"
#include "mem.h"

enum {
    SLAB = 1 << 19,         /* elements: 4 MB as double or int64 */
    LARGEST_SLAB = 1 << 23, /* where chunks are so large that less would unpack them again */
    NO_LABELS = -1
};

typedef struct statistics {
    tr_inspect_item *item;
    double sum;
    int64_t n_finite;
    int64_t n_classes; /* or NO_LABELS */
    tr_inspect_class *classes;
} statistics;

/* ---- values ---- */

static void count_floats(statistics *self, const double *values, int64_t n)
{
    tr_inspect_item *item = self->item;
    for (int64_t i = 0; i < n; i++) {
        const double value = values[i];
        if (isnan(value)) {
            item->n_nan++;
        } else if (isinf(value)) {
            item->n_infinite++;
        } else {
            if (self->n_finite == 0)
                item->low = item->high = value;
            item->low = value < item->low ? value : item->low;
            item->high = value > item->high ? value : item->high;
            self->sum += value;
            self->n_finite++;
        }
    }
}

/* Finds or inserts the class; the list is sorted and short. */
static void count_class(statistics *self, int64_t value)
{
    tr_inspect_class *classes = self->classes;
    int64_t low = 0, high = self->n_classes;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (classes[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == self->n_classes || classes[low].value != value) {
        if (self->n_classes == TR_INSPECT_CLASSES) {
            self->n_classes = NO_LABELS;
            return;
        }
        memmove(classes + low + 1, classes + low,
                (size_t)(self->n_classes++ - low) * sizeof *classes);
        classes[low] = (tr_inspect_class){.value = value};
    }
    classes[low].n++;
}

static void count_integers(statistics *self, const int64_t *values, int64_t n)
{
    tr_inspect_item *item = self->item;
    if (self->n_finite == 0)
        item->min = item->max = values[0];
    for (int64_t i = 0; i < n; i++) {
        item->min = values[i] < item->min ? values[i] : item->min;
        item->max = values[i] > item->max ? values[i] : item->max;
    }
    self->n_finite += n;
    for (int64_t i = 0; i < n && self->n_classes != NO_LABELS; i++)
        count_class(self, values[i]);
}

/* ---- slabs ---- */

typedef struct slabs {
    int axis;        /* cut along this one; whole behind it, one by one before it */
    int64_t step;    /* along it */
    int64_t largest; /* elements of a slab */
} slabs;

static slabs plan_slabs(const tr_inspect_item *item, const tr_h5_array *array)
{
    slabs plan = {.axis = 0};
    int64_t row = item->n;
    hsize_t chunk[TR_H5_RANK] = {0};
    while (plan.axis < item->rank && (row /= item->dims[plan.axis]) > SLAB)
        plan.axis++;
    plan.step = SLAB / row;
    if (array->outside) { /* checked, and so read, as a whole */
        plan.axis = 0;
        row = item->n / item->dims[0];
        plan.step = item->dims[0];
    }
    const hid_t plist = H5Dget_create_plist(array->id);
    if (!array->outside && plan.axis == 0 && H5Pget_layout(plist) == H5D_CHUNKED &&
        H5Pget_chunk(plist, TR_H5_RANK, chunk) == item->rank && chunk[0] > 0 &&
        chunk[0] <= (hsize_t)(LARGEST_SLAB / row)) {
        const int64_t rows = (int64_t)chunk[0];
        plan.step = plan.step < rows ? rows : plan.step / rows * rows;
    }
    tr_h5_close(plist);
    if (plan.step > item->dims[plan.axis])
        plan.step = item->dims[plan.axis];
    plan.largest = plan.step * row;
    return plan;
}

/* Moves `start` to the next slab; false after the last. */
static bool next_slab(int64_t *start, const slabs *plan, const tr_inspect_item *item)
{
    start[plan->axis] += plan->step;
    for (int i = plan->axis; start[i] >= item->dims[i]; i--) {
        if (i == 0)
            return false;
        start[i] = 0;
        start[i - 1]++;
    }
    return true;
}

static bool read_slab(statistics *self, void *values, const tr_h5_array *array,
                      const int64_t *start, const int64_t *count, int64_t n)
{
    tr_inspect_item *item = self->item;
    const hid_t type = item->is_float ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
    char text[TR_H5_TEXT];
    const char *fault = tr_h5_array_try_box(values, array, type, start, count, text, sizeof text);
    if (fault != NULL) {
        snprintf(item->fault, sizeof item->fault, "%s", fault);
        return false;
    }
    if (item->is_float)
        count_floats(self, values, n);
    else
        count_integers(self, values, n);
    return true;
}

static bool read_slabs(statistics *self, void *values, const tr_h5_array *array, const slabs *plan)
{
    const tr_inspect_item *item = self->item;
    int64_t start[TR_H5_RANK] = {0};
    bool ok = true;
    do {
        int64_t count[TR_H5_RANK] = {0}, n = 1;
        for (int i = 0; i < item->rank; i++) {
            const int64_t left = item->dims[i] - start[i];
            count[i] = i < plan->axis ? 1 : left;
            if (i == plan->axis && plan->step < left)
                count[i] = plan->step;
            n *= count[i];
        }
        ok = read_slab(self, values, array, start, count, n);
    } while (ok && next_slab(start, plan, item));
    return ok;
}

/* ---- the item ---- */

static bool read_scalar(statistics *self, const tr_h5_array *array)
{
    union {
        double real;
        int64_t whole;
    } value = {0};
    return read_slab(self, &value, array, NULL, NULL, 1);
}

static bool read_array(statistics *self, const tr_h5_array *array)
{
    tr_inspect_item *item = self->item;
    const slabs plan = plan_slabs(item, array);
    void *values = tr_alloc((size_t)plan.largest, sizeof(double));
    if (values == NULL) {
        snprintf(item->fault, sizeof item->fault, "out of memory");
        return false;
    }
    const bool ok = read_slabs(self, values, array, &plan);
    tr_free(values);
    return ok;
}

bool tr_inspect_values(tr_inspect_item *item, tr_inspection *inspection, const tr_h5_array *array)
{
    statistics self = {.item = item, .classes = inspection->classes + inspection->n_classes};
    const bool like_labels =
        !item->is_float && (item->rank == 1 || (item->rank == 2 && item->dims[1] == 1));
    if (!like_labels || inspection->n_classes > TR_INSPECT_CLASS_POOL - TR_INSPECT_CLASSES)
        self.n_classes = NO_LABELS;
    if (!(item->rank == 0 ? read_scalar(&self, array) : read_array(&self, array)))
        return false;
    item->has_range = self.n_finite > 0;
    item->mean = self.n_finite > 0 ? self.sum / (double)self.n_finite : 0;
    if (self.n_classes > 0) {
        item->first_class = inspection->n_classes;
        item->n_classes = self.n_classes;
        inspection->n_classes += self.n_classes;
    }
    return true;
}
