"""What a drawn mask tells of the face behind it, and how masked faces of that kind are read.

    python benchmarks/drawn_masks.py outline CLONE [--epochs 5] [--work DIR] [--json PATH]
    python benchmarks/drawn_masks.py reader CLONE [--json PATH]
    python benchmarks/drawn_masks.py learn CLONE [--epochs 4] [--work DIR] [--json PATH]

CLONE: of this repository, in which `dvc repro crop audit` has run on FER2013, for `learn` with
`audit.remove: none`, which is the official split.

`outline` trains the paper's CNN on nothing but the outline of a mask, white on black, all masks of
one style, and compares it with the most frequent class. A drawn mask ends at the jaw of the bare
face, so its outline tells of the mouth; a real one hides that.

`reader` has the released reader read the test faces with a mask drawn onto each, its style by
chance. Faces without landmarks get none: they count as wrong, and are left out.

`learn` trains the released reader on, as a reader of whole faces with masks drawn onto them, of
random styles, as the published figures on drawn masks were made; the best epoch is chosen on
validation. What it starts from has learned from a part of the official training faces and from no
other. It is compared with it: the released reader sees the upper halves of the same faces.

`--landmarks PATH` keeps the landmarks of all faces there (200 MB), which take minutes to find.
"""

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from alternate import ROOT
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import nn

sys.path.insert(0, str(ROOT / "src"))

from unmask.comparison.paired import gain, summary
from unmask.core.faces import CLASSES, SIZE, TEST, TRAIN, VALIDATION, FaceSet
from unmask.core.files import open_array, read_json
from unmask.core.mask import UPPER_ROWS
from unmask.core.progress import track
from unmask.core.section import read
from unmask.evaluation.evaluate import evaluate_classifier
from unmask.evaluation.predictions import Table, predictions, read_predictions
from unmask.models.folder import load_model, read_config
from unmask.models.inference import probabilities
from unmask.params.models import Named, Train
from unmask.params.readers import ReaderEntry
from unmask.photos.alignment import find_all
from unmask.photos.drawn_mask import Style, draw, outline, random_style
from unmask.training.classifier import train_classifier
from unmask.training.teaching import Lesson, train_reader

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]

FINE = 4  # outlines are drawn this many times larger
RUN, LEARNED = "outline", "drawn_masks"
RELEASED = ROOT / "release/reader"
LEARNING = {
    "learning_rate": 3e-4,
    "batch_size": 128, "optimiser": "adamw", "schedule": "cosine", "warmup": 0.5,
    "weight_decay": 0.05, "gradient_clip": 1.0, "average": 0.998, "flip": 0.5, "rotation": 10.0,
    "shift": 3.0, "scale": 0.1, "brightness": 0.2, "contrast": 0.2, "label_smoothing": 0.1,
}  # fmt: skip


def landmarks_of(images: Pixels, kept: Path | None) -> Points:
    """Return the landmarks of faces, [N,468,3], nan where there are none."""
    if kept and kept.exists():
        found: Points = np.load(kept, mmap_mode="r")
        if len(found) != len(images):
            sys.exit(f"error: {kept}: of {len(found)} faces, not of these {len(images)}; remove it")
        return found
    points = np.full((len(images), 468, 3), np.nan, np.float32)
    faces = (np.asarray(image) for image in images)
    for row, one in enumerate(track(find_all(faces), len(images), "landmarks")):
        if one.landmarks:
            points[row] = one.landmarks.points
    if kept:
        np.save(kept, points)
    return points


def with_masks(images: Pixels, points: Points, rows: NDArray[np.int64]) -> Pixels:
    """Return faces with a mask drawn onto those that have landmarks, its style by their `rows`."""
    masked = np.array(images)
    for face in track(np.flatnonzero(_has(points)), int(_has(points).sum()), "masks"):
        style = random_style(np.random.default_rng((1, int(rows[face]))))
        masked[face] = draw(images[face], np.asarray(points[face], np.float64), style)
    return masked


