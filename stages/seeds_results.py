"""Put the results of all seeds side by side.

Reads seeds/metrics and data/faces/meta.json; writes seeds/results.json and the same as a table,
seeds/results.md.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.comparison.seeds import markdown, results
from unmask.comparison.tables import write_results
from unmask.core import stage
from unmask.core.checksum import of_json
from unmask.core.section import read
from unmask.params.models import Evaluate, Recon, classifier_settings


def main() -> None:
    """Run the stage."""
    figures = results(read(Recon, "recon").model, read(Evaluate, "evaluate").seeds)
    figures["settings_sha256"] = of_json(classifier_settings())

    write_results(Path("seeds/results"), figures, markdown(figures))


if __name__ == "__main__":
    stage.run(main)
