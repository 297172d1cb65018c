/* test_newton_schulz.c -- the iteration against its definition in double, at sizes that fill no
 * tile and no block, tall and wide; parts in any order give the same bits. */
#include "newton_schulz.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"

/* c [n, m] = a [n, k] b, b [k, m] or, transposed, [m, k]. */
static void multiply(double *c, const double *a, const double *b, bool transposed, size_t n,
                     size_t k, size_t m)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
            double sum = 0.0;
            for (size_t t = 0; t < k; t++)
                sum += a[i * k + t] * (transposed ? b[j * k + t] : b[t * m + j]);
            c[i * m + j] = sum;
        }
}

/* X as it is, the products of its rows. */
static void define(const tr_newton_schulz *of, double *x)
{
    const size_t n = of->rows, m = of->columns;
    double *a = tr_alloc(n * n, sizeof *a), *b = tr_alloc(n * n, sizeof *b);
    double *bx = tr_alloc(n * m, sizeof *bx), norm = 0.0;
    for (size_t i = 0; i < n * m; i++)
        norm += x[i] * x[i];
    for (size_t i = 0; i < n * m; i++)
        x[i] /= sqrt(norm) + 1e-7;
    for (int step = 0; step < of->steps; step++) {
        multiply(a, x, x, true, n, m, n);
        multiply(b, a, a, false, n, n, n);
        for (size_t i = 0; i < n * n; i++)
            b[i] = of->b * a[i] + of->c * b[i];
        multiply(bx, b, x, false, n, n, m);
        for (size_t i = 0; i < n * m; i++)
            x[i] = of->a * x[i] + bx[i];
    }
    tr_free(a);
    tr_free(b);
    tr_free(bx);
}

static void run(const tr_newton_schulz *of, float *x, bool backward)
{
    void *room = tr_alloc(1, tr_newton_schulz_room(of));
    memset(room, 0xff, tr_newton_schulz_room(of)); /* NaN: nothing is read before it is written */
    for (int pass = 0; pass < tr_newton_schulz_passes(of); pass++) {
        const size_t n = tr_newton_schulz_parts(of, pass);
        for (size_t part = 0; part < n; part++)
            tr_newton_schulz_run(of, x, 0.5f, room, pass, backward ? n - 1 - part : part);
    }
    tr_free(room);
}

static void compare(size_t rows, size_t columns, int steps)
{
    const tr_newton_schulz of = {
        .rows = rows, .columns = columns, .a = 3.4445, .b = -4.775, .c = 2.0315, .steps = steps};
    const size_t n = rows * columns;
    char text[64];
    float *x = tr_alloc(n, sizeof *x), *again = tr_alloc(n, sizeof *x);
    float *expected = tr_alloc(n, sizeof *x);
    double *exact = tr_alloc(n, sizeof *exact);
    test_fill(x, n, (unsigned)(rows + 31 * columns));
    memcpy(again, x, n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        exact[i] = (double)x[i];
    define(&of, exact);
    for (size_t i = 0; i < n; i++)
        expected[i] = (float)(0.5 * exact[i]);
    run(&of, x, false);
    run(&of, again, true);
    snprintf(text, sizeof text, "%zu x %zu, %d steps", rows, columns, steps);
    /* A rounding grows by up to 3.4445 a step. */
    test_close(text, x, expected, n, 1e-5, 0.0);
    cr_expect_eq(memcmp(x, again, n * sizeof *x), 0, "%s", text);
    tr_free(x);
    tr_free(again);
    tr_free(expected);
    tr_free(exact);
}

Test(newton_schulz, is_its_definition_at_any_size)
{
    static const size_t sizes[][2] = {{1, 1},    {1, 40},   {40, 1},  {16, 16},
                                      {150, 37}, {37, 150}, {300, 9}, {129, 16},
                                      {17, 131}, {64, 33},  {65, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        compare(sizes[i][0], sizes[i][1], 5);
    compare(70, 20, 1);
    compare(70, 20, 2);
}
