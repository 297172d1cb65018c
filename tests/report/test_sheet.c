/* test_sheet.c -- where the pictures of a sheet lie. */
#include "sheet.h"

#include <criterion/criterion.h>
#include <string.h>

Test(sheet, a_row_for_each_image)
{
    /* Two images of 2 x 3, each smaller by a column in two epochs. */
    static uint32_t samples[2] = {4, 9};
    static float images[12] = {0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0};
    static float versions[16] = {0, 5, 5, 0, 5, 5, 0, 0, 0, 0, 5, 5, 5, 0, 0, 5};
    const tr_augmented of = {.n = 2,
                             .epochs = 2,
                             .shape = {2, 3, 1},
                             .changed = {2, 2, 1},
                             .samples = samples,
                             .images = images,
                             .versions = versions};
    static const char *const rows[10] = {
        "wwwwwwwwwwwwwww", "wwwwwwwwwwwwwww", "wwbwbwwbwwwwwww", "wwwbwwwwbwwbbww",
        "wwwwwwwwwwwwwww", "wwwwwwwwwwwwwww", "wwwwwwwbbwwwbww", "wwbbbwwwwwwbwww",
        "wwwwwwwwwwwwwww", "wwwwwwwwwwwwwww",
    };
    tr_image sheet = {0};
    tr_error err = {0};
    cr_assert_eq(tr_sheet_draw(&sheet, &of, &err), TR_OK, "%s", err.text);
    cr_assert(sheet.h == 10 && sheet.w == 15 && sheet.c == 1, "%d x %d", (int)sheet.h,
              (int)sheet.w);
    for (int y = 0; y < 10; y++)
        for (int x = 0; x < 15; x++)
            cr_assert_eq(sheet.pixels[y * 15 + x], rows[y][x] == 'w' ? 255 : 0, "%d, %d", y, x);
    tr_image_release(&sheet);
}

/* One pixel in colour that becomes grey, and one that becomes coloured. */
Test(sheet, grey_and_colours_together)
{
    static uint32_t samples[1] = {0};
    static float three[3] = {0, 1, 0}, one[2] = {1, 0};
    tr_augmented of = {.n = 1,
                       .epochs = 1,
                       .shape = {1, 1, 3},
                       .changed = {1, 2, 1},
                       .samples = samples,
                       .images = three,
                       .versions = one};
    tr_image sheet = {0};
    tr_error err = {0};
    cr_assert_eq(tr_sheet_draw(&sheet, &of, &err), TR_OK, "%s", err.text);
    cr_assert(sheet.h == 5 && sheet.w == 9 && sheet.c == 3);
    const uint8_t *row = sheet.pixels + 2 * 9 * 3;
    cr_expect_eq(memcmp(row + 2 * 3, (const uint8_t[]){0, 255, 0}, 3), 0);
    cr_expect_eq(memcmp(row + 5 * 3, (const uint8_t[]){255, 255, 255, 0, 0, 0}, 6), 0);
    tr_image_release(&sheet);

    of = (tr_augmented){.n = 1,
                        .epochs = 1,
                        .shape = {1, 2, 1},
                        .changed = {1, 1, 3},
                        .samples = samples,
                        .images = one,
                        .versions = three};
    cr_assert_eq(tr_sheet_draw(&sheet, &of, &err), TR_OK, "%s", err.text);
    cr_assert(sheet.h == 5 && sheet.w == 9 && sheet.c == 3);
    row = sheet.pixels + 2 * 9 * 3;
    cr_expect_eq(memcmp(row + 2 * 3, (const uint8_t[]){255, 255, 255, 0, 0, 0}, 6), 0);
    cr_expect_eq(memcmp(row + 6 * 3, (const uint8_t[]){0, 255, 0}, 3), 0);
    tr_image_release(&sheet);
}