def _has(points: Points) -> NDArray[np.bool_]:
    return ~np.isnan(np.asarray(points[:, 0, 0]))


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
    has, images = _has(points), np.zeros((len(faces), SIZE, SIZE), np.uint8)
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
    has, masked = _has(points), with_masks(bare, points, rows)
    judged = partial(_judged, faces, rows, load_model(RELEASED))
    tables = {"bare": judged(bare[:, :UPPER_ROWS]), "masked": judged(masked[:, :UPPER_ROWS])}
    wrong = _wrong_where(~has, tables["masked"])
    return {
        "faces": int(has.sum()),
        "without_landmarks": int((~has).sum()),
        "upper half of bare faces": summary([tables["bare"]]),
        "with landmarks: upper half of bare faces": summary([tables["bare"][has]]),
        "with landmarks: upper half of masked faces": summary([tables["masked"][has]]),
        "masked, without landmarks wrong": summary([wrong]),
        "loss": gain([tables["bare"][has]], [tables["masked"][has]], paired=True),
    }


def _wrong_where(missing: NDArray[np.bool_], found: Table) -> Table:
    """Return predictions of which those of the faces that are `missing` are of no class."""
    table = found.copy()
    table["prediction"][missing] = len(CLASSES)
    return table


def _judged(
    faces: FaceSet, rows: NDArray[np.int64], model: nn.Module, seen: Pixels, augment: bool = False
) -> Table:
    """Return what a model says of these rows, of which it sees the images `seen`."""
    read_as = probabilities(model, seen, np.arange(len(rows)), "faces", augment=augment)
    return predictions(faces.row[rows], faces.labels[rows], read_as)


def of_learning(clone: Path, kept: Path | None, epochs: int, work: Path) -> dict[str, Any]:
    """Train a reader of faces with drawn masks and judge it; return its figures."""
    faces = FaceSet.open(clone / "data/faces")
    points = landmarks_of(faces.images, kept)
    has, images = _has(points), with_masks(faces.images, points, np.arange(len(faces)))
    keep = open_array(clone / "data/audit/keep.npy") & has
    train, released = read(Train, "train", clone / "params.yaml"), load_model(RELEASED)
    config = read_config(RELEASED)
    entry = ReaderEntry.model_validate({
        "sees": "faces", "classifier": {"name": config.architecture, **config.settings},
        "train": LEARNING | {"epochs": epochs, "patience": epochs},
        "objective": {"name": "cross_entropy", "teacher": "none"},
    })  # fmt: skip
    splits = faces.rows(TRAIN, keep), faces.rows(VALIDATION, keep)
    lesson = Lesson(images, faces, *splits, start=RELEASED)
    work.mkdir(parents=True, exist_ok=True)
    os.chdir(work)
    train_reader(LEARNED, LEARNED, entry, lesson, train, {"faces": "with drawn masks"})
    learned = Path("models") / LEARNED
    model, faces = load_model(learned), faces.unsealed(clone / "data/test_labels.npy")
    test, validation = faces.rows(TEST), lesson.validation
    missing = ~has[test]
    figures: dict[str, Any] = {
        "weights": RELEASED.relative_to(ROOT).as_posix(), "epochs": epochs,
        "best_epoch": read_json(learned / "training.json")["best_epoch"],
        "training_faces": len(lesson.train), "validation_faces": len(validation),
        "faces": int((~missing).sum()), "without_landmarks": int(missing.sum()),
    }  # fmt: skip
    for views, augment in (("one view", False), ("ten views", True)):
        judged = partial(_judged, faces, augment=augment)
        ours = judged(test, model, images[test])
        theirs = judged(test, released, images[test, :UPPER_ROWS])
        figures[views] = {
            "validation": summary([judged(validation, model, images[validation])]),
            "test, with landmarks": summary([ours[~missing]]),
            "test, without landmarks wrong": summary([_wrong_where(missing, ours)]),
            "released, upper half, with landmarks": summary([theirs[~missing]]),
            "gain": gain([theirs[~missing]], [ours[~missing]], paired=True),
        }
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("outline", "reader", "learn"))
    parser.add_argument("clone", type=Path)
    parser.add_argument("--landmarks", type=Path)
    parser.add_argument("--epochs", type=int, help="default: 5 for `outline`, 4 for `learn`")
    parser.add_argument("--work", type=Path, default=Path("drawn_masks"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    output = given.json.resolve() if given.json else None
    clone, kept = given.clone.resolve(), given.landmarks and given.landmarks.resolve()
    if given.what == "outline":
        result = of_outlines(clone, kept, given.epochs or 5, given.work)
    elif given.what == "reader":
        result = of_reader(clone, kept)
    else:
        result = of_learning(clone, kept, given.epochs or 4, given.work)
    text = json.dumps(result, indent=2)
    print(text)
    if output:
        output.write_text(text + "\n")
