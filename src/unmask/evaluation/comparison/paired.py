"""Two classifiers on the same faces: what they differ by, and whether that is shown."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom, binomtest

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES
from unmask.evaluation.classification.bootstrap import draws, interval


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


def smallest_gain(
    first: pd.DataFrame, second: pd.DataFrame, level: float, power: float = 0.8
) -> float | None:
    """Return the smallest true gain that McNemar's exact test would have shown.

    That is, at `level` and with probability `power`, had the two been as often of different
    opinion, one right and one wrong, as they were. None where they differ on so few faces that no
    result could have been shown.
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
