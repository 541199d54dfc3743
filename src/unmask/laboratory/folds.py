"""Reconstructors trained on faces that they should not see, or on fewer faces."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import TRAIN, rows_of
from unmask.core.mask import crop
from unmask.core.randomness import uniform
from unmask.models.batches import to_pixels
from unmask.models.device import make_deterministic
from unmask.models.folder import load_model
from unmask.models.inference import outputs

Rows = NDArray[np.int64]

_FOLD = 1  # keeps the draw apart from that of the validation split, by the same seed and rows


def parts(
    learned: str,
    folds: int,
    split: NDArray[np.uint8],
    keep: NDArray[np.bool_],
    groups: NDArray[np.int64],
    seed: int,
) -> list[tuple[Rows, Rows]]:
    """Return, for each reconstructor to train, the faces it learns from and those it generates for.

    learned: `folds` or `all`, see `Experiment.reconstructor`; folds: their number;
    groups: int64 [N], the group of copies that each face belongs to. A face's fold is drawn from
    (seed, its group) alone, so that no copy of it is learned from where it is generated.
    """
    if learned == "all":
        judged = np.flatnonzero(split != TRAIN)
        return [(np.union1d(rows_of(split, TRAIN, keep), judged), np.arange(len(split)))]
    train = rows_of(split, TRAIN, keep)
    fold = (folds * uniform(seed, _FOLD, groups[train])).astype(int)
    return [(train[fold != number], train[fold == number]) for number in range(folds)]


def fill(stitched: NDArray[np.uint8], folder: Path, rows: Rows) -> None:
    """Replace the lower halves of `rows` in `stitched`, uint8 [N,48,48], with generated ones.

    folder: the reconstructor's.
    """
    make_deterministic()
    model = load_model(folder)
    upper, lower = crop(stitched)
    for batch, generated in outputs(model, upper, rows, "lower halves"):
        lower[batch] = to_pixels(generated)
