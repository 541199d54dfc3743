"""Judge one of the pipeline's classifiers that was trained from one seed.

Reads models/seeds/CLASSIFIER/SEED, what the classifier reads, data/faces, data/test_labels.npy and
data/audit/keep.npy; writes seeds/metrics/CLASSIFIER/SEED.json and
data/seeds/predictions/CLASSIFIER/SEED.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array
from unmask.core.params.models import Named
from unmask.core.params.section import read
from unmask.core.seal import TEST_LABELS
from unmask.evaluation.classification.evaluate import evaluate_classifier
from unmask.seeds.inputs import images_of


def main(name: str, seed: str) -> None:
    """Run the stage for the classifier `name`: baseline, ceiling or a reconstructor's."""
    classifier = read(Named, "classifier")
    faces = FaceSet.open("data/faces").unsealed(TEST_LABELS)
    keep = open_array("data/audit/keep.npy")

    evaluate_classifier(
        f"models/seeds/{name}/{seed}",
        images_of(name),
        faces,
        keep,
        classifier,
        f"seeds/metrics/{name}/{seed}.json",
        f"data/seeds/predictions/{name}/{seed}",
    )


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)
