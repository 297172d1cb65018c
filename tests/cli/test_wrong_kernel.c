/* test_wrong_kernel.c -- the program over a oneDNN with a wrong kernel: what a command runs on is
 * right, or the command is refused before its first result.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "run.h"
#include "small_run.h"

static const test_outcome *with_wrong(const char *kernel, const char *arguments)
{
    char prefix[512];
    snprintf(prefix, sizeof prefix,
             "LD_PRELOAD=%s ASAN_OPTIONS=verify_asan_link_order=0 TR_WRONG_KERNEL='%s'",
             TR_WRONG_KERNEL, kernel);
    return test_run(prefix, arguments);
}

static const char *of_checkpoint(const char *command)
{
    static char arguments[1024];
    snprintf(arguments, sizeof arguments, "%s --checkpoint %s/run/last.h5", command, test_folder());
    return arguments;
}

Test(wrong_kernel, no_step_is_made_where_none_is_right)
{
    const test_outcome *result =
        with_wrong("convolution backward_weights *", test_short_run("mnist.ini", ""));
    test_expect(result, 2, "layer conv");
    test_expect(result, 2, ", convolution, backward weights (training): the kernel ");
    test_expect(result, 2, "no other of its kernels is right; use another oneDNN");
    cr_assert_null(strstr(result->text, "epoch"), "%s", result->text);
}

/* The kernel's name is this machine's. */
static void preferred(char impl[64])
{
    const test_outcome *result = test_run("", "summary -c " TR_SOURCE "/configs/mnist.ini");
    const char *row = strstr(result->text, "\n conv2 ");
    row = strstr(row == NULL ? "" : row + 1, "\n conv2 "); /* in the table of kernels */
    cr_assert_not_null(row, "%s", result->text);
    cr_assert_eq(sscanf(row, " conv2 %*s %*s %63s", impl), 1, "%s", row);
}

Test(wrong_kernel, is_planned_around_and_said)
{
    char impl[64], wrong[128], note[256];
    preferred(impl);
    snprintf(wrong, sizeof wrong, "convolution backward_weights %s", impl);
    snprintf(note, sizeof note,
             "trainer: note: layer conv2, convolution, backward weights (training): the kernel %s "
             "of oneDNN ",
             impl);
    const test_outcome *result = with_wrong(wrong, test_short_run("mnist.ini", ""));
    test_expect(result, 0, note);
    test_expect(result, 0, "in its place: ");
    /* --resume looks again. */
    test_expect(with_wrong("pooling forward_training *",
                           test_first_run("mnist.ini", "--resume --set fit.epochs=3")),
                2, "max pooling, forward");
}

/* They do not train: a wrong gradient is none of their business, a wrong prediction is. */
Test(wrong_kernel, evaluate_and_predict_look_at_inference)
{
    static const char *const commands[] = {"evaluate", "predict"};
    test_expect(test_run("", test_short_run("mnist.ini", "")), 0, "parameters ");
    for (size_t i = 0; i < 2; i++) {
        const test_outcome *result =
            with_wrong("convolution backward_weights *", of_checkpoint(commands[i]));
        cr_assert_eq(result->code, 0, "%s", result->text);
        cr_assert_null(strstr(result->text, "note:"), "%s", result->text);
        test_expect(with_wrong("inner_product forward_inference *", of_checkpoint(commands[i])), 2,
                    "layer output, inner product, forward (inference): the kernel ");
    }
}
