"""All reconstructors side by side."""

from collections.abc import Sequence
from typing import Any

from unmask.core.files import read_json
from unmask.evaluation.classification.predictions import test_predictions
from unmask.evaluation.comparison.paired import holm, mcnemar_p

LEVEL = 0.05
"""Corrected p under which a difference from the baseline is said to be shown."""


def compare(models: Sequence[str]) -> dict[str, Any]:
    """Return the figures of `metrics/compare.json`.

    Reconstructors are ranked by the accuracy of their final classifier on validation, since the
    rank is a choice; all other figures are of the test split unless they name another. Gains are
    over the baseline, with McNemar's exact p, corrected for all reconstructors by Holm's method.
    `parameters`, `epochs` and the like are of the reconstructor, not of the classifier.
    """
    figures = {name: _classifier(name) for name in ("baseline", "ceiling", *models)}
    baseline = test_predictions("baseline")
    p_values = [mcnemar_p(baseline, test_predictions(model)) for model in models]
    for model, p, corrected in zip(models, p_values, holm(p_values), strict=True):
        gain = figures[model]["accuracy"] - figures["baseline"]["accuracy"]
        reconstruction = read_json(f"metrics/reconstruction/{model}.json")
        figures[model] |= {
            "gain": gain,
            "mcnemar_p": p,
            "holm_p": corrected,
            "verdict": _verdict(gain, corrected),
            **reconstruction["model"],
            **reconstruction["test"],
        }
    ranked = sorted(models, key=lambda model: -figures[model]["validation_accuracy"])
    return {
        "baseline": figures["baseline"],
        "ceiling": figures["ceiling"],
        "models": {model: {"rank": rank, **figures[model]} for rank, model in enumerate(ranked, 1)},
    }


def _classifier(name: str) -> dict[str, Any]:
    metrics = read_json(f"metrics/classification/{name}.json")
    return {
        "train_running_accuracy": metrics["train"]["running_accuracy"],
        "train_accuracy": metrics["train"]["accuracy"],
        "validation_accuracy": metrics["validation"]["accuracy"],
        **{key: metrics["test"][key] for key in ("accuracy", "ci95", "macro_f1")},
    }


def _verdict(gain: float, corrected_p: float) -> str:
    """Say what the test says, and no more."""
    if corrected_p >= LEVEL:
        return "no difference shown"
    return "better" if gain > 0 else "worse"
