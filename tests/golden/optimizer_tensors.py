"""Steps of optimizers that see whole tensors, and of several optimizers at once, in real Keras.

    python3 tests/golden/optimizer_tensors.py    # writes optimizer_tensors.h5 beside it

Needs Keras 3.15 with TensorFlow, h5py and, for the NumPy backend (below), SciPy and JAX. Each variant takes eight recorded gradients for the same tensors:
a convolution's kernel and bias, a tall and a wide matrix, a depthwise kernel, a matrix of one column, a gamma.

Layout of optimizer_tensors.h5 (tensors as Keras stores them; <tensor> is "conv.kernel"):

    /start/<tensor>, /gradients/<tensor>        float32; gradients [8, ...]
    /<variant>/weights/<tensor>                 float32 [8, ...]: after each step
    /<variant>/slots/<number>                   the optimizer's variables after the last one, in Keras's order
    /<variant>  attribute `ini`                 the same settings in trainer's words
                attribute `optimizer`           trainer's name of it
                attribute `average`             a tensor is what finalize_variable_values() leaves: its average
                attribute `deviation`           the largest difference from Keras in float64

A variant "matrices" of Muon is Keras's Muon, too, on kernels of convolutions that are matrices of their own:
(height x width x in, out), and for depthwise ones (height x width, channels x multiplier).

ScheduleFreeAdamW is recorded with Keras's NumPy backend, which computes what its source says. On TensorFlow the
line that keeps the old momentum keeps the variable itself, and Keras goes on with the new one.
"""
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if sys.argv[1:] == ["numpy"]:
    os.environ["KERAS_BACKEND"] = "numpy"
import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import optimizers as o  # noqa: E402
from keras.optimizers import schedules  # noqa: E402

STEPS = 8
SHAPES = {"conv.kernel": (3, 2, 4, 5), "conv.bias": (5,), "tall.kernel": (41, 7), "wide.kernel": (6, 21), "wide.bias": (21,),
          "deep.depthwise_kernel": (3, 3, 4, 2), "last.kernel": (21, 1), "norm.gamma": (4,)}
MATRICES = {"conv.kernel": (24, 5), "deep.depthwise_kernel": (9, 8)}

COMMON = "use_ema = true\nema_momentum = 0.7\nclipnorm = 0.5\n"
AVERAGE = dict(use_ema=True, ema_momentum=0.7, clipnorm=0.5)
DECAYED = "[learning_rate]\nschedule = exponential_decay\ninitial_learning_rate = 0.05\ndecay_steps = 3\ndecay_rate = 0.5\n"


def decayed():
    return schedules.ExponentialDecay(0.05, 3, 0.5)


