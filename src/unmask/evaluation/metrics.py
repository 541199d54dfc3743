"""Metrics of a classifier: accuracy and F1 with their intervals, and figures by class."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from unmask.core.faces import CLASSES
from unmask.evaluation.statistics import draws, interval

Counts = NDArray[np.integer[Any]]
_LABELS = np.arange(len(CLASSES))


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


def metrics(splits: Mapping[str, pd.DataFrame], running_accuracy: float) -> dict[str, Any]:
    """Return the figures of `metrics/classification/C.json`.

    Each comes with its 95 % interval, [low, high]: `ci95` is for the accuracy, `macro_f1_ci95` for
    macro F1, and so on.

    splits: predictions in evaluation mode by split name.
    running_accuracy: on training faces in training mode, averaged over the epoch that was best on
        validation: dropout is on, and the model learns during the epoch. There are no predictions
        of single faces to resample, so its interval, `running_ci95`, is Wilson's (1927).
    """
    figures = {name: _with_intervals(_confusion(table)) for name, table in splits.items()}
    faces = len(splits["train"])
    low, high = binomtest(round(running_accuracy * faces), faces).proportion_ci(method="wilson")
    running = {"running_accuracy": running_accuracy, "running_ci95": [float(low), float(high)]}
    figures["train"] = {**running, **figures["train"]}
    figures["test"] |= _by_class(splits["test"])
    return figures


def _with_intervals(confusion: Counts) -> dict[str, Any]:
    drawn = draws(confusion)
    figures: dict[str, Any] = {}
    for name, figure in _FIGURES.items():
        figures[name] = float(figure(confusion))
        figures["ci95" if name == "accuracy" else f"{name}_ci95"] = interval(figure(drawn))
    return figures


def _by_class(table: pd.DataFrame) -> dict[str, Any]:
    precision, recall, f1, support = precision_recall_fscore_support(
        table["label"], table["prediction"], labels=_LABELS, zero_division=0
    )
    return {
        "per_class": {
            name: {
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "f1": float(f1[label]),
                "faces": int(support[label]),
            }
            for label, name in enumerate(CLASSES)
        },
        "confusion": _confusion(table).tolist(),
    }


def _confusion(table: pd.DataFrame) -> Counts:
    counts: Counts = confusion_matrix(table["label"], table["prediction"], labels=_LABELS)
    return counts


def _hits(confusion: Counts) -> Counts:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _atleast_1(counts: Counts) -> Counts:
    return np.maximum(counts, 1)


def _mean(by_class: NDArray[np.float64], confusion: Counts) -> NDArray[np.float64]:
    """Average over the classes that have faces, as scikit-learn's macro averages do, by draw."""
    present = confusion.sum(-1) > 0
    mean: NDArray[np.float64] = (by_class * present).sum(-1) / present.sum(-1)
    return mean
