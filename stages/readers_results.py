"""Put all readers, ensembles and posterior averages side by side.

Reads readers/metrics, readers/teachers, data/readers/predictions and data/faces/meta.json; writes
readers/results.json, the same as a table in results.md and as a figure in results.png.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.comparison.readers import draw, markdown, results
from unmask.comparison.tables import write_results
from unmask.core import stage
from unmask.core.section import read
from unmask.params.readers import Unsure, read_readers


def main() -> None:
    """Run the stage."""
    figures = results(read_readers(), read(Unsure, "unsure").risk)

    write_results(Path("readers/results"), figures, markdown(figures), draw(figures))


if __name__ == "__main__":
    stage.run(main)
