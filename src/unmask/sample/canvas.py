"""A grey canvas for one half of the picture, painted with shapes given in the face's own frame.

Lengths are in pixels of the finished 48x48 picture. In the face's frame the origin is the middle of
the face, x grows to the right and y downwards. Grey values run from 0 to 255.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFilter

from unmask.core.faces import SIZE

Points = NDArray[np.float64]
"""Corners of an outline, float [K,2], x and y in the face's frame."""

SCALE = 4
"""Canvas pixels per pixel of the finished face."""

_ANGLE = np.linspace(0, 2 * np.pi, 48, endpoint=False)
_COSINE, _SINE = np.cos(_ANGLE), np.sin(_ANGLE)


@dataclass(frozen=True)
class Pose:
    """Where the face's frame lies in the picture."""

    right: float
    down: float
    tilt: float  # radians, clockwise
    zoom: float


class Canvas:
    """One half of an unfinished picture, at four times the final size."""

    def __init__(self, pose: Pose, background: float, first_row: int) -> None:
        """Start the half of 24 rows that begins at `first_row` of the finished picture."""
        self._image = Image.new("L", (SCALE * SIZE, SCALE * SIZE // 2), round(background))
        cosine, sine = np.cos(pose.tilt), np.sin(pose.tilt)
        self._frame = SCALE * pose.zoom * np.array([[cosine, sine], [-sine, cosine]])
        middle = SIZE / 2 + np.array([pose.right, pose.down])
        self._origin = SCALE * (middle - (0, first_row))

    def paint(
        self,
        outlines: Sequence[Points],
        grey: float,
        *,
        opacity: float = 1,
        soft: float = 0,
        width: float = 0,
    ) -> None:
        """Fill the polygons `outlines` with a grey value; with a `width`, draw them as open lines.

        soft: standard deviation, in pixels, of the blur at their edges.
        """
        placed = [outline @ self._frame + self._origin for outline in outlines]
        value = min(255, max(0, round(grey)))
        if opacity == 1 and not soft:
            _draw(ImageDraw.Draw(self._image), placed, value, width)
            return
        reach = math.ceil(3 * SCALE * soft)
        left, top, right, bottom = self._box(placed, 1 + SCALE * width + reach, reach)
        if left >= right or top >= bottom:
            return
        mask = Image.new("L", (right - left, bottom - top))
        inside = [outline - (left, top) for outline in placed]
        _draw(ImageDraw.Draw(mask), inside, round(255 * opacity), width)
        if soft:
            mask = mask.filter(ImageFilter.GaussianBlur(SCALE * soft))
        self._image.paste(value, (left, top, right, bottom), mask)

    def _box(
        self, placed: Sequence[Points], margin: float, reach: int
    ) -> tuple[int, int, int, int]:
        """Return left, top, right, bottom of the area worth painting.

        That is the bounding box of the outlines with a margin, less anything so far outside the
        canvas that not even its blur shows.
        """
        # For so few points Python's min is several times as fast as NumPy's.
        x, y = np.concatenate(placed).T.tolist()
        return (
            max(math.floor(min(x) - margin), -reach),
            max(math.floor(min(y) - margin), -reach),
            min(math.ceil(max(x) + margin), SCALE * SIZE + reach),
            min(math.ceil(max(y) + margin), SCALE * SIZE // 2 + reach),
        )

    def finish(self, blur: float) -> NDArray[np.float64]:
        """Return the half at its final size, float [24,48], blurred by `blur` pixels."""
        return np.asarray(self._image.reduce(SCALE).filter(ImageFilter.GaussianBlur(blur)), float)


def _draw(pen: ImageDraw.ImageDraw, outlines: Sequence[Points], ink: int, width: float) -> None:
    for outline in outlines:
        points = outline.ravel().tolist()
        if width:
            pen.line(points, fill=ink, width=max(1, round(SCALE * width)), joint="curve")
        else:
            pen.polygon(points, fill=ink)


def both_sides(points: Points) -> list[Points]:
    """Return an outline and its mirror image."""
    return [points, points * (-1, 1)]


def curve(x: ArrayLike, y: ArrayLike) -> Points:
    """Return the points (x, y); either may be one number for all points."""
    points = np.empty((max(np.size(x), np.size(y)), 2))
    points[:, 0], points[:, 1] = x, y
    return points


def ribbon(upper: Points, lower: Points) -> Points:
    """Return the outline of the area between two curves that run in the same direction."""
    return np.concatenate([upper, lower[::-1]])


def ellipse(x: float, y: float, a: float, b: float, exponent: float = 2) -> Points:
    """Return the superellipse around (x, y) with half axes a and b; exponent 2 is the ellipse."""
    power = 2 / exponent
    return curve(
        x + a * np.sign(_COSINE) * np.abs(_COSINE) ** power,
        y + b * np.sign(_SINE) * np.abs(_SINE) ** power,
    )
