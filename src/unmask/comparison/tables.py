"""The comparison as people read it: Markdown tables and a plot."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmask.core.files import atomic_write, write_json
from unmask.core.provenance import in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = Mapping[str, Any]
Columns = Mapping[str, Callable[[Row], str]]


def percent(key: str, interval: str) -> Callable[[Row], str]:
    """Return a function that formats a fraction with its interval."""

    def cell(row: Row) -> str:
        low, high = row[interval]
        return f"{row[key]:.1%} [{low:.1%}, {high:.1%}]"

    return cell


def points(key: str, interval: str) -> Callable[[Row], str]:
    """Return a function that formats a gain with its interval, in points; empty without a gain."""

    def cell(row: Row) -> str:
        if key not in row:
            return ""
        low, high = row[interval]
        return f"{100 * row[key]:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"

    return cell


def _detectable(row: Row) -> str:
    gain = row.get("minimum_detectable_gain")
    return f"{100 * gain:.1f}" if gain else ""


def _faults(row: Row) -> str:
    epochs = len(row["faults"])
    return f"in {epochs} epoch{'s' * (epochs > 1)}" if epochs else ""


def _bound(row: Row) -> str:
    return f"{100 * row['gain_bound']:+.1f}" if "gain_bound" in row else ""


ACCURACY: Columns = {
    "validation [95 %]": percent("validation_accuracy", "validation_ci95"),
    "test [95 %]": percent("accuracy", "ci95"),
    "balanced": percent("balanced_accuracy", "balanced_accuracy_ci95"),
    "macro F1": lambda row: f"{row['macro_f1']:.3f}",
    "calibration error": lambda row: f"{row['calibration_error']:.3f}",
    "train running [95 %]": percent("train_running_accuracy", "train_running_ci95"),
    "train evaluation [95 %]": percent("train_accuracy", "train_ci95"),
    "gain, points [95 %]": points("gain", "gain_ci95"),
    "p (Holm)": lambda row: f"{row['holm_p']:.2g}" if "holm_p" in row else "",
    "minimum detectable gain": _detectable,
    "gain below": _bound,
    "verdict": lambda row: row.get("verdict", ""),
}

RECONSTRUCTION: Columns = {
    "PSNR": lambda row: f"{row['psnr_db']:.2f} dB",
    "SSIM": lambda row: f"{row['ssim']:.3f}",
    "L1": lambda row: f"{row['l1']:.4f}",
    "gradient energy": lambda row: f"{row['gradient_energy']:.0%}",
    "Frechet distance": lambda row: f"{row['frechet_distance']:.2f}",
    "agreement": lambda row: f"{row['expression_agreement']:.1%}",
    "weights (trained)": lambda row: f"{row['parameters']:,} ({row['trained_parameters']:,})",
    "pretrained": lambda row: row["pretrained"] or "",
    "epochs (best)": lambda row: f"{row['epochs']} ({row['best_epoch']})",
    "faults": _faults,
}

_NOTE_ON_ACCURACY = """
Ranked by accuracy on validation; unless they name another split, figures are for the test split.
Intervals come from 10,000 draws of a bootstrap stratified by class. Gain is over the baseline, p is
from McNemar's exact test with Holm's correction; the minimum detectable gain, in points, is the
smallest that this test would have detected with a probability of 80 %. "Gain below" is what a
one-sided test at 5 % shows each gain to be below; the largest of these, {bound:+.1f} points, bounds
them all at that level. Accuracy on training faces is given twice: running, during the best epoch
with dropout on (Wilson's interval), and afterwards in evaluation mode. Nothing here covers what
training again from another seed would change.
"""

_NOTE_ON_RECONSTRUCTION = """
All figures are for the test split. PSNR, SSIM and L1 are for the generated half alone; gradient
energy is that of its neighbouring pixels' differences, as a share of what the true half has, so
blurred halves have little. The Frechet distance is between stitched and true faces, in the features
of the ceiling classifier; agreement is how often that classifier gives the stitched face the same
class as the true one. "Pretrained" says where an encoder's weights came from, `none` meaning random
weights; it is empty for models without encoder.
"""


def markdown(figures: Mapping[str, Any]) -> str:
    """Return the figures of `compare` as two Markdown tables with their legends."""
    rows = {
        "upper half (baseline)": figures["baseline"],
        **figures["models"],
        "true face (ceiling)": figures["ceiling"],
    }
    bound = 100 * max(row["gain_bound"] for row in figures["models"].values())
    return "\n".join(
        [
            *table("classifier on", ACCURACY, rows),
            _NOTE_ON_ACCURACY.format(bound=bound),
            *table("lower halves of", RECONSTRUCTION, figures["models"]),
            _NOTE_ON_RECONSTRUCTION,
            *(f"Computed with {in_words(found)}." for found in figures["environments"]),
            "",
        ]
    )


def table(title: str, columns: Columns, rows: Mapping[str, Row]) -> list[str]:
    """Return the lines of a Markdown table; `title` heads the column of row names."""
    lines = [
        [title, *columns],
        *([name, *(cell(row) for cell in columns.values())] for name, row in rows.items()),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    text.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return text


def write_results(
    path: Path, figures: Mapping[str, Any], text: str, plot: "Figure | None" = None
) -> None:
    """Write figures as `path`.json, the same as Markdown and, if given, as a plot; print the text.

    path: without suffix, such as `metrics/compare`.
    """
    write_json(path.with_suffix(".json"), figures)
    with atomic_write(path.with_suffix(".md")) as temporary:
        temporary.write_text(text, encoding="utf-8")
    if plot:
        with atomic_write(path.with_suffix(".png")) as temporary:
            plot.savefig(temporary, format="png", dpi=150)
    print(text)


def draw(figures: Mapping[str, Any]) -> "Figure":
    """Return a plot of test accuracies with their intervals, between baseline and ceiling."""
    from matplotlib.figure import Figure

    models = list(figures["models"])[::-1]
    figure = Figure(figsize=(7, 1.6 + 0.35 * len(models)), layout="constrained")
    axes = figure.add_subplot()
    for name, colour in (("baseline", "tab:orange"), ("ceiling", "tab:green")):
        low, high = figures[name]["ci95"]
        axes.axvspan(low, high, color=colour, alpha=0.15)
        axes.axvline(figures[name]["accuracy"], color=colour, label=name)
    for height, model in enumerate(models):
        row = figures["models"][model]
        low, high = row["ci95"]
        axes.plot([low, high], [height, height], color="tab:blue")
        axes.plot(row["accuracy"], height, "o", color="tab:blue")
    axes.set_yticks(range(len(models)), models)
    axes.set_ylim(-0.6, len(models) - 0.4)
    axes.set_xlabel("test accuracy with 95 % interval")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return figure
