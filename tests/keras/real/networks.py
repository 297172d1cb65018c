"""networks.py -- networks that together have every layer, activation, loss, metric, optimizer and schedule that
`trainer` trains, as INI files, and what the program itself makes of them.

    make(folder, trainer)   writes data.h5 and, for each network, a folder with one epoch's last.h5, its exports and predictions,
                            and after.json: what was printed, and the losses of that epoch and of the next one, to which `trainer` went on
"""
import json
import os
import shutil
import subprocess

import h5py
import numpy as np

CLASSES = 4
BATCH = 20


class Network:
    """`old`: Keras 2 needs no export of its own to train. `lacks`: what an export says that some Keras lacks. `same`: a further
    epoch is the same in Keras (no dropout; no average of weights, which Keras goes on from and trainer does not). `known`: the first
    Keras 3 that has the optimizer. `groups`: further sections and their keys. `untold`: no Keras
    has such an optimizer, and no file speaks of it. `absent`: a layer that Kerases before `since` do not have."""

    def __init__(self, name, layers, target, loss, optimizer, metrics="", settings="", rate="", loss_keys="", top_k=0, old=True,
                 keras2="whole", state3=True, state2=True, same=True, h5=True, since=(3, 0), input="12, 10, 3", known=(3, 0), groups=(), untold=False, weighted="", absent=""):
        self.__dict__.update(locals())

    def ini(self):
        text = ("[data]\nfile = ../data.h5\nvalidation_file = ../data.h5\nx_validation = x_test\ny_validation = y_test_%s\n"
                "y_train = y_train_%s\ny_test = y_test_%s\n\n[model]\ninput_shape = %s\nname = %s\n"
                % (self.target, self.target, self.target, self.input, self.name))
        for i, layer in enumerate(self.layers):
            head, *keys = layer.split("; ")
            kind, name = head.split(" ")[0], head.split(" ")[-1]  # "conv2d c1": its own name
            text += "\n[layer.%s]\ntype = %s\n%s\n" % (name if " " in head else "%s_%d" % (kind[:4], i), kind, "\n".join(keys))
        text += "\n[compile]\nloss = %s\noptimizer = %s\nmetrics = %s\n" % (self.loss, self.optimizer, self.metrics)
        text += "top_k = %d\n" % self.top_k if self.top_k else ""
        text += "weighted_metrics = %s\n" % self.weighted if self.weighted else ""
        for head, keys in (("loss", self.loss_keys), ("optimizer", self.settings), ("learning_rate", self.rate), *self.groups):
            text += "\n[%s]\n%s\n" % (head, "\n".join(keys.split("; "))) if keys else ""
        return text + "\n[fit]\nepochs = 1\nbatch_size = %d\nshuffle = no\n\n[output]\ndirectory = run\n" % BATCH


def dense(units, activation="linear"):
    return ["flatten", "dense; units = %d; activation = %s" % (units, activation)]


def conv(activation, more=""):
    return "conv2d; filters = 5; kernel_size = 3; activation = %s%s" % (activation, more)


def side(name, source, more="", kernel=1):
    return "conv2d %s; filters = 5; kernel_size = %d; padding = same; inputs = %s%s" % (name, kernel, source, more)


