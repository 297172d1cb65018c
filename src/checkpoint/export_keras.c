/* export_keras.c -- a .keras file; see export.h. */
#include <string.h>

#include "export.h"
#include "file.h"
#include "h5_write.h"
#include "keras_json.h"
#include "mem.h"
#include "zip_write.h"

/* Any version from 3.0 on may stand here, and the date is nobody's: one that is fixed lets equal
 * models be equal files. */
static const char metadata[] =
    "{\"keras_version\": \"3.3.3\", \"date_saved\": \"1980-01-01@00:00:00\"}";

tr_status tr_export_keras(const tr_snapshot *snapshot, const tr_keras_source *source,
                          const char *path, tr_error *err)
{
    void *weights = NULL, *archive = NULL;
    size_t n_weights = 0, n = 0;
    char *config = tr_keras3_config(snapshot->model, source);
    tr_status status = config == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    if (status == TR_OK)
        status = tr_h5_make_image(&weights, &n_weights, tr_export_fill_weights, snapshot, err);
    if (status == TR_OK) {
        const tr_zip_member members[] = {{"metadata.json", metadata, strlen(metadata)},
                                         {"config.json", config, strlen(config)},
                                         {"model.weights.h5", weights, n_weights}};
        status = tr_zip_make(&archive, &n, members, sizeof members / sizeof *members, err);
    }
    if (status == TR_OK)
        status = tr_file_write(path, archive, n, err);
    tr_free(archive);
    tr_free(weights);
    tr_free(config);
    return status;
}
