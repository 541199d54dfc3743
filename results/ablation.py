"""Put readers side by side on validation faces, over one of them.

    python results/ablation.py FOLDER [--over NAME]

FOLDER/predictions has what each model said of each validation face, NAME_SEED_validation.csv.xz.
Prints a table with one row for each reader, in order of its log loss; p has Holm's correction over
the rows. The reader called NAME, `hard` if not said, is what the others are compared with.
"""

import argparse
import re
from pathlib import Path
from typing import Any

from unmask.cli.command import one_line
from unmask.comparison.paired import gain, log_loss, log_loss_change, summary
from unmask.comparison.readers import COLUMNS
from unmask.comparison.tables import Columns, percent, table
from unmask.core.errors import UserError
from unmask.evaluation.predictions import Table, read_table
from unmask.evaluation.statistics import holm


def main(folder: Path, over: str) -> None:
    """Print the table."""
    readers: dict[str, dict[str, Table]] = {}
    for file in sorted((folder / "predictions").glob("*_validation.csv.xz")):
        name, seed = re.fullmatch(r"(.+)_(\d+)_validation\.csv\.xz", file.name).groups()  # type: ignore[union-attr]
        readers.setdefault(name, {})[seed] = read_table(file)
    if over not in readers:
        raise UserError(f"{folder}/predictions: nothing of {over}; name another reader with --over")
    rows = {name: _row(models, readers[over]) for name, models in readers.items()}
    compared = [name for name in rows if name != over]
    corrected = holm([rows[name]["gain"]["p"] for name in compared])
    for name, p in zip(compared, corrected, strict=True):
        rows[name]["gain"]["holm_p"] = p
    del rows[over]["gain"]
    ordered = sorted(rows, key=lambda name: rows[name]["log_loss"]["mean"])
    print("\n".join(table("reader", _COLUMNS, {name: rows[name] for name in ordered})))


def _row(models: dict[str, Table], before: dict[str, Table]) -> dict[str, Any]:
    tables, reference = [*models.values()], [*before.values()]
    found = gain(reference, tables, paired=models.keys() == before.keys())
    found["log_loss"] = log_loss_change(reference, tables)
    return {
        "seeds": len(tables),
        "validation": summary(tables),
        "log_loss": log_loss(tables),
        "gain": found,
    }


_COLUMNS: Columns = {
    "seeds": lambda row: str(row["seeds"]),
    "validation [95 %]": lambda row: percent("accuracy", "ci95")(row["validation"]),
    **{title: COLUMNS[title] for title in ("gain, points [95 %]", "p (Holm)", "p over seeds")},
    "log loss": lambda row: f"{row['log_loss']['mean']:.3f}",
    "by seed": lambda row: ", ".join(f"{loss:.3f}" for loss in row["log_loss"]["by_seed"]),
    "log loss change [95 %]": COLUMNS["log loss change [95 %]"],
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--over", default="hard", help="the reader that others are compared with")
    arguments = parser.parse_args()
    one_line(main)(arguments.folder, arguments.over)
