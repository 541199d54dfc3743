"""Faces of random pixels, any number of them in seconds, for when only their number matters."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE, CLASSES = 48, 7
_STRIPS = 4096  # rows of pixels that faces are made of: no two faces will be the same
_BLOCK = 1000


def write_csv(path: Path, count: int) -> None:
    """Write faces in Kaggle's layout: four fifths for training, the rest in equal parts."""
    strips = [
        " ".join(map(str, strip))
        for strip in np.random.default_rng(0).integers(0, 256, (_STRIPS, SIDE)).tolist()
    ]
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write("emotion,pixels,Usage\n")
        for start, chosen in _choices(count):
            for index, rows in enumerate(chosen.tolist(), start):
                pixels = " ".join([strips[row] for row in rows])
                file.write(f"{index % CLASSES},{pixels},{_usage(index, count)}\n")


def _choices(count: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    random = np.random.default_rng(1)
    for start in range(0, count, _BLOCK):
        yield start, random.integers(0, _STRIPS, (min(_BLOCK, count - start), SIDE))


def _usage(index: int, count: int) -> str:
    if 10 * index < 8 * count:
        return "Training"
    return "PublicTest" if 10 * index < 9 * count else "PrivateTest"
