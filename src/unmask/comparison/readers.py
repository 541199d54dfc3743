"""All readers side by side: accuracies, paired tests, calibration, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unmask.comparison.paired import gain, log_loss, log_loss_change, summary
from unmask.comparison.tables import Columns, percent, points, table
from unmask.core.checksum import of_json
from unmask.core.files import read_json
from unmask.evaluation.predictions import Table, read_predictions
from unmask.evaluation.statistics import holm
from unmask.models.readers import one_of
from unmask.params.models import NOBODY
from unmask.params.reader_checks import knows_groups_alone
from unmask.params.readers import FACES, HALVES, ReaderEntry, Readers


def _of_gain(key: str) -> Any:
    return lambda row: f"{row['gain'][key]:.2g}" if row.get("gain", {}).get(key) is not None else ""


def _nats(change: Mapping[str, Any] | None) -> str:
    return "{mean:+.3f} [{ci95[0]:+.3f}, {ci95[1]:+.3f}]".format(**change) if change else ""


COLUMNS: Columns = {
    "sees": lambda row: row["view"],
    "weights": lambda row: f"{row['parameters']:,}",
    "pretrained": lambda row: row["pretrained"] or "",
    "seeds": lambda row: str(len(row["seeds"])),
    "validation [95 %]": lambda row: percent("accuracy", "ci95")(row["validation"]),
    "test [95 %]": lambda row: percent("accuracy", "ci95")(row["test"]),
    "deviation, points": lambda row: (
        f"{100 * row['test']['standard_deviation']:.2f}" if len(row["seeds"]) > 1 else ""
    ),
    "gain, points [95 %]": lambda row: points("accuracy", "ci95")(row.get("gain", {})),
    "p (Holm)": _of_gain("holm_p"),
    "p over seeds": _of_gain("t_test_p"),
    "within, points": lambda row: (
        f"{100 * row['gain']['equivalent_within']:.1f}" if "gain" in row else ""
    ),
    "log loss": lambda row: f"{row['test']['log_loss']['mean']:.3f}",
    "log loss change [95 %]": lambda row: _nats(row.get("gain", {}).get("log_loss")),
    "calibration error": lambda row: f"{row['test']['calibration_error']:.3f}",
    "after": lambda row: f"{row['confidence']['calibration_error']:.3f}",
    "temperature": lambda row: f"{row['confidence']['temperature']:.2f}",
    "answered": lambda row: f"{row['confidence']['answered']:.0%}",
    "right of these": lambda row: (
        f"{row['confidence']['accuracy']:.1%}" if row["confidence"]["accuracy"] is not None else ""
    ),
}

_NOTE = """
Accuracies are means over seeds. Their intervals come from 10,000 draws of the faces, stratified by
class: they say how much the choice of faces matters; the deviation says how much luck in training
does. {on_gain}p is from the exact sign-flip test on each face's share of seeds that read it
right (McNemar's exact test if there is one seed), with Holm's correction; "p over seeds" is from
the paired t test on the same seeds. "Within" is the least difference, in points, from which the
two are shown to differ by less: the larger end of the gain's 90 % interval (two one-sided tests).

Log loss is the mean of -log p(label) on the test split, in nats: the less, the nearer a reader's
probabilities are to the true posterior. {on_change}

The temperature is fitted on validation; "after" is the calibration error once it is applied. A
reader that answers only where its confidence reaches a threshold, chosen on validation so that at
most {risk} % of its answers are wrong, answers "answered" of the test faces.

"Pretrained" says where an encoder's weights came from; it is empty for networks without encoder,
and for students that start from their teacher.
"""

_NOTE_ON_GAIN = """\
Gain is on the test split, over `{reference}`, the first reader of upper halves that learns
from labels alone. """

_NOTE_ON_CHANGE = """\
The change is from that of
`{reference}`, with its interval over faces."""


def results(all_of_them: Readers, risk: float) -> dict[str, Any]:
    """Return the figures of `readers/results.json`.

    `readers` by name: `view`, `parameters`, `seeds`, `validation` and `test` with `accuracy`,
    `ci95`, `by_seed` and their `standard_deviation`, `test` with `log_loss` and
    `calibration_error` as well; `confidence`, means over seeds of what `evaluation.calibration`
    finds, but `reliability` of the first seed alone; `teacher`, what is known of its folds, if it
    has any; and `gain` over the reader named `reference`, with the change of the log loss. See the
    legend of the table for what they are. Readers of groups alone are not among them: which class
    of a group a face has, they never learned.
    """
    readers = all_of_them.readers
    able = [name for name, entry in all_of_them.entries() if not knows_groups_alone(entry)]
    runs = {name: seeds for name, seeds in all_of_them.models().items() if name in able}
    tests = {name: _tables(name, seeds, "test") for name, seeds in runs.items()}
    figures = {name: _reader(name, seeds, tests[name]) for name, seeds in runs.items()}
    for name, entry in readers.items():
        if entry.folds and name in able:
            figures[name]["teacher"] = read_json(f"readers/teachers/{name}.json")
    reference = _reference(readers)
    masked = [name for name, entry in all_of_them.entries() if entry.sees != FACES]
    compared = [name for name in masked if name in able and reference not in (None, name)]
    for name in compared:
        paired = runs[name] == runs[str(reference)]
        before, after = tests[str(reference)], tests[name]
        figures[name]["gain"] = {
            **gain(before, after, paired=paired),
            "log_loss": log_loss_change(before, after),
        }
    corrected = holm([figures[name]["gain"]["p"] for name in compared])
    for name, p in zip(compared, corrected, strict=True):
        figures[name]["gain"]["holm_p"] = p
    return {
        "faces_sha256": of_json(read_json("data/faces/meta.json")),
        "reference": reference,
        "risk": risk,
        "readers": figures,
    }


def markdown(figures: Mapping[str, Any]) -> str:
    """Return the figures of `results` as a Markdown table with its legend."""
    on_gain = _NOTE_ON_GAIN.format(**figures) if figures["reference"] else ""
    on_change = _NOTE_ON_CHANGE.format(**figures) if figures["reference"] else ""
    note = _NOTE.format(on_gain=on_gain, on_change=on_change, risk=f"{100 * figures['risk']:g}")
    taught = [
        f"`{name}`: its {row['teacher']['folds']} models without a fold read "
        f"{row['teacher']['unseen']['accuracy']:.1%} of the training faces that they have not seen "
        f"right, and {row['teacher']['seen']['accuracy']:.1%} of those that they have."
        for name, row in figures["readers"].items()
        if "teacher" in row
    ]
    return "\n".join([*table("reader", COLUMNS, figures["readers"]), note, *taught, ""])


def draw(figures: Mapping[str, Any]) -> Figure:
    """Return a plot of accuracies on one axis, of reliability, and of accuracy over coverage."""
    readers = figures["readers"]
    figure = Figure(figsize=(13, 2.4 + 0.35 * max(6, len(readers))), layout="constrained")
    accuracy, reliability, coverage = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
    for height, row in zip(range(len(readers))[::-1], readers.values(), strict=True):
        colour = f"C{height % 10}"
        accuracy.plot(row["test"]["ci95"], [height, height], color=colour)
        accuracy.plot(row["test"]["accuracy"], height, "o", color=colour)
        _curve(reliability, row["confidence"]["reliability"], ("confidence", "accuracy"), colour)
        _curve(coverage, row["confidence"]["curve"], ("share", "accuracy"), colour)
    accuracy.set_yticks(range(len(readers)), list(readers)[::-1])
    accuracy.set_xlabel("test accuracy with 95 % interval")
    reliability.axline((0, 0), slope=1, color="grey", linewidth=0.7, linestyle=":")
    reliability.set(xlabel="confidence, after temperature scaling", ylabel="accuracy, first seed")
    coverage.set(xlabel="share of faces answered", ylabel="accuracy of the answers")
    return figure


def _curve(
    axes: Axes, points: Sequence[Mapping[str, float]], keys: tuple[str, str], colour: str
) -> None:
    axes.plot(*([point[key] for point in points] for key in keys), ".-", color=colour, linewidth=1)


def _reference(readers: Mapping[str, ReaderEntry]) -> str | None:
    """Return the first reader of upper halves that learns all classes, from labels alone."""
    names = (
        name for name, entry in readers.items()
        if entry.sees == HALVES
        and entry.objective.teacher == NOBODY
        and not knows_groups_alone(entry)
    )  # fmt: skip
    return next(names, None)


def _tables(name: str, seeds: Sequence[str], split: str) -> list[Table]:
    folders = [one_of(name, seed).predictions for seed in seeds]
    return [read_predictions(folder / f"{split}.csv") for folder in folders]


def _reader(name: str, seeds: Sequence[str], tests: Sequence[Table]) -> dict[str, Any]:
    found = [read_json(one_of(name, seed).metrics) for seed in seeds]
    confidence = [run["confidence"] for run in found]
    accuracies = [part["unsure"]["accuracy"] for part in confidence]
    test = summary(tests)
    test["log_loss"] = log_loss(tests)
    test["calibration_error"] = _mean(confidence, "calibration_error", "before")
    return {
        "view": found[0]["view"],
        "parameters": found[0]["parameters"],
        "pretrained": found[0]["pretrained"],
        "seeds": list(seeds),
        "validation": summary(_tables(name, seeds, "validation")),
        "test": test,
        "confidence": {
            "temperature": _mean(confidence, "temperature"),
            "calibration_error": _mean(confidence, "calibration_error", "after"),
            "answered": _mean(confidence, "unsure", "coverage"),
            "accuracy": None if None in accuracies else float(np.mean(accuracies)),
            "reliability": confidence[0]["reliability"],
            "curve": [
                {key: float(np.mean([point[key] for point in points])) for key in points[0]}
                for points in zip(*(part["coverage"] for part in confidence), strict=True)
            ],
        },
    }


def _mean(found: Sequence[Mapping[str, Any]], *keys: str) -> float:
    values: list[Any] = list(found)
    for key in keys:
        values = [value[key] for value in values]
    return float(np.mean(values))
