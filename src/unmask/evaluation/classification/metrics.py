"""How well a classifier does: accuracy with its interval, macro F1, figures by class."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from unmask.core.faces import CLASSES


def accuracy(table: pd.DataFrame) -> float:
    """Return the share of correct predictions."""
    return float(accuracy_score(table["label"], table["prediction"]))


def metrics(splits: Mapping[str, pd.DataFrame], running_accuracy: float) -> dict[str, Any]:
    """Return the figures of `metrics/classification/C.json`.

    splits: predictions in evaluation mode by split name.
    running_accuracy: on training faces in training mode, averaged over the epoch that was best on
        validation: dropout is on, and the model learns on the way.
    """
    return {
        "train": {"accuracy": accuracy(splits["train"]), "running_accuracy": running_accuracy},
        "validation": {"accuracy": accuracy(splits["validation"])},
        "test": _test_metrics(splits["test"]),
    }


def _test_metrics(table: pd.DataFrame) -> dict[str, Any]:
    labels = np.arange(len(CLASSES))
    precision, recall, f1, support = precision_recall_fscore_support(
        table["label"], table["prediction"], labels=labels, zero_division=0
    )
    return {
        "accuracy": accuracy(table),
        "macro_f1": float(f1[support > 0].mean()),
        "ci95": interval(table),
        "per_class": {
            name: {
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "f1": float(f1[label]),
                "faces": int(support[label]),
            }
            for label, name in enumerate(CLASSES)
        },
        "confusion": confusion_matrix(table["label"], table["prediction"], labels=labels).tolist(),
    }


def interval(table: pd.DataFrame) -> list[float]:
    """Return the 95 % interval of the accuracy (Wilson 1927), as [low, high]."""
    correct = int((table["label"] == table["prediction"]).sum())
    low, high = binomtest(correct, len(table)).proportion_ci(0.95, method="wilson")
    return [float(low), float(high)]
