"""Results over several seeds: mean and spread of accuracies, and paired tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from unmask.comparison.paired import paired_t_p
from unmask.comparison.tables import Columns, Row, percent, points, table
from unmask.core.checksum import of_json
from unmask.core.files import read_json
from unmask.evaluation.statistics import holm

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1")
"""Figures of the test split that are compared over seeds."""

COLUMNS: Columns = {
    "test accuracy, mean [95 %]": lambda row: percent("mean", "ci95")(row["accuracy"]),
    "deviation, points": lambda row: f"{100 * row['accuracy']['standard_deviation']:.2f}",
    "by seed": lambda row: ", ".join(f"{value:.1%}" for value in row["accuracy"]["by_seed"]),
    "balanced": lambda row: percent("mean", "ci95")(row["balanced_accuracy"]),
    "macro F1": lambda row: f"{row['macro_f1']['mean']:.3f}",
    "gain, points [95 %]": lambda row: points("mean", "ci95")(row.get("gain", {})),
    "p (Holm)": lambda row: (
        f"{row['gain']['holm_p']:.2g}" if row.get("gain", {}).get("holm_p") is not None else ""
    ),
}

NOTE = """
All figures are for the test split. The interval is Student's t over seeds: it says how much the
mean depends on luck in training, and nothing about the choice of test faces. Gain is over the
baseline with the same seed, p is from the paired t test over seeds with Holm's correction. The
reconstructor is the same for all seeds.
"""


def results(model: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Return the figures of `seeds/results.json`.

    For each classifier it has FIGURES by seed, their mean, its 95 % interval by Student's t, and
    their standard deviation. The classifiers of `model`'s faces and of true faces are compared with
    the baseline by the paired t test over seeds on accuracy, with p corrected by Holm's method. The
    seeds are the classifiers'; the reconstructor is the same for all of them.
    """
    classifiers = {name: _classifier(name, seeds) for name in ("baseline", model, "ceiling")}
    baseline = classifiers["baseline"]["accuracy"]["by_seed"]
    gains = {
        name: np.subtract(classifiers[name]["accuracy"]["by_seed"], baseline)
        for name in (model, "ceiling")
    }
    p_values = {name: paired_t_p(gain) for name, gain in gains.items()}
    tested = {name: p for name, p in p_values.items() if p is not None}
    corrected = dict(zip(tested, holm([*tested.values()]), strict=True))
    for name, gain in gains.items():
        p = {"t_test_p": p_values[name], "holm_p": corrected.get(name)}
        classifiers[name]["gain"] = {**_summary(gain), **p}
    return {
        "model": model,
        "faces_sha256": of_json(read_json("data/faces/meta.json")),
        "seeds": list(seeds),
        "classifiers": classifiers,
    }


def markdown(figures: dict[str, Any]) -> str:
    """Return the figures of `results` as a Markdown table with its legend."""
    return "\n".join([*table("classifier on", COLUMNS, named(figures)), NOTE])


def named(figures: dict[str, Any]) -> dict[str, Row]:
    """Return the classifiers of `results` by the names that tables show."""
    titles = {"baseline": "upper half (baseline)", "ceiling": "true face (ceiling)"}
    return {titles.get(name, name): row for name, row in figures["classifiers"].items()}


def _classifier(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    files = [Path("seeds/metrics") / name / f"{seed}.json" for seed in seeds]
    tests = [read_json(file)["test"] for file in files]
    return {figure: _summary([test[figure] for test in tests]) for figure in FIGURES}


def _summary(values: Any) -> dict[str, Any]:
    mean, error = float(np.mean(values)), float(stats.sem(values))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return {
        "mean": mean,
        "ci95": [mean - half, mean + half],
        "standard_deviation": float(np.std(values, ddof=1)),
        "by_seed": [float(value) for value in values],
    }
