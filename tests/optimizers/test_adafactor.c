/* test_adafactor.c -- Keras's own steps, with the slots that have other shapes than the weights. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tensor_trace.h"
#include "trace.h"
#include "update.h"

Test(adafactor, follows_keras)
{
    test_tensor_traces("adafactor_", 5);
}

Test(adafactor, epsilon_must_not_vanish_in_float32)
{
    test_optimizer_refuses("adafactor", "epsilon_1 = 1e-40\n", 1, "epsilon_1");
}

/* Keras's formulas in double, for the first step: r, c and v are its squares alone. */
static void define(double *w, const float *g, size_t matrices, size_t rows, size_t columns)
{
    const size_t n = rows * columns, all = matrices * n;
    double size = 0.0, length = 0.0;
    double u[4096];
    for (size_t k = 0; k < matrices; k++) {
        double r[256] = {0}, c[64] = {0}, mean = 0.0;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++) {
                const double x = (double)g[k * n + i * columns + j];
                r[i] += x * x / (double)columns;
                c[j] += x * x / (double)rows;
                mean += x * x / (double)n;
            }
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++) {
                const size_t at = k * n + i * columns + j;
                u[at] = (double)g[at] / sqrt(r[i] / mean * c[j]);
                length += u[at] * u[at] / (double)all;
                size += w[at] * w[at] / (double)all;
            }
    }
    for (size_t i = 0; i < all; i++)
        w[i] -= 0.25 * fmax(0.001, sqrt(size)) * u[i] / fmax(1.0, sqrt(length));
}

/* More rows than a part has. */
Test(adafactor, rows_in_several_parts)
{
    enum { MATRICES = 2, ROWS = 150, COLUMNS = 11, N = MATRICES * ROWS * COLUMNS };
    static float w[N], g[N], expected[N];
    static double exact[N];
    tr_config *config;
    tr_updater *updater = NULL;
    tr_error err = {0};
    tr_optimizers made = {
        .n = 1, .items = {test_optimizer("adafactor", "learning_rate = 0.25\n", &config)}};
    const tr_flat_tensor tensor = {.tensor = {"a", "kernel", 4, {1, MATRICES, ROWS, COLUMNS}, N},
                                   .n = N};
    test_fill(w, N, 3);
    test_fill(g, N, 4);
    for (size_t i = 0; i < N; i++)
        exact[i] = (double)w[i];
    define(exact, g, MATRICES, ROWS, COLUMNS);
    for (size_t i = 0; i < N; i++)
        expected[i] = (float)exact[i];
    cr_assert_eq(tr_updater_new(&updater, &made, &tensor, 1, N, &err), TR_OK);
    tr_updater_begin(updater, 0);
    tr_updater_run(updater, w, &(tr_leaves){.first = g, .stride = N, .n = 1}, NULL, 0, 1);
    test_close("adafactor", w, expected, N, 1e-6, 1e-6);
    tr_updater_free(updater);
    tr_optimizers_release(&made);
    tr_config_free(config);
}
