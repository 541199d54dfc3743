"""Train the classifier on the true whole face: what perfect reconstruction would give.

Reads data/faces and data/audit; writes models/ceiling and its curves,
data/training/ceiling.
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
    images = faces.images

    train_classifier("ceiling", images, faces, keep, classifier, train)


if __name__ == "__main__":
    stage.run(main)
