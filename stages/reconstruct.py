"""Generate the lower half of every face with one trained reconstructor.

Reads data/halves/upper.npy and models/reconstructors/M; writes data/reconstructed/M/lower.npy.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.base import stage
from unmask.base.files import open_array
from unmask.compute.models import build_reconstructor
from unmask.compute.weights import load_weights
from unmask.params.models import Reconstructor
from unmask.params.section import read
from unmask.reconstruction import reconstruct


def main(model: str) -> None:
    """Run the stage for the reconstructor `model`."""
    entry = read(Reconstructor, f"reconstructors.{model}")
    upper = open_array("data/halves/upper.npy")
    weights = Path("models/reconstructors") / model / "weights.safetensors"

    reconstructor = load_weights(build_reconstructor(model, entry), weights)
    reconstruct(reconstructor, upper, Path("data/reconstructed") / model)


if __name__ == "__main__":
    stage.run(main)
