"""Augmentation of whole batches: the face is altered once, and every view of it is alike.

What happens to a face is drawn on the processor, for all faces of an epoch at once; it is done to
them on the device, by batches. The affine map is the one of
`torchvision.transforms.v2.functional.affine`, which moves a whole batch by one angle; here each
face of a batch has its own.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from unmask.core.faces import CLASSES
from unmask.core.randomness import uniform
from unmask.models.batches import Batch
from unmask.params.models import Training

IMAGES = ("face", "upper", "lower")
"""Names of images in a batch; a batch has the face, or halves of it from top to bottom."""

# These keep the draws of one (seed, epoch, row) apart.
_FLIP, _ANGLE, _RIGHT, _DOWN, _SCALE, _BRIGHTNESS, _CONTRAST = range(1, 8)
_ERASED, _AREA, _ASPECT, _TOP, _LEFT, _GREY, _SHARE, _PARTNER = range(8, 16)

# Of erased rectangles (Zhong et al. 2020, section 4.2): shares of the face, and height by width.
_SMALLEST, _LARGEST, _FLATTEST = 0.02, 0.4, 0.3

Column = NDArray[Any]
Uniform = Callable[[int], Column]


def augment(
    batch: Batch, rows: NDArray[np.int64], seed: int, epoch: int, settings: Training
) -> Batch:
    """Alter each face of a batch as `settings` say, all but `mixup`.

    rows: int64 [B]. What happens to a face is drawn from (seed, epoch, row) alone. The rest is as
    `alter` says.
    """
    return alter(batch, draw(rows, seed, epoch, settings), settings)


def partners(rows: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the position among `rows`, int64 [N], of the face that each is mixed with."""
    return (len(rows) * uniform(seed, epoch, rows, _PARTNER)).astype(np.int64)


def draw(rows: NDArray[np.int64], seed: int, epoch: int, settings: Training) -> Tensor:
    """Return what is to happen to each of these rows in this epoch, for `alter` and `mix`.

    rows: int64 [...]. Returns float32 [...,D] on the CPU, where D depends on `settings`.
    """

    def drawn(key: int) -> NDArray[np.float64]:
        return uniform(seed, epoch, rows, key)

    columns = [column(drawn).astype(np.float32) for column in _columns(settings).values()]
    if not columns:
        return torch.empty(*rows.shape, 0)
    return torch.from_numpy(np.stack(columns, axis=-1))


def alter(batch: Batch, draws: Tensor, settings: Training) -> Batch:
    """Do to each face what `draw` drew for it by the same `settings`.

    batch: the images are `face`, or `upper` and `lower`, or one half alone; uint8 [B,1,H,W] each.
        Two halves are altered as one face, so that a rotated face crosses the seam, and every view
        that a model takes of `face` afterwards is of the same altered face. What is no image
        (labels) passes unchanged.
    draws: float32 [B,D], on the device of the batch.
    """
    names = [name for name in IMAGES if name in batch]
    if "face" in names and len(names) > 1:
        raise ValueError(f"a batch of {', '.join(names)}: take the halves of a face as views of it")
    if not (settings.augments and names):
        return batch
    faces = torch.cat([batch[name] for name in names], dim=2)
    drawn = _named(draws, settings)
    if settings.flip:
        mirrored = drawn["mirrored"] > 0
        faces = torch.where(mirrored.view(-1, 1, 1, 1), faces.flip(-1), faces)
    if settings.moves:
        faces = move(faces, drawn["angle"], drawn["right"], drawn["down"], drawn.get("size"))
    if settings.tones:
        faces = tone(faces, drawn["brightness"], drawn["contrast"])
    if settings.erasing:
        faces = erase(faces, *(drawn[name] for name in ("area", "aspect", "top", "left", "grey")))
    parts = faces.split([batch[name].shape[2] for name in names], dim=2)
    return {**batch, **dict(zip(names, parts, strict=True))}


def mix(batch: Batch, draws: Tensor, settings: Training) -> Batch:
    """Mix the first half of the faces with the second, and their labels likewise.

    batch: as for `alter`, of 2B faces, with `label`, uint8 [2B], or `soft_label`, float [2B,7].
    draws: float32 [2B,D].
    Returns B faces, with `soft_label`; `label` is that of the face with the larger share, and all
    that is no image is taken from the first face.
    """
    classes = torch.arange(len(CLASSES), device=draws.device)
    hard = (batch["label"].unsqueeze(1) == classes).float()
    known = batch | {"soft_label": batch.get("soft_label", hard)}
    share = _named(draws, settings)["share"].chunk(2)[0]
    mixed = {}
    for name, values in known.items():
        first, second = values.chunk(2)
        mixed[name] = first
        if name in (*IMAGES, "soft_label"):
            weight = share.view(-1, *[1] * (values.ndim - 1))
            both = weight * first.float() + (1 - weight) * second.float()
            mixed[name] = both.round().to(values.dtype) if name in IMAGES else both
    one, other = batch["label"].chunk(2)
    mixed["label"] = torch.where(share < 0.5, other, one)
    return mixed


