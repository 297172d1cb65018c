/* test_memory_need.c -- the memory that `trainer check` predicts is what a run has at its peak, to
 * a tenth: as the kernel counts it.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "memory_lines.h"
#include "net.h"
#include "run.h"
#include "small_run.h"

enum { MIB = 1 << 20 };

/* MiB at the peak of the program with these arguments. */
static double peak_of(const char *arguments)
{
    char line[3000];
    struct rusage usage;
    int status;
    snprintf(line, sizeof line, "exec %s %s > %s/output.txt 2>&1", TR_BINARY, arguments,
             test_folder());
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    cr_assert_eq(wait4(child, &status, 0, &usage), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", arguments);
    return (double)usage.ru_maxrss / 1024.0;
}

static double predicted(const char *arguments)
{
    char line[3000];
    snprintf(line, sizeof line, "check %s", arguments);
    const test_outcome *said = test_run("", line);
    test_expect(said, 0, "memory: about");
    return atof(strstr(said->text, "memory: about") + strlen("memory: about"));
}

static void expect_prediction(const char *body, const char *what)
{
    char arguments[2000];
    char *text = tr_format("[data]\nfile = %s\n%s[fit]\nepochs = 1\n[output]\ndirectory = %s/run\n",
                           test_small_data(), body, test_folder());
    snprintf(arguments, sizeof arguments, "-c %s --threads 2", test_file("net.ini", text));
    tr_free(text);
    const double expected = predicted(arguments);
    strcat(arguments, " --overwrite");
    const double peak = peak_of(arguments);
    cr_expect(expected > 0.9 * peak && expected < 1.1 * peak, "%s: predicted %.0f MiB, was %.0f",
              what, expected, peak);
}

static const char last[] = "[layer.last]\ntype = dense\nunits = 10\nactivation = softmax\n"
                           "[compile]\nloss = sparse_categorical_crossentropy\n";

/* Weights, their state and checkpoints; activations kept between stages; gradients of
 * micro-batches.
 */
Test(memory_need, is_what_a_run_takes)
{
#ifdef TR_SANITIZED /* which has a memory of its own */
    return;
#endif
    char body[2000];
    snprintf(body, sizeof body,
             "scale = 1/255\n[model]\ninput_shape = 28, 28, 1\n[layer.f]\ntype = flatten\n"
             "[layer.a]\ntype = dense\nunits = 4000\nactivation = relu\n"
             "[layer.b]\ntype = dense\nunits = 1000\n%soptimizer = adam\n",
             last);
    expect_prediction(body, "dense layers");
    snprintf(body, sizeof body,
             "scale = 1/255\nmemory = streamed\n[model]\ninput_shape = 28, 28, 1\n"
             "[layer.a]\ntype = conv2d\nfilters = 64\nkernel_size = 3\n"
             "[layer.n]\ntype = batch_normalization\n[layer.c]\ntype = conv2d\nfilters = 64\n"
             "kernel_size = 3\n[layer.n2]\ntype = batch_normalization\n"
             "[layer.g]\ntype = global_average_pooling2d\n%soptimizer = sgd\n",
             last);
    expect_prediction(body, "batch normalization");
}

/* A thousand GiB of weights are not even begun with. */
Test(memory_need, a_network_that_fits_no_machine_is_refused_before_it_is_made)
{
    enum { LAYERS = 60 };
    char arguments[1000], layers[LAYERS * 64] = "";
    for (int i = 0; i < LAYERS; i++)
        sprintf(layers + strlen(layers), "[layer.a%d]\ntype = dense\nunits = 40000\n", i);
    char *text = tr_format("[data]\nfile = none.h5\n[model]\ninput_shape = 28, 28, 1\n"
                           "[layer.f]\ntype = flatten\n%s%soptimizer = sgd\n"
                           "[output]\ndirectory = none\n",
                           layers, last);
    snprintf(arguments, sizeof arguments, "check -c %s", test_file("huge.ini", text));
    tr_free(text);
    test_expect(test_run("", arguments), 1, "train a smaller network");
}

/* ---- what is said ---- */

static tr_status check(uint64_t total, uint64_t program, uint64_t bytes, uint64_t left,
                       char text[1024], tr_error *err)
{
    const tr_memory_need need = {.program = program * MIB, .total = total * MIB};
    const tr_memory_limit limit = {bytes * MIB, left * MIB, "its control group (cgroup)"};
    FILE *out = fmemopen(text, 1024, "w");
    const tr_status status = tr_check_memory(out, &need, &limit, err);
    fclose(out);
    return status;
}

Test(memory_need, is_compared_with_what_there_is)
{
    char text[1024] = "";
    tr_error err = {0};
    cr_expect_eq(check(500, 50, 1000, 700, text, &err), TR_OK);
    cr_expect_str_eq(text, "");
    cr_expect_eq(check(500, 50, 1000, 400, text, &err), TR_OK);
    cr_expect_not_null(strstr(text, "warning: the run needs about 450 MiB of memory more than it "
                                    "has, and 400 are left"),
                       "%s", text);
    cr_expect_eq(check(1050, 50, 1000, 1000, text, &err),
                 TR_OK); /* within the prediction's error */
    cr_expect_eq(check(1150, 50, 1000, 1000, text, &err), TR_ERR_INTERNAL);
    cr_expect_not_null(strstr(err.text, "needs about 1150 MiB of memory, and its control group "
                                        "(cgroup) has 1000"),
                       "%s", err.text);
}
