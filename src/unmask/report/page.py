"""The report: a single page that contains everything, including styles and pictures."""

import base64
import platform
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from unmask.comparison import seeds as over_seeds
from unmask.comparison import tables
from unmask.comparison.reconstructors import headline
from unmask.core.checksum import of_file, of_json
from unmask.core.errors import UserError
from unmask.core.faces import CLASSES
from unmask.core.files import read_json
from unmask.core.section import load, read
from unmask.evaluation.predictions import predictions_on_test
from unmask.laboratory import results as experiments
from unmask.models.readers import OF_FACES
from unmask.params.laboratory import read_experiments
from unmask.params.models import Evaluate, Recon, classifier_settings, reconstructor_names
from unmask.report import figures

_HERE = Path(__file__).parent
_PACKAGES = ("dvc", "numpy", "scipy", "torch", "torchvision")


def page() -> str:
    """Return the page, made from `metrics/`, `data/predictions`, `models` and the sheet.

    It shows what `params.yaml` names; what earlier runs left in these folders does not count.
    """
    model, names = read(Recon, "recon").model, reconstructor_names()
    compared = _compared(names)
    shown = {"upper half": "baseline", f"with {model}": model}
    shown["true face"] = "ceiling"
    source = read_json("data/faces/meta.json")
    laboratory, seeds = _laboratory(source, model), _seeds(source, model)
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
        comparison=_parts(tables.markdown(compared)),
        accuracies=figures.accuracies(compared),
        curves=figures.curves(_histories(names, source)),
        reliability=figures.reliability({k: predictions_on_test(v) for k, v in shown.items()}),
        sheet=base64.b64encode(Path("data/sheet.png").read_bytes()).decode(),
        confusions={title: _confusion(name) for title, name in shown.items()},
        classes=CLASSES,
        audit=_audit(source),
        laboratory=laboratory
        and {
            "figure": figures.laboratory(laboratory),
            "parts": _parts(experiments.markdown(laboratory)),
            "reach": [name for name, row in laboratory["experiments"].items() if row["reaches"]],
        },
        seeds=seeds and _parts(over_seeds.markdown(seeds)),
        source=source,
        params=load(),
        versions={"Python": platform.python_version(), **{p: version(p) for p in _PACKAGES}},
        checksums={str(path): of_file(path) for path in _metrics(names, source)},
    )


def _compared(names: Sequence[str]) -> dict[str, Any]:
    """Return the comparison, which must be of the reconstructors with these names."""
    compared: dict[str, Any] = read_json("metrics/compare.json")
    if set(compared["models"]) != set(names):
        raise UserError(
            "metrics/compare.json: not of the reconstructors in params.yaml; run `dvc repro`"
        )
    return compared


def _audit(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit found, which must be of these faces."""
    audit: dict[str, Any] = read_json("metrics/audit.json")
    if audit["rows"] != source["rows"]:
        raise UserError("metrics/audit.json: of other faces than data/faces; run `dvc repro`")
    return audit


def _histories(names: Sequence[str], source: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures by epoch of every training run, which must have learned from these faces."""
    titles = {"baseline": "baseline", "ceiling": "ceiling"}
    titles |= {f"final/{name}": f"final/{name}" for name in sorted(names)}
    titles |= {f"reconstructors/{name}": name for name in sorted(names)}
    for run in titles:
        trained = read_json(f"models/{run}/config.json")["trained"]
        if any(trained.get(key) != source.get(key) for key in OF_FACES):
            raise UserError(f"models/{run}: trained on other faces; run `dvc repro`")
    return {
        title: read_json(f"models/{run}/training.json")["history"] for run, title in titles.items()
    }


def _laboratory(source: Mapping[str, Any], model: str) -> dict[str, Any] | None:
    """Return what the laboratory found if it ran on these faces, with these experiments."""
    found = _of_this_run("laboratory/results.json", source, model)
    experiments = found.get("experiments", {}).items()
    ran = {name: row.get("injected") for name, row in experiments}
    named = {name: experiment.injected for name, experiment in read_experiments().items()}
    return found if found and ran == named else None


def _seeds(source: Mapping[str, Any], model: str) -> dict[str, Any] | None:
    """Return the results over seeds if they are of these faces and seeds."""
    found = _of_this_run("seeds/results.json", source, model)
    return found if found.get("seeds") == read(Evaluate, "evaluate").seeds else None


def _of_this_run(path: str, source: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return what another pipeline found; nothing if on other faces or with other models."""
    found: dict[str, Any] = read_json(path) if Path(path).exists() else {}
    of = [found.get(key) for key in ("faces_sha256", "settings_sha256", "model")]
    return found if of == [of_json(source), of_json(classifier_settings()), model] else {}


def _metrics(names: Sequence[str], source: Mapping[str, Any]) -> list[Path]:
    """Return the files of metrics that this run wrote."""
    files = ["audit", "compare", "headline"] + ["sample"] * source["synthetic"]
    files += [f"classification/{name}" for name in ("baseline", "ceiling", *names)]
    files += [f"reconstruction/{name}" for name in names]
    return sorted(Path("metrics") / f"{name}.json" for name in files)


def _parts(markdown: str) -> list[Any]:
    """Return the tables of a Markdown text, as rows of cells, and its paragraphs, in order."""
    return [
        _rows(part) if part.startswith("|") else re.sub("`(.+?)`", r"<code>\1</code>", escape(part))
        for part in markdown.strip().split("\n\n")
    ]


def _rows(table: str) -> list[list[str]]:
    head, _, *lines = table.splitlines()  # the second line has nothing but dashes
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in (head, *lines)]


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
