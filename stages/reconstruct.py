"""Generate the lower half of every face with one trained reconstructor.

Reads data/halves/upper.npy and models/reconstructors/M; writes data/reconstructed/M/lower.npy.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import open_array
from unmask.models.folder import load_model
from unmask.models.inference import reconstruct


def main(model: str) -> None:
    """Run the stage for the reconstructor `model`."""
    upper = open_array("data/halves/upper.npy")

    reconstructor = load_model(f"models/reconstructors/{model}")

    reconstruct(reconstructor, upper, Path("data/reconstructed") / model)


if __name__ == "__main__":
    stage.run(main)
