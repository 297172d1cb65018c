/* pickle_machine.c -- see pickle_machine.h. */
#include "pickle_machine.h"

#include "mem.h"

enum { BLOCK = 4096 };

struct tr_pickle_block {
    struct tr_pickle_block *next;
    size_t n;
    tr_pickle_value values[BLOCK];
};

tr_pickle_value tr_pickle_mark;

void tr_pickle_fail(tr_pickle_machine *self, const char *wrong)
{
    if (self->wrong == NULL)
        self->wrong = wrong;
}

bool tr_pickle_append(tr_pickle_machine *self, tr_pickle_value ***items, size_t *n,
                      tr_pickle_value *value)
{
    tr_pickle_value **grown = tr_grown(*items, *n, sizeof **items);
    if (grown == NULL) {
        self->out_of_memory = true;
        tr_pickle_fail(self, "out of memory");
        return false;
    }
    grown[(*n)++] = value;
    *items = grown;
    return true;
}

tr_pickle_value *tr_pickle_new(tr_pickle_machine *self, tr_pickle_kind kind)
{
    static tr_pickle_value nowhere;
    struct tr_pickle_block *block = self->tree->blocks;
    if (++self->n_values > TR_PICKLE_MOST_VALUES) {
        tr_pickle_fail(self, "it holds more values than any known dataset");
    } else if (block == NULL || block->n == BLOCK) {
        block = tr_alloc(1, sizeof *block);
        if (block != NULL) {
            block->next = self->tree->blocks;
            self->tree->blocks = block;
        } else {
            self->out_of_memory = true;
            tr_pickle_fail(self, "out of memory");
        }
    }
    nowhere = (tr_pickle_value){0};
    tr_pickle_value *value = self->wrong != NULL ? &nowhere : &block->values[block->n++];
    value->kind = kind;
    return value;
}

void tr_pickle_push(tr_pickle_machine *self, tr_pickle_value *value)
{
    tr_pickle_append(self, &self->stack, &self->n_stack, value);
}

tr_pickle_value *tr_pickle_pop(tr_pickle_machine *self)
{
    if (self->n_stack > 0 && self->stack[self->n_stack - 1] != &tr_pickle_mark)
        return self->stack[--self->n_stack];
    tr_pickle_fail(self, "it takes more values than it has made");
    return tr_pickle_new(self, TR_PICKLE_NONE);
}

tr_pickle_value *tr_pickle_top(tr_pickle_machine *self)
{
    tr_pickle_value *value = tr_pickle_pop(self);
    if (self->wrong == NULL)
        self->n_stack++;
    return value;
}

size_t tr_pickle_above_mark(tr_pickle_machine *self)
{
    size_t n = 0;
    while (n < self->n_stack && self->stack[self->n_stack - 1 - n] != &tr_pickle_mark)
        n++;
    if (n == self->n_stack)
        tr_pickle_fail(self, "it closes what it has not opened");
    return self->wrong == NULL ? n : 0;
}

void tr_pickle_take(tr_pickle_machine *self, tr_pickle_value *value, size_t n)
{
    if (n > self->n_stack)
        tr_pickle_fail(self, "it takes more values than it has made");
    for (size_t i = self->n_stack - (self->wrong == NULL ? n : 0); i < self->n_stack; i++)
        if (self->stack[i] == &tr_pickle_mark)
            tr_pickle_fail(self, "it takes more values than it has made");
        else if (!tr_pickle_append(self, &value->items, &value->n_items, self->stack[i]))
            return;
    if (self->wrong == NULL)
        self->n_stack -= n;
}

void tr_pickle_release(tr_pickle *pickle)
{
    struct tr_pickle_block *block = pickle->blocks;
    while (block != NULL) {
        struct tr_pickle_block *next = block->next;
        for (size_t i = 0; i < block->n; i++)
            tr_free(block->values[i].items);
        tr_free(block);
        block = next;
    }
    *pickle = (tr_pickle){0};
}
