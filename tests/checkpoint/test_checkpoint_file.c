/* test_checkpoint_file.c -- a model lies whole in its file: every array and every group on the way
 * to it that leads elsewhere, or was never written, is refused by name; a lock is no damage.
 */
#include "checkpoint_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint_outline.h"
#include "checkpoint_read.h"
#include "checkpoint_write.h"
#include "h5_attributes.h"
#include "h5_write.h"
#include "mem.h"
#include "net.h"
#include "trainer/checkpoint.h"

static const int64_t shape[3] = {2, 2, 1};
static const char layers[] = "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 2\n";

/* ---- a checkpoint with all there can be ---- */

static char path[512];

static test_net *net(void)
{
    static const char *const overrides[] = {"compile.metrics=mse", "optimizer.use_ema=true"};
    return test_net_new_with(layers, shape, 1, overrides, 2);
}

static void write_checkpoint(const tr_model *model)
{
    tr_error err = {0};
    tr_snapshot *made;
    snprintf(path, sizeof path, "%s/model.h5", test_folder());
    cr_assert_eq(tr_snapshot_new(&made, model, true, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_snapshot_take_weights(made, &err), TR_OK);
    made->progress = (tr_progress){.epoch = 1, .iterations = 4};
    made->training_weights = tr_alloc((size_t)made->n_values, sizeof(float));
    made->n_epochs = 1;
    made->epochs = tr_alloc(1, sizeof *made->epochs);
    made->epochs[0].epoch = 1;
    cr_assert_eq(tr_checkpoint_write(made, path, &err), TR_OK, "%s", err.text);
    tr_snapshot_free(made);
}

/* ---- what may be wrong with an array ---- */

typedef struct array_fault {
    const char *reason; /* that the message gives */
    void (*make)(hid_t file, const char *array, hid_t type, hid_t space);
} array_fault;

static void create(hid_t file, const char *array, hid_t type, hid_t space, hid_t creation)
{
    const hid_t dataset = H5Dcreate2(file, array, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    cr_assert_geq(dataset, 0, "%s", array);
    H5Dclose(dataset);
    H5Pclose(creation);
}

static void make_external(hid_t file, const char *array, hid_t type, hid_t space)
{
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(creation, "secret.bin", 0, H5F_UNLIMITED);
    create(file, array, type, space, creation);
}

static void make_virtual(hid_t file, const char *array, hid_t type, hid_t space)
{
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    cr_assert_geq(H5Pset_virtual(creation, space, "gone.h5", "x", space), 0);
    create(file, array, type, space, creation);
}

static void make_unwritten(hid_t file, const char *array, hid_t type, hid_t space)
{
    create(file, array, type, space, H5Pcreate(H5P_DATASET_CREATE));
}

static void make_unwritten_chunks(hid_t file, const char *array, hid_t type, hid_t space)
{
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {1, 1};
    H5Pset_chunk(creation, H5Sget_simple_extent_ndims(space), chunk);
    create(file, array, type, space, creation);
}

static void make_link(hid_t file, const char *array, hid_t type, hid_t space)
{
    (void)type, (void)space;
    cr_assert_geq(
        H5Lcreate_external("other.h5", "/elsewhere", file, array, H5P_DEFAULT, H5P_DEFAULT), 0);
}

static const array_fault faults[] = {
    {"its values are in the file secret.bin", make_external},
    {"its values are in the file gone.h5", make_virtual},
    {"was never written", make_unwritten},
    {"was never written", make_unwritten_chunks},
    {"is an external link to /elsewhere in the file other.h5", make_link},
};

static void break_array(const char *array, const array_fault *fault)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t old = H5Dopen2(file, array, H5P_DEFAULT);
    cr_assert_geq(old, 0, "%s", array);
    const hid_t type = H5Dget_type(old), space = H5Dget_space(old);
    H5Dclose(old);
    H5Ldelete(file, array, H5P_DEFAULT);
    fault->make(file, array, type, space);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
}

static void expect_refused(tr_model *model, tr_checkpoint_part part, const char *where,
                           const char *reason)
{
    tr_error err = {0};
    tr_snapshot *snapshot = NULL;
    char before[33], after[33];
    cr_assert_eq(tr_model_digest(model, before, &err), TR_OK);
    cr_assert_eq(tr_checkpoint_read(&snapshot, model, path, part, &err), TR_ERR_DATA, "%s, %s",
                 where, reason);
    cr_expect_not_null(strstr(err.text, where), "%s, %s: %s", where, reason, err.text);
    cr_expect_not_null(strstr(err.text, reason), "%s, %s: %s", where, reason, err.text);
    cr_expect_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
    cr_assert_eq(tr_model_digest(model, after, &err), TR_OK);
    cr_expect_str_eq(before, after, "the model was touched");
}

Test(checkpoint_file, arrays_lie_whole_in_the_file)
{
    static const char *const arrays[] = {
        "model_weights/d/d/kernel:0", "trainer/optimizer_weights/adam/d_kernel_momentum",
        "trainer/training_weights/d/bias", "trainer/history", "trainer/epoch_sums"};
    test_net *made = net();
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
            write_checkpoint(made->model);
            break_array(arrays[i], &faults[k]);
            expect_refused(made->model, TR_READ_STATE, arrays[i], faults[k].reason);
            expect_refused(made->model, i == 0 ? TR_READ_WEIGHTS : TR_READ_STATE_IF_IT_FITS,
                           arrays[i], faults[k].reason);
        }
    test_net_free(made);
}

