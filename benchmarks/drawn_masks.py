"""What a drawn mask tells of the face behind it, and how masked faces of that kind are read.

    python benchmarks/drawn_masks.py outline CLONE [--epochs 5] [--work DIR] [--json PATH]
    python benchmarks/drawn_masks.py reader CLONE [--json PATH]

CLONE: of this repository, in which `dvc repro crop audit` has run on FER2013.

`outline` trains the paper's CNN on nothing but the outline of a mask, white on black, all masks of
one style, and compares it with the most frequent class. A drawn mask ends at the jaw of the bare
face, so its outline tells of the mouth; a real one hides that.

`reader` has the released reader read the test faces with a mask drawn onto each, its style by
chance. Faces without landmarks get none: they count as wrong, and are left out.

`--landmarks PATH` keeps the landmarks of all faces there (200 MB), which take minutes to find.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from alternate import ROOT
from numpy.typing import NDArray
from PIL import Image, ImageDraw

sys.path.insert(0, str(ROOT / "src"))

from unmask.core.faces import SIZE, TEST, FaceSet
from unmask.core.files import open_array
from unmask.core.progress import track
from unmask.core.section import read
from unmask.evaluation.evaluate import evaluate_classifier
from unmask.evaluation.paired import gain, summary
from unmask.evaluation.predictions import Table, predictions, read_predictions
from unmask.mask import UPPER_ROWS
from unmask.models.folder import load_model
from unmask.models.inference import probabilities
from unmask.params.models import Named
from unmask.params.training import Train
from unmask.photos.alignment import find_all
from unmask.photos.drawn_mask import Style, draw, outline, random_style
from unmask.training.classifier import train_classifier

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]

FINE = 4  # outlines are drawn this many times larger
RUN = "outline"


def landmarks_of(images: Pixels, kept: Path | None) -> Points:
    """Return the landmarks of faces, [N,468,3], nan where there are none."""
    if kept and kept.exists():
        found: Points = np.load(kept, mmap_mode="r")
        return found
    points = np.full((len(images), 468, 3), np.nan, np.float32)
    faces = (np.asarray(image) for image in images)
    for row, one in enumerate(track(find_all(faces), len(images), "landmarks")):
        if one.landmarks:
            points[row] = one.landmarks.points
    if kept:
        np.save(kept, points)
    return points


def silhouette(points: Points) -> Pixels:
    """Return the outline of a mask of the usual style, 0 or 255, uint8 [48,48]."""
    canvas = Image.new("L", (FINE * SIZE, FINE * SIZE))
    edge = outline(np.asarray(points, np.float64)[:, :2], Style())
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in FINE * edge], fill=255)
    return (np.asarray(canvas.reduce(FINE)) > 127).astype(np.uint8) * 255


def of_outlines(clone: Path, kept: Path | None, epochs: int, work: Path) -> dict[str, Any]:
    """Train and judge a classifier of outlines; return its figures."""
    faces = FaceSet.open(clone / "data/faces")
    points = landmarks_of(faces.images, kept)
    has = ~np.isnan(np.asarray(points[:, 0, 0]))
    images = np.zeros((len(faces), SIZE, SIZE), np.uint8)
    for row in np.flatnonzero(has):
        images[row] = silhouette(points[row])
    keep = open_array(clone / "data/audit/keep.npy") & has
    train = read(Train, "train", clone / "params.yaml")
    brief = {"epochs": epochs, "patience": epochs, "batch_size": 64}
    train = train.model_copy(update={"classifier": train.classifier.model_copy(update=brief)})
    settings = {"filters": [32, 64, 128], "hidden": 256, "dropout": 0.1, "dense_dropout": 0.5}
    classifier = Named.model_validate({"name": "paper_cnn", **settings})
    test_labels = (clone / "data/test_labels.npy").resolve()
    work.mkdir(parents=True, exist_ok=True)
    os.chdir(work)
    train_classifier(RUN, "whole", images, faces, keep, classifier, train, {})
    evaluate_classifier(Path("models") / RUN, images, faces.unsealed(test_labels), keep, "judged")
    found = read_predictions(Path("judged/test.csv"))[has[faces.rows(TEST)]]
    return _against_the_most_frequent(found) | {
        "training_faces": int((keep & (faces.split == 0)).sum()), "epochs": epochs,
        "faces": len(found), "without_landmarks": int((~has[faces.rows(TEST)]).sum()),
    }  # fmt: skip


def _against_the_most_frequent(found: Table) -> dict[str, Any]:
    """Return the accuracy of a table of predictions, and its gain over one and the same answer."""
    constant = found.copy()
    constant["prediction"] = np.bincount(found["label"]).argmax()
    return {
        "outline": summary([found]),
        "most_frequent": summary([constant]),
        "gain": gain([constant], [found], paired=True),
        "balanced_accuracy": float(
            np.mean([(found["prediction"] == c)[found["label"] == c].mean() for c in range(7)])
        ),
    }


def of_reader(clone: Path, kept: Path | None) -> dict[str, Any]:
    """Judge the released reader on drawn-on test faces; return its figures."""
    faces = FaceSet.open(clone / "data/faces").unsealed(clone / "data/test_labels.npy")
    rows = faces.rows(TEST)
    bare = np.array(faces.images[rows])
    points = landmarks_of(faces.images, kept)[rows] if kept else landmarks_of(bare, None)
    has = ~np.isnan(points[:, 0, 0])
    masked = bare.copy()
    for row in np.flatnonzero(has):
        style = random_style(np.random.default_rng((1, int(rows[row]))))
        masked[row] = draw(bare[row], np.asarray(points[row], np.float64), style)
    model = load_model(ROOT / "release/reader")
    tables = {}
    for name, images in (("bare", bare), ("masked", masked)):
        upper = np.ascontiguousarray(images[:, :UPPER_ROWS])
        read_as = probabilities(model, upper, np.arange(len(rows)), name)
        tables[name] = predictions(faces.row[rows], faces.labels[rows], read_as)
    wrong = tables["masked"].copy()
    wrong["prediction"][~has] = len(faces.labels)  # no class
    return {
        "faces": int(has.sum()),
        "without_landmarks": int((~has).sum()),
        "upper half of bare faces": summary([tables["bare"]]),
        "with landmarks: upper half of bare faces": summary([tables["bare"][has]]),
        "with landmarks: upper half of masked faces": summary([tables["masked"][has]]),
        "masked, without landmarks wrong": summary([wrong]),
        "loss": gain([tables["bare"][has]], [tables["masked"][has]], paired=True),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("outline", "reader"))
    parser.add_argument("clone", type=Path)
    parser.add_argument("--landmarks", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path("drawn_masks"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    output = given.json.resolve() if given.json else None
    clone, kept = given.clone.resolve(), given.landmarks and given.landmarks.resolve()
    if given.what == "outline":
        result = of_outlines(clone, kept, given.epochs, given.work)
    else:
        result = of_reader(clone, kept)
    text = json.dumps(result, indent=2)
    print(text)
    if output:
        output.write_text(text + "\n")
