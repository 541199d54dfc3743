"""Predictions of a classifier as CSV: `row,label,prediction,p_0..p_6`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.checksum import check_beside, write_beside
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES

Table = NDArray[Any]
"""Predictions for n faces: [n] of ROW."""

ROW = np.dtype([
    ("row", np.int64), ("label", np.int64), ("prediction", np.int64),
    ("probabilities", np.float64, (len(CLASSES),)),
])  # fmt: skip
"""A face: its line or file index in the source, its class, the predicted one, and each class's p.

A structured array rather than a table of pandas, whose import would take longer than the rest.
"""

_HEADER = ",".join(["row", "label", "prediction", *(f"p_{label}" for label in range(len(CLASSES)))])
_FORMAT = ",".join(["%d", "%d", "%d", *["%.6f"] * len(CLASSES)])

SMALLEST = 1e-6
"""The least probability above zero that six decimals can tell; what is less is taken as this."""


def predictions(
    row: NDArray[np.int64], labels: NDArray[np.uint8], probabilities: NDArray[np.float32]
) -> Table:
    """Return the table of predictions.

    row: int64 [n], line or file index in the source; labels: uint8 [n]; probabilities: float32
    [n,7].
    """
    table = np.empty(len(row), ROW)
    table["row"], table["label"], table["probabilities"] = row, labels, probabilities
    table["prediction"] = probabilities.argmax(1)
    return table


def write_predictions(path: Path, table: Table) -> None:
    """Write the table as CSV and its checksum beside it; the folder is to be written atomically."""
    path.write_bytes(as_csv(table))
    write_beside(path)


def as_csv(table: Table) -> bytes:
    """Return the table as CSV, with six decimals."""
    lines = (_FORMAT % (*face, *shares) for *face, shares in table.tolist())
    return "\n".join([_HEADER, *lines, ""]).encode("ascii")


def predictions_on_test(name: str) -> Table:
    """Return the predictions of the pipeline's classifier `name` on the test split."""
    return read_predictions(Path("data/predictions") / name / "test.csv")


def read_predictions(path: Path) -> Table:
    """Read a table of predictions; raise UserError if it is missing or its checksum differs."""
    try:
        check_beside(path)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: no such file; run `dvc repro`") from None
    return read_table(path)


def read_table(path: Path) -> Table:
    """Read a table of predictions as it is; `path` can be compressed, such as `.csv.xz`."""
    return np.loadtxt(path, ROW, delimiter=",", skiprows=1, ndmin=1)
