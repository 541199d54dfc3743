"""Painting the action units: eyes and brows above the mask's edge, mouth and cheeks below it.

What each unit looks like follows the Facial Action Coding System (FACS, Ekman & Friesen 1978), a
little exaggerated, as 48x48 pixels require. A `Strength` maps each unit to how far it moves: 0 at
rest, about 1 when active.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from unmask.sample.canvas import Canvas, Points, both_sides, curve, ellipse, ribbon
from unmask.sample.person import Person, paint_glasses, paint_head

Strength = Mapping[str, float]

_EYE_Y = -5.0


def paint_upper(canvas: Canvas, person: Person, strength: Strength) -> None:
    """Paint the face with the units of the upper half; everything else is at rest."""
    paint_head(canvas, person)
    _paint_eyes(canvas, person, strength)
    _paint_brows(canvas, person, strength)
    _paint_forehead(canvas, person, strength)
    paint_glasses(canvas, person)


def paint_lower(canvas: Canvas, person: Person, strength: Strength) -> None:
    """Paint the face with the units of the lower half, without eyes and brows."""
    paint_head(canvas, person, jaw_drop=2.8 * strength["AU26"])
    _paint_nose(canvas, person, strength)
    _paint_cheeks(canvas, person, strength)
    _paint_mouth(canvas, person, strength)
    _paint_chin(canvas, person, strength)
    paint_glasses(canvas, person)


def _paint_eyes(canvas: Canvas, person: Person, strength: Strength) -> None:
    """AU5 uncovers the white above the iris, AU7 raises and straightens the lower lid."""
    raised, tight = strength["AU5"], strength["AU7"]
    across = np.linspace(-1, 1, 15)
    x = person.eye_x + person.eye_width * across
    arch = 1 - across**2
    above = person.eye_opening * (2.0 + 1.8 * raised) - 0.5 * tight
    below = person.eye_opening * (1.7 + 0.2 * raised) - 1.3 * tight
    upper, lower = curve(x, _EYE_Y - above * arch**0.8), curve(x, _EYE_Y + below * arch)
    canvas.paint(both_sides(ribbon(upper, lower)), min(245, 1.2 * person.skin + 40))
    iris = _between(ellipse(person.eye_x, _EYE_Y, 1.9, 1.9), x, upper[:, 1], lower[:, 1])
    canvas.paint(both_sides(iris), person.iris)
    canvas.paint(both_sides(upper), 0.6 * person.shadow, width=0.7)
    canvas.paint(both_sides(lower), person.shadow, opacity=0.5 + 0.4 * tight, width=0.45)
    crease = upper[2:-2] - (0, 1.2)
    canvas.paint(both_sides(crease), person.shadow, opacity=0.35, width=0.4)
    if tight:
        bag = curve(x[2:], _EYE_Y + below + 1.1 - 0.5 * across[2:] ** 2)
        canvas.paint(both_sides(bag), person.shadow, opacity=0.6 * tight, soft=0.2, width=0.6)


def _between(outline: Points, x: Points, top: Points, bottom: Points) -> Points:
    """Return the part of `outline` between two curves over the same ascending `x`."""
    y = np.clip(
        outline[:, 1], np.interp(outline[:, 0], x, top), np.interp(outline[:, 0], x, bottom)
    )
    return curve(outline[:, 0], y)


def _paint_brows(canvas: Canvas, person: Person, strength: Strength) -> None:
    """AU1 raises the inner end, AU2 the outer end, AU4 lowers the brow and draws it inwards."""
    inner, outer, lowered = strength["AU1"], strength["AU2"], strength["AU4"]
    along = np.linspace(0, 1, 12)
    start = person.eye_x - 4.4 - 1.4 * lowered
    x = start + (person.eye_x + 4.6 - start) * along
    y = person.brow_y - person.brow_arch * np.sin(np.pi * along**1.3)
    y = y - 3.4 * inner * (1 - along) ** 1.2 - 3.4 * outer * along**1.2
    y = y + lowered * (2.4 - 1.6 * along)
    half = 0.5 * person.brow_thickness * (1.1 - 0.7 * along**2)
    grey = min(person.hair, 0.4 * person.skin)
    canvas.paint(both_sides(ribbon(curve(x, y - half), curve(x, y + half))), grey, soft=0.15)


def _paint_forehead(canvas: Canvas, person: Person, strength: Strength) -> None:
    """Furrows: across the forehead over raised brows (AU1, AU2), vertical between lowered (AU4)."""
    grey = person.shadow
    for unit, start, end in (("AU1", 0, 5), ("AU2", 7, 12)):
        if strength[unit]:
            lines = [curve([start, end], [y, y - 0.3]) for y in (-15.6, -17.2)]
            sides = [side for line in lines for side in both_sides(line)]
            canvas.paint(sides, grey, opacity=0.35 * strength[unit], soft=0.25, width=0.5)
    if strength["AU4"]:
        furrow = curve([1.5, 1.2, 1.4], [-12.5, -10.5, -8.5])
        canvas.paint(both_sides(furrow), grey, opacity=0.8, soft=0.15, width=0.6)


def _paint_nose(canvas: Canvas, person: Person, strength: Strength) -> None:
    """AU9 wrinkles the sides of the nose and pulls its wings up."""
    wrinkled = strength["AU9"]
    wide, y = person.nose_width + 0.6 * wrinkled, person.nose_y - 1.2 * wrinkled
    nostril = ellipse(0.5 * wide, y + 0.6, 0.9, 0.5)
    canvas.paint(both_sides(nostril), 0.5 * person.shadow, opacity=0.85, soft=0.15)
    wing = curve([wide - 0.3, wide + 0.3, wide - 0.2], [y - 1.6, y - 0.4, y + 0.6])
    canvas.paint(both_sides(wing), person.shadow, opacity=0.55, soft=0.2, width=0.5)
    if wrinkled:
        for drop in (0, 1.4, 2.8):
            wrinkle = curve([0.8, 2.4, 3.8], [0.9 + drop, 1.2 + drop, 2.4 + drop])
            canvas.paint(both_sides(wrinkle), person.shadow, opacity=0.75, soft=0.1, width=0.5)


def _paint_cheeks(canvas: Canvas, person: Person, strength: Strength) -> None:
    """AU6 bulges the cheeks; AU9, AU10 and AU12 fold the skin from the nose to the mouth."""
    if strength["AU6"]:
        x = np.linspace(6, 14, 9)
        bulge = ellipse(10, 4.8, 3.6, 2.2)
        canvas.paint(both_sides(bulge), 1.5 * person.skin, opacity=0.5, soft=0.9)
        under = curve(x, 8 - 0.12 * (x - 10) ** 2)
        canvas.paint(
            both_sides(under), person.shadow, opacity=0.55 * strength["AU6"], soft=0.35, width=0.8
        )
    fold = max(strength["AU12"], strength["AU10"], 0.7 * strength["AU9"])
    if fold:
        reach = person.mouth_width + 2 + 1.6 * strength["AU12"]
        line = curve(
            [person.nose_width + 0.8, person.nose_width + 2.6, reach],
            [person.nose_y - 1, person.nose_y + 1.4, person.mouth_y - 2 * strength["AU12"]],
        )
        canvas.paint(both_sides(line), person.shadow, opacity=0.6 * fold, soft=0.25, width=0.6)


class _Lips(NamedTuple):
    """The edges of the lips, each from the left corner of the mouth to the right corner."""

    over: Points
    top: Points  # lower edge of the upper lip
    bottom: Points  # upper edge of the lower lip
    under: Points


def _lips(person: Person, strength: Strength) -> _Lips:
    """Return the lips, bent and parted by all units of the mouth."""
    smile, down, stretch = strength["AU12"], strength["AU15"], strength["AU20"]
    tight, parted, jaw = strength["AU23"], strength["AU25"], strength["AU26"]
    across = np.linspace(-1, 1, 25)
    arch = 1 - across**2
    x = across * (person.mouth_width + 2 * smile + 3 * stretch - 1.6 * tight - 1.3 * jaw)
    middle = person.mouth_y + 0.8 * smile - 1.0 * strength["AU17"] + 0.8 * jaw
    bend = -3.6 * smile * across**2 + 3.4 * down * np.abs(across) ** 2.5
    line = middle + bend + 0.9 * stretch * across**4
    # Tightened or stretched lips open into a square, others into an almond.
    gape = arch ** (0.35 if tight or stretch else 0.75)
    top = line - (0.5 * parted + 1.4 * jaw) * gape - 1.9 * strength["AU10"] * arch**2
    bottom = line + (2.1 * parted + 3.9 * jaw) * gape
    thickness = person.lips * (1 - min(0.8, 0.8 * tight + 0.25 * stretch)) * arch**0.5
    bow = 1 - 0.25 * np.exp(-((across / 0.15) ** 2))
    return _Lips(
        over=curve(x, top - thickness * bow),
        top=curve(x, top),
        bottom=curve(x, bottom),
        under=curve(x, bottom + 1.25 * thickness),
    )


def _paint_mouth(canvas: Canvas, person: Person, strength: Strength) -> None:
    """Paint the lips, the dark gap between them, and the teeth, which AU25 and AU10 show."""
    lips = _lips(person, strength)
    canvas.paint([ribbon(lips.over, lips.under)], person.lip_shade * person.skin, soft=0.15)
    if np.mean(lips.bottom - lips.top) > 0.5:
        canvas.paint([ribbon(lips.top, lips.bottom)], 22)
    shown = max(strength["AU25"], strength["AU10"])
    if shown:
        edge = np.minimum(lips.bottom[:, 1], lips.top[:, 1] + 1.7 * shown)
        teeth = ribbon(lips.top, curve(lips.top[:, 0], edge))
        canvas.paint([teeth[2:-2]], 235, soft=0.1)
    canvas.paint([lips.top], 0.5 * person.shadow, width=0.55)
    _paint_around_mouth(canvas, person, strength, lips)


def _paint_around_mouth(canvas: Canvas, person: Person, strength: Strength, lips: _Lips) -> None:
    """AU15 folds the skin below the corners, AU23 makes it bulge along the lips."""
    down, tight = strength["AU15"], strength["AU23"]
    if down:
        x, y = lips.top[-1]
        fold = curve(x + np.array([0.2, 1.4, 1.6]), y + np.array([-0.4, 1.2, 2.8]))
        canvas.paint(both_sides(fold), person.shadow, opacity=0.7 * down, soft=0.15, width=0.6)
    if tight:
        for edge, away in ((lips.over, np.array([0, -1])), (lips.under, np.array([0, 1]))):
            bulge, rim = edge[3:-3] + 0.8 * away, edge[3:-3] + 1.7 * away
            canvas.paint([bulge], 1.35 * person.skin, opacity=0.8, soft=0.15, width=0.8)
            canvas.paint([rim], person.shadow, opacity=0.65 * tight, soft=0.2, width=0.6)


def _paint_chin(canvas: Canvas, person: Person, strength: Strength) -> None:
    """AU17 bunches the chin under the lower lip."""
    y = person.mouth_y + 4.6 + 2.2 * strength["AU26"]
    x = np.linspace(-4, 4, 9)
    canvas.paint([curve(x, y - 1.6)], person.shadow, opacity=0.25, soft=0.6, width=0.9)
    if strength["AU17"]:
        arch = curve(x, y - 1.2 + 0.16 * x**2)
        canvas.paint([arch], person.shadow, opacity=0.8, soft=0.25, width=0.7)
        dimples = [ellipse(dx, y + dy, 0.4, 0.4) for dx, dy in ((-1.5, 1.2), (0, 0.6), (1.4, 1.3))]
        canvas.paint(dimples, person.shadow, opacity=0.6, soft=0.15)
