"""BlazeFace: boxes and six points of every face in a picture.

The networks are MediaPipe's; anchors, decoding and suppression follow its graphs
`face_detection_short_range` and `face_detection_full_range` (mediapipe/modules/face_detection).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.photos.face_models import FULL_RANGE, SHORT_RANGE, run_model
from unmask.photos.warp import Matrix, apply, cut

Points = NDArray[np.float64]


class Kind(NamedTuple):
    """size: of the input; grid: (stride, anchors a cell) by layer; least: score of a face."""

    model: str
    size: int
    grid: tuple[tuple[int, int], ...]
    least: float


SHORT = Kind(SHORT_RANGE, 128, ((8, 2), (16, 6)), 0.5)
"""For a face that fills much of the picture; 896 anchors."""

FULL = Kind(FULL_RANGE, 192, ((4, 1),), 0.6)
"""For faces up to five metres away; 2,304 anchors."""

_POINTS = 6
_SAME_FACE = 0.3  # overlap (intersection over union) from which two boxes are one face
_LARGEST_LOGIT = 100.0


class Window(NamedTuple):
    """A square of a picture, in its pixels; it may reach beyond the edge."""

    left: float
    top: float
    side: float


@dataclass(frozen=True)
class Detection:
    """A face in a picture, in its pixels.

    box: left, top, right, bottom. points: float [6,2], x and y of the eye on the picture's left,
    the eye on its right, tip of the nose, mouth, ear on the left, ear on the right.
    """

    box: NDArray[np.float64]
    points: Points
    score: float


class Detector:
    """Finds faces; from one thread at a time."""

    def __init__(self, kind: Kind = FULL) -> None:
        self._kind, self._run = kind, run_model(kind.model)
        self._anchors = anchors(kind)

    def __call__(self, image: Image.Image, window: Window | None = None) -> list[Detection]:
        """Return the faces in a window of an RGB picture, the surest one first.

        window: all of the picture if it is left out; black beyond the picture's edge.
        """
        left, top, side = window or whole(image)
        scale = side / self._kind.size
        to_source: Matrix = np.array([[scale, 0, left], [0, scale, top]])
        pixels = cut(image, to_source, self._kind.size)
        values, logits = self._run((pixels[np.newaxis] / 127.5 - 1).astype(np.float32))
        scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -_LARGEST_LOGIT, None, dtype=float)))
        sure = np.flatnonzero(scores >= self._kind.least)
        centres = self._anchors[sure, np.newaxis]
        pairs = values.reshape(len(scores), -1, 2)[sure].astype(np.float64)
        middle, extent = pairs[:, :1] + centres, pairs[:, 1:2]
        points = pairs[:, 2 : 2 + _POINTS] + centres
        corners = np.concatenate([middle - extent / 2, middle + extent / 2], axis=1)
        found = zip(corners, points, scores[sure], strict=True)
        return merged(
            [
                Detection(apply(to_source, box).reshape(-1), apply(to_source, point), float(score))
                for box, point, score in found
            ]
        )


def whole(image: Image.Image) -> Window:
    """Return the smallest window around all of a picture."""
    side = max(image.size)
    return Window((image.width - side) / 2, (image.height - side) / 2, side)


def anchors(kind: Kind) -> Points:
    """Return the centres that the network's outputs are relative to, [N,2], in input pixels."""
    layers = []
    for stride, repeats in kind.grid:
        steps = np.arange(kind.size // stride) * stride + stride / 2
        x, y = np.meshgrid(steps, steps)
        layers.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), repeats, axis=0))
    return np.concatenate(layers)


def merged(candidates: list[Detection]) -> list[Detection]:
    """Return one detection for each face: the mean of those that overlap, weighted by score."""
    left = sorted(candidates, key=lambda candidate: -candidate.score)
    faces = []
    while left:
        overlap = _overlap(left[0].box, np.stack([other.box for other in left]))
        same = overlap > _SAME_FACE
        same[0] = True
        group = [other for other, is_same in zip(left, same, strict=True) if is_same]
        weights = np.array([member.score for member in group])
        box = np.average([member.box for member in group], axis=0, weights=weights)
        points = np.average([member.points for member in group], axis=0, weights=weights)
        faces.append(Detection(box, points, left[0].score))
        left = [other for other, is_same in zip(left, same, strict=True) if not is_same]
    return faces


def _overlap(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return intersection over union of a box and each of `boxes`, [N,4]."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    union = area + np.prod(np.maximum(box[2:] - box[:2], 0)) - shared
    overlap: NDArray[np.float64] = shared / np.maximum(union, 1e-9)
    return overlap
