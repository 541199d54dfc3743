"""A descriptor of a face that stays much the same when the picture is changed a little."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from unmask.core.progress import track

_CELL, _BINS = 8, 8

LENGTH = (48 // _CELL) ** 2 * _BINS


def describe(faces: Tensor) -> Tensor:
    """Return histograms of oriented gradients (Dalal and Triggs 2005) of unit length, centred.

    faces: uint8 or float [B,48,48]; returns float [B,288], whose dot products are cosines. Each of
    the 6x6 cells gathers the gradients within 16x16 pixels by their direction, so that a shift of
    a few pixels moves little from one cell to another; centring and length take out the contrast.
    """
    pixels = faces.float().unsqueeze(1)
    across = functional.pad(pixels[..., 2:] - pixels[..., :-2], (1, 1))
    down = functional.pad(pixels[..., 2:, :] - pixels[..., :-2, :], (0, 0, 1, 1))
    strength = torch.hypot(across, down)
    direction = torch.atan2(down, across) * (_BINS / (2 * math.pi))
    lower = direction.floor()
    share = direction - lower
    histograms = pixels.new_zeros(len(pixels), _BINS, *pixels.shape[2:])
    histograms.scatter_add_(1, lower.long() % _BINS, strength * (1 - share))
    histograms.scatter_add_(1, (lower.long() + 1) % _BINS, strength * share)
    cells = functional.avg_pool2d(histograms, 2 * _CELL, _CELL, padding=_CELL // 2)
    descriptors = cells.flatten(1).sqrt()
    descriptors = descriptors - descriptors.mean(dim=1, keepdim=True)
    return functional.normalize(descriptors, dim=1)


def neighbours(descriptors: Tensor, count: int, least: float) -> tuple[Tensor, Tensor]:
    """Return the pairs (i, j), i < j, in which one is among the `count` nearest of the other.

    descriptors: float [N,D] of unit length; pairs with a cosine under `least` are left out. Every
    descriptor is compared with every other: N^2 D multiplications, a few seconds for 36,000 faces.
    """
    pairs = []
    starts = range(0, len(descriptors), _ROWS)
    for start in track(starts, len(starts), "nearest descriptors"):
        cosines = descriptors[start : start + _ROWS] @ descriptors.T
        own = torch.arange(len(cosines))
        cosines[own, own + start] = -1
        nearest, index = cosines.topk(min(count, len(descriptors)), dim=1)
        row = (own + start).unsqueeze(1).expand_as(index)
        near = nearest >= least
        pairs.append(torch.stack([row[near], index[near]]))
    found = torch.cat(pairs, dim=1).sort(dim=0).values.unique(dim=1)
    return found[0], found[1]


_ROWS = 1024
