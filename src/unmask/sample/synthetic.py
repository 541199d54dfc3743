"""Synthetic faces in the layout of the Kaggle file: the pipeline's embedded input.

Every face is a person (`person`) whose action units (`action_units`) are drawn given the emotion
and painted (`expression`). Within each split the classes have the proportions of PRIORS, so that
the attainable accuracy, which is computed from these, holds for each split.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from unmask.core.faces import CLASSES, SIZE, SPLITS
from unmask.sample.action_units import PRIORS, PROBABILITIES, UNITS, posterior
from unmask.sample.canvas import Canvas
from unmask.sample.expression import paint_lower, paint_upper
from unmask.sample.person import develop, draw_person
from unmask.sources.columns import COLUMNS, EMOTIONS

USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
"""The Kaggle file's name for each split."""

ANNOTATORS = 10
"""Per face. They see which action units move, and vote by the posterior of the emotions."""


class Split(NamedTuple):
    """The faces of one split."""

    images: NDArray[np.uint8]  # [N,48,48]
    labels: NDArray[np.uint8]  # [N], index into CLASSES
    votes: NDArray[np.int64]  # [N,7], of ANNOTATORS for each of CLASSES


def draw_splits(counts: Mapping[str, int], seed: int) -> dict[str, Split]:
    """Draw the faces of every split; `counts` gives the number of faces, at least 7, by split."""
    return {name: _draw_split(number, counts[name], seed) for number, name in enumerate(SPLITS)}


def _draw_split(number: int, count: int, seed: int) -> Split:
    """Draw one split; face i is drawn from (seed, split, i), given its label."""
    # Seeded as the face after the last one would be, so that no face shares this stream.
    order = np.random.default_rng([seed, number, count])
    labels = order.permutation(np.repeat(np.arange(len(CLASSES)), class_counts(count)))
    images = np.empty((count, SIZE, SIZE), np.uint8)
    units = np.empty((count, len(UNITS)), bool)
    for index, label in enumerate(labels):
        random = np.random.default_rng([seed, number, index])
        units[index] = draw_units(int(label), random)
        images[index] = draw_face(units[index], random)
    votes = order.multinomial(ANNOTATORS, posterior(units))
    return Split(images, labels.astype(np.uint8), votes)


def class_counts(count: int) -> NDArray[np.int64]:
    """Return how many faces each class has in a split of `count` >= 7 faces, int64 [7].

    They are proportional to PRIORS, by largest remainders, with at least one face per class.
    """
    exact = count * PRIORS
    counts: NDArray[np.int64] = np.maximum(1, np.floor(exact)).astype(np.int64)
    while counts.sum() != count:
        short = exact - counts
        if counts.sum() < count:
            counts[np.argmax(short)] += 1
        else:
            counts[np.argmin(np.where(counts > 1, short, np.inf))] -= 1
    return counts


def draw_units(label: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which of UNITS move in a face of the class `label`, bool [15]."""
    moves: NDArray[np.bool_] = random.uniform(size=len(UNITS)) < PROBABILITIES[label]
    return moves


def draw_face(moves: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a person with the active units `moves`, bool [15]; return uint8 [48,48].

    Person, light, noise and the strength of the units do not depend on which units are active. Rows
    0 to 23 depend on UPPER_UNITS alone and rows 24 to 47 on LOWER_UNITS alone: the halves are
    painted on separate canvases and blurred separately.
    """
    strengths = moves * random.uniform(0.85, 1.15, size=len(UNITS))
    strength = dict(zip(UNITS, strengths.tolist(), strict=True))
    person = draw_person(random)
    halves = []
    for paint, first_row in ((paint_upper, 0), (paint_lower, SIZE // 2)):
        canvas = Canvas(person.pose, person.background, first_row)
        paint(canvas, person, strength)
        halves.append(canvas.finish(person.blur))
    return develop(np.concatenate(halves), person, random)


def write_csv(path: Path, splits: Mapping[str, Split]) -> None:
    """Write splits in the Kaggle layout: `emotion,pixels,Usage`, pixels row by row."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write("emotion,pixels,Usage\n")
        for name, (images, labels, _) in splits.items():
            for image, label in zip(images.reshape(len(images), -1).tolist(), labels, strict=True):
                file.write(f"{label},{' '.join(map(str, image))},{USAGES[name]}\n")


def write_votes(path: Path, splits: Mapping[str, Split]) -> None:
    """Write the votes in the layout of FER+; nobody votes for anything but an emotion."""
    with path.open("w", encoding="ascii", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval=0, lineterminator="\n")
        table.writeheader()
        votes = ((USAGES[name], face) for name, split in splits.items() for face in split.votes)
        for number, (usage, face) in enumerate(votes):
            names = {"Usage": usage, "Image name": f"sample{number:07d}.png"}
            table.writerow({**names, **dict(zip(EMOTIONS, face.tolist(), strict=True))})


def contact_sheet(faces: Split, columns: int = 10, zoom: int = 3) -> Image.Image:
    """Return a picture of the first `columns` faces of each class, one row per class."""
    side, margin = zoom * SIZE, 110
    sheet = Image.new("L", (margin + columns * side, len(CLASSES) * side), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(20)
    for label, name in enumerate(CLASSES):
        pen.text((8, label * side + side // 2 - 10), name, fill=0, font=font)
        for column, image in enumerate(faces.images[faces.labels == label][:columns]):
            face = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
            sheet.paste(face, (margin + column * side, label * side))
    return sheet
