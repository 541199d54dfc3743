"""How far a classifier's confidence is from its accuracy."""

import pandas as pd
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from unmask.evaluation.classification.predictions import PROBABILITIES

_BINS = 15


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error of a table of predictions (Guo et al. 2017, eq. 3).

    Faces are sorted into 15 bins of the probability of the predicted class; the distance between
    its mean and the accuracy of a bin is averaged over faces.
    """
    error = multiclass_calibration_error(
        torch.from_numpy(table[PROBABILITIES].to_numpy(copy=True)),
        torch.from_numpy(table["label"].to_numpy(dtype="int64", copy=True)),
        num_classes=len(PROBABILITIES),
        n_bins=_BINS,
        norm="l1",
    )
    return float(error)
