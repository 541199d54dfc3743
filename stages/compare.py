"""Rank all reconstructors by what their stitched faces are worth to the classifier.

Reads data/reconstructors.json, all of metrics/classification, metrics/reconstruction and the test
predictions; writes metrics/compare.json, the same as a table in metrics/compare.md and a figure,
metrics/compare.png.
"""

import sys
from pathlib import Path

import _source  # noqa: F401

from unmask.comparison.reconstructors import compare
from unmask.comparison.tables import draw, markdown, write_results
from unmask.core import stage
from unmask.core.files import read_json
from unmask.core.provenance import mismatch


def main() -> None:
    """Run the stage."""
    figures = compare(read_json("data/reconstructors.json")["names"])

    write_results(Path("metrics/compare"), figures, markdown(figures), draw(figures))
    if line := mismatch(figures, "metrics/compare.json"):
        print(f"note: {line}", file=sys.stderr)


if __name__ == "__main__":
    stage.run(main)
