/* test_keras_graph.c -- functional models become sections that say what they take, and stand behind
 * it; what is no such graph is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "keras.h"
#include "mem.h"

#define IN(shape)                                                                                  \
    "{'class_name':'InputLayer','name':'in','config':{'batch_shape':" shape                        \
    ",'name':'in'},'inbound_nodes':[]}"
#define LAYER(class, name, config, calls)                                                          \
    "{'class_name':'" class "','name':'" name "','config':{'name':'" name "'" config               \
                            "},'inbound_nodes':" calls "}"
#define K2(name) "[[['" name "',0,0,{}]]]"
#define K3(name)                                                                                   \
    "[{'args':[{'class_name':'__keras_tensor__','config':{'shape':[null,2],'dtype':'float32',"     \
    "'keras_history':['" name "',0,0]}}],'kwargs':{'training':false,'mask':null}}]"
#define SHAPE "[null,4,4,1]"

static const test_translation *functional(const char *layers, const char *inputs,
                                          const char *outputs)
{
    char *model = tr_format("{'class_name':'Functional','config':{'name':'net','layers':[%s],"
                            "'input_layers':%s,'output_layers':%s}}",
                            layers, inputs, outputs);
    const test_translation *made = test_translate_model(model, NULL, "3.3.3");
    tr_free(model);
    return made;
}

static const char expected[] = "[layer.f]\ntype = flatten\n\n[layer.a]\ntype = dense\nunits = 3\n\n"
                               "[layer.b]\ntype = dense\nunits = 2\n";

Test(keras_graph, of_keras_2)
{
    test_translation_has(functional(IN(SHAPE) "," LAYER("Flatten", "f", "", K2("in")) "," LAYER(
                                        "Dense", "a", ",'units':3",
                                        K2("f")) "," LAYER("Dense", "b", ",'units':2", K2("a")),
                                    "[['in',0,0]]", "[['b',0,0]]"),
                         expected);
}

/* Listed in another order than the data take, with single ends without their outer list. */
Test(keras_graph, of_keras_3_out_of_order)
{
    test_translation_has(
        functional(LAYER("Dense", "b", ",'units':2", K3("a")) "," LAYER(
                       "Dense", "a", ",'units':3", K3("f")) "," IN(SHAPE) "," LAYER("Flatten", "f",
                                                                                    "", K3("in")),
                   "['in',0,0]", "['b',0,0]"),
        expected);
}

/* Models among the layers are taken apart, whatever they are in: a name that is met again gets a
 * number, and the result of a model that was called before is its second. */
Test(keras_graph, models_among_the_layers)
{
#define INNER_IN "{'class_name':'InputLayer','name':'i','config':{'name':'i'},'inbound_nodes':[]}"
    char *chain = tr_format("{'class_name':'Sequential','name':'%s','config':{'name':'%s','layers':"
                            "[" INNER_IN ",%s]},'inbound_nodes':%s}",
                            "m", "m", LAYER("Dense", "a", ",'units':3", "[]"), K2("f"));
    char *net = tr_format("{'class_name':'Functional','name':'n','config':{'name':'n','layers':"
                          "[" INNER_IN ",%s,%s],'input_layers':[['i',0,0]],'output_layers':"
                          "[['s',0,0]]},'inbound_nodes':[[['m',1,0,{}]]]}",
                          LAYER("Dense", "a", ",'units':3", K2("i")),
                          LAYER("Add", "s", "", "[[['a',0,0,{}],['i',0,0,{}]]]"));
    char *layers = tr_format(IN(SHAPE) ",%s,%s,%s,%s", LAYER("Flatten", "f", "", K2("in")), chain,
                             net, LAYER("Dense", "b", ",'units':2", "[[['n',1,0,{}]]]"));
    test_translation_has(functional(layers, "[['in',0,0]]", "[['b',0,0]]"),
                         "[layer.f]\ntype = flatten\n\n[layer.a]\ntype = dense\nunits = 3\n\n"
                         "[layer.a_2]\ntype = dense\nunits = 3\n\n"
                         "[layer.s]\ntype = add\ninputs = a_2, a\n\n"
                         "[layer.b]\ntype = dense\nunits = 2\n");
    tr_free(chain);
    tr_free(net);
    tr_free(layers);
}

