"""FER+: FER2013 labelled anew by ten annotators a face (Barsoum et al. 2016, arXiv:1608.01041).

The file `fer2013new.csv` has a row for each row of `fer2013.csv`, in its order, with the votes for
eight emotions, for `unknown` and for `NF`, not a face. As its authors do, votes that only one
annotator gave are left out as mistakes, and an emotion is the label of a face where it has more
than half of what is left. Faces without such an emotion, or where it is contempt, which FER2013
does not know, or where it is none because the picture shows no face, leave all splits.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, FaceBlock
from unmask.sources.wording import shown

USAGES = {"Training": 0, "PublicTest": 1, "PrivateTest": 2}

EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""Columns of the file, in the order of CLASSES."""

COLUMNS = ("Usage", "Image name", "neutral", "happiness", "surprise", "sadness", "anger",
           "disgust", "fear", "contempt", "unknown", "NF")  # fmt: skip

OTHERS = ("contempt", "unknown", "NF")
"""What else annotators could vote for; the last is `not a face`."""


def relabelled(blocks: Iterator[FaceBlock], file: Path) -> Iterator[FaceBlock]:
    """Yield the faces of a source that have a label by majority, with the shares of the votes.

    Raises UserError for a file that is not FER+, or not of these faces.
    """
    votes, split = _read(file)
    start = 0
    for block in blocks:
        rows = slice(start, start + len(block.labels))
        start = rows.stop
        if not np.array_equal(block.split, split[rows]):
            raise _other_faces(file)
        labels, shares = majority(votes[rows])
        known = labels >= 0
        yield FaceBlock(
            block.images[known],
            labels[known].astype(np.uint8),
            block.split[known],
            block.row[known],
            shares[known],
        )
    if start != len(votes):
        raise _other_faces(file)


def majority(votes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return labels, int64 [n], -1 where there is none, and the seven classes' shares, float [n,7].

    votes: int [n,10], of CLASSES and of contempt, unknown and not a face.
    """
    votes = np.where(votes > 1, votes, 0)
    total, classes = votes.sum(axis=1), votes[:, : len(CLASSES)]
    most = votes.argmax(axis=1)
    clear = 2 * votes.max(axis=1) > total
    labels = np.where(clear & (most < len(CLASSES)), most, -1)
    shares = classes / np.maximum(classes.sum(axis=1, keepdims=True), 1)
    return labels, shares.astype(np.float32)


def _read(file: Path) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    try:
        # As text at first: what is no number is to be named with its line.
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(
            f"{shown(file)}: no such file; set data.votes to fer2013new.csv of FER+"
        ) from None
    except (ValueError, OSError) as error:
        raise UserError(
            f"{shown(file)}: not a readable CSV file ({error}); get fer2013new.csv of FER+ again"
        ) from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise UserError(
            f"{shown(file)}: no column {missing[0]}; set data.votes to fer2013new.csv of FER+"
        )
    return _numbers(table[[*EMOTIONS, *OTHERS]], file), _splits(table["Usage"], file)


def _numbers(table: pd.DataFrame, file: Path) -> NDArray[np.int64]:
    wrong = ~table.apply(lambda column: column.str.fullmatch(r"[0-9]{1,3}"))
    if wrong.to_numpy().any():
        row, column = np.argwhere(wrong.to_numpy())[0]
        raise UserError(
            f"{shown(file)}:{row + 2}: {table.columns[column]} is {table.iat[row, column]!r}, not "
            "a number of votes; get the file again, or mend this line"
        )
    return table.to_numpy().astype(np.int64)


def _splits(usage: "pd.Series[str]", file: Path) -> NDArray[np.uint8]:
    split = usage.map(USAGES)
    if split.isna().any():
        row = int(split.isna().to_numpy().argmax())
        raise UserError(
            f"{shown(file)}:{row + 2}: Usage is {usage[row]!r}, none of {', '.join(USAGES)}; "
            "get the file again, or mend this line"
        )
    return split.to_numpy().astype(np.uint8)


def _other_faces(file: Path) -> UserError:
    return UserError(
        f"{shown(file)}: not the votes on data.source: other faces, or in another order; "
        "FER+ goes with fer2013.csv or icml_face_data.csv of Kaggle"
    )