# name: trainer's optimizer, its keys, Keras's object
VARIANTS = {
    "adafactor_default": ("adafactor", "", lambda: o.Adafactor()),
    "adafactor_keys": ("adafactor", "learning_rate = 0.3\nbeta_2_decay = -0.5\nepsilon_2 = 0.2\nclip_threshold = 0.4\nepsilon_1 = 0.01\n",
                       lambda: o.Adafactor(0.3, beta_2_decay=-0.5, epsilon_2=0.2, clip_threshold=0.4, epsilon_1=0.01)),
    "adafactor_absolute": ("adafactor", "learning_rate = 2\n", lambda: o.Adafactor(2.0, relative_step=False)),
    "adafactor_around": ("adafactor", "learning_rate = 0.1\nweight_decay = 0.1\n" + COMMON,
                         lambda: o.Adafactor(0.1, weight_decay=0.1, **AVERAGE)),
    "adafactor_accumulates": ("adafactor", "gradient_accumulation_steps = 3\nclipvalue = 0.4\n" + DECAYED,
                              lambda: o.Adafactor(decayed(), gradient_accumulation_steps=3, clipvalue=0.4)),
    "muon_default": ("muon", "", lambda: o.Muon()),
    "muon_keys": ("muon", "learning_rate = 0.02\nadam_beta_1 = 0.8\nadam_beta_2 = 0.9\nadam_weight_decay = 0.2\nweight_decay = 0.3\nepsilon = 0.001\n"
                  "adam_lr_ratio = 0.25\nmomentum = 0.6\nns_steps = 3\nnesterov = false\nrms_rate = 0.5\nmuon_a = 3\nmuon_b = -4\nmuon_c = 2\n",
                  lambda: o.Muon(0.02, adam_beta_1=0.8, adam_beta_2=0.9, adam_weight_decay=0.2, weight_decay=0.3, epsilon=1e-3, adam_lr_ratio=0.25,
                                 momentum=0.6, ns_steps=3, nesterov=False, rms_rate=0.5, muon_a=3.0, muon_b=-4.0, muon_c=2.0)),
    "muon_plain": ("muon", "learning_rate = 0.02\nrms_rate = none\nweight_decay = none\nadam_weight_decay = 0\nexclude_layers = wi, las\n",
                   lambda: o.Muon(0.02, rms_rate=None, weight_decay=None, adam_weight_decay=None, exclude_layers=["wi", "las"])),
    "muon_around": ("muon", "learning_rate = 0.05\n" + COMMON, lambda: o.Muon(0.05, **AVERAGE)),
    "muon_accumulates": ("muon", "gradient_accumulation_steps = 2\nglobal_clipnorm = 0.3\n" + DECAYED,
                         lambda: o.Muon(decayed(), gradient_accumulation_steps=2, global_clipnorm=0.3)),
    "muon_matrices": ("muon", "learning_rate = 0.02\nconvolutions = matrices\n", lambda: o.Muon(0.02)),
    "schedule_free_adamw_default": ("schedule_free_adamw", "", lambda: o.ScheduleFreeAdamW()),
    "schedule_free_adamw_keys": ("schedule_free_adamw", "learning_rate = 0.1\nbeta_1 = 0.6\nbeta_2 = 0.9\nepsilon = 0.01\nwarmup_steps = 5\nweight_decay = 0.5\n",
                                 lambda: o.ScheduleFreeAdamW(0.1, beta_1=0.6, beta_2=0.9, epsilon=0.01, warmup_steps=5, weight_decay=0.5)),
    "schedule_free_adamw_around": ("schedule_free_adamw", "learning_rate = 0.1\n" + COMMON, lambda: o.ScheduleFreeAdamW(0.1, **AVERAGE)),
    "schedule_free_adamw_accumulates": ("schedule_free_adamw", "weight_decay = 0.2\ngradient_accumulation_steps = 3\n" + DECAYED,
                                        lambda: o.ScheduleFreeAdamW(decayed(), weight_decay=0.2, gradient_accumulation_steps=3)),
    "groups_rates": ("sgd", "learning_rate = 0.1\nmomentum = 0.9\nglobal_clipnorm = 0.5\n[optimizer.slow]\nlayers = conv, wide\nlearning_rate = 0.01\n",
                     lambda: several(o.SGD(0.1, momentum=0.9, global_clipnorm=0.5), ("conv|wide", o.SGD(0.01, momentum=0.9, global_clipnorm=0.5)))),
    "groups_others": ("adam", DECAYED.replace("[learning_rate]", "use_ema = true\n[learning_rate]")
                      + "[optimizer.second]\nlayers = wide\noptimizer = muon\nlearning_rate = 0.02\ngradient_accumulation_steps = 2\n"
                      "[optimizer.first]\nlayers = last,conv\noptimizer = adafactor\n[learning_rate.first]\nschedule = exponential_decay\n"
                      "initial_learning_rate = 0.05\ndecay_steps = 3\ndecay_rate = 0.5\n",
                      lambda: several(o.Adam(decayed(), use_ema=True), ("wide", o.Muon(0.02, gradient_accumulation_steps=2)),
                                      ("last|conv", o.Adafactor(decayed())))),
    "groups_inherit": ("rmsprop", "learning_rate = 0.02\nclipvalue = 0.2\nweight_decay = 0.1\n[optimizer.other]\nlayers = tall\nclipnorm = 0.1\nrho = 0.5\n",
                       lambda: several(o.RMSprop(0.02, clipvalue=0.2, weight_decay=0.1), ("tall", o.RMSprop(0.02, clipnorm=0.1, weight_decay=0.1, rho=0.5)))),
}


