"""FER+: FER2013 relabelled by ten annotators per face (Barsoum et al. 2016, arXiv:1608.01041).

The file `fer2013new.csv` has a row for each row of `fer2013.csv`, in the same order, with the name
that its authors give the image, the votes for eight emotions, for `unknown` and for `NF`, not a
face. Following its authors, we drop votes of a single annotator as mistakes, and label a face with
the emotion that has more than half of the remaining votes. A face is left out of all splits if
there is no such majority, or if it is for contempt, which FER2013 does not have, for `unknown`, or
for `NF`.

An image gets the votes on its name, a face in a CSV file those in the same row. (The numbers in the
names fall behind those of the rows, by 85 in the end.) Labels that do not fit the votes show that
they are about other faces.
"""

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SPLITS, FaceBlock
from unmask.sources import archive, head
from unmask.sources.columns import COLUMNS, EMOTIONS, OTHERS
from unmask.sources.text import line_blocks, quoted, shown

USAGES = {"Training": 0, "PublicTest": 1, "PrivateTest": 2}

MIN_KAPPA = 0.3
"""Of labels and votes, in each split. In FER2013 it is 0.59 or more, and in another order (sorted,
shuffled, reversed, shifted by a row, or by row number instead of name) 0.01 or less."""

_MIN_FACES = 5  # in a split, to say that they do not agree
_STRETCH = 100  # faces
_MAX_ROWS = 1_000_000
_MAX_AMBIGUOUS = 0.01  # of the names; FER+ has 1 of 35,711
_VOTES = re.compile("[0-9]{1,3}")
_KAGGLE = "FER+ goes with fer2013.csv or icml_face_data.csv from Kaggle"
_OTHER = f"not the votes on data.source: the faces or their order differ; {_KAGGLE}"
_AGAIN = "get fer2013new.csv from FER+ again"
_NAMES = "rename images to their Image name in FER+, or use the CSV file"


class _Row(NamedTuple):
    """A row of FER+; votes: for CLASSES and OTHERS."""

    split: int
    name: str
    votes: list[int]


def relabelled(
    blocks: Iterator[FaceBlock], file: Path, *, keep_labels: bool = False
) -> Iterator[FaceBlock]:
    """Yield the faces of a source that have a majority label, with their soft labels.

    keep_labels: yield all faces with their own labels instead; soft labels are then the mean of
    that label and of the votes, if any is for one of the classes.

    Raises UserError if `file` is not FER+, or is not about these faces.
    """
    join: _ByName | _ByRow | None = None
    joined = [np.empty((4, 0), dtype=np.int64)]
    for block in blocks:
        join = join or (_ByRow(file) if block.names is None else _ByName(file))
        labels, soft_labels = majority(np.array(join.votes(block), dtype=np.int64))
        known = labels >= 0
        joined.append(np.stack([block.split, block.row, block.labels, labels])[:, known])
        if keep_labels:
            yield block._replace(soft_labels=_with_own(block.labels, soft_labels))
            continue
        yield FaceBlock(
            block.images[known],
            labels[known].astype(np.uint8),
            block.split[known],
            block.row[known],
            soft_labels[known],
        )
    if isinstance(join, _ByRow) and next(join.rows, None):
        raise UserError(f"{shown(file)}: {_OTHER}")
    if where := _misfit(np.concatenate(joined, axis=1)):
        raise UserError(
            f"{shown(file)}: not the votes on data.source: they do not fit its labels {where}; "
            + (_NAMES if isinstance(join, _ByName) else _KAGGLE)
        )


class _ByRow:
    """Joins faces and votes row by row."""

    def __init__(self, file: Path) -> None:
        self._file, self.rows = file, _rows_of_votes(file)

    def votes(self, block: FaceBlock) -> list[list[int]]:
        """Return the votes on the faces of the next block; their splits must agree."""
        rows = list(islice(self.rows, len(block.labels)))
        if block.split.tolist() != [row.split for row in rows]:
            raise UserError(f"{shown(self._file)}: {_OTHER}")
        return [row.votes for row in rows]


