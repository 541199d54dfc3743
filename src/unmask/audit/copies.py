"""Copies of a face: exact ones, and what stands for a near one."""

import hashlib
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pair(NamedTuple):
    """Two faces that show the same picture: their indices, and how alike they are, up to 1."""

    first: int
    second: int
    likeness: float


def exact_copies(images: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """Return the groups of images, uint8 [N,H,W], that are equal pixel by pixel, in order."""
    by_digest: dict[bytes, list[int]] = defaultdict(list)
    for index in range(len(images)):
        pixels = np.ascontiguousarray(images[index])
        by_digest[hashlib.sha256(pixels.data).digest()].append(index)
    return [np.array(group) for group in by_digest.values() if len(group) > 1]
