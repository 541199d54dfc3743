"""Laying one face over another: how alike are they where they match best?"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

SCALES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
"""By which the second face is enlarged before the first is laid over it."""

_FINE, _COARSE = 0.7, 6.0  # pixels; details and light outside of these two play no part
_FLAT = 2.0  # grey levels of deviation that count as flat: noise there must not be blown up
MARGIN = 6
"""Pixels by which two faces may be shifted against each other."""


def flatten_light(faces: Tensor) -> Tensor:
    """Return faces, [B,48,48], with local mean and contrast taken out, as float.

    What is left is the drawing of a face without its light: two people lit alike from one side
    are as alike as copies otherwise.
    """
    pixels = faces.float()
    fine, coarse = (_gaussian(faces.shape[1], deviation) for deviation in (_FINE, _COARSE))
    detail = _both_ways(fine, pixels) - _both_ways(coarse, pixels)
    contrast = _both_ways(coarse, detail.square()).sqrt()
    return detail / (contrast + _FLAT)


def likeness(
    first: Tensor, second: Tensor, margin: int = MARGIN, scales: Sequence[float] = SCALES
) -> Tensor:
    """Return the normalised cross-correlation of pairs of faces where they match best.

    first, second: float [P,H,H], as `flatten_light` gives them. The middle of `first`, all but
    `margin` pixels on each side, is laid over `second` at every shift and in each of `scales`;
    returns the best, float [P] in [-1,1] (Lewis 1995, "Fast normalized cross-correlation").
    """
    size = first.shape[1]
    middle = first[:, margin : size - margin, margin : size - margin]
    side = middle.shape[1]
    middle = middle - middle.mean(dim=(1, 2), keepdim=True)
    length = middle.flatten(1).norm(dim=1).clamp_min(_SMALL).view(-1, 1, 1)
    best = torch.full((len(first),), -1.0)
    for scale in scales:
        enlarged = _resize(second, round(scale * size))
        together = functional.conv2d(enlarged[None], middle[:, None], groups=len(middle))[0]
        windows = _windows(enlarged.shape[1], side)
        mean, square = _both_ways(windows, enlarged), _both_ways(windows, enlarged.square())
        spread = ((square - mean.square()) * side**2).clamp_min(_SMALL).sqrt()
        best = torch.maximum(best, (together / (spread * length)).flatten(1).amax(dim=1))
    return best


_SMALL = 1e-6


def _resize(faces: Tensor, size: int) -> Tensor:
    if size == faces.shape[1]:
        return faces
    resized = functional.interpolate(
        faces.unsqueeze(1), size=(size, size), mode="bilinear", antialias=True
    )
    return resized.squeeze(1)


def _both_ways(matrix: Tensor, faces: Tensor) -> Tensor:
    """Apply `matrix`, [R,H], to columns and rows of [B,H,H]: many times as fast as convolution."""
    return matrix @ faces @ matrix.T


@cache
def _gaussian(size: int, deviation: float) -> Tensor:
    """Return what convolves `size` values with a Gaussian; the border repeats."""
    reach = int(3 * deviation + 0.5)
    offsets = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-(offsets**2) / (2 * deviation**2))
    taken = (torch.arange(size).unsqueeze(1) + offsets).clamp(0, size - 1)
    return torch.zeros(size, size).scatter_add_(1, taken, (kernel / kernel.sum()).expand(size, -1))


@cache
def _windows(size: int, side: int) -> Tensor:
    """Return what takes the means of all windows of `side` among `size` values."""
    start = torch.arange(size - side + 1).unsqueeze(1)
    within = torch.arange(size) - start
    return ((within >= 0) & (within < side)).float() / side
