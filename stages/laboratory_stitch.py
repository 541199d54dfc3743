"""Stitch every face with what the reconstructors of the laboratory generate.

Reads data/stitched/M, M being recon.model, data/faces/split.npy, data/audit/keep.npy and
groups.npy, and models/laboratory/reconstructors/LEARNED; writes
data/laboratory/stitched/LEARNED/faces.npy. LEARNED says what they learned from: `train` as in the
pipeline, `folds` or `all`.
"""

from pathlib import Path

import _source  # noqa: F401

import numpy as np

from unmask.core import stage
from unmask.core.files import atomic_folder, open_array, save_array
from unmask.core.section import read
from unmask.laboratory.folds import fill, parts
from unmask.params.models import Recon, Train


def main(learned: str) -> None:
    """Run the stage for the reconstructors that learned from `learned`."""
    recon, train = read(Recon, "recon"), read(Train, "train")
    split = open_array("data/faces/split.npy")
    keep, groups = open_array("data/audit/keep.npy"), open_array("data/audit/groups.npy")
    stitched = np.array(open_array(f"data/stitched/{recon.model}/faces.npy"))

    if learned != "train":
        models = Path("models/laboratory/reconstructors") / learned
        for number, (_, rows) in enumerate(
            parts(learned, recon.folds, split, keep, groups, train.seed)
        ):
            fill(stitched, models / str(number), rows)

    with atomic_folder(Path("data/laboratory/stitched") / learned) as folder:
        save_array(folder / "faces.npy", stitched)


if __name__ == "__main__":
    stage.run(main)
