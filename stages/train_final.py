"""Train the classifier on the faces stitched from upper and reconstructed half.

Reads data/stitched/M, data/faces and data/audit; writes models/final/M and its curves,
data/training/final/M.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array
from unmask.core.params.models import Named
from unmask.core.params.section import read
from unmask.core.params.training import Train
from unmask.training.classifier.train import train_classifier


def main(model: str) -> None:
    """Run the stage for the reconstructor `model`."""
    classifier, train = read(Named, "classifier"), read(Train, "train")
    faces = FaceSet.open("data/faces")
    keep = open_array("data/audit/keep.npy")
    images = open_array(f"data/stitched/{model}/faces.npy")

    train_classifier(f"final/{model}", images, faces, keep, classifier, train)


if __name__ == "__main__":
    stage.run(main)
