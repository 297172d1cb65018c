/* test_graph.c -- `inputs`: who reads whom, what is refused and where, and how it is written out.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "net.h"

/* HEAD begins in line 4, what follows it in line 6. */
#define HEAD "[model]\ninput_shape = 8, 8, 3\n"
#define CONV(name, more)                                                                           \
    "[layer." name "]\ntype = conv2d\nfilters = 4\nkernel_size = 3\npadding = same\n" more
#define ADD(more) "[layer.sum]\ntype = add\n" more
#define END "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 5\nactivation = softmax\n"

Test(graph, sources_are_numbers)
{
    tr_model *model = NULL;
    tr_error err = {0};
    tr_config *config = test_config(HEAD CONV("a", "") CONV("b", "") CONV("c", "inputs = input\n")
                                        ADD("inputs = b, a\n") END,
                                    (const char *const[]){"layer.sum.inputs=b ,a,c, b"}, 1);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    static const int expected[] = {1, 0, 2, 1};
    const tr_layer_info a = tr_model_layer(model, 0), b = tr_model_layer(model, 1),
                        c = tr_model_layer(model, 2), sum = tr_model_layer(model, 3);
    cr_expect(a.n_sources == 1 && a.sources[0] == -1);
    cr_expect(b.n_sources == 1 && b.sources[0] == 0);
    cr_expect(c.n_sources == 1 && c.sources[0] == -1);
    cr_assert_eq(sum.n_sources, 4);
    for (int k = 0; k < 4; k++)
        cr_expect_eq(sum.sources[k], expected[k], "%d", k);
    tr_model_free(model);
    tr_config_free(config);
}

Test(graph, names_that_are_none)
{
    test_refused(
        HEAD CONV("conv1", "") ADD("inputs = conv1, convl1\n") END,
        ":13: [layer.sum] inputs: there is no layer convl1; did you mean conv1? allowed: names "
        "of layers above, and input for the images");
    test_refused(
        HEAD CONV("a", "inputs = a\n") END,
        ":11: [layer.a] inputs: a is this layer itself; a layer takes the results of layers "
        "above it");
    test_refused(HEAD CONV("a", "inputs = b\n") CONV("b", "inputs = input\n") END,
                 ":11: [layer.a] inputs: b (line 12) stands below; a layer takes");
    test_refused(HEAD CONV("a", "inputs =\n") END,
                 ":11: [layer.a] inputs = : must be a text that is "
                 "not empty");
    test_refused(HEAD CONV("a", "") ADD("inputs = a,, input\n") END,
                 ":13: [layer.sum] inputs = a,, input: a name is missing beside a comma");
    test_refused(
        HEAD CONV("input", "") CONV("b", "inputs = input\n") END,
        ":16: [layer.b] inputs: input stands for the images, and [layer.input] has that name "
        "too");
}

Test(graph, a_layer_may_be_called_input)
{
    cr_assert_str_eq(test_problems_of(HEAD CONV("input", "") CONV("b", "") END), "");
}

Test(graph, as_many_inputs_as_a_layer_takes)
{
    test_refused(HEAD CONV("a", "") ADD("") END,
                 ":11: [layer.sum] type = add takes two inputs or more: inputs = a, b");
    test_refused(HEAD CONV("a", "") ADD("inputs = a\n") END,
                 ":13: [layer.sum] type = add takes two inputs or more: inputs = a, b");
    test_refused(
        HEAD CONV("a", "") CONV("b", "inputs = a, input\n") END,
        ":16: [layer.b] type = conv2d takes one input, these are 2; several are taken by: add, "
        "concatenate, multiply, average, maximum");
    char names[600] = "a";
    for (int i = 1; i < 32; i++)
        strcat(names, ", a");
    char *body =
        tr_format("%s[layer.sum]\ntype = add\ninputs = %s\n%s", HEAD CONV("a", ""), names, END);
    cr_assert_str_eq(test_problems_of(body), "");
    tr_free(body);
    body =
        tr_format("%s[layer.sum]\ntype = add\ninputs = %s, a\n%s", HEAD CONV("a", ""), names, END);
    test_refused(body, ":13: [layer.sum] inputs: more than 32");
    tr_free(body);
}

Test(graph, a_result_that_nobody_reads)
{
    test_refused(HEAD CONV("a", "") CONV("b", "inputs = input\n") END,
                 ":6: [layer.a] its result is not used; name it in the inputs of a layer below, or "
                 "remove it");
    /* Where a name is wrong, it may be the one that is missing. */
    cr_assert_null(
        strstr(test_problems_of(HEAD CONV("a", "") CONV("b", "inputs = A\n") END), "is not used"));
}

