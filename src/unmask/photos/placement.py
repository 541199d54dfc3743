"""Placing a face of a photo as FER2013 places its faces, which puts row 24 on the mask's edge.

A mask hides all but the eyes, so the eyes alone say where a face goes: level, in the middle, and
at the size at which FER2013 has them.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.core.faces import SIZE
from unmask.core.mask import UPPER_ROWS
from unmask.photos.warp import Matrix, apply, cut, similarity

EYES = np.array([24.0, 18.8])
"""Between the eyes in a face of FER2013, x and y in pixels from its corner.

Like EYE_DISTANCE, the median of 4,000 training faces on which the mesh was found; half of all faces
are within 2 pixels. The middle of the nose is on row 23.9 then.
"""

EYE_DISTANCE = 18.1
"""Between the middles of both eyes, in pixels, in depth as well as across.

A turned head has its eyes closer together in the picture, but not in space: in units of this, the
sizes of FER2013's faces vary by 16 %, of the distance across by 19 %.
"""

BOX_WIDTH = 41.0
"""Width of the detector's box in a face of FER2013, in pixels, median of the same faces."""

_ROWS, _COLUMNS = np.arange(10, UPPER_ROWS), np.arange(8, 40)  # of eyes and brows


def frame(eyes: NDArray[np.float64], distance: float) -> Matrix:
    """Return the map from a face of 48x48 pixels into the picture.

    eyes: the left and the right one, [2,2] or more columns, in pixels of the picture; left is the
    left side of the picture. distance: what is EYE_DISTANCE in the face, in pixels of the picture.
    """
    across, down = eyes[1, :2] - eyes[0, :2]
    angle = float(np.arctan2(down, across))
    return similarity(distance / EYE_DISTANCE, angle, EYES, eyes[:, :2].mean(axis=0))


def frame_by_nose(eyes: NDArray[np.float64], distance: float, nose: NDArray[np.float64]) -> Matrix:
    """Return the same map, shifted so that the middle of the nose, [2], lies on the mask's edge.

    The eyes stay level and in the middle; a turned head has its nose beside it.
    """
    to_picture = frame(eyes, distance)
    down = to_picture[:, 1] / np.hypot(*to_picture[:, 1])
    row = EYES[1] + (nose - eyes[:, :2].mean(axis=0)) @ down / np.hypot(*to_picture[:, 1])
    to_picture[:, 2] += (row - UPPER_ROWS) * to_picture[:, 1]
    return to_picture


def place(
    image: Image.Image, to_picture: Matrix,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
) -> NDArray[np.uint8]:  # fmt: skip
    """Return the face in grey, uint8 [48,48]; beyond the edge, the picture's border is repeated."""
    corners = apply(to_picture, np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]]))
    low = np.floor(corners.min(axis=0)).astype(int) - 1
    high = np.ceil(corners.max(axis=0)).astype(int) + 1
    first = np.clip(low, 0, np.array(image.size) - 1)  # a pixel at least, to repeat
    inside = np.stack([first, np.clip(high, first + 1, image.size)])
    part = np.asarray(image.crop(tuple(inside.reshape(-1).tolist())).convert("L"))
    missing = np.abs(np.stack([low, high]) - inside).T[::-1]  # rows first, as arrays have them
    padded = Image.fromarray(np.pad(part, missing, mode="edge"))
    moved = to_picture.copy()
    moved[:, 2] -= low
    return cut(padded, moved, SIZE, resample)


def share_outside(image: Image.Image, to_picture: Matrix) -> float:
    """Return how much of the eyes and brows of a face lies beyond the picture's edge."""
    steps = np.stack(np.meshgrid(_COLUMNS + 0.5, _ROWS + 0.5), axis=-1)
    points = apply(to_picture, steps.reshape(-1, 2))
    inside = (points >= 0).all(axis=1) & (points <= image.size).all(axis=1)
    return float(1 - inside.mean())
