"""Judge one of the pipeline's classifiers on every split; see train_classifier.py for their names.

Reads its model folder, what it sees, data/faces, data/test_labels.npy and data/audit; writes
metrics/classification/NAME.json and data/predictions/NAME (validation.csv, test.csv). With a seed,
it judges for the pipeline of seeds, into seeds/metrics and data/seeds/predictions.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array, write_json
from unmask.core.section import read
from unmask.core.stage import TEST_LABELS
from unmask.evaluation.evaluate import evaluate_classifier
from unmask.models.readers import reader
from unmask.params.models import Evaluate


def main(name: str, seed: str = "") -> None:
    """Run the stage for the classifier `name`."""
    faces = FaceSet.open("data/faces").unsealed(TEST_LABELS)
    keep = open_array("data/audit/keep.npy")
    judged = reader(name, seed)

    figures = evaluate_classifier(
        Path("models") / judged.run,
        judged.images(),
        faces,
        keep,
        judged.predictions,
        augment=read(Evaluate, "evaluate").augment,
    )

    write_json(judged.metrics, figures)


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)
