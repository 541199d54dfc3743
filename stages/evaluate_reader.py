"""Judge a reader, an ensemble or a posterior average, each of its models, on every split.

Reads models/readers/R, what it sees, data/faces, data/test_labels.npy and data/audit; writes
readers/metrics/R/SEED.json and data/readers/predictions/R/SEED (validation.csv, test.csv).
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.comparison.calibration import calibration
from unmask.core import stage
from unmask.core.faces import FaceSet
from unmask.core.files import open_array, read_json, write_json
from unmask.core.section import read
from unmask.core.stage import TEST_LABELS
from unmask.evaluation.evaluate import evaluate_classifier
from unmask.evaluation.predictions import read_predictions
from unmask.models.folder import read_config
from unmask.models.readers import model_folders, one_of
from unmask.params.models import Evaluate
from unmask.params.readers import Unsure


def main(name: str) -> None:
    """Run the stage for the entry `name`."""
    risk, augment = read(Unsure, "unsure").risk, read(Evaluate, "evaluate").augment
    faces = FaceSet.open("data/faces").unsealed(TEST_LABELS)
    keep = open_array("data/audit/keep.npy")

    for folder in model_folders(Path("models/readers") / name):
        judged = one_of(name, folder.name, read_config(folder).view)
        figures = evaluate_classifier(
            folder, judged.images(), faces, keep, judged.predictions, augment=augment
        )
        validation, test = (
            read_predictions(judged.predictions / f"{split}.csv")
            for split in ("validation", "test")
        )
        training = read_json(folder / "training.json")
        about = {
            "view": judged.view,
            "parameters": training["parameters"],
            "pretrained": training.get("pretrained"),
        }
        confidence = calibration(validation, test, risk)
        write_json(judged.metrics, {**about, **figures, "confidence": confidence})


if __name__ == "__main__":
    stage.run(main, reads_test_labels=True)
