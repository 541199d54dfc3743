"""`readers`, `ensembles`, `posterior_averages`, `unsure`: readers of masked faces beside the
pipeline's own.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, Field, field_validator

from unmask.core.section import Section, load, read
from unmask.params.models import OF_CLASSIFIERS, Evaluate, Named, ObjectiveEntry, Seeds

HALVES, FACES, STITCHED = "halves", "faces", "stitched/"

_VIEWS = {HALVES: "upper", FACES: "whole"}


def _is_a_view(sees: str) -> str:
    if sees not in _VIEWS and not re.fullmatch(f"{STITCHED}[a-z][a-z0-9_]*", sees):
        raise ValueError(f"{sees}: no images; choose {HALVES}, {FACES} or {STITCHED}RECONSTRUCTOR")
    return sees


Sees = Annotated[str, AfterValidator(_is_a_view)]


class Taught(ObjectiveEntry):
    """What a reader learns from: a file of `objectives/` and its settings.

    teacher: a reader or an ensemble that it learns from as well, or `none`.
    """

    teacher: str

    @field_validator("name")
    @classmethod
    def _is_for_classifiers(cls, name: str) -> str:
        if name not in OF_CLASSIFIERS:
            raise ValueError(f"{name}: no objective of readers; take {' or '.join(OF_CLASSIFIERS)}")
        return name


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

    def all_seeds(self) -> list[int]:
        """Return the seeds it is trained from."""
        return self.seeds or read(Evaluate, "evaluate").seeds


class Ensemble(Section):
    """An entry of `ensembles`: networks whose probabilities are averaged.

    sees: as of a reader.
    members: two readers or ensembles, each with all of its seeds; the same one twice counts once.
        For more, take an ensemble of ensembles: DVC needs to know how many stages another one
        depends on. A network that both members hold counts twice.
    """

    sees: Sees
    members: list[str] = Field(min_length=2, max_length=2)


class PosteriorAverage(Section):
    """An entry of `posterior_averages`: what a reader of whole faces thinks of drawn lower halves.

    reconstructor: who draws; reader: who sees `faces`, with each of its seeds; samples: halves
    drawn for each face, over which probabilities are averaged.
    """

    reconstructor: str
    reader: str
    samples: int = Field(ge=1)

    @property
    def sees(self) -> str:
        """The folder of `data/` whose images it is shown."""
        return HALVES


class Unsure(Section):
    """When a reader had better say that it does not know.

    risk: the share of its answers that may be wrong; see `evaluation.calibration`.
    """

    risk: float = Field(gt=0, lt=1)


_Kind = TypeVar("_Kind", bound=Section)


class Readers(NamedTuple):
    """All entries by name, in the order of the file."""

    readers: Mapping[str, ReaderEntry]
    ensembles: Mapping[str, Ensemble]
    averages: Mapping[str, PosteriorAverage]

    def entries(self) -> list[tuple[str, ReaderEntry | Ensemble | PosteriorAverage]]:
        """Return every entry with its name."""
        return [*self.readers.items(), *self.ensembles.items(), *self.averages.items()]

    def models(self) -> dict[str, list[str]]:
        """Return the names of the models of each: seeds, or `all` for an ensemble."""
        seeds = {name: [str(s) for s in entry.all_seeds()] for name, entry in self.readers.items()}
        averages = {name: seeds[average.reader] for name, average in self.averages.items()}
        return seeds | {name: ["all"] for name in self.ensembles} | averages


def view_of(sees: str) -> str:
    """Return the view of a folder of images; see `ReaderEntry`."""
    return _VIEWS.get(sees, f"stitched {sees.removeprefix(STITCHED)}")


def read_readers() -> Readers:
    """Return all entries; raises UserError as `read` does."""
    return Readers(
        _entries("readers", ReaderEntry),
        _entries("ensembles", Ensemble),
        _entries("posterior_averages", PosteriorAverage),
    )


def _entries(section: str, kind: type[_Kind]) -> dict[str, _Kind]:
    return {name: read(kind, f"{section}.{name}") for name in load().get(section) or {}}
