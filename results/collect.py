"""Collect the figures of a finished run.

    python results/collect.py [pipeline|laboratory|seeds|readers] RUN FOLDER

RUN is a clone of this repository in which `dvc repro` has finished, or `dvc repro` of the other
pipeline. FOLDER receives its metrics and dvc.lock, a file about every training run, and the
test predictions, for tests of your own; for the main pipeline also a page with two tables and a
figure of the loss curves; for the readers, nothing of their ensembles. It contains no picture of a
face. What is collected is what params.yaml of RUN names, and not what earlier runs left there.
"""

import argparse
import lzma
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from matplotlib.figure import Figure

from unmask.core.checksum import of_json
from unmask.core.files import read_json, write_json
from unmask.core.section import load


def pipeline(run: Path, folder: Path) -> None:
    """Collect the main pipeline, with tables and loss curves."""
    names = list(load(run / "params.yaml")["reconstructors"])
    readers = ["baseline", "ceiling", *names]
    trained = ["baseline", "ceiling"]
    trained += [f"{kind}/{name}" for kind in ("reconstructors", "final") for name in names]
    metrics = ["audit.json", "headline.json", "compare.json", "compare.md", "compare.png"]
    metrics += [f"classification/{name}.json" for name in readers]
    metrics += [f"reconstruction/{name}.json" for name in names]
    if set(read_json(run / "metrics/compare.json")["models"]) != set(names):
        sys.exit(f"error: {run}/metrics/compare.json: not of {', '.join(names)}; run `dvc repro`")
    _collect(run, run, folder, metrics, trained, {name: f"predictions/{name}" for name in readers})
    (folder / "tables.md").write_text(_tables(folder), encoding="utf-8")
    curves(folder)


def laboratory(run: Path, folder: Path) -> None:
    """Collect the laboratory, with its results."""
    params = load(run / "params.yaml")
    names = list(params["laboratory"])
    parts = [*(f"folds/{number}" for number in range(params["recon"]["folds"])), "all/0"]
    trained = [f"classifiers/{name}" for name in names]
    trained += [f"reconstructors/{part}" for part in parts]
    shown = _results(run, "laboratory")["experiments"]
    _beside("laboratory", run, folder, names, trained, list(shown))


def seeds(run: Path, folder: Path) -> None:
    """Collect the classifiers from several seeds, with their results."""
    params, shown = load(run / "params.yaml"), _results(run, "seeds")
    readers = ["baseline", params["recon"]["model"], "ceiling"]
    names = _pairs(readers, params["evaluate"]["seeds"])
    _beside("seeds", run, folder, names, names, _pairs(shown["classifiers"], shown["seeds"]))


def readers(run: Path, folder: Path) -> None:
    """Collect the readers from each of their seeds, with their results."""
    params, shown = load(run / "params.yaml"), _results(run, "readers")["readers"]
    default = params["evaluate"]["seeds"]
    wanted = {name: entry.get("seeds") or default for name, entry in params["readers"].items()}
    names = [pair for name, seeds in wanted.items() for pair in _pairs([name], seeds)]
    found = [p for name in wanted.keys() & shown for p in _pairs([name], shown[name]["seeds"])]
    _beside("readers", run, folder, names, names, found)


def _pairs(readers: Iterable[str], seeds: Iterable[int | str]) -> list[str]:
    return [f"{reader}/{seed}" for reader in readers for seed in seeds]


def _results(run: Path, pipeline: str) -> dict[str, Any]:
    """Return the results of a side pipeline, which must be of the faces in `run`."""
    results = read_json(run / pipeline / "results.json")
    if results["faces_sha256"] != of_json(read_json(run / "data/faces/meta.json")):
        _stop(run, pipeline, "of other faces than data/faces")
    return results


def _beside(
    pipeline: str, run: Path, folder: Path, names: list[str], trained: list[str], shown: list[str]
) -> None:
    """Collect a side pipeline, whose results show `shown`, which must be `names`."""
    if set(shown) != set(names):
        _stop(run, pipeline, "not of params.yaml")
    predictions = {name.replace("/", "-"): f"{pipeline}/predictions/{name}" for name in names}
    metrics = [f"{name}.json" for name in names]
    trained = [f"{pipeline}/{name}" for name in trained]
    _collect(run, run / pipeline, folder, metrics, trained, predictions)
    for result in (run / pipeline).glob("results.*"):
        shutil.copy(result, folder)


def _stop(run: Path, pipeline: str, what: str) -> NoReturn:
    command = f"dvc repro {pipeline}/dvc.yaml"
    sys.exit(f"error: {run / pipeline}/results.json: {what}; run `{command}`")


