"""Intervals, paired tests and corrections: what may be said about accuracies and differences.

Intervals of 95 % come from the stratified bootstrap (Efron and Tibshirani 1993, sections 13.3 and
23.4): the faces of each class are resampled, with replacement, from the faces of that class. A
figure that depends only on how many of them have which outcome (the class they are predicted as,
say) does not need the faces: drawing n of n with replacement is a multinomial draw of these counts.

SciPy is imported where it is used: most stages that need an interval need no test. Tests compare
these functions with SciPy, statsmodels, scikit-learn and torchmetrics.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES
from unmask.evaluation.predictions import Table

DRAWS = 10_000

_SEED = 1  # the same predictions always give the same figures
_BINS = 15
_POWER = 0.8


def draws(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return `DRAWS` draws of `counts`, int [classes,outcomes], as int64 [DRAWS,classes,outcomes].

    counts: how many faces of each class have which outcome; draws keep the faces per class.
    """
    random = np.random.default_rng(_SEED)
    faces = counts.sum(axis=1)
    shares = counts / np.maximum(faces, 1)[:, np.newaxis]
    shares[faces == 0, 0] = 1  # no faces, so any outcome will do
    return random.multinomial(faces, shares, size=(DRAWS, len(counts)))


def drawn_means(
    labels: NDArray[np.uint8], values: NDArray[np.int64], least: int, most: int
) -> NDArray[np.float64]:
    """Return the mean of an integer over faces in each draw, float [DRAWS].

    labels, values: int [n], of each face; values are from `least` to `most`.
    """
    counts = np.zeros((len(CLASSES), most - least + 1), np.int64)
    np.add.at(counts, (labels, values - least), 1)
    means: NDArray[np.float64] = (
        draws(counts).sum(axis=1) @ np.arange(least, most + 1) / len(labels)
    )
    return means


def interval(values: NDArray[np.float64]) -> list[float]:
    """Return the central 95 % of a figure's values, float [DRAWS], as [low, high]."""
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def wilson_interval(share: float, faces: int) -> list[float]:
    """Return the 95 % interval of a share of `faces` (Wilson 1927), [low, high]."""
    z = NormalDist().inv_cdf(0.975)
    share = round(share * faces) / faces
    centre = share + z * z / (2 * faces)
    half = z * sqrt(share * (1 - share) / faces + (z / (2 * faces)) ** 2)
    return [(centre + sign * half) / (1 + z * z / faces) for sign in (-1, 1)]


def mcnemar_p(first: Table, second: Table) -> float:
    """Return the two-sided p of McNemar's exact test on two tables of predictions.

    That is the binomial test on the faces that one gets right and the other wrong.

    Raises UserError if the tables are not about the same faces.
    """
    from scipy.special import bdtr

    one, two = _right(first, second)
    differ, won = int(np.sum(one != two)), int(np.sum(two & ~one))
    return min(1.0, 2 * float(bdtr(min(won, differ - won), differ, 0.5)))


def gain_interval(first: Table, second: Table) -> list[float]:
    """Return the 95 % interval of the accuracy of `second` minus that of `first`, [low, high].

    Both are resampled on the same faces.
    """
    return interval(_gains(first, second))


def gain_bound(first: Table, second: Table) -> float:
    """Return the bound below which the gain of `second` over `first` lies.

    It is the upper end of the one-sided 95 % interval, and so the smallest margin by which a
    one-sided test at 5 % (half of Schuirmann's two, 1987) shows that `second` is not better. Where
    each of several readers stays below a bound at this level, all of them do (Berger 1982): that
    they are several calls for no correction.
    """
    return float(np.quantile(_gains(first, second), 0.95))


def _gains(first: Table, second: Table) -> NDArray[np.float64]:
    """Return the accuracy of `second` minus that of `first` in each draw, float [DRAWS]."""
    one, two = (correct.astype(np.int64) for correct in _right(first, second))
    return drawn_means(first["label"], two - one, -1, 1)


def minimum_detectable_gain(first: Table, second: Table, level: float) -> float | None:
    """Return the smallest true gain that McNemar's exact test would have detected.

    That is, at `level` and with a probability of 80 %, if the two had disagreed, one right and one
    wrong, as often as they did. None if they disagree on so few faces that no result could have
    been significant.
    """
    from scipy.special import bdtrc, betaincinv

    differ = int(np.logical_xor(*_right(first, second)).sum())
    wins = np.arange(differ + 1)
    significant = wins[bdtrc(wins - 1, differ, 0.5) <= level / 2] if differ else wins[:0]
    if not len(significant):
        return None
    least = int(significant[0])
    # The fraction of the disagreements that, as the chance to win each, wins so many often enough.
    fraction = float(betaincinv(least, differ - least + 1, _POWER))
    return (2 * fraction - 1) * differ / len(first)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values, corrected for how many there are (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(1, np.maximum.accumulate(np.take(p_values, order) * factors))
    return [float(p) for p in corrected]


def calibration_error(table: Table) -> float:
    """Return the expected calibration error of a table of predictions (Guo et al. 2017, eq. 3).

    Faces are sorted into 15 bins by the probability of the predicted class; the distance between
    the mean probability and the accuracy of a bin is averaged over faces. Tests compare the result
    with torchmetrics, whose import takes longer than the whole comparison.
    """
    confidence = table["probabilities"].max(axis=1)
    right = table["label"] == table["prediction"]
    bins = np.searchsorted(np.linspace(0, 1, _BINS + 1)[1:-1], confidence)
    excess = np.bincount(bins, weights=confidence - right)  # by bin, times its number of faces
    return float(np.abs(excess).sum() / len(table))


def refuse_other_faces(first: Table, second: Table) -> None:
    """Raise UserError unless two tables are about the same faces: the same rows and labels."""
    if not all(np.array_equal(first[column], second[column]) for column in ("row", "label")):
        raise UserError("predictions of different faces cannot be paired; run `dvc repro`")


def _right(first: Table, second: Table) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return, for each face, whether each of the two predictions is right, bool [n] each."""
    refuse_other_faces(first, second)
    one, two = (table["label"] == table["prediction"] for table in (first, second))
    return one, two
