"""`readers`, `ensembles`, `unsure`: the readers of masked faces beside the pipeline's own."""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, Field

from unmask.core.errors import UserError
from unmask.core.section import FILE, Section, check, load, read
from unmask.params.experiments import Evaluate, Seeds
from unmask.params.models import Named
from unmask.params.training import Training

NOBODY = "none"
"""The teacher of a reader that has none."""

DISTILLATION = "distillation"
"""The objective that needs a teacher."""

HALVES, FACES, STITCHED = "halves", "faces", "stitched/"

_VIEWS = {HALVES: "upper", FACES: "whole"}


def _is_a_view(sees: str) -> str:
    if sees not in _VIEWS and not re.fullmatch(f"{STITCHED}[a-z][a-z0-9_]*", sees):
        raise ValueError(f"{sees}: no images; choose {HALVES}, {FACES} or {STITCHED}RECONSTRUCTOR")
    return sees


Sees = Annotated[str, AfterValidator(_is_a_view)]


class Taught(Named):
    """What a reader learns from: a file of `objectives/` and its settings.

    teacher: a reader or an ensemble that it learns from as well, or `none`.
    """

    teacher: str


class ReaderEntry(Section):
    """An entry of `readers`: a classifier with its view and what it learns from.

    sees: the folder of `data/` whose images it is shown: `halves`, the upper ones; `faces`, whole
        and true; or `stitched/M`, those of the reconstructor M.
    classifier: a file of `classifiers/` and its settings.
    start: from which weights: `noise`, or those of its `teacher`, who has the same classifier.
    train: settings of `train.classifier` that it overrides.
    seeds: one reader is trained from each; those of `evaluate.seeds` unless given.
    folds: so many more are trained, each without one part of the training faces, for students with
        `cross_fitted`.
    """

    sees: Sees
    classifier: Named
    objective: Taught
    start: Literal["noise", "teacher"] = "noise"
    train: dict[str, Any] = Field(default_factory=dict)
    seeds: Annotated[Seeds, Field(min_length=1)] | None = None
    folds: int | None = Field(default=None, ge=2, le=100)

    @property
    def view(self) -> str:
        """What it is shown: `upper`, `whole`, or `stitched` with a reconstructor's name."""
        return view_of(self.sees)

    def training(self, defaults: Training, key: str) -> Training:
        """Return `defaults` with the overrides of this reader; `key` is named in errors."""
        return check(Training, {**defaults.model_dump(), **self.train}, f"{key}.train")

    def all_seeds(self) -> list[int]:
        """Return the seeds it is trained from."""
        return self.seeds or read(Evaluate, "evaluate").seeds


class Ensemble(Section):
    """An entry of `ensembles`: networks whose probabilities are averaged, each counting once.

    sees: as of a reader.
    members: two readers or ensembles, each with all of its seeds. For more, take an ensemble of
        ensembles: DVC needs to know how many stages another one depends on.
    """

    sees: Sees
    members: list[str] = Field(min_length=2, max_length=2)


class Unsure(Section):
    """When a reader had better say that it does not know.

    risk: the share of its answers that may be wrong; see `evaluation.calibration`.
    """

    risk: float = Field(gt=0, lt=1)


Entries = Mapping[str, ReaderEntry | Ensemble]


def view_of(sees: str) -> str:
    """Return the view of a folder of images; see `ReaderEntry`."""
    return _VIEWS.get(sees, f"stitched {sees.removeprefix(STITCHED)}")


def read_readers() -> tuple[dict[str, ReaderEntry], dict[str, Ensemble]]:
    """Return all entries of `readers` and of `ensembles`, in the order of the file.

    Raises UserError as `read` does.
    """
    values = load()
    return (
        {name: read(ReaderEntry, f"readers.{name}") for name in values.get("readers") or {}},
        {name: read(Ensemble, f"ensembles.{name}") for name in values.get("ensembles") or {}},
    )


