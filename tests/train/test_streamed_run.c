/* test_streamed_run.c -- a training whose images stay in their file ends with the bits of one whose
 * images are in memory, at any number of threads and over a resume; and what happens to the file in
 * the middle of it loses nothing.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash_run.h"
#include "net.h"
#include "quadrants.h"
#include "run.h"
#include "small_run.h"

static const char streamed[] = "data.memory=streamed", resident[] = "data.memory=resident";

static void live(const char *const *overrides, size_t n, const char *output)
{
    tr_error err = {0};
    cr_assert_eq(test_quadrants_live(overrides, n, output, 0, NULL, &err), TR_OK, "%s: %s", output,
                 err.text);
}

/* `more`: another override, or NULL. */
static void same_as_resident(const char *more, const char *what)
{
    const size_t n = more == NULL ? 2 : 3;
    live((const char *[]){resident, "engine.threads=1", more}, n, "resident");
    static const char *const threads[] = {"engine.threads=1", "engine.threads=2",
                                          "engine.threads=3"};
    for (int t = 0; t < 3; t++) {
        live((const char *[]){streamed, threads[t], more}, n, "streamed");
        test_quadrants_same_ends((const char *[]){threads[t], more}, n - 1, "resident", "streamed",
                                 what);
    }
}

Test(streamed_run, gives_the_same_bits)
{
    same_as_resident(NULL, "a split");
    same_as_resident("fit.shuffle=false", "in order");
    same_as_resident("fit.class_weight=balanced", "class weights");
    same_as_resident("data.stratify=true", "stratified");
    same_as_resident("fit.batch_size=1000", "one batch");
    same_as_resident("fit.batch_size=7", "small batches");
}

Test(streamed_run, gives_the_same_bits_with_a_validation_file_and_whitening)
{
    char file[600];
    snprintf(file, sizeof file, "data.validation_file=%s", test_quadrants_data());
    const char *const names[] = {"data.x_validation=x_test",
                                 "data.y_validation=y_test",
                                 "data.validation_split=0",
                                 file,
                                 "layer.c.kernel_initializer=whitening",
                                 "layer.c.use_bias=false"};
    const char *all[8];
    memcpy(all, names, sizeof names);
    all[6] = resident;
    live(all, 7, "resident");
    all[6] = streamed;
    live(all, 7, "streamed");
    test_quadrants_same_ends(all, 7, "resident", "streamed", "another file");
}

/* Where the images are may change at every resume. */
Test(streamed_run, resumes_exactly)
{
    tr_error err = {0};
    live((const char *[]){resident}, 1, "whole");
    tr_status status = TR_INTERRUPTED;
    for (int piece = 1; status == TR_INTERRUPTED; piece++) {
        tr_resumed at;
        const char *const overrides[] = {piece % 3 == 0 ? resident : streamed};
        status = test_quadrants_live(overrides, 1, "pieces", piece, piece == 1 ? NULL : &at, &err);
    }
    cr_assert_eq(status, TR_OK, "%s", err.text);
    test_quadrants_same_ends((const char *[]){resident}, 1, "whole", "pieces", "resumed");
}

/* ---- a file that changes ---- */

static char copy[600];
static void (*change)(void);
static int64_t change_at;

static void in_a_step(void *user, const tr_step_event *event)
{
    (void)user;
    if ((event->epoch - 1) * event->steps + event->step == change_at)
        change();
}

static void truncate_it(void)
{
    cr_assert_eq(truncate(copy, 3000), 0);
}

static void copy_to(const char *path)
{
    char line[2000];
    snprintf(line, sizeof line, "cp %s %s", test_quadrants_data(), path);
    cr_assert_eq(system(line), 0);
}

static void restore(void)
{
    snprintf(copy, sizeof copy, "%s/copy.h5", test_folder());
    copy_to(copy);
}

static void replace_it(void)
{
    char other[640];
    snprintf(other, sizeof other, "%s.new", copy);
    copy_to(other);
    cr_assert_eq(rename(other, copy), 0);
}

