/* pickle.c -- the operations of the stack machine; see pickle.h. */
#include <string.h>

#include "mem.h"
#include "pickle_machine.h"

enum { MOST_PROTOCOL = 5 };

/* ---- bytes ---- */

/* A little-endian number of so many bytes; what lies behind the end is 0, and a failure. */
static uint64_t read_number(tr_pickle_machine *self, int n_bytes)
{
    uint64_t value = 0;
    if (self->n - self->at < (size_t)n_bytes)
        tr_pickle_fail(self, "it ends early");
    for (int i = 0; self->wrong == NULL && i < n_bytes; i++)
        value |= (uint64_t)self->bytes[self->at++] << 8 * i;
    return value;
}

static int64_t read_signed(tr_pickle_machine *self, int n_bytes)
{
    const uint64_t value = read_number(self, n_bytes);
    if (n_bytes == 0 || n_bytes >= 8)
        return (int64_t)value;
    const uint64_t sign = (uint64_t)1 << (8 * n_bytes - 1);
    return (int64_t)((value ^ sign) - sign);
}

static void push_text(tr_pickle_machine *self, tr_pickle_kind kind, uint64_t n)
{
    tr_pickle_value *value = tr_pickle_new(self, kind);
    if (self->n - self->at < n)
        tr_pickle_fail(self, "it ends early");
    if (self->wrong != NULL)
        return;
    value->text = (const char *)self->bytes + self->at;
    value->n = (size_t)n;
    self->at += (size_t)n;
    tr_pickle_push(self, value);
}

static void push_int(tr_pickle_machine *self, int64_t number)
{
    tr_pickle_value *value = tr_pickle_new(self, TR_PICKLE_INT);
    value->number = number;
    tr_pickle_push(self, value);
}

/* Behind the next line's end. */
static void skip_line(tr_pickle_machine *self)
{
    const uint8_t *end = memchr(self->bytes + self->at, '\n', self->n - self->at);
    if (end == NULL)
        tr_pickle_fail(self, "it ends early");
    else
        self->at = (size_t)(end - self->bytes) + 1;
}

/* Two lines: a module, and what it is to be asked for. */
static void push_name(tr_pickle_machine *self)
{
    skip_line(self);
    const size_t begin = self->at;
    skip_line(self);
    if (self->wrong != NULL)
        return;
    const size_t n = self->at - 1 - begin;
    self->at = begin;
    push_text(self, TR_PICKLE_NAME, n);
    self->at++;
}

/* ---- operations ---- */

static void remember(tr_pickle_machine *self, uint64_t number)
{
    if (number >= TR_PICKLE_MOST_VALUES)
        tr_pickle_fail(self, "it remembers more values than any known dataset");
    tr_pickle_value *value = tr_pickle_top(self);
    while (self->wrong == NULL && self->n_memo <= number)
        tr_pickle_append(self, &self->memo, &self->n_memo, NULL);
    if (self->wrong == NULL)
        self->memo[number] = value;
}

static void recall(tr_pickle_machine *self, uint64_t number)
{
    if (number >= self->n_memo || self->memo[number] == NULL)
        tr_pickle_fail(self, "it asks for a value that it has not kept");
    else
        tr_pickle_push(self, self->memo[number]);
}

/* n values, or those above the mark (`marked`), as one. */
static void gather(tr_pickle_machine *self, tr_pickle_kind kind, bool marked, size_t n)
{
    tr_pickle_value *value = tr_pickle_new(self, kind);
    tr_pickle_take(self, value, marked ? tr_pickle_above_mark(self) : n);
    if (marked && self->wrong == NULL)
        self->n_stack--;
    tr_pickle_push(self, value);
}

/* The same, into the list or dictionary below them. */
static void extend(tr_pickle_machine *self, tr_pickle_kind kind, bool marked, size_t n)
{
    const size_t n_new = marked ? tr_pickle_above_mark(self) : n, n_below = n_new + marked;
    if (self->wrong != NULL)
        return;
    tr_pickle_value *into =
        self->n_stack > n_below ? self->stack[self->n_stack - 1 - n_below] : &tr_pickle_mark;
    if (into == &tr_pickle_mark || into->kind != kind)
        tr_pickle_fail(self, "it adds to what is no list or dictionary");
    else
        tr_pickle_take(self, into, n_new);
    if (marked && self->wrong == NULL)
        self->n_stack--;
}

/* An object gets its state. */
static void build(tr_pickle_machine *self)
{
    tr_pickle_value *state = tr_pickle_pop(self), *object = tr_pickle_top(self);
    if (object->kind == TR_PICKLE_CALL)
        tr_pickle_append(self, &object->items, &object->n_items, state);
}

static void name_from_stack(tr_pickle_machine *self)
{
    tr_pickle_value *text = tr_pickle_pop(self), *name = tr_pickle_new(self, TR_PICKLE_NAME);
    tr_pickle_pop(self); /* the module */
    name->text = text->text;
    name->n = text->n;
    tr_pickle_push(self, name);
}

