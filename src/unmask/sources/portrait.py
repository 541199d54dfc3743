"""The synthetic person and everything of the picture that expression does not touch.

Lengths are pixels of the finished 48x48 picture. In the face's own frame the origin lies between
the eyes and the mouth, x grows to the right and y downwards; pose puts that frame on the canvas, at
four times the final size. Grey values run from 0 to 255.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from unmask.faces import SIZE

Points = NDArray[np.float64]
"""Corners of an outline, float [K,2], x and y in the face's frame."""

SCALE = 4
"""Canvas pixels for each pixel of the finished face."""

HAIR_STYLES = ("short", "parted", "long", "curly", "bald")
BEARDS = ("stubble", "full", "moustache")


@dataclass(frozen=True)
class Person:
    """One identity in one pose under one light; no part of it depends on the emotion."""

    shift: tuple[float, float]  # right, down
    tilt: float  # radians, clockwise
    zoom: float
    width: float  # half the head
    chin: float  # y of its tip
    jaw: float  # exponent of the jaw's superellipse: 2 round, 3 square
    skin: float  # grey value, as are hair, iris and background
    hair: float
    hair_style: str
    hairline: float  # y where the forehead begins
    background: float
    brow_y: float
    brow_thickness: float
    brow_arch: float
    eye_x: float  # from the middle to the centre of an eye
    eye_width: float  # half of it
    eye_opening: float  # factor
    iris: float
    nose_width: float  # half of it
    nose_y: float
    mouth_y: float
    mouth_width: float  # half of it
    lips: float  # thickness
    lip_shade: float  # grey value relative to the skin's
    beard: str | None
    glasses: bool
    light: tuple[float, float]  # direction on the picture plane, length below 1
    contrast: float
    blur: float  # standard deviation in pixels
    noise: float  # standard deviation in grey values

    @property
    def dark_skin(self) -> float:
        """Grey value of folds and shadows."""
        return 0.45 * self.skin


def draw_person(random: np.random.Generator) -> Person:
    """Draw a person, pose and light.

    Pose stays so small that eyes and brows lie above the middle of the picture, and mouth and
    cheeks below it, in every person.
    """
    uniform = random.uniform
    skin, angle = uniform(95, 215), uniform(0, 2 * np.pi)
    strength, dark_hair = uniform(0.1, 0.65), bool(uniform() < 0.75)
    return Person(
        shift=(uniform(-1.5, 1.5), uniform(-0.6, 0.5)),
        tilt=uniform(-0.07, 0.07),
        zoom=uniform(0.95, 1.04),
        width=uniform(16.5, 20),
        chin=uniform(19.5, 22),
        jaw=uniform(2.0, 2.9),
        skin=skin,
        hair=uniform(12, 70) if dark_hair else uniform(100, 225),
        hair_style=str(random.choice(HAIR_STYLES, p=[0.3, 0.25, 0.25, 0.12, 0.08])),
        hairline=uniform(-19.5, -16.8),
        background=uniform(20, 235),
        brow_y=uniform(-10.6, -9.9),
        brow_thickness=uniform(1.0, 1.8),
        brow_arch=uniform(0.2, 1.2),
        eye_x=uniform(8.0, 9.2),
        eye_width=uniform(3.5, 4.3),
        eye_opening=uniform(0.92, 1.08),
        iris=uniform(15, 85),
        nose_width=uniform(2.6, 4.0),
        nose_y=uniform(4.6, 6.2),
        mouth_y=uniform(12.2, 13.4),
        mouth_width=uniform(5.6, 6.8),
        lips=uniform(0.8, 1.5),
        lip_shade=uniform(0.62, 0.82),
        beard=str(random.choice(BEARDS)) if uniform() < 0.18 else None,
        glasses=bool(uniform() < 0.15),
        light=(strength * float(np.cos(angle)), strength * float(np.sin(angle))),
        contrast=uniform(0.7, 1.15),
        blur=uniform(0.25, 0.7),
        noise=uniform(1.5, 6),
    )


class Canvas:
    """A grey canvas of 4 x 48 pixels a side on which shapes of the face's frame are painted."""

    def __init__(self, person: Person) -> None:
        self.image = Image.new("L", (SCALE * SIZE, SCALE * SIZE), round(person.background))
        turn = np.array(
            [
                [np.cos(person.tilt), np.sin(person.tilt)],
                [-np.sin(person.tilt), np.cos(person.tilt)],
            ]
        )
        self._frame = SCALE * person.zoom * turn
        self._origin = SCALE * (SIZE / 2 + np.array(person.shift))

    def paint(
        self,
        outlines: Sequence[Points],
        grey: float,
        opacity: float = 1,
        soft: float = 0,
        width: float = 0,
    ) -> None:
        """Fill the polygons `outlines` with a grey value, or with a `width` draw them as open lines.

        soft: standard deviation, in pixels, of the blur of their edges.
        """
        placed = [outline @ self._frame + self._origin for outline in outlines]
        every = np.concatenate(placed)
        margin = 1 + SCALE * (width + 3 * soft)
        left, top = (int(value) for value in np.floor(every.min(axis=0) - margin))
        right, bottom = (int(value) for value in np.ceil(every.max(axis=0) + margin))
        mask = Image.new("L", (max(1, right - left), max(1, bottom - top)))
        pen, ink = ImageDraw.Draw(mask), round(255 * opacity)
        for outline in placed:
            corners = list((outline - (left, top)).ravel())
            if width:
                pen.line(corners, fill=ink, width=max(1, round(SCALE * width)), joint="curve")
            else:
                pen.polygon(corners, fill=ink)
        if soft:
            mask = mask.filter(ImageFilter.GaussianBlur(SCALE * soft))
        value = int(np.clip(round(grey), 0, 255))
        self.image.paste(value, (left, top, left + mask.width, top + mask.height), mask)


def mirrored(points: Points) -> list[Points]:
    """Return an outline of the right side of the picture and its mirror image."""
    return [points, points * (-1, 1)]


def curve(x: ArrayLike, y: ArrayLike) -> Points:
    """Return the points (x, y), either of them broadcast to the other."""
    return np.stack(np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float)), axis=-1)


def ellipse(x: float, y: float, a: float, b: float, exponent: float = 2) -> Points:
    """Return a (super)ellipse around (x, y) with half axes a and b."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    sine, cosine = np.sin(angle), np.cos(angle)
    return curve(
        x + a * np.sign(cosine) * np.abs(cosine) ** (2 / exponent),
        y + b * np.sign(sine) * np.abs(sine) ** (2 / exponent),
    )
