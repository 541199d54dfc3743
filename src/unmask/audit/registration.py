"""Laying one face over another: how alike are they where they match best?"""

from collections.abc import Sequence

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
    pixels = faces.float().unsqueeze(1)
    detail = _blur(pixels, _FINE) - _blur(pixels, _COARSE)
    contrast = _blur(detail.square(), _COARSE).sqrt()
    return (detail / (contrast + _FLAT)).squeeze(1)


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
        mean, square = _window_means(enlarged, side), _window_means(enlarged.square(), side)
        spread = ((square - mean.square()) * side**2).clamp_min(_SMALL).sqrt()
        best = torch.maximum(best, (together / (spread * length)).flatten(1).amax(dim=1))
    return best


_SMALL = 1e-6


def _window_means(faces: Tensor, side: int) -> Tensor:
    """Return the means of all square windows, by columns first: pooling at once takes longer."""
    columns = functional.avg_pool2d(faces, (side, 1), stride=1)
    return functional.avg_pool2d(columns, (1, side), stride=1)


def _resize(faces: Tensor, size: int) -> Tensor:
    if size == faces.shape[1]:
        return faces
    resized = functional.interpolate(
        faces.unsqueeze(1), size=(size, size), mode="bilinear", antialias=True
    )
    return resized.squeeze(1)


def _blur(pixels: Tensor, deviation: float) -> Tensor:
    """Convolve [B,1,H,W] with a Gaussian; the border repeats."""
    reach = int(3 * deviation + 0.5)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
    kernel = kernel / kernel.sum()
    padded = functional.pad(pixels, (reach, reach, reach, reach), mode="replicate")
    rows = functional.conv2d(padded, kernel.view(1, 1, 1, -1))
    return functional.conv2d(rows, kernel.view(1, 1, -1, 1))