def _collect(
    run: Path,
    home: Path,
    folder: Path,
    metrics: list[str],
    trained: list[str],
    predictions: dict[str, str],
) -> None:
    """Copy metrics, files of `metrics/`, and dvc.lock from `home`; the rest as `runs` does."""
    runs(run, folder, trained, predictions)
    for file in metrics:
        (folder / "metrics" / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(home / "metrics" / file, folder / "metrics" / file)
    if (home / "dvc.lock").exists():  # stages can also be run without DVC
        shutil.copy(home / "dvc.lock", folder / "dvc.lock")


def runs(run: Path, folder: Path, trained: Sequence[str], predictions: dict[str, str]) -> None:
    """Empty `folder`; copy what is known of training runs, and test predictions, from `run` to it.

    trained: folders of `models/`, each of which becomes one file, with its losses and durations of
    epochs; predictions: folders of `data/` by the names that their tables get.
    """
    for name in ("metrics", "predictions", "training"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in trained:
        facts = read_json(run / "models" / name / "training.json")
        facts["seconds_per_epoch"] = read_json(run / f"logs/{name}.json")["seconds_per_epoch"]
        write_json(folder / f"training/{name}.json", facts)
    (folder / "predictions").mkdir()
    for name, place in predictions.items():
        table = (run / "data" / place / "test.csv").read_bytes()
        (folder / "predictions" / f"{name}.csv.xz").write_bytes(lzma.compress(table, preset=9))


def _tables(folder: Path) -> str:
    """Return a table of the classifiers and one of the reconstructors."""
    compared = read_json(folder / "metrics/compare.json")
    models = compared["models"]
    rows = {"upper half": compared["baseline"], **models, "true face": compared["ceiling"]}
    classifiers = [
        "| | validation [95 %] | test [95 %] | gain, points [95 %] | p (Holm) "
        "| train running [95 %] | train evaluation [95 %] |",
        "|" + " --- |" * 7,
        *map(_classifier, rows, rows.values()),
    ]
    reconstructors = [
        "| | weights, million | pretrained | s/epoch | epochs | last quarter | PSNR, dB | SSIM "
        "| Frechet | agreement |",
        "|" + " --- |" * 10,
        *(_reconstructor(folder, name, row) for name, row in models.items()),
    ]
    return "\n".join([*classifiers, "", *reconstructors]) + "\n"


def _classifier(name: str, row: dict[str, Any]) -> str:
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


def _reconstructor(folder: Path, name: str, row: dict[str, Any]) -> str:
    training = read_json(folder / f"training/reconstructors/{name}.json")
    seconds, improved = training["seconds_per_epoch"], last_quarter(training)
    cells = [
        f"`{name}`",
        f"{row['parameters'] / 1e6:.2f}",
        row["pretrained"] or "",
        f"{sum(seconds) / len(seconds):.0f}",
        f"{row['epochs']}",
        "" if improved is None else f"{improved:.1%}",
        f"{row['psnr_db']:.2f}",
        f"{row['ssim']:.3f}",
        f"{row['frechet_distance']:.2f}",
        f"{row['expression_agreement']:.1%}",
    ]
    return f"| {' | '.join(cells)} |"


def last_quarter(training: dict[str, Any]) -> float | None:
    """Return how much the best loss on validation improved in the last quarter of the epochs.

    As a share of the best one before, which has converged if this is 0; None where a quarter of the
    epochs is less than one.
    """
    losses = [epoch["validation/loss"] for epoch in training["history"]]
    before = losses[: -(-3 * len(losses) // 4)]
    return 1 - min(losses) / min(before) if len(before) < len(losses) else None


def curves(folder: Path) -> None:
    """Draw curves.png, the losses of the reconstructors in `folder` that learned for epochs."""
    trained = {
        path.stem: losses
        for path in sorted(folder.glob("training/reconstructors/*.json"))
        if len(losses := read_json(path)["history"]) > 1
    }
    if not trained:
        return
    columns = min(4, len(trained))
    rows = -(-len(trained) // columns)
    figure = Figure(figsize=(3 * columns, 2.4 * rows), layout="constrained")
    for number, (name, history) in enumerate(trained.items(), 1):
        axes = figure.add_subplot(rows, columns, number, title=name, xlabel="epoch")
        for split in ("train", "validation"):
            found = [epoch[f"{split}/loss"] for epoch in history]
            axes.plot(range(1, len(found) + 1), found, marker=".", label=split)
        axes.legend(frameon=False)
    figure.savefig(folder / "curves.png", dpi=110)


if __name__ == "__main__":
    kinds = {"pipeline": pipeline, "laboratory": laboratory, "seeds": seeds, "readers": readers}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    kinds[arguments.kind](arguments.run, arguments.folder)
