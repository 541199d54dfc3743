"""Grids of small grey pictures, enlarged so that a person can look at them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from unmask.core.faces import VALIDATION, rows_of
from unmask.core.files import atomic_write
from unmask.core.mask import crop, stitch

Images = NDArray[np.uint8]

_SCALE, _GAP, _TITLE = 3, 4, 14
_FACES = 8
_GREY = 128
_PAIR_COLUMNS, _PAIR_ROWS = 4, 8


def save_sheet(
    path: Path, true: Images, stitched: Mapping[str, Images], split: NDArray[np.uint8]
) -> None:
    """Write a PNG of validation faces: upper half, stitched face by reconstructor, true face.

    true: uint8 [N,48,48]; stitched: the same by reconstructor; split: uint8 [N].
    """
    rows = some_of(rows_of(split, VALIDATION))
    upper = crop(true[rows])[0]
    columns = {
        "upper half": stitch(upper, np.full_like(upper, _GREY)),
        **{name: faces[rows] for name, faces in stitched.items()},
        "true face": true[rows],
    }
    save_grid(path, columns)


def save_training_grid(path: Path, upper: Images, lower: Images, generated: Images) -> None:
    """Write a PNG of faces reconstructed during training; halves are uint8 [n,24,48] each."""
    blank = np.full_like(upper, _GREY)
    columns = {
        "upper": stitch(upper, blank),
        "true": stitch(upper, lower),
        "generated": stitch(blank, generated),
        "stitched": stitch(upper, generated),
    }
    save_grid(path, columns)


def save_pairs(path: Path, images: Images, pairs: Sequence[tuple[int, int, float]]) -> None:
    """Write a PNG of the least similar near-duplicates, which are the most doubtful.

    images: uint8 [N,48,48]; pairs: indices of two images, and their similarity. The title of each
    column gives the similarity at its top and at its bottom.
    """
    doubtful = sorted(pairs, key=lambda pair: pair[2])[: _PAIR_COLUMNS * _PAIR_ROWS]
    columns = {}
    for start in range(0, len(doubtful), _PAIR_ROWS):
        part = doubtful[start : start + _PAIR_ROWS]
        title = f"{start + 1}: {part[0][2]:.3f} to {part[-1][2]:.3f}"
        first, second = [pair[0] for pair in part], [pair[1] for pair in part]
        columns[title] = np.concatenate([images[first], images[second]], axis=2)
    save_grid(path, columns)


def some_of(rows: NDArray[Any]) -> NDArray[Any]:
    """Return eight of the rows, evenly spaced, or all of them if there are fewer."""
    some: NDArray[Any] = rows[np.linspace(0, len(rows) - 1, min(_FACES, len(rows))).astype(int)]
    return some


def save_grid(path: Path, columns: Mapping[str, Images]) -> None:
    """Write a PNG with a column of pictures, uint8 [n,H,W], under each title."""
    height, width = (_SCALE * side for side in next(iter(columns.values())).shape[1:])
    rows = max(map(len, columns.values()))
    size = (len(columns) * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP + _TITLE)
    sheet = Image.new("L", size, 255)
    draw = ImageDraw.Draw(sheet)
    for column, (title, pictures) in enumerate(columns.items()):
        left = _GAP + column * (width + _GAP)
        draw.text((left, 2), title, fill=0)
        for row, picture in enumerate(pictures):
            enlarged = Image.fromarray(picture).resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(enlarged, (left, _GAP + _TITLE + row * (height + _GAP)))
    with atomic_write(path) as temporary:
        sheet.save(temporary, format="PNG")
