"""differ.py -- random networks, losses and optimizers out of all that the program has, against Keras in float64, and against itself.

    python tests/random/differ.py TRAINER THREADS FOLDER [--seeds FIRST-LAST] [--seconds S]
        THREADS: build/release/tests/random_threads; --seeds 7-7 shows one again; what was tried stays in FOLDER/<seed>

Each seed is a network, a loss, an optimizer, small data, and a way to compute. It is trained for two epochs, the last batch of which is not full:

    against Keras    loss and metrics of both epochs, in training and validation, and the predictions afterwards, from the same weights
    against itself   the same digest at 1, 3 and 7 threads, and after a resume behind the first epoch
    files            every fourth seed is read from the file that Keras saved; every other fourth, Keras opens last.h5 and predicts

Tolerance: float32 rounds to 6e-8, and a training repeats that. 3e-5 of a value's size are allowed, or, where more than that differs, 20 times
what Keras's own float32 differs from its float64, or from itself under weights changed by half a rounding: kinks and cancellation hit it as well.
"""
import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
sys.path.insert(0, str(Path(__file__).parent))

import h5py
import keras
import numpy as np
from networks import Network
from training import Training
from vocabulary import Vocabulary, text

TOLERANCE, OF_KERAS = 3e-5, 20.0


class Refused(Exception):
    pass


class Wrong(Exception):
    pass


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if done.returncode in (2, 3):
        raise Refused((done.stdout + done.stderr).strip().splitlines()[-1][:400])
    if done.returncode != 0:
        raise Wrong("%s ends with %d: %s" % (" ".join(words[1:3]), done.returncode, (done.stdout + done.stderr)[-500:]))
    return done.stdout


def set_weights(model, values):
    for variable, value in zip(model.weights, values):
        variable.assign(value)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with copies


def draw_weights(rng, model):
    """Representable in float32, of a size that keeps numbers near 1."""
    values = []
    for w in model.weights:
        shape, name = tuple(w.shape), w.name
        if w.dtype not in ("float32", "float64"):
            value = np.asarray(w)
        elif "variance" in name:
            value = rng.uniform(0.5, 1.5, shape)
        elif name == "gamma":
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) >= 2:
            value = rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[:-1])))
        else:
            value = 0.3 * rng.standard_normal(shape)
        values.append(np.float32(value).astype(np.float64) if "float" in w.dtype else value)
    return values


