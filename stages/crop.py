"""Crop every face to the half that a mask leaves visible and the half that it hides.

Reads data/faces/images.npy; writes data/halves (upper.npy and lower.npy, uint8 [N,24,48] each).
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import atomic_folder, open_array, save_array
from unmask.core.mask import crop


def main() -> None:
    """Run the stage."""
    images = open_array("data/faces/images.npy")

    upper, lower = crop(images)

    with atomic_folder(Path("data/halves")) as folder:
        save_array(folder / "upper.npy", upper)
        save_array(folder / "lower.npy", lower)


if __name__ == "__main__":
    stage.run(main)
