"""Measure one reconstructor's lower halves: image quality, and what the ceiling classifier sees.

Reads the true faces, the labels that are not under seal, data/stitched/M, models/ceiling and the
facts of the reconstructor's training; writes metrics/reconstruction/M.json.
"""

import _source  # noqa: F401

from unmask.core import stage
from unmask.core.files import open_array, read_json, write_json
from unmask.core.provenance import made
from unmask.evaluation.quality import assess
from unmask.models.device import choose_device
from unmask.models.folder import load_model

_FACTS = ("pretrained", "parameters", "trained_parameters", "epochs", "best_epoch", "faults")


def main(model: str) -> None:
    """Run the stage for the reconstructor `model`."""
    true = open_array("data/faces/images.npy")
    stitched = open_array(f"data/stitched/{model}/faces.npy")
    labels = open_array("data/faces/labels.npy")  # without those of the test split
    split = open_array("data/faces/split.npy")
    keep = open_array("data/audit/keep.npy")

    figures = assess(load_model("models/ceiling"), true, stitched, labels, split, keep)
    training = read_json(f"models/reconstructors/{model}/training.json")
    facts = {key: training.get(key) for key in _FACTS}

    write_json(
        f"metrics/reconstruction/{model}.json",
        {"model": facts, **figures, "made": made(training["environment"], choose_device())},
    )


if __name__ == "__main__":
    stage.run(main)
