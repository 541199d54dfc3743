"""MediaPipe's face mesh: 468 points of a face that the detector has found.

The region around a face follows MediaPipe's graphs `face_detection_front_detection_to_roi`,
`face_landmark_landmarks_to_roi` and `face_landmark_cpu` (mediapipe/modules/face_landmark).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.photos.detector import Detection
from unmask.photos.face_models import MESH, run_model
from unmask.photos.warp import Matrix, apply, cut, similarity

HAS_MESH = 0.5
"""Score from which the mesh is used."""

_SIZE = 192
_REGION = 1.5  # side of the region, in sides of the box
_LEFT_EYE, _RIGHT_EYE = (33, 133), (362, 263)  # outer and inner corner, inner and outer corner
_PASSES = 2  # the first finds the region of the second, as MediaPipe does from frame to frame


@dataclass(frozen=True)
class Landmarks:
    """What the mesh says of a face.

    points: float [468,3], x, y and depth in pixels of the picture; depth grows away from the camera
    and is 0 in the middle of the head. score: that it is a face, in [0,1]. Left and right are those
    of the picture, not of the person.
    """

    points: NDArray[np.float64]
    score: float

    @property
    def eyes(self) -> NDArray[np.float64]:
        """The middles of the left and of the right eye, [2,3]."""
        return np.stack([self.points[[*eye]].mean(axis=0) for eye in (_LEFT_EYE, _RIGHT_EYE)])


class Mesh:
    """Finds the points of a face; from one thread at a time."""

    def __init__(self) -> None:
        self._run = run_model(MESH)

    def __call__(self, image: Image.Image, face: Detection) -> Landmarks:
        """Return the landmarks of the face that was detected in an RGB picture."""
        corners = face.box.reshape(2, 2)
        to_source = _region(corners, face.points[0], face.points[1])
        for _ in range(_PASSES):
            landmarks = self._read(image, to_source)
            points = landmarks.points[:, :2]
            corners = np.stack([points.min(axis=0), points.max(axis=0)])
            to_source = _region(corners, points[_LEFT_EYE[0]], points[_RIGHT_EYE[1]])
        return landmarks

    def _read(self, image: Image.Image, to_source: Matrix) -> Landmarks:
        pixels = cut(image, to_source, _SIZE)
        points, logit = self._run((pixels[np.newaxis] / 255).astype(np.float32))
        deep = points.reshape(-1, 3).astype(np.float64)
        scale = float(np.hypot(*to_source[:, 0]))
        mapped = np.column_stack([apply(to_source, deep[:, :2]), scale * deep[:, 2]])
        return Landmarks(mapped, float(1 / (1 + np.exp(-logit.item()))))


def _region(
    corners: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]
) -> Matrix:
    """Return the map from the network's input to the square around a box, turned with the eyes."""
    across, down = right - left
    side = _REGION * float((corners[1] - corners[0]).max())
    middle = (_SIZE / 2, _SIZE / 2)
    return similarity(side / _SIZE, float(np.arctan2(down, across)), middle, corners.mean(axis=0))
