"""How close training of the paper's CNN comes to what the processor can do in float32.

    python benchmarks/bound.py [--rounds 5] [--seconds 3]

The bound is the rate of a product of large matrices. Training steps and products take turns; the
operations of a step are those that PyTorch's counter finds: convolutions and matrix products only.
The batch is already in memory and nothing is written, which leaves the model's own arithmetic, once
as the pipeline lays it out (channels last, fused Adam) and once as PyTorch does by default.
"""

import argparse
import sys
import time
from collections.abc import Callable

from alternate import ROOT, alternate, ratios, spread, table

sys.path.insert(0, str(ROOT / "src"))

from unmask.core.process import prepare, raise_on_ctrl_c

if __name__ == "__main__":
    prepare()  # as every stage does before it imports torch
    raise_on_ctrl_c()

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from unmask.core.section import read
from unmask.models.batches import Batches, to_unit
from unmask.models.folder import build, classifier_config
from unmask.objectives.cross_entropy import CrossEntropy, Params
from unmask.params.models import Entry, Train
from unmask.training.run import begin

BATCH, SIDE = 64, 2048
NAME, VIEW = "paper_cnn", "whole"
PRODUCT = "matrix product"


def main(rounds: int, seconds: float) -> None:
    """Measure and print."""
    file = ROOT / "params.yaml"
    train = read(Train, "train", file).model_copy(update={"precision": "float32"})
    compute = begin(train)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (BATCH, 48, 48), dtype=np.uint8)
    labels = random.integers(0, 7, BATCH, dtype=np.uint8)
    batches = Batches({"face": images, "label": labels}, np.arange(BATCH), BATCH)
    _, batch = next(batches.in_order())

    settings = read(Entry, f"classifiers.{NAME}", file).settings
    config = classifier_config(NAME, settings, VIEW, images.shape[1:])
    ours = build(config).to(memory_format=torch.channels_last)
    objective = CrossEntropy(ours, Params(view=VIEW), train.classifier, compute)

    plain = build(config)
    optimiser = torch.optim.Adam(plain.parameters())
    criterion = nn.CrossEntropyLoss()
    faces, classes = to_unit(batch["face"]), batch["label"].long()

    def plain_step() -> None:
        optimiser.zero_grad()
        criterion(plain(faces), classes).backward()
        optimiser.step()

    with FlopCounterMode(display=False) as counter:
        objective.train_step(batch)
    operations = counter.get_total_flops()
    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    sides = {
        "training step, unmask": _rate(lambda: objective.train_step(batch), operations, seconds),
        "training step, plain PyTorch": _rate(plain_step, operations, seconds),
        PRODUCT: _rate(lambda: left @ right, 2 * SIDE**3, seconds),
    }
    found = alternate(sides, rounds)
    shares = {name: ratios(rates, found[PRODUCT]) for name, rates in found.items()}
    rows = [(name, spread(found[name]), spread(shares[name], ".0%")) for name in found]
    print(table(("float32", "10^9 operations per second", f"of the {PRODUCT}"), rows))


def _rate(run: Callable[[], object], operations: int, seconds: float) -> Callable[[int], float]:
    """Return a function that measures the rate of `run`, in 10^9 operations per second."""

    def measure(_: int) -> float:
        run()
        began, count = time.perf_counter(), 0
        while time.perf_counter() < began + seconds:
            run()
            count += 1
        return count * operations / (time.perf_counter() - began) / 1e9

    return measure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    main(**vars(parser.parse_args()))
