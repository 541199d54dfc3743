"""The report's figures, as SVG in the colour of the surrounding text."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from unmask.comparison.tables import draw
from unmask.evaluation.calibration import reliability as by_confidence
from unmask.evaluation.predictions import Table
from unmask.laboratory import results as experiments

_INK = "#010203"  # placeholder for the colour of the text; no figure uses it otherwise
_STYLE: Any = {
    "svg.hashsalt": "unmask",  # the same ids in the file at every run
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), _INK),
    **dict.fromkeys(("xtick.color", "ytick.color", "axes.titlecolor"), _INK),
}
_BLUE, _ORANGE = "#3b82d0", "#d97706"


def accuracies(compared: Mapping[str, Any]) -> Markup:
    """Return a plot of test accuracies with their intervals, between baseline and ceiling."""
    with matplotlib.rc_context(_STYLE):
        return _svg(draw(compared), "Test accuracies of all classifiers")


def laboratory(found: Mapping[str, Any]) -> Markup:
    """Return a plot of what each leak and control does to the classifier's two accuracies."""
    with matplotlib.rc_context(_STYLE):
        return _svg(experiments.draw(found), "Judged and training accuracy, by experiment")


def curves(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Markup:
    """Return plots of the training and validation losses of training runs, by their titles."""
    runs = {title: history for title, history in histories.items() if len(history) > 1}
    with matplotlib.rc_context({**_STYLE, "font.size": 8}):
        figure = Figure(figsize=(10, 1.7 * -(-len(runs) // 5)), layout="constrained")
        for number, (title, history) in enumerate(runs.items(), 1):
            axes = figure.add_subplot(-(-len(runs) // 5), 5, number, title=title)
            for split, colour in (("train", _BLUE), ("validation", _ORANGE)):
                losses = [figures[f"{split}/loss"] for figures in history]
                axes.plot(range(1, len(losses) + 1), losses, color=colour, label=split)
            if number == 1:
                axes.legend(frameon=False)
        return _svg(figure, "Losses by epoch")


def reliability(tables: Mapping[str, Table]) -> Markup:
    """Return plots of how often predictions of each confidence are right, and how many exist."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        for number, (title, table) in enumerate(tables.items(), 1):
            axes = figure.add_subplot(1, len(tables), number, title=title, xlabel="confidence")
            points = by_confidence(table)
            confidence, accuracy, faces = (
                np.array([point[key] for point in points])
                for key in ("confidence", "accuracy", "faces")
            )
            tenths = np.minimum(np.floor(10 * confidence), 9) / 10 + 0.05
            axes.bar(tenths, faces / len(table), width=0.09, color=_INK, alpha=0.15)
            axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.7, linestyle=":")
            axes.plot(confidence, accuracy, "o-", color=_BLUE)
            axes.set(xlim=(0, 1), ylim=(0, 1))
            if number == 1:
                axes.set_ylabel("accuracy (line), share (bars)")
        return _svg(figure, "Reliability of the predicted probabilities")


def _svg(figure: Figure, title: str) -> Markup:
    file = io.StringIO()
    metadata = {"Date": None, "Title": title}
    figure.savefig(file, format="svg", transparent=True, metadata=metadata)
    drawing = file.getvalue()
    # The page embeds the drawing, so the XML declaration goes.
    drawing = drawing[drawing.index("<svg") :].replace(_INK, "currentColor")
    return Markup(f'<figure role="img" aria-label="{title}">{drawing}</figure>')  # noqa: S704
