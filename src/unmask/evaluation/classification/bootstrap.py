"""95 % intervals by the stratified bootstrap (Efron and Tibshirani 1993, sections 13.3 and 23.4).

The faces of each class are drawn anew, with replacement, from the faces of that class. A figure
that depends only on how many of them fare in which way (are predicted as which class, say) need not
see the faces: drawing n of n with replacement is a multinomial draw of those numbers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000

_SEED = 1  # the same figures whenever the same predictions are judged


def draws(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return `DRAWS` draws of `counts`, int [classes,ways], as int64 [DRAWS,classes,ways].

    counts: how many faces of each class fare in which way; each draw keeps the number of a class.
    """
    random = np.random.default_rng(_SEED)
    faces = counts.sum(axis=1)
    shares = counts / np.maximum(faces, 1)[:, np.newaxis]
    shares[faces == 0, 0] = 1  # no faces: they may as well fare in the first way
    return random.multinomial(faces, shares, size=(DRAWS, len(counts)))


def interval(values: NDArray[np.float64]) -> list[float]:
    """Return the middle 95 % of a figure's values, float [DRAWS], as [low, high]."""
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]
