"""Compare two collected runs on the same test faces.

    python results/side_by_side.py FIRST SECOND

Prints a Markdown table of the classifiers in FIRST, which SECOND must have too: test accuracies
with their intervals, and the gain of the second, with p of McNemar's exact test and Holm's
correction.
"""

import argparse
import json
import sys
from math import isclose
from pathlib import Path
from typing import Any

from unmask.cli.command import one_line
from unmask.comparison.tables import percent, points, table
from unmask.evaluation.predictions import Table, read_table
from unmask.evaluation.statistics import gain_interval, holm, mcnemar_p


def main(first: Path, second: Path) -> None:
    """Print the table."""
    names = [path.name.split(".")[0] for path in sorted((first / "predictions").iterdir())]
    rows = {name: _compared(name, first, second) for name in names}
    corrected = holm([row["p"] for row in rows.values()])
    for row, p in zip(rows.values(), corrected, strict=True):
        row["holm_p"] = p
    columns = {
        f"{first.name} [95 %]": percent("first", "first_ci95"),
        f"{second.name} [95 %]": percent("second", "second_ci95"),
        "difference, points [95 %]": points("gain", "gain_ci95"),
        "p (Holm)": lambda row: f"{row['holm_p']:.2g}",
    }
    print("\n".join(table("classifier", columns, rows)))


def _compared(name: str, first: Path, second: Path) -> dict[str, Any]:
    one, two = (_test(folder, name) for folder in (first, second))
    before, after = (_predictions(folder, name) for folder in (first, second))
    return {
        "first": one["accuracy"],
        "first_ci95": one["ci95"],
        "second": two["accuracy"],
        "second_ci95": two["ci95"],
        "gain": two["accuracy"] - one["accuracy"],
        "gain_ci95": gain_interval(before, after),
        "p": mcnemar_p(before, after),
    }


def _predictions(folder: Path, name: str) -> Table:
    """Return the predictions on the test split, which the metrics must be of."""
    predictions = read_table(folder / f"predictions/{name}.csv.xz")
    accuracy = (predictions["label"] == predictions["prediction"]).mean()
    if not isclose(accuracy, _test(folder, name)["accuracy"]):
        sys.exit(f"error: {folder}: metrics and predictions of {name} differ; collect them again")
    return predictions


def _test(folder: Path, name: str) -> dict[str, Any]:
    metrics = json.loads((folder / f"metrics/classification/{name}.json").read_text())
    test: dict[str, Any] = metrics["test"]
    return test


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    arguments = parser.parse_args()
    one_line(main)(arguments.first, arguments.second)
