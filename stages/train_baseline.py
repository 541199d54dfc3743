"""Train the classifier on the upper half, what a mask leaves visible.

Reads data/halves, data/faces and data/audit; writes models/baseline and its curves,
data/training/baseline.
"""

import _source  # noqa: F401

from unmask.base import stage
from unmask.base.faces import FaceSet
from unmask.base.files import open_array
from unmask.params.models import Named
from unmask.params.section import read
from unmask.params.training import Train
from unmask.training.classifier import train_classifier


def main() -> None:
    """Run the stage."""
    classifier, train = read(Named, "classifier"), read(Train, "train")
    faces = FaceSet.open("data/faces")
    keep = open_array("data/audit/keep.npy")
    images = open_array("data/halves/upper.npy")

    train_classifier("baseline", images, faces, keep, classifier, train)


if __name__ == "__main__":
    stage.run(main)
