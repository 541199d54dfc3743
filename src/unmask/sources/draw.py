"""The validation split of a source that has none."""

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import TRAIN, VALIDATION
from unmask.core.randomness import uniform
from unmask.sources.params import Data


def drawn_split(row: NDArray[np.int64], data: Data) -> NDArray[np.uint8]:
    """Return the split uint8 [B] of training faces by their row [B].

    A face goes to validation with the probability `data.validation_fraction`, drawn from
    (data.seed, its row) alone: neither its neighbours nor the size of a block matter.
    """
    drawn = uniform(data.seed, row) < data.validation_fraction
    return np.where(drawn, VALIDATION, TRAIN).astype(np.uint8)
