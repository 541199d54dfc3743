"""Judge the baseline, the classifier of the upper half, on every split.

Reads models/baseline, data/halves, data/faces, data/test_labels.npy and data/audit; writes
metrics/classification/baseline.json and data/predictions/baseline (validation.csv, test.csv).
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array
from unmask.core.params.models import Named
from unmask.core.params.section import read
from unmask.core.seal import TEST_LABELS
from unmask.evaluation.classification.evaluate import evaluate_classifier


def main() -> None:
    """Run the stage."""
    classifier = read(Named, "classifier")
    faces = FaceSet.open("data/faces").unsealed(TEST_LABELS)
    keep = open_array("data/audit/keep.npy")
    images = open_array("data/halves/upper.npy")

    evaluate_classifier(
        "models/baseline",
        images,
        faces,
        keep,
        classifier,
        "metrics/classification/baseline.json",
        "data/predictions/baseline",
    )


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)