SPARSE, ONE_HOT = "sparse_categorical_crossentropy", "categorical_crossentropy"
NETWORKS = [
    Network("adam", [conv("relu"), "max_pooling2d; pool_size = 2"] + dense(CLASSES, "softmax"), "sparse", SPARSE, "adam",
            "accuracy, top_k", top_k=2),
    Network("sgd", ["zero_padding2d; padding = 1, 2, 0, 1", conv("tanh", "; strides = 2"),
                    "average_pooling2d; pool_size = 3; strides = 2; padding = same", "global_average_pooling2d",
                    "dense; units = 4; activation = softmax"], "one_hot", ONE_HOT, "sgd", "accuracy, top_k, mse, mae", "momentum = 0.9; nesterov = yes",
            loss_keys="label_smoothing = 0.1", top_k=2),
    Network("rmsprop", [conv("sigmoid"), "activation; activation = softmax", "global_max_pooling2d", "dense; units = 4"], "sparse", SPARSE,
            "rmsprop", "sparse_categorical_accuracy, sparse_top_k_categorical_accuracy", "momentum = 0.5; centered = yes; learning_rate = 0.002",
            loss_keys="from_logits = yes", top_k=3),
    Network("adagrad", [conv("elu", "; padding = same")] + dense(1, "sigmoid"), "binary", "binary_crossentropy", "adagrad",
            "accuracy, mean_squared_error", "clipnorm = 1"),
    Network("adadelta", [conv("selu")] + dense(3, "sigmoid"), "several", "binary_crossentropy", "adadelta", "binary_accuracy, accuracy",
            "learning_rate = 0.5; clipvalue = 0.1", loss_keys="label_smoothing = 0.2"),
    Network("adamax", [conv("gelu")] + dense(3), "values", "mean_squared_error", "adamax", "mean_squared_error, mean_absolute_error"),
    Network("adam_logits", [conv("swish", "; use_bias = no")] + dense(3), "several", "binary_crossentropy", "adam", "mae", "amsgrad = yes; global_clipnorm = 1",
            loss_keys="from_logits = yes"),
    Network("ftrl", [conv("softplus")] + dense(CLASSES), "one_hot", ONE_HOT, "ftrl", "categorical_accuracy, top_k_categorical_accuracy",
            "l1_regularization_strength = 0.001; beta = 0.1", loss_keys="from_logits = yes", top_k=2),
    Network("adamw", [conv("leaky_relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "adamw", "accuracy", "weight_decay = 0.02; clipnorm = 1", old=False),
    Network("lion", [conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "lion", "accuracy", "learning_rate = 0.0005", old=False),
    Network("nadam", [conv("tanh")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "nadam", "accuracy", state2=False, since=(3, 10)),
    Network("lamb", [conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "lamb", "accuracy", old=False, keras2="uncompiled", h5=False, since=(3, 7)),
    Network("adafactor", [conv("relu")] + dense(6) + dense(CLASSES, "softmax")[1:], "sparse", SPARSE, "adafactor", "accuracy",
            "learning_rate = 0.05; weight_decay = 0.01", old=False),
    Network("muon", [conv("relu")] + dense(6) + dense(CLASSES, "softmax")[1:], "sparse", SPARSE, "muon", "accuracy",
            "learning_rate = 0.01; exclude_layers = dens_3; rms_rate = none", old=False, keras2="uncompiled", since=(3, 15), known=(3, 15)),
    Network("matrices", [conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "muon", "accuracy", "convolutions = matrices", old=False,
            keras2="uncompiled", h5=False, untold=True),
    Network("free", [conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "schedule_free_adamw", "accuracy", "warmup_steps = 2", old=False,
            keras2="uncompiled", same=False, since=(3, 15), known=(3, 15)),
    Network("several", [conv("relu")] + dense(7, "tanh") + dense(6)[1:] + dense(CLASSES, "softmax")[1:], "sparse", SPARSE, "sgd", "accuracy",
            "learning_rate = 0.02; momentum = 0.5; clipnorm = 1", old=False, keras2="uncompiled", since=(3, 15), known=(3, 15),
            groups=(("optimizer.first", "layers = conv_0; optimizer = adam; gradient_accumulation_steps = 2"),
                    ("optimizer.rate", "layers = dens_3; learning_rate = 0.1"),
                    ("optimizer.last", "layers = dens_4; optimizer = adam"),
                    ("learning_rate.last", "schedule = inverse_time_decay; initial_learning_rate = 0.01; decay_steps = 1; decay_rate = 0.5"))),
    Network("decay", [conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "sgd", "accuracy", "weight_decay = 0.01; momentum = 0.5",
            rate="schedule = exponential_decay; initial_learning_rate = 0.05; decay_steps = 2; decay_rate = 0.5", old=False),
    Network("warmup", [conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "adam", "accuracy",
            rate="schedule = cosine_decay; initial_learning_rate = 0.001; decay_steps = 10; warmup_target = 0.01; warmup_steps = 3"),
    Network("pieces", [conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "sgd", "accuracy",
            rate="schedule = piecewise_constant_decay; boundaries = 2, 4; values = 0.1, 0.01, 0.001"),
    Network("average", [conv("relu"), "dropout; rate = 0.3"] + dense(CLASSES, "softmax"), "sparse", SPARSE, "adam", "accuracy",
            "use_ema = yes; ema_momentum = 0.9", old=False, same=False),
    Network("accumulate", [conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "sgd", "accuracy", "gradient_accumulation_steps = 2; momentum = 0.9",
            old=False, keras2="uncompiled", since=(3, 3)),
    # Layers side by side have the same shapes, and stand in another order than Keras's. No bias before a batch normalization, which takes
    # it away again: its gradient is rounding, of which Adam makes steps of full length.
    Network("residual", [side("short", "input", "; use_bias = no"), side("c1", "input", "; use_bias = no", 3), "batch_normalization b1; momentum = 0.9",
                         "activation r1; activation = relu", side("c2", "r1", "; use_bias = no", 3), "batch_normalization b2; epsilon = 0.01; scale = no", "add a1; inputs = b2, short",
                         "activation r2; activation = relu", side("c3", "r2", "; use_bias = no; strides = 2", 3), "batch_normalization b3; center = no", side("c4", "r2", "; strides = 2"),
                         "add a2; inputs = c4, b3", "global_average_pooling2d", "dense; units = 4; activation = softmax"], "sparse", SPARSE, "adam", "accuracy"),
    Network("branches", [side("d", "input"), side("c", "input"), side("b", "d", "; activation = tanh", 3), side("a", "c", kernel=3),
                         "concatenate ab; inputs = a, input, b, c", "global_max_pooling2d top", "global_average_pooling2d middle; inputs = ab",
                         "concatenate all; inputs = middle, top", "batch_normalization", "dense; units = 4; activation = softmax"], "sparse", SPARSE, "sgd", "accuracy",
            "momentum = 0.9; learning_rate = 0.02"),
    Network("frozen", [side("c", "input", "; trainable = no", 3), "batch_normalization n; trainable = no", side("e", "n", "; activation = relu"), "batch_normalization y",
                       "multiply; inputs = y, c", "flatten", "dense; units = 6; activation = tanh; trainable = no", "dense; units = 4; activation = softmax"],
            "sparse", SPARSE, "adam", "accuracy"),
    Network("norms", [side("c", "input"), "layer_normalization l; epsilon = 0.01", "group_normalization g; groups = 5; inputs = c", "maximum m; inputs = l, g",
                      "group_normalization h; groups = 1; center = no", "average; inputs = h, m, c", "flatten", "dense; units = 7", "layer_normalization; scale = no",
                      "dense; units = 4; activation = softmax"], "sparse", SPARSE, "rmsprop", "accuracy"),
    Network("virtual", [conv("linear"), "batch_normalization; virtual_batch_size = 4", "activation; activation = relu"] + dense(CLASSES, "softmax"),
            "sparse", SPARSE, "adam", "accuracy", same=False),
    Network("shapes", ["rescaling; scale = 1/2; offset = 0.1, 0, -0.3", "normalization; mean = 0.1, -0.2, 0.3; variance = 0.5, 1, 2", "normalization", "cropping2d; cropping = 1, 0, 0, 2", side("c", "crop_3", "; activation = tanh", 3),
                       "up_sampling2d; interpolation = bilinear; size = 1, 2", "permute; dims = 2, 1, 3", "reshape; target_shape = 8, -1, 5", "up_sampling2d",
                       "global_average_pooling2d", "reshape; target_shape = 1, 1, 5", side("d", "resh_10"), "reshape; target_shape = 5",
                       "dense; units = 4; activation = softmax"], "sparse", SPARSE, "adam", "accuracy"),
    Network("functions", [conv("linear"), "re_lu; max_value = 1.5; negative_slope = 0.25; threshold = 0.125", conv("silu"), "leaky_re_lu", "gaussian_noise; stddev = 0.1",
                          "spatial_dropout2d; rate = 0.25", "batch_normalization", "re_lu; max_value = 6", "elu; alpha = 0.5", "flatten", "gaussian_dropout; rate = 0.2",
                          "dense; units = 9; activation = relu6", "alpha_dropout; rate = 0.1", "dense; units = 9; activation = mish", "dense; units = 9; activation = softsign", "dense; units = 4", "softmax"],
            "sparse", SPARSE, "adam", "accuracy", same=False),
    Network("gates", [side("a", "input", "; activation = relu", 3), "global_average_pooling2d g", "reshape r; target_shape = 1, 1, 5", side("s", "r", "; activation = relu"),
                      side("e", "s", "; activation = sigmoid"), "multiply m; inputs = a, e", "conv2d_transpose u; filters = 5; kernel_size = 3; strides = 2; padding = same; output_padding = 1; activation = relu", "max_pooling2d q; pool_size = 2; padding = same", "conv2d o; filters = 1; kernel_size = 1; activation = tanh", "add t; inputs = o, m, g",
                      "global_max_pooling2d", "dense; units = 4; activation = softmax"], "sparse", SPARSE, "adam", "accuracy"),
    Network("rules", ["conv2d; filters = 5; kernel_size = 3; activation = relu; kernel_initializer = he_normal(seed=3); bias_initializer = constant(0.1); "
                      "kernel_regularizer = l2(0.01); bias_regularizer = l1(0.02); kernel_constraint = max_norm(0.8, axis=[0, 1, 2])",
                      "batch_normalization; gamma_regularizer = l1_l2(0.01, 0.02); beta_initializer = random_uniform; gamma_constraint = non_neg; moving_variance_initializer = constant(2)",
                      "depthwise_conv2d; kernel_size = 3; depthwise_initializer = variance_scaling(2, fan_out, uniform); depthwise_regularizer = l2; depthwise_constraint = unit_norm(axis=[0, 1])",
                      "separable_conv2d; filters = 6; kernel_size = 2; pointwise_initializer = lecun_uniform; pointwise_regularizer = l1; pointwise_constraint = max_norm(1, axis=-2)",
                      "layer_normalization; gamma_initializer = random_normal(1, 0.1); beta_regularizer = l2(0.1)", "flatten",
                      "dense; units = 7; activation = tanh; kernel_initializer = orthogonal(2); kernel_constraint = unit_norm; bias_constraint = min_max_norm(0, 0.5, rate=0.5)",
                      "dense; units = 7; kernel_initializer = identity", "dense; units = 4; activation = softmax; kernel_initializer = truncated_normal(stddev=0.2)"],
            "sparse", SPARSE, "adam", "accuracy"),
    # The first versions of Keras 3 add the samples of a batch up.
    Network("results", [conv("relu", "; activity_regularizer = l2(0.001)"), "max_pooling2d; activity_regularizer = l1(0.001)", "flatten",
                        "dense; units = 4; activation = softmax; activity_regularizer = l1_l2(0, 0.1)"], "sparse", SPARSE, "adam", "accuracy", since=(3, 4), known=(3, 4)),
    Network("pixels", ["dense p; units = 6; activation = relu", "global_average_pooling2d; keepdims = yes", "dense s; units = 6; activation = sigmoid", "multiply; inputs = p, s",
                       "flatten", "dense; units = 4; activation = softmax"], "sparse", SPARSE, "adam", "accuracy"),
    Network("vectors", ["dense; units = 9; activation = relu", "batch_normalization n", "dense d; units = 9; inputs = n", "add; inputs = d, n",
                        "dense; units = 4; activation = softmax"], "sparse", SPARSE, "adam", "accuracy", input="360"),
    Network("perceptron", ["dense; units = 9; activation = tanh", "dense; units = 4; activation = softmax"], "sparse", SPARSE, "sgd", "accuracy", input="360"),
    Network("depthwise", ["depthwise_conv2d; kernel_size = 3; strides = 2; padding = same; depth_multiplier = 2; activation = relu",
                          "depthwise_conv2d; kernel_size = 3; dilation_rate = 2; padding = same; use_bias = no",
                          "separable_conv2d; filters = 5; kernel_size = 3; depth_multiplier = 2; activation = tanh"] + dense(CLASSES, "softmax"),
            "sparse", SPARSE, "adam", "accuracy"),
    Network("groups", ["conv2d; filters = 6; kernel_size = 3; dilation_rate = 2; activation = relu",
                       "conv2d; filters = 4; kernel_size = 3; groups = 2; activation = tanh"] + dense(CLASSES, "softmax"), "sparse", SPARSE, "rmsprop", "accuracy"),
    Network("augmented", ["normalization; adapt = yes", "random_flip; mode = horizontal", "random_translation; height_factor = 0.1; width_factor = -0.1, 0.2; fill_mode = constant; fill_value = 0.5",
                          "random_rotation; factor = 0.1; interpolation = nearest", "random_zoom; height_factor = -0.2, 0.3; fill_mode = wrap", "random_contrast; factor = 0.3",
                          "random_brightness; factor = -0.1, 0.2; value_range = -4, 4", "resizing; height = 11; width = 13", "center_crop; height = 10; width = 9",
                          "resizing; height = 12; width = 7; interpolation = nearest", conv("relu")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "adam", "accuracy", same=False),
    Network("changed", ["random_shear; x_factor = 0.1", "random_contrast; factor = 0.1, 0.3; value_range = -5, 5", "random_sharpness; factor = 0.5, 1; value_range = -5, 5",
                        "random_grayscale; factor = 0.2", "random_invert; factor = 0.3; value_range = -5, 5", "random_color_degeneration; factor = 0.7; value_range = -5, 5",
                        "random_erasing; value_range = -5, 5", "random_erasing; fill_value = 0.5; scale = 0.1, 0.2; factor = 0.5, 0.75", conv("relu")] + dense(CLASSES, "softmax"),
            "sparse", SPARSE, "adam", "accuracy", same=False, keras2="refused", since=(3, 15), known=(3, 15), absent="RandomShear"),
    Network("hard", [conv("hard_sigmoid")] + dense(CLASSES, "softmax"), "sparse", SPARSE, "adam", "accuracy", keras2="refused"),
    Network("focal", [conv("relu")] + dense(CLASSES, "softmax"), "one_hot", "categorical_focal_crossentropy", "adam",
            "accuracy, precision, auc, prc, f1_score, kld, poisson, true_positives", loss_keys="gamma = 1.5; alpha = 0.5; label_smoothing = 0.1",
            weighted="recall, categorical_hinge", groups=(("metric.prc", "type = auc; curve = PR; multi_label = yes"), ("metric.precision", "thresholds = 0.3; class_id = 1"))),
    Network("focal_answers", [conv("relu")] + dense(3, "sigmoid"), "several", "binary_focal_crossentropy", "adam", "binary_accuracy, binary_crossentropy",
            loss_keys="apply_class_balancing = yes; gamma = 3", groups=(("metric.binary_accuracy", "threshold = 0.4"),)),
    Network("huber", [conv("tanh")] + dense(3), "values", "huber", "adam", "rmse, logcosh, cosine_similarity, mape", loss_keys="delta = 0.5"),
    Network("hinge", [conv("tanh")] + dense(3, "tanh"), "several", "squared_hinge", "sgd", "hinge, squared_hinge"),
    Network("divergence", [conv("relu")] + dense(CLASSES, "softmax"), "one_hot", "kl_divergence", "sgd", "acc"),
    Network("angle", [conv("tanh")] + dense(3), "values", "cosine_similarity", "adam", "msle"),
    Network("counts", [conv("relu")] + dense(CLASSES, "softmax"), "one_hot", "poisson", "sgd", "mae"),
    Network("distance", [conv("tanh")] + dense(3), "values", "log_cosh", "adam", "huber, mae", keras2="uncompiled", old=False),
]


def write_data(path):
    r = np.random.RandomState(0)
    with h5py.File(path, "w") as f:
        for part, n in (("train", 60), ("test", 40)):
            classes = r.randint(0, CLASSES, n).astype("i4")
            f["x_" + part] = r.standard_normal((n, 12, 10, 3)).astype("f4") + classes[:, None, None, None] * np.float32(0.3)
            f["y_%s_sparse" % part] = classes
            f["y_%s_one_hot" % part] = np.eye(CLASSES, dtype="f4")[classes]
            f["y_%s_binary" % part] = (classes[:, None] > 1).astype("f4")
            f["y_%s_several" % part] = (r.random_sample((n, 3)) > 0.5).astype("f4")
            f["y_%s_values" % part] = r.standard_normal((n, 3)).astype("f4")


def make(folder, trainer):
    os.makedirs(folder, exist_ok=True)
    write_data(folder + "/data.h5")
    for net in NETWORKS:
        home = folder + "/" + net.name
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        said = {}

        def run(what, *words):
            done = subprocess.run([trainer, *words], cwd=home, capture_output=True, text=True)
            said[what] = done.stdout + done.stderr
            if done.returncode != 0 and not (what == "keras2" and net.keras2 == "refused"):
                raise SystemExit("%s: trainer %s ends with %d:\n%s" % (net.name, " ".join(words), done.returncode, said[what]))

        with open(home + "/net.ini", "w") as f:
            f.write(net.ini())
        run("fit", "-c", "net.ini")
        shutil.copy(home + "/run/last.h5", home + "/last.h5")
        for kind in ("keras", "keras2", "weights.h5"):
            run(kind, "export", "--checkpoint", "last.h5", "--format", kind)
        run("predict", "predict", "--checkpoint", "last.h5", "--input", "../data.h5:x_test", "--output", "predictions.h5")
        run("resume", "-c", "net.ini", "--set", "fit.epochs=2", "--resume")
        run("evaluate", "evaluate", "--checkpoint", "last.h5")
        with open(home + "/run/history.jsonl") as f:
            epochs = [json.loads(line) for line in f]
        with open(home + "/after.json", "w") as f:
            json.dump({"epochs": epochs, "said": said}, f, indent=1)
