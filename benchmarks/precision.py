"""Whether bf16 costs accuracy: the baseline in both precisions, from several seeds.

    dvc repro crop audit
    python benchmarks/precision.py [--seeds 1 2 3]

Trains the classifier of params.yaml on the upper halves in `data/`, in float32 and in bf16, and
prints its best validation accuracy. If the processor has no bf16 arithmetic, PyTorch emulates it:
the accuracies are the same, but it runs many times slower, so the speed says nothing there.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import mean, stdev

from unmask.core.process import prepare, raise_on_ctrl_c

if __name__ == "__main__":
    prepare()  # as every stage does before it imports torch
    raise_on_ctrl_c()

import torch

from unmask.core.faces import FaceSet
from unmask.core.files import open_array
from unmask.core.section import read
from unmask.models.device import choose_device, has_bf16
from unmask.models.readers import reader
from unmask.params.models import Train, read_classifier
from unmask.training.classifier import train_classifier

PRECISIONS = ("float32", "bf16")
NAME = "baseline"


def main(seeds: list[int]) -> None:
    """Print a Markdown table."""
    classifier, train = read_classifier(), read(Train, "train")
    faces, keep = FaceSet.open("data/faces"), open_array("data/audit/keep.npy")
    baseline = reader(NAME)
    images = baseline.images()
    found: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for seed in seeds:
            for precision in PRECISIONS:
                settings = train.model_copy(update={"seed": seed, "precision": precision})
                train_classifier(
                    NAME, baseline.view, images, faces, keep, classifier, settings, source={}
                )
                training = json.loads(Path(f"models/{NAME}/training.json").read_text())
                found[precision].append(training["best"]["validation/accuracy"])
    arithmetic = "in hardware" if has_bf16(choose_device()) else "emulated"
    print(f"bf16 is {arithmetic}; {torch.get_num_threads()} threads.\n")
    print("| seed | float32 | bf16 | difference, points |\n| --- | --- | --- | --- |")
    for seed, *pair in zip(seeds, *found.values(), strict=True):
        print(_row(str(seed), *pair))
    print(_row("mean", *map(mean, found.values())))
    if len(seeds) > 1:
        print(f"| standard deviation | {' | '.join(f'{stdev(f):.2%}' for f in found.values())} | |")


def _row(name: str, single: float, half: float) -> str:
    return f"| {name} | {single:.2%} | {half:.2%} | {100 * (half - single):+.2f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    main(parser.parse_args().seeds)
