"""Every face in a photo, large or small, and its 48x48 crop.

BlazeFace's short-range network finds masked faces better than its full-range one, but none that are
narrower than a seventh of what it looks at; docs/predict.md has the figures. So it looks at the
whole picture, at the picture with a margin, for a face that fills it, and around each small face
that the full-range network reports, in the picture or in parts of a large one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.photos.detector import FULL, SHORT, Detection, Detector, Window, merged, whole
from unmask.photos.mesh import HAS_MESH, Landmarks, Mesh
from unmask.photos.placement import BOX_WIDTH, EYE_DISTANCE, frame, place, share_outside
from unmask.photos.warp import Matrix

_CANDIDATE = 0.4  # score of what may be a face; masked faces score less than bare ones
_SURE, _SAYS_MESH = 0.67, 0.25  # the detector's score and so much of the mesh's make a face
_SAME_FACE = 0.5  # share of the smaller box within the larger one
_LOOK = 2.5  # side of what is looked at around a small face, in widths of its box
_PARTS, _SMALLEST_PART = 4, 384  # parts of a quarter of the longer side, in pixels


@dataclass(frozen=True)
class Face:
    """A face found in a photo.

    box: left, top, right, bottom, float [4] in pixels of the photo. score: of the detector, in
    [0,1]. to_photo: maps (x, y, 1) in the crop to (x, y) in the photo, float [2,3]. crop: uint8
    [48,48], grey, placed as FER2013's faces are. outside: share of the eyes and brows that lies
    beyond the edge of the photo. landmarks: of the mesh, or None where it saw no face.
    """

    box: NDArray[np.float64]
    score: float
    to_photo: Matrix
    crop: NDArray[np.uint8]
    outside: float
    landmarks: Landmarks | None

    @property
    def width(self) -> float:
        """Width of what the crop shows, in pixels of the photo."""
        return float(self.crop.shape[1] * np.hypot(*self.to_photo[:, 0]))


class FaceFinder:
    """Finds faces; from one thread at a time. Raises UserError if the face models are missing."""

    def __init__(self) -> None:
        self._short = Detector(SHORT._replace(least=_CANDIDATE))
        self._full = Detector(FULL._replace(least=_CANDIDATE))
        self._mesh = Mesh()

    def __call__(self, photo: Image.Image) -> list[Face]:
        """Return the faces in an RGB photo, from left to right."""
        near = [*self._short(photo), *self._short(photo, _with_margin(photo))]
        far = [*self._full(photo), *(f for p in _parts(photo) for f in self._in_part(photo, p))]
        closer = [f for face in merged(far) for f in self._short(photo, _around(face))]
        candidates = merged([*near, *closer])
        found = [(face, self._mesh(photo, face)) for face in candidates]
        sure = [(face, mesh) for face, mesh in found if _sureness(face, mesh) >= _SURE]
        faces = [_face(photo, *pair) for pair in _distinct(sure)]
        return sorted(faces, key=lambda face: face.box[0])

    def _in_part(self, photo: Image.Image, part: Window) -> Iterator[Detection]:
        """Yield the faces that a part of a photo shows completely; the next part has the others."""
        low = np.array([part.left, part.top])
        high = low + part.side
        for face in self._full(photo, part):
            starts = (face.box[:2] > low) | (low <= 0)
            ends = (face.box[2:] < high) | (high >= photo.size)
            if starts.all() and ends.all():
                yield face


def _with_margin(photo: Image.Image) -> Window:
    left, top, side = whole(photo)
    return Window(left - side / 2, top - side / 2, 2 * side)


def _around(face: Detection) -> Window:
    left, top, right, bottom = face.box
    side = _LOOK * (right - left)
    return Window((left + right - side) / 2, (top + bottom - side) / 2, side)


def _parts(photo: Image.Image) -> list[Window]:
    """Return windows that overlap by a third, or none for a small photo."""
    side = max(max(photo.size) / _PARTS, _SMALLEST_PART)
    if side > 0.75 * max(photo.size):
        return []
    across, down = (_starts(length, side) for length in photo.size)
    return [Window(left, top, side) for top in down for left in across]


def _starts(length: int, side: float) -> NDArray[np.float64]:
    """Return where parts begin along a photo's side, evenly, a step at most two thirds of one."""
    rest = max(length - side, 0)
    return np.linspace(0, rest, int(np.ceil(rest / (side * 2 / 3))) + 1)


def _sureness(face: Detection, mesh: Landmarks) -> float:
    """Return how sure it is that this is a face.

    The mesh sees a masked face in profile faintly or not at all, so it has no veto. What is round
    and no face, such as a helmet or a badge, scores up to 0.66 so, and a masked face 0.69 or more.
    """
    return face.score + _SAYS_MESH * mesh.score


def _distinct(faces: list[tuple[Detection, Landmarks]]) -> list[tuple[Detection, Landmarks]]:
    """Drop an eye or a nose that was taken for a face within a face."""
    kept: list[tuple[Detection, Landmarks]] = []
    for face, mesh in sorted(faces, key=lambda pair: -_sureness(*pair)):
        if all(_shared(face.box, other.box) < _SAME_FACE for other, _ in kept):
            kept.append((face, mesh))
    return kept


def _shared(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    smaller = min(np.prod(box[2:] - box[:2]) for box in (first, second))
    return float(np.prod(np.maximum(sides, 0)) / max(smaller, 1e-9))


def _face(photo: Image.Image, found: Detection, mesh: Landmarks) -> Face:
    if mesh.score >= HAS_MESH:
        distance = float(np.linalg.norm(mesh.eyes[1] - mesh.eyes[0]))
        to_photo = frame(mesh.eyes, distance)
    else:  # the detector knows no depth, but its box is as wide for a turned head
        width = found.box[2] - found.box[0]
        to_photo = frame(found.points[:2], width * EYE_DISTANCE / BOX_WIDTH)
    return Face(
        box=found.box, score=found.score, to_photo=to_photo, crop=place(photo, to_photo),
        outside=share_outside(photo, to_photo),
        landmarks=mesh if mesh.score >= HAS_MESH else None,
    )  # fmt: skip
