"""Generate the lower half of every face with one trained reconstructor.

Reads data/halves/upper.npy and models/reconstructors/M; writes data/reconstructed/M/lower.npy.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.compute.models import build_reconstructor
from unmask.core.compute.weights import load_weights
from unmask.core.files import open_array
from unmask.core.params.models import Reconstructor
from unmask.core.params.section import read
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