/* What begins with its own length or value. False: another operation. */
static bool run_literal(tr_pickle_machine *self, uint8_t code)
{
    switch (code) {
    case 'N':
        tr_pickle_push(self, tr_pickle_new(self, TR_PICKLE_NONE));
        return true;
    case 0x88: /* NEWTRUE */
    case 0x89:
        push_int(self, code == 0x88);
        return true;
    case 'K':
        push_int(self, (int64_t)read_number(self, 1));
        return true;
    case 'M':
        push_int(self, (int64_t)read_number(self, 2));
        return true;
    case 'J':
        push_int(self, read_signed(self, 4));
        return true;
    case 0x8a: { /* LONG1 */
        const uint64_t n = read_number(self, 1);
        if (n > 8)
            tr_pickle_fail(self, "it holds a number of more than 64 bits");
        push_int(self, read_signed(self, (int)(n <= 8 ? n : 0)));
        return true;
    }
    case 'G':
        read_number(self, 8);
        tr_pickle_push(self, tr_pickle_new(self, TR_PICKLE_REAL));
        return true;
    case 'U': /* SHORT_BINSTRING */
    case 'C': /* SHORT_BINBYTES */
        push_text(self, TR_PICKLE_BYTES, read_number(self, 1));
        return true;
    case 'T':
    case 'B':
        push_text(self, TR_PICKLE_BYTES, read_number(self, 4));
        return true;
    case 0x8e: /* BINBYTES8 */
    case 0x96: /* BYTEARRAY8 */
        push_text(self, TR_PICKLE_BYTES, read_number(self, 8));
        return true;
    case 0x8c: /* SHORT_BINUNICODE */
        push_text(self, TR_PICKLE_TEXT, read_number(self, 1));
        return true;
    case 'X':
        push_text(self, TR_PICKLE_TEXT, read_number(self, 4));
        return true;
    case 0x8d: /* BINUNICODE8 */
        push_text(self, TR_PICKLE_TEXT, read_number(self, 8));
        return true;
    default:
        return false;
    }
}

/* Lists, tuples, dictionaries. */
static bool run_collection(tr_pickle_machine *self, uint8_t code)
{
    switch (code) {
    case '(':
        tr_pickle_push(self, &tr_pickle_mark);
        return true;
    case ']':
    case ')':
        gather(self, TR_PICKLE_LIST, false, 0);
        return true;
    case '}':
        gather(self, TR_PICKLE_DICT, false, 0);
        return true;
    case 'l':
    case 't':
        gather(self, TR_PICKLE_LIST, true, 0);
        return true;
    case 'd':
        gather(self, TR_PICKLE_DICT, true, 0);
        return true;
    case 0x85: /* TUPLE1 to TUPLE3 */
    case 0x86:
    case 0x87:
        gather(self, TR_PICKLE_LIST, false, (size_t)code - 0x84);
        return true;
    case 'a':
        extend(self, TR_PICKLE_LIST, false, 1);
        return true;
    case 'e':
        extend(self, TR_PICKLE_LIST, true, 0);
        return true;
    case 's':
        extend(self, TR_PICKLE_DICT, false, 2);
        return true;
    case 'u':
        extend(self, TR_PICKLE_DICT, true, 0);
        return true;
    default:
        return false;
    }
}

static bool run_other(tr_pickle_machine *self, uint8_t code)
{
    switch (code) {
    case 0x95: /* FRAME: its length is for readers of streams */
        read_number(self, 8);
        return true;
    case 'q':
        remember(self, read_number(self, 1));
        return true;
    case 'r':
        remember(self, read_number(self, 4));
        return true;
    case 0x94: /* MEMOIZE */
        remember(self, self->n_memo);
        return true;
    case 'h':
        recall(self, read_number(self, 1));
        return true;
    case 'j':
        recall(self, read_number(self, 4));
        return true;
    case '0':
        tr_pickle_pop(self);
        return true;
    case 'c':
        push_name(self);
        return true;
    case 0x93: /* STACK_GLOBAL */
        name_from_stack(self);
        return true;
    case 'R':
    case 0x81: /* NEWOBJ */
        gather(self, TR_PICKLE_CALL, false, 2);
        return true;
    case 'b':
        build(self);
        return true;
    default:
        return false;
    }
}

static void run(tr_pickle_machine *self)
{
    for (;;) {
        const uint8_t code = (uint8_t)read_number(self, 1);
        if (self->wrong != NULL || code == '.')
            return;
        if (!run_literal(self, code) && !run_collection(self, code) && !run_other(self, code))
            tr_pickle_fail(self, "it has an operation that datasets do not need");
    }
}

tr_status tr_pickle_read(tr_pickle *out, const void *bytes, size_t n, const char *path,
                         tr_error *err)
{
    *out = (tr_pickle){0};
    tr_pickle_machine self = {.bytes = bytes, .n = n, .tree = out};
    const uint64_t begin = read_number(&self, 2);
    if ((begin & 0xff) != 0x80 || begin >> 8 < 2 || begin >> 8 > MOST_PROTOCOL)
        tr_pickle_fail(&self, "it does not begin as one of protocol 2 to 5");
    if (self.wrong == NULL)
        run(&self);
    out->root = tr_pickle_pop(&self);
    tr_free(self.stack);
    tr_free(self.memo);
    if (self.out_of_memory)
        return tr_out_of_memory(err, path);
    if (self.wrong != NULL)
        return tr_fail(err, TR_ERR_DATA, "%s: is no Python pickle of data, at byte %zu: %s", path,
                       self.at, self.wrong);
    return TR_OK;
}
