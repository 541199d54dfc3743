"""How near training of the paper's CNN comes to what the processor can do in float32.

    python benchmarks/bound.py [--rounds 5] [--seconds 3]

The bound is the rate of a product of large matrices. Steps of training and products take turns; a
step's operations are those that PyTorch's counter finds in it, convolutions and products alone. The
batch is in memory already and nothing is written: what is left is the model's own arithmetic, laid
out as the pipeline lays it out (channels last, fused Adam) and as PyTorch does by itself.
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from alternate import ROOT, alternate, ratios, spread, table
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(ROOT / "src"))

from unmask.core.section import read
from unmask.models.batches import Batches, to_unit
from unmask.models.folder import build_classifier
from unmask.objectives.cross_entropy import Classification
from unmask.params.models import Named
from unmask.params.training import Train
from unmask.training.run import prepare

BATCH, SIDE = 64, 2048
PRODUCT = "product of matrices"


def main(rounds: int, seconds: float) -> None:
    """Measure and print."""
    train = read(Train, "train", ROOT / "params.yaml").model_copy(update={"precision": "float32"})
    machine = prepare(train)
    classifier = read(Named, "classifier", ROOT / "params.yaml")
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (BATCH, 48, 48), dtype=np.uint8)
    labels = random.integers(0, 7, BATCH, dtype=np.uint8)
    batches = Batches([images, labels], np.arange(BATCH), BATCH)
    _, batch = next(iter(batches.shuffled(train.seed, 0, machine.team)))

    ours = build_classifier(classifier, images.shape[1:]).to(memory_format=torch.channels_last)
    objective = Classification(ours, train.classifier, machine)

    plain = build_classifier(classifier, images.shape[1:])
    optimiser = torch.optim.Adam(plain.parameters())
    criterion = nn.CrossEntropyLoss()
    faces, classes = to_unit(batch[0]), batch[1].long()

    def plain_step() -> None:
        optimiser.zero_grad()
        criterion(plain(faces), classes).backward()
        optimiser.step()

    with FlopCounterMode(display=False) as counter:
        objective.train_step(batch)
    operations = counter.get_total_flops()
    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    sides = {
        "step of unmask": _rate(lambda: objective.train_step(batch), operations, seconds),
        "step of plain PyTorch": _rate(plain_step, operations, seconds),
        PRODUCT: _rate(lambda: left @ right, 2 * SIDE**3, seconds),
    }
    found = alternate(sides, rounds)
    shares = {name: ratios(rates, found[PRODUCT]) for name, rates in found.items()}
    rows = [(name, spread(found[name]), spread(shares[name], ".0%")) for name in found]
    print(table(("float32", "10^9 operations in a second", "of the product's"), rows))


def _rate(run: Callable[[], object], operations: int, seconds: float) -> Callable[[int], float]:
    """Return what measures a rate, in 10^9 operations in a second."""

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
