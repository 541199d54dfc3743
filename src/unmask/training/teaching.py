"""Training readers from their own lessons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SIZE, TRAIN, VALIDATION, FaceSet
from unmask.core.files import open_array
from unmask.core.mask import UPPER_ROWS
from unmask.core.section import FILE, check
from unmask.models.folder import build, classifier_config, load_model
from unmask.models.readers import model_folders
from unmask.models.registry import load
from unmask.params.models import NOBODY, Train
from unmask.params.readers import STITCHED, ReaderEntry
from unmask.training.process_group import ProcessGroup
from unmask.training.run import Inputs, begin, load_pretrained, train_and_save
from unmask.training.teachers import SEEDS, TEACHERS, cross_fitted


@dataclass(frozen=True)
class Lesson:
    """What one model of a reader learns from.

    images: uint8 [N,48,48], true or stitched faces; faces: their labels and splits.
    train, validation: the rows for either, int64 [n] each.
    teachers: model folders of the teachers; fold: uint8 [N], which of them teaches which face.
    start: model folder whose weights it starts from.
    """

    images: NDArray[np.uint8]
    faces: FaceSet
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    teachers: Sequence[Path] = ()
    fold: NDArray[np.uint8] | None = None
    start: Path | None = None

    def inputs(self) -> Inputs:
        """Return the arrays of the batches.

        They hold whole faces even for readers of upper halves: all faces are moved in the same way,
        and a reader takes its view of the moved face, as its teachers take theirs.
        """
        arrays: dict[str, NDArray[Any]] = {"face": self.images, "label": self.faces.labels}
        if self.faces.soft_labels is not None:
            arrays["soft_label"] = self.faces.soft_labels
        if self.fold is not None:
            arrays["fold"] = self.fold
        return Inputs(arrays, self.train, self.validation)

    def taught(self, entry: ReaderEntry, number: int) -> "Lesson":
        """Return this lesson with the teacher of `entry`, for its seed of this number, from 0."""
        teacher, settings = entry.objective.teacher, entry.objective.settings
        if teacher == NOBODY:
            return self
        folder = TEACHERS / teacher
        own = model_folders(folder / SEEDS)
        lesson = replace(self, teachers=own)
        if settings.get("cross_fitted"):
            lesson = replace(self, **cross_fitted(teacher)._asdict())
        start = own[number % len(own)] if entry.start == "teacher" else None
        return replace(lesson, start=start)


def open_lesson(entry: ReaderEntry) -> Lesson:
    """Return what a reader without a teacher learns from, as the stages before it left it."""
    faces, keep = FaceSet.open("data/faces"), open_array("data/audit/keep.npy")
    images = faces.images
    if entry.sees.startswith(STITCHED):
        images = open_array(f"data/{entry.sees}/faces.npy")
    return Lesson(images, faces, faces.rows(TRAIN, keep), faces.rows(VALIDATION, keep))


def train_reader(
    run: str, name: str, entry: ReaderEntry, lesson: Lesson, train: Train, source: Mapping[str, Any]
) -> ProcessGroup:
    """Train one model of the reader `name` and write what `train_and_save` does for `run`.

    source: where the faces come from. Returns the processes that shared the work.
    """
    key = f"readers.{name}"
    settings, objective = train.classifier.overridden(entry.train, key), entry.objective
    module = load("objectives", objective.name)
    counts = np.bincount(lesson.faces.labels[lesson.train], minlength=len(CLASSES)).tolist()
    given: dict[str, Any] = {
        "view": entry.view,
        "counts": counts,
        "teachers": [str(folder) for folder in lesson.teachers],
    }
    given = {name: value for name, value in given.items() if name in module.Params.model_fields}
    params = check(module.Params, {**objective.settings, **given}, f"{key}.objective")
    trained = {**source, "objective": objective.model_dump(), "start": entry.start}
    shape = (UPPER_ROWS if entry.view == "upper" else SIZE, SIZE)
    config = classifier_config(
        entry.classifier.name, entry.classifier.settings, entry.view, shape, trained
    )
    inputs = lesson.inputs()

    compute = begin(train)
    model = build(config, key=f"{key}.classifier")
    pretrained: dict[str, Any] = {}
    if lesson.start:
        _start_from(model, lesson.start, key)
    else:
        pretrained = load_pretrained(model)
    learning = module.build(model, params, settings, compute)
    facts = {"training_faces": dict(zip(CLASSES, counts, strict=True)), **pretrained}
    train_and_save(
        run, model, config, learning, inputs, settings, train, compute, facts, one_of_several=True
    )
    return compute.group


def _start_from(model: nn.Module, folder: Path, key: str) -> None:
    try:
        model.load_state_dict(load_model(folder).state_dict())
    except RuntimeError:
        raise UserError(
            f"{FILE}: {key}.start: teacher, whose weights fit its own view alone; set it to noise, "
            "or take a classifier that averages over the face"
        ) from None
