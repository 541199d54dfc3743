"""Augmentation of whole batches: what happens to a face happens to all of its images alike.

The affine map is the one of `torchvision.transforms.v2.functional.affine`, which moves a whole
batch by one angle; here each face of a batch has its own.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from unmask.core.params.training import Training
from unmask.core.randomness import uniform

_FLIP, _ANGLE, _RIGHT, _DOWN = 1, 2, 3, 4  # keep the draws of one (seed, epoch, row) apart


def augment(
    tensors: list[Tensor], rows: NDArray[np.int64], seed: int, epoch: int, settings: Training
) -> list[Tensor]:
    """Mirror, rotate and shift each face of a batch as `settings` say.

    tensors: images, uint8 [B,1,H,W] each, which are the parts of one face from top to bottom; they
        are moved as one picture, so that a rotated face crosses the seam. Tensors of other shapes
        (labels) pass unchanged.
    rows: int64 [B]. What happens to a face is drawn from (seed, epoch, row) alone.
    """
    images = [tensor for tensor in tensors if tensor.ndim == 4]
    faces = torch.cat(images, dim=2)
    mirrored = torch.from_numpy(uniform(seed, epoch, rows, _FLIP) < settings.flip)
    faces = torch.where(mirrored.view(-1, 1, 1, 1), faces.flip(-1), faces)
    if settings.rotation or settings.shift:
        angle, right, down = (
            torch.from_numpy(most * (2 * uniform(seed, epoch, rows, draw) - 1)).float()
            for most, draw in (
                (settings.rotation, _ANGLE),
                (settings.shift, _RIGHT),
                (settings.shift, _DOWN),
            )
        )
        faces = move(faces, angle, right, down)
    parts = iter(faces.split([image.shape[2] for image in images], dim=2))
    return [next(parts) if tensor.ndim == 4 else tensor for tensor in tensors]


def move(faces: Tensor, angle: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Rotate each face clockwise by its `angle` (degrees) about its centre, then shift it (pixels).

    faces: uint8 [B,1,H,W]; angle, right, down: float [B]. Pixels from outside repeat the border.
    """
    height, width = faces.shape[2:]
    cosine, sine = torch.cos(angle * math.pi / 180), torch.sin(angle * math.pi / 180)
    # affine_grid wants the map from output to input, with the picture from -1 to 1 on each axis.
    stretch = torch.tensor([2 / width, 2 / height])
    back = torch.stack([cosine, sine, -sine, cosine], dim=1).view(-1, 2, 2)
    offset = -back @ torch.stack([right, down], dim=1).unsqueeze(2)
    inverse = torch.cat([back / stretch * stretch.view(2, 1), offset * stretch.view(2, 1)], dim=2)
    grid = functional.affine_grid(inverse, list(faces.shape), align_corners=False)
    moved = functional.grid_sample(
        faces.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return moved.round_().to(torch.uint8)
