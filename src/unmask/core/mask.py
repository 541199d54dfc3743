"""The mask: cropping a face to what the mask leaves visible, the inverse, and views of a face."""

from collections.abc import Mapping
from typing import Any, TypeVar

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


def view_of(images: Mapping[str, Any], view: str) -> Any:
    """Return the part of a batch that a model is shown.

    images: tensors or arrays [B,1,H,W] by name. view: `upper` is the upper half, either the batch's
    own or cropped from `face`; `whole` and `stitched` are the `face`.
    """
    if view != "upper":
        return images["face"]
    return images["upper"] if "upper" in images else images["face"][:, :, :UPPER_ROWS]
