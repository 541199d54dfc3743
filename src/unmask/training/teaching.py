"""Training readers from their own lessons.

A stage trains several models one after the other. DVC deletes a stage's outputs before it runs it
again, so models that are finished are kept beside the checkpoints until the stage ends.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from unmask.core.errors import UserError
from unmask.core.faces import CLASSES, SIZE, TRAIN, VALIDATION, FaceSet
from unmask.core.files import atomic_folder, open_array
from unmask.core.mask import UPPER_ROWS
from unmask.core.section import FILE, check
from unmask.models.folder import build, classifier_config, load_model
from unmask.models.readers import model_folders
from unmask.models.registry import load
from unmask.params.models import NOBODY, Train
from unmask.params.readers import STITCHED, ReaderEntry
from unmask.training.checkpoint import fingerprint
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

    If this run has ended before, in a stage that was then interrupted, its artefacts are put back
    instead. source: where the faces come from. Returns the processes that shared the work.
    """
    key = f"readers.{name}"
    settings, objective = entry.training(train.classifier, key), entry.objective
    if settings.mixup and lesson.fold is not None:
        raise UserError(
            f"{FILE}: {key}.objective.cross_fitted: true, but mixup would mix a face with one that "
            f"its teacher has seen; set {key}.train.mixup to 0"
        )
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
    model = build(config)
    pretrained: dict[str, Any] = {}
    if lesson.start:
        _start_from(model, lesson.start, key)
    else:
        pretrained = load_pretrained(model)
    learning = module.build(model, params, settings, compute)
    identity = fingerprint(
        {**inputs.arrays, "train": inputs.train, "validation": inputs.validation},
        [model, *learning.frozen.values()], config, settings, train.seed,
        compute.precision, compute.device.type, str(compute.group),
    )  # fmt: skip
    finished = Finished(run, identity)
    if finished.is_there():
        finished.put_back(compute.group)
    else:
        facts = {"training_faces": dict(zip(CLASSES, counts, strict=True)), **pretrained}
        train_and_save(run, model, config, learning, inputs, settings, train, compute, facts)
        finished.keep(compute.group)
    return compute.group


def _start_from(model: nn.Module, folder: Path, key: str) -> None:
    try:
        model.load_state_dict(load_model(folder).state_dict())
    except RuntimeError:
        raise UserError(
            f"{FILE}: {key}.start: teacher, whose weights fit its own view alone; set it to noise, "
            "or take a classifier that averages over the face"
        ) from None


class Finished:
    """The artefacts of a run that has ended, kept until its stage has.

    run: its name; identity: of everything that determines it.
    """

    _ROOT = Path(".checkpoints/finished")
    _FOLDERS = (Path("models"), Path("data/training"))

    def __init__(self, run: str, identity: str) -> None:
        self._run, self._kept = run, self._ROOT / run
        self._identity = identity

    def is_there(self) -> bool:
        """Return whether artefacts of the same run are kept."""
        note = self._kept / "identity"
        return note.exists() and note.read_text(encoding="ascii") == self._identity

    def put_back(self, group: ProcessGroup) -> None:
        """Copy them to where the run had put them."""
        for folder in [] if group.rank else self._FOLDERS:
            with atomic_folder(folder / self._run) as temporary:
                shutil.copytree(self._kept / folder, temporary, dirs_exist_ok=True)

    def keep(self, group: ProcessGroup) -> None:
        """Keep a copy of them."""
        if group.rank:
            return
        with atomic_folder(self._kept) as temporary:
            for folder in self._FOLDERS:
                shutil.copytree(folder / self._run, temporary / folder)
            (temporary / "identity").write_text(self._identity, encoding="ascii")

    @classmethod
    def forget(cls, runs: str, group: ProcessGroup) -> None:
        """Remove what is kept of the runs whose names begin with the folder `runs`."""
        if not group.rank:
            shutil.rmtree(cls._ROOT / runs, ignore_errors=True)
