"""Augmentation of whole batches: the face is moved once, and every view of it moves alike.

The affine map is the one of `torchvision.transforms.v2.functional.affine`, which moves a whole
batch by one angle; here each face of a batch has its own.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from unmask.models.batches import Batch
from unmask.params.training import Training
from unmask.randomness import uniform

IMAGES = ("face", "upper", "lower")
"""Names of images in a batch; a batch has the face, or halves of it from top to bottom."""

_FLIP, _ANGLE, _RIGHT, _DOWN = 1, 2, 3, 4  # keep the draws of one (seed, epoch, row) apart


def augment(
    batch: Batch, rows: NDArray[np.int64], seed: int, epoch: int, settings: Training
) -> Batch:
    """Mirror, rotate and shift each face of a batch as `settings` say.

    batch: the images are `face`, or `upper` and `lower`, or one half alone; uint8 [B,1,H,W] each.
        Two halves are moved as one face, so that a rotated face crosses the seam, and every view
        that a model takes of `face` afterwards is of the same moved face. What is no image (labels)
        passes unchanged.
    rows: int64 [B]. What happens to a face is drawn from (seed, epoch, row) alone.
    """
    names = [name for name in IMAGES if name in batch]
    if "face" in names and len(names) > 1:
        raise ValueError(f"a batch of {', '.join(names)}: take the halves of a face as views of it")
    if not (settings.augments and names):
        return batch
    faces = torch.cat([batch[name] for name in names], dim=2)
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
    parts = faces.split([batch[name].shape[2] for name in names], dim=2)
    return {**batch, **dict(zip(names, parts, strict=True))}


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
