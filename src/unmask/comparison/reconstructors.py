"""The comparison of all reconstructors, and the headline for one of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from unmask.core.errors import UserError
from unmask.core.faces import SPLITS
from unmask.core.files import read_json
from unmask.core.provenance import environments
from unmask.evaluation.metrics import confusion_of
from unmask.evaluation.predictions import Table, predictions_on_test
from unmask.evaluation.statistics import (
    calibration_error,
    gain_bound,
    gain_interval,
    holm,
    mcnemar_p,
    minimum_detectable_gain,
    refuse_other_faces,
)

LEVEL = 0.05
"""A difference from the baseline counts as shown if its corrected p is below this."""


def compare(models: Sequence[str]) -> dict[str, Any]:
    """Return the figures of `metrics/compare.json`.

    Reconstructors are ranked by the validation accuracy of their final classifier, since ranking is
    a choice; all other figures are for the test split unless they name another. Gains are over the
    baseline, with McNemar's exact p, corrected for the number of reconstructors by Holm's method;
    `minimum_detectable_gain` is what the test could have detected after the correction, and
    `gain_bound` what the gain is shown to lie below; see `evaluation.statistics`.
    `parameters`, `epochs` and the like describe the reconstructor, not the classifier.
    """
    found = {name: _evaluated(name) for name in ("baseline", "ceiling", *models)}
    figures = {name: _classifier(metrics, table) for name, (metrics, table) in found.items()}
    baseline, ceiling, *tables = (table for _, table in found.values())
    refuse_other_faces(baseline, ceiling)
    p_values = [mcnemar_p(baseline, table) for table in tables]
    for model, table, p, corrected in zip(models, tables, p_values, holm(p_values), strict=True):
        gain = figures[model]["accuracy"] - figures["baseline"]["accuracy"]
        reconstruction = read_json(f"metrics/reconstruction/{model}.json")
        figures[model] |= {
            "gain": gain,
            "gain_ci95": gain_interval(baseline, table),
            "gain_bound": gain_bound(baseline, table),
            "minimum_detectable_gain": minimum_detectable_gain(
                baseline, table, LEVEL / len(models)
            ),
            "mcnemar_p": p,
            "holm_p": corrected,
            "verdict": _verdict(gain, corrected),
            **reconstruction["model"],
            **reconstruction["test"],
        }
    results = [metrics for metrics, _ in found.values()]
    results += [read_json(f"metrics/reconstruction/{model}.json") for model in models]
    ranked = sorted(models, key=lambda model: -figures[model]["validation_accuracy"])
    return {
        "baseline": figures["baseline"],
        "ceiling": figures["ceiling"],
        "models": {model: {"rank": rank, **figures[model]} for rank, model in enumerate(ranked, 1)},
        "environments": environments(result["made"] for result in results),
    }


def _evaluated(name: str) -> tuple[dict[str, Any], Table]:
    """Return the metrics of a classifier and the predictions on the test split that they are of."""
    file = f"metrics/classification/{name}.json"
    metrics, table = read_json(file), predictions_on_test(name)
    if metrics["test"]["confusion"] != confusion_of(table).tolist():
        raise UserError(f"{file}: not of the predictions in data/predictions; run `dvc repro`")
    return metrics, table


def _classifier(metrics: dict[str, Any], predictions: Table) -> dict[str, Any]:
    train, validation, test = (metrics[split] for split in SPLITS)
    return {
        "train_running_accuracy": train["running_accuracy"],
        "train_running_ci95": train["running_ci95"],
        "train_accuracy": train["accuracy"],
        "train_ci95": train["ci95"],
        "validation_accuracy": validation["accuracy"],
        "validation_ci95": validation["ci95"],
        **{key: value for key, value in test.items() if key not in ("per_class", "confusion")},
        "calibration_error": calibration_error(predictions),
    }


def _verdict(gain: float, corrected_p: float) -> str:
    """Return what the test shows, and no more."""
    if corrected_p >= LEVEL:
        return "no difference shown"
    return "better" if gain > 0 else "worse"


def headline(model: str) -> dict[str, Any]:
    """Return the figures of `metrics/headline.json` for the reconstructor `model`.

    `gain.accuracy` is final minus baseline on the test split, with its 95 % interval and the p of
    McNemar's exact test.
    """
    (baseline, before), (final, after) = _evaluated("baseline"), _evaluated(model)
    return {
        "model": model,
        "baseline": _block(baseline),
        "final": _block(final),
        "ceiling": _block(read_json("metrics/classification/ceiling.json")),
        "gain": {
            "accuracy": final["test"]["accuracy"] - baseline["test"]["accuracy"],
            "ci95": gain_interval(before, after),
            "mcnemar_p": mcnemar_p(before, after),
        },
    }


def in_a_line(figures: Mapping[str, Any]) -> str:
    """Return the figures of `headline` as one line."""
    before, after, whole = (
        f"{figures[name]['test']['accuracy']:.1%}" for name in ("baseline", "final", "ceiling")
    )
    low, high = (f"{100 * end:+.1f}" for end in figures["gain"]["ci95"])
    return (
        f"headline: {before} of the test faces read from upper halves, {after} with the lower "
        f"halves of {figures['model']} (gain {100 * figures['gain']['accuracy']:+.1f} points "
        f"[{low}, {high}], p = {figures['gain']['mcnemar_p']:.2g}), {whole} from true faces; more "
        "in metrics/headline.json"
    )


def _block(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a classifier's metrics that goes into the headline."""
    accuracy = ("accuracy", "ci95")
    keys = {"train": accuracy, "validation": accuracy, "test": (*accuracy, "macro_f1")}
    return {split: {key: metrics[split][key] for key in keys[split]} for split in keys}
