"""Near-duplicates: the same picture shifted, rescaled, re-encoded or changed in contrast."""

import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from unmask.audit.components import components
from unmask.core.progress import track

SCALES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
"""Factors by which the second face is enlarged before the first is laid over it."""

MARGIN = 6
"""Pixels by which two faces may be shifted against each other."""

_NEIGHBOURS = 5
"""Candidates per face. Of 1,500 altered copies hidden among 6,000 faces of FER2013, all but two had
their original among the five with the nearest descriptors."""

_MIN_COSINE = 0.75

_HALF_SIZE_SCALES = (0.9, 1.0, 1.1)
_TOLERANCE = 0.2
"""How much less similar copies may be at half the size, at these scales and one way round. Among
the five nearest of each face of FER2013, it kept 7,275 pairs of the 7,279 that all scales, both
ways round, found."""

_CELL, _BINS = 8, 8
_LENGTH = (48 // _CELL) ** 2 * _BINS  # of a descriptor

_ROWS, _BATCH = 1024, 256  # descriptors, and pairs of faces, compared at a time

_FINE, _COARSE = 0.7, 6.0  # pixels; finer details and coarser light are ignored
_FLAT = 2.0  # grey levels; areas of less contrast count as flat, so as not to amplify their noise
_SMALL = 1e-6


def near_duplicates(images: NDArray[np.uint8], minimum: float) -> list[tuple[int, int, float]]:
    """Return the pairs of faces, uint8 [N,48,48], with a similarity of `minimum` or more.

    Candidates are found by descriptors and then laid over one another, first at half the size to
    rule out most of them. Not every pair within a group of copies is among those returned, but
    enough to join it. Time grows with the square of N.
    """
    if not len(images):
        return []
    descriptors = torch.empty(len(images), _LENGTH)
    halved = torch.empty(len(images), *(side // 2 for side in images.shape[1:]))
    for rows in _batches(len(images), "descriptors"):
        faces = torch.from_numpy(images[rows])
        descriptors[rows] = describe(faces)
        halved[rows] = functional.avg_pool2d(flatten_light(faces), 2)

    found = list[tuple[int, int, float]]()
    asked = group = torch.arange(len(images))
    size = torch.ones_like(group)
    # Copies of one picture can take all places among each other's nearest, and so hide a copy in
    # another split. A face whose group has grown therefore looks again, beyond its group.
    while len(asked):
        candidates = neighbours(descriptors, group, asked, _NEIGHBOURS, _MIN_COSINE)
        found += _similar(images, halved, *candidates, minimum)
        group = torch.from_numpy(components([(i, j) for i, j, _ in found], len(images)))
        before, size = size, group.bincount()[group]
        asked = torch.nonzero(size > before)[:, 0]
    return sorted(found)


def _similar(
    images: NDArray[np.uint8], halved: Tensor, first: Tensor, second: Tensor, minimum: float
) -> list[tuple[int, int, float]]:
    """Return which of the candidates, the pairs of `first` and `second`, are near-duplicates."""
    scores = torch.empty(len(first))
    for rows in _batches(len(first), "candidates"):
        small = halved[first[rows]], halved[second[rows]]
        scores[rows] = similarity(*small, MARGIN // 2, _HALF_SIZE_SCALES)
    near = scores >= minimum - _TOLERANCE
    first, second = first[near], second[near]

    scores = torch.empty(len(first))
    for rows in _batches(len(first), "near-duplicates"):
        one, two = (flatten_light(torch.from_numpy(images[i[rows]])) for i in (first, second))
        scores[rows] = torch.maximum(similarity(one, two), similarity(two, one))
    near = scores >= minimum
    return list(
        zip(first[near].tolist(), second[near].tolist(), scores[near].tolist(), strict=True)
    )


def describe(faces: Tensor) -> Tensor:
    """Return centred histograms of oriented gradients (Dalal and Triggs 2005) of unit length.

    faces: uint8 or float [B,48,48]; returns float [B,288], whose dot products are cosines. Each of
    the 6x6 cells collects the gradients within 16x16 pixels by direction, so that a shift of a few
    pixels moves little from one cell to another; centring and unit length remove the contrast.
    """
    pixels = faces.float().unsqueeze(1)
    across = functional.pad(pixels[..., 2:] - pixels[..., :-2], (1, 1))
    down = functional.pad(pixels[..., 2:, :] - pixels[..., :-2, :], (0, 0, 1, 1))
    strength = torch.hypot(across, down)
    direction = torch.atan2(down, across) * (_BINS / (2 * math.pi))
    lower = direction.floor()
    upper_weight = direction - lower
    histograms = pixels.new_zeros(len(pixels), _BINS, *pixels.shape[2:])
    histograms.scatter_add_(1, lower.long() % _BINS, strength * (1 - upper_weight))
    histograms.scatter_add_(1, (lower.long() + 1) % _BINS, strength * upper_weight)
    cells = functional.avg_pool2d(histograms, 2 * _CELL, _CELL, padding=_CELL // 2)
    descriptors = cells.flatten(1).sqrt()
    descriptors = descriptors - descriptors.mean(dim=1, keepdim=True)
    return functional.normalize(descriptors, dim=1)


def neighbours(
    descriptors: Tensor, group: Tensor, asked: Tensor, count: int, minimum: float
) -> tuple[Tensor, Tensor]:
    """Return the pairs (i, j), i < j: faces asked about and their `count` nearest of other groups.

    descriptors: float [N,D] of unit length; pairs with a cosine under `minimum` are left out.
    group: int64 [N]; asked: indices, int64 [A], each compared with every descriptor: A N D
    multiplications, a few seconds for 36,000 faces that are all asked about.
    """
    pairs = []
    parts = asked.split(_ROWS)
    for part in track(parts, len(parts), "nearest descriptors"):
        cosines = descriptors[part] @ descriptors.T
        cosines.masked_fill_(group[part].unsqueeze(1) == group, -1)
        nearest, index = cosines.topk(min(count, len(descriptors)), dim=1)
        row = part.unsqueeze(1).expand_as(index)
        near = nearest >= minimum
        pairs.append(torch.stack([row[near], index[near]]))
    found = torch.cat(pairs, dim=1).sort(dim=0).values.unique(dim=1)
    return found[0], found[1]


def flatten_light(faces: Tensor) -> Tensor:
    """Return faces, [B,48,48], without their local mean and contrast, as float.

    What is left is the drawing of a face without its light; otherwise two people lit from the same
    side would be as similar as copies.
    """
    pixels = faces.float()
    fine, coarse = (_gaussian(faces.shape[1], deviation) for deviation in (_FINE, _COARSE))
    detail = _both_ways(fine, pixels) - _both_ways(coarse, pixels)
    contrast = _both_ways(coarse, detail.square()).sqrt()
    return detail / (contrast + _FLAT)


def similarity(
    first: Tensor, second: Tensor, margin: int = MARGIN, scales: Sequence[float] = SCALES
) -> Tensor:
    """Return the normalised cross-correlation of pairs of faces where they match best.

    first, second: float [P,H,H], as `flatten_light` gives them. The middle of `first`, all but
    `margin` pixels on each side, is laid over `second` at every shift and in each of `scales`;
    returns the best match, float [P] in [-1,1] (Lewis 1995, "Fast normalized cross-correlation").
    """
    size = first.shape[1]
    middle = first[:, margin : size - margin, margin : size - margin]
    side = middle.shape[1]
    middle = middle - middle.mean(dim=(1, 2), keepdim=True)
    length = middle.flatten(1).norm(dim=1).clamp_min(_SMALL).view(-1, 1, 1)
    best = torch.full((len(first),), -1.0)
    for scale in scales:
        enlarged = _resize(second, round(scale * size))
        products = functional.conv2d(enlarged[None], middle[:, None], groups=len(middle))[0]
        windows = _windows(enlarged.shape[1], side)
        mean, square = _both_ways(windows, enlarged), _both_ways(windows, enlarged.square())
        spread = ((square - mean.square()) * side**2).clamp_min(_SMALL).sqrt()
        best = torch.maximum(best, (products / (spread * length)).flatten(1).amax(dim=1))
    return best


def _batches(count: int, name: str) -> Iterator[slice]:
    starts = range(0, count, _BATCH)
    for start in track(starts, len(starts), name):
        yield slice(start, start + _BATCH)


def _resize(faces: Tensor, size: int) -> Tensor:
    if size == faces.shape[1]:
        return faces
    resized = functional.interpolate(
        faces.unsqueeze(1), size=(size, size), mode="bilinear", antialias=True
    )
    return resized.squeeze(1)


def _both_ways(matrix: Tensor, faces: Tensor) -> Tensor:
    """Apply `matrix`, [R,H], to columns and rows of [B,H,H]; many times as fast as convolution."""
    return matrix @ faces @ matrix.T


@cache
def _gaussian(size: int, deviation: float) -> Tensor:
    """Return the matrix that convolves `size` values with a Gaussian, repeating the border."""
    reach = int(3 * deviation + 0.5)
    offsets = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-(offsets**2) / (2 * deviation**2))
    taken = (torch.arange(size).unsqueeze(1) + offsets).clamp(0, size - 1)
    return torch.zeros(size, size).scatter_add_(1, taken, (kernel / kernel.sum()).expand(size, -1))


@cache
def _windows(size: int, side: int) -> Tensor:
    """Return the matrix that averages each window of `side` among `size` values."""
    start = torch.arange(size - side + 1).unsqueeze(1)
    within = torch.arange(size) - start
    return ((within >= 0) & (within < side)).float() / side
