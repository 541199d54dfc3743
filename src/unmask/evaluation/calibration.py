"""Whether a reader knows when it does not know: temperature, coverage, and a threshold.

All that is fitted or chosen here is fitted and chosen on validation; the test split is judged by
it. Predictions are tables as `evaluation.predictions` writes them.
"""

from math import ceil, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, softmax

from unmask.evaluation.predictions import SMALLEST, Table
from unmask.evaluation.statistics import calibration_error

_COOLEST, _HOTTEST, _HALVINGS = 0.05, 20.0, 60
_BINS, _STEPS = 10, 20
_DOUBT = 0.05


def calibration(validation: Table, test: Table, risk: float) -> dict[str, Any]:
    """Return what `readers/metrics` says about a reader's confidence.

    temperature: see `temperature`. calibration_error: of the test split, `before` and `after` the
        logits are divided by it (Guo et al. 2017, eq. 3).
    reliability: of test faces, by tenths of confidence, the faces, their mean confidence and their
        accuracy, after.
    coverage: of test faces, the share answered, the most certain first, and the accuracy of those.
    unsure: the stated `risk`; the `threshold` of confidence for it, see `threshold`; and, for test
        faces at or above it, their share and their accuracy. Both are None if no face is.
    """
    heat = temperature(validation)
    known, judged = scaled(validation, heat), scaled(test, heat)
    least = threshold(known, risk)
    right, confidence = _right(judged), judged["probabilities"].max(1)
    answered = confidence >= least if least is not None else np.zeros(len(judged), bool)
    return {
        "temperature": heat,
        "calibration_error": {
            "before": calibration_error(test),
            "after": calibration_error(judged),
        },
        "reliability": reliability(judged),
        "coverage": _coverage(confidence, right),
        "unsure": {
            "risk": risk,
            "threshold": least,
            "coverage": float(answered.mean()),
            "accuracy": float(right[answered].mean()) if answered.any() else None,
        },
    }


def temperature(table: Table) -> float:
    """Return the T that makes the labels most likely when the logits are divided by it.

    Guo et al. 2017, section 4.2. The likelihood is concave in 1/T; T is sought in [0.05, 20].
    """
    logs, rows = _logs(table), np.arange(len(table))

    def slope(inverse: float) -> float:
        shares = softmax(inverse * logs, axis=1)
        return float(((shares * logs).sum(1) - logs[rows, table["label"]]).mean())

    low, high = 1 / _HOTTEST, 1 / _COOLEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return 2 / (low + high)


def scaled(table: Table, heat: float) -> Table:
    """Return the same predictions with the logits divided by the temperature `heat`."""
    other = table.copy()
    other["probabilities"] = softmax(_logs(table) / heat, axis=1)
    return other


def threshold(table: Table, risk: float) -> float | None:
    """Return the least confidence at which a reader may answer, so that few answers are wrong.

    It is found by selection with guaranteed risk (Geifman and El-Yaniv 2017, "Selective
    classification for deep neural networks", algorithm 1 with the bound of lemma 3.1): with a
    probability of 95 %, at most the share `risk` of such answers is wrong on other faces like
    these, if `table` has chosen neither the reader's epoch nor its temperature. Ours, that of
    validation, has chosen both, so this is no guarantee. Returns None if no threshold will do.
    """
    confidence = table["probabilities"].max(1)
    order = np.sort(confidence)
    tries = max(1, ceil(log2(len(order))))
    low, high, found = 0, len(order) - 1, None
    for _ in range(tries):
        middle = ceil((low + high) / 2)
        answered = confidence >= order[middle]
        faces, wrong = int(answered.sum()), int((answered & ~_right(table)).sum())
        # The largest share for which so few wrong answers would still be this likely.
        bound = betaincinv(wrong + 1, faces - wrong, 1 - _DOUBT / tries) if wrong < faces else 1.0
        if bound <= risk:
            high, found = middle, float(order[middle])
        else:
            low = middle
    return found


def _coverage(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, float]]:
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    counts = np.ceil(np.arange(1, _STEPS + 1) / _STEPS * len(order)).astype(int)
    return [
        {"share": float(count / len(order)), "accuracy": float(accuracy[count - 1])}
        for count in counts
    ]


def reliability(table: Table) -> list[dict[str, Any]]:
    """Return the faces, their mean confidence and their accuracy, by tenths of confidence.

    Tenths in which no face is are left out.
    """
    confidence, right = table["probabilities"].max(1), _right(table)
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [
        {
            "faces": int(chosen.sum()),
            "confidence": float(confidence[chosen].mean()),
            "accuracy": float(right[chosen].mean()),
        }
        for chosen in (place == number for number in range(_BINS))
        if chosen.any()
    ]


def _right(table: Table) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = table["label"] == table["prediction"]
    return right


def _logs(table: Table) -> NDArray[np.float64]:
    """Return logits, up to what is common to all classes of a face, float [n,7]."""
    logs: NDArray[np.float64] = np.log(np.maximum(table["probabilities"], SMALLEST))
    return logs
