"""Masks drawn onto bare faces: what the detector of masks learns from.

A drawn mask ends where the bare face's jaw does, and so tells of the mouth behind it (an open one
lengthens the face). It serves to learn what a mask looks like, and as a like-for-like test against
others' drawn masks; it is no stand-in for a real one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFilter

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Points = Floats

# Points of MediaPipe's face mesh, left and right as in the picture.
_NOSE = (6, 197, 195, 5, 4, 2)  # from the bridge to the tip, and below it
_LEFT_CHEEK, _RIGHT_CHEEK = 118, 347  # below the eyes
_JAW = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152,
        377, 400, 378, 379, 365, 397, 288, 361, 323, 454)  # fmt: skip
_EARS = (234, 454)
_CHIN = 152
_GREYS = {"surgical": (150, 255), "dark": (0, 80), "light": (190, 256), "any": (0, 256)}
_SURGICAL = np.array(["folds", "folds", "folds", "plain"])
_OTHERS = np.array(["plain", "seam", "print", "print"])
_FINE = 4  # drawn this many times larger, so that the edge is smooth


@dataclass(frozen=True)
class Style:
    """A mask.

    cloth: its colour, red, green and blue in 0 to 255. pattern: of the cloth; `ink` is the colour
    of folds, seam or print. top: where it begins on the nose, 0 is the bridge, 0.8 the tip, 1 below
    it. reach: how far it goes along the jaw towards the ears, 0 to 1. below: how far it reaches
    beyond the outline of the face, in heights of the mask. shade: how much darker its sides are
    than its middle. straps: whether it has any. seed: of print and light.
    """

    cloth: tuple[int, int, int] = (200, 215, 225)
    pattern: Literal["plain", "folds", "seam", "print"] = "folds"
    ink: tuple[int, int, int] = (160, 180, 195)
    top: float = 0.3
    reach: float = 1.0
    below: float = 0.05
    shade: float = 0.3
    straps: bool = True
    seed: int = 0


def random_style(random: np.random.Generator) -> Style:
    """Draw a style: surgical, cloth and printed masks, long and short, light and dark."""
    kind = random.choice(list(_GREYS), p=[0.3, 0.3, 0.15, 0.25])
    grey = random.integers(*_GREYS[kind])
    cloth, ink = grey + random.integers(-25, 26, 3), grey + random.integers(-120, 121, 3)
    pattern = random.choice(_SURGICAL if kind == "surgical" else _OTHERS)
    return Style(
        cloth=_colour(cloth), ink=_colour(ink), pattern=pattern,
        top=random.uniform(0.0, 1.0), reach=random.uniform(0.35, 1.0),
        below=random.uniform(-0.02, 0.2), shade=random.uniform(0.0, 0.6),
        straps=bool(random.random() < 0.6), seed=int(random.integers(1 << 31)),
    )  # fmt: skip


def draw(face: Pixels, landmarks: Points, style: Style) -> Pixels:
    """Return a picture with a mask drawn on its face.

    face: uint8 [H,W] or [H,W,3]. landmarks: of a bare face, float [468,2] or more columns, x and y
    in pixels. Raises ValueError for other shapes.
    """
    if face.ndim not in (2, 3) or landmarks.shape[0] < 468:
        raise ValueError(f"a face of shape {face.shape} with landmarks of shape {landmarks.shape}")
    points = landmarks[:, :2]
    edge = outline(points, style)
    size = (face.shape[1], face.shape[0])
    cover = _painted(size, lambda pen: pen.polygon(_scaled(edge), fill=255))
    picture = np.asarray(Image.fromarray(face).convert("RGB"), dtype=np.float64)
    if style.straps:
        lines = _painted(size, lambda pen: _draw_straps(pen, points, edge))
        picture = _mixed(picture, np.full(3, 0.8) * style.cloth, lines)
    picture = _mixed(picture, _cloth(size, edge, style), cover)
    drawn = Image.fromarray(np.clip(picture, 0, 255).round().astype(np.uint8))
    return np.asarray(drawn if face.ndim == 3 else drawn.convert("L"))


def outline(points: Points, style: Style) -> Points:
    """Return the edge of the mask, [N,2]: nose, down one side of the face and up the other."""
    along = style.top * (len(_NOSE) - 1)
    steps, line = range(len(_NOSE)), points[[*_NOSE]]
    nose = np.array([np.interp(along, steps, line[:, axis]) for axis in (0, 1)])
    first = round((1 - style.reach) * 4)  # 4: the side of the jaw goes down from the ear so far
    jaw = points[[*_JAW[first : len(_JAW) - first]]]
    height = np.linalg.norm(points[_CHIN] - nose)
    middle = (nose + points[_CHIN]) / 2
    outwards = jaw - middle
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-6)
    jaw = jaw + style.below * height * outwards
    left, right = ((points[cheek] + nose) / 2 for cheek in (_LEFT_CHEEK, _RIGHT_CHEEK))
    drop = (0.25 + 0.5 * style.top) * (nose - points[_NOSE[0]])  # cheeks lie below the bridge
    return np.concatenate([[nose], [left + drop / 2], jaw, [right + drop / 2]])


def _cloth(size: tuple[int, int], edge: Points, style: Style) -> Floats:
    """Return a picture of nothing but cloth, float [H,W,3]."""
    random = np.random.default_rng(style.seed)
    low, high = edge.min(axis=0), edge.max(axis=0)
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    across = (x - (low[0] + high[0]) / 2) / max((high[0] - low[0]) / 2, 1)
    down = (y - low[1]) / max(high[1] - low[1], 1)
    inked = _ink(across, down, style, random)
    colour = _mixed(np.full((*across.shape, 3), style.cloth, dtype=np.float64), style.ink, inked)
    light = 1 - style.shade * np.clip(np.abs(across - random.uniform(-0.3, 0.3)), 0, 1.2) ** 2
    light *= 1 + random.uniform(-0.2, 0.2) * (down - 0.5)
    textured = light + random.uniform(0, 0.06) * random.standard_normal(across.shape)
    return np.asarray(colour * textured[..., np.newaxis])


def _ink(
    across: Floats, down: Floats, style: Style,
    random: np.random.Generator,
) -> Floats:  # fmt: skip
    """Return where folds, seam or print are, in [0,1]."""
    if style.pattern == "folds":
        bow = 0.08 * across**2
        waves = np.cos((down - bow) * random.uniform(3, 5) * 2 * np.pi)
        return np.asarray(np.clip(waves, 0, 1) ** 4)
    if style.pattern == "seam":
        return np.asarray(np.exp(-((across / 0.06) ** 2)))
    if style.pattern == "print":
        spots = Image.fromarray(random.integers(0, 256, across.shape, dtype=np.uint8))
        size = np.exp(random.uniform(np.log(0.006), np.log(0.05))) * across.shape[0]
        blurred = np.asarray(spots.filter(ImageFilter.GaussianBlur(float(size))))
        least = np.quantile(blurred, random.uniform(0.3, 0.85))
        return np.asarray((blurred > least).astype(np.float64))
    return np.zeros_like(across)


def _draw_straps(pen: ImageDraw.ImageDraw, points: Points, edge: Points) -> None:
    width = max(1, round(_FINE * 0.02 * float(np.ptp(edge[:, 0]))))
    for ear, jaw in zip(_EARS, (edge[2], edge[-2]), strict=True):
        pen.line(_scaled(np.stack([points[ear], jaw])), fill=255, width=width)


def _painted(size: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw], None]) -> Floats:
    """Return what `paint` draws on a black canvas, averaged from a finer one, float [H,W]."""
    canvas = Image.new("L", (_FINE * size[0], _FINE * size[1]))
    paint(ImageDraw.Draw(canvas))
    return np.asarray(canvas.reduce(_FINE), dtype=np.float64) / 255


def _scaled(points: Points) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in _FINE * points]


def _mixed(below: Floats, above: ArrayLike, share: Floats) -> Floats:
    weight = share[..., np.newaxis]
    return np.asarray(below * (1 - weight) + np.asarray(above) * weight)


def _colour(values: NDArray[np.int64]) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in np.clip(values, 0, 255))
    return red, green, blue