/* Keras 2 may also leave out the list around a single tensor. */
Test(keras_graph, bare_calls)
{
    test_translation_has(
        functional(
            IN(SHAPE) "," LAYER("Flatten", "f", "", "[['in',0,0,{}]]") "," LAYER(
                "Dense", "a", ",'units':3", K2("f")) "," LAYER("Dense", "b", ",'units':2", K2("a")),
            "[['in',0,0]]", "[['b',0,0]]"),
        expected);
}

#define K2_TWO(a, b) "[[['" a "',0,0,{}],['" b "',0,0,{}]]]"
#define K3_TENSOR(name)                                                                            \
    "{'class_name':'__keras_tensor__','config':{'keras_history':['" name "',0,0]}}"

/* A shortcut over a convolution, and one from the input; listed as Keras does, by depth. */
static const char shortcuts[] =
    "[layer.a]\ntype = conv2d\nfilters = 1\nkernel_size = 1\n\n"
    "[layer.b]\ntype = conv2d\ninputs = input\nfilters = 1\nkernel_size = 1\n\n"
    "[layer.s]\ntype = add\ninputs = a, b\n\n"
    "[layer.c]\ntype = concatenate\ninputs = s, input, a\n\n"
    "[layer.f]\ntype = flatten\n\n[layer.o]\ntype = dense\nunits = 2\n";
#define CONV(name, calls) LAYER("Conv2D", name, ",'filters':1,'kernel_size':1", calls)

Test(keras_graph, shortcuts_of_keras_2)
{
    test_translation_has(
        functional(IN(SHAPE) "," CONV("a", K2("in")) "," CONV("b", K2("in")) "," LAYER(
                       "Add", "s", "",
                       K2_TWO("a", "b")) "," LAYER("Concatenate", "c", ",'axis':-1",
                                                   "[[['s',0,0,{}],['in',0,0,{}],['a',0,0,{}]]"
                                                   "]") "," LAYER("Flatten", "f", "",
                                                                  K2("c")) "," LAYER("Dense", "o",
                                                                                     ",'units':"
                                                                                     "2",
                                                                                     K2("f")),
                   "[['in',0,0]]", "[['o',0,0]]"),
        shortcuts);
}

/* The same in an order in which readers stand before what they read, with a + b as an operation. */
Test(keras_graph, shortcuts_of_keras_3)
{
    test_translation_has(
        functional(
            LAYER("Add", "s", "", "[{'args':[" K3_TENSOR("a") "," K3_TENSOR("b") "],'kwargs':{}}]") "," IN(SHAPE) "," LAYER(
                "Concatenate", "c", ",'axis':3",
                "[{'args':[[" K3_TENSOR("s") "," K3_TENSOR("in") "," K3_TENSOR(
                    "a") "]],'kwargs':{}}]") "," LAYER("Dense", "o", ",'units':2",
                                                       K3("f")) "," LAYER("Flatten", "f", "",
                                                                          K3("c")) "," CONV("b",
                                                                                            K3("i"
                                                                                               "n")) "," CONV("a",
                                                                                                              K3("in")),
            "['in',0,0]", "['o',0,0]"),
        shortcuts);
}

/* "input" means the images: no layer is called so. */
Test(keras_graph, no_layer_is_called_input)
{
    test_translation_has(
        functional(
            IN(SHAPE) "," CONV("input", K2("in")) "," LAYER(
                "Add", "s", "", K2_TWO("input", "in")) "," LAYER("Flatten", "f", "", K2("s")),
            "[['in',0,0]]", "[['f',0,0]]"),
        "[layer.input_2]\ntype = conv2d\nfilters = 1\nkernel_size = 1\n\n"
        "[layer.s]\ntype = add\ninputs = input_2, input\n");
}

/* Behind a flatten on one of two ways the last axis is that of vectors there only. */
Test(keras_graph, axes_are_those_of_the_source)
{
    static const char form[] =
        IN(SHAPE) "," LAYER("Flatten", "f", "", K2("in")) "," CONV("a", K2("in")) "," LAYER(
            "BatchNormalization", "v", ",'axis':[%d]",
            K2("f")) "," LAYER("BatchNormalization", "i", ",'axis':[%d]",
                               K2("a")) "," LAYER("GlobalMaxPooling2D", "g", "",
                                                  K2("i")) "," LAYER("Concatenate", "c",
                                                                     ",'axis':%d",
                                                                     K2_TWO("g", "v"));
    static const int cases[][4] = {{1, 3, 1, TR_OK},
                                   {1, 3, -1, TR_OK},
                                   {3, 3, 1, TR_ERR_DATA},
                                   {1, 1, 1, TR_ERR_DATA},
                                   {1, 3, 3, TR_ERR_DATA}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *layers = tr_format(form, cases[i][0], cases[i][1], cases[i][2]);
        const test_translation *made = functional(layers, "[['in',0,0]]", "[['c',0,0]]");
        cr_expect_eq(made->status, cases[i][3], "%zu: %s", i, made->err.text);
        tr_free(layers);
    }
}

