"""Batches of arrays, gathered at once.

A data set is a few memory-mapped arrays and the rows to be used; a batch is one index operation.
There are no worker processes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.core.compute.team import SOLO, Team
from unmask.core.randomness import seed_for

Batch = tuple[NDArray[np.int64], list[Tensor]]


class Batches:
    """The given rows of arrays that run in parallel, in batches.

    A batch is (rows, tensors): int64 [B], and one tensor [B,...] for each array. Images, uint8
    [N,H,W], arrive as uint8 [B,1,H,W]; `to_unit` makes them float when they are on the device. Of
    a batch that a team shares, it is the part of this process.
    """

    def __init__(
        self, arrays: Sequence[NDArray[Any]], rows: NDArray[np.int64], batch_size: int
    ) -> None:
        self.arrays, self.rows, self.batch_size = arrays, rows, batch_size

    def in_order(self, team: Team = SOLO) -> Iterator[Batch]:
        """Yield all rows once, in their order."""
        return self._batches(self.rows, team)

    def shuffled(self, seed: int, epoch: int, team: Team = SOLO) -> Iterator[Batch]:
        """Yield all rows once, in an order drawn from (seed, epoch)."""
        order = np.random.default_rng(seed_for(seed, epoch)).permutation(len(self.rows))
        return self._batches(self.rows[order], team)

    def _batches(self, rows: NDArray[np.int64], team: Team) -> Iterator[Batch]:
        for start in range(0, len(rows), self.batch_size):
            part = team.part(rows[start : start + self.batch_size])
            yield part, [_gather(array, part) for array in self.arrays]

    def __len__(self) -> int:
        return len(self.rows)


def _gather(array: NDArray[Any], rows: NDArray[np.int64]) -> Tensor:
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
