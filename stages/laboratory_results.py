"""Put the experiments of the laboratory side by side.

Reads laboratory/metrics, data/laboratory/predictions, the training.json of
models/laboratory/classifiers and data/faces/meta.json; writes laboratory/results.json, the same as
a table in results.md and as a figure in results.png.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.comparison.tables import write_results
from unmask.core import stage
from unmask.core.checksum import of_json
from unmask.core.section import read
from unmask.laboratory.results import draw, markdown, results
from unmask.params.laboratory import read_experiments
from unmask.params.models import Recon, classifier_settings


def main() -> None:
    """Run the stage."""
    figures = results(read(Recon, "recon").model, read_experiments())
    figures["settings_sha256"] = of_json(classifier_settings())

    write_results(Path("laboratory/results"), figures, markdown(figures), draw(figures))


if __name__ == "__main__":
    stage.run(main)
