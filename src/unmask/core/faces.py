"""The face set: every face of the source, in the order of the source, as memory-mapped arrays."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.core.errors import UserError
from unmask.core.files import ArrayWriter, open_array

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Class names by label, in the order of the Kaggle file."""

SPLITS = ("train", "validation", "test")
"""Split names by their number in `split.npy`."""

TRAIN, VALIDATION, TEST = range(3)

SIZE = 48
"""Height and width of a face in pixels."""

HIDDEN = 255
"""Placeholder for the label of a test face, which is in a sealed file; no loss accepts it."""


def rows_of(
    split: NDArray[np.uint8], number: int, keep: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return the rows in which `split`, uint8 [N], is `number` and `keep`, bool [N], is set."""
    chosen = split == number
    return np.flatnonzero(chosen if keep is None else chosen & keep)


_ARRAYS: dict[str, tuple[tuple[int, ...], type]] = {
    "images": ((SIZE, SIZE), np.uint8),
    "labels": ((), np.uint8),
    "split": ((), np.uint8),
    "row": ((), np.int64),
}
_SOFT_LABELS: dict[str, tuple[tuple[int, ...], type]] = {
    "soft_labels": ((len(CLASSES),), np.float32)
}


class FaceBlock(NamedTuple):
    """Some consecutive faces of a source."""

    images: NDArray[np.uint8]  # [B,48,48]
    labels: NDArray[np.uint8]  # [B]
    split: NDArray[np.uint8]  # [B]
    row: NDArray[np.int64]  # [B], line or file index in the source
    soft_labels: NDArray[np.float32] | None = None  # [B,7], from annotators' votes
    names: Sequence[str] | None = None  # [B], of the image files, if that is where they come from
    are_rows: bool = False  # whether these names are the rows of the faces in fer2013.csv, from 0


@dataclass(frozen=True)
class FaceSet:
    """The arrays that `ingest` wrote.

    images: uint8 [N,48,48]; labels: uint8 [N], index into CLASSES, or HIDDEN for test faces;
    split: uint8 [N], index into SPLITS; row: int64 [N], line or file index in the source;
    soft_labels: float32 [N,7], from annotators' votes if there are any, 0 for test faces.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    split: NDArray[np.uint8]
    row: NDArray[np.int64]
    soft_labels: NDArray[np.float32] | None = None

    @classmethod
    def open(cls, folder: str | Path) -> "FaceSet":
        """Open the arrays under `folder`, memory-mapped."""
        folder = Path(folder)
        arrays = {name: open_array(folder / f"{name}.npy") for name in _ARRAYS}
        if (folder / "soft_labels.npy").exists():
            arrays["soft_labels"] = open_array(folder / "soft_labels.npy")
        if len({len(array) for array in arrays.values()}) != 1:
            raise UserError(f"{folder}: arrays of different lengths; run `dvc repro -f ingest`")
        return cls(**arrays)

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, split: int, keep: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Return the indices of the faces of a split; see `rows_of`."""
        return rows_of(self.split, split, keep)

    def unsealed(self, test_labels: str | Path) -> "FaceSet":
        """Return the same faces with the labels of the test split, read from `test_labels`."""
        labels, test, hidden = np.array(self.labels), self.rows(TEST), open_array(test_labels)
        if len(test) != len(hidden):
            raise UserError(f"{test_labels}: not of these faces; run `dvc repro -f ingest`")
        labels[test] = hidden
        return replace(self, labels=labels)


class FaceSetWriter:
    """Writes a face set block by block; use it as a context manager.

    folder: of the arrays; test_labels: file for the labels of the test split, uint8, in order;
    soft_labels: whether the blocks hold them.
    """

    def __init__(self, folder: Path, test_labels: Path, *, soft_labels: bool = False) -> None:
        self._stack = ExitStack()
        self._arrays = {
            name: self._stack.enter_context(ArrayWriter(folder / f"{name}.npy", shape, dtype))
            for name, (shape, dtype) in (_ARRAYS | (_SOFT_LABELS if soft_labels else {})).items()
        }
        self._test_labels = self._stack.enter_context(ArrayWriter(test_labels, (), np.uint8))
        self.counts = np.zeros((len(SPLITS), len(CLASSES)), dtype=np.int64)
        """Faces so far by split and class."""

    def append(self, block: FaceBlock) -> None:
        """Add a block of faces."""
        test = block.split == TEST
        self._test_labels.append(block.labels[test])
        sealed = block._replace(labels=np.where(test, np.uint8(HIDDEN), block.labels))
        if block.soft_labels is not None:
            sealed = sealed._replace(
                soft_labels=np.where(test[:, np.newaxis], 0, block.soft_labels)
            )
        for name, array in self._arrays.items():
            array.append(getattr(sealed, name))
        np.add.at(self.counts, (block.split, block.labels), 1)

    def __enter__(self) -> "FaceSetWriter":
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()
