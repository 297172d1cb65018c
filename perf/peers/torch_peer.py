"""PyTorch, as a peer of trainer (serve.py). Needs torch and NumPy.

--variant plain      as a careful user writes it after installing: the images lie in memory as one
                     float tensor in channels_last order, the model is channels_last, no DataLoader
                     stands in between
          tuned      what somebody who knows PyTorch's inner workings adds: index_select into
                     batches, ReLU behind the max pooling (they commute; a quarter of the work),
                     sums and ReLUs in place, a flatten that moves nothing, the fused optimizer, no
                     denormals, one synchronization per epoch instead of per batch; in evaluation
                     batch normalisation folded into the convolutions
          compile    tuned, with network and loss through torch.compile, in evaluation frozen
          bf16       tuned, under autocast to bfloat16
          compile-bf16

The environment of all but plain is set by perf/compare (jemalloc that keeps what it once got). Two
things are only alike to what trainer does, and as much work: where a `same` window of stride 2 goes
over an even image the padding lies on both sides here, and the weight decay of SGD passes through
the momentum.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from job import Refused
from serve import Work, arguments, serve, timed

VARIANTS = ("plain", "tuned", "compile", "bf16", "compile-bf16")


# ---- layers: a list of modules each; x is a sample of what the first source gives ----


class FlattenAsStored(nn.Module):
    """Flattens a channels_last tensor in the order in which it lies in memory: nothing is moved."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x