def several(default, *groups):
    return o.MultiOptimizer(o.OptimizerMap(default, {"(%s)/.*" % layers: optimizer for layers, optimizer in groups}))


def follow(precision, variant, start, gradients):
    """Weights after each step, the optimizer's variables at the end."""
    keras.backend.clear_session()
    keras.config.set_floatx(precision)
    optimizer = VARIANTS[variant][2]()
    shape_of = {name: MATRICES.get(name, shape) if variant.endswith("matrices") else shape for name, shape in SHAPES.items()}
    variables = []
    for name, value in start.items():
        layer, weight = name.split(".")
        with keras.name_scope(layer):
            variables.append(keras.Variable(value.reshape(shape_of[name]), dtype=precision, name=weight))
    optimizer.build(variables)
    weights = {name: [] for name in start}
    for step in range(STEPS):
        optimizer.apply([keras.ops.convert_to_tensor(gradients[name][step].reshape(shape_of[name]), dtype=precision) for name in start],
                        variables)
        for name, variable in zip(start, variables):
            weights[name].append(np.array(variable).reshape(SHAPES[name]))
    averages = "use_ema = true" in VARIANTS[variant][1]
    if averages:
        optimizer.finalize_variable_values(variables)
        for name, variable in zip(start, variables):
            weights[name].append(np.array(variable).reshape(SHAPES[name]))
    return {name: np.array(value) for name, value in weights.items()}, [np.array(variable) for variable in optimizer.variables]


def largest_difference(a, b):
    pairs = [(a[0][name], b[0][name]) for name in a[0]] + list(zip(a[1], b[1]))
    return max(np.abs(np.subtract(*pair, dtype="f8")).max() for pair in pairs)


def deviation_of(made, variant, start, gradients):
    try:
        return largest_difference(made, follow("float64", variant, start, gradients))
    except Exception as problem:  # TensorFlow's: a schedule's rate is float32, and stays it in float64
        print(variant, "not in float64:", str(problem).split("\n")[0])
        return 5e-7  # as the other variants


def main():
    rng = np.random.default_rng(16)
    start = {name: rng.uniform(-0.5, 0.5, shape).astype("f4") for name, shape in SHAPES.items()}
    gradients = {name: rng.uniform(-0.7, 1.0, (STEPS, *shape)).astype("f4") for name, shape in SHAPES.items()}
    numpy = keras.backend.backend() == "numpy"
    with h5py.File(Path(__file__).with_name("optimizer_tensors.h5"), "a" if numpy else "w") as f:
        for name in () if numpy else SHAPES:
            f["start/" + name], f["gradients/" + name] = start[name], gradients[name]
        for variant, (ours, ini, _) in VARIANTS.items():
            if (ours == "schedule_free_adamw") != numpy:
                continue
            made = follow("float32", variant, start, gradients)
            deviation = deviation_of(made, variant, start, gradients)
            print(variant, "%.1e" % deviation, len(made[1]))
            for name, value in made[0].items():
                f["%s/weights/%s" % (variant, name)] = value.astype("f4")
            for number, value in enumerate(made[1]):
                f["%s/slots/%d" % (variant, number)] = np.asarray(value, "f4")
            f[variant].attrs.update(ini=ini, optimizer=ours, deviation=deviation, average=int("use_ema = true" in ini))
    if not numpy:
        subprocess.run([sys.executable, __file__, "numpy"], check=True)


if __name__ == "__main__":
    main()
