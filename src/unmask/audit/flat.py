"""Pictures without a photograph: blank ones, and those that say that a picture is missing."""

import numpy as np
from numpy.typing import NDArray

_SPAN = 5  # grey values that count as one: encoding scatters a background by one or two
_BLOCK = 4096  # images at a time


def flatness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return for each image, uint8 [N,H,W], how much of it is of one grey value, up to 1.

    That is the largest share of its pixels that lie within five neighbouring grey values.
    """
    shares = [_flatness(images[at : at + _BLOCK]) for at in range(0, len(images), _BLOCK)]
    return np.concatenate(shares) if shares else np.empty(0)


def _flatness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    pixels = images.reshape(len(images), -1)
    of_image = np.arange(len(pixels))[:, None] * 256
    counts = np.bincount((pixels + of_image).ravel(), minlength=len(pixels) * 256)
    below = np.pad(counts.reshape(-1, 256).cumsum(axis=1), ((0, 0), (1, 0)))
    within = below[:, _SPAN:] - below[:, :-_SPAN]
    return np.asarray(within.max(axis=1) / pixels.shape[1])