class Average(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Add(nn.Module):
    inplace = False

    def forward(self, first, *others):
        for other in others:
            first = first.add_(other) if self.inplace else first + other
        return first


def padding(layer, size):
    if layer.keys["padding"] == "valid":
        return (0, 0)
    if size[0] % 2 == 0 or size[1] % 2 == 0:
        raise Refused(f"[layer.{layer.name}] padding = same: PyTorch has it for odd windows only")
    return (size[0] // 2, size[1] // 2)


def conv2d(layer, x, tuned):
    keys = layer.keys
    size = keys["kernel_size"]
    return nn.Conv2d(x.shape[1], keys["filters"], size, keys["strides"], padding(layer, size),
                     bias=keys["use_bias"])


def depthwise_conv2d(layer, x, tuned):
    keys, c = layer.keys, x.shape[1]
    size = keys["kernel_size"]
    return nn.Conv2d(c, c, size, keys["strides"], padding(layer, size), groups=c,
                     bias=keys["use_bias"])


def max_pooling2d(layer, x, tuned):
    size = layer.keys["pool_size"]
    return nn.MaxPool2d(size, layer.keys["strides"], padding(layer, size))


def average_pooling2d(layer, x, tuned):
    size = layer.keys["pool_size"]
    return nn.AvgPool2d(size, layer.keys["strides"], padding(layer, size), count_include_pad=False)


def global_average_pooling2d(layer, x, tuned):
    return Average()


def batch_normalization(layer, x, tuned):
    return nn.BatchNorm2d(x.shape[1], layer.keys["epsilon"], 1 - layer.keys["momentum"])


def activation(layer, x, tuned):
    return None  # modules() adds the function


def add(layer, x, tuned):
    return Add()


def flatten(layer, x, tuned):
    return FlattenAsStored() if tuned else nn.Flatten()


def dense(layer, x, tuned):
    return nn.Linear(x.shape[1], layer.keys["units"], layer.keys["use_bias"])


MAKERS = {make.__name__: make for make in (
    conv2d, depthwise_conv2d, max_pooling2d, average_pooling2d, global_average_pooling2d, batch_normalization,
    activation, add, flatten, dense)}
FUNCTIONS = {"linear": None, "relu": nn.ReLU, "relu6": nn.ReLU6, "tanh": nn.Tanh}


def modules(layer, x, tuned):
    function = FUNCTIONS[layer.activation]
    made = [MAKERS[layer.type](layer, x, tuned), function() if function else None]
    return [module for module in made if module is not None]


# ---- the network ----


class Graph(nn.Module):
    """Modules in order, each with the numbers of the values it reads: value 0 is the image, value
    i + 1 the result of module i."""

    def __init__(self):
        super().__init__()
        self.steps = nn.ModuleList()
        self.sources = []

    def append(self, module, sources):
        """The number of its result."""
        self.steps.append(module)
        self.sources.append(sources)
        return len(self.steps)

    def n_readers(self, value):
        return sum(sources.count(value) for sources in self.sources)

    def read_alone(self, i):
        """Whether module i + 1 is the only reader of module i."""
        return (i + 1 < len(self.steps) and self.sources[i + 1] == [i + 1]
                and self.n_readers(i + 1) == 1)

    def forward(self, x):
        values = [x]
        for module, sources in zip(self.steps, self.sources):
            values.append(module(*(values[number] for number in sources)))
        return values[-1]


def relu_behind_pool(graph):
    """They commute, and behind the pool there is less to do."""
    steps = graph.steps
    for i, step in enumerate(steps):
        if isinstance(step, nn.ReLU) and graph.read_alone(i) and isinstance(steps[i + 1],
                                                                           nn.MaxPool2d):
            steps[i], steps[i + 1] = steps[i + 1], step


def write_in_place(graph):
    """What nobody else reads is overwritten; the images are not."""
    for module, sources in zip(graph.steps, graph.sources):
        if isinstance(module, (nn.ReLU, nn.ReLU6, Add)):
            module.inplace = sources[0] > 0 and graph.n_readers(sources[0]) == 1


def fold_normalization(graph):
    """Behind a convolution, for evaluation. What is left of it passes its value on."""
    steps = graph.steps
    for i, step in enumerate(steps):
        if isinstance(step, nn.Conv2d) and graph.read_alone(i) and isinstance(steps[i + 1],
                                                                             nn.BatchNorm2d):
            steps[i] = nn.utils.fusion.fuse_conv_bn_eval(step, steps[i + 1])
            steps[i + 1] = nn.Identity()


def build_network(job, tuned):
    """The layers in order, up to the logits."""
    height, width, channels = job.input_shape
    graph = Graph()
    numbers, samples = [0], [torch.zeros(1, channels, height, width)]  # of layers; of modules
    for layer in job.layers:
        sources = [numbers[source] for source in layer.sources]
        for module in modules(layer, samples[sources[0]], tuned):
            with torch.no_grad():
                samples.append(module.eval()(*(samples[number] for number in sources)))
            sources = [graph.append(module.train(), sources)]
        numbers.append(sources[0])
    if tuned:
        relu_behind_pool(graph)
        write_in_place(graph)
    return graph.to(memory_format=torch.channels_last)


def make_optimizer(job, parameters, tuned):
    settings = dict(job.settings)
    rate = settings.pop("learning_rate")
    if job.optimizer == "adam":
        betas = (settings["beta_1"], settings["beta_2"])
        return torch.optim.Adam(parameters, rate, betas, settings["epsilon"], fused=tuned or None)
    settings["weight_decay"] *= 1 - settings["momentum"]
    return torch.optim.SGD(parameters, rate, fused=tuned or None, **settings)


# ---- one pass over the images: mean loss and accuracy ----


def train_plain(network, optimizer, x, y, batch):
    total_loss, hits = 0.0, 0
    order = torch.randperm(len(x))
    for start in range(0, len(x), batch):
        rows = order[start : start + batch]
        images, labels = x[rows].permute(0, 3, 1, 2), y[rows]
        optimizer.zero_grad()
        outputs = network(images)
        loss = cross_entropy(outputs, labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(rows)
        hits += (outputs.argmax(1) == labels).sum().item()
    return total_loss / len(x), hits / len(x)


def train_tuned(step, optimizer, x, y, batch):
    total_loss, hits = torch.zeros(()), torch.zeros((), dtype=torch.long)
    for rows in torch.randperm(len(x)).split(batch):
        labels = y.index_select(0, rows)
        optimizer.zero_grad(set_to_none=True)
        loss, outputs = step(x.index_select(0, rows).permute(0, 3, 1, 2), labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.detach() * len(rows)
        hits += (outputs.detach().argmax(1) == labels).sum()
    return total_loss.item() / len(x), hits.item() / len(x)


def evaluate_plain(network, x, y, batch):
    total_loss, hits = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(x), batch):
            images = x[start : start + batch].permute(0, 3, 1, 2)
            labels = y[start : start + batch]
            outputs = network(images)
            total_loss += cross_entropy(outputs, labels, reduction="sum").item()
            hits += (outputs.argmax(1) == labels).sum().item()
    return total_loss / len(x), hits / len(x)


def evaluate_tuned(step, x, y, batch):
    total_loss, hits = torch.zeros(()), torch.zeros((), dtype=torch.long)
    with torch.no_grad():  # inference_mode stops torch.compile from freezing
        for images, labels in zip(x.split(batch), y.split(batch)):
            loss, outputs = step(images.permute(0, 3, 1, 2), labels)
            total_loss += loss * len(labels)
            hits += (outputs.argmax(1) == labels).sum()
    return total_loss.item() / len(x), hits.item() / len(x)


def tuned_step(network, variant, training):
    """(images, labels) -> loss, outputs."""

    def step(images, labels):
        outputs = network(images)
        return cross_entropy(outputs.float(), labels), outputs

    if "compile" in variant:
        torch.compiler.reset()  # what was compiled for the case before
        options = None if training else {"freezing": True}
        step = torch.compile(step, options=options)
    if "bf16" not in variant:
        return step

    def in_bfloat16(images, labels):
        with torch.autocast("cpu", torch.bfloat16):
            return step(images, labels)

    return in_bfloat16


def make_work(variant):
    tuned = variant != "plain"

    def make(job, mode, batch, x, y):
        torch.manual_seed(0)
        training = mode == "train"
        network = build_network(job, tuned).train(training)
        n_parameters = sum(p.numel() for p in network.parameters())
        optimizer = make_optimizer(job, network.parameters(), tuned) if training else None
        if tuned and not training:
            fold_normalization(network)
        x, y = torch.from_numpy(x), torch.from_numpy(y).long()
        run = tuned_step(network, variant, training) if tuned else network
        if training:
            train = train_tuned if tuned else train_plain
            epoch = timed(lambda: train(run, optimizer, x, y, batch))
        else:
            evaluate = evaluate_tuned if tuned else evaluate_plain
            epoch = timed(lambda: evaluate(run, x, y, batch))
        return Work(epoch, n_parameters)

    return make


def main():
    given = arguments(VARIANTS)
    torch.set_num_threads(given.threads)
    torch.set_num_interop_threads(1)
    if given.variant != "plain":
        torch.set_flush_denormal(True)
    serve({"torch": torch.__version__}, make_work(given.variant))


if __name__ == "__main__":
    main()
