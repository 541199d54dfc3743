"""Two classifiers on the same faces: the paired tests."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from unmask.core.errors import UserError


def mcnemar_p(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Return the two-sided p of McNemar's exact test on two tables of predictions.

    Raises UserError where the tables are not of the same faces.
    """
    if not np.array_equal(first["row"], second["row"]):
        raise UserError("predictions of different faces cannot be paired; run `dvc repro`")
    right = [(table["label"] == table["prediction"]).to_numpy() for table in (first, second)]
    counts = confusion_matrix(*right, labels=[True, False])
    return float(mcnemar(counts, exact=True).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values corrected for their number (Holm 1979)."""
    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []
