/* history_files.c -- everything that a run says of its epochs, as files; see trainer/history.h. */
#include "file.h"
#include "mem.h"
#include "trainer/history.h"

static const struct {
    const char *name;
    tr_status (*write)(const tr_history *history, const char *path, tr_error *err);
} files[] = {
    {"history.csv", tr_history_write_csv},
    {"history.jsonl", tr_history_write_jsonl},
    {"history.svg", tr_history_write_svg},
    {"history.png", tr_history_write_png},
};

tr_status tr_history_write(const tr_history *history, const char *folder, tr_error *err)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = tr_path_join(folder, files[i].name);
        if (path == NULL)
            return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
        const tr_status status = files[i].write(history, path, err);
        tr_free(path);
        TR_TRY(status);
    }
    return TR_OK;
}