Test(keras_graph, all_else_is_refused)
{
    static const char flat[] = LAYER("Flatten", "f", "", K2("in"));
    static const char *const cases[][2] = {
        {LAYER("Dense", "a", ",'units':3", K2("f")) "," LAYER("Dense", "b", ",'units':2", K2("f")),
         "layer a (Dense) gives a result that nobody takes"},
        {LAYER("Dense", "b", ",'units':2", K2("f")) "," LAYER("Dense", "a", ",'units':2", K2("b")),
         "layer b (Dense) is the model's output, but others take it, too"},
        {LAYER("Add", "b", "", K2("f")), "layer b (Add) takes 1 tensors; it must be two or more"},
        {LAYER("Dense", "b", ",'units':2", K2_TWO("f", "in")),
         "layer b (Dense) takes 2 tensors; it must be one"},
        {LAYER("ReLU", "b", "", K2_TWO("f", "in")),
         "layer b (ReLU) takes 2 tensors; it must be one"},
        {LAYER("Add", "b", "", "[{'args':[[{},{}]],'kwargs':{}}]"),
         "layer b (Add) takes a tensor that cannot be followed"},
        {LAYER("Multiply", "b", "", "[{'args':[" K3_TENSOR("f") ",2.0],'kwargs':{}}]"),
         "layer b (Multiply) takes a tensor that cannot be followed"},
        {LAYER("Dense", "b", ",'units':2", "[[['f',0,0,{}]],[['f',0,0,{}]]]"),
         "layer b (Dense) is called more than once"},
        {LAYER("Dense", "b", ",'units':2", "[[['f',0,1,{}]]]"),
         "layer b (Dense) takes a tensor that cannot be followed"},
        {LAYER("Dense", "b", ",'units':2", "[[['f',1,0,{}]]]"),
         "layer b (Dense) takes a tensor that cannot be followed"},
        {LAYER("BatchNormalization", "b", "", "[[['f',0,0,{'training':true}]]]"),
         "layer b (BatchNormalization) is called with training = true"},
        {LAYER("Add", "b", "", "[[['f',0,0,{}],['f',0,0,{'scale':2}]]]"),
         "layer b (Add) is called with scale = 2"},
        {LAYER("Dense", "b", ",'units':2",
               "[{'args':[" K3_TENSOR("f") "],'kwargs':{'training':true}}]"),
         "layer b (Dense) is called with training = true"},
        {LAYER("Dense", "b", ",'units':2", "[]"), "layer b (Dense) has no input"},
        {LAYER("Dense", "b", ",'units':2", K2("nowhere")),
         "layer b (Dense) takes a tensor that cannot be followed"},
        {LAYER("Dense", "b", ",'units':2", K2("b")), "layer b (Dense) waits for its own result"},
        {LAYER("Add", "a", "", K2_TWO("f", "b")) "," LAYER("Dense", "b", ",'units':2", K2("a")),
         "layer a (Add) waits for its own result"},
        {LAYER("InputLayer", "i", "", "[]") "," LAYER("Add", "b", "", K2_TWO("f", "i")),
         "layer i (InputLayer) is an input beside the model's"},
        {LAYER("Dense", "f", ",'units':2", K2("f")), "layer f (Dense) has the name of another one"},
        {LAYER("Odd", "b", "", K2_TWO("f", "in")), "layer b is a Odd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *layers = tr_format("%s,%s,%s", IN(SHAPE), flat, cases[i][0]);
        const test_translation *made = functional(layers, "[['in',0,0]]", "[['b',0,0]]");
        cr_expect_eq(made->status, TR_ERR_DATA, "%s", cases[i][0]);
        cr_expect_not_null(strstr(made->err.text, cases[i][1]), "%s", made->err.text);
        cr_expect_not_null(strstr(made->err.text, "made.h5"), "%s", made->err.text);
        tr_free(layers);
    }
}

/* No prediction depends on it; Keras 3 calls every Dropout so. */
Test(keras_graph, training_false_gets_a_note)
{
    static const char form[] = IN(SHAPE) "," LAYER("Flatten", "f", "", K2("in")) "," LAYER(
        "%s", "b", "%s", "[[['f',0,0,{'training':false}]]]");
    char *layers = tr_format(form, "BatchNormalization", "");
    const test_translation *made = functional(layers, "[['in',0,0]]", "[['b',0,0]]");
    cr_expect_eq(made->status, TR_OK, "%s", made->err.text);
    cr_expect_not_null(strstr(made->notes, "layer b (BatchNormalization) is called with training"),
                       "%s", made->notes);
    tr_free(layers);
    layers = tr_format(form, "Dropout", ",'rate':0.5");
    made = functional(layers, "[['in',0,0]]", "[['b',0,0]]");
    cr_expect_eq(made->status, TR_OK, "%s", made->err.text);
    cr_expect_null(strstr(made->notes, "layer b"), "%s", made->notes);
    tr_free(layers);
}

/* Keras 3 calls layers that change images so, and says otherwise when it predicts. */
Test(keras_graph, training_true_is_nothing_to_layers_that_change_images)
{
    static const char layers[] =
        IN(SHAPE) "," LAYER("RandomFlip", "r", "", "[[['in',0,0,{'training':true}]]]") "," LAYER(
            "Flatten", "f", "", K2("r"));
    const test_translation *made = functional(layers, "[['in',0,0]]", "[['f',0,0]]");
    cr_expect_eq(made->status, TR_OK, "%s", made->err.text);
    cr_expect_not_null(strstr(made->ini, "type = random_flip"), "%s", made->ini);
}

Test(keras_graph, several_ends_and_other_models_are_refused)
{
    static const char layers[] = IN(SHAPE) "," LAYER("Flatten", "f", "", K2("in"));
    const test_translation *made = functional(layers, "[['in',0,0],['in2',0,0]]", "[['f',0,0]]");
    cr_expect_not_null(strstr(made->err.text, "not exactly one input"), "%s", made->err.text);
    /* Not for the layer that takes both. */
    made = functional(IN(SHAPE) "," LAYER("Add", "b", "", "[[['in',0,0,{}],['in2',0,0,{}]]]"),
                      "[['in',0,0],['in2',0,0]]", "[['b',0,0]]");
    cr_expect_not_null(strstr(made->err.text, "not exactly one input"), "%s", made->err.text);
    made = functional(layers, "[['in',0,0]]", "[['f',0,0],['in',0,0]]");
    cr_expect_not_null(strstr(made->err.text, "not exactly one input and one output"));
    made = functional(layers, "[['in',0,0]]", "[['in',0,0]]");
    cr_expect_not_null(strstr(made->err.text, "layer in (InputLayer) is the model's output, but"),
                       "%s", made->err.text);
    made = functional(layers, "[['f',0,0]]", "[['f',0,0]]");
    cr_expect_not_null(strstr(made->err.text, "layer in (InputLayer) is an input beside"), "%s",
                       made->err.text);
    made = test_translate_model("{'class_name':'MyNet','config':{'layers':[1]}}", NULL, "3.3.3");
    cr_expect_eq(made->status, TR_ERR_DATA);
    cr_expect_not_null(strstr(made->err.text, "MyNet"), "%s", made->err.text);
}

/* JSON that is no model at all. */
Test(keras_graph, nonsense_is_refused)
{
    static const char *const cases[] = {
        "{}",
        "{'class_name':'Sequential'}",
        "{'class_name':'Sequential','config':[]}",
        "{'class_name':'Sequential','config':{'layers':3}}",
        "{'class_name':'Sequential','config':{'layers':[3]}}",
        "{'class_name':'Sequential','config':{'layers':[{'class_name':'Dense'}]}}",
        "{'class_name':'Sequential','config':{'layers':[{'config':{}}]}}",
        "{'class_name':'Functional','config':{'layers':[{}],'input_layers':1,'output_layers':{}}}",
        "{'class_name':'Functional','config':{'layers':[[],[]],'input_layers':[[]]}}",
        "{'class_name':7,'config':null}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(test_translate_model(cases[i], NULL, "3.3.3")->status, TR_ERR_DATA, "%s",
                     cases[i]);
}
