/* test_saver.c -- checkpoints in the background: which files, in which order, and their failures.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "leftovers.h"
#include "mem.h"
#include "net.h"
#include "saver.h"
#include "trainer/checkpoint.h"

static const int64_t shape[3] = {4, 4, 1};

static test_net *net(void)
{
    return test_net_new("[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\n", shape,
                        1);
}

static bool there(const char *name)
{
    char *path = tr_format("%s/%s", test_folder(), name);
    const bool found = access(path, F_OK) == 0;
    tr_free(path);
    return found;
}

static void save(tr_saver *saver, int64_t epoch, bool is_best, int64_t keep)
{
    tr_error err = {0};
    tr_snapshot *snapshot;
    cr_assert_eq(tr_saver_take(saver, &snapshot, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_snapshot_take_weights(snapshot, &err), TR_OK);
    snapshot->progress.epoch = epoch;
    tr_saver_put(saver, &(tr_save_targets){
                            .epoch_ends = true, .is_best = is_best, .epoch = epoch, .keep = keep});
}

Test(saver, writes_last_best_and_the_newest_epochs)
{
    tr_error err = {0};
    tr_saver *saver;
    test_net *made = net();
    cr_assert_eq(tr_saver_new(&saver, test_folder(), made->model, &err), TR_OK);
    save(saver, 1, true, 2);
    cr_assert_eq(tr_saver_wait(saver, &err), TR_OK);
    cr_expect(there("last.h5") && there("best.h5") && there("epoch_0001.h5"));
    for (int64_t epoch = 2; epoch <= 4; epoch++)
        save(saver, epoch, false, 2);
    cr_assert_eq(tr_saver_wait(saver, &err), TR_OK);
    cr_expect(!there("epoch_0001.h5") && !there("epoch_0002.h5"));
    cr_expect(there("epoch_0003.h5") && there("epoch_0004.h5"));
    cr_expect_eq(test_leftovers(test_folder()), 0);
    save(saver, 2, false, 1); /* another run in this folder, that keeps less */
    cr_assert_eq(tr_saver_wait(saver, &err), TR_OK);
    cr_expect(there("epoch_0002.h5") && !there("epoch_0003.h5") && !there("epoch_0004.h5"));
    tr_saver_free(saver);
    test_net_free(made);
}

/* What is handed over is what is written, whatever the training does with the model meanwhile. */
Test(saver, writes_the_snapshot_not_the_model)
{
    tr_error err = {0};
    tr_saver *saver;
    test_net *made = net();
    char before[33], after[33];
    float bias[3] = {1, 2, 3};
    cr_assert_eq(tr_saver_new(&saver, test_folder(), made->model, &err), TR_OK);
    cr_assert_eq(tr_model_digest(made->model, before, &err), TR_OK);
    save(saver, 1, false, 0);
    cr_assert_eq(tr_model_set_weight(made->model, 1, bias, &err), TR_OK);
    tr_saver_free(saver); /* waits */
    char *path = tr_format("%s/last.h5", test_folder());
    cr_assert_eq(tr_checkpoint_read_weights(made->model, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_digest(made->model, after, &err), TR_OK);
    cr_assert_str_eq(before, after);
    tr_free(path);
    test_net_free(made);
}

Test(saver, a_failure_is_told_and_stays)
{
    tr_error err = {0};
    tr_saver *saver;
    tr_snapshot *unused;
    test_net *made = net();
    cr_assert_eq(tr_saver_new(&saver, test_folder(), made->model, &err), TR_OK);
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small = {4096, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &small);
    save(saver, 1, false, 0);
    cr_expect_eq(tr_saver_wait(saver, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "raise the limit on the size"), "%s", err.text);
    cr_expect_null(strstr(err.text, "--resume"), "from what? %s", err.text);
    cr_expect(tr_saver_failed(saver));
    cr_expect_eq(tr_saver_take(saver, &unused, &err), TR_ERR_IO);
    cr_expect(!there("last.h5") && test_leftovers(test_folder()) == 0);
    tr_saver_free(saver);
    test_net_free(made);
}
