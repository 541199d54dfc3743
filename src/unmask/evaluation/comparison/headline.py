"""The headline: what one reconstructor was worth."""

from typing import Any

from unmask.core.files import read_json
from unmask.evaluation.classification.predictions import test_predictions
from unmask.evaluation.comparison.paired import gain_interval, mcnemar_p


def headline(model: str) -> dict[str, Any]:
    """Return the figures of `metrics/headline.json` for the reconstructor `model`.

    `gain.accuracy` is final less baseline on the test split, with its 95 % interval and the p of
    McNemar's exact test.
    """
    blocks = {"baseline": "baseline", "final": model, "ceiling": "ceiling"}
    figures: dict[str, Any] = {"model": model}
    for block, name in blocks.items():
        figures[block] = _block(read_json(f"metrics/classification/{name}.json"))
    accuracy = {block: figures[block]["test"]["accuracy"] for block in blocks}
    tests = [test_predictions(name) for name in ("baseline", model)]
    figures["gain"] = {
        "accuracy": accuracy["final"] - accuracy["baseline"],
        "ci95": gain_interval(*tests),
        "mcnemar_p": mcnemar_p(*tests),
    }
    return figures


def _block(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a classifier's metrics that the headline repeats."""
    accuracy = ("accuracy", "ci95")
    keys = {"train": accuracy, "validation": accuracy, "test": (*accuracy, "macro_f1")}
    return {split: {key: metrics[split][key] for key in keys[split]} for split in keys}
