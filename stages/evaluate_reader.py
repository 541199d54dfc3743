"""Judge a reader, an ensemble or a posterior average, each of its models.

Reads models/readers/R, what it sees, data/faces, data/test_labels.npy and data/audit; writes
readers/metrics/R/SEED.json and data/readers/predictions/R/SEED (validation.csv, test.csv). Readers
and ensembles are judged on training faces as well, and posterior averages not, which draw several
halves of each face: for all of FER2013, that takes hours.
"""

from pathlib import Path

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.faces import SPLITS, FaceSet
from unmask.core.files import open_array, read_json, write_json
from unmask.core.section import read
from unmask.core.stage import TEST_LABELS
from unmask.evaluation.calibration import calibration
from unmask.evaluation.evaluate import evaluate_classifier
from unmask.evaluation.predictions import read_predictions
from unmask.models.folder import read_config
from unmask.models.readers import model_folders, one_of
from unmask.params.models import Evaluate
from unmask.params.readers import Unsure

_DRAWS, _HELD_OUT = "posterior_average", ("validation", "test")


def main(name: str) -> None:
    """Run the stage for the entry `name`."""
    risk, augment = read(Unsure, "unsure").risk, read(Evaluate, "evaluate").augment
    faces = FaceSet.open("data/faces").unsealed(TEST_LABELS)
    keep = open_array("data/audit/keep.npy")

    for folder in model_folders(Path("models/readers") / name):
        config = read_config(folder)
        judged = one_of(name, folder.name, config.view)
        figures = evaluate_classifier(
            folder,
            judged.images(),
            faces,
            keep,
            judged.predictions,
            augment=augment,
            splits=_HELD_OUT if config.architecture == _DRAWS else SPLITS,
        )
        validation, test = (
            read_predictions(judged.predictions / f"{split}.csv") for split in _HELD_OUT
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
