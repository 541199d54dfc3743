"""How far a classifier's confidence is from its accuracy."""

import numpy as np
import pandas as pd

from unmask.evaluation.classification.predictions import PROBABILITIES

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
