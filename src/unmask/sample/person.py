"""The synthetic person: everything in the picture that does not depend on the expression.

Lengths are in pixels of the finished 48x48 picture, in the face's frame (see `canvas`); grey values
run from 0 to 255.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import SIZE
from unmask.sample.canvas import Canvas, Points, Pose, both_sides, curve, ellipse, ribbon

HAIR_STYLES = ("short", "parted", "long", "curly", "bald")
BEARDS = ("stubble", "full", "moustache")


@dataclass(frozen=True)
class Person:
    """One identity in one pose under one light; none of it depends on the emotion."""

    pose: Pose
    background: float  # grey value, as are skin, hair and iris
    skin: float
    hair: float
    hair_style: str
    hairline: float  # y where the forehead begins
    width: float  # half the width of the head
    chin: float  # y of its tip
    jaw: float  # exponent of the jaw's superellipse: 2 is round, 3 nearly square
    brow_y: float
    brow_thickness: float
    brow_arch: float
    eye_x: float  # from the middle of the face to the middle of an eye
    eye_width: float  # half the width
    eye_opening: float  # factor
    iris: float
    nose_y: float
    nose_width: float  # half the width
    mouth_y: float
    mouth_width: float  # half the width
    lips: float  # thickness
    lip_shade: float  # grey value of the lips as a fraction of the skin's
    beard: str | None
    glasses: bool
    light: tuple[float, float]  # direction it comes from: right, up
    contrast: float
    blur: float  # standard deviation in pixels
    noise: float  # standard deviation in grey values

    @property
    def shadow(self) -> float:
        """Grey value of folds, nostrils and lid lines."""
        return 0.35 * self.skin


def draw_person(random: np.random.Generator) -> Person:
    """Draw identity, pose and light.

    The pose varies so little that eyes and brows always lie above the middle row of the picture,
    and mouth and cheeks below it.
    """
    uniform = random.uniform
    direction, strength = uniform(0, 2 * np.pi), uniform(0.1, 0.5)
    return Person(
        pose=Pose(
            uniform(-1.5, 1.5), uniform(-0.6, 0.5), uniform(-0.06, 0.06), uniform(0.95, 1.04)
        ),
        background=uniform(20, 235),
        skin=uniform(90, 195),
        hair=uniform(12, 70) if uniform() < 0.75 else uniform(100, 225),
        hair_style=str(random.choice(HAIR_STYLES, p=[0.3, 0.25, 0.25, 0.12, 0.08])),
        hairline=uniform(-19.5, -16.8),
        width=uniform(15.8, 18.6),
        chin=uniform(19.2, 20.8),
        jaw=uniform(1.9, 2.5),
        brow_y=uniform(-10.4, -9.8),
        brow_thickness=uniform(1.1, 1.9),
        brow_arch=uniform(0.2, 1.2),
        eye_x=uniform(7.8, 9.0),
        eye_width=uniform(3.5, 4.3),
        eye_opening=uniform(0.92, 1.08),
        iris=uniform(15, 80),
        nose_y=uniform(4.6, 6.0),
        nose_width=uniform(2.6, 4.0),
        mouth_y=uniform(12.2, 13.2),
        mouth_width=uniform(5.6, 6.8),
        lips=uniform(0.8, 1.5),
        lip_shade=uniform(0.6, 0.8),
        beard=str(random.choice(BEARDS)) if uniform() < 0.18 else None,
        glasses=bool(uniform() < 0.15),
        light=(strength * float(np.cos(direction)), strength * float(np.sin(direction))),
        contrast=uniform(0.75, 1.2),
        blur=uniform(0.25, 0.65),
        noise=uniform(1.5, 4.5),
    )


def paint_head(canvas: Canvas, person: Person, jaw_drop: float = 0) -> None:
    """Paint hair, head and beard, with the chin `jaw_drop` pixels lower than at rest."""
    _paint_hair_behind(canvas, person)
    canvas.paint([curve([-9, 9, 12, -12], [14, 14, 30, 30])], 0.6 * person.skin)
    canvas.paint(both_sides(ellipse(person.width, 0.5, 2, 4)), 0.85 * person.skin)
    canvas.paint([_head(person, jaw_drop)], person.skin)
    # The hollows of the eyes and the sides of the nose keep the face from looking flat.
    canvas.paint(
        both_sides(ellipse(person.eye_x, -6, 5.5, 3.6)), 0.7 * person.skin, opacity=0.35, soft=1.2
    )
    side = curve([1.6, 1.5, 2.2, person.nose_width], [-6, -2, 2, person.nose_y])
    canvas.paint(both_sides(side), 0.6 * person.skin, opacity=0.35, soft=0.7, width=1.2)
    canvas.paint([curve([0, 0], [-4, person.nose_y - 1.5])], 255, opacity=0.3, soft=0.7, width=1.6)
    if person.beard:
        _paint_beard(canvas, person, jaw_drop)
    _paint_hair(canvas, person)


def paint_glasses(canvas: Canvas, person: Person) -> None:
    """Paint the frame of the glasses, if there are any; thin, so that brows and lids show."""
    if not person.glasses:
        return
    lenses = both_sides(ellipse(person.eye_x, -4.3, person.eye_width + 2.3, 4.9, 2.6))
    rims = [np.concatenate([lens, lens[:1]]) for lens in lenses]
    bridge = curve([-2.2, 0, 2.2], [-5.4, -6, -5.4])
    arms = both_sides(curve([person.eye_x + person.eye_width + 2.3, person.width], [-5.5, -6]))
    canvas.paint([*rims, bridge, *arms], 25, opacity=0.75, width=0.5)


def develop(
    picture: NDArray[np.float64], person: Person, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the picture, float [48,48], under the person's light, with contrast and noise.

    Every pixel is changed on its own, so nothing leaks from one half of the face to the other.
    """
    y, x = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2) / (SIZE / 2)
    # A sphere under a distant light: the normal at (x, y) is (x, y, height).
    height = np.sqrt(np.clip(1 - 0.55 * (x**2 + y**2), 0, 1))
    right, up = person.light
    lit = picture * (0.2 + 0.9 * height + 0.6 * (right * x - up * y))
    exposed = 128 + person.contrast * (lit - 128)
    noisy = exposed + person.noise * random.standard_normal((SIZE, SIZE))
    developed: NDArray[np.uint8] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return developed


