/* keras_config.c -- the whole configuration of a file of Keras; see keras_config.h. */
#include "keras_config.h"

#include "trainer/checkpoint.h"

tr_status tr_keras_read_config(tr_keras_reading *reading, tr_error *err)
{
    const tr_keras_file *file = reading->file;
    if (file->model == NULL)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has no configuration inside, neither of trainer nor model_config of "
                       "Keras; give the INI file of the model with -c FILE",
                       file->path);
    TR_TRY(tr_keras_read_layers(reading, err));
    tr_keras_read_compile(reading);
    fprintf(reading->ini, "\n[data]\nfile = %s\n\n[output]\ndirectory = %s\n", TR_NO_DATASET,
            TR_NO_FOLDER);
    return TR_OK;
}
