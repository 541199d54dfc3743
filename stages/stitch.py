"""Join every upper half to the lower half that one reconstructor generated for it.

Reads data/halves/upper.npy and data/reconstructed/M; writes data/stitched/M/faces.npy.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import SIZE
from unmask.core.files import ArrayWriter, atomic_folder, open_array
from unmask.core.mask import stitch

_ROWS = 1 << 12


def main(model: str) -> None:
    """Run the stage for the reconstructor `model`."""
    upper = open_array("data/halves/upper.npy")
    lower = open_array(f"data/reconstructed/{model}/lower.npy")

    with (
        atomic_folder(Path("data/stitched") / model) as folder,
        ArrayWriter(folder / "faces.npy", (SIZE, SIZE), upper.dtype) as faces,
    ):
        for start in range(0, len(upper), _ROWS):
            rows = slice(start, start + _ROWS)
            faces.append(stitch(upper[rows], lower[rows]))


if __name__ == "__main__":
    stage.run(main)
