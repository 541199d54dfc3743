"""Batches of arrays, gathered at once.

A data set is a few memory-mapped arrays and the rows to be used; a batch is one index operation for
each array. There are no worker processes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.randomness import seed_for

Rows = NDArray[np.int64]
Batch = dict[str, Tensor]
"""Tensors by name: `face`, or `upper` and `lower`; `label`, `soft_label`; see `Batches`."""


class Batches:
    """The given rows of arrays that run in parallel, in batches.

    arrays: by name, [N,...] each. Images, uint8 [N,H,W], arrive as uint8 [B,1,H,W]; `to_unit` makes
        them float when they are on the device.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], rows: Rows, batch_size: int) -> None:
        self.arrays, self.rows, self.batch_size = dict(arrays), rows, batch_size

    def in_order(self, part: Callable[[Rows], Rows] = lambda rows: rows) -> Iterator["Item"]:
        """Yield all rows once, in their order, as (rows, batch).

        part: returns what this process takes of the rows of a batch.
        """
        return self._batches(self.rows, part)

    def shuffled(
        self, seed: int, epoch: int, part: Callable[[Rows], Rows] = lambda rows: rows
    ) -> Iterator["Item"]:
        """Yield all rows once, in an order drawn from (seed, epoch); otherwise like `in_order`."""
        order = np.random.default_rng(seed_for(seed, epoch)).permutation(len(self.rows))
        return self._batches(self.rows[order], part)

    def _batches(self, rows: Rows, part: Callable[[Rows], Rows]) -> Iterator["Item"]:
        for start in range(0, len(rows), self.batch_size):
            mine = part(rows[start : start + self.batch_size])
            yield mine, {name: _gather(array, mine) for name, array in self.arrays.items()}

    def __len__(self) -> int:
        return len(self.rows)


Item = tuple[Rows, Batch]


def _gather(array: NDArray[Any], rows: Rows) -> Tensor:
    values = torch.from_numpy(array[rows])
    return values.unsqueeze(1) if values.ndim == 3 else values


def to_unit(images: Tensor) -> Tensor:
    """Map uint8 pixels to float32 in [0,1]; what is float already, such as features, to float32."""
    values = images.to(torch.float32)
    return values.div_(255) if images.dtype == torch.uint8 else values


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Map float [B,1,H,W] in [0,1] to uint8 [B,H,W], rounded to the nearest."""
    pixels = images.detach().float().mul(255).round_().clamp_(0, 255)
    array: NDArray[np.uint8] = pixels.to(torch.uint8).squeeze(1).cpu().numpy()
    return array