Test(graph, everything_in_one_run)
{
    const char *text =
        test_problems_of(HEAD CONV("a", "inputs = x\nfilter = 3\n")
                             CONV("b", "inputs = a, y\n") "[layer.c]\ntype = conv\n"
                                                          "inputs = z\n" ADD("inputs = "
                                                                             "c, w\n"));
    static const char *const expected[] = {"no layer x",           "filter: unknown key",
                                           "no layer y",           "takes one input, these are 2",
                                           "type = conv: unknown", "no layer w"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_expect_not_null(strstr(text, expected[i]), "%s in\n%s", expected[i], text);
    cr_expect_null(strstr(text, "no layer c"), "%s", text); /* there is one, of an unknown type */
}

Test(graph, shapes_name_both_sides)
{
    test_refused(HEAD CONV("a", "strides = 2\n") CONV("b", "inputs = input\n")
                     ADD("inputs = a, b\n") END,
                 ":18: [layer.sum] the inputs must have the same shape");
    test_refused(HEAD CONV("a", "strides = 2\n") CONV("b", "inputs = input\n")
                     ADD("inputs = a, b\n") END,
                 "; a gives 4 x 4 x 4, b gives 8 x 8 x 4");
    test_refused(
        HEAD "[layer.f]\ntype = flatten\n[layer.sum]\ntype = concatenate\ninputs = f, input\n",
        ":8: [layer.sum] the inputs must be images of the same height and width, or all be "
        "flat vectors; f gives 192, input gives 8 x 8 x 3");
    /* Two that do not fit, and nothing about what lies behind them. */
    const char *text =
        test_problems_of(HEAD CONV("a", "strides = 2\n") ADD("inputs = a, input\n")
                             CONV("b", "inputs = input\n") "[layer.w]\ntype = max_pooling2d\n"
                                                           "pool_size = 9\n[layer.t]\ntype = add\n"
                                                           "inputs = sum, w\n" END);
    cr_expect_not_null(strstr(text, "[layer.sum]"), "%s", text);
    cr_expect_not_null(strstr(text, "[layer.w] a window of 9"), "%s", text);
    cr_expect_not_null(strstr(text, "2 problems"), "%s", text);
}

/* ---- written out ---- */

/* The effective configuration, and the canonical form of a layer's inputs. */
static char *written(const char *body, const char *layer, const char **canonical)
{
    tr_model *model = NULL;
    tr_error err = {0};
    tr_config *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    char *text = tr_ini_text(config->ini, NULL);
    const tr_entry *entry = tr_section_find(tr_ini_find(config->ini, layer), "inputs");
    *canonical = tr_strdup(entry->canonical);
    tr_model_free(model);
    tr_config_free(config);
    return text;
}

Test(graph, is_written_where_it_was_written)
{
    const char *implied, *given, *joint;
    char *chain = written(HEAD CONV("a", "") CONV("b", "") END, "layer.b", &implied);
    char *same = written(HEAD CONV("a", "") CONV("b", "inputs = a\n") END, "layer.b", &given);
    char *graph = written(HEAD CONV("a", "") CONV("b", "") ADD("inputs =  b ,a,  b\n") END,
                          "layer.sum", &joint);
    cr_expect_null(strstr(chain, "inputs"), "%s", chain);
    cr_expect_not_null(strstr(same, "inputs             = a\n"), "%s", same);
    cr_expect_not_null(strstr(graph, "inputs = b ,a,  b\n"), "%s", graph);
    cr_expect_str_eq(implied, "a");
    cr_expect_str_eq(given, "a");
    cr_expect_str_eq(joint, "b,a,b");
    tr_free(chain);
    tr_free(same);
    tr_free(graph);
    tr_free((char *)(uintptr_t)implied);
    tr_free((char *)(uintptr_t)given);
    tr_free((char *)(uintptr_t)joint);
}

/* An error, no crash, no leak (the sanitizer build looks for leaks). */
Test(graph, survives_lack_of_memory)
{
    for (int k = 0;; k++) {
        tr_model *model = NULL;
        tr_error err = {0};
        tr_config *config =
            test_config(HEAD CONV("a", "activation = relu\n") CONV("b", "inputs = a\n")
                            ADD("inputs = b, a, b\n") "[layer.r]\ntype = activation\nactivation = "
                                                      "relu\n[layer.c]\ntype = concatenate\n"
                                                      "inputs = r, input, a\n[layer.p]\ntype = "
                                                      "conv2d\nfilters = 4\nkernel_size = 1\n"
                                                      "[layer.x]\ntype = maximum\ninputs = p, "
                                                      "r\n[layer.m]\ntype = multiply\n"
                                                      "inputs = x, p\n[layer.v]\ntype = "
                                                      "average\ninputs = m, x\n" END,
                        NULL, 0);
        tr_alloc_fail_after(k);
        tr_status status = tr_model_parse(&model, config, &err);
        if (status == TR_OK && tr_config_check(config, &err) == TR_OK)
            status = tr_model_build(model, &err);
        tr_alloc_fail_after(-1);
        cr_assert(status == TR_OK || status == TR_ERR_INTERNAL, "k = %d: %s", k, err.text);
        const bool done = status == TR_OK && model != NULL && model->params != NULL;
        tr_model_free(model);
        tr_config_free(config);
        if (done)
            break;
        cr_assert_lt(k, 10000);
    }
}
