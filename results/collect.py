"""Collect the figures of a finished run.

    python results/collect.py [pipeline|laboratory|seeds] RUN FOLDER

RUN is a clone of this repository in which `dvc repro` has ended, or that of another dvc.yaml;
FOLDER gets its metrics, the facts and curves of every training run, the predictions on the faces
that were judged, for tests of one's own, and dvc.lock; of the pipeline also a page of two tables
and a figure of the loss curves. No picture of a face is among them.
"""

import csv
import json
import lzma
import shutil
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def pipeline(run: Path, folder: Path) -> None:
    """Copy what a reader would want to look up, and draw what a reader would want to look at."""
    _collect(run, run, folder, ["baseline", "ceiling", "reconstructors", "final"], "predictions")
    (folder / "tables.md").write_text(_tables(folder), encoding="utf-8")
    _curves(folder)


def beside(name: str, run: Path, folder: Path) -> None:
    """Copy the same of the pipeline beside that one in the folder `name`, and what it came to."""
    _collect(run, run / name, folder, [name], f"{name}/predictions")
    for result in (run / name).glob("results.*"):
        shutil.copy(result, folder)


def _collect(run: Path, home: Path, folder: Path, trained: list[str], predictions: str) -> None:
    """Copy metrics and dvc.lock from `home`, and from `run` what the models so named left."""
    for name in ("metrics", "predictions", "training"):
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(home / "metrics", folder / "metrics", ignore=lambda *_: ["sample.json"])
    shutil.copy(home / "dvc.lock", folder / "dvc.lock")
    models = [facts for name in trained for facts in (run / "models" / name).rglob("training.json")]
    for facts in sorted(models):
        name = facts.parent.relative_to(run / "models")
        shutil.copytree(
            run / "data/training" / name,
            folder / "training" / name,
            ignore=lambda *_: ["pictures"],
            dirs_exist_ok=True,
        )
        shutil.copy(facts, folder / "training" / name / "training.json")
        shutil.copy(run / "logs" / f"{name}.json", folder / "training" / name / "durations.json")
    (folder / "predictions").mkdir()
    for table in sorted((run / "data" / predictions).rglob("test.csv")):
        name = "-".join(table.parent.relative_to(run / "data" / predictions).parts)
        packed = folder / "predictions" / f"{name}.csv.xz"
        packed.write_bytes(lzma.compress(table.read_bytes(), preset=9))


def _tables(folder: Path) -> str:
    """Return one table of how the faces are read and one of how the reconstructors learned."""
    compared = json.loads((folder / "metrics/compare.json").read_text())
    models = compared["models"]
    rows = {"upper half": compared["baseline"], **models, "true face": compared["ceiling"]}
    read = [
        "| | validation [95 %] | test [95 %] | gain, points [95 %] | p (Holm) "
        "| train running [95 %] | train evaluation [95 %] |",
        "|" + " --- |" * 7,
        *map(_of_classifier, rows, rows.values()),
    ]
    learned = [
        "| | weights, million | pretrained | s/epoch | epochs | PSNR, dB | SSIM | Frechet "
        "| agreement |",
        "|" + " --- |" * 9,
        *(_of_reconstructor(folder, name, row) for name, row in models.items()),
    ]
    return "\n".join([*read, "", *learned]) + "\n"


def _of_classifier(name: str, row: dict[str, Any]) -> str:
    gain = ["", ""]
    if "gain" in row:
        name = f"`{name}`"
        low, high = (100 * end for end in row["gain_ci95"])
        gain = [f"{100 * row['gain']:+.1f} [{low:+.1f}, {high:+.1f}]", f"{row['holm_p']:.2g}"]
    cells = [
        name,
        _percent(row["validation_accuracy"], row["validation_ci95"]),
        _percent(row["accuracy"], row["ci95"]),
        *gain,
        _percent(row["train_running_accuracy"], row["train_running_ci95"]),
        _percent(row["train_accuracy"], row["train_ci95"]),
    ]
    return f"| {' | '.join(cells)} |"


def _percent(share: float, interval: tuple[float, float]) -> str:
    low, high = (f"{100 * end:.1f}" for end in interval)
    return f"{share:.1%} [{low}, {high}]"


def _of_reconstructor(folder: Path, name: str, row: dict[str, Any]) -> str:
    durations = folder / "training/reconstructors" / name / "durations.json"
    seconds = json.loads(durations.read_text())["seconds_per_epoch"]
    cells = [
        f"`{name}`",
        f"{row['parameters'] / 1e6:.2f}",
        row["pretrained"] or "",
        f"{sum(seconds) / len(seconds):.0f}",
        f"{row['epochs']}",
        f"{row['psnr_db']:.2f}",
        f"{row['ssim']:.3f}",
        f"{row['frechet_distance']:.2f}",
        f"{row['expression_agreement']:.1%}",
    ]
    return f"| {' | '.join(cells)} |"


def _curves(folder: Path) -> None:
    runs = {
        path.parent.name: path.parent
        for path in sorted(folder.glob("training/reconstructors/*/training.json"))
        if len(_read(path.parent / "validation/loss.tsv")) > 1
    }
    columns = min(4, len(runs))
    rows = -(-len(runs) // columns)
    figure = Figure(figsize=(3 * columns, 2.4 * rows), layout="constrained")
    for number, (name, path) in enumerate(runs.items(), 1):
        axes = figure.add_subplot(rows, columns, number, title=name, xlabel="epoch")
        for split in ("train", "validation"):
            losses = _read(path / split / "loss.tsv")
            axes.plot(range(1, len(losses) + 1), losses, marker=".", label=split)
        axes.legend(frameon=False)
    figure.savefig(folder / "curves.png", dpi=110)


def _read(file: Path) -> list[float]:
    with file.open() as lines:
        return [float(row["loss"]) for row in csv.DictReader(lines, delimiter="\t")]


if __name__ == "__main__":
    what, *places = sys.argv[1:]
    if what == "pipeline":
        pipeline(*map(Path, places))
    else:
        beside(what, *map(Path, places))
