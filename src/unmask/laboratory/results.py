"""Results of the laboratory's experiments: figures, a Markdown table, and a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

from unmask.comparison.tables import Columns, Row, percent, table
from unmask.core.checksum import of_json
from unmask.core.errors import UserError
from unmask.core.files import read_json
from unmask.evaluation.predictions import read_predictions
from unmask.evaluation.statistics import holm, mcnemar_p
from unmask.params.laboratory import HONEST, Experiment

PAPER = {"train": 0.80, "after": 0.966}
"""The paper's accuracies for its classifier of stitched faces, while training and afterwards."""

REACH = 0.02
"""Both figures must come this close to the paper's for an experiment to reach them."""

_LABEL_HEIGHT = 0.045  # of accuracy
_NAMES = {"judge": "judged on", "choose": "epoch chosen on", "reconstructor": "reconstructor saw"}


def _injected(row: Row) -> str:
    named = (f"{_NAMES.get(key, key)} {_shown(value)}" for key, value in row["injected"].items())
    return ", ".join(named)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {setting}" for key, setting in value.items())
    return str(value).replace("_", " ")


COLUMNS: Columns = {
    "injected": _injected,
    "train running [95 %]": percent("running_accuracy", "running_ci95"),
    "train evaluation [95 %]": percent("train_accuracy", "train_ci95"),
    "validation [95 %]": percent("validation_accuracy", "validation_ci95"),
    "judged [95 %]": percent("accuracy", "ci95"),
    "p (Holm)": lambda row: f"{row['holm_p']:.2g}" if "holm_p" in row else "",
    "from the paper": lambda row: f"{100 * row['distance']:.1f}{' *' if row['reaches'] else ''}",
}

NOTE = """
"Judged" is accuracy on the faces that the experiment calls its test set, in evaluation mode; if
these are the faces of the test split, p is from McNemar's exact test against `honest`, with Holm's
correction. "From the paper" is by how many points the worse of two figures, running and judged,
misses the paper's 80 % and 96.6 %, at the epoch that comes closest if the judged faces choose; a
star marks experiments that come within two points.
"""


def results(model: str, experiments: Mapping[str, Experiment]) -> dict[str, Any]:
    """Return the figures of `laboratory/results.json`.

    `model` and `faces_sha256` are the reconstructor and the checksum of what ingest says about the
    faces; `experiments` are by name.

    For an experiment, `running_accuracy` is on training faces in training mode, dropout on, during
    the best epoch; `train_accuracy` is on the same faces afterwards; `accuracy` is on the faces
    that are judged, with its 95 % interval. If those are the official test split, `holm_p` is from
    McNemar's exact test against the honest experiment, corrected for all such comparisons.

    `epochs` holds, epoch by epoch, the running accuracy and that on the faces that the epoch is
    chosen on. `distance` is how far the pair of figures is from the paper's: the larger of the two
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


def markdown(figures: Mapping[str, Any]) -> str:
    """Return the figures of `results` as a Markdown table with its legend."""
    return "\n".join([*table("experiment", COLUMNS, figures["experiments"]), NOTE])


def draw(figures: Mapping[str, Any]) -> Figure:
    """Return a plot of judged against running accuracy, with the paper's pair of figures."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot(xlabel="accuracy while training", ylabel="accuracy judged")
    points = {"the paper": tuple(figures["paper"].values())}
    axes.plot(*points["the paper"], "*", color="red", markersize=14)
    for number, (name, row) in enumerate(figures["experiments"].items()):
        colour, marker = f"C{number % 10}", "osD^v"[number // 10 % 5]
        if row["injected"].get("choose") == "judged":
            axes.plot(*zip(*row["epochs"], strict=True), "-", color=colour, linewidth=1)
        label = name.replace("_", " ")
        points[label] = (row["running_accuracy"], row["accuracy"])
        axes.plot(*points[label], marker, color=colour)
    axes.axline((0, 0), slope=1, color="grey", linewidth=0.7, linestyle=":")
    axes.set(xlim=(0, 1), ylim=(0, 1.05))
    _label(axes, points)
    return figure


def _experiment(name: str, experiment: Experiment) -> dict[str, Any]:
    file = f"laboratory/metrics/{name}.json"
    metrics = read_json(file)
    train, test = metrics["train"], metrics["test"]
    training = read_json(f"models/laboratory/classifiers/{name}/training.json")
    if training["best"]["train/accuracy"] != train["running_accuracy"]:
        raise UserError(f"{file}: not of its classifier; run `dvc repro laboratory/dvc.yaml`")
    epochs = [(e["train/accuracy"], e["validation/accuracy"]) for e in training["history"]]
    pairs = [(train["running_accuracy"], test["accuracy"])]
    if experiment.choose == "judged":
        pairs += epochs
    distance = np.abs(np.array(pairs) - [PAPER["train"], PAPER["after"]]).max(axis=1).min()
    return {
        "injected": experiment.injected,
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


def _label(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write the name of each point to the right of the axes, with a line leading to the point.

    Many points lie close together, so the names are stacked in the order of the points' heights.
    """
    heights = _spread([height for _, height in points.values()], _LABEL_HEIGHT)
    for (name, point), height in zip(points.items(), heights, strict=True):
        line = {"arrowstyle": "-", "color": "grey", "linewidth": 0.5, "relpos": (0, 0.5)}
        axes.annotate(
            name, point, xytext=(1.04, height), textcoords=("axes fraction", "data"),
            va="center", fontsize=8, arrowprops=line,
        )  # fmt: skip


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Return heights at least `gap` apart, in the same order and close to the given ones."""
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(order))
    # After subtracting the steps, heights `gap` apart are those that do not decrease; isotonic
    # regression gives the closest such sequence.
    level = isotonic_regression(np.asarray(heights)[order] - steps).x
    placed = np.empty(len(order))
    placed[order] = level + steps
    return [float(height) for height in placed]
