"""Train the classifier on the true whole face: what perfect reconstruction would give.

Reads data/faces and data/audit; writes models/ceiling and its curves,
data/training/ceiling.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array
from unmask.core.params.models import Named
from unmask.core.params.section import read
from unmask.core.params.training import Train
from unmask.training.classifier.train import train_classifier


def main() -> None:
    """Run the stage."""
    classifier, train = read(Named, "classifier"), read(Train, "train")
    faces = FaceSet.open("data/faces")
    keep = open_array("data/audit/keep.npy")
    images = faces.images

    train_classifier("ceiling", images, faces, keep, classifier, train)


if __name__ == "__main__":
    stage.run(main)
