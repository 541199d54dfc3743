"""All reconstructors side by side."""

from collections.abc import Sequence
from typing import Any

from unmask.core.faces import SPLITS
from unmask.core.files import read_json
from unmask.evaluation.classification.predictions import test_predictions
from unmask.evaluation.comparison.calibration import calibration_error
from unmask.evaluation.comparison.correction import holm
from unmask.evaluation.comparison.environments import environments
from unmask.evaluation.comparison.paired import gain_interval, mcnemar_p, smallest_gain

LEVEL = 0.05
"""Corrected p under which a difference from the baseline is said to be shown."""


def compare(models: Sequence[str]) -> dict[str, Any]:
    """Return the figures of `metrics/compare.json`.

    Reconstructors are ranked by the accuracy of their final classifier on validation, since the
    rank is a choice; all other figures are of the test split unless they name another. Gains are
    over the baseline, with McNemar's exact p, corrected for all reconstructors by Holm's method;
    `smallest_gain` is what the split could have shown after the correction.
    `parameters`, `epochs` and the like are of the reconstructor, not of the classifier.
    """
    figures = {name: _classifier(name) for name in ("baseline", "ceiling", *models)}
    baseline = test_predictions("baseline")
    tables = [test_predictions(model) for model in models]
    p_values = [mcnemar_p(baseline, table) for table in tables]
    for model, table, p, corrected in zip(models, tables, p_values, holm(p_values), strict=True):
        gain = figures[model]["accuracy"] - figures["baseline"]["accuracy"]
        reconstruction = read_json(f"metrics/reconstruction/{model}.json")
        figures[model] |= {
            "gain": gain,
            "gain_ci95": gain_interval(baseline, table),
            "smallest_gain": smallest_gain(baseline, table, LEVEL / len(models)),
            "mcnemar_p": p,
            "holm_p": corrected,
            "verdict": _verdict(gain, corrected),
            **reconstruction["model"],
            **reconstruction["test"],
        }
    results = [read_json(f"metrics/classification/{name}.json") for name in figures]
    results += [read_json(f"metrics/reconstruction/{model}.json") for model in models]
    ranked = sorted(models, key=lambda model: -figures[model]["validation_accuracy"])
    return {
        "baseline": figures["baseline"],
        "ceiling": figures["ceiling"],
        "models": {model: {"rank": rank, **figures[model]} for rank, model in enumerate(ranked, 1)},
        "environments": environments(result["made"] for result in results),
    }


def _classifier(name: str) -> dict[str, Any]:
    metrics = read_json(f"metrics/classification/{name}.json")
    train, validation, test = (metrics[split] for split in SPLITS)
    return {
        "train_running_accuracy": train["running_accuracy"],
        "train_running_ci95": train["running_ci95"],
        "train_accuracy": train["accuracy"],
        "train_ci95": train["ci95"],
        "validation_accuracy": validation["accuracy"],
        "validation_ci95": validation["ci95"],
        **{key: value for key, value in test.items() if key not in ("per_class", "confusion")},
        "calibration_error": calibration_error(test_predictions(name)),
    }


def _verdict(gain: float, corrected_p: float) -> str:
    """Say what the test says, and no more."""
    if corrected_p >= LEVEL:
        return "no difference shown"
    return "better" if gain > 0 else "worse"
