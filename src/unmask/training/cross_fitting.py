"""Cross-fitting: teachers that each leave out a fold of the training faces.

Each face can then be taught by a teacher that has not seen it (Dao et al. 2021, "Knowledge
distillation as semiparametric inference", section 4). A copy of a face gives its label away as well
as the face itself, so copies are in one fold.
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.core.faces import CLASSES
from unmask.core.files import open_array, save_array
from unmask.core.mask import UPPER_ROWS
from unmask.core.randomness import uniform
from unmask.models.folder import load_model
from unmask.models.inference import probabilities
from unmask.params.models import Train
from unmask.params.readers import ReaderEntry
from unmask.training.finished import Finished
from unmask.training.run import begin
from unmask.training.teachers import FOLD_FILE, FOLDS, SEEDS, TEACHERS
from unmask.training.teaching import Lesson, train_reader

NO_FOLD = 255
"""Fold of a face that no teacher of a fold learns from."""


def teach(
    name: str, entry: ReaderEntry, lesson: Lesson, train: Train, source: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Write all that students of the reader `name` need, and return figures of its folds.

    They are the accuracy of each fold's model on the faces that it has learned (`seen`) and on
    those of its fold (`unseen`), together for all training faces. Returns None in all processes
    but one.
    """
    folder, run = TEACHERS / name, f"teachers/{name}/{FOLDS}"
    fold = folds_of(entry, lesson, train)
    group = begin(train).group
    for number in range(entry.folds or 0):
        train_without(number, fold, name, entry, lesson, train, source)
    if group.rank:
        return None
    if entry.folds:
        shutil.move(Path("data/training") / run, folder / "curves")
    shutil.copytree(Path("models/readers") / name, folder / SEEDS)
    save_array(folder / FOLD_FILE, fold)
    figures = _judged(folder / FOLDS, entry, lesson, fold)
    Finished.forget(f"teachers/{name}", group)
    return figures


def folds_of(entry: ReaderEntry, lesson: Lesson, train: Train) -> NDArray[np.uint8]:
    """Return which fold each face is in, uint8 [N], as `draw_folds` draws them for `entry`."""
    if not entry.folds:
        return np.full(len(lesson.faces), NO_FOLD, np.uint8)
    groups = open_array("data/audit/groups.npy")
    return draw_folds(groups, lesson.faces.labels, lesson.train, entry.folds, train.seed)


def train_without(
    number: int,
    fold: NDArray[np.uint8],
    name: str,
    entry: ReaderEntry,
    lesson: Lesson,
    train: Train,
    source: Mapping[str, Any],
) -> None:
    """Train the model of the reader `name` that leaves out the fold of this number."""
    others = lesson.train[fold[lesson.train] != number]
    part = replace(lesson.taught(entry, number), train=others)
    train_reader(f"teachers/{name}/{FOLDS}/{number}", name, entry, part, train, source)


def _judged(
    folder: Path, entry: ReaderEntry, lesson: Lesson, fold: NDArray[np.uint8]
) -> dict[str, Any]:
    images, labels, train = lesson.images, lesson.faces.labels, lesson.train
    if entry.view == "upper":
        images = images[:, :UPPER_ROWS]
    right: dict[str, list[NDArray[np.bool_]]] = {"seen": [], "unseen": []}
    for number in range(entry.folds or 0):
        model = load_model(folder / str(number))
        for kind, chosen in (("seen", fold[train] != number), ("unseen", fold[train] == number)):
            rows = train[chosen]
            if len(rows):  # there can be more folds than groups of copies
                right[kind].append(probabilities(model, images, rows).argmax(1) == labels[rows])
    figures: dict[str, Any] = {"folds": entry.folds or 0, "faces": len(train)}
    for kind, parts in right.items():
        if parts:
            figures[kind] = {"accuracy": float(np.concatenate(parts).mean())}
    return figures


def draw_folds(
    groups: NDArray[np.int64],
    labels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    folds: int,
    seed: int,
) -> NDArray[np.uint8]:
    """Return which fold each face is in, uint8 [N]; NO_FOLD for those that are not in `rows`.

    groups: int64 [N], the group of copies that each face belongs to; no group is torn. labels:
    uint8 [N]; rows: int64 [n]. Folds are drawn by (seed, group), and have as many faces of each
    class, and as many at all, as whole groups allow.
    """
    fold = np.full(len(groups), NO_FOLD, np.uint8)
    names, member = np.unique(groups[rows], return_inverse=True)
    of_group = np.zeros((len(names), len(CLASSES)), np.int64)
    np.add.at(of_group, (member, labels[rows]), 1)
    # Large groups first, while there is room to make up for them.
    order = np.lexsort((uniform(seed, names), -of_group.sum(1)))
    chosen = np.empty(len(names), np.uint8)
    counts = np.zeros((folds, len(CLASSES)), np.int64)
    for group in order:
        alike = counts @ of_group[group]
        chosen[group] = np.lexsort((counts.sum(1), alike))[0]
        counts[chosen[group]] += of_group[group]
    fold[rows] = chosen[member]
    return fold
