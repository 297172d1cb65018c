/* test_two_writers.c -- two processes write one file at the same moment, each operation on a file
 * delayed by chance: what is there is whole, and nobody says that it is his when it is not.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5_write.h"
#include "leftovers.h"
#include "net.h"
#include "run.h"

enum { PAIRS = 7, N = 40, SIDE = 6 };

static tr_status fill(const void *user, hid_t file, tr_error *err)
{
    const int which = *(const int *)user;
    const int64_t dims[3] = {N, SIDE, SIDE};
    uint8_t x[N * SIDE * SIDE], y[N];
    for (int i = 0; i < N * SIDE * SIDE; i++)
        x[i] = (uint8_t)(i * 7 + which * 11);
    for (int i = 0; i < N; i++)
        y[i] = (uint8_t)(i % 3);
    static const char *const parts[2] = {"train", "test"};
    for (int p = 0; p < 2; p++) {
        char name[16];
        snprintf(name, sizeof name, "x_%s", parts[p]);
        TR_TRY(tr_h5_write_dataset(file, name, 3, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, x, err));
        name[0] = 'y';
        TR_TRY(tr_h5_write_dataset(file, name, 1, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, y, err));
    }
    return TR_OK;
}

/* data_0.h5, data_1.h5; run_0, run_1 with a last.h5 each, of other weights. */
static void prepare(void)
{
    char path[512], arguments[2048];
    tr_error err = {0};
    const char *config = test_file(
        "net.ini", "[data]\nfile = none.h5\nscale = 1/255\n[model]\ninput_shape = 6, 6, 1\n"
                   "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\n"
                   "activation = softmax\n[compile]\nloss = sparse_categorical_crossentropy\n"
                   "optimizer = sgd\n[fit]\nepochs = 1\n[output]\ndirectory = none\n");
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/data_%d.h5", test_folder(), i);
        cr_assert_eq(tr_h5_write_file(path, fill, &i, &err), TR_OK, "%s", err.text);
        snprintf(arguments, sizeof arguments,
                 "-c %s --set data.file=%s --set fit.seed=%d --set output.directory=%s/run_%d",
                 config, path, i, test_folder(), i);
        test_expect(test_run("", arguments), 0, "parameters");
    }
}

/* `command` with %d in place of 0 or 1, and the output behind it. */
static pid_t start(const char *command, int which, const char *output, bool delayed)
{
    char words[512], line[2048];
    snprintf(words, sizeof words, command, which);
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(line, sizeof line,
             "cd %s && exec env %s%s ASAN_OPTIONS=verify_asan_link_order=0 FAULT_FOLDER=%s "
             "FAULT_DELAY=20000 %s %s %s > said_%d 2>&1",
             test_folder(), delayed ? "LD_PRELOAD=" : "X=", TR_FAULT, test_folder(), TR_BINARY,
             words, output, which);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

static int code_of(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool shell(const char *format, const char *a, const char *b)
{
    char command[1024], line[1400];
    snprintf(command, sizeof command, format, a, b);
    snprintf(line, sizeof line, "cd %s && %s", test_folder(), command);
    return system(line) == 0;
}

/* Whose file it is: 0 or 1; else it is a mixture. */
static int owner(const char *output)
{
    return shell("cmp -s %s alone_0_%s", output, output)   ? 0
           : shell("cmp -s %s alone_1_%s", output, output) ? 1
                                                           : -1;
}

static int n_losers; /* that noticed */

static void race(const char *command, const char *output)
{
    char alone[2][128];
    for (int i = 0; i < 2; i++) {
        snprintf(alone[i], sizeof alone[i], "alone_%d_%s", i, output);
        cr_assert_eq(code_of(start(command, i, alone[i], false)), 0, "%s", command);
    }
    cr_assert(!shell("cmp -s %s %s", alone[0], alone[1]), "%s: the same file twice", command);
    for (int pair = 0; pair < PAIRS; pair++) {
        const pid_t children[2] = {start(command, 0, output, true),
                                   start(command, 1, output, true)};
        const int codes[2] = {code_of(children[0]), code_of(children[1])}, of = owner(output);
        cr_assert(of >= 0, "%s: the file is of neither", command);
        cr_assert_eq(codes[of], 0, "%s: its writer ends with %d", command, codes[of]);
        cr_assert(codes[1 - of] == 0 ||
                      (codes[1 - of] == 5 &&
                       shell("grep -q 'another program wrote' said_%s%s", of == 0 ? "1" : "0", "")),
                  "%s: the loser ends with %d", command, codes[1 - of]);
        n_losers += codes[1 - of] != 0;
        cr_assert_eq(test_leftovers(test_folder()), 0);
        shell("rm %s%s", output, "");
    }
}

Test(two_writers, end_with_one_whole_file, .timeout = 240)
{
    prepare();
    race("convert to-npz data_%d.h5", "a.npz");
    race("export --format keras --checkpoint run_%d/last.h5 --output", "a.keras");
    race("predict --checkpoint run_%d/last.h5 --output", "a.csv");
    cr_log_info("%d losers noticed", n_losers);
}
