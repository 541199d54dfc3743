"""A slow reader of fer2013.csv, written only from its description, to check the fast one."""

import re
from typing import NamedTuple

SPLITS = {"Training": 0, "PublicTest": 1, "PrivateTest": 2}


class Faces(NamedTuple):
    """What the file holds, face by face, up to the first bad line.

    fault: number of that line, None if there is none; 0 stands for the whole file.
    """

    images: list[list[int]]
    labels: list[int]
    split: list[int]
    row: list[int]
    fault: int | None


def read(content: bytes, pixels: int) -> Faces:
    """Read a file whose faces have this many pixels."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    faces, columns = Faces([], [], [], [], None), None
    for number, line in enumerate(re.split("\r\n|\r|\n", text), start=1):
        if not line.strip(" \t\v\f"):
            continue
        fields = [_bare(field) for field in line.split(",")]
        if columns is None:
            columns = _columns(fields)
            if columns is None:
                return faces._replace(fault=number)
            continue
        face = _face(fields, columns, pixels)
        if face is None:
            return faces._replace(fault=number)
        for values, value in zip(faces, (*face, number), strict=False):
            values.append(value)
    return faces if columns else faces._replace(fault=0)


def _bare(field: str) -> str | None:
    field = field.strip(" \t\v\f")
    if not field.startswith('"'):
        return field
    return field[1:-1].strip(" \t\v\f") if re.fullmatch('".*"', field, re.DOTALL) else None


def _columns(names: list[str | None]) -> dict[str, int] | None:
    known = [name.lower() if name is not None else "" for name in names]
    if sorted(known) != ["emotion", "pixels", "usage"]:
        return None
    return {name: place for place, name in enumerate(known)}


def _face(fields: list[str | None], columns: dict[str, int], pixels: int):
    if len(fields) != len(columns):
        return None
    emotion, usage, values = (fields[columns[name]] for name in ("emotion", "usage", "pixels"))
    if emotion not in list("0123456") or usage not in SPLITS or values is None:
        return None
    numbers = values.split(" ")
    if len(numbers) != pixels or not all(re.fullmatch("[0-9]{1,3}", n) for n in numbers):
        return None
    image = [int(number) for number in numbers]
    return (image, int(emotion), SPLITS[usage]) if max(image) <= 255 else None
