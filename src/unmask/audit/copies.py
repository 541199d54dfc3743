"""Copies of a face: exact ones, and what stands for a near one; and pictures that show none."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
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
    for index, image in _each(images):
        by_digest[hashlib.sha256(image.data).digest()].append(index)
    return [np.array(group) for group in by_digest.values() if len(group) > 1]


def constant(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the indices of images that are of one grey value."""
    flat = [index for index, image in _each(images) if image.min() == image.max()]
    return np.array(flat, dtype=np.int64)


def _each(images: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for index in range(len(images)):
        yield index, np.ascontiguousarray(images[index])
