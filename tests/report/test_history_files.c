/* test_history_files.c -- the four files of a history in a folder, and a folder that cannot be. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_history.h"
#include "mem.h"
#include "net.h"

static const char *const names[] = {"history.csv", "history.jsonl", "history.svg", "history.png"};

static tr_status write_all(const tr_history *history, tr_error *err)
{
    TR_TRY(tr_history_write_tables(history, test_folder(), err));
    return tr_history_write_pictures(history, test_folder(), err);
}

Test(history_files, all_four_are_there)
{
    tr_error err = {0};
    tr_history history = made_history(2, 1, true);
    cr_assert_eq(write_all(&history, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < 4; i++) {
        char *path = tr_format("%s/%s", test_folder(), names[i]);
        cr_expect_eq(access(path, R_OK), 0, "%s", path);
        tr_free(path);
    }
    tr_history_release(&history);
}

/* A folder stands where the file should be: each of the four must be heard. */
Test(history_files, one_that_cannot_be_written_is_an_error)
{
    tr_history history = made_history(2, 1, true);
    for (int i = 0; i < 4; i++) {
        tr_error err = {0};
        char *path = tr_format("%s/%s", test_folder(), names[i]);
        unlink(path);
        cr_assert_eq(mkdir(path, 0777), 0);
        cr_expect_eq(write_all(&history, &err), TR_ERR_IO);
        cr_expect_not_null(strstr(err.text, path), "%s", err.text);
        rmdir(path);
        tr_free(path);
    }
    tr_history_release(&history);
}
