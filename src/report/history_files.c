/* history_files.c -- everything that a run says of its epochs, as files; see trainer/history.h. */
#include "file.h"
#include "mem.h"
#include "trainer/history.h"

typedef tr_status writer(const tr_history *history, const char *path, tr_error *err);

static tr_status write_file(const tr_history *history, const char *folder, const char *name,
                            writer *write, tr_error *err)
{
    char *path = tr_path_join(folder, name);
    if (path == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_status status = write(history, path, err);
    tr_free(path);
    return status;
}

tr_status tr_history_write_tables(const tr_history *history, const char *folder, tr_error *err)
{
    TR_TRY(write_file(history, folder, "history.csv", tr_history_write_csv, err));
    return write_file(history, folder, "history.jsonl", tr_history_write_jsonl, err);
}

tr_status tr_history_write_pictures(const tr_history *history, const char *folder, tr_error *err)
{
    TR_TRY(write_file(history, folder, "history.svg", tr_history_write_svg, err));
    return write_file(history, folder, "history.png", tr_history_write_png, err);
}
