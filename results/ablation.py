"""Put readers side by side on validation faces alone, so that the test split stays closed.

    python results/ablation.py judge CLONE FOLDER
    python results/ablation.py table FOLDER [--over NAME]

`judge` asks every model of the readers in CLONE, which `python benchmarks/readers.py CLONE
--train-only` has trained, what it says of each validation face, at one look. That goes to
FOLDER/predictions, and what is known of its training to FOLDER/training. Readers of groups of
classes are left out, as are those that are not trained. `table` prints a row for each reader, in
order of its log loss, compared with NAME (`hard` if not said); p has Holm's correction over the
rows, and "balanced" is the mean recall of the classes. It draws the log losses to
FOLDER/over_NAME.png.
"""

import argparse
import lzma
import re
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure

from unmask.cli.command import one_line, say
from unmask.comparison.paired import gain, log_loss, log_loss_change, summary
from unmask.comparison.readers import COLUMNS
from unmask.comparison.tables import Columns, percent, table
from unmask.core.errors import UserError
from unmask.core.faces import VALIDATION, FaceSet
from unmask.core.files import open_array, read_json, write_json
from unmask.core.mask import crop
from unmask.core.section import load
from unmask.evaluation.metrics import balanced_accuracy, confusion_of
from unmask.evaluation.predictions import Table, as_csv, predictions, read_table
from unmask.evaluation.statistics import holm
from unmask.models.device import make_deterministic
from unmask.models.folder import load_model
from unmask.models.inference import probabilities
from unmask.models.readers import model_folders
from unmask.params.readers import FACES, HALVES

VIEWS = (FACES, HALVES)

_FILE = re.compile(r"(.+)_(\d+)_validation\.csv\.xz")


def judge(clone: Path, folder: Path) -> None:
    """Write predictions on validation faces, and facts about training, of each model."""
    make_deterministic()
    faces = FaceSet.open(clone / "data/faces")
    rows = faces.rows(VALIDATION, open_array(clone / "data/audit/keep.npy"))
    images = dict(zip(VIEWS, (faces.images, crop(faces.images)[0]), strict=True))
    for place in ("predictions", "training"):
        (folder / place).mkdir(parents=True, exist_ok=True)
    for name, entry in load(clone / "params.yaml")["readers"].items():
        trained = clone / "models/readers" / name
        if entry["objective"].get("groups"):
            continue
        if entry["sees"] not in VIEWS:
            raise UserError(f"{name}: sees {entry['sees']}; only {' and '.join(VIEWS)} are judged")
        if not trained.exists():
            say(f"{name}: not trained; left out")
            continue
        for model in model_folders(trained):
            seen, work = images[entry["sees"]], f"{name} {model.name}"
            found = probabilities(load_model(model), seen, rows, work)
            judged = predictions(faces.row[rows], faces.labels[rows], found)
            file = folder / f"predictions/{name}_{model.name}_validation.csv.xz"
            file.write_bytes(lzma.compress(as_csv(judged), preset=9))
            facts = read_json(model / "training.json")
            write_json(folder / f"training/{name}_{model.name}.json", facts)


def compare(folder: Path, over: str) -> None:
    """Print the table."""
    readers: dict[str, dict[str, Table]] = {}
    for file in sorted((folder / "predictions").iterdir()):
        if match := _FILE.fullmatch(file.name):
            readers.setdefault(match[1], {})[match[2]] = read_table(file)
    if over not in readers:
        raise UserError(f"{folder}/predictions: nothing of {over}; name another reader with --over")
    rows = {name: _row(models, readers[over]) for name, models in readers.items()}
    compared = [name for name in rows if name != over]
    corrected = holm([rows[name]["gain"]["p"] for name in compared])
    for name, p in zip(compared, corrected, strict=True):
        rows[name]["gain"]["holm_p"] = p
    del rows[over]["gain"]
    ordered = sorted(rows, key=lambda name: rows[name]["log_loss"]["mean"])
    rows = {name: rows[name] for name in ordered}
    _draw(rows, over).savefig(folder / f"over_{over}.png", dpi=110)
    print("\n".join(table("reader", _COLUMNS, rows)))


def _row(models: dict[str, Table], before: dict[str, Table]) -> dict[str, Any]:
    tables, reference = [*models.values()], [*before.values()]
    found = gain(reference, tables, paired=models.keys() == before.keys())
    found["log_loss"] = log_loss_change(reference, tables)
    return {
        "seeds": len(tables),
        "validation": summary(tables),
        "balanced": fmean(float(balanced_accuracy(confusion_of(one))) for one in tables),
        "log_loss": log_loss(tables),
        "gain": found,
    }


def _draw(rows: Mapping[str, Any], over: str) -> Figure:
    """Return a plot of log losses: by seed, and the mean with the interval of its change."""
    figure = Figure(figsize=(8, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot(xlabel="log loss on validation, nats")
    reference = rows[over]["log_loss"]["mean"]
    axes.axvline(reference, color="grey", linewidth=0.7)
    for height, (name, row) in enumerate(rows.items()):
        by_seed, colour = row["log_loss"]["by_seed"], "C7" if name == over else "C0"
        if name != over:
            ends = [reference + end for end in row["gain"]["log_loss"]["ci95"]]
            axes.plot(ends, [height, height], color=colour)
        axes.plot(by_seed, [height] * len(by_seed), "|", color=colour)
        axes.plot(row["log_loss"]["mean"], height, "o", markersize=4, color=colour)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    return figure


_COLUMNS: Columns = {
    "seeds": lambda row: str(row["seeds"]),
    "accuracy [95 %]": lambda row: percent("accuracy", "ci95")(row["validation"]),
    "balanced": lambda row: f"{row['balanced']:.1%}",
    **{title: COLUMNS[title] for title in ("gain, points [95 %]", "p (Holm)", "p over seeds")},
    "log loss": lambda row: f"{row['log_loss']['mean']:.3f}",
    "by seed": lambda row: ", ".join(f"{loss:.3f}" for loss in row["log_loss"]["by_seed"]),
    "log loss change [95 %]": COLUMNS["log loss change [95 %]"],
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    judging = commands.add_parser("judge", help="judge the readers of a clone")
    judging.add_argument("clone", type=Path)
    judging.add_argument("folder", type=Path)
    judging.set_defaults(do=judge)
    comparing = commands.add_parser("table", help="compare them")
    comparing.add_argument("folder", type=Path)
    comparing.add_argument("--over", default="hard", help="the reader to compare with")
    comparing.set_defaults(do=compare)
    arguments = vars(parser.parse_args())
    one_line(arguments.pop("do"))(**arguments)
