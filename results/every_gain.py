"""Put every gain that a reconstruction was measured to have into one table and one figure.

    python results/every_gain.py RESULTS FOLDER

RESULTS is `results/fer2013`. Gain is over the reader of upper halves in the same run, from the test
predictions of both, and so is the change of the log loss; averaged posteriors, whose predictions
were not all kept, have the gains that were measured when they were there. p has one correction, by
Holm's method, over all rows. Prints the table; writes every_gain.json and every_gain.png to FOLDER.
"""

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from unmask.cli.command import one_line
from unmask.comparison.paired import gain, log_loss_change
from unmask.comparison.readers import COLUMNS
from unmask.comparison.tables import Columns, table
from unmask.core.errors import UserError
from unmask.core.files import read_json, write_json
from unmask.evaluation.predictions import Table, read_table
from unmask.evaluation.statistics import holm

RUNS = {
    "cleaned/predictions": "one of the thirteen",
    "seeds/predictions": "eight epochs, three seeds",
    "splits/official/predictions": "eight epochs, official split",
    "splits/ferplus/predictions": "eight epochs, FER+'s labels",
    "placement/predictions/rows": "eight epochs, trained anew",
    "placement/predictions/eyes": "eight epochs, faces placed by the eyes",
    "converged/predictions": "trained longer",
    "converged/strong/predictions": "trained longer, read by a stronger network",
    "flow/finals/predictions": "20 epochs, one half of each face",
}
"""Folders of predictions, and how what was read there had been reconstructed."""

AVERAGES = "flow/results.json"
"""Gains of averaged posteriors, over `AVERAGES_OVER`; some predictions are beside it."""

AVERAGES_OVER = "placement/predictions/rows/baseline.csv.xz"

_LEVEL = 0.05
_UPPER, _WHOLE = {"baseline", "hard"}, {"ceiling", "whole"}


def main(results: Path, folder: Path) -> None:
    """Print the table; write the figure and what both show."""
    rows = dict([*_read(results), *_averaged(results)])
    corrected = holm([row["gain"]["p"] for row in rows.values()])
    for row, p in zip(rows.values(), corrected, strict=True):
        row["gain"] = {**row["gain"], "holm_p": p}
    write_json(folder / "every_gain.json", rows)
    _draw(rows).savefig(folder / "every_gain.png", dpi=110)
    print("\n".join(table("reconstructed by", _COLUMNS, rows)))


def _read(results: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the gain of each reader in each run over the reader of upper halves there."""
    for place, how in RUNS.items():
        readers: dict[str, dict[str, Table]] = {}
        for file in sorted((results / place).glob("*.csv.xz")):
            name, seed = re.fullmatch(r"(.+?)(?:-(\d+))?\.csv\.xz", file.name).groups()  # type: ignore[union-attr]
            readers.setdefault(name, {})[seed or "1"] = read_table(file)
        if not _UPPER & readers.keys():
            raise UserError(
                f"{results / place}: no predictions from upper halves there; give results/fer2013"
            )
        (upper,) = _UPPER & readers.keys()
        for name in sorted(readers.keys() - _UPPER - _WHOLE):
            one, two = [*readers[upper].values()], [*readers[name].values()]
            found = gain(one, two, paired=readers[upper].keys() == readers[name].keys())
            found["log_loss"] = log_loss_change(one, two)
            yield f"{name.removeprefix('stitched_')}, {how}", {"seeds": len(two), "gain": found}


def _averaged(results: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    file = results / AVERAGES
    for name, row in read_json(file).items():
        reader, samples = name.removeprefix("readers_").rsplit("_", 1)
        found, kept = row["gain"], file.parent / f"predictions/{reader}_{samples}.csv.xz"
        if kept.exists():
            upper = read_table(results / AVERAGES_OVER)
            found["log_loss"] = log_loss_change([upper], [read_table(kept)])
        yield (
            f"flow, {reader} over {samples} {'half' if samples == '1' else 'halves'}",
            {"seeds": 1, "gain": found},
        )


def _draw(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Return a plot of all gains with their intervals, in the order of `rows`."""
    figure = Figure(figsize=(9, 1 + 0.22 * len(rows)), layout="constrained")
    axes = figure.add_subplot(xlabel="gain over the upper half alone, points, with 95 % interval")
    axes.axvline(0, color="grey", linewidth=0.7)
    for height, row in enumerate(rows.values()):
        found = row["gain"]
        colour = "C7" if found["holm_p"] >= _LEVEL else "C2" if found["accuracy"] > 0 else "C3"
        axes.plot([100 * end for end in found["ci95"]], [height, height], color=colour)
        axes.plot(100 * found["accuracy"], height, "o", markersize=4, color=colour)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.margins(y=0.02)
    axes.invert_yaxis()
    for label, colour in {
        "shown to help": "C2",
        "no difference shown": "C7",
        "shown to hurt": "C3",
    }.items():
        axes.plot([], [], "o", color=colour, label=label)
    axes.legend(loc="lower left", frameon=False)
    return figure


_COLUMNS: Columns = {
    "seeds": lambda row: str(row["seeds"]),
    **{title: COLUMNS[title] for title in ("gain, points [95 %]", "p (Holm)")},
    "gain below": lambda row: f"{100 * row['gain']['below']:+.1f}",
    "log loss change [95 %]": COLUMNS["log loss change [95 %]"],
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    one_line(main)(arguments.results, arguments.folder)
