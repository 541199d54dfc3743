"""The picture grid of a reconstructor in training."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from unmask.core.compute.batches import to_pixels
from unmask.core.compute.inference import outputs
from unmask.core.mask import stitch
from unmask.grid import save_grid

_FACES = 8
_EVERY = 5


class Pictures:
    """Draws the same validation faces after the first epoch and after every fifth.

    Columns: the upper half, the true face, the generated lower half, the stitched face.
    """

    def __init__(
        self,
        folder: Path,
        model: nn.Module,
        upper: NDArray[np.uint8],
        lower: NDArray[np.uint8],
        rows: NDArray[np.int64],
    ) -> None:
        self._folder, self._model, self._upper = folder, model, upper
        self._rows = rows[np.linspace(0, len(rows) - 1, min(_FACES, len(rows))).astype(int)]
        self._true = stitch(upper[self._rows], lower[self._rows])

    def __call__(self, epoch: int) -> None:
        """Draw the grid of `epoch`, counted from 0, if it is one of those to be drawn."""
        if epoch and (epoch + 1) % _EVERY:
            return
        upper = self._upper[self._rows]
        generated = np.concatenate(
            [to_pixels(lower) for _, lower in outputs(self._model, self._upper, self._rows)]
        )
        blank = np.full_like(upper, 128)
        save_grid(
            self._folder / f"epoch_{epoch + 1:03}.png",
            {
                "upper": stitch(upper, blank),
                "true": self._true,
                "generated": stitch(blank, generated),
                "stitched": stitch(upper, generated),
            },
        )
