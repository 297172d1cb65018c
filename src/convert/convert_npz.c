/* convert_npz.c -- NumPy's .npz, as Keras's mnist.npz comes, into an HDF5 dataset and back. */
#include "arrays.h"
#include "trainer/convert.h"

tr_status tr_convert_npz(const char *path, const char *out_path, tr_error *err)
{
    static const tr_arrays_origin origin = {.source = "NPZ file", .creator = "trainer convert npz"};
    tr_arrays arrays = {0};
    TR_TRY(tr_arrays_read_npz(&arrays, path, err));
    const tr_status status = tr_arrays_write_h5(&arrays, &origin, out_path, err);
    tr_arrays_release(&arrays);
    return status;
}

tr_status tr_convert_to_npz(const char *path, const char *out_path, tr_error *err)
{
    tr_arrays arrays = {0};
    TR_TRY(tr_arrays_read_h5(&arrays, path, true, err));
    const tr_status status = tr_arrays_write_npz(&arrays, out_path, err);
    tr_arrays_release(&arrays);
    return status;
}
