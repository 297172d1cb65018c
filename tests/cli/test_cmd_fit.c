/* test_cmd_fit.c -- signals: the step is finished, the weights are saved, the code says why. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5.h"
#include "mem.h"
#include "net.h"
#include "often.h"
#include "run.h"

enum { N = 4000, SIDE = 16 };

static const char *data_path(void)
{
    static char path[512];
    static uint8_t x[N * SIDE * SIDE], y[N];
    snprintf(path, sizeof path, "%s/noise.h5", test_folder());
    for (int i = 0; i < N; i++)
        y[i] = (uint8_t)(i % 3);
    for (int i = 0; i < N * SIDE * SIDE; i++)
        x[i] = (uint8_t)(i * 2654435761u >> 24);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t dims[3] = {N, SIDE, SIDE};
    hid_t space = H5Screate_simple(3, dims, NULL);
    hid_t set =
        H5Dcreate2(file, "x_train", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(set);
    H5Sclose(space);
    space = H5Screate_simple(1, dims, NULL);
    set = H5Dcreate2(file, "y_train", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, y);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(file);
    return path;
}

static const char *config_path(void)
{
    char *text = tr_format("[data]\nfile = %s\nscale = 1/255\n[model]\ninput_shape = 16, 16, 1\n"
                           "[layer.c]\ntype = conv2d\nfilters = 16\nkernel_size = 3\n"
                           "[layer.f]\ntype = flatten\n[layer.h]\ntype = dense\nunits = 256\n"
                           "[layer.d]\ntype = dense\nunits = 3\n"
                           "activation = softmax\n[compile]\n"
                           "loss = sparse_categorical_crossentropy\noptimizer = sgd\n"
                           "[fit]\nepochs = 1000000\n[output]\ndirectory = %s/run\n",
                           data_path(), test_folder());
    const char *path = test_file("endless.ini", text);
    tr_free(text);
    return path;
}

/* ---- an endless run ---- */

static char checkpoint[600], log_path[600];

static int log_holds(const char *text)
{
    static char bytes[65536];
    const int fd = open(log_path, O_RDONLY);
    const ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof bytes - 1);
    bytes[n > 0 ? n : 0] = '\0';
    close(fd);
    return strstr(bytes, text) != NULL;
}

/* Starts the program, waits until its first checkpoint is there. */
static pid_t start(void)
{
    const char *config = config_path();
    snprintf(checkpoint, sizeof checkpoint, "%s/run/last.h5", test_folder());
    snprintf(log_path, sizeof log_path, "%s/log", test_folder());
    unlink(checkpoint);
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it would train on when the test is given up */
        const int out = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(out, 1);
        dup2(out, 2);
        execl(TR_BINARY, "trainer", "-c", config, "--overwrite", (char *)NULL);
        _exit(99);
    }
    int status = 0;
    for (int i = 0; i < 6000 && access(checkpoint, F_OK) != 0; i++) {
        cr_assert_eq(waitpid(child, &status, WNOHANG), 0, "it ended by itself, see %s", log_path);
        usleep(10000);
    }
    cr_assert_eq(access(checkpoint, F_OK), 0, "no checkpoint after a minute");
    return child;
}

