/* self_check_table.c -- see self_check_table.h. */
#include "self_check_table.h"

#include "bench_report.h"

enum { WIDTH = 107 };

typedef struct table {
    FILE *out;
    int n, n_wrong;
    tr_op_check first; /* that is wrong */
} table;

static void rule(FILE *out, char c)
{
    for (int i = 0; i < WIDTH; i++)
        fputc(c, out);
    fputc('\n', out);
}

static const char *position(const tr_op_check *check, char text[64])
{
    int used = 0;
    text[0] = '\0';
    for (int i = 0; i < check->n_dims; i++)
        used += snprintf(text + used, 64 - (size_t)used, "%s%lld", i ? ", " : "",
                         (long long)check->at[i]);
    return text;
}

static void print_check(void *user, bool training, const tr_op_check *check)
{
    table *self = user;
    const tr_op_info *op = &check->op;
    char at[64];
    fprintf(self->out, " %-9s %-12s %-16s %-17s %-26s %9.3f  %s\n",
            training ? "training" : "inference", op->layer, op->what,
            op->phase == TR_PREPARE ? "once a step" : tr_direction_name(op->direction), op->impl,
            check->error, check->ok ? "right" : "WRONG");
    if (!check->ok)
        fprintf(self->out, "   %s[%s]: expected %.9g, got %.9g; %lld padding elements not zero\n",
                check->result, position(check, at), check->expected, check->got,
                (long long)check->n_dirty);
    if (!check->ok && self->n_wrong++ == 0)
        self->first = *check;
    self->n++;
}

tr_status tr_self_check_print(FILE *out, const tr_model *model, tr_error *err)
{
    table self = {.out = out};
    const tr_self_check_listener listener = {.user = &self, .on_check = print_check};
    fprintf(out,
            "Every kernel against plain C on noise; error 1 is the most that rounding allows\n");
    rule(out, '_');
    fprintf(out, " %-9s %-12s %-16s %-17s %-26s %9s\n", "Program", "Layer", "Operation",
            "Direction", "Kernel", "error");
    rule(out, '=');
    TR_TRY(tr_self_check_run(model, &listener, err));
    rule(out, '=');
    if (self.n_wrong > 0)
        return tr_fail(err, TR_ERR_INTERNAL,
                       "%d of %d operations are wrong, the first: layer %s, %s, kernel %s; try "
                       "another [engine] isa, micro_batch or oneDNN",
                       self.n_wrong, self.n, self.first.op.layer, self.first.op.what,
                       self.first.op.impl);
    fprintf(out, "%d operations, all right\n", self.n);
    return TR_OK;
}
