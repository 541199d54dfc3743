"""FER+: FER2013 relabelled by ten annotators per face (Barsoum et al. 2016, arXiv:1608.01041).

The file `fer2013new.csv` has a row for each row of `fer2013.csv`, in the same order, with the name
that its authors give the image, the votes for eight emotions, for `unknown` and for `NF`, not a
face. Following its authors, we drop votes of a single annotator as mistakes, and label a face with
the emotion that has more than half of the remaining votes. A face is left out of all splits if
there is no such majority, or if it is for contempt, which FER2013 does not have, for `unknown`, or
for `NF`.

An image gets the votes on its name, a face in a CSV file those in the same row, or on its name if
the file has a column of names, or in the row that its column `row` or `index` says. (The numbers in
the names fall behind those of the rows, by 85 in the end.) Labels that do not fit the votes show
that they are about other faces.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SPLITS, FaceBlock
from unmask.sources.columns import EMOTIONS, OTHERS
from unmask.sources.text import shown
from unmask.sources.votes import AGAIN, majority, rows_of_votes

MIN_KAPPA = 0.3
"""Of labels and votes, in each split. In FER2013 it is 0.59 or more, and in another order (sorted,
shuffled, reversed, shifted by a row, or by row number instead of name) 0.01 or less."""

_MIN_FACES = 5  # in a split, to say that they do not agree
_STRETCH = 100  # faces
_MAX_ROWS = 1_000_000
_MAX_AMBIGUOUS = 0.01  # of the names; FER+ has 1 of 35,711
_MAX_NAMELESS = 0.01  # of the faces; FER+ has 173 of 35,887
_NO_VOTES = [0] * len((*EMOTIONS, *OTHERS))
_KAGGLE = "FER+ goes with fer2013.csv or icml_face_data.csv from Kaggle"
_OTHER = f"not the votes on data.source: the faces or their order differ; {_KAGGLE}"
_NAMES = "rename faces to their Image name in FER+, or use the CSV file from Kaggle"


def relabelled(
    blocks: Iterator[FaceBlock], file: Path, *, keep_labels: bool = False
) -> Iterator[FaceBlock]:
    """Yield the faces of a source that have a majority label, with their soft labels.

    keep_labels: yield all faces with their own labels instead; soft labels are then the mean of
    that label and of the votes, if any is for one of the classes.

    Raises UserError if `file` is not FER+, or is not about these faces.
    """
    join: _ByName | _ByRow | _ByRowColumn | None = None
    joined = [np.empty((4, 0), dtype=np.int64)]
    for block in blocks:
        kind = _ByRow if block.names is None else _ByRowColumn if block.are_rows else _ByName
        join = join or kind(file)
        if not isinstance(join, kind):
            raise UserError(
                f"{shown(file)}: not all CSV files of data.source name their faces alike; give "
                "each of them a column Image name, or none"
            )
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
    if join:
        join.refuse_rest()
    if where := _misfit(np.concatenate(joined, axis=1)):
        raise UserError(
            f"{shown(file)}: not the votes on data.source: they do not fit its labels {where}; "
            + (_NAMES if isinstance(join, _ByName) else _KAGGLE)
        )


class _ByRow:
    """Joins faces and votes row by row."""

    def __init__(self, file: Path) -> None:
        self._file, self._rows = file, rows_of_votes(file)

    def votes(self, block: FaceBlock) -> list[list[int]]:
        """Return the votes on the faces of the next block; their splits must agree."""
        rows = list(islice(self._rows, len(block.labels)))
        if block.split.tolist() != [row.split for row in rows]:
            raise UserError(f"{shown(self._file)}: {_OTHER}")
        return [row.votes for row in rows]

    def refuse_rest(self) -> None:
        """Raise UserError if there are votes after those on the last face."""
        if next(self._rows, None):
            raise UserError(f"{shown(self._file)}: {_OTHER}")


class _ByRowColumn:
    """Joins faces and votes by the row in which FER+ has them, from 0; each is taken once."""

    def __init__(self, file: Path) -> None:
        rows = enumerate(islice(rows_of_votes(file), _MAX_ROWS))
        self._file, self._votes = file, {str(number): row.votes for number, row in rows}

    def votes(self, block: FaceBlock) -> list[list[int]]:
        """Return the votes on the faces of a block."""
        return [self._take(row) for row in block.names or ()]

    def refuse_rest(self) -> None:
        """Let votes on other faces be: the source may be a part of FER2013."""

    def _take(self, row: str) -> list[int]:
        if row not in self._votes:
            raise UserError(
                f"{shown(self._file)}: no votes on row {shown(row)}, or a face with this row came "
                "before; number faces by their rows in fer2013.csv, from 0, or remove the column"
            )
        return self._votes.pop(row)


class _ByName:
    """Joins faces and votes by the name of the image, whatever its folder and suffix.

    If no name is in FER+, they are joined by the last number in it. The splits are the source's. A
    face without a name has no votes, as in FER+, where it is no face.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._taken = file, dict[str, str]()
        self._votes, self._twice = _by_name(file)
        self._numbers = {_number(name): name for name in self._votes}
        if len(self._numbers) < len(self._votes):
            self._numbers = {}
        self._numbered: bool | None = None
        self._faces = self._nameless = 0

    def votes(self, block: FaceBlock) -> list[list[int]]:
        """Return the votes on the faces of a block."""
        names = block.names or ()
        self._faces += len(names)
        self._nameless += sum(not name for name in names)
        return [self._votes[self._find(name)] if name else _NO_VOTES for name in names]

    def refuse_rest(self) -> None:
        """Raise UserError if too many faces have no name."""
        if self._nameless > _MAX_NAMELESS * self._faces:
            raise UserError(
                f"{shown(self._file)}: {self._nameless} of {self._faces} faces have no name, which "
                "their votes are found by; give them their Image name in FER+, or remove the column"
            )

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
    for row in islice(rows_of_votes(file), _MAX_ROWS):
        name = _stem(row.name)
        if name in found:
            twice.add(name)
        if name and found.setdefault(name, row.votes) != row.votes:
            ambiguous.add(name)
    if not found:
        raise UserError(f"{shown(file)}: no value in the column Image name; {AGAIN}")
    if len(ambiguous) > _MAX_AMBIGUOUS * len(found):
        raise UserError(
            f"{shown(file)}: different votes on the same Image name {min(ambiguous)}; {AGAIN}"
        )
    return found | dict.fromkeys(ambiguous, _NO_VOTES), twice


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
