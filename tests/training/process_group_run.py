"""Trains a model by each objective, in as many processes as its first argument says.

Further arguments name the runs to make instead of all. Works in the current folder, which holds
`faces`. Started by the tests of process groups: as one process, which starts the others, or by
torchrun.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from runs import CLASSIFIER, EVERYTHING, settings

from unmask.core.faces import TRAIN, VALIDATION, FaceSet
from unmask.core.mask import crop
from unmask.params.models import Reconstructor
from unmask.training import loop
from unmask.training.classifier import train_classifier
from unmask.training.reconstructor import train_reconstructor

RECONSTRUCTORS = {
    "supervised": (
        "cnn_simple",
        {"objective": {"name": "supervised", "structure": 0.2}, "width": 2},
    ),
    "adversarial": ("cnn_simple", {"objective": {"name": "adversarial"}, "width": 2}),
    "closed_form": ("mean_face", {"objective": {"name": "closed_form"}}),
}
RUNS = ["everything", *RECONSTRUCTORS]


def main(devices: int, runs: Sequence[str] = RUNS) -> None:
    """Train each of `runs` for 12 steps: 84 faces, six batches an epoch, each of an odd number."""
    if devices > 1:  # as on GPUs, each of which makes the batches of several steps at once
        loop._FACES_AT_ONCE["cpu"] = 60
    faces = FaceSet.open(Path("faces"))
    train = settings(devices=devices, epochs=2, batch_size=15, gradient_clip=1.0)
    still = CLASSIFIER.model_copy(update={"dropout": 0.0, "dense_dropout": 0.0})
    everything = np.ones(len(faces), bool)
    recipe = settings(devices=devices, epochs=2, batch_size=15, **EVERYTHING)
    rows = faces.rows(TRAIN), faces.rows(VALIDATION)
    for run in runs:
        if run not in RECONSTRUCTORS:
            train_classifier(run, "whole", faces.images, faces, everything, still, recipe, {})
            continue
        name, entry = RECONSTRUCTORS[run]
        entry = Reconstructor.model_validate(entry)
        train_reconstructor(name, crop(faces.images), rows, entry, train, run, {})


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] or RUNS)
