"""Intervals, paired tests and corrections: what may be said of accuracies and their differences.

Intervals of 95 % come from the stratified bootstrap (Efron and Tibshirani 1993, sections 13.3 and
23.4). The faces of each class are drawn anew, with replacement, from the faces of that class. A
figure that depends only on how many of them have which outcome (are predicted as which class, say)
need not see the faces: drawing n of n with replacement is a multinomial draw of those numbers.
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

_SEED = 1  # the same figures whenever the same predictions are judged


def draws(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return `DRAWS` draws of `counts`, int [classes,outcomes], as int64 [DRAWS,classes,outcomes].

    counts: how many faces of each class have which outcome; each draw keeps the number of a class.
    """
    random = np.random.default_rng(_SEED)
    faces = counts.sum(axis=1)
    shares = counts / np.maximum(faces, 1)[:, np.newaxis]
    shares[faces == 0, 0] = 1  # no faces: any outcome will do
    return random.multinomial(faces, shares, size=(DRAWS, len(counts)))


def interval(values: NDArray[np.float64]) -> list[float]:
    """Return the middle 95 % of a figure's values, float [DRAWS], as [low, high]."""
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def mcnemar_p(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Return the two-sided p of McNemar's exact test on two tables of predictions.

    That is the binomial test of the faces on which one is right and the other wrong.

    Raises UserError where the tables are not of the same faces.
    """
    one, two = _right(first, second)
    differ = int(np.sum(one != two))
    return float(binomtest(int(np.sum(two & ~one)), differ).pvalue) if differ else 1.0


def gain_interval(first: pd.DataFrame, second: pd.DataFrame) -> list[float]:
    """Return the 95 % interval of what `second` is more accurate than `first` by, [low, high].

    The same faces are drawn for both.
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
    wrong, as often as they did. None where they differ on so few faces that no result could have
    been significant.
    """
    differ = int(np.logical_xor(*_right(first, second)).sum())
    critical = int(binom.isf(level / 2, differ, 0.5)) + 1  # so many of them won are significant
    if differ == 0 or critical > differ:
        return None

    def lacking(share: float) -> float:
        return float(binom.sf(critical - 1, differ, share)) - power

    share = brentq(lacking, 0.5, 1.0)
    return float((2 * share - 1) * differ / len(first))


def _right(first: pd.DataFrame, second: pd.DataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    if not np.array_equal(first["row"], second["row"]):
        raise UserError("predictions of different faces cannot be paired; run `dvc repro`")
    one, two = ((table["label"] == table["prediction"]).to_numpy() for table in (first, second))
    return one, two


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values corrected for their number (Holm 1979)."""
    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []


_BINS = 15


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error of a table of predictions (Guo et al. 2017, eq. 3).

    Faces are sorted into 15 bins of the probability of the predicted class; the distance between
    its mean and the accuracy of a bin is averaged over faces. The figure is that of torchmetrics,
    to which tests compare it; importing torchmetrics takes longer than all of the comparison.
    """
    confidence = table[PROBABILITIES].max(axis=1)
    right = table["label"] == table["prediction"]
    bins = np.searchsorted(np.linspace(0, 1, _BINS + 1)[1:-1], confidence)
    distance = (confidence.groupby(bins).mean() - right.groupby(bins).mean()).abs()
    return float((distance * right.groupby(bins).size()).sum() / len(table))
