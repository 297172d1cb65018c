/* tensorboard.c -- see tensorboard.h.
 *
 * Written by hand: of protobuf's language five fields are needed, and a library would be larger
 * than this file.
 *
 *     file    records; the first is an Event with file_version, then one for each epoch
 *     record  uint64 length, masked CRC-32C of it, the bytes of an Event, masked CRC-32C of them
 *     Event   1: double wall_time, 2: int64 step, 3: string file_version, 5: Summary
 *     Summary 1: repeated Value {1: string tag, 2: float simple_value}
 *
 * TensorBoard follows files that grow, not files that are replaced; so epochs are appended. A
 * record that is there is kept where it is the very one that would be written but for its time, and
 * the first that is not ends what is kept. So a resumed run has no step twice, and a new one none
 * of an earlier run.
 */
#include "tensorboard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "earlier_run.h"
#include "file.h"
#include "mem.h"

/* ---- bytes ---- */

enum { EVENT_MAX = 4096, RECORD_HEAD = 12, RECORD_TAIL = 4 };

typedef struct event_bytes {
    unsigned char bytes[EVENT_MAX];
    size_t n;
} event_bytes;

static void add(event_bytes *out, const void *bytes, size_t n)
{
    if (n > sizeof out->bytes - out->n)
        return; /* never: names are short, and metrics few */
    memcpy(out->bytes + out->n, bytes, n);
    out->n += n;
}

static void add_byte(event_bytes *out, unsigned byte)
{
    add(out, &(unsigned char){(unsigned char)byte}, 1);
}

static void add_varint(event_bytes *out, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        add_byte(out, (unsigned)(value & 127) | 128);
    add_byte(out, (unsigned)value);
}

/* Little-endian, as protobuf and records have it. */
static void add_fixed(event_bytes *out, uint64_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        add_byte(out, (unsigned)(value >> 8 * i) & 255);
}

static void add_block(event_bytes *out, unsigned tag, const void *bytes, size_t n)
{
    add_byte(out, tag);
    add_varint(out, n);
    add(out, bytes, n);
}

static uint32_t masked_crc(const unsigned char *bytes, size_t n)
{
    uint32_t crc = ~UINT32_C(0);
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (UINT32_C(0x82f63b78) & -(crc & 1));
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}

/* ---- events ---- */

static void add_value(event_bytes *summary, const char *name, double value)
{
    event_bytes one = {.n = 0};
    char tag[96];
    const float simple = (float)value;
    uint32_t bits;
    snprintf(tag, sizeof tag, "epoch_%.80s", name);
    memcpy(&bits, &simple, sizeof bits);
    add_block(&one, 1 << 3 | 2, tag, strlen(tag));
    add_byte(&one, 2 << 3 | 5);
    add_fixed(&one, bits, 4);
    add_block(summary, 1 << 3 | 2, one.bytes, one.n);
}

static void make_summary(event_bytes *summary, const tr_history *history, const tr_epoch *epoch,
                         bool validation)
{
    const tr_metrics *metrics = validation ? &epoch->validation : &epoch->train;
    add_value(summary, "loss", metrics->loss);
    for (int i = 0; i < history->n_metrics; i++)
        add_value(summary, history->names[i], metrics->values[i]);
    if (!validation)
        add_value(summary, "learning_rate", epoch->learning_rate);
}

/* Record number i of the file, 0 being its version, of that time. */
static void make_record(event_bytes *record, const tr_history *history, bool validation, int64_t i,
                        uint64_t wall_time_bits)
{
    event_bytes event = {.n = 0}, summary = {.n = 0};
    *record = (event_bytes){.n = 0};
    add_byte(&event, 1 << 3 | 1);
    add_fixed(&event, wall_time_bits, 8);
    if (i > 1) { /* protobuf leaves out what is 0 */
        add_byte(&event, 2 << 3 | 0);
        add_varint(&event, (uint64_t)i - 1);
    }
    if (i == 0) {
        static const char version[] = "brain.Event:2";
        add_block(&event, 3 << 3 | 2, version, strlen(version));
    } else {
        make_summary(&summary, history, &history->epochs[i - 1], validation);
        add_block(&event, 5 << 3 | 2, summary.bytes, summary.n);
    }
    add_fixed(record, event.n, 8);
    add_fixed(record, masked_crc(record->bytes, 8), 4);
    add(record, event.bytes, event.n);
    add_fixed(record, masked_crc(event.bytes, event.n), 4);
}

/* ---- files ---- */

/* The time in the record at `bytes`: behind its head and the first field's tag. */
static bool read_time(uint64_t *bits, const unsigned char *bytes, size_t n)
{
    if (n < RECORD_HEAD + 9)
        return false;
    *bits = 0;
    for (int i = 0; i < 8; i++)
        *bits |= (uint64_t)bytes[RECORD_HEAD + 1 + i] << 8 * i;
    return true;
}

static uint64_t now_bits(void)
{
    struct timespec now;
    uint64_t bits;
    clock_gettime(CLOCK_REALTIME, &now);
    const double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    memcpy(&bits, &seconds, sizeof bits);
    return bits;
}

/* Keeps what is right in the first n bytes, writes the rest. False: errno says why. */
static bool bring_up(int fd, const unsigned char *there, size_t n, const tr_history *history,
                     bool validation)
{
    size_t at = 0;
    bool keeps = true;
    for (int64_t i = 0; i <= history->n; i++) {
        event_bytes record;
        uint64_t time;
        keeps = keeps && read_time(&time, there + at, n - at);
        make_record(&record, history, validation, i, keeps ? time : now_bits());
        keeps = keeps && record.n <= n - at && memcmp(record.bytes, there + at, record.n) == 0;
        if (!keeps) {
            make_record(&record, history, validation, i, now_bits());
            if (pwrite(fd, record.bytes, record.n, (off_t)at) != (ssize_t)record.n)
                return false;
        }
        at += record.n;
    }
    return ftruncate(fd, (off_t)at) == 0;
}

static bool write_open(int fd, const tr_history *history, bool validation)
{
    enum { MOST = 1 << 30 };
    struct stat info;
    if (fstat(fd, &info) != 0)
        return false;
    const size_t n = info.st_size > MOST ? 0 : (size_t)info.st_size;
    unsigned char *there = tr_alloc(n + 1, 1);
    const ssize_t got = there == NULL ? -1 : pread(fd, there, n, 0);
    const bool ok = got >= 0 && bring_up(fd, there, (size_t)got, history, validation);
    tr_free(there);
    return ok;
}

static tr_status write_part(const tr_history *history, const char *folder, bool validation,
                            tr_error *err)
{
    char *part = tr_path_join(folder, validation ? "validation" : "train");
    char *path = part == NULL ? NULL : tr_path_join(part, tr_events_file);
    tr_status status = path == NULL ? tr_out_of_memory(err, NULL) : tr_folder_prepare(part, err);
    if (status == TR_OK) {
        const int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd < 0 || !write_open(fd, history, validation))
            status = tr_fail(err, TR_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    tr_free(path);
    tr_free(part);
    return status;
}

tr_status tr_tensorboard_write(const tr_history *history, const char *folder, tr_error *err)
{
    TR_TRY(write_part(history, folder, false, err));
    return history->validation ? write_part(history, folder, true, err) : TR_OK;
}
