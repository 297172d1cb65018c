/* test_sheet.c -- where the pictures of a sheet lie. */
#include "sheet.h"

#include <criterion/criterion.h>

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
