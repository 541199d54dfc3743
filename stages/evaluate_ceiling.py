"""Judge the ceiling, the classifier of the true whole face, on every split.

Reads models/ceiling, data/faces, data/test_labels.npy and data/audit; writes
metrics/classification/ceiling.json and data/predictions/ceiling (validation.csv, test.csv).
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
    images = faces.images

    evaluate_classifier(
        "models/ceiling",
        images,
        faces,
        keep,
        classifier,
        "metrics/classification/ceiling.json",
        "data/predictions/ceiling",
    )


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)
