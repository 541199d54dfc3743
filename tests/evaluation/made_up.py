"""Predictions and metrics as a pipeline writes them, of classifiers that never existed."""

from pathlib import Path

import numpy as np
import torch

from unmask.core.files import write_json
from unmask.core.provenance import environment, made
from unmask.evaluation.metrics import metrics
from unmask.evaluation.predictions import predictions, write_predictions

CPU = torch.device("cpu")
MADE = made(environment(CPU), CPU)


def table(labels, predicted):
    """Return predictions as a classifier that is always sure would make them."""
    labels, predicted = np.asarray(labels, np.uint8), np.asarray(predicted)
    return predictions(np.arange(len(labels)) + 2, labels, np.eye(7, dtype=np.float32)[predicted])


def evaluate(accuracies, seed=0):
    """Write predictions and metrics of classifiers with these accuracies on the same 400 faces.

    Those besides baseline and ceiling read what a reconstructor of the same name generates.
    """
    random = np.random.default_rng(seed)
    labels = random.integers(0, 7, 400)
    hit = random.random(400)
    for name, share in accuracies.items():
        predicted = table(labels, np.where(hit < share, labels, (labels + 1) % 7))
        folder = Path("data/predictions") / name
        folder.mkdir(parents=True, exist_ok=True)
        write_predictions(folder / "test.csv", predicted)
        splits = {"train": predicted, "validation": predicted, "test": predicted}
        write_json(f"metrics/classification/{name}.json", metrics(splits, 0.5) | {"made": MADE})
    for name in accuracies.keys() - {"baseline", "ceiling"}:
        block = {"psnr_db": 20.0, "ssim": 0.5, "l1": 0.1, "frechet_distance": 3.0}
        block |= {"gradient_energy": 0.4}
        block |= {"expression_agreement": 0.5}
        facts = {"pretrained": "none" if name == "good" else None, "parameters": 1234}
        facts |= {"trained_parameters": 999, "epochs": 5, "best_epoch": 4, "faults": {}}
        splits = {"model": facts, "made": MADE, "train": block, "validation": block, "test": block}
        write_json(f"metrics/reconstruction/{name}.json", splits)
