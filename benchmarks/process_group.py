"""The effect of batch normalisation that sees only its own process's part of a batch, on the CPU.

    python benchmarks/process_group.py [NAME ...] [--seeds 1 2 3 4 5] [--reduced]

On GPUs batch normalisation is synchronised; PyTorch has no such layer for the CPU. In a temporary
clone of the last commit, reconstructors are trained on the sample from several seeds, by one
process and by two, in float32 and without dropout, which draws different units in each process. It
prints the best validation losses, in thousandths. Default names: `cnn_simple`, which has no batch
normalisation, and `cnn_deep` and `unet`, which have it after their convolutions. `--reduced` takes
a small sample, in which `unet` is the only one of these.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from alternate import table
from clone import Clone

NAMES = ["cnn_simple", "cnn_deep", "unet"]


def main(names: list[str], seeds: list[int], reduced: bool) -> None:
    """Print a Markdown table for each reconstructor."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a machine with one GPU has no second one to ask for
    with tempfile.TemporaryDirectory() as name:
        clone = Clone(Path(name) / "clone")
        if reduced:
            clone.reduce()
        for model in names:
            losses = [[_loss(clone, model, seed, devices) for devices in (1, 2)] for seed in seeds]
            rows = [_row(str(seed), *pair) for seed, pair in zip(seeds, losses, strict=True)]
            sides = list(zip(*losses, strict=True))
            rows.append(_row("mean", *map(mean, sides)))
            if len(seeds) > 1:
                rows.append(("standard deviation", *(f"{1000 * stdev(s):.2f}" for s in sides), ""))
            head = (f"{model}, seed", "one process", "two", "difference")
            print(f"{table(head, rows)}\n")


def _loss(clone: Clone, model: str, seed: int, devices: int) -> float:
    def change(params: dict[str, Any]) -> None:
        params["train"].update({"seed": seed, "devices": devices, "precision": "float32"})
        if "dropout" in params["reconstructors"][model]:
            params["reconstructors"][model]["dropout"] = 0.0

    clone.set_params(change)
    clone.dvc("repro", f"train_reconstructor@{model}")
    path = clone.path / "models" / "reconstructors" / model / "training.json"
    training = json.loads(path.read_text())
    print(f"{model}, seed {seed}, {devices}: {training['best']}", file=sys.stderr)
    if training["processes"] != devices:
        sys.exit(f"{model}: trained by {training['processes']} processes, not {devices}")
    return float(training["best"]["validation/loss"])


def _row(name: str, one: float, two: float) -> tuple[str, ...]:
    return name, f"{1000 * one:.2f}", f"{1000 * two:.2f}", f"{1000 * (two - one):+.2f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--reduced", action="store_true")
    arguments = parser.parse_args()
    main(arguments.names, arguments.seeds, arguments.reduced)
