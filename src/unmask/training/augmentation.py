"""Augmentation of whole batches, the same for every image of a face."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.randomness import uniform

_FLIP = 1  # keeps this draw apart from others with the same (seed, epoch, row)


def augment(
    tensors: list[Tensor], rows: NDArray[np.int64], seed: int, epoch: int, flip: float
) -> list[Tensor]:
    """Mirror each face with probability `flip`, in all of its images [B,1,H,W] alike.

    Tensors of other shapes (labels) pass unchanged. What happens to a face is drawn from
    (seed, epoch, row) alone.
    """
    mirrored = torch.from_numpy(uniform(seed, epoch, rows, _FLIP) < flip).view(-1, 1, 1, 1)
    return [
        torch.where(mirrored, tensor.flip(-1), tensor) if tensor.ndim == 4 else tensor
        for tensor in tensors
    ]
