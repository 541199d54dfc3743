"""How good generated lower halves are: as pictures, and to a reader of expressions."""

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torchmetrics import MeanAbsoluteError
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from unmask.core.compute.batches import Batches, to_unit
from unmask.core.faces import SPLITS, TEST, rows_of
from unmask.core.mask import crop
from unmask.core.progress import track
from unmask.evaluation.reconstruction.expression import expression

_BATCH_SIZE = 512

_MOST_PSNR_DB = 100.0
"""Stands for a perfect reconstruction: its PSNR is infinite, which JSON has not."""

Faces = NDArray[np.uint8]


def assess(
    classifier: nn.Module,
    true: Faces,
    stitched: Faces,
    split: NDArray[np.uint8],
    keep: NDArray[np.bool_],
) -> dict[str, dict[str, float]]:
    """Return the figures of `metrics/reconstruction/M.json`, for each split.

    true, stitched: uint8 [N,48,48]; split: uint8 [N]; keep: bool [N], which faces of training and
    validation count. `classifier` reads whole faces.
    """
    figures = {}
    for number, name in enumerate(SPLITS):
        rows = rows_of(split, number, None if number == TEST else keep)
        figures[name] = {
            **image_quality(true, stitched, rows),
            **expression(classifier, true, stitched, rows),
        }
    return figures


def image_quality(true: Faces, stitched: Faces, rows: NDArray[np.int64]) -> dict[str, float]:
    """Return figures of the generated halves alone; the pasted upper halves would flatter them.

    `psnr_db` is of the mean squared error over all faces, `ssim` (Wang et al. 2004, Gaussian
    kernel of 11 pixels) the mean over faces, `l1` the mean absolute error; pixels run from 0 to 1.
    """
    scores = {
        "psnr_db": PeakSignalNoiseRatio(data_range=1.0),
        "ssim": StructuralSimilarityIndexMeasure(data_range=1.0),
        "l1": MeanAbsoluteError(),
    }
    lower_halves = [crop(stitched)[1], crop(true)[1]]
    batches = Batches(lower_halves, rows, _BATCH_SIZE).in_order()
    for _, pair in track(batches, -(-len(rows) // _BATCH_SIZE), "image quality"):
        generated, target = map(to_unit, pair)
        for score in scores.values():
            score.update(generated, target)
    figures = {name: float(score.compute()) for name, score in scores.items()}
    return figures | {"psnr_db": min(figures["psnr_db"], _MOST_PSNR_DB)}
