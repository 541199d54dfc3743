"""Judging a trained classifier on all splits."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.core.compute.environment import made
from unmask.core.compute.inference import probabilities
from unmask.core.compute.models import build_classifier
from unmask.core.compute.weights import load_weights
from unmask.core.faces import SPLITS, TEST, FaceSet
from unmask.core.files import read_json, whole_folder, write_json
from unmask.core.params.models import Named
from unmask.evaluation.classification.metrics import metrics
from unmask.evaluation.classification.predictions import predictions, write_predictions


def evaluate_classifier(
    folder: str | Path,
    images: NDArray[np.uint8],
    faces: FaceSet,
    keep: NDArray[np.bool_],
    classifier: Named,
    metrics_file: str | Path,
    predictions_folder: str | Path,
) -> None:
    """Write the figures of a classifier, and its predictions on validation and test.

    folder: of the trained classifier; images: uint8 [N,H,W], what it reads; faces: unsealed, with
    the labels of the test. Training and validation are judged on the faces that `keep` keeps, the
    test on all of its faces.
    """
    model = build_classifier(classifier, images.shape[1:])
    load_weights(model, Path(folder) / "weights.safetensors")
    training = read_json(Path(folder) / "training.json")
    tables = {}
    for split, split_name in enumerate(SPLITS):
        rows = faces.rows(split, None if split == TEST else keep)
        tables[split_name] = predictions(
            faces.row[rows], faces.labels[rows], probabilities(model, images, rows, split_name)
        )
    with whole_folder(predictions_folder) as predicted:
        for split_name in ("validation", "test"):
            write_predictions(predicted / f"{split_name}.csv", tables[split_name])
    figures = metrics(tables, running_accuracy=training["best"]["train/accuracy"])
    write_json(metrics_file, {**figures, "made": made(training["environment"])})