def move(
    faces: Tensor, angle: Tensor, right: Tensor, down: Tensor, size: Tensor | None = None
) -> Tensor:
    """Enlarge each face `size` times, rotate it clockwise about its centre, then shift it.

    faces: uint8 [B,1,H,W]; angle (degrees), right, down (pixels), size: float [B]. Pixels from
    outside repeat the border.
    """
    cosine, sine = torch.cos(angle * math.pi / 180), torch.sin(angle * math.pi / 180)
    # affine_grid wants the map from output to input, with the picture from -1 to 1 on each axis.
    # What it takes is filled in on the device, or a CUDA graph could not capture it.
    sides = (torch.full_like(angle[:1], 2 / pixels) for pixels in reversed(faces.shape[2:]))
    stretch = torch.cat(list(sides))
    back = torch.stack([cosine, sine, -sine, cosine], dim=1).view(-1, 2, 2)
    if size is not None:
        back = back / size.view(-1, 1, 1)
    offset = -back @ torch.stack([right, down], dim=1).unsqueeze(2)
    inverse = torch.cat([back / stretch * stretch.view(2, 1), offset * stretch.view(2, 1)], dim=2)
    grid = functional.affine_grid(inverse, list(faces.shape), align_corners=False)
    moved = functional.grid_sample(
        faces.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return moved.round_().to(torch.uint8)


def tone(faces: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Multiply each face by its `brightness`, and its distance from its mean by its `contrast`.

    faces: uint8 [B,1,H,W]; brightness, contrast: float [B].
    """
    values = (faces * brightness.view(-1, 1, 1, 1)).clamp_(0, 255)
    mean = values.mean(dim=(1, 2, 3), keepdim=True)
    values = mean + contrast.view(-1, 1, 1, 1) * (values - mean)
    return values.round_().clamp_(0, 255).to(torch.uint8)


def erase(
    faces: Tensor, area: Tensor, aspect: Tensor, top: Tensor, left: Tensor, grey: Tensor
) -> Tensor:
    """Fill a rectangle of each face with one grey value.

    faces: uint8 [B,1,H,W]; area: its share of the face, 0 for none; aspect: height by width, until
    it would not fit; top, left: its place, from 0 to 1; grey: from 0 to 255; float [B] each.
    """
    height, width = faces.shape[2:]
    pixels = area * (height * width)
    inside = []
    for side, length, place in (
        (height, (pixels * aspect).sqrt(), top),
        (width, (pixels / aspect).sqrt(), left),
    ):
        extent = length.round().clamp(max=side)
        start = (place * (side - extent + 1)).floor()
        index = torch.arange(side, device=faces.device)
        inside.append((index >= start.unsqueeze(1)) & (index < (start + extent).unsqueeze(1)))
    erased = inside[0].view(-1, 1, height, 1) & inside[1].view(-1, 1, 1, width)
    return torch.where(erased, grey.to(torch.uint8).view(-1, 1, 1, 1), faces)


def _columns(settings: Training) -> dict[str, Callable[[Uniform], Column]]:
    """Return by name what is drawn for a face, each as a function of its uniform numbers by key."""

    def within(most: float, key: int, middle: float = 0.0) -> Callable[[Uniform], Column]:
        return lambda drawn: middle + most * (2 * drawn(key) - 1)

    columns: dict[str, Callable[[Uniform], Column]] = {}
    if settings.flip:
        columns["mirrored"] = lambda drawn: drawn(_FLIP) < settings.flip
    if settings.moves:
        columns["angle"] = within(settings.rotation, _ANGLE)
        columns["right"] = within(settings.shift, _RIGHT)
        columns["down"] = within(settings.shift, _DOWN)
    if settings.scale:
        columns["size"] = within(settings.scale, _SCALE, 1.0)
    if settings.tones:
        columns["brightness"] = within(settings.brightness, _BRIGHTNESS, 1.0)
        columns["contrast"] = within(settings.contrast, _CONTRAST, 1.0)
    if settings.erasing:
        columns["area"] = lambda drawn: (
            (drawn(_ERASED) < settings.erasing)
            * (_SMALLEST + (_LARGEST - _SMALLEST) * drawn(_AREA))
        )
        columns["aspect"] = lambda drawn: _FLATTEST ** (2 * drawn(_ASPECT) - 1)
        columns["top"], columns["left"] = lambda drawn: drawn(_TOP), lambda drawn: drawn(_LEFT)
        columns["grey"] = lambda drawn: np.round(255 * drawn(_GREY))
    if settings.mixup:
        columns["share"] = lambda drawn: _beta(settings.mixup, drawn(_SHARE))
    return columns


def _beta(parameter: float, drawn: Column) -> Column:
    """Return numbers with a symmetric beta distribution, made of uniform ones."""
    from scipy.special import betaincinv  # tenths of a second to import, so only for mixup

    values: Column = betaincinv(parameter, parameter, drawn)
    return values


def _named(draws: Tensor, settings: Training) -> dict[str, Tensor]:
    return dict(zip(_columns(settings), draws.t().contiguous(), strict=True))
