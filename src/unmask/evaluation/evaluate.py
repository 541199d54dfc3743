"""Evaluating a trained classifier."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import SPLITS, TEST, FaceSet
from unmask.core.files import atomic_folder, read_json
from unmask.core.provenance import made
from unmask.evaluation.metrics import metrics
from unmask.evaluation.predictions import predictions, write_predictions
from unmask.models.device import choose_device, make_deterministic
from unmask.models.folder import load_model
from unmask.models.inference import probabilities


def evaluate_classifier(
    folder: str | Path,
    images: NDArray[np.uint8],
    faces: FaceSet,
    keep: NDArray[np.bool_],
    predictions_folder: str | Path,
    *,
    augment: bool = False,
    splits: Collection[str] = SPLITS,
) -> dict[str, Any]:
    """Return the metrics of a classifier, and write its predictions on validation and test.

    folder: the trained classifier's; images: uint8 [N,H,W], what its view shows; faces: unsealed,
    with the labels of the test split; keep: bool [N], the faces that training and validation are
    evaluated on. The test split is evaluated on all of its faces. augment: see `probabilities`.
    splits: names of those to evaluate on, validation and test among them.
    """
    make_deterministic()
    model = load_model(folder)
    training = read_json(Path(folder) / "training.json")
    tables = {}
    for split, split_name in enumerate(SPLITS):
        if split_name not in splits:
            continue
        rows = faces.rows(split, None if split == TEST else keep)
        found = probabilities(model, images, rows, split_name, augment=augment)
        tables[split_name] = predictions(faces.row[rows], faces.labels[rows], found)
    with atomic_folder(predictions_folder) as predicted:
        for split_name in ("validation", "test"):
            write_predictions(predicted / f"{split_name}.csv", tables[split_name])
    figures = metrics(tables, running_accuracy=training["best"]["train/accuracy"])
    return {**figures, "made": made(training["environment"], choose_device())}
