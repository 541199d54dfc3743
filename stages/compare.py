"""Rank all reconstructors by what their stitched faces are worth to the classifier.

Reads all of metrics/classification, metrics/reconstruction and the test predictions; writes
metrics/compare.json, the same as a table in metrics/compare.md and a figure, metrics/compare.png.
"""

import sys
from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_write, write_json
from unmask.core.provenance import mismatch
from unmask.evaluation.comparison import compare
from unmask.evaluation.tables import markdown, plot
from unmask.params.models import reconstructor_names


def main() -> None:
    """Run the stage."""
    models = reconstructor_names()

    figures = compare(models)
    table = markdown(figures)

    write_json("metrics/compare.json", figures)
    with atomic_write("metrics/compare.md") as temporary:
        temporary.write_text(table, encoding="utf-8")
    plot(figures, Path("metrics/compare.png"))
    print(table)
    if line := mismatch(figures, "metrics/compare.json"):
        print(f"note: {line}", file=sys.stderr)


if __name__ == "__main__":
    stage.run(main)
