"""Inject what one experiment of the laboratory does to the data.

Reads data/faces, data/test_labels.npy, data/audit/keep.npy and flat.npy, and the stitched faces;
writes a face set, data/laboratory/injected/EXPERIMENT/faces, and the labels of its test split
beside it. This is where leaks come from, so it reads the test labels; what trains on the result
cannot.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import atomic_folder, open_array
from unmask.core.section import read
from unmask.core.stage import TEST_LABELS
from unmask.laboratory.inject import inject
from unmask.params.laboratory import Experiment
from unmask.params.models import Train


def main(name: str) -> None:
    """Run the stage for the experiment `name`."""
    experiment, train = read(Experiment, f"laboratory.{name}"), read(Train, "train")
    faces = FaceSet.open("data/faces").unsealed(TEST_LABELS)
    keep, flat = open_array("data/audit/keep.npy"), open_array("data/audit/flat.npy")
    stitched = open_array(f"data/laboratory/stitched/{experiment.reconstructor}/faces.npy")

    with atomic_folder(Path("data/laboratory/injected") / name) as folder:
        inject(faces, keep, flat, stitched, experiment, train, folder)


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)
