"""The mask: cropping a face to what it leaves visible, and the inverse."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import SIZE

UPPER_ROWS = SIZE // 2
"""Rows above the mask (paper, section 3.1: the upper half of the face)."""

T = TypeVar("T", bound=np.generic)


def crop(faces: NDArray[T]) -> tuple[NDArray[T], NDArray[T]]:
    """Split faces [N,48,48] into upper and lower halves, each [N,24,48]; both are views."""
    return faces[:, :UPPER_ROWS], faces[:, UPPER_ROWS:]


def stitch(upper: NDArray[T], lower: NDArray[T]) -> NDArray[T]:
    """Join upper and lower halves, each [N,24,48], to faces [N,48,48]; the inverse of `crop`."""
    return np.concatenate([upper, lower], axis=1)
