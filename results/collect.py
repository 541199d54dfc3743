"""Collect the figures of a finished run: python results/collect.py RUN FOLDER.

RUN is a clone of this repository in which `dvc repro` has ended; FOLDER gets its metrics, the facts
and curves of every training run, the predictions on the test split, for tests of one's own,
dvc.lock, one table of all reconstructors and one figure of their loss curves. No picture of a face
is among them.
"""

import csv
import json
import lzma
import shutil
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def collect(run: Path, folder: Path) -> None:
    """Copy what a reader would want to look up, and draw what a reader would want to look at."""
    for name in ("metrics", "predictions", "training"):
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(run / "metrics", folder / "metrics", ignore=lambda *_: ["sample.json"])
    shutil.copy(run / "dvc.lock", folder / "dvc.lock")
    for facts in sorted((run / "models").rglob("training.json")):
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
    for table in sorted((run / "data/predictions").glob("*/test.csv")):
        packed = folder / "predictions" / f"{table.parent.name}.csv.xz"
        packed.write_bytes(lzma.compress(table.read_bytes(), preset=9))
    (folder / "table.md").write_text(_table(folder), encoding="utf-8")
    _curves(folder)


def _table(folder: Path) -> str:
    compared = json.loads((folder / "metrics/compare.json").read_text())
    rows = [("upper half", compared["baseline"]), *compared["models"].items()]
    rows.append(("true face", compared["ceiling"]))
    lines = [
        "| | weights, million | s/epoch | epochs | PSNR, dB | SSIM | Frechet | agreement "
        "| train running / evaluation | validation | test [95 %] | gain | p (Holm) | pretrained |",
        "|" + " --- |" * 14,
    ]
    for name, row in rows:
        low, high = (f"{100 * end:.1f}" for end in row["ci95"])
        cells = [
            f"`{name}`" if "gain" in row else name,
            *(_of_reconstructor(folder, name, row) if "gain" in row else [""] * 7),
            f"{row['train_running_accuracy']:.1%} / {row['train_accuracy']:.1%}",
            f"{row['validation_accuracy']:.1%}",
            f"{row['accuracy']:.1%} [{low}, {high}]",
            *([f"{100 * row['gain']:+.1f}", f"{row['holm_p']:.2g}"] if "gain" in row else ["", ""]),
            row.get("pretrained") or "",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _of_reconstructor(folder: Path, name: str, row: dict[str, Any]) -> list[str]:
    durations = folder / "training/reconstructors" / name / "durations.json"
    seconds = json.loads(durations.read_text())["seconds_per_epoch"]
    return [
        f"{row['parameters'] / 1e6:.2f}",
        f"{sum(seconds) / len(seconds):.0f}",
        f"{row['epochs']}",
        f"{row['psnr_db']:.2f}",
        f"{row['ssim']:.3f}",
        f"{row['frechet_distance']:.2f}",
        f"{row['expression_agreement']:.1%}",
    ]


def _curves(folder: Path) -> None:
    runs = {
        path.parent.name: path.parent
        for path in sorted(folder.glob("training/reconstructors/*/training.json"))
        if len(_read(path.parent / "validation/loss.tsv")) > 1
    }
    figure = Figure(figsize=(12, 2.4 * -(-len(runs) // 4)), layout="constrained")
    for number, (name, path) in enumerate(runs.items(), 1):
        axes = figure.add_subplot(-(-len(runs) // 4), 4, number, title=name, xlabel="epoch")
        for split in ("train", "validation"):
            losses = _read(path / split / "loss.tsv")
            axes.plot(range(1, len(losses) + 1), losses, marker=".", label=split)
        axes.legend(frameon=False)
    figure.savefig(folder / "curves.png", dpi=110)


def _read(file: Path) -> list[float]:
    with file.open() as lines:
        return [float(row["loss"]) for row in csv.DictReader(lines, delimiter="\t")]


if __name__ == "__main__":
    collect(Path(sys.argv[1]), Path(sys.argv[2]))
