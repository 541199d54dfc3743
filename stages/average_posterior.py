"""Make one of `posterior_averages` in params.yaml: a reconstructor and a reader of whole faces.

Reads models/reconstructors/M and models/readers/R; writes models/readers/A/SEED, a model for each
seed of the reader.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.section import read
from unmask.models.composed import posterior_average
from unmask.models.readers import model_folders
from unmask.params.readers import PosteriorAverage


def main(name: str) -> None:
    """Run the stage for the entry `name`."""
    entry = read(PosteriorAverage, f"posterior_averages.{name}")
    reconstructor = Path("models/reconstructors") / entry.reconstructor

    for reader in model_folders(f"models/readers/{entry.reader}"):
        made = posterior_average(reconstructor, reader, entry.samples)
        made.save(Path("models/readers") / name / reader.name)


if __name__ == "__main__":
    stage.run(main)
