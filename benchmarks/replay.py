"""Training with steps recorded as CUDA graphs, against one kernel launched after the other.

    python benchmarks/replay.py [NAME ...] [--rounds 3] [--train 8192] [--validation 1024]

Names are `classifier` and those of reconstructors; all that learn by steps without one. Models,
losses and batches are those of params.yaml, on faces of random pixels. Each side is a process of
its own, and both have the optimiser that can be recorded; images per second are those of all epochs
but the first, validation included. Without CUDA nothing is recorded, and both sides are the same.
"""

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alternate import HERE, ROOT, Child, alternate, ratios, run, spread, table
from reconstructors import EPOCHS, learning, write_faces, write_job

sys.path.insert(0, str(ROOT / "src"))

import torch

from unmask.core import section
from unmask.training import loop
from unmask.training.cuda_graph import Replay


def main(names: list[str], rounds: int, train: int, validation: int) -> None:
    """Print a Markdown table."""
    params = section.load(ROOT / "params.yaml")
    params["train"]["classifier"] |= {"epochs": EPOCHS, "patience": EPOCHS}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    print(
        f"{device}; {train:,} faces to train on, {validation:,} to validate on, {rounds} rounds\n"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_faces(Path(folder), train, validation)
        write_job(Path(folder), params, EPOCHS)
        for name in names or ["classifier", *learning(params)]:
            found = alternate({side: _side(side, name, folder) for side in SIDES}, rounds)
            recorded, singly = ([c.figures["rate"] for c in found[side]] for side in SIDES)
            rows.append(
                (name, *(spread(side, ",.0f") for side in (recorded, singly)),
                 spread(ratios(recorded, singly), ".2f"))
            )  # fmt: skip
    head = ("model", "recorded, images/s", "kernel by kernel, images/s", "faster by")
    print(table(head, rows))


def _side(side: str, name: str, folder: str) -> Callable[[int], Child]:
    what = ["training_side", "unmask", folder, "1", "0"]
    if name != "classifier":
        what = ["reconstructor_side", "unmask", name, folder]
    return lambda number: run([sys.executable, HERE / "replay.py", f"--{side}", *what])


def _kernel_by_kernel(step: Callable[..., Any], device: torch.device, record: bool) -> Replay:
    return Replay(step, device, record=False)


SIDES = ("recorded", "singly")

if __name__ == "__main__":
    if sys.argv[1:2] in (["--recorded"], ["--singly"]):
        if sys.argv[1] == "--singly":
            loop.Replay = _kernel_by_kernel  # type: ignore[misc, assignment]
        importlib.import_module(sys.argv[2]).main(*sys.argv[3:])
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="models; all that learn by steps without one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", type=int, default=8192)
    parser.add_argument("--validation", type=int, default=1024)
    arguments = parser.parse_args()
    main(arguments.names, arguments.rounds, arguments.train, arguments.validation)
