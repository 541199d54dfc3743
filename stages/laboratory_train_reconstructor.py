"""Train reconstructors that learn from other faces than they should, or from fewer.

Reads data/halves, meta.json and split.npy of data/faces, data/audit/keep.npy and groups.npy; writes
models/laboratory/reconstructors/LEARNED and their curves, data/training/laboratory. LEARNED says
what they learn from: `folds` or `all`, as the entries of `laboratory` in params.yaml say.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import VALIDATION, rows_of
from unmask.core.files import open_array
from unmask.core.section import read
from unmask.laboratory.folds import parts
from unmask.laboratory.labels import refuse_soft_labels
from unmask.models.readers import source_of_faces
from unmask.params.models import Recon, Reconstructor, Train
from unmask.training.finished import Finished
from unmask.training.reconstructor import train_reconstructor


def main(learned: str) -> None:
    """Run the stage for the reconstructors that learn from `learned`."""
    source = source_of_faces()
    refuse_soft_labels(source["labels"].endswith("_soft"))
    recon, train = read(Recon, "recon"), read(Train, "train")
    entry = read(Reconstructor, f"reconstructors.{recon.model}")
    halves = open_array("data/halves/upper.npy"), open_array("data/halves/lower.npy")
    split = open_array("data/faces/split.npy")
    keep, groups = open_array("data/audit/keep.npy"), open_array("data/audit/groups.npy")
    validation = rows_of(split, VALIDATION, keep)

    for number, (rows, _) in enumerate(
        parts(learned, recon.folds, split, keep, groups, train.seed)
    ):
        run = f"laboratory/reconstructors/{learned}/{number}"
        group = train_reconstructor(
            recon.model, halves, (rows, validation), entry, train, run, source,
            recon.teacher, one_of_several=True,
        )  # fmt: skip
    Finished.forget(f"laboratory/reconstructors/{learned}", group)


if __name__ == "__main__":
    stage.run(main)
