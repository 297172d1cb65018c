/* test_bench_table.c -- every line of the table says what it should, whatever was measured. */
#include <stdarg.h>

#include "made_bench.h"

/* Fails unless one line of the text has all the words, up to NULL, in this order. */
static void assert_line(const char *text, ...)
{
    for (const char *line = text; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        char *copy = strndup(line, n);
        const char *at = copy;
        va_list words;
        va_start(words, text);
        for (const char *word; at != NULL && (word = va_arg(words, const char *)) != NULL;) {
            at = strstr(at, word);
            at = at == NULL ? NULL : at + strlen(word);
        }
        va_end(words);
        free(copy);
        if (at != NULL)
            return;
        line += n + (line[n] == '\n');
    }
    va_list words;
    va_start(words, text);
    const char *first = va_arg(words, const char *);
    va_end(words);
    cr_assert(false, "no line with '%s' and the rest in:\n%s", first, text);
}

Test(bench_table, head_and_speed)
{
    made_bench made;
    make_bench(&made);
    char *text = printed(&made, 0);
    assert_line(text, "trainer " TR_VERSION, "oneDNN ", "kernels: onednn, float32", "threads: 4",
                NULL);
    assert_line(text, "cpu: ", NULL);
    assert_line(text, "multiply-add peak: 410.0 GFLOP/s", "390.0 to 410.0", "median 400.0", NULL);
    assert_line(text, "copying peak: 80.0 GB/s a thread within 32 KB, 25.0 GB/s within 128 KB",
                NULL);
    assert_line(text, "step: 128 images in 16 micro-batches of 8", "0.900 ms (0.850 to 1.500)",
                NULL);
    /* 190.4e6 operations in 900 us; of 410. */
    assert_line(text, "training: 142222 images/s (130000 to 150000)", "211.6 GFLOP/s",
                "51.6 % of the peak", NULL);
    assert_line(text, "evaluation: 300000 images/s (290000 to 310000)", NULL);
    free(text);
}

Test(bench_table, operations)
{
    made_bench made;
    make_bench(&made);
    char *text = printed(&made, 0);
    assert_line(text, "Where a step goes: one thread, mean of 4, 0.925 ms", NULL);
    assert_line(text, "Layer", "Operation", "Direction", "Kernel", "us/image", "GFLOP/s", "of peak",
                "of step", NULL);
    /* us x 4 threads / 128 images; flops x 4 micro-batches of a thread / us; of 102.5 GFLOP/s, a
     * thread's share of the peak; of 925 us. */
    /* 90000 bytes in 8 us; 80000 of them copied at 25 GB/s and 10000 filled at 40, of 8 us. */
    assert_line(text, "conv_one", "reorder", "once a step", "jit:uni_made", "0.250", " 11 GB/s",
                "43.1%", "0.86%", NULL);
    assert_line(text, "conv_one", "convolution", "forward", "jit:made_up", "9.062", "40.0", "39.0%",
                "31.35%", NULL);
    assert_line(text, "dense_two", "inner product", "backward weights", "gemm:made_up", "14.062",
                "80.0", "78.0%", "48.65%", NULL);
    assert_line(text, "these operations together", "23.375", "63.6", "62.1%", "80.86%", NULL);
    free(text);
}

Test(bench_table, everything_else)
{
    made_bench made;
    make_bench(&made);
    char *text = printed(&made, 0);
    assert_line(text, "gather", "0.625", "2.16%", NULL);
    assert_line(text, "loss", "0.156", "0.54%", NULL);
    assert_line(text, "calls", "1.938", "6.70%", NULL);
    assert_line(text, "wait", "0.219", "0.76%", NULL);
    assert_line(text, "sum", "1.250", "1.6 GB/s", "4.32%", NULL);
    assert_line(text, "update", "0.938", "3.24%", NULL);
    assert_line(text, "rest", "0.406", "1.41%", NULL);
    assert_line(text, "outside of them together", "5.531", "19.14%", NULL);
    free(text);
}

Test(bench_table, kernels)
{
    made_bench made;
    make_bench(&made);
    char *text = printed(&made, 0);
    assert_line(text, "kernels ", " onednn", " fast", NULL);
    assert_line(text, "images/s ", " 142222 ", " 213333", NULL);
    assert_line(text, "fastest here: kernels = fast, 1.50 times as fast as onednn (part of", NULL);
    free(text);
    made.kernels[1].images_per_s = 143000; /* by less than 1 % */
    text = printed(&made, 0);
    assert_line(text, "fastest here: kernels = onednn, as configured", NULL);
    free(text);
    made.report.n_kernels = 1; /* no others can be had */
    text = printed(&made, 0);
    cr_assert_null(strstr(text, "fastest"), "%s", text);
    free(text);
}

Test(bench_table, micro_batches)
{
    made_bench made;
    make_bench(&made);
    char *text = printed(&made, 0);
    assert_line(text, "micro_batch ", " 4", " 8", " 16", NULL);
    assert_line(text, "images/s ", "120000", "142222", "150000", NULL);
    assert_line(text, "recommended here: micro_batch = 16 (part of the numeric result", NULL);
    free(text);
    made.choices[1].images_per_s = 160000;
    text = printed(&made, 0);
    assert_line(text, "recommended here: micro_batch = 8, as configured", NULL);
    free(text);
    made.report.n_choices = 0;
    text = printed(&made, 0);
    cr_assert_null(strstr(text, "recommended"), "%s", text);
    free(text);
}

Test(bench_table, names_the_settings)
{
    made_bench made;
    make_bench(&made);
    made.config.engine.precision = TR_BFLOAT16;
    made.config.engine.convolution = TR_CONVOLUTION_WINOGRAD;
    char *text = printed(&made, 0);
    assert_line(text, "trainer " TR_VERSION, "kernels: onednn (winograd), bfloat16", NULL);
    free(text);
}

Test(bench_table, without_a_peak_or_any_time)
{
    made_bench made;
    make_bench(&made);
    made.bench.peak = (tr_spread){0, 0, 0};
    char *text = printed(&made, 0);
    assert_line(text, "multiply-add peak: not known for this instruction set", NULL);
    cr_assert_null(strstr(text, "of the peak"), "%s", text);
    assert_line(text, "conv_one", "convolution", "40.0", "0.0%", "31.35%", NULL);
    free(text);
    forget_times(&made);
    text = printed(&made, 0);
    cr_assert(strstr(text, "nan") == NULL && strstr(text, "inf") == NULL, "%s", text);
    free(text);
}
