"""Judge the baseline, the classifier of the upper half, on every split.

Reads models/baseline, data/halves, data/faces and data/audit; writes
metrics/classification/baseline.json and data/predictions/baseline (validation.csv, test.csv).
"""

import _source  # noqa: F401

from unmask.base import stage
from unmask.base.faces import FaceSet
from unmask.base.files import open_array
from unmask.evaluation.classifier import evaluate_classifier
from unmask.params.models import Named
from unmask.params.section import read


def main() -> None:
    """Run the stage."""
    classifier = read(Named, "classifier")
    faces = FaceSet.open("data/faces")
    keep = open_array("data/audit/keep.npy")
    images = open_array("data/halves/upper.npy")

    evaluate_classifier("baseline", "models/baseline", images, faces, keep, classifier)


if __name__ == "__main__":
    stage.run(main)