class _ByName:
    """Joins images and votes by the name of the image, whatever its folder and suffix.

    If no name is in FER+, they are joined by the last number in it. The folder's splits count.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._taken = file, dict[str, str]()
        self._votes, self._twice = _by_name(file)
        self._numbers = {_number(name): name for name in self._votes}
        if len(self._numbers) < len(self._votes):
            self._numbers = {}
        self._numbered: bool | None = None

    def votes(self, block: FaceBlock) -> list[list[int]]:
        """Return the votes on the faces of a block."""
        return [self._votes[self._find(image)] for image in block.names or ()]

    def _find(self, image: str) -> str:
        name = _stem(image)
        numbered = name not in self._votes
        if numbered:
            name = self._numbers.get(_number(name), "")
        if not name or self._numbered not in (None, numbered):
            raise UserError(f"{shown(self._file)}: no votes on {shown(image)}; {_NAMES}")
        if name in self._taken and name not in self._twice:
            other = shown(self._taken[name])
            raise UserError(f"{shown(image)}: the same Image name in FER+ as {other}; {_NAMES}")
        self._numbered, self._taken[name] = numbered, image
        return name


def _by_name(file: Path) -> tuple[dict[str, list[int]], set[str]]:
    """Return the votes by name, none if two rows differ, and the names that have two rows."""
    found, twice, ambiguous = dict[str, list[int]](), set[str](), set[str]()
    for row in islice(_rows_of_votes(file), _MAX_ROWS):
        name = _stem(row.name)
        if name in found:
            twice.add(name)
        if name and found.setdefault(name, row.votes) != row.votes:
            ambiguous.add(name)
    if not found:
        raise UserError(f"{shown(file)}: no value in the column Image name; {_AGAIN}")
    if len(ambiguous) > _MAX_AMBIGUOUS * len(found):
        raise UserError(
            f"{shown(file)}: different votes on the same Image name {min(ambiguous)}; {_AGAIN}"
        )
    return found | dict.fromkeys(ambiguous, [0] * len((*EMOTIONS, *OTHERS))), twice


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


def _with_own(labels: NDArray[np.uint8], soft_labels: NDArray[np.float32]) -> NDArray[np.float32]:
    own = np.eye(len(CLASSES), dtype=np.float32)[labels]
    voted = soft_labels.any(axis=1, keepdims=True)
    return np.where(voted, (own + soft_labels) / 2, own)


def _misfit(faces: NDArray[np.int64]) -> str | None:
    """Return where the own labels of faces do not agree with those of the majority, in words.

    faces: int64 [4,n]: split, row, own label, majority label. They agree by Cohen's kappa (1960) in
    each split, and everywhere if the majority's labels are likelier, given their own, than without.
    """
    split, row, own, new = faces
    for number, name in enumerate(SPLITS):
        counts = _counts(own[split == number], new[split == number])
        expected = counts.sum(0) @ counts.sum(1) / max(1, counts.sum())
        by_chance = counts.sum() - expected
        kappa = (np.trace(counts) - expected) / by_chance if by_chance else 1
        if counts.sum() >= _MIN_FACES and kappa < MIN_KAPPA:
            return f"in the {name} split (kappa {kappa:.2f})"
    counts = _counts(own, new) + 1
    fit = np.log(counts * counts.sum() / np.outer(counts.sum(1), counts.sum(0)))[own, new]
    for part in np.array_split(np.arange(len(row)), max(1, len(row) // _STRETCH)):
        if fit[part].sum() < 0:
            return f"in rows {row[part[0]]} to {row[part[-1]]}"
    return None


def _counts(own: NDArray[np.int64], new: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of faces, int64 [7,7], with each pair of labels."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64)
    np.add.at(counts, (own, new), 1)
    return counts


def _stem(name: str) -> str:
    """Return the name of an image without its folder and suffix, in lower case."""
    return PurePosixPath(name.replace("\\", "/")).stem.casefold()


def _number(name: str) -> str:
    """Return the last number in a name without leading zeros; the name itself if it has none."""
    found = re.findall("[0-9]+", name)
    return found[-1].lstrip("0") if found else name


def _rows_of_votes(file: Path) -> Iterator[_Row]:
    label, rows = shown(file), _rows(file)
    number, names = next(rows)
    for name in COLUMNS:
        if name not in names:
            raise UserError(
                f"{label}:{number}: no column {name}; set data.votes to fer2013new.csv from FER+"
            )
    places = {name: names.index(name) for name in (*EMOTIONS, *OTHERS)}
    usage, image = names.index("Usage"), names.index("Image name")
    for number, fields in rows:
        what = _fault(fields, len(names), places, usage)
        if what:
            raise UserError(f"{label}:{number}: {what}; get the file again, or fix this line")
        votes = [int(fields[place]) for place in places.values()]
        yield _Row(USAGES[fields[usage]], fields[image], votes)


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row, starting with the header, and its line number."""
    if not file.is_file():
        raise UserError(f"{shown(file)}: no such file; set data.votes to fer2013new.csv from FER+")
    found = archive.tables(file)
    if len(found) != 1:
        raise UserError(f"{shown(file)}: several CSV files; unpack it, set data.votes to one")
    with found[0].open() as stream:
        start = stream.peek(head.LENGTH)[: head.LENGTH]
        head.refuse_foreign(start, shown(file), again=_AGAIN)
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
