"""What the experiments of the laboratory came to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unmask.core.checksum import of_json
from unmask.core.files import read_json
from unmask.evaluation.classification.predictions import read_predictions
from unmask.evaluation.comparison.correction import holm
from unmask.evaluation.comparison.paired import mcnemar_p
from unmask.laboratory.params import HONEST, Experiment

PAPER = {"train": 0.80, "after": 0.966}
"""What the paper reports for its classifier of stitched faces: accuracy in training, and after."""

REACH = 0.02
"""How near both figures have to come to the paper's to be said to reach them."""


def results(model: str, experiments: Mapping[str, Experiment]) -> dict[str, Any]:
    """Return the figures of `laboratory/results.json`: `experiments` by name, and what they are of.

    model, faces_sha256: the reconstructor, and the checksum of what ingest says of the faces.

    Of an experiment, `running_accuracy` is on training faces in training mode during the best
    epoch, dropout on; `train_accuracy` on the same faces afterwards; `accuracy` on the faces that
    are judged, with its 95 % interval. Where those are the official test split, `holm_p` is of
    McNemar's exact test against the honest experiment, corrected for all that are so compared.

    `epochs` holds, epoch by epoch, the running accuracy and that on the faces by which the epoch is
    chosen. `distance` is how far the pair of figures stays from the paper's: the larger of both
    differences, at the epoch where it is smallest if the judged faces choose, otherwise at the
    chosen epoch. `reaches` says whether it is within REACH.
    """
    figures = {name: _experiment(name, entry) for name, entry in experiments.items()}
    tables = {
        name: read_predictions(Path("data/laboratory/predictions") / name / "test.csv")
        for name, entry in experiments.items()
        if entry.judges_the_test_split
    }
    honest = tables.pop(HONEST)
    p_values = [mcnemar_p(honest, table) for table in tables.values()]
    for name, p, corrected in zip(tables, p_values, holm(p_values), strict=True):
        figures[name] |= {"mcnemar_p": p, "holm_p": corrected}
    faces = of_json(read_json("data/faces/meta.json"))
    return {"model": model, "faces_sha256": faces, "paper": PAPER, "experiments": figures}


def _experiment(name: str, experiment: Experiment) -> dict[str, Any]:
    metrics = read_json(f"laboratory/metrics/{name}.json")
    train, test = metrics["train"], metrics["test"]
    history = read_json(f"models/laboratory/classifiers/{name}/training.json")["history"]
    epochs = [(figures["train/accuracy"], figures["validation/accuracy"]) for figures in history]
    pairs = [(train["running_accuracy"], test["accuracy"])]
    if experiment.choose == "judged":
        pairs += epochs
    distance = np.abs(np.array(pairs) - [PAPER["train"], PAPER["after"]]).max(axis=1).min()
    return {
        "planted": experiment.planted,
        "running_accuracy": train["running_accuracy"],
        "running_ci95": train["running_ci95"],
        "train_accuracy": train["accuracy"],
        "train_ci95": train["ci95"],
        "validation_accuracy": metrics["validation"]["accuracy"],
        "validation_ci95": metrics["validation"]["ci95"],
        "accuracy": test["accuracy"],
        "ci95": test["ci95"],
        "distance": float(distance),
        "reaches": bool(distance <= REACH),
        "epochs": epochs,
    }
