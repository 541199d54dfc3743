"""Say what reconstructors that were given every chance are worth, over seeds of the classifiers.

    python results/best_chance.py collect RUN FOLDER NAME...
    python results/best_chance.py table FOLDER

RUN is a clone whose reconstructors NAME... were trained until they stopped improving, and in which
`python stages/train_classifier.py READER SEED` and `python stages/evaluate_classifier.py READER
SEED` have run for `baseline` and each NAME, with as many of `evaluate.seeds` as there was time for.
`collect` copies figures and test predictions, and no picture, to FOLDER; `table` makes the tables
and curves of FOLDER, from nothing else.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import collect as collected

from unmask.comparison.paired import gain, summary
from unmask.comparison.readers import COLUMNS
from unmask.comparison.tables import Columns, percent, table
from unmask.core.files import read_json, write_json
from unmask.core.section import load
from unmask.evaluation.predictions import Table, read_table
from unmask.evaluation.statistics import holm

_FACTS = ("parameters", "epochs", "best_epoch")


def collect(run: Path, folder: Path, names: Sequence[str]) -> None:
    """Copy what RUN found."""
    seeds = load(run / "params.yaml")["evaluate"]["seeds"]
    readers = {
        f"{name}-{seed}": f"{name}/{seed}"
        for name in ("baseline", *names)
        for seed in seeds
        if (run / f"data/seeds/predictions/{name}/{seed}").exists()
    }
    assessed = [file for name in names if (file := _assessed(run, name))]
    collected.runs(
        run,
        folder,
        [f"reconstructors/{name}" for name in names] + [f"seeds/{r}" for r in readers.values()],
        {name: f"seeds/predictions/{path}" for name, path in readers.items()},
    )
    for path in readers.values():
        _copy(run / f"seeds/metrics/{path}.json", folder / f"metrics/{path}.json")
    for file in assessed:
        _copy(run / file, folder / file)
    _copy(run / "params.yaml", folder / "params.yaml")


def tables(folder: Path) -> None:
    """Print both tables; write results.json and curves.png."""
    names = sorted(path.stem for path in (folder / "training/reconstructors").iterdir())
    baseline = _predictions(folder, "baseline")
    rows = {"upper half": _row(folder, "baseline")}
    judged = [name for name in names if _predictions(folder, name)]
    gains = {}
    for name in judged:
        found = _predictions(folder, name)
        paired = list(found) == list(baseline)
        gains[name] = gain([*baseline.values()], [*found.values()], paired=paired)
    corrected = holm([each["p"] for each in gains.values()])
    for (name, each), p in zip(gains.items(), corrected, strict=True):
        rows[name] = {**_row(folder, name), "gain": {**each, "holm_p": p}}
    trained = {name: _training(folder, name) for name in names}
    write_json(folder / "results.json", {"readers": rows, "reconstructors": trained})
    collected.curves(folder)
    print("\n".join([*table("classifier on", _READERS, rows), ""]))
    print("\n".join(table("reconstructor", _RECONSTRUCTORS, trained)))


def _assessed(run: Path, name: str) -> str | None:
    """Return the file with what `assess` says of a reconstructor, None if there is none."""
    file, model = f"metrics/reconstruction/{name}.json", f"models/reconstructors/{name}"
    if not (run / file).exists():
        return None
    assessed, facts = read_json(run / file), read_json(run / model / "training.json")
    if any(assessed["model"][key] != facts[key] for key in _FACTS):
        sys.exit(f"error: {run / file}: of another training; run `stages/assess.py {name}`")
    return file


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _predictions(folder: Path, name: str) -> dict[int, Table]:
    files = sorted((folder / "predictions").glob(f"{name}-[0-9]*.csv.xz"))
    return {int(file.name.split(".")[0].rpartition("-")[2]): read_table(file) for file in files}


def _row(folder: Path, name: str) -> dict[str, Any]:
    found = _predictions(folder, name)
    files = [folder / f"metrics/{name}/{seed}.json" for seed in found]
    validation = [read_json(file)["validation"]["accuracy"] for file in files]
    return {
        "seeds": list(found),
        "validation_accuracy": sum(validation) / len(validation),
        **summary([*found.values()]),
    }


def _training(folder: Path, name: str) -> dict[str, Any]:
    facts = read_json(folder / f"training/reconstructors/{name}.json")
    losses = [epoch["validation/loss"] for epoch in facts["history"]]
    file = folder / f"metrics/reconstruction/{name}.json"
    return {
        "parameters": facts["parameters"],
        "pretrained": facts.get("pretrained"),
        "epochs": len(losses),
        "best_epoch": facts["best_epoch"],
        "validation_loss": min(losses),
        "last_quarter": collected.last_quarter(facts),
        **(read_json(file)["test"] if file.exists() else {}),
    }


def _figure(key: str, form: str) -> Any:
    return lambda row: format(row[key], form) if key in row else ""


_READERS: Columns = {
    "validation": lambda row: f"{row['validation_accuracy']:.1%}",
    "test, mean [95 %]": percent("accuracy", "ci95"),
    "by seed": lambda row: ", ".join(f"{share:.1%}" for share in row["by_seed"]),
    **{title: COLUMNS[title] for title in ("gain, points [95 %]", "p (Holm)", "p over seeds")},
    "gain below": lambda row: f"{100 * row['gain']['below']:+.1f}" if "gain" in row else "",
}

_RECONSTRUCTORS: Columns = {
    "weights, million": lambda row: f"{row['parameters'] / 1e6:.2f}",
    "pretrained": lambda row: Path(row["pretrained"] or "").name,
    "epochs": lambda row: str(row["epochs"]),
    "best": lambda row: str(row["best_epoch"]),
    "validation loss": lambda row: f"{row['validation_loss']:.4f}",
    "last quarter": lambda row: "" if row["last_quarter"] is None else f"{row['last_quarter']:.1%}",
    "PSNR, dB": _figure("psnr_db", ".2f"),
    "SSIM": _figure("ssim", ".3f"),
    "gradient energy": _figure("gradient_energy", ".0%"),
    "agreement": _figure("expression_agreement", ".1%"),
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    collecting = commands.add_parser("collect", help="copy what a run found")
    collecting.add_argument("run", type=Path)
    collecting.add_argument("folder", type=Path)
    collecting.add_argument("names", nargs="+", metavar="NAME")
    commands.add_parser("table", help="make tables and curves").add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "collect":
        collect(arguments.run, arguments.folder, arguments.names)
    else:
        tables(arguments.folder)
