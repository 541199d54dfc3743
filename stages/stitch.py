"""Join every upper half to the lower half that one reconstructor generated for it.

Reads data/halves/upper.npy and data/reconstructed/M; writes data/stitched/M/faces.npy.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import open_array, save_array, whole_folder
from unmask.core.mask import stitch


def main(model: str) -> None:
    """Run the stage for the reconstructor `model`."""
    upper = open_array("data/halves/upper.npy")
    lower = open_array(f"data/reconstructed/{model}/lower.npy")

    faces = stitch(upper, lower)

    with whole_folder(Path("data/stitched") / model) as folder:
        save_array(folder / "faces.npy", faces)


if __name__ == "__main__":
    stage.run(main)
