"""Intervals, paired tests and corrections: what may be said about accuracies and differences.

Intervals of 95 % come from the stratified bootstrap (Efron and Tibshirani 1993, sections 13.3 and
23.4): the faces of each class are resampled, with replacement, from the faces of that class. A
figure that depends only on how many of them have which outcome (the class they are predicted as,
say) does not need the faces: drawing n of n with replacement is a multinomial draw of these counts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom, binomtest
from statsmodels.stats.multitest import multipletests

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES
from unmask.evaluation.predictions import PROBABILITIES

DRAWS = 10_000

_SEED = 1  # the same predictions always give the same figures
_BINS = 15


def draws(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return `DRAWS` draws of `counts`, int [classes,outcomes], as int64 [DRAWS,classes,outcomes].

    counts: how many faces of each class have which outcome; draws keep the faces per class.
    """
    random = np.random.default_rng(_SEED)
    faces = counts.sum(axis=1)
    shares = counts / np.maximum(faces, 1)[:, np.newaxis]
    shares[faces == 0, 0] = 1  # no faces, so any outcome will do
    return random.multinomial(faces, shares, size=(DRAWS, len(counts)))


def interval(values: NDArray[np.float64]) -> list[float]:
    """Return the central 95 % of a figure's values, float [DRAWS], as [low, high]."""
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def mcnemar_p(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Return the two-sided p of McNemar's exact test on two tables of predictions.

    That is the binomial test on the faces that one gets right and the other wrong.

    Raises UserError if the tables are not about the same faces.
    """
    one, two = _right(first, second)
    differ = int(np.sum(one != two))
    return float(binomtest(int(np.sum(two & ~one)), differ).pvalue) if differ else 1.0


def gain_interval(first: pd.DataFrame, second: pd.DataFrame) -> list[float]:
    """Return the 95 % interval of the accuracy of `second` minus that of `first`, [low, high].

    Both are resampled on the same faces.
    """
    right = [correct.astype(int) for correct in _right(first, second)]
    counts = np.zeros((len(CLASSES), 3), dtype=np.int64)
    np.add.at(counts, (first["label"].to_numpy(), right[1] - right[0] + 1), 1)
    lost, _, won = np.moveaxis(draws(counts).sum(axis=1), -1, 0)
    return interval((won - lost) / len(first))


def minimum_detectable_gain(
    first: pd.DataFrame, second: pd.DataFrame, level: float, power: float = 0.8
) -> float | None:
    """Return the smallest true gain that McNemar's exact test would have detected.

    That is, at `level` and with probability `power`, if the two had disagreed, one right and one
    wrong, as often as they did. None if they disagree on so few faces that no result could have
    been significant.
    """
    differ = int(np.logical_xor(*_right(first, second)).sum())
    critical = int(binom.isf(level / 2, differ, 0.5)) + 1  # wins that are significant
    if differ == 0 or critical > differ:
        return None

    def excess_power(wins: float) -> float:
        return float(binom.sf(critical - 1, differ, wins)) - power

    wins = brentq(excess_power, 0.5, 1.0)  # as a fraction of the disagreements
    return float((2 * wins - 1) * differ / len(first))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values, corrected for how many there are (Holm 1979)."""
    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error of a table of predictions (Guo et al. 2017, eq. 3).

    Faces are sorted into 15 bins by the probability of the predicted class; the distance between
    the mean probability and the accuracy of a bin is averaged over faces. Tests compare the result
    with torchmetrics, whose import takes longer than the whole comparison.
    """
    confidence = table[PROBABILITIES].max(axis=1)
    right = table["label"] == table["prediction"]
    bins = np.searchsorted(np.linspace(0, 1, _BINS + 1)[1:-1], confidence)
    distance = (confidence.groupby(bins).mean() - right.groupby(bins).mean()).abs()
    return float((distance * right.groupby(bins).size()).sum() / len(table))


def refuse_other_faces(first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Raise UserError unless two tables are about the same faces: the same rows and labels."""
    if not all(np.array_equal(first[column], second[column]) for column in ("row", "label")):
        raise UserError("predictions of different faces cannot be paired; run `dvc repro`")


def _right(first: pd.DataFrame, second: pd.DataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return, for each face, whether each of the two predictions is right, bool [n] each."""
    refuse_other_faces(first, second)
    one, two = ((table["label"] == table["prediction"]).to_numpy() for table in (first, second))
    return one, two