/* ---- what may be wrong on the way to it ---- */

static void expect_outline_refused(const char *where)
{
    tr_checkpoint_outline *outline = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_checkpoint_outline_read(&outline, path, &err), TR_ERR_DATA, "%s", where);
    cr_expect_not_null(strstr(err.text, where), "%s: %s", where, err.text);
    cr_expect_not_null(strstr(err.text, "is an external link"), "%s: %s", where, err.text);
}

Test(checkpoint_file, no_component_of_a_path_leads_out)
{
    static const char *const groups[] = {"model_weights", "model_weights/d", "model_weights/d/d",
                                         "trainer", "trainer/optimizer_weights"};
    test_net *made = net();
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        write_checkpoint(made->model);
        const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        H5Ldelete(file, groups[i], H5P_DEFAULT);
        make_link(file, groups[i], H5I_INVALID_HID, H5I_INVALID_HID);
        H5Fclose(file);
        expect_refused(made->model, TR_READ_STATE, groups[i], "is an external link");
        expect_outline_refused(groups[i]);
    }
    test_net_free(made);
}

static tr_status fill_keyed(const void *broken, hid_t file, tr_error *err)
{
    const float values[8] = {0};
    TR_TRY(tr_h5_write_dataset(file, "layers/dense/vars/0", 2, (const int64_t[]){4, 2},
                               H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values, err));
    TR_TRY(tr_h5_write_dataset(file, "layers/dense/vars/1", 1, (const int64_t[]){2}, H5T_IEEE_F32LE,
                               H5T_NATIVE_FLOAT, values, err));
    if (broken != NULL) {
        H5Ldelete(file, broken, H5P_DEFAULT);
        make_link(file, broken, H5I_INVALID_HID, H5I_INVALID_HID);
    }
    return TR_OK;
}

/* A group of numbers that leads out would have no last number. */
Test(checkpoint_file, nor_does_one_of_a_weights_file, .timeout = 60)
{
    static const char *const links[] = {"layers", "layers/dense", "layers/dense/vars",
                                        "layers/dense/vars/0"};
    tr_error err = {0};
    test_net *made = net();
    snprintf(path, sizeof path, "%s/keyed.weights.h5", test_folder());
    cr_assert_eq(tr_h5_write_file(path, fill_keyed, NULL, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_read_weights(made->model, path, &err), TR_OK, "%s", err.text);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        cr_assert_eq(tr_h5_write_file(path, fill_keyed, links[i], &err), TR_OK, "%s", err.text);
        expect_refused(made->model, TR_READ_WEIGHTS, links[i], "is an external link");
        expect_outline_refused(links[i]);
    }
    test_net_free(made);
}

/* The configuration, too, comes out of this file alone. */
Test(checkpoint_file, no_configuration_of_another_file)
{
    tr_error err = {0};
    tr_checkpoint_info info;
    char other[512];
    test_net *made = net();
    write_checkpoint(made->model);
    snprintf(other, sizeof other, "%s/other.h5", test_folder());
    cr_assert_eq(rename(path, other), 0);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(
        H5Lcreate_external("other.h5", "/trainer", file, "trainer", H5P_DEFAULT, H5P_DEFAULT), 0);
    H5Fclose(file);
    cr_expect_eq(tr_checkpoint_describe(&info, path, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "has no configuration inside"), "%s", err.text);
    test_net_free(made);
}

/* ---- locks ---- */

/* As of a program that writes it, or on a file system whose locks do not work. */
Test(checkpoint_file, a_lock_is_no_damage)
{
    tr_error err = {0};
    tr_checkpoint_info info;
    tr_checkpoint_outline *outline = NULL;
    tr_snapshot *snapshot = NULL;
    test_net *made = net();
    write_checkpoint(made->model);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    cr_assert_eq(tr_checkpoint_read(&snapshot, made->model, path, TR_READ_STATE, &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(tr_checkpoint_outline_read(&outline, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_describe(&info, path, &err), TR_OK, "%s", err.text);
    close(fd);
    tr_checkpoint_info_release(&info);
    tr_checkpoint_outline_free(outline);
    tr_snapshot_free(snapshot);
    test_net_free(made);
}
