"""The laboratory for people: a Markdown table and a figure."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from unmask.evaluation.comparison.table import Columns, Row, percent, table

_NAMES = {"judge": "judged on", "choose": "epoch chosen on", "reconstructor": "reconstructor saw"}


def _planted(row: Row) -> str:
    named = (f"{_NAMES.get(key, key)} {_shown(value)}" for key, value in row["planted"].items())
    return ", ".join(named)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {setting}" for key, setting in value.items())
    return str(value).replace("_", " ")


COLUMNS: Columns = {
    "planted": _planted,
    "train running [95 %]": percent("running_accuracy", "running_ci95"),
    "train evaluation [95 %]": percent("train_accuracy", "train_ci95"),
    "validation [95 %]": percent("validation_accuracy", "validation_ci95"),
    "judged [95 %]": percent("accuracy", "ci95"),
    "p (Holm)": lambda row: f"{row['holm_p']:.2g}" if "holm_p" in row else "",
    "from the paper": lambda row: f"{100 * row['distance']:.1f}{' *' if row['reaches'] else ''}",
}

NOTE = """
"Judged" is accuracy on the faces that the experiment calls its test, in evaluation mode; p is of
McNemar's exact test against `honest`, with Holm's correction, where these are the faces of the test
split. "From the paper" says by how many points the worse of two figures, running and judged, misses
the paper's 80 % and 96.6 %, at the epoch that comes nearest if the judged faces choose; a star
marks what comes within two points.
"""


def markdown(figures: Mapping[str, Any]) -> str:
    """Return the figures of `results` as a Markdown table with its legend."""
    return "\n".join([*table("experiment", COLUMNS, figures["experiments"]), NOTE])


def draw(figures: Mapping[str, Any]) -> Figure:
    """Return judged accuracy over running accuracy, with the paper's pair of figures."""
    figure = Figure(figsize=(7, 5.5), layout="constrained")
    axes = figure.add_subplot(xlabel="accuracy while training", ylabel="accuracy judged")
    for number, (name, row) in enumerate(figures["experiments"].items()):
        colour, marker = f"C{number % 10}", "osD^v"[number // 10 % 5]
        if row["planted"].get("choose") == "judged":
            axes.plot(*zip(*row["epochs"], strict=True), "-", color=colour, linewidth=1)
        point = (row["running_accuracy"], row["accuracy"])
        axes.plot(*point, marker, color=colour, label=name.replace("_", " "))
    axes.plot(figures["paper"]["train"], figures["paper"]["after"], "*", color="red", markersize=14)
    axes.annotate(
        "the paper", tuple(figures["paper"].values()), xytext=(-60, 6), textcoords="offset points"
    )
    axes.axline((0, 0), slope=1, color="grey", linewidth=0.7, linestyle=":")
    axes.set(xlim=(0, 1), ylim=(0, 1.05))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=8)
    return figure
