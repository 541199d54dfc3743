"""Grids of small grey pictures, enlarged so that a person can look at them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from unmask.core.files import whole_file

_SCALE, _GAP, _TITLE = 3, 4, 14


def save_grid(path: Path, columns: Mapping[str, NDArray[np.uint8]]) -> None:
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
    with whole_file(path) as temporary:
        sheet.save(temporary, format="PNG")
