/* test_merging_layer.c -- add, multiply, average, maximum, concatenate, and values with several
 * readers, against real Keras: graphs of odd widths, on each instruction set and type of number.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mem.h"
#include "net.h"
#include "rig.h"

enum { MAX_NAME = 128 };

static float *load(hid_t file, const char *group, const char *dataset, size_t *n)
{
    char path[MAX_NAME + 64];
    snprintf(path, sizeof path, "%s/%s", group, dataset);
    return test_golden_floats(file, path, n);
}

static void compare(hid_t file, const char *group, const char *dataset, const float *values,
                    const test_golden_way *way)
{
    char path[MAX_NAME + 64];
    size_t n;
    snprintf(path, sizeof path, "%s/%s", group, dataset);
    float *golden = test_golden_floats(file, path, &n);
    test_close(path, values, golden, n, way->absolute, way->relative);
    tr_free(golden);
}

static void read_shape(hid_t object, int64_t shape[3])
{
    const hid_t id = H5Aopen(object, "input_shape", H5P_DEFAULT);
    cr_assert(H5Aread(id, H5T_NATIVE_INT64, shape) >= 0);
    H5Aclose(id);
}

static void set_weights(test_net *net, hid_t file, const char *group)
{
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_weight_info info = tr_model_weight(net->model, i);
        char name[64];
        size_t n;
        tr_error err = {0};
        snprintf(name, sizeof name, "weights/%s/%s", info.layer, info.name);
        float *values = load(file, group, name, &n);
        cr_assert_eq(n, (size_t)info.n);
        cr_assert_eq(tr_model_set_weight(net->model, i, values, &err), TR_OK, "%s", err.text);
        tr_free(values);
    }
}

static void compare_gradients(const test_net *net, hid_t file, const char *group,
                              const test_golden_way *way)
{
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_weight_info info = tr_model_weight(net->model, i);
        char name[64];
        float *gradient = tr_alloc((size_t)info.n, sizeof *gradient);
        test_net_gradient(net, i, gradient);
        snprintf(name, sizeof name, "diff/%s/%s", info.layer, info.name);
        compare(file, group, name, gradient, way);
        tr_free(gradient);
    }
}

static void run_case(hid_t file, const char *group, const test_golden_way *way)
{
    int64_t shape[3];
    size_t n_src, n_dst;
    const hid_t object = H5Gopen2(file, group, H5P_DEFAULT);
    char *layers = test_golden_text(object, "ini");
    read_shape(object, shape);
    float *src = load(file, group, "src", &n_src),
          *diff_dst = load(file, group, "diff_dst", &n_dst);
    float *dst = tr_alloc(n_dst, sizeof *dst), *diff_src = tr_alloc(n_src, sizeof *diff_src);
    test_net *net =
        test_net_new_with(layers, shape, (int64_t)n_src / (shape[0] * shape[1] * shape[2]),
                          way->overrides, way->n_overrides);
    set_weights(net, file, group);
    test_net_forward(net, src, dst);
    compare(file, group, "dst", dst, way);
    test_net_backward(net, diff_dst, diff_src);
    compare(file, group, "diff_src", diff_src, way);
    compare_gradients(net, file, group, way);
    test_net_free(net);
    float *all[] = {src, diff_dst, dst, diff_src};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tr_free(all[i]);
    tr_free(layers);
    H5Gclose(object);
}

static void run_cases(const test_golden_way *way)
{
    const hid_t file = test_golden_open("graphs.h5");
    H5G_info_t info;
    cr_assert(H5Gget_info(file, &info) >= 0);
    cr_assert_geq(info.nlinks, 22);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[MAX_NAME];
        cr_assert(H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                                     H5P_DEFAULT) >= 0);
        run_case(file, name, way);
    }
    H5Fclose(file);
}

/* Sums of up to 300 terms of size 1 in float32, and products of four such. */
Test(merging_layer, golden_graphs)
{
    run_cases(&(test_golden_way){.absolute = 5e-5, .relative = 5e-5});
}

Test(merging_layer, golden_graphs_with_avx2)
{
    static const char *const avx2[] = {"engine.isa=avx2"};
    if (test_has_avx2())
        run_cases(&(test_golden_way){
            .overrides = avx2, .n_overrides = 1, .absolute = 5e-5, .relative = 5e-5});
}
