"""All reconstructors side by side on the same faces."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import VALIDATION, rows_of
from unmask.core.mask import crop, stitch
from unmask.grid import save_grid

_FACES = 8


def save_sheet(
    path: Path,
    true: NDArray[np.uint8],
    stitched: Mapping[str, NDArray[np.uint8]],
    split: NDArray[np.uint8],
) -> None:
    """Write a PNG of validation faces: upper half, what each reconstructor makes of it, true face.

    true: uint8 [N,48,48]; stitched: the same by reconstructor; split: uint8 [N].
    """
    rows = rows_of(split, VALIDATION)
    rows = rows[np.linspace(0, len(rows) - 1, min(_FACES, len(rows))).astype(int)]
    upper = crop(true[rows])[0]
    columns = {
        "upper half": stitch(upper, np.full_like(upper, 128)),
        **{name: faces[rows] for name, faces in stitched.items()},
        "true face": true[rows],
    }
    save_grid(path, columns)
