"""Tables of what the audit found, as CSV."""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.audit.audit import Pair, Removal
from unmask.core.faces import CLASSES, SPLITS, FaceSet


def write_removals(path: Path, faces: FaceSet, removals: Sequence[Removal]) -> None:
    """Write `row,split,reason,duplicate_row`: the removed faces and which faces they copy."""
    removed = [removal.index for removal in removals]
    duplicates = [faces.row[r.duplicate_of] if r.duplicate_of >= 0 else "" for r in removals]
    _write(
        path,
        row=faces.row[removed],
        split=_splits(faces, removed),
        reason=[removal.reason for removal in removals],
        duplicate_row=duplicates,
    )


def write_pairs(path: Path, faces: FaceSet, pairs: Sequence[Pair]) -> None:
    """Write all pairs of near-duplicates.

    Columns: `row,split,class,duplicate_row,duplicate_split,duplicate_class,similarity`.
    """
    first, second = [pair.first for pair in pairs], [pair.second for pair in pairs]
    _write(
        path,
        row=faces.row[first],
        split=_splits(faces, first),
        **{"class": _classes(faces, first)},
        duplicate_row=faces.row[second],
        duplicate_split=_splits(faces, second),
        duplicate_class=_classes(faces, second),
        similarity=[f"{pair.similarity:.4f}" for pair in pairs],
    )


def write_manifest(path: Path, faces: FaceSet, keep: NDArray[np.bool_]) -> None:
    """Write `row,split,sha256,kept` for every face, without its pixels.

    It tells others which faces of their own copy of the source the audit kept.
    """
    checksums = [hashlib.sha256(np.ascontiguousarray(i).data).hexdigest() for i in faces.images]
    every = range(len(faces))
    _write(
        path, row=faces.row, split=_splits(faces, every), sha256=checksums, kept=keep.astype(int)
    )


def _write(path: Path, **columns: Iterable[object]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))


def _splits(faces: FaceSet, indices: Sequence[int]) -> list[str]:
    return [SPLITS[faces.split[index]] for index in indices]


def _classes(faces: FaceSet, indices: Sequence[int]) -> list[str]:
    return [CLASSES[faces.labels[index]] for index in indices]
