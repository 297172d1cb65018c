/* fuzz_ini.c -- any bytes as a configuration file.
 *
 * A configuration without problems must read back the same from its effective text, with nothing
 * left to defaults.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "groups.h"
#include "mem.h"
#include "trainer/config.h"
#include "trainer/model.h"

/* What `trainer check` looks at. NULL: the load itself failed (larger than is allowed). */
static tr_config *load(const char *path, tr_status *status)
{
    tr_config *config = NULL;
    tr_model *model = NULL;
    tr_optimizers optimizers = {0};
    tr_error err = {0};
    *status = tr_config_load(&config, path, NULL, 0, &err);
    fuzz_expect(*status, &err);
    if (config == NULL)
        return NULL;
    fuzz_expect(tr_model_parse(&model, config, &err), &err);
    fuzz_expect(tr_optimizers_make(&optimizers, config, &err), &err);
    *status = tr_config_check(config, &err);
    fuzz_expect(*status, &err);
    tr_optimizers_release(&optimizers);
    tr_model_free(model);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    tr_status status;
    tr_config *config = load(fuzz_file(bytes, n), &status);
    if (config == NULL)
        return 0;
    if (status == TR_OK) {
        char *text = tr_config_text(config);
        tr_config *again = load(fuzz_file(text, strlen(text)), &status);
        if (again == NULL || status != TR_OK)
            abort();
        char *text_again = tr_config_text(again);
        if (strcmp(text, text_again) != 0)
            abort();
        tr_free(text_again);
        tr_config_free(again);
        tr_free(text);
    }
    tr_config_free(config);
    return 0;
}
