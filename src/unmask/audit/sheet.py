"""Near-duplicates to look at."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.audit.copies import Pair
from unmask.grid import save_grid

_COLUMNS, _ROWS = 4, 8


def save_pairs(path: Path, images: NDArray[np.uint8], pairs: Sequence[Pair]) -> None:
    """Write a PNG of the pairs that are least alike, since doubt begins with them.

    images: uint8 [N,48,48]. Each column is headed by the likeness at its top and at its foot.
    """
    doubtful = sorted(pairs, key=lambda pair: pair.likeness)[: _COLUMNS * _ROWS]
    columns = {}
    for start in range(0, len(doubtful), _ROWS):
        part = doubtful[start : start + _ROWS]
        title = f"{start + 1}: {part[0].likeness:.3f} to {part[-1].likeness:.3f}"
        first, second = [pair.first for pair in part], [pair.second for pair in part]
        columns[title] = np.concatenate([images[first], images[second]], axis=2)
    save_grid(path, columns)
