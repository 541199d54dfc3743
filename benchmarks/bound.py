"""How near training of the paper's CNN comes to what the processor can do in float32.

    python benchmarks/bound.py [--rounds 5] [--seconds 3]

The bound is the rate of a product of large matrices. Training steps and products take turns; a
step's operations are those that PyTorch's counter finds in it, convolutions and products alone.
The batch is in memory already and no state is written: what is left is the model's own arithmetic.
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from alternate import ROOT, alternate, ratios, spread, table
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(ROOT / "src"))

from unmask.core.compute.batches import Batches
from unmask.core.compute.models import build_classifier
from unmask.core.params.models import Named
from unmask.core.params.section import read
from unmask.core.params.training import Train
from unmask.training.classifier.objective import Classification
from unmask.training.engine.run import prepare

BATCH, SIDE = 64, 2048


def main(rounds: int, seconds: float) -> None:
    """Measure and print."""
    train = read(Train, "train", ROOT / "params.yaml")
    train = train.model_copy(update={"precision": "float32"})
    machine = prepare(train)
    model = build_classifier(read(Named, "classifier", ROOT / "params.yaml"), (48, 48))
    objective = Classification(model, train.classifier, machine)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (BATCH, 48, 48), dtype=np.uint8)
    labels = random.integers(0, 7, BATCH, dtype=np.uint8)
    batches = Batches([images, labels], np.arange(BATCH), BATCH)
    _, batch = next(iter(batches.shuffled(train.seed, 0, machine.team)))
    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)

    def step() -> None:
        objective.train_step(batch)

    with FlopCounterMode(display=False) as counter:
        step()
    sides = {
        "a training step": _rate(step, counter.get_total_flops(), seconds),
        "a product of matrices": _rate(lambda: left @ right, 2 * SIDE**3, seconds),
    }
    found = alternate(sides, rounds)
    shares = ratios(found["a training step"], found["a product of matrices"])
    rows = [(name, spread(rates)) for name, rates in found.items()]
    print(table(("float32", "thousand million operations in a second"), rows))
    print(f"\nA training step runs at {spread(shares, '.0%')} of the rate of the product.")


def _rate(run: Callable[[], object], operations: int, seconds: float) -> Callable[[int], float]:
    """Return what measures a rate, in thousand million operations in a second."""

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