def check_readers(
    readers: Mapping[str, ReaderEntry],
    ensembles: Mapping[str, Ensemble],
    reconstructors: Collection[str],
) -> None:
    """Raise UserError, one line that names the key, unless the entries fit each other."""
    entries: Entries = {**readers, **ensembles}
    for name in [*readers, *ensembles]:
        section = "readers" if name in readers else "ensembles"
        if name in readers and name in ensembles:
            _refuse("ensembles", f"{name} is a reader already; take another name")
        if name == NOBODY or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            _refuse(section, f"{name}: no name for a folder; use small letters, digits and _")
        model = entries[name].sees.partition(STITCHED)[2]
        if model and model not in reconstructors:
            allowed = ", ".join(reconstructors)
            _refuse(f"{section}.{name}.sees", f"no reconstructor {model}; choose one of {allowed}")
        _check_needed(f"{section}.{name}", name, entries)
    for name, entry in readers.items():
        if entry.objective.teacher == NOBODY:
            _check_alone(f"readers.{name}", entry)
        else:
            _check_taught(f"readers.{name}", entry, entries[entry.objective.teacher])
    for name, ensemble in ensembles.items():
        for member in ensemble.members:
            if entries[member].sees != ensemble.sees:
                other = f"{member} sees {entries[member].sees}, not {ensemble.sees}"
                _refuse(f"ensembles.{name}.members", f"{other}; average readers with one view")


def _check_needed(key: str, name: str, entries: Entries) -> None:
    """Refuse what is not there and what needs `name` itself."""
    key = f"{key}.{'members' if isinstance(entries[name], Ensemble) else 'objective.teacher'}"
    for needed in _needs(entries[name]):
        if needed not in entries:
            _refuse(key, f"no reader {needed}; choose one of {', '.join(entries)}")
        if name in _all_needed(needed, entries):
            _refuse(key, f"{needed} itself needs {name}; break the circle")


def _check_alone(key: str, entry: ReaderEntry) -> None:
    if entry.objective.name == DISTILLATION or entry.start == "teacher":
        _refuse(f"{key}.objective.teacher", f"{NOBODY}, but one is needed; name a reader")


def _check_taught(key: str, entry: ReaderEntry, teacher: ReaderEntry | Ensemble) -> None:
    objective, starts = entry.objective, entry.start == "teacher"
    learns, name = objective.name == DISTILLATION, entry.objective.teacher
    if not learns and not starts:
        fault = f"{name}, but {objective.name} learns from labels alone"
        _refuse(f"{key}.objective.teacher", f"{fault}; set it to {NOBODY}, or start: teacher")
    if starts and (not isinstance(teacher, ReaderEntry) or teacher.classifier != entry.classifier):
        _refuse(f"{key}.start", f"teacher, but {name} is another classifier; set it to noise")
    if learns and teacher.sees != entry.sees and {teacher.sees, entry.sees} != {HALVES, FACES}:
        fault = f"{name} sees {teacher.sees}, which does not move with {entry.sees}"
        _refuse(f"{key}.objective.teacher", f"{fault}; teach {HALVES} by {HALVES} or {FACES}")
    if objective.settings.get("cross_fitted") and not getattr(teacher, "folds", None):
        fault = f"true, but {name} has no folds"
        _refuse(f"{key}.objective.cross_fitted", f"{fault}; set readers.{name}.folds")


def _refuse(key: str, fault: str) -> NoReturn:
    raise UserError(f"{FILE}: {key}: {fault}")


def _needs(entry: ReaderEntry | Ensemble) -> list[str]:
    if isinstance(entry, Ensemble):
        return entry.members
    return [entry.objective.teacher] if entry.objective.teacher != NOBODY else []


def _all_needed(name: str, entries: Entries) -> set[str]:
    """Return `name` and all that it needs, directly or through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in entries and one not in found:
            found.add(one)
            waiting += _needs(entries[one])
    return found
