"""FER+: FER2013 relabelled by ten annotators per face (Barsoum et al. 2016, arXiv:1608.01041).

The file `fer2013new.csv` has a row for each row of `fer2013.csv`, in the same order, with the votes
for eight emotions, for `unknown` and for `NF`, not a face. Following its authors, we drop votes of
a single annotator as mistakes, and label a face with the emotion that has more than half of the
remaining votes. A face is left out of all splits if there is no such majority, or if it is for
contempt, which FER2013 does not have, for `unknown`, or for `NF`.
"""

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, FaceBlock
from unmask.sources import archive, head
from unmask.sources.columns import COLUMNS, EMOTIONS, OTHERS
from unmask.sources.text import line_blocks, quoted, shown

USAGES = {"Training": 0, "PublicTest": 1, "PrivateTest": 2}

_NUMBER = re.compile("[0-9]{1,3}")


def relabelled(blocks: Iterator[FaceBlock], file: Path) -> Iterator[FaceBlock]:
    """Yield the faces of a source that have a majority label, with their soft labels.

    Raises UserError if `file` is not FER+, or is not about these faces.
    """
    rows = _votes(file)
    for block in blocks:
        found = list(islice(rows, len(block.labels)))
        split = np.array([split for split, _ in found], dtype=np.uint8)
        if not np.array_equal(block.split, split):
            raise _other_faces(file)
        labels, soft_labels = majority(np.array([votes for _, votes in found], dtype=np.int64))
        known = labels >= 0
        yield FaceBlock(
            block.images[known],
            labels[known].astype(np.uint8),
            block.split[known],
            block.row[known],
            soft_labels[known],
        )
    if next(rows, None):
        raise _other_faces(file)


def majority(votes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return labels, int64 [n], -1 without a majority, and soft labels, float32 [n,7].

    votes: int64 [n,10], for CLASSES and then for contempt, unknown and not a face.
    """
    votes = np.where(votes > 1, votes, 0)
    total, classes = votes.sum(axis=1), votes[:, : len(CLASSES)]
    winner = votes.argmax(axis=1)
    clear = 2 * votes.max(axis=1) > total
    labels = np.where(clear & (winner < len(CLASSES)), winner, -1)
    soft_labels = classes / np.maximum(classes.sum(axis=1, keepdims=True), 1)
    return labels, soft_labels.astype(np.float32)


def _votes(file: Path) -> Iterator[tuple[int, list[int]]]:
    """Yield the split of each row and its votes for CLASSES and OTHERS."""
    label, rows = shown(file), _rows(file)
    number, names = next(rows)
    for name in COLUMNS:
        if name not in names:
            raise UserError(
                f"{label}:{number}: no column {name}; set data.votes to fer2013new.csv from FER+"
            )
    places = {name: names.index(name) for name in (*EMOTIONS, *OTHERS)}
    usage = names.index("Usage")
    for number, fields in rows:
        what = _fault(fields, len(names), places, usage)
        if what:
            raise UserError(f"{label}:{number}: {what}; get the file again, or fix this line")
        yield USAGES[fields[usage]], [int(fields[place]) for place in places.values()]


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row, starting with the header, and its line number."""
    if not file.is_file():
        raise UserError(f"{shown(file)}: no such file; set data.votes to fer2013new.csv from FER+")
    found = archive.tables(file)
    if len(found) != 1:
        raise UserError(f"{shown(file)}: two CSV files; unpack it and set data.votes to one")
    with found[0].open() as stream:
        start = stream.peek(head.LENGTH)[: head.LENGTH]
        head.refuse_foreign(start, shown(file), again="get fer2013new.csv from FER+ again")
        for first, lines in line_blocks(stream, shown(file)):
            for number, line in enumerate(lines, start=first):
                text = line.decode("utf-8-sig", "backslashreplace")
                if text.strip():
                    (fields,) = csv.reader([text], skipinitialspace=True)
                    yield number, [field.strip() for field in fields]


def _fault(fields: list[str], count: int, places: dict[str, int], usage: int) -> str | None:
    """Return what is wrong with one row, or None if nothing is."""
    if len(fields) != count:
        return f"{len(fields)} fields instead of {count}"
    if fields[usage] not in USAGES:
        return f"Usage is {quoted(fields[usage].encode())}, not one of {', '.join(USAGES)}"
    for name, place in places.items():
        if not _NUMBER.fullmatch(fields[place]):
            return f"{name} is {quoted(fields[place].encode())}, not a number of votes"
    return None


def _other_faces(file: Path) -> UserError:
    return UserError(
        f"{shown(file)}: not the votes on data.source: the faces or their order differ; "
        "FER+ goes with fer2013.csv or icml_face_data.csv from Kaggle"
    )
