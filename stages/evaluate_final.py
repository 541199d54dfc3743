"""Judge the classifier of the faces stitched with one reconstructor, on every split.

Reads models/final/M, data/stitched/M, data/faces, data/test_labels.npy and data/audit; writes
metrics/classification/M.json and data/predictions/M (validation.csv, test.csv).
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array
from unmask.core.params.models import Named
from unmask.core.params.section import read
from unmask.core.seal import TEST_LABELS
from unmask.evaluation.classification.evaluate import evaluate_classifier


def main(model: str) -> None:
    """Run the stage for the reconstructor `model`."""
    classifier = read(Named, "classifier")
    faces = FaceSet.open("data/faces").unsealed(TEST_LABELS)
    keep = open_array("data/audit/keep.npy")
    images = open_array(f"data/stitched/{model}/faces.npy")

    evaluate_classifier(
        f"models/final/{model}",
        images,
        faces,
        keep,
        classifier,
        f"metrics/classification/{model}.json",
        f"data/predictions/{model}",
    )


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)
