"""Who takes part in a comparison: trainer, in its variants, and its peers.

An entrant is started for a number of threads, prepares a case and then measures it as often as it
is told; perf/compare lets all of them do so in turn. Every process of an entrant may use as many
CPUs as it has threads and no others, so that none of them gets more than it was given.
"""

import csv
import json
import math
import os
import re
import select
import shutil
import subprocess
from dataclasses import dataclass

import machine

HERE = os.path.dirname(os.path.abspath(__file__))


class Failure(Exception):
    """An entrant cannot do a case; the text says why."""


@dataclass
class Case:
    job: str
    config: str
    sets: list
    npz: str
    h5: str
    mode: str  # train, evaluate
    batch: int
    threads: int


def only_on(cpus):
    return lambda: os.sched_setaffinity(0, cpus)


def last_line(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1] if lines else "it printed nothing"


# ---- trainer ----


class Trainer:
    """Runs anew for each measurement: starting takes it a moment, and is not counted."""

    def __init__(self, program, name, sets, scratch):
        self.program, self.name, self.sets = program, name, sets
        self.folder = os.path.join(scratch, name)
        self.group = "bfloat16" if "engine.precision=bfloat16" in sets else "float32"

    def start(self, threads):
        self.cpus = machine.usable_cpus()[:threads]

    def stop(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, case, *words):
        command = [self.program, *words, "-c", case.config, "--threads", str(case.threads)]
        for text in (*case.sets, *self.sets, f"data.file={case.h5}", "data.validation_split=0",
                     f"fit.batch_size={case.batch}", f"evaluate.batch_size={case.batch}"):
            command += ["--set", text]
        done = subprocess.run(command, capture_output=True, text=True,
                              env=os.environ | {"OMP_NUM_THREADS": str(case.threads)},
                              preexec_fn=only_on(self.cpus))
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            raise Failure(f"exit code {done.returncode}: {lines[-1] if lines else ''}")
        return done.stdout + done.stderr

    def fit(self, case, epochs):
        """The rows of its history."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(os.path.dirname(self.folder), exist_ok=True)
        self.call(case, f"--set=fit.epochs={epochs}", f"--set=output.directory={self.folder}")
        with open(os.path.join(self.folder, "history.csv"), encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def prepare(self, case):
        summary = self.call(case, "summary")
        trained = re.search(r"^Trainable params: ([\d,]+)", summary, re.MULTILINE)
        row = self.fit(case, 1 if case.mode == "evaluate" else 2)[-1]
        self.epoch_s = float(row["seconds"])
        self.n_images = round(self.epoch_s * float(row["images_per_s"]))
        self.checkpoint = os.path.join(self.folder, "last.h5")
        if case.mode == "evaluate":
            self.measure(case, 0.0)
        return {"parameters": int(trained[1].replace(",", "")) if trained else None}

    def measure(self, case, seconds):
        if case.mode == "train":
            rows = self.fit(case, 1 + max(1, math.ceil(seconds / max(self.epoch_s, 1e-6))))[1:]
            taken = sum(float(row["seconds"]) for row in rows)
            return {"images_per_s": self.n_images * len(rows) / taken, "seconds": taken,
                    "loss": float(rows[-1]["loss"]), "accuracy": float(rows[-1]["accuracy"])}
        text = self.call(case, "evaluate", "--checkpoint", self.checkpoint)
        found = re.search(r"^evaluated (\d+) images in [^,]*, ([\d.]+) images/s", text, re.M)
        if not found:
            raise Failure("trainer evaluate printed no line 'evaluated N images in ...'")
        rate = float(found[2])
        return {"images_per_s": rate, "seconds": int(found[1]) / rate}


def trainers(program, kernels, scratch):
    """Those that this program and this CPU know, and {name: why not} of the others."""
    config = os.path.join(HERE, "../configs/mnist.ini")

    def refusal(*sets):
        options = [word for text in sets for word in ("--set", text)]
        done = subprocess.run([program, "check", "-c", config, *options], capture_output=True,
                              text=True)
        return "" if done.returncode == 0 else done.stderr.strip()

    found, left_out = [], {}
    for kernel in kernels:
        sets = [f"engine.kernels={kernel}"]
        why = refusal(*sets)
        if why and kernel == "onednn":  # a program older than the key has nothing else
            sets, why = [], refusal()
        for name, more in ((f"trainer-{kernel}", []),
                           (f"trainer-{kernel}-bf16", ["engine.precision=bfloat16"])):
            if more and kernel != "onednn":
                continue  # float32 alone
            if more and not machine.has_bfloat16():
                left_out[name] = "this CPU has neither AVX512_BF16 nor AMX"
            elif why:
                left_out[name] = why.splitlines()[0]
            else:
                found.append(Trainer(program, name, sets + more, scratch))
    return found, left_out


# ---- peers ----

TUNED = {"OPENBLAS_NUM_THREADS": "1",  # no second pool of threads beside OpenMP's
         "MALLOC_CONF": "thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1"}
# name: program, variant, what its Python must be able to import, what its environment adds
PEERS = {
    "torch-plain": ("torch_peer.py", "plain", ("torch", "numpy"), {}),
    "torch-tuned": ("torch_peer.py", "tuned", ("torch", "numpy"), TUNED),
    "torch-compile": ("torch_peer.py", "compile", ("torch", "numpy"), TUNED),
    "torch-bf16": ("torch_peer.py", "bf16", ("torch", "numpy"), TUNED),
    "torch-compile-bf16": ("torch_peer.py", "compile-bf16", ("torch", "numpy"), TUNED),
    "keras-tensorflow": ("keras_peer.py", "tensorflow", ("keras", "tensorflow", "numpy"), {}),
    "keras-jax": ("keras_peer.py", "jax", ("keras", "jax", "numpy"), {}),
    "jax": ("jax_peer.py", "hand", ("jax", "numpy"), {}),
}


def jemalloc():
    """Its path, "" where it is not installed: an allocator that keeps what it once got."""
    path = os.environ["PATH"] + ":/sbin:/usr/sbin"
    listed = subprocess.run("ldconfig -p", shell=True, capture_output=True, text=True,
                            env=os.environ | {"PATH": path}).stdout
    found = re.search(r"libjemalloc\.so\.2 .*=> (\S+)", listed)
    return found[1] if found else ""


class Peer:
    def __init__(self, name, python, scratch):
        self.name, self.python = name, python
        self.file, self.variant, _, self.environment = PEERS[name]
        self.group = "bfloat16" if "bf16" in name else "float32"
        self.log = os.path.join(scratch, name + ".log")
        self.process, self.versions = None, {}

    def start(self, threads):
        """The answer, versions, is read by the first order."""
        env = os.environ | self.environment
        env |= {"OMP_NUM_THREADS": str(threads), "NPROC": str(threads), "JAX_PLATFORMS": "cpu",
                "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3",
                "PYTHONDONTWRITEBYTECODE": "1"}
        if threads == 1:
            env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        if self.environment is TUNED and jemalloc():
            env["LD_PRELOAD"] = jemalloc()
        command = [self.python, os.path.join(HERE, "peers", self.file), "--variant", self.variant,
                   "--threads", str(threads)]
        self.threads = threads
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=env, preexec_fn=only_on(machine.usable_cpus()[:threads]))
        try:
            self.versions = self.answer(300)["versions"]
        except Failure:
            self.stop()
            raise

    def stop(self):
        if self.process is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None

    def answer(self, limit_s):
        if not select.select([self.process.stdout], [], [], limit_s)[0]:
            self.process.kill()
            raise Failure(f"no answer within {limit_s} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"it ended: {last_line(self.log)}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(answer["error"])
        return answer

    def order(self, limit_s, **words):
        if self.process is None or self.process.poll() is not None:
            self.stop()
            self.start(self.threads)
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return self.answer(limit_s)

    def prepare(self, case):
        return self.order(1200, do="prepare", config=case.config, set=case.sets, data=case.npz,
                          mode=case.mode, batch=case.batch)

    def measure(self, case, seconds):
        sample = self.order(600, do="run", seconds=seconds)
        sample["images_per_s"] = sample.pop("images") / sample["seconds"]
        return sample


def peers(names, pythons, scratch):
    """Each with the first Python that has what it needs, and {name: why not} of the others."""
    found, left_out, lacks = [], {}, {}

    def lack(python, modules):
        if (python, modules) not in lacks:
            find = "import importlib.util as u, sys; " \
                   "print(*[m for m in sys.argv[1:] if not u.find_spec(m)])"
            try:
                done = subprocess.run([python, "-c", find, *modules], capture_output=True,
                                      text=True)
                why = done.stdout.strip() if done.returncode == 0 else "?"
            except OSError as error:
                why = error.strerror
            lacks[python, modules] = why
        return lacks[python, modules]

    for name in names:
        modules = PEERS[name][2]
        if "bf16" in name and not machine.has_bfloat16():
            left_out[name] = "this CPU has neither AVX512_BF16 nor AMX"
            continue
        if "compile" in name and not (shutil.which("g++") or shutil.which("c++")):
            left_out[name] = "torch.compile needs a C++ compiler, and there is no g++"
            continue
        able = [python for python in pythons if not lack(python, modules)]
        if able:
            found.append(Peer(name, able[0], scratch))
        else:
            left_out[name] = f"of {len(pythons)} Pythons none has all of {', '.join(modules)}"
    return found, left_out
