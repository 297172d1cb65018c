/* fuzz_set.c -- lines of bytes as `--set` over a configuration that is fine without them.
 *
 * What is accepted must stand in the effective text so that it reads back the same.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "mem.h"
#include "trainer/config.h"
#include "trainer/model.h"

enum { MOST = 16 };

static const char base[] =
    "[data]\nfile = a.h5\n[model]\ninput_shape = 6, 6, 1\n"
    "[layer.c]\ntype = conv2d\nfilters = 3\nkernel_size = 3\nactivation = relu\n"
    "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n"
    "[compile]\nloss = sparse_categorical_crossentropy\noptimizer = adam\nmetrics = accuracy\n"
    "[fit]\nepochs = 2\n[output]\ndirectory = out\n";

static tr_status check(tr_config *config)
{
    tr_model *model = NULL;
    tr_error err = {0};
    fuzz_expect(tr_model_parse(&model, config, &err), &err);
    tr_model_free(model);
    const tr_status status = tr_config_check(config, &err);
    fuzz_expect(status, &err);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *overrides[MOST];
    size_t n_overrides = 0;
    tr_config *config = NULL, *again = NULL;
    tr_error err = {0};
    char *text = calloc(n + 1, 1);
    if (text == NULL)
        return 0;
    memcpy(text, bytes, n);
    for (char *rest = text; rest != NULL && n_overrides < MOST;)
        overrides[n_overrides++] = strsep(&rest, "\n");
    fuzz_expect(tr_config_parse(&config, "base.ini", base, overrides, n_overrides, &err), &err);
    if (config != NULL && check(config) == TR_OK) {
        char *effective = tr_config_text(config);
        if (tr_config_parse(&again, "again.ini", effective, NULL, 0, &err) != TR_OK ||
            check(again) != TR_OK)
            abort();
        char *effective_again = tr_config_text(again);
        if (strcmp(effective, effective_again) != 0)
            abort();
        tr_free(effective_again);
        tr_free(effective);
    }
    tr_config_free(again);
    tr_config_free(config);
    free(text);
    return 0;
}
