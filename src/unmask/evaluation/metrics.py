"""Metrics of a classifier: accuracy and F1 with their intervals, and figures by class."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import CLASSES
from unmask.evaluation.predictions import Table
from unmask.evaluation.statistics import draws, interval, wilson_interval

Counts = NDArray[np.integer[Any]]


def confusion_of(table: Table) -> Counts:
    """Return how many faces of each class are predicted as which, int64 [label,prediction]."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    np.add.at(counts, (table["label"], table["prediction"]), 1)
    return counts


def accuracy(confusion: Counts) -> NDArray[np.float64]:
    """Return the fraction of correct predictions; confusion is int [...,label,prediction]."""
    correct: NDArray[np.float64] = _hits(confusion).sum(-1) / confusion.sum((-2, -1))
    return correct


def balanced_accuracy(confusion: Counts) -> NDArray[np.float64]:
    """Return the mean recall of the classes that have faces."""
    return _mean(_hits(confusion) / _atleast_1(confusion.sum(-1)), confusion)


def macro_f1(confusion: Counts) -> NDArray[np.float64]:
    """Return the mean F1 of the classes that have faces."""
    both = confusion.sum(-1) + confusion.sum(-2)
    return _mean(2 * _hits(confusion) / _atleast_1(both), confusion)


_FIGURES: dict[str, Callable[[Counts], NDArray[np.float64]]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
}


def metrics(splits: Mapping[str, Table], running_accuracy: float) -> dict[str, Any]:
    """Return the figures of `metrics/classification/C.json`.

    Each comes with its 95 % interval, [low, high]: `ci95` is for the accuracy, `macro_f1_ci95` for
    macro F1, and so on.

    splits: predictions in evaluation mode by split name, `test` among them.
    running_accuracy: on training faces in training mode, averaged over the epoch that was best on
        validation: dropout is on, and the model learns during the epoch. There are no predictions
        of single faces to resample, so its interval, `running_ci95`, is Wilson's (1927).
    """
    figures = {name: _with_intervals(confusion_of(table)) for name, table in splits.items()}
    if "train" in splits:
        figures["train"] = {
            "running_accuracy": running_accuracy,
            "running_ci95": wilson_interval(running_accuracy, len(splits["train"])),
            **figures["train"],
        }
    figures["test"] |= _by_class(confusion_of(splits["test"]))
    return figures


def _with_intervals(confusion: Counts) -> dict[str, Any]:
    drawn = draws(confusion)
    figures: dict[str, Any] = {}
    for name, figure in _FIGURES.items():
        figures[name] = float(figure(confusion))
        figures["ci95" if name == "accuracy" else f"{name}_ci95"] = interval(figure(drawn))
    return figures


def _by_class(confusion: Counts) -> dict[str, Any]:
    """Return figures for each class; a share of no faces counts as 0."""
    hits, faces, predicted = _hits(confusion), confusion.sum(1), confusion.sum(0)
    shares = {
        "precision": hits / _atleast_1(predicted),
        "recall": hits / _atleast_1(faces),
        "f1": 2 * hits / _atleast_1(faces + predicted),
    }
    return {
        "per_class": {
            name: {
                **{figure: float(share[label]) for figure, share in shares.items()},
                "faces": int(faces[label]),
            }
            for label, name in enumerate(CLASSES)
        },
        "confusion": confusion.tolist(),
    }


def _hits(confusion: Counts) -> Counts:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _atleast_1(counts: Counts) -> Counts:
    return np.maximum(counts, 1)


def _mean(by_class: NDArray[np.float64], confusion: Counts) -> NDArray[np.float64]:
    """Average over the classes that have faces, by draw.

    So does scikit-learn's balanced accuracy; its macro F1 also counts, as 0, a class that is
    predicted but has no faces.
    """
    present = confusion.sum(-1) > 0
    mean: NDArray[np.float64] = (by_class * present).sum(-1) / present.sum(-1)
    return mean
