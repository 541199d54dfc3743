"""The report: a single page that contains everything, including styles and pictures."""

import base64
import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from unmask.core.checksum import of_json
from unmask.core.faces import CLASSES
from unmask.core.files import read_json
from unmask.core.section import load, read
from unmask.evaluation.comparison import headline
from unmask.evaluation.predictions import test_predictions
from unmask.evaluation.seeds import COLUMNS as SEEDS
from unmask.evaluation.seeds import named
from unmask.evaluation.tables import ACCURACY, RECONSTRUCTION, Columns
from unmask.laboratory.results import COLUMNS as EXPERIMENTS
from unmask.params.models import Recon
from unmask.report import figures

_HERE = Path(__file__).parent
_PACKAGES = ("dvc", "numpy", "pandas", "scikit-learn", "torch", "torchmetrics", "torchvision")


def page() -> str:
    """Return the page, made from `metrics/`, `data/predictions`, `models` and the sheet."""
    model, compared = read(Recon, "recon").model, read_json("metrics/compare.json")
    shown = {"upper half": "baseline", f"with {model}": model}
    shown["true face"] = "ceiling"
    source = read_json("data/faces/meta.json")
    laboratory = _of_this_run("laboratory/results.json", source, model)
    seeds = _of_this_run("seeds/results.json", source, model)
    templates = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    templates.filters |= {"percent": _percent, "points": _points, "number": "{:,}".format}
    return templates.get_template("page.html").render(
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        script=(_HERE / "sort.js").read_text(encoding="utf-8"),
        headline=headline(model),
        final=compared["models"][model],
        tables=_tables(compared),
        accuracies=figures.accuracies(compared),
        curves=figures.curves(Path("models")),
        reliability=figures.reliability({k: test_predictions(v) for k, v in shown.items()}),
        sheet=base64.b64encode(Path("data/sheet.png").read_bytes()).decode(),
        confusions={title: _confusion(name) for title, name in shown.items()},
        classes=CLASSES,
        audit=read_json("metrics/audit.json"),
        laboratory=laboratory
        and {
            "figure": figures.laboratory(laboratory),
            **_table("Laboratory", "experiment", EXPERIMENTS, laboratory["experiments"]),
            "reach": [name for name, row in laboratory["experiments"].items() if row["reaches"]],
        },
        seeds=seeds and _table("Seeds", "classifier on", SEEDS, named(seeds)),
        source=source,
        params=load(),
        versions={"Python": platform.python_version(), **{p: version(p) for p in _PACKAGES}},
        checksums={str(path): _sha256(path) for path in sorted(Path("metrics").rglob("*.json"))},
    )


def _of_this_run(path: str, source: Mapping[str, Any], model: str) -> dict[str, Any] | None:
    """Return what another pipeline found, if it has run on these faces and with this model."""
    if not Path(path).exists():
        return None
    found: dict[str, Any] = read_json(path)
    of = found["faces_sha256"], found["model"]
    return found if of == (of_json(source), model) else None


def _tables(compared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return both tables of the comparison as titles and cells."""
    rows = {
        "upper half (baseline)": compared["baseline"],
        **compared["models"],
        "true face (ceiling)": compared["ceiling"],
    }
    return [
        _table("Accuracy", "classifier on", ACCURACY, rows),
        _table("Reconstruction", "lower halves of", RECONSTRUCTION, compared["models"]),
    ]


def _table(name: str, first: str, columns: Columns, rows: Mapping[str, Any]) -> dict[str, Any]:
    cells = [[title, *(cell(row) for cell in columns.values())] for title, row in rows.items()]
    return {"name": name, "titles": [first, *columns], "rows": cells}


def _confusion(name: str) -> list[dict[str, Any]]:
    """Return the confusion matrix of a classifier as counts and fractions, one row per class."""
    counts = read_json(f"metrics/classification/{name}.json")["test"]["confusion"]
    return [
        {"class": CLASSES[label], "cells": [(n, n / max(1, sum(row))) for n in row]}
        for label, row in enumerate(counts)
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
