"""Alignment of 48x48 faces: turned, scaled and shifted, each by its landmarks.

The paper cuts faces as they come and proposes to place the mask by the face instead.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.core.faces import SIZE, SPLITS, FaceSet
from unmask.core.files import ArrayWriter, read_json, write_json
from unmask.core.mask import UPPER_ROWS
from unmask.core.progress import track
from unmask.photos.detector import SHORT, Detector
from unmask.photos.mesh import HAS_MESH, Landmarks, Mesh
from unmask.photos.placement import frame, frame_by_nose, place
from unmask.photos.threads import ahead, cores, for_each_thread

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]
T = TypeVar("T")
R = TypeVar("R")

_LARGER, _MARGIN = 2, SIZE  # of the canvas, in its pixels: half the face on every side

# Points of the mesh.
_BRIDGE, _TIP = 168, 1
_EYELIDS = (33, 7, 163, 144, 145, 153, 154, 155, 133,
            362, 382, 381, 380, 374, 373, 390, 249, 263)  # fmt: skip
_UPPER_LIP = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
_MEASURED = 2000  # faces that are looked at before and after


class Found(NamedTuple):
    """What was found in a picture of one face.

    face: whether the detector saw one. landmarks: in pixels of the picture, or None where the mesh
    saw none.
    """

    face: bool
    landmarks: Landmarks | None


class Aligned(NamedTuple):
    """A face, uint8 [48,48], where it was placed, or as it was if it has no landmarks."""

    face: Pixels
    found: Found


class FaceMesh:
    """Finds the landmarks of faces that fill their picture; from one thread at a time.

    The detector misses faces that reach the edge, so it is shown twice the picture in the middle of
    a black canvas. Raises UserError if the face models are missing.
    """

    def __init__(self) -> None:
        self._detect, self._mesh = Detector(SHORT), Mesh()

    def __call__(self, face: Pixels) -> Found:
        """Return what is found in a face, uint8 [48,48]."""
        side = _LARGER * SIZE
        larger = Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC)
        canvas = Image.new("L", (side + 2 * _MARGIN, side + 2 * _MARGIN))
        canvas.paste(larger, (_MARGIN, _MARGIN))
        picture = canvas.convert("RGB")
        faces = self._detect(picture)
        if not faces:
            return Found(face=False, landmarks=None)
        seen = self._mesh(picture, faces[0])
        if seen.score < HAS_MESH:
            return Found(face=True, landmarks=None)
        points = (seen.points - [_MARGIN, _MARGIN, 0]) / _LARGER
        return Found(face=True, landmarks=Landmarks(points, seen.score))


def align(face: Pixels, found: Found, placement: str) -> Aligned:
    """Place a face, uint8 [48,48], in whose picture `found` was found.

    placement: `landmarks`, eyes level and the middle of the nose on the mask's edge; or `eyes`,
    which is all that a mask leaves of them.
    """
    if found.landmarks is None:
        return Aligned(face, found)
    eyes = found.landmarks.eyes
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    if placement == "eyes":
        to_picture = frame(eyes, distance)
    else:
        to_picture = frame_by_nose(eyes, distance, middle_of_nose(found.landmarks.points))
    placed = place(Image.fromarray(face), to_picture, Image.Resampling.BICUBIC)
    return Aligned(placed, found)


def place_face_set(faces: FaceSet, placement: str, folder: Path) -> dict[str, Any]:
    """Write `images.npy`, the images of `faces` as `placement` places them, and `meta.json` anew.

    placement: as for `align`. folder: already holds the files of `faces`; what ingest says of them
    gets the placement beside it, so that results of other placements are not taken for these.
    Returns how many faces were found and moved by split, and where they lay before and after, of
    faces evenly spread and found both times.
    """
    counts = np.zeros((len(SPLITS), 2), dtype=np.int64)
    spread = set(np.linspace(0, len(faces) - 1, _MEASURED).astype(int).tolist())
    before: list[Found] = []
    again: list[Pixels] = []
    with ArrayWriter(folder / "images.npy", (SIZE, SIZE), np.uint8) as images:
        for row, aligned in enumerate(_align_all(faces.images, placement)):
            images.append(aligned.face[np.newaxis])
            has_mesh = aligned.found.landmarks is not None
            counts[faces.split[row]] += aligned.found.face, has_mesh
            if row in spread and has_mesh:
                before.append(aligned.found)
                again.append(aligned.face)
    meta = read_json(folder / "meta.json")
    write_json(folder / "meta.json", {**meta, "placement": placement})
    pairs = [
        (position(first.landmarks), position(second.landmarks))
        for first, second in zip(before, find_all(again), strict=True)
        if first.landmarks and second.landmarks
    ]
    return {
        "found": dict(zip(SPLITS, counts[:, 0].tolist(), strict=True)),
        "moved": dict(zip(SPLITS, counts[:, 1].tolist(), strict=True)),
        "before": summary([first for first, _ in pairs]),
        "after": summary([second for _, second in pairs]),
    }


def _align_all(images: Pixels, placement: str) -> Iterator[Aligned]:
    def aligner() -> Callable[[Pixels], Aligned]:
        find = FaceMesh()
        return lambda face: align(face, find(face), placement)

    faces = (np.asarray(face) for face in images)
    yield from track(_on_all_cores(aligner, faces), len(images), "place")


def find_all(faces: Iterable[Pixels]) -> Iterator[Found]:
    """Yield what is found in each face, uint8 [48,48], in order; on all cores."""
    yield from _on_all_cores(FaceMesh, faces)


def _on_all_cores(build: Callable[[], Callable[[T], R]], items: Iterable[T]) -> Iterator[R]:
    yield from ahead(for_each_thread(build), items, cores())


def middle_of_nose(points: Points) -> Points:
    """Return the middle between the bridge of the nose and its tip, [2]."""
    middle: Points = points[[_BRIDGE, _TIP], :2].mean(axis=0)
    return middle


class Position(NamedTuple):
    """Where a face lies in its picture, in pixels and degrees, by its landmarks.

    nose: row of its middle. tilt: of the line between the eyes. eyes: rows of their highest and of
    their lowest point. mouth: row of the highest point of the lips.
    """

    nose: float
    tilt: float
    eyes: tuple[float, float]
    mouth: float


def position(landmarks: Landmarks) -> Position:
    """Return where a face lies."""
    across, down = (landmarks.eyes[1] - landmarks.eyes[0])[:2]
    eyelids = landmarks.points[[*_EYELIDS], 1]
    return Position(
        nose=float(middle_of_nose(landmarks.points)[1]),
        tilt=float(np.degrees(np.arctan2(down, across))),
        eyes=(float(eyelids.min()), float(eyelids.max())),
        mouth=float(landmarks.points[[*_UPPER_LIP], 1].min()),
    )


def summary(positions: Sequence[Position]) -> dict[str, float | int]:
    """Return where the edge of the mask, row 24, meets faces: means, deviations and shares."""
    if not positions:
        return {"faces": 0}
    nose = np.array([one.nose for one in positions])
    tilt = np.array([one.tilt for one in positions])
    begin, end = np.array([one.eyes for one in positions]).T
    hidden = np.array([one.mouth for one in positions]) > UPPER_ROWS
    whole = end < UPPER_ROWS
    return {
        "faces": len(positions),
        "nose_row_mean": float(nose.mean()),
        "nose_row_standard_deviation": float(nose.std()),
        "eyes_tilt_standard_deviation": float(tilt.std()),
        "eyes_tilted_over_10_degrees": float((np.abs(tilt) > 10).mean()),
        "eyes_whole_and_mouth_hidden": float((whole & hidden).mean()),
        "an_eye_cut": float((~whole & (begin < UPPER_ROWS)).mean()),
        "mouth_not_hidden": float((~hidden).mean()),
    }
