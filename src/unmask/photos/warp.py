"""Cutting turned and scaled squares out of a picture, without aliasing."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Matrix = NDArray[np.float64]
"""[2,3]: maps (x, y, 1) of one picture to (x, y) of another, in pixels; (0, 0) is the corner."""

_OVERSAMPLING = 2


def similarity(scale: float, angle: float, start: Any, end: Any) -> Matrix:
    """Return the map that scales, turns by `angle` (radians) and takes the point start to end."""
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    shift = np.asarray(end) - turn @ np.asarray(start)
    return np.column_stack([turn, shift])


def apply(matrix: Matrix, points: NDArray[Any]) -> NDArray[np.float64]:
    """Map points [N,2]."""
    mapped: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return mapped


def cut(
    image: Image.Image, to_source: Matrix, size: int,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
) -> NDArray[np.uint8]:  # fmt: skip
    """Return the square of `size` pixels that `to_source` maps into `image`; black outside of it.

    Each pixel is the mean of what it covers in the source, as a camera's would be: the square is
    sampled at the resolution of the source, and then averaged.

    Returns uint8 [size,size], or [size,size,3] of a picture in colour.
    """
    scale = float(np.hypot(*to_source[:, 0]))  # pixels of the source in one of ours
    image, to_source, scale = _shrunk(image, to_source, scale, size)
    times = max(1, math.ceil(scale))
    fine = to_source.copy()
    fine[:, :2] /= times
    sampled = image.transform(
        (times * size, times * size), Image.Transform.AFFINE,
        tuple(fine.reshape(-1)), resample=resample,
    )  # fmt: skip
    return np.asarray(sampled.reduce(times) if times > 1 else sampled)


def _shrunk(
    image: Image.Image, to_source: Matrix, scale: float, size: int
) -> tuple[Image.Image, Matrix, float]:
    """Average blocks of a large picture first: its own resolution is not needed."""
    factor = int(scale // _OVERSAMPLING)
    if factor < 2:
        return image, to_source, scale
    corners = apply(to_source, np.array([[0, 0], [size, 0], [0, size], [size, size]]))
    # At least one pixel, even if the square is beside the picture: it may be too large to sample.
    low = np.clip(np.floor(corners.min(axis=0)) - factor, 0, np.array(image.size) - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + factor, low + 1, image.size).astype(int)
    part = image.reduce(factor, (*low.tolist(), *high.tolist()))
    moved = to_source.copy()
    moved[:, 2] -= low
    return part, moved / factor, scale / factor
