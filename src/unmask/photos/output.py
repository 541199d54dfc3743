"""What was read of photos: as a table, as JSON lines, or as CSV."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from unmask.core.faces import CLASSES
from unmask.photos.predict import FaceResult, PhotoResult
from unmask.sources.text import shown

_WIDTHS = {"face": 5, "at": 23, "mask": 4, "expression": 20, "read by": 0}
_CSV = (
    "file", "face", "left", "top", "right", "bottom", "score", "masked", "mask_probability",
    "expression", "unsure", *CLASSES, "calibrated", "read_by", "problem",
)  # fmt: skip


def head(kind: str, width: int = 0) -> str:
    """Return the first line, or nothing; `width` is that of the longest name of a photo."""
    if kind == "table":
        return _row(f"{'file':{width}}", *_WIDTHS)
    return _csv_line(_CSV) if kind == "csv" else ""


def lines(kind: str, name: str, photo: PhotoResult, width: int = 0) -> str:
    """Return the lines that say what was read of the photo `name`; see `head`.

    As `table` or `csv`, a line for each face, or one for a photo without any; as `json`, an object
    on one line for each photo.
    """
    if kind == "json":
        return _json(name, photo)
    if kind == "csv":
        return "".join(_csv_line(row) for row in _csv_rows(name, photo))
    return "".join(_table_rows(f"{shown(name):{width}}", photo))


def _json(name: str, photo: PhotoResult) -> str:
    faces = [
        {key: value for key, value in vars(face).items() if key not in ("crop", "completed")}
        for face in photo.faces
    ]
    value: dict[str, Any] = {"file": name, **vars(photo), "faces": faces}
    # A name that is no UTF-8 comes back from JSON as Python has it, not as an error.
    return json.dumps(value) + "\n"


def _csv_rows(name: str, photo: PhotoResult) -> Iterator[list[Any]]:
    if not photo.faces:
        yield [name, *[""] * (len(_CSV) - 2), photo.problem]
    for number, face in enumerate(photo.faces, 1):
        likely = face.probabilities or {}
        values = asdict(face) | dict(zip(("left", "top", "right", "bottom"), face.box, strict=True))
        values |= {"file": name, "face": number} | {c: likely.get(c) for c in CLASSES}
        yield [_plain(values[column]) for column in _CSV]


def _plain(value: Any) -> Any:
    """Return a value as CSV has it: numbers with six digits, true and false, nothing for None."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else value


def _csv_line(values: Any) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _table_rows(name: str, photo: PhotoResult) -> Iterator[str]:
    if not photo.faces:
        yield f"{name}  {photo.problem}\n"
    for number, face in enumerate(photo.faces, 1):
        left, top, right, bottom = (round(side) for side in face.box)
        at = f"{left},{top} to {right},{bottom}"
        which = f"{number}/{len(photo.faces)}"
        if face.problem:
            yield _row(name, which, at, face.problem)
        else:
            mask = "yes" if face.masked else "no"
            yield _row(name, which, at, mask, said(face), str(face.read_by))


def said(face: FaceResult) -> str:
    """Return the expression of a face that was read, and its probability, in a few words."""
    likeliest = f"{face.expression} {max((face.probabilities or {}).values()):.2f}"
    return f"unsure ({likeliest})" if face.unsure else likeliest


def _row(name: str, *cells: str) -> str:
    rest = "  ".join(
        f"{cell:{width}}" for cell, width in zip(cells, _WIDTHS.values(), strict=False)
    )
    return f"{name}  {rest}".rstrip() + "\n"
