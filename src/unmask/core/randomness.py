"""Random numbers that depend on what they are for and on nothing else.

A number is a function of its key, for instance (seed, epoch, row): the order of calls, the batch
size and interruptions do not change it.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)


def uniform(*key: ArrayLike) -> NDArray[np.float64]:
    """Return uniform numbers in [0,1), one for each element of the broadcast integer keys.

    The key is hashed by SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014, figure 16).
    """
    return (_hash(*key) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def seed_for(*key: int) -> int:
    """Return a seed in [0, 2**63) for a library's own generator."""
    return int(_hash(*key).item() >> 1)


def _hash(*key: ArrayLike) -> NDArray[np.uint64]:
    state = np.zeros(1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for part in key:
            state = _mix((state ^ np.asarray(part).astype(np.uint64)) + _STEP)
    return state


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
