/* test_keras_layers.c -- layers of all versions become sections; what we do not have is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "keras.h"
#include "mem.h"

#define FLATTEN "{'class_name':'Flatten','config':{'name':'f'}}"

/* The three spellings of one network. */
static const char expected_conv[] =
    "filters = 4\nkernel_size = 3, 2\nstrides = 2, 1\npadding = same\n"
    "dilation_rate = 1, 1\nactivation = relu\nuse_bias = false\n";
static const char conv_keys[] =
    "'filters':4,'kernel_size':[3,2],'strides':[2,1],'padding':'same','data_format':'channels_last'"
    ","
    "'dilation_rate':[1,1],'activation':'relu','use_bias':false,'kernel_initializer':"
    "{'class_name':'VarianceScaling','config':{'scale':1.0,'mode':'fan_avg'}},'bias_initializer':"
    "{'class_name':'Zeros','config':{}},'kernel_regularizer':null,'kernel_constraint':null";

Test(keras_layers, of_keras_2_2_4)
{
    char *model =
        tr_format("{'class_name':'Sequential','config':[{'class_name':'Conv2D','config':"
                  "{'name':'c','trainable':true,'batch_input_shape':[null,8,6,3],'dtype':"
                  "'float32',%s}},{'class_name':'Flatten','config':{'name':'f','trainable'"
                  ":true,'data_format':'channels_last'}}]}",
                  conv_keys);
    const test_translation *made = test_translate_model(model, NULL, "2.2.4");
    test_translation_has(made, "[model]\ninput_shape = 8, 6, 3\nname = sequential\n");
    test_translation_has(made, "[layer.c]\ntype = conv2d\n");
    test_translation_has(made, expected_conv);
    test_translation_has(made, "[layer.f]\ntype = flatten\n");
    tr_free(model);
}

Test(keras_layers, of_keras_2_13)
{
    char *model = tr_format(
        "{'class_name':'Sequential','config':{'name':'mine','layers':[{'class_name':'InputLayer',"
        "'config':{'batch_input_shape':[null,8,6,3],'dtype':'float32','sparse':false,'ragged':"
        "false,"
        "'name':'conv2d_input'}},{'class_name':'Conv2D','config':{'name':'c','trainable':true,"
        "'dtype':'float32','batch_input_shape':[null,8,6,3],'groups':1,%s}}," FLATTEN "]}}",
        conv_keys);
    const test_translation *made = test_translate_model(model, NULL, "2.13.1");
    test_translation_has(made, "[model]\ninput_shape = 8, 6, 3\nname = mine\n");
    test_translation_has(made, expected_conv);
    tr_free(model);
}

Test(keras_layers, of_keras_3)
{
    static const char policy[] = "{'module':'keras','class_name':'DTypePolicy','config':{'name':"
                                 "'float32'},'registered_name':null,'shared_object_id':7}";
    char *layer = tr_format("{'module':'keras.layers','class_name':'Conv2D','config':{'name':'c',"
                            "'trainable':true,'dtype':%s,'groups':1,%s},'registered_name':null,"
                            "'build_config':{'input_shape':[null,8,6,3]}}," FLATTEN,
                            policy, conv_keys);
    test_translation_has(test_translate(layer, NULL, "3.9.2"), expected_conv);
    tr_free(layer);
}

