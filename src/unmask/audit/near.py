"""Near-duplicates: the same picture shifted, rescaled, encoded anew or changed in contrast."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from unmask.audit.copies import Pair
from unmask.audit.descriptors import LENGTH, describe, neighbours
from unmask.audit.registration import MARGIN, flatten_light, likeness
from unmask.core.progress import track

_NEIGHBOURS = 5
"""Faces looked at more closely for each; of 1,500 altered copies hidden among 6,000 faces of
FER2013, all but two had their original among the five whose descriptors are nearest."""

_LEAST_COSINE = 0.75

_SCALES = (0.9, 1.0, 1.1)
_LOSS = 0.2
"""At half the size, in these scales and one way round, copies may be less alike by this: it finds
7,275 pairs in FER2013, where all scales both ways round found 7,279."""

_BATCH = 256


def near_duplicates(images: NDArray[np.uint8], least: float) -> list[Pair]:
    """Return the pairs of faces, uint8 [N,48,48], with a likeness of `least` or more.

    Candidates come from descriptors and are laid over one another, first at half the size to
    leave out most of them. Time grows with the square of N.
    """
    descriptors = torch.empty(len(images), LENGTH)
    halved = torch.empty(len(images), *(side // 2 for side in images.shape[1:]))
    for rows in _batches(len(images), "descriptors"):
        faces = torch.from_numpy(images[rows])
        descriptors[rows] = describe(faces)
        halved[rows] = functional.avg_pool2d(flatten_light(faces), 2)
    first, second = neighbours(descriptors, _NEIGHBOURS, _LEAST_COSINE)

    alike = torch.empty(len(first))
    for rows in _batches(len(first), "candidates"):
        small = halved[first[rows]], halved[second[rows]]
        alike[rows] = likeness(*small, MARGIN // 2, _SCALES)
    near = alike >= least - _LOSS
    first, second = first[near], second[near]

    alike = torch.empty(len(first))
    for rows in _batches(len(first), "near-duplicates"):
        one, two = (flatten_light(torch.from_numpy(images[i[rows]])) for i in (first, second))
        alike[rows] = torch.maximum(likeness(one, two), likeness(two, one))
    near = alike >= least
    found = zip(first[near].tolist(), second[near].tolist(), alike[near].tolist(), strict=True)
    return [Pair(*pair) for pair in found]


def _batches(count: int, name: str) -> Iterator[slice]:
    starts = range(0, count, _BATCH)
    for start in track(starts, len(starts), name):
        yield slice(start, start + _BATCH)
