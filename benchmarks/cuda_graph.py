"""Training with steps captured as CUDA graphs, compared with launching kernels one by one.

    python benchmarks/cuda_graph.py [NAME ...] [--rounds 3] [--train 8192] [--validation 1024]

A name is `classifier`, the paper's CNN, or a reconstructor; default: all that are trained in steps.
Models, losses and batch sizes are those of params.yaml, on faces of random pixels. Each side is its
own process, and both use the optimiser that can be captured. Images per second are for all epochs
but the first, validation included. Without CUDA nothing is captured, and both sides are the same.
"""

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alternate import ROOT, Child, alternate, ratios, run, spread, table
from reconstructors import EPOCHS, learning, write_faces, write_job

sys.path.insert(0, str(ROOT / "src"))

from unmask.core.process import prepare, raise_on_ctrl_c

if __name__ == "__main__":
    prepare()  # as every stage does before it imports torch
    raise_on_ctrl_c()

import torch

from unmask.core import section
from unmask.training import loop
from unmask.training.cuda_graph import GraphedStep


def main(names: list[str], rounds: int, train: int, validation: int) -> None:
    """Print a Markdown table."""
    params = section.load(ROOT / "params.yaml")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    print(
        f"{device}; {train:,} faces to train on, {validation:,} to validate on, {rounds} rounds: "
        "median (minimum to maximum)\n"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_faces(Path(folder), train, validation)
        write_job(Path(folder), params, EPOCHS)
        for name in names or ["classifier", *learning(params)]:
            found = alternate({side: _side(side, name, folder) for side in SIDES}, rounds)
            captured, eager = ([c.figures["rate"] for c in found[side]] for side in SIDES)
            rows.append(
                (name, spread(captured, ",.0f"), spread(eager, ",.0f"),
                 spread(ratios(captured, eager), ".2f"))
            )  # fmt: skip
    head = ("model", "captured, images/s", "kernel by kernel, images/s", "speed-up")
    print(table(head, rows))


def _side(side: str, name: str, folder: str) -> Callable[[int], Child]:
    what = ["training_side", "unmask", folder, "1", "0"]
    if name != "classifier":
        what = ["reconstructor_side", "unmask", name, folder]
    return lambda number: run([sys.executable, __file__, f"--{side}", *what])


def _kernel_by_kernel(step: Callable[..., Any], device: torch.device, capture: bool) -> GraphedStep:
    return GraphedStep(step, device, capture=False)


SIDES = ("captured", "eager")

if __name__ == "__main__":
    if sys.argv[1:2] in (["--captured"], ["--eager"]):
        if sys.argv[1] == "--eager":
            loop.GraphedStep = _kernel_by_kernel  # type: ignore[misc, assignment]
        importlib.import_module(sys.argv[2]).main(*sys.argv[3:])
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="models; default: all that are trained in steps")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", type=int, default=8192)
    parser.add_argument("--validation", type=int, default=1024)
    arguments = parser.parse_args()
    main(arguments.names, arguments.rounds, arguments.train, arguments.validation)
