/* keras_net.c -- see keras_net.h. */
#include "keras_net.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>

#include "keras.h"
#include "mem.h"
#include "net.h"
#include "trainer/fit.h"

test_keras_net test_keras_open(const char *path)
{
    test_keras_net net = {0};
    tr_error err = {0};
    cr_assert_eq(tr_checkpoint_describe(&net.said, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_parse(&net.config, path, net.said.config, NULL, 0, &err), TR_OK);
    cr_assert_eq(tr_model_parse(&net.model, net.config, &err), TR_OK);
    cr_assert_eq(tr_config_check(net.config, &err), TR_OK, "%s\n%s", err.text, net.said.config);
    cr_assert_eq(tr_model_build(net.model, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_read_weights(net.model, path, &err), TR_OK, "%s", err.text);
    return net;
}

void test_keras_close(test_keras_net *net)
{
    tr_model_free(net->model);
    tr_config_free(net->config);
    tr_checkpoint_info_release(&net->said);
}

float *test_keras_predict(const test_keras_net *net, const float *x, int64_t n)
{
    const int64_t *shape = net->config->input_shape;
    const tr_samples samples = {
        .n = n, .h = shape[0], .w = shape[1], .c = shape[2], .pixel = TR_PIXEL_F32, .x = x};
    tr_error err = {0};
    float *values = tr_alloc((size_t)n, (size_t)tr_model_n_classes(net->model) * sizeof *values);
    cr_assert_eq(tr_predict(net->config, net->model, &samples, values, &err), TR_OK, "%s",
                 err.text);
    return values;
}

static void add(zip_t *archive, const char *name, const void *bytes, size_t n, bool deflated)
{
    zip_source_t *source = zip_source_buffer(archive, bytes, n, 0);
    const zip_int64_t i = zip_file_add(archive, name, source, 0);
    cr_assert_geq(i, 0);
    cr_assert_eq(zip_set_file_compression(archive, (zip_uint64_t)i,
                                          deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0),
                 0);
}

const char *test_keras_archive(const char *name, const char *config, const char *version,
                               const void *weights, size_t n, bool deflated)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    char *metadata = tr_format("{\"keras_version\":\"%s\"}", version);
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    cr_assert_not_null(archive, "%s", path);
    const char *json = test_json(config);
    add(archive, "metadata.json", metadata, strlen(metadata), deflated);
    add(archive, "config.json", json, strlen(json), deflated);
    if (weights != NULL)
        add(archive, "model.weights.h5", weights, n, deflated);
    cr_assert_eq(zip_close(archive), 0);
    tr_free(metadata);
    return path;
}
