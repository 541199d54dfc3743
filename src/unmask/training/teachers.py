"""What the stage `teach` leaves of a reader for those that learn from it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.core.files import open_array
from unmask.models.readers import model_folders

TEACHERS = Path("models/teachers")
"""Where it is: in each reader's folder, these three."""

SEEDS, FOLDS, FOLD_FILE = "seeds", "folds", "fold.npy"


class CrossFitted(NamedTuple):
    """Teachers that each leave out a fold of the training faces.

    teachers: their model folders, in the order of the folds; fold: uint8 [N], which of them has not
    seen a face, `cross_fitting.NO_FOLD` for faces that none has seen.
    """

    teachers: list[Path]
    fold: NDArray[np.uint8]


def cross_fitted(name: str) -> CrossFitted:
    """Return the teachers of the reader `name`, which has `folds`."""
    folder = TEACHERS / name
    return CrossFitted(model_folders(folder / FOLDS), open_array(folder / FOLD_FILE))
