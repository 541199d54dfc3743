"""Train one reconstructor to generate lower halves from upper halves.

Reads data/halves, the splits and what the audit keeps, and no label; what `recon.teacher` left in
models/teachers, if the objective asks for it. Writes models/reconstructors/M and its curves and
pictures, data/training/reconstructors/M.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import TRAIN, VALIDATION, rows_of
from unmask.core.files import open_array
from unmask.core.section import read
from unmask.models.readers import source_of_faces
from unmask.params.models import Recon, Reconstructor, Train
from unmask.training.reconstructor import train_reconstructor


def main(model: str) -> None:
    """Run the stage for the reconstructor `model`."""
    entry, train = read(Reconstructor, f"reconstructors.{model}"), read(Train, "train")
    halves = open_array("data/halves/upper.npy"), open_array("data/halves/lower.npy")
    split = open_array("data/faces/split.npy")
    keep = open_array("data/audit/keep.npy")
    rows = rows_of(split, TRAIN, keep), rows_of(split, VALIDATION, keep)

    train_reconstructor(
        model, halves, rows, entry, train, f"reconstructors/{model}", source_of_faces(),
        read(Recon, "recon").teacher,
    )  # fmt: skip


if __name__ == "__main__":
    stage.run(main)
