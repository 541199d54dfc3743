"""Training of the paper's CNN, compared with plain PyTorch, Lightning and Keras, with accuracies.

    python benchmarks/training.py [--rounds 3] [--train 3000] [--validation 2000] [--batch-size 64]

Whole faces from the sample's generator, mirrored at random; all other settings are those of
params.yaml. Each side is its own process, and each round has a different seed. Images per second
are for all epochs but the first, validation included; images per CPU second, over all threads,
depend less on what else the machine is doing. The sides:

- unmask: the pipeline's loop, with its checkpoints and curves;
- pytorch: the same module in float32, with a `DataLoader` and torchvision's transforms of each
  image, in the same process or in two worker processes;
- lightning: the same in a `LightningModule`, without loggers and checkpoints;
- keras: the same layers on TensorFlow, with arrays in memory.

We do not depend on Lightning and Keras; `make .venv-bench/installed` installs them in an
environment of their own. Without it, they are left out.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import numpy as np
from alternate import HERE, ROOT, Child, alternate, ratios, run, spread, table

sys.path.insert(0, str(ROOT / "src"))

from unmask.core import section
from unmask.core.faces import FaceBlock, FaceSetWriter
from unmask.sample.synthetic import draw_splits

WORKERS = "pytorch, two workers"  # its CPU seconds are spread over three processes


def main(arguments: argparse.Namespace) -> None:
    """Print a Markdown table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_faces(folder, arguments.train, arguments.validation)
        _write_job(folder, arguments.epochs, arguments.batch_size)
        sides = _sides(folder, arguments.others)
        chosen = {side: sides[side] for side in ["unmask", *(arguments.sides or sides)]}
        found = alternate(chosen, arguments.rounds)
    rate, busy, accuracy = (
        {side: [child.figures[name] for child in children] for side, children in found.items()}
        for name in ("rate", "busy", "accuracy")
    )
    points = {side: [100 * share for share in shares] for side, shares in accuracy.items()}
    print(
        f"{arguments.train:,} faces to train on, {arguments.validation:,} to validate on, "
        f"batches of {arguments.batch_size}, {arguments.rounds} seeds: "
        "median (minimum to maximum)\n"
    )
    rows = [
        (
            side,
            spread(rate[side], ",.0f"),
            spread(ratios(rate["unmask"], rate[side]), ".2f"),
            "" if side == WORKERS else spread(busy[side], ",.0f"),
            "" if side == WORKERS else spread(ratios(busy["unmask"], busy[side]), ".2f"),
            f"{mean(points[side]):.1f} ({min(points[side]):.1f} to {max(points[side]):.1f})",
            f"{mean(points['unmask']) - mean(points[side]):+.1f}",
        )
        for side in found
    ]
    head = (
        "side", "images/s", "speed-up of unmask", "images per CPU second", "speed-up of unmask",
        "mean validation accuracy, %", "unmask's lead, points",
    )  # fmt: skip
    print(table(head, rows))


def write_faces(folder: Path, train: int, validation: int) -> None:
    """Draw faces like the sample's and write them as `ingest` does."""
    splits = draw_splits({"train": train, "validation": validation, "test": 7}, seed=1)
    with FaceSetWriter(folder, folder / "test_labels.npy") as writer:
        for number, split in enumerate(splits.values()):
            count = len(split.labels)
            numbers = np.full(count, number, dtype=np.uint8)
            writer.append(FaceBlock(split.images, split.labels, numbers, np.arange(count)))


def _write_job(folder: Path, epochs: int | None, batch_size: int) -> None:
    params = section.load(ROOT / "params.yaml")
    own = {"batch_size": batch_size, "patience": 1000} | ({"epochs": epochs} if epochs else {})
    params["train"]["classifier"] |= own
    (folder / "job.json").write_text(json.dumps(params))


def _sides(folder: Path, others: Path) -> dict[str, Callable[[int], Child]]:
    def side(
        name: str, workers: int = 0, environment: dict[str, str] | None = None
    ) -> Callable[[int], Child]:
        script = HERE / "training_side.py"
        return lambda number: run(
            [sys.executable, script, name, folder, str(number + 1), str(workers)],
            environment=environment,
        )

    sides = {
        "unmask": side("unmask"),
        "pytorch": side("pytorch"),
        WORKERS: side("pytorch", 2),
    }
    python, lightning = others / "bin" / "python", others / "lightning"
    if lightning.exists():
        sides["lightning"] = side("lightning", environment={"PYTHONPATH": str(lightning.resolve())})
    if python.exists():
        script = HERE / "training_keras.py"
        sides["keras"] = lambda number: run([python, script, folder, str(number + 1)])
    return sides


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", type=int, default=3000)
    parser.add_argument("--validation", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, help="default: as in params.yaml")
    parser.add_argument("--sides", nargs="*", help="unmask and these; default: all")
    parser.add_argument("--others", type=Path, default=ROOT / ".venv-bench")
    main(parser.parse_args())