class Case:
    def __init__(self, words, seed, folder):
        self.seed, self.home = seed, os.path.join(folder, str(seed))
        rng = self.rng = np.random.default_rng([16, seed])
        self.training = Training(words, rng)
        self.random = rng.random() < 0.15
        self.network = Network(words, rng, self.random).draw(rng.integers(1, 9), self.training.units, self.training.activation)
        self.engine = {"kernels": ["onednn", "onednn", "fast", "portable"][rng.integers(4)], "micro_batch": int(rng.integers(1, 9))}
        self.batch, self.n, self.n_test = int(rng.integers(3, 9)), int(rng.integers(9, 24)), int(rng.integers(1, 12))
        os.makedirs(self.home, exist_ok=True)

    def path(self, name):
        return os.path.join(self.home, name)

    def write(self):
        shape = self.network.input_shape
        self.data = {}
        for part, n in (("train", self.n), ("test", self.n_test)):
            self.data["x_" + part] = self.rng.standard_normal((n, *shape)).astype("f4")
            self.data["y_" + part] = self.training.targets(self.rng, n)
        with h5py.File(self.path("data.h5"), "w") as f:
            for name, values in self.data.items():
                f[name] = values
        keys = "\n".join("%s = %s" % (k, v) for k, v in self.engine.items())
        ini = ("[data]\nfile = data.h5\nvalidation_file = data.h5\nx_validation = x_test\ny_validation = y_test\n\n%s\n%s\n[fit]\nepochs = 2\nbatch_size = %d\nshuffle = no\n"
               "initial_weights = start.weights.h5\n\n[engine]\n%s\n\n[output]\ndirectory = run\n" % (self.network.ini(), self.training.ini(), self.batch, keys))
        with open(self.path("net.ini"), "w") as f:
            f.write(ini)
        with open(self.path("threads.ini"), "w") as f:
            f.write(ini.replace("initial_weights = start.weights.h5\n", ""))

    # ---- Keras ----

    def model(self, floatx):
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(floatx)
        model = self.network.keras()
        self.training.compile(model)
        return model

    def keras_trains(self, model):
        """{name: [epoch 1, epoch 2]} and predictions."""
        x, y = self.data["x_train"], self.training.for_keras(self.data["y_train"])
        test = (self.data["x_test"], self.training.for_keras(self.data["y_test"]))
        history = model.fit(x, y, batch_size=self.batch, epochs=2, shuffle=False, validation_data=test, validation_batch_size=32, verbose=0).history
        return history, np.asarray(model(test[0], training=False))

    def answer(self, floatx, weights):
        model = self.model(floatx)
        set_weights(model, weights)
        return self.keras_trains(model)

    # ---- both ----

    def check(self, trainer, threads):
        self.write()
        model = self.model("float64")
        weights = draw_weights(self.rng, model)
        set_weights(model, weights)
        model.save_weights(self.path("start.weights.h5"))
        os.chdir(self.home)
        more = self.read_from_keras(trainer, weights) if self.seed % 4 == 0 else []
        ours = self.trainer_trains(trainer, more)
        self.check_threads(threads)
        if self.random:
            return
        theirs = self.keras_trains(model)
        self.compare(ours, theirs, weights)
        if self.seed % 4 == 2:
            self.keras_reads(ours[1])

    def read_from_keras(self, trainer, weights):
        """The configuration comes out of a file that Keras saved."""
        model = self.model("float32")
        set_weights(model, weights)
        model.save("start.keras")
        config = run(trainer, "inspect", "start.keras", "--config")
        with open("read.ini", "w") as f:
            f.write(config)
        words = ["-c", "read.ini"]
        settings = ["data.file=data.h5", "data.validation_file=data.h5", "data.x_validation=x_test", "data.y_validation=y_test", "data.validation_split=0",
                    "fit.initial_weights=start.keras", "fit.shuffle=no", "fit.batch_size=%d" % self.batch, "output.directory=run"]
        for setting in settings + ["engine.%s=%s" % item for item in self.engine.items()] + self.training.said_again():
            words += ["--set", setting]
        return words

    def trainer_trains(self, trainer, more):
        words = [trainer, *(more or ["-c", "net.ini"])]
        straight = run(*words, "--set", "fit.epochs=2", "--threads", "1", "--overwrite")
        with open("run/history.csv") as f:
            head, *rows = [line.strip().split(",") for line in f]
        history = {name: [float(row[i]) for row in rows] for i, name in enumerate(head) if rows[0][i] not in ("", "nan")}
        run(trainer, "predict", "--checkpoint", "run/last.h5", "--input", "data.h5:x_test", "--output", "p.h5")
        with h5py.File("p.h5") as f:
            predictions = f["predictions"][()]
        run(*words, "--set", "fit.epochs=1", "--threads", "2", "--set", "output.directory=again", "--overwrite")
        resumed = run(*words, "--set", "fit.epochs=2", "--threads", "1", "--set", "output.directory=again", "--resume")
        digests = [said.split("parameters ")[1].split()[0] for said in (straight, resumed)]
        if digests[0] != digests[1]:
            raise Wrong("resumed, the parameters are %s, straight %s" % (digests[1], digests[0]))
        return history, predictions

    def check_threads(self, threads):
        done = subprocess.run([threads, "threads.ini"], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise Wrong("at 1, 3, 7 threads: %s" % (done.stdout + done.stderr))

    def differences(self, ours, theirs):
        """{what: (difference, what is allowed)}"""
        found = {}
        for name, values in theirs[0].items():
            mine = ours[0].get(self.training.our_name(name))
            if mine is None:
                raise Wrong("%s is not in %s" % (name, sorted(ours[0])))
            for epoch, (a, b) in enumerate(zip(mine, values)):
                found["%s %d" % (name, epoch + 1)] = (abs(a - b), TOLERANCE * max(1.0, abs(b)))
        a, b = ours[1].reshape(theirs[1].shape), theirs[1]
        found["predictions"] = (float(np.abs(a - b).max()), TOLERANCE * max(1.0, float(np.abs(b).max())))
        return found

    def compare(self, ours, theirs, weights):
        wrong = {k: v for k, v in self.differences(ours, theirs).items() if not v[0] <= v[1]}
        if not wrong:
            return
        noise = np.random.default_rng(1)
        others = [self.answer("float32", weights)]
        others += [self.answer("float64", [w * (1 + noise.uniform(-6e-8, 6e-8, w.shape)) if w.dtype == np.float64 else w for w in weights]) for _ in range(2)]
        for other in others:
            own = self.differences((self.training.as_ours(other[0]), other[1]), theirs)
            wrong = {k: v for k, v in wrong.items() if not v[0] <= OF_KERAS * own[k][0]}
        if wrong:
            raise Wrong("; ".join("%s differs by %.2e (allowed %.0e)" % (k, *v) for k, v in wrong.items()))

    def keras_reads(self, predictions):
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        model = keras.models.load_model("run/last.h5", compile=False)
        theirs = np.asarray(model(self.data["x_test"], training=False))
        worst = float(np.abs(theirs - predictions.reshape(theirs.shape)).max() / max(1.0, np.abs(theirs).max()))
        if not worst <= 1e-5:
            raise Wrong("Keras predicts something else from last.h5: %.1e" % worst)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("trainer"), parser.add_argument("threads"), parser.add_argument("folder")
    parser.add_argument("--seeds", default="1-1000000"), parser.add_argument("--seconds", type=float, default=1e9)
    options = parser.parse_args()
    trainer, threads, folder = (os.path.abspath(p) for p in (options.trainer, options.threads, options.folder))
    words = Vocabulary(trainer)
    first, last = (int(s) for s in options.seeds.split("-"))
    end = time.time() + options.seconds
    n = {"ok": 0, "refused": 0, "skipped": 0, "FAILED": 0}
    used, untried = {}, set()
    for seed in range(first, last + 1):
        if time.time() > end:
            break
        outcome, why, case = "ok", "", None
        try:
            case = Case(words, seed, folder)
            case.check(trainer, threads)
        except Refused as error:
            outcome, why = "refused", str(error)
        except Wrong as error:
            outcome, why = "FAILED", str(error)
        except Exception as error:  # of TensorFlow, where Keras does not work in float64
            outcome, why = "skipped", "Keras: %s: %s" % (type(error).__name__, str(error)[:200])
        n[outcome] += 1
        if case is not None:
            for kind in {layer.kind for layer in case.network.layers} | {case.training.loss, case.training.optimizer}:
                used[kind] = used.get(kind, 0) + (outcome == "ok")
            untried |= case.network.untried
        if outcome != "ok":
            print("%s seed %d: %s" % (outcome, seed, why), flush=True)
        keras.backend.clear_session()
    everything = set(words.layers) | set(words.losses) | set(words.optimizers)
    print("words, times: " + ", ".join("%s %d" % item for item in sorted(used.items())))
    print("without a recipe or not met: " + ", ".join(sorted(untried | (everything - set(used)))))
    line = "%d random trainings against Keras %s: %d wrong, %d refused, %d that Keras cannot" % (sum(n.values()), keras.__version__, n["FAILED"], n["refused"], n["skipped"])
    print(line)
    if "CI_NOTE" in os.environ:
        Path(os.environ["CI_NOTE"]).write_text(line)
    return 1 if n["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