def _head(person: Person, jaw_drop: float) -> Points:
    angle = np.linspace(0, np.pi, 40)
    across, along = np.cos(angle), np.sin(angle)
    power = 2 / person.jaw
    jaw = curve(
        person.width * np.sign(across) * np.abs(across) ** power,
        (person.chin + jaw_drop) * along**power,
    )
    skull = curve(-person.width * across, -25 * along**0.8)
    return np.concatenate([jaw, skull])


def _paint_hair_behind(canvas: Canvas, person: Person) -> None:
    if person.hair_style == "long":
        canvas.paint([ellipse(0, 6, person.width + 4, 34, 3)], 0.8 * person.hair)
    elif person.hair_style == "curly":
        angles = np.linspace(np.pi, 2 * np.pi, 12)
        x, y = (person.width + 1.5) * np.cos(angles), -6 + 17 * np.sin(angles)
        locks = [ellipse(*middle, 4, 4) for middle in zip(x, y, strict=True)]
        canvas.paint(locks, person.hair)
    elif person.hair_style != "bald":
        canvas.paint([ellipse(0, -9, person.width + 1.2, 18)], person.hair)


def _paint_hair(canvas: Canvas, person: Person) -> None:
    """Paint the hair above the forehead, leaving room for raised brows."""
    if person.hair_style == "bald":
        return
    half = person.width + 2
    x = np.linspace(-half, half, 30)
    y = person.hairline + 10 * np.abs(x / half) ** 6
    if person.hair_style == "parted":
        y = y - 2.5 * np.exp(-(((x - 6) / 5) ** 2)) + 0.8 * (x < 0)
    if person.hair_style == "curly":
        y = y + 0.7 * np.sin(1.6 * x)
    crown = curve(x, -32)
    canvas.paint([ribbon(crown, curve(x, y))], person.hair)
    shine = curve(x[6:-6], person.hairline - 3 + 0.015 * x[6:-6] ** 2)
    canvas.paint([shine], person.hair + 45, opacity=0.5, soft=0.8, width=1.2)


def _paint_beard(canvas: Canvas, person: Person, jaw_drop: float) -> None:
    grey, top = min(person.hair, 0.5 * person.skin), person.mouth_y - 4
    if person.beard == "moustache":
        x = np.linspace(-6.5, 6.5, 12)
        edge = curve(x, top + 0.6 + 0.03 * x**2)
        canvas.paint([edge], grey, opacity=0.85, soft=0.3, width=1.3)
        return
    head = _head(person, jaw_drop)
    below = head[head[:, 1] > 2] * (0.97, 0.98)
    cheek, lip = person.width - 4, 5
    edge = curve([-cheek, -lip - 2, -lip, 0, lip, lip + 2, cheek], [9, 13, *3 * [top], 13, 9])
    outline = np.concatenate([below, edge])
    opacity = 0.3 if person.beard == "stubble" else 0.7
    canvas.paint([outline], grey, opacity=opacity, soft=0.8)