/* The training saves what it has, says so, and goes on where it was once the file is back. */
static void loses_nothing(void (*what)(void), const char *said, int64_t at)
{
    static tr_control never;
    tr_error err = {0};
    test_quadrants made;
    char file[640], output[600];
    restore();
    snprintf(file, sizeof file, "data.file=%s", copy);
    snprintf(output, sizeof output, "output.directory=%s/pieces", test_folder());
    const char *const overrides[] = {file, streamed, "fit.batch_size=2", output};
    change = what;
    change_at = at;
    const tr_listener listener = {.on_step = in_a_step};
    cr_assert_eq(test_quadrants_make(&made, overrides, 4, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &listener, &never, &err), TR_ERR_DATA, "%s", said);
    cr_expect_not_null(strstr(err.text, said), "%s", err.text);
    cr_expect_not_null(strstr(err.text, "a resumed run goes on from there"), "%s", err.text);
    test_quadrants_discard(&made);
    restore();
    tr_resumed resumed;
    cr_assert_eq(test_quadrants_live(overrides, 3, "pieces", 0, &resumed, &err), TR_OK, "%s",
                 err.text);
    cr_expect(resumed.iterations >= at && resumed.iterations <= at + 20, "%lld",
              (long long)resumed.iterations);
    test_quadrants_same_ends(overrides + 1, 2, "whole", "pieces", said);
}

Test(streamed_run, a_file_that_changes_loses_nothing)
{
    live((const char *[]){resident, "fit.batch_size=2"}, 2, "whole");
    loses_nothing(truncate_it, "was truncated", 5);
    loses_nothing(replace_it, "was replaced", 200);
    loses_nothing(truncate_it, "was truncated", 161); /* the validation meets it */
}

/* The disk fails: at the first look at all images, and in the middle of the training. */
Test(streamed_run, a_disk_that_fails_loses_nothing)
{
    char config[700], whole[600], output[600], environment[1024];
    const char *path = test_crash_config(40, 0);
    snprintf(config, sizeof config, "%s --set data.memory=streamed", path);
    snprintf(whole, sizeof whole, "%s/whole", test_folder());
    snprintf(output, sizeof output, "%s/failing", test_folder());
    cr_assert_eq(test_crash_run(config, whole, 2, NULL, -1.0), 0, "%s", test_crash_output());
    static const int reads[] = {1, 60, 130};
    for (int i = 0; i < 3; i++) {
        snprintf(
            environment, sizeof environment,
            "LD_PRELOAD=%s ASAN_OPTIONS=verify_asan_link_order=0 FAULT_FOLDER=%s FAULT_READ=%d",
            TR_FAULT, test_folder(), reads[i]);
        cr_expect_eq(test_crash_run(config, output, 2, environment, -1.0), 3, "%s",
                     test_crash_output());
        cr_expect_not_null(strstr(test_crash_output(), "Input/output error"), "%s",
                           test_crash_output());
        cr_expect_eq(strstr(test_crash_output(), "goes on from there") != NULL, i > 0, "%s",
                     test_crash_output());
    }
    cr_assert_eq(test_crash_run(config, output, 1, NULL, -1.0), 0, "%s", test_crash_output());
    const test_result found = test_crash_result(path, output, 3),
                      expected = test_crash_result(path, whole, 3);
    test_same_result(&found, &expected, "EIO");
}

/* The line with loss and metrics of the test set. */
static const char *evaluated(const char *more)
{
    static char lines[2][300];
    static int turn;
    char arguments[1000];
    snprintf(arguments, sizeof arguments, "evaluate --checkpoint %s/run/last.h5 %s", test_folder(),
             more);
    const test_outcome *said = test_run("OMP_NUM_THREADS=2", arguments);
    test_expect(said, 0, "evaluated 230 images");
    const char *line = strstr(said->text, "test loss");
    cr_assert_not_null(line, "%s", said->text);
    char *copied = lines[turn++ % 2];
    snprintf(copied, sizeof lines[0], "%s", line);
    copied[strcspn(copied, "\n")] = '\0';
    return copied;
}

/* The program from outside: the test set is streamed, too. */
Test(streamed_run, evaluates_the_same)
{
    test_expect(
        test_run("OMP_NUM_THREADS=2", test_short_run("mnist.ini", "--set data.memory=streamed")), 0,
        "uint8 28 x 28 x 1, streamed");
    cr_expect_str_eq(evaluated("--set data.memory=streamed"),
                     evaluated("--set data.memory=resident"));
}
