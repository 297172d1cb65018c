/* dataset_room.c -- see dataset_room.h. */
#include "dataset_room.h"

#include "mem.h"
#include "samples.h"

void tr_dataset_room_release(tr_samples *samples)
{
    tr_shared_free((void *)samples->x);
    tr_shared_free((void *)samples->y);
    tr_shared_free((void *)samples->values);
    tr_shared_free((void *)samples->weights);
    tr_streamed_free(samples->streamed);
    *samples = (tr_samples){0};
}

size_t tr_dataset_image_bytes(const tr_samples *samples)
{
    return (size_t)(samples->h * samples->w * samples->c) * tr_pixel_bytes(samples->pixel);
}

/* A training wants memory for itself, too: half of what is left is the images' at most. */
bool tr_dataset_room_is_resident(const tr_dataset_visit *visit, int part)
{
    double all = 0.0;
    if (visit->memory == TR_MEMORY_RESIDENT || visit->found[part].place != TR_H5_IN_ONE_PIECE)
        return true;
    for (int i = 0; i < TR_N_PARTS; i++)
        all += (double)visit->found[i].samples.n *
               (double)tr_dataset_image_bytes(&visit->found[i].samples);
    return visit->memory == TR_MEMORY_AUTO && all <= (double)visit->memory_left / 2;
}

/* The child's word is not enough: images must be within the file. */
static tr_status stream(tr_samples *samples, const tr_found_part *found, const tr_part_names *names,
                        tr_error *err)
{
    int64_t bytes, end;
    tr_streamed *streamed = tr_alloc(1, sizeof *streamed);
    if (streamed == NULL)
        return tr_out_of_memory(err, names->path);
    samples->streamed = streamed;
    tr_raw_images *images = &streamed->images;
    TR_TRY(tr_raw_images_open(images, names->path, names->x, err));
    images->offset = found->offset;
    images->n = samples->n;
    images->pixels = samples->h * samples->w * samples->c;
    images->pixel = samples->pixel;
    if (found->offset < 0 ||
        __builtin_mul_overflow(samples->n, (int64_t)tr_dataset_image_bytes(samples), &bytes) ||
        __builtin_add_overflow(found->offset, bytes, &end) || end > images->file_bytes)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s does not lie within the file, which has %lld bytes: it is damaged "
                       "or its writer was interrupted",
                       names->path, names->x, (long long)images->file_bytes);
    streamed->feed = tr_feed_new(images);
    return streamed->feed == NULL ? tr_out_of_memory(err, names->path) : TR_OK;
}

tr_status tr_dataset_room_make(tr_samples *samples, const tr_dataset_visit *visit, int part,
                               tr_error *err)
{
    const tr_found_part *found = &visit->found[part];
    const tr_part_names *names = &visit->names[part];
    const tr_samples *seen = &found->samples;
    const bool resident = tr_dataset_room_is_resident(visit, part);
    *samples = (tr_samples){.n = seen->n,
                            .h = seen->h,
                            .w = seen->w,
                            .c = seen->c,
                            .pixel = seen->pixel,
                            .width = seen->width};
    const size_t n = (size_t)seen->n;
    const bool classes = found->form == TR_TARGET_CLASSES, values = found->form == TR_TARGET_VALUES;
    if (classes)
        samples->y = tr_shared_alloc(n, sizeof *samples->y);
    if (values)
        samples->values = tr_shared_alloc(n, (size_t)seen->width * sizeof *samples->values);
    if (names->w != NULL)
        samples->weights = tr_shared_alloc(n, sizeof *samples->weights);
    if (resident)
        samples->x = tr_shared_alloc(n, tr_dataset_image_bytes(seen));
    if ((resident && samples->x == NULL) || (classes && samples->y == NULL) ||
        (values && samples->values == NULL) || (names->w != NULL && samples->weights == NULL))
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %lld images, %.3f GiB",
                       names->path, (long long)seen->n,
                       (double)seen->n * (double)tr_dataset_image_bytes(seen) * 0x1p-30);
    return resident ? TR_OK : stream(samples, found, names, err);
}
