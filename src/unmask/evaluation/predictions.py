"""Predictions of a classifier as CSV: `row,label,prediction,p_0..p_6`."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unmask.core.checksum import check_beside, write_beside
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES

PROBABILITIES = [f"p_{label}" for label in range(len(CLASSES))]


def predictions(
    row: NDArray[np.int64], labels: NDArray[np.uint8], probabilities: NDArray[np.float32]
) -> pd.DataFrame:
    """Return the table of predictions.

    row: int64 [n], line or file index in the source; labels: uint8 [n]; probabilities: float32
    [n,7].
    """
    table = pd.DataFrame({"row": row, "label": labels, "prediction": probabilities.argmax(1)})
    table[PROBABILITIES] = probabilities
    return table


def write_predictions(path: Path, table: pd.DataFrame) -> None:
    """Write the table as CSV and its checksum beside it; the folder is to be written atomically."""
    table.to_csv(path, index=False, float_format="%.6f", lineterminator="\n")
    write_beside(path)


def test_predictions(name: str) -> pd.DataFrame:
    """Return the predictions of the pipeline's classifier `name` on the test split."""
    return read_predictions(Path("data/predictions") / name / "test.csv")


def read_predictions(path: Path) -> pd.DataFrame:
    """Read a table of predictions; raise UserError if it is missing or its checksum differs."""
    try:
        check_beside(path)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: no such file; run `dvc repro`") from None
    return pd.read_csv(path)
