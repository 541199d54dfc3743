"""The annotators' votes of FER+, row by row, and the labels that they give.

`fer2013new.csv` is the file of Barsoum et al. (2016, arXiv:1608.01041); see `ferplus`.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES
from unmask.sources import archive, head
from unmask.sources.columns import COLUMNS, EMOTIONS, OTHERS, SPLIT_OF, bare
from unmask.sources.text import line_blocks, quoted, shown

USAGES = {usage.decode(): split for usage, split in SPLIT_OF.items()}
"""Splits by the text in the column Usage."""

AGAIN = "get fer2013new.csv from FER+ again"
"""What to do about a file of votes that is no such file."""

_VOTES = re.compile("[0-9]{1,3}")


class Row(NamedTuple):
    """A row of FER+; votes: for CLASSES and OTHERS."""

    split: int
    name: str
    votes: list[int]


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


def rows_of_votes(file: Path) -> Iterator[Row]:
    """Yield the rows of `file`, or raise UserError for the first line that is not of FER+."""
    label, rows = shown(file), _rows(file)
    first = next(rows, None)
    if first is None:  # blank in Unicode, which the look at the first bytes lets pass
        raise UserError(f"{label}: empty; {AGAIN}")
    number, header = first
    names = [bare(name) for name in header]
    for name in COLUMNS:
        if bare(name) not in names:
            raise UserError(
                f"{label}:{number}: no column {name}; set data.votes to fer2013new.csv from FER+"
            )
        if names.count(bare(name)) > 1:
            raise UserError(f"{label}:{number}: column {name} twice; remove one of them")
    places = {name: names.index(bare(name)) for name in (*EMOTIONS, *OTHERS)}
    usage, image = names.index("usage"), names.index("imagename")
    for number, fields in rows:
        what = _fault(fields, len(names), places, usage)
        if what:
            raise UserError(f"{label}:{number}: {what}; get the file again, or fix this line")
        votes = [int(fields[place]) for place in places.values()]
        yield Row(USAGES[fields[usage]], fields[image], votes)


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row, starting with the header, and its line number."""
    if not file.is_file():
        raise UserError(f"{shown(file)}: no file; set data.votes to fer2013new.csv from FER+")
    found = archive.csv_files(file)
    if len(found) != 1:
        raise UserError(f"{shown(file)}: several CSV files; unpack it, set data.votes to one")
    with found[0].open() as stream:
        start = stream.peek(head.LENGTH)[: head.LENGTH]
        head.refuse_foreign(start, shown(file), again=AGAIN)
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
        if not _VOTES.fullmatch(fields[place]):
            return f"{name} is {quoted(fields[place].encode())}, not a number of votes"
    return None