Test(keras_layers, all_others)
{
    static const char *const cases[][2] = {
        {"'MaxPooling2D','config':{'pool_size':[2,2],'strides':null,'padding':'valid'}",
         "type = max_pooling2d\npool_size = 2, 2\npadding = valid\n"},
        {"'AveragePooling2D','config':{'pool_size':3,'strides':[2,2],'padding':'same'}",
         "type = average_pooling2d\npool_size = 3\nstrides = 2, 2\npadding = same\n"},
        {"'GlobalAveragePooling2D','config':{'data_format':'channels_last','keepdims':false}",
         "type = global_average_pooling2d\nkeepdims = false\n"},
        {"'GlobalMaxPooling2D','config':{'data_format':'channels_last'}",
         "type = global_max_pooling2d\n"},
        {"'ZeroPadding2D','config':{'padding':[[1,0],[2,3]],'data_format':'channels_last'}",
         "type = zero_padding2d\npadding = 1, 0, 2, 3\n"},
        {"'Conv2D','config':{'filters':4,'kernel_size':3,'dilation_rate':[2,1],'groups':2}",
         "type = conv2d\nfilters = 4\nkernel_size = 3\ndilation_rate = 2, 1\ngroups = 2\n"},
        {"'DepthwiseConv2D','config':{'kernel_size':[3,3],'strides':2,'groups':1,"
         "'depth_multiplier':2,'depthwise_initializer':{'class_name':'Zeros','config':{}}}",
         "type = depthwise_conv2d\nkernel_size = 3, 3\nstrides = 2\ndepth_multiplier = 2\n"
         "depthwise_initializer = zeros\n"},
        {"'SeparableConv2D','config':{'filters':4,'kernel_size':3,'depth_multiplier':1,"
         "'pointwise_initializer':{'class_name':'Zeros','config':{}},'kernel_initializer':"
         "{'class_name':'GlorotUniform','config':{'seed':null}}}",
         "type = separable_conv2d\nfilters = 4\nkernel_size = 3\ndepth_multiplier = 1\n"
         "pointwise_initializer = zeros\n"},
        {"'Conv2DTranspose','config':{'filters':4,'kernel_size':[3,2],'strides':[2,2],"
         "'padding':'same','output_padding':null,'dilation_rate':[1,1],'use_bias':false}",
         "type = conv2d_transpose\nfilters = 4\nkernel_size = 3, 2\nstrides = 2, 2\n"
         "padding = same\ndilation_rate = 1, 1\nuse_bias = false\n"},
        {"'Conv2DTranspose','config':{'filters':4,'kernel_size':3,'output_padding':[1,0]}",
         "kernel_size = 3\noutput_padding = 1, 0\n"},
        {"'Cropping2D','config':{'cropping':[[1,0],[2,3]],'data_format':'channels_last'}",
         "type = cropping2d\ncropping = 1, 0, 2, 3\n"},
        {"'UpSampling2D','config':{'size':[2,3],'data_format':'channels_last',"
         "'interpolation':'bilinear'}",
         "type = up_sampling2d\nsize = 2, 3\ninterpolation = bilinear\n"},
        {"'Reshape','config':{'target_shape':[2,-1,4]}",
         "type = reshape\ntarget_shape = 2, -1, 4\n"},
        {"'Permute','config':{'dims':[2,1,3]}", "type = permute\ndims = 2, 1, 3\n"},
        {"'Normalization','config':{'axis':[-1],'invert':false,'mean':[0.5,1.0],'variance':[2,3]}",
         "type = normalization\nmean = 0.5, 1\nvariance = 2, 3\n"},
        {"'Normalization','config':{'axis':[3],'invert':false,'mean':null,'variance':null}",
         "type = normalization\n"},
        {"'LayerScale','module':'keras.src.applications.convnext','registered_name':'LayerScale',"
         "'config':{'init_values':1e-06,'projection_dim':3}",
         "type = layer_scale\ninit_values = 1e-06\nprojection_dim = 3\n"},
        {"'Rescaling','config':{'scale':0.00392156862745098,'offset':[0.5,0.0,-1.0]}",
         "type = rescaling\nscale = 0.00392156862745098\noffset = 0.5, 0, -1\n"},
        {"'Dropout','config':{'rate':0.25,'noise_shape':[null,1],'seed':3}",
         "type = dropout\nrate = 0.25\n"},
        {"'BatchNormalization','config':{'axis':[3],'momentum':0.9,'epsilon':0.001,'center':true,"
         "'scale':false,'synchronized':false,'renorm':false,'renorm_clipping':null,"
         "'virtual_batch_size':null,'fused':true}",
         "type = batch_normalization\nmomentum = 0.9\nepsilon = 0.001\ncenter = true\nscale = "
         "false\n"},
        {"'BatchNormalizationV1','config':{'axis':-1}", "type = batch_normalization\n"},
        {"'BatchNormalization','config':{'axis':[3],'virtual_batch_size':4}",
         "type = batch_normalization\nvirtual_batch_size = 4\n"},
        {"'LayerNormalization','config':{'axis':[-1],'epsilon':0.01,'center':false,'scale':true,"
         "'rms_scaling':false,'beta_regularizer':null}",
         "type = layer_normalization\nepsilon = 0.01\ncenter = false\nscale = true\n"},
        {"'GroupNormalization','config':{'groups':3,'axis':3,'epsilon':0.001}",
         "type = group_normalization\ngroups = 3\nepsilon = 0.001\n"},
        {"'Activation','config':{'activation':'silu'}", "type = activation\nactivation = silu\n"},
        {"'ReLU','config':{'max_value':null,'negative_slope':0.0,'threshold':0.0}",
         "type = re_lu\nnegative_slope = 0\nthreshold = 0\n"},
        {"'ReLU','config':{'max_value':6.0,'negative_slope':0.25,'threshold':0.5}",
         "type = re_lu\nmax_value = 6\nnegative_slope = 0.25\nthreshold = 0.5\n"},
        {"'ThresholdedReLU','config':{'theta':1.5}", "type = re_lu\nthreshold = 1.5\n"},
        {"'LeakyReLU','config':{'alpha':0.125}", "type = leaky_re_lu\nnegative_slope = 0.125\n"},
        {"'LeakyReLU','config':{'negative_slope':0.1}",
         "type = leaky_re_lu\nnegative_slope = 0.1\n"},
        {"'ELU','config':{'alpha':0.5}", "type = elu\nalpha = 0.5\n"},
        {"'Softmax','config':{'axis':-1}", "type = softmax\n"},
        {"'Dense','config':{'name':'d','units':3,'activation':{'class_name':'LeakyReLU','config':"
         "{'alpha':0.1}}}",
         "units = 3\nactivation = linear\n\n[layer.d_activation]\ntype = leaky_re_lu\n"
         "negative_slope = 0.1\n"},
        {"'Activation','config':{'activation':{'class_name':'function','config':'relu'}}",
         "activation = relu\n"},
        {"'Activation','config':{'activation':{'module':'keras.layers','class_name':'ReLU','config'"
         ":"
         "{'name':'r'},'registered_name':null}}",
         "type = re_lu\n"},
        {"'Conv2D','config':{'filters':2,'kernel_size':3,'activation':null}",
         "filters = 2\nkernel_size = 3\nactivation = linear\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *layers = tr_format("{'class_name':%s}," FLATTEN, cases[i][0]);
        test_translation_has(test_translate(layers, NULL, "3.3.3"), cases[i][1]);
        tr_free(layers);
    }
}

/* Behind a flatten the last axis is the first one. */
Test(keras_layers, batch_normalization_of_vectors)
{
    test_translation_has(
        test_translate(FLATTEN ",{'class_name':'BatchNormalization','config':{'axis':[1]}}", NULL,
                       "2.4.0"),
        "type = batch_normalization\n");
}

Test(keras_layers, every_refusal_names_layer_and_key)
{
    static const char *const cases[][3] = {
        {"{'class_name':'Conv3D','config':{'name':'v'}}", "3.3.3", "layer v|Conv3D|Conv2D, "},
        {"{'class_name':'my>Odd','config':{'name':'o'}}", "3.3.3", "layer o|is a my>Odd"},
        {"{'class_name':'my>Flatten','config':{'name':'f'}}", "3.3.3", "layer f|is a my>Flatten"},
        {"{'class_name':'Flatten','registered_name':'my>Flatten','config':{'name':'f'}}", "3.3.3",
         "layer f|is a my>Flatten"},
        {"{'class_name':'Sequential','config':{'name':'inner','layers':[]}}", "3.3.3",
         "its model has 0 layers"},
        {"{'class_name':'DepthwiseConv2D','config':{'name':'v','kernel_size':3,'groups':3}}",
         "3.3.3", "layer v (DepthwiseConv2D): groups = 3"},
        {"{'class_name':'Conv2D','config':{'name':'v','dilation_rate':[2,0]}}", "3.3.3",
         "layer v (Conv2D): dilation_rate = [2,0]"},
        {"{'class_name':'Conv2D','config':{'name':'v','data_format':'channels_first'}}", "2.3.0",
         "layer v (Conv2D): data_format = \"channels_first\"|\"channels_last\""},
        {"{'class_name':'MaxPooling2D','config':{'name':'v','data_format':'channels_first'}}",
         "2.3.0", "layer v (MaxPooling2D): data_format"},
        {"{'class_name':'Dense','config':{'name':'v','dtype':'float16','units':2}}", "3.3.3",
         "layer v (Dense): dtype = \"float16\"|float32"},
        {"{'class_name':'Dense','config':{'name':'v','dtype':{'class_name':'Policy','config':{'"
         "name'"
         ":'mixed_float16'}}}}",
         "2.4.0", "layer v (Dense): dtype = \"mixed_float16\""},
        {"{'class_name':'Dense','config':{'name':'v','dtype':{'class_name':'QuantizedDTypePolicy',"
         "'config':{'mode':'int8','source_name':'float32'}}}}",
         "3.3.3", "layer v (Dense): dtype = |int8"},
        {"{'class_name':'ReLU','config':{'name':'v','dtype':{'class_name':'DTypePolicy','config':"
         "{'name':'mixed_bfloat16'}}}}",
         "3.3.3", "layer v (ReLU): dtype = \"mixed_bfloat16\""},
        {"{'class_name':'Dense','config':{'name':'v','units':2,'activation':'glu'}}", "3.3.3",
         "layer v (Dense): activation = \"glu\"|relu"},
        {"{'class_name':'Dense','config':{'name':'v','units':2,'activation':{'class_name':'my>act',"
         "'config':{}}}}",
         "3.3.3", "layer v (Dense): activation = |my>act"},
        {"{'class_name':'Dense','config':{'name':'v','units':0}}", "3.3.3",
         "layer v (Dense): units = 0|must be an integer from 1"},
        {"{'class_name':'Dense','config':{'name':'v','units':2,'lora_rank':4}}", "3.3.3",
         "layer v (Dense): lora_rank = 4"},
        {"{'class_name':'Conv2D','config':{'name':'v','padding':'causal'}}", "3.3.3",
         "layer v (Conv2D): padding = \"causal\"|valid|same"},
        {"{'class_name':'ReLU','config':{'name':'v','max_value':-1.0}}", "3.3.3",
         "layer v (ReLU): max_value = -1.0|from 0"},
        {"{'class_name':'LeakyReLU','config':{'name':'v','alpha':'x'}}", "2.4.0",
         "layer v (LeakyReLU): negative_slope = \"x\""},
        {"{'class_name':'ELU','config':{'name':'v','alpha':0}}", "2.4.0",
         "layer v (ELU): alpha = 0"},
        {"{'class_name':'Softmax','config':{'name':'v','axis':1}}", "3.3.3",
         "layer v (Softmax): axis = 1"},
        {"{'class_name':'BatchNormalization','config':{'name':'v','axis':1}}", "3.3.3",
         "layer v (BatchNormalization): axis = 1|last axis"},
        {"{'class_name':'BatchNormalization','config':{'name':'v','axis':[1,2]}}", "3.3.3",
         "layer v (BatchNormalization): axis = [1,2]"},
        {"{'class_name':'LayerNormalization','config':{'name':'v','axis':[1,2,3]}}", "3.3.3",
         "layer v (LayerNormalization): axis = [1,2,3]|last axis"},
        {"{'class_name':'LayerNormalization','config':{'name':'v','rms_scaling':true}}", "3.9.2",
         "layer v (LayerNormalization): rms_scaling = true"},
        {"{'class_name':'GroupNormalization','config':{'name':'v','axis':1}}", "3.3.3",
         "layer v (GroupNormalization): axis = 1"},
        {"{'class_name':'BatchNormalization','config':{'name':'v','renorm':true}}", "3.16.0",
         "layer v (BatchNormalization): renorm = true"},
        {FLATTEN ",{'class_name':'InputLayer','config':{'name':'v','batch_shape':[null,2]}}",
         "3.3.3", "layer v is an input amid"},
        {"", "3.3.3", "no layers but the input"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        test_translation_refused(cases[i][0], cases[i][1], cases[i][2]);
}

/* clip(0.2 x + 0.5, 0, 1), in words that both generations have. */
Test(keras_layers, keras_2_has_another_hard_sigmoid)
{
    test_translation_has(test_translate(FLATTEN
                                        ",{'class_name':'Dense','config':{'name':'v','units'"
                                        ":2,'activation':'hard_sigmoid'}}",
                                        NULL, "2.13.1"),
                         "units = 2\nactivation = linear\n\n[layer.v_scaled]\ntype = rescaling\n"
                         "scale = 0.2\noffset = 0.5\n\n[layer.v_activation]\ntype = re_lu\n"
                         "max_value = 1\n");
}

Test(keras_layers, keras_3_has_our_hard_sigmoid)
{
    test_translation_has(test_translate(FLATTEN
                                        ",{'class_name':'Dense','config':{'name':'v','units'"
                                        ":2,'activation':'hard_sigmoid'}}",
                                        NULL, "3.3.3"),
                         "activation = hard_sigmoid\n");
}

/* In the spellings of all versions. */
Test(keras_layers, functions_of_weights)
{
    static const char *const cases[][2] = {
        {"'kernel_initializer':{'class_name':'HeNormal','config':{'seed':null}}",
         "kernel_initializer = he_normal\n"},
        {"'kernel_initializer':{'module':'keras.initializers','class_name':'GlorotUniform','config'"
         ":"
         "{'seed':7},'registered_name':null}",
         "kernel_initializer = glorot_uniform(seed=7)\n"},
        {"'kernel_initializer':{'class_name':'VarianceScaling','config':{'scale':2.0,'mode':"
         "'fan_out','distribution':'normal','seed':null,'input_axes':null}}",
         "kernel_initializer = variance_scaling(scale=2, mode=fan_out, "
         "distribution=truncated_normal)\n"},
        {"'kernel_initializer':'uniform'", "kernel_initializer = random_uniform\n"},
        {"'kernel_initializer':{'class_name':'OrthogonalInitializer','config':{'gain':1.0,'seed':"
         "{'class_name':'SeedGenerator','config':{'seed':3}}}}",
         "kernel_initializer = orthogonal(gain=1)\n"},
        {"'bias_initializer':{'class_name':'Constant','config':{'value':-0.5}}",
         "bias_initializer = constant(value=-0.5)\n"},
        {"'kernel_regularizer':{'class_name':'L1L2','config':{'l1':0.0,'l2':1e-4}}",
         "kernel_regularizer = l1_l2(l1=0, l2=0.0001)\n"},
        {"'kernel_regularizer':'l2'", "kernel_regularizer = l2\n"},
        {"'kernel_constraint':{'class_name':'MaxNorm','config':{'max_value':3,'axis':[0,1,2]}}",
         "kernel_constraint = max_norm(max_value=3, axis=[0, 1, 2])\n"},
        {"'bias_constraint':{'class_name':'NonNeg','config':{}}", "bias_constraint = non_neg\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *layers = tr_format(
            FLATTEN ",{'class_name':'Dense','config':{'name':'d','units':2,%s}}", cases[i][0]);
        const test_translation *made = test_translate(layers, NULL, "3.3.3");
        test_translation_has(made, cases[i][1]);
        cr_expect_null(strstr(made->notes, "layer d"), "%s", made->notes);
        tr_free(layers);
    }
}

/* They are left out, by name, and an export has them again. */
Test(keras_layers, functions_of_other_people_get_a_note)
{
    static const char *const cases[] = {
        "'kernel_regularizer':{'class_name':'OrthogonalRegularizer','config':{'factor':0.01}}",
        "'kernel_regularizer':{'class_name':'L2','config':{'l2':-1}}",
        "'kernel_initializer':{'class_name':'HeNormal','config':{'scale':2}}",
        "'bias_constraint':{'class_name':'Mine>MaxNorm2','config':{}}",
        "'kernel_constraint':{'class_name':'MaxNorm','config':{'axis':[0,7]}}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *layers = tr_format(
            FLATTEN ",{'class_name':'Dense','config':{'name':'d','units':2,%s}}", cases[i]);
        const test_translation *made = test_translate(layers, NULL, "3.3.3");
        test_translation_has(made, "units = 2\n\n[compile]\n");
        cr_expect_not_null(strstr(made->notes, "is not known here: predictions do not"), "%s",
                           made->notes);
        cr_expect_not_null(strstr(made->carried, "\"layers\":{\"d\":{\""), "%s", made->carried);
        tr_free(layers);
    }
}

Test(keras_layers, names_are_made_acceptable_and_unique)
{
    static const char dense[] = "{'class_name':'Dense','config':{'name':'%s','units':2}}";
    static const char *const names[] = {"a/b", "a_b", "A.b", "1", "x\\u001b[2J"};
    char *layers = tr_strdup(FLATTEN);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *one = tr_format(dense, names[i]), *all = tr_format("%s,%s", layers, one);
        tr_free(layers);
        tr_free(one);
        layers = all;
    }
    const test_translation *made = test_translate(layers, NULL, "3.3.3");
    test_translation_has(made, "[layer.a_b]\n");
    test_translation_has(made, "[layer.a_b_2]\n");
    test_translation_has(made, "[layer.A_b_3]\n");
    test_translation_has(made, "[layer.layer_1]\n");
    test_translation_has(made, "[layer.x__2J]\n");
    tr_free(layers);
}

/* The shape of the input, wherever a version puts it; and those that are none. */
Test(keras_layers, input_shapes)
{
    static const char form[] =
        "{'class_name':'Sequential','config':{'name':'m','layers':[%s]%s}%s}";
    static const char in[] = "{'class_name':'InputLayer','config':{'%s':%s,'dtype':'%s'}}," FLATTEN;
    static const struct {
        const char *key, *shape, *dtype, *expected;
        bool fine;
    } cases[] = {{"batch_shape", "[null,8,6,3]", "float32", "input_shape = 8, 6, 3\n", true},
                 {"batch_input_shape", "[32,8,6,3]", "float32", "input_shape = 8, 6, 3\n", true},
                 {"batch_shape", "[null,28,28]", "float32", "input_shape = 28, 28, 1\n", true},
                 {"batch_shape", "[null,null,null,3]", "float32", "[null,null,null,3]", false},
                 {"batch_shape", "[null,784]", "float32", "input_shape = 784\n", true},
                 {"batch_shape", "[null,8,6,3]", "uint8", "its input: dtype = \"uint8\"", false},
                 {"other", "[null,8,6,3]", "float32", "not told", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *layers = tr_format(in, cases[i].key, cases[i].shape, cases[i].dtype);
        char *model = tr_format(form, layers, "", "");
        const test_translation *made = test_translate_model(model, NULL, "3.3.3");
        cr_expect_eq(made->status, cases[i].fine ? TR_OK : TR_ERR_DATA, "%s", layers);
        cr_expect_not_null(strstr(cases[i].fine ? made->ini : made->err.text, cases[i].expected),
                           "%s: %s%s", cases[i].expected, made->ini, made->err.text);
        tr_free(layers);
        tr_free(model);
    }
    char *built = tr_format(form, FLATTEN, ",'build_input_shape':[null,4,5,1]", "");
    test_translation_has(test_translate_model(built, NULL, "3.3.3"), "input_shape = 4, 5, 1\n");
    char *archive = tr_format(form, FLATTEN, "", ",'build_config':{'input_shape':[null,4,7,1]}");
    test_translation_has(test_translate_model(archive, NULL, "3.3.3"), "input_shape = 4, 7, 1\n");
    tr_free(built);
    tr_free(archive);
}

/* An export has it again; names as Keras gave them, unless Keras 3 would refuse them. */
Test(keras_layers, what_no_prediction_depends_on_is_carried)
{
    const test_translation *made = test_translate(
        "{'class_name':'Conv2D','config':{'name':'my conv','filters':2,'kernel_size':[3,3],"
        "'trainable':false,'kernel_regularizer':{'class_name':'L2','config':{'l2':0.01}},"
        "'bias_regularizer':null,'kernel_initializer':{'class_name':'GlorotUniform','config':"
        "{'seed':null,'dtype':'float32'}},'kernel_constraint':{'class_name':'MaxNorm','config':"
        "{'max_value':1,'axis':0}}}},"
        "{'class_name':'Dropout','config':{'name':'a/b','rate':0.5,'trainable':true,'seed':3,"
        "'noise_shape':[null,1,1,2]}},"
        "{'class_name':'Flatten','config':{'name':'f'}},"
        "{'class_name':'Dense','config':{'name':'d','units':3}}",
        NULL, "3.3.3");
    cr_assert_eq(made->status, TR_OK, "%s", made->err.text);
    cr_expect_str_eq(
        made->carried,
        test_json("{'input':{'name':'in'},'layers':{'a_b':{'noise_shape':[null,1,1,2],'seed':3},"
                  "'my_conv':{'name':'my conv'}},"
                  "'model':{'name':'made'}}"));
    test_translation_has(made, "[layer.my_conv]\ntype = conv2d\nfilters = 2\nkernel_size = 3, 3\n"
                               "kernel_regularizer = l2(l2=0.01)\n"
                               "kernel_initializer = glorot_uniform\n"
                               "kernel_constraint = max_norm(max_value=1, axis=0)\n"
                               "trainable = false\n");
}

/* A whole model's freezes all its weights; a layer that has none is written as it was. */
Test(keras_layers, frozen_ones)
{
    static const char form[] =
        "{'class_name':'Sequential','config':{'name':'m','trainable':%s,'layers':["
        "{'class_name':'InputLayer','config':{'batch_shape':[null,8,6,3],'name':'in'}},"
        "{'class_name':'Flatten','config':{'name':'f','trainable':false}},"
        "{'class_name':'BatchNormalization','config':{'name':'b','trainable':%s}},"
        "{'class_name':'Dense','config':{'name':'d','units':2,'trainable':%s}}]}}";
    static const struct {
        const char *model, *first, *second, *expected;
    } cases[] = {
        {"true", "true", "true", "normalization\n\n[layer.d]\ntype = dense\nunits = 2\n\n"},
        {"true", "false", "true",
         "normalization\ntrainable = false\n\n[layer.d]\ntype = dense\nunits = 2\n\n"},
        {"false", "false", "false",
         "normalization\ntrainable = false\n\n[layer.d]\ntype = dense\nunits = 2\n"
         "trainable = false\n"},
        {"false", "true", "true",
         "normalization\ntrainable = false\n\n[layer.d]\ntype = dense\nunits = 2\n"
         "trainable = false\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *model = tr_format(form, cases[i].model, cases[i].first, cases[i].second);
        const test_translation *made = test_translate_model(model, NULL, "3.3.3");
        test_translation_has(made, cases[i].expected);
        cr_expect_not_null(strstr(made->carried, test_json("'layers':{'f':{'trainable':false}}")),
                           "%s", made->carried);
        cr_expect_eq(strstr(made->carried, test_json("'name':'m','trainable':false")) != NULL,
                     cases[i].model[0] == 'f', "%s", made->carried);
        tr_free(model);
    }
}
