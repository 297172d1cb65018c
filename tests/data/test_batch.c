/* test_batch.c -- gather and scale: NumPy's float32 quotients, padding, odd sizes. */
#include "data_fixture.h"

#include <math.h>

#include "batch.h"

/* 64-byte aligned, with a guard behind the end. */
static float *batch_block(int64_t n_floats)
{
    float *dst = tr_alloc((size_t)n_floats + 16, sizeof *dst);
    cr_assert_not_null(dst);
    for (int64_t i = 0; i < n_floats + 16; i++)
        dst[i] = -7;
    return dst;
}

/* The float nearest to k / 255, found without dividing floats: double is precise enough for the
 * double rounding to be harmless (Figueroa 1995: 53 >= 2 * 24 + 2). */
Test(batch, every_pixel_is_the_nearest_float_to_its_255th)
{
    uint8_t x[256];
    int32_t label = 4;
    for (int i = 0; i < 256; i++)
        x[i] = (uint8_t)i;
    const tr_samples samples = {
        .n = 1, .h = 16, .w = 16, .c = 1, .pixel = TR_PIXEL_U8, .x = x, .y = &label};
    const uint32_t index = 0;
    float *dst = batch_block(256);
    tr_batch_gather(dst, &samples, &index, 1, 1, 1, 255);
    for (int i = 0; i < 256; i++)
        cr_expect_eq(dst[i], (float)((double)i / 255.0), "pixel %d", i);
    /* As np.uint8(k).astype('float32') / 255 prints them, in bits. */
    const float numpy[][2] = {{1, 0x1.010102p-8f},
                              {7, 0x1.c1c1c2p-6f},
                              {100, 0x1.919192p-2f},
                              {127, 0x1.fdfdfep-2f},
                              {200, 0x1.919192p-1f},
                              {254, 0x1.fdfdfep-1f},
                              {255, 1}};
    for (size_t i = 0; i < sizeof numpy / sizeof numpy[0]; i++)
        cr_expect_eq(dst[(int)numpy[i][0]], numpy[i][1]);
    tr_free(dst);
}

/* Every size around a vector's width, so that no loop tail goes untested. */
Test(batch, gathers_pads_and_stays_inside)
{
    enum { N = 6 };
    const int32_t labels[N] = {5, 4, 3, 2, 1, 0};
    const uint32_t index[4] = {5, 0, 3, 3};
    for (int64_t w = 1; w <= 67; w++) {
        for (int pixel = 0; pixel < 2; pixel++) {
            uint8_t bytes[N * 67];
            float floats[N * 67];
            for (int64_t i = 0; i < N * w; i++) {
                bytes[i] = (uint8_t)(i * 31 % 251);
                floats[i] = (float)bytes[i] - 100.25f;
            }
            const tr_samples samples = {.n = N,
                                        .h = 1,
                                        .w = w,
                                        .c = 1,
                                        .pixel = pixel ? TR_PIXEL_F32 : TR_PIXEL_U8,
                                        .x = pixel ? (const void *)floats : bytes,
                                        .y = labels};
            float *dst = batch_block(8 * w);
            int32_t y[9] = {9, 9, 9, 9, 9, 9, 9, 9, 9};
            tr_batch_gather(dst, &samples, index, 4, 8, 3, 7);
            tr_batch_classes(y, &samples, index, 4);
            for (int64_t i = 0; i < 4 * w; i++) {
                const int64_t from = (int64_t)index[i / w] * w + i % w;
                const volatile float tripled = (pixel ? floats[from] : (float)bytes[from]) * 3.0f;
                cr_assert_eq(dst[i], tripled / 7.0f, "width %lld", (long long)w);
            }
            for (int64_t i = 4 * w; i < 8 * w; i++)
                cr_assert(dst[i] == 0 && !signbit(dst[i]));
            cr_assert_eq(dst[8 * w], -7, "wrote behind the batch");
            const int32_t expected[9] = {0, 5, 2, 2, 9, 9, 9, 9, 9};
            cr_assert_arr_eq(y, expected, sizeof y);
            tr_free(dst);
        }
    }
}

Test(batch, scales_colour_images_in_order)
{
    uint8_t x[2 * 2 * 3 * 3];
    const int32_t labels[2] = {0, 1};
    for (int i = 0; i < 36; i++)
        x[i] = (uint8_t)i;
    const tr_samples samples = {
        .n = 2, .h = 2, .w = 3, .c = 3, .pixel = TR_PIXEL_U8, .x = x, .y = labels};
    const uint32_t index[2] = {1, 0};
    float *dst = batch_block(36);
    tr_batch_gather(dst, &samples, index, 2, 2, 1, 1);
    for (int i = 0; i < 36; i++)
        cr_expect_eq(dst[i], (float)((i + 18) % 36));
    tr_free(dst);
}

Test(batch, gathers_values_of_any_width)
{
    const float values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const uint32_t index[3] = {3, 0, 3};
    float got[10] = {[9] = -7};
    const tr_samples wide = {.n = 4, .values = values, .width = 3};
    tr_batch_values(got, &wide, index, 3);
    const float expected[10] = {9, 10, 11, 0, 1, 2, 9, 10, 11, -7};
    cr_assert_arr_eq(got, expected, sizeof got);
    const tr_samples narrow = {.n = 12, .values = values, .width = 1};
    tr_batch_values(got, &narrow, index, 3);
    cr_assert(got[0] == 3 && got[1] == 0 && got[2] == 3 && got[3] == 0);
}

Test(batch, of_padding_only)
{
    const tr_samples samples = {.h = 2, .w = 2, .c = 1, .pixel = TR_PIXEL_U8};
    float *dst = batch_block(8);
    tr_batch_gather(dst, &samples, NULL, 0, 2, 1, 255);
    for (int i = 0; i < 8; i++)
        cr_expect_eq(dst[i], 0);
    tr_free(dst);
}

Test(batch, does_not_allocate)
{
    const uint8_t x[4] = {1, 2, 3, 4};
    const int32_t label = 0;
    const tr_samples samples = {
        .n = 1, .h = 2, .w = 2, .c = 1, .pixel = TR_PIXEL_U8, .x = x, .y = &label};
    const uint32_t index = 0;
    float *dst = batch_block(4);
    const uint64_t before = tr_alloc_count();
    tr_batch_gather(dst, &samples, &index, 1, 1, 1, 255);
    cr_expect_eq(tr_alloc_count(), before);
    tr_free(dst);
}