static int code_of(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void expect_whole_checkpoint(void)
{
    cr_assert_eq(access(checkpoint, F_OK), 0, "nothing was saved");
    const hid_t file = H5Fopen(checkpoint, H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert(file >= 0, "the checkpoint is not whole");
    H5Fclose(file);
}

static int code_after(int signal)
{
    const pid_t child = start();
    unlink(checkpoint);
    usleep((unsigned)(child % 50) * 1000);
    kill(child, signal);
    const int code = code_of(child);
    if (code == 128 + signal)
        expect_whole_checkpoint();
    return code;
}

/* Many times, at whatever instruction it comes: oneDNN's kernels use the stack pointer as a general
 * register, most often in dense layers, and a signal handler would then write into the heap. */
Test(cmd_fit, interrupt_saves_and_says_so, .timeout = 240)
{
    for (int i = 0; i < test_often(25); i++)
        cr_assert_eq(code_after(SIGINT), 130, "run %d", i);
}

Test(cmd_fit, termination_saves_and_says_so)
{
    cr_assert_eq(code_after(SIGTERM), 143);
}

/* It goes on, and says when the file is on disk. */
Test(cmd_fit, usr1_saves_and_goes_on)
{
    const pid_t child = start();
    kill(child, SIGUSR1);
    for (int i = 0; i < 1000 && !log_holds("trainer: saved after "); i++)
        usleep(10000);
    cr_assert(log_holds("trainer: saved after "));
    expect_whole_checkpoint();
    usleep(100000);
    cr_assert_eq(kill(child, 0), 0, "it did not go on");
    kill(child, SIGINT);
    cr_assert_eq(code_of(child), 130);
}

Test(cmd_fit, second_interrupt_quits_at_once)
{
    const pid_t child = start();
    kill(child, SIGSTOP); /* so that both are waiting when it goes on */
    kill(child, SIGINT);
    usleep(50000);
    kill(child, SIGCONT);
    usleep(2000);
    kill(child, SIGINT);
    const int code = code_of(child);
    cr_assert(code == 130 || code == 128 + SIGINT, "%d", code);
    expect_whole_checkpoint();
}

/* The folder goes away while the run trains: code 5, what was to be written, what to do. */
Test(cmd_fit, vanished_folder_is_an_output_error)
{
    char command[700];
    const pid_t child = start();
    snprintf(command, sizeof command, "mv %s/run %s/gone", test_folder(), test_folder());
    cr_assert_eq(system(command), 0);
    cr_assert_eq(code_of(child), 5);
    cr_assert(log_holds("No such file or directory; its folder is not there"));
    snprintf(checkpoint, sizeof checkpoint, "%s/gone/last.h5", test_folder());
    expect_whole_checkpoint();
}

/* Another folder of that name belongs to somebody else. */
Test(cmd_fit, another_folder_in_its_place_gets_no_checkpoint)
{
    char run[600], gone[600];
    const pid_t child = start();
    snprintf(run, sizeof run, "%s/run", test_folder());
    snprintf(gone, sizeof gone, "%s/gone", test_folder());
    cr_assert_eq(mkdir(gone, 0777), 0);
    /* At once: in between, the folder would only be missing. */
    cr_assert_eq(renameat2(AT_FDCWD, run, AT_FDCWD, gone, RENAME_EXCHANGE), 0);
    cr_assert_eq(code_of(child), 5);
    cr_assert(log_holds("was moved away while this run trained"));
    cr_assert_neq(access(checkpoint, F_OK), 0, "a checkpoint was written there");
    snprintf(checkpoint, sizeof checkpoint, "%s/gone/last.h5", test_folder());
    expect_whole_checkpoint();
}

/* ---- resume ---- */

static const char *short_run(const char *more)
{
    static char text[1024];
    snprintf(text, sizeof text, "-c %s --set fit.epochs=2 --resume %s", config_path(), more);
    return text;
}

Test(cmd_fit, resume_says_what_it_does)
{
    char command[700];
    test_expect(test_run("", short_run("")), 0, "run/last.h5; starting anew");
    test_expect(test_run("", short_run("")), 0, "run/last.h5: finished, all 2 epochs are done");
    const test_outcome *refused = test_run("", short_run("--set fit.seed=3"));
    test_expect(refused, 2, "another [fit] seed");
    cr_expect_null(strstr(refused->text, "Model: "), "tables of a run that is not made");
    snprintf(command, sizeof command, "truncate -s 9000 %s/run/last.h5", test_folder());
    cr_assert_eq(system(command), 0);
    test_expect(test_run("", short_run("")), 3, "run/last.h5: HDF5 cannot open it");
    test_expect(test_run("", short_run("")), 3, "to go on from another checkpoint (best.h5");
}
