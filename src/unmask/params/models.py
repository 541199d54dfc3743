"""`classifiers`, `classifier`, `reconstructors`, `recon`: the models, and which of them is used.

What is particular to one model is typed in the model's own file.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from unmask.core.errors import UserError
from unmask.core.section import FILE, Section, check, load, read
from unmask.params.training import Training

NOBODY = "none"
"""The teacher of what learns from faces and labels alone."""

DISTILLATION = "distillation"
"""The objective that needs a teacher."""

OF_CLASSIFIERS = ("cross_entropy", DISTILLATION)
"""Objectives that a classifier learns from; all others are for reconstructors."""

_ADDED = ("teachers", "view")


class Entry(BaseModel):
    """A part of the file whose own settings are typed elsewhere, by the file that they are for."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that are typed elsewhere."""
        return dict(self.model_extra or {})


class Named(Entry):
    """The name of a part, with its settings beside it."""

    name: str


class Objective(Named):
    """What a model learns from: a file of `objectives/` and its settings."""

    @model_validator(mode="after")
    def _leaves_to_the_stage_what_it_adds(self) -> Self:
        for key in _ADDED:
            if key in self.settings:
                raise ValueError(f"{key}: the stage that trains sets this itself; remove this key")
        return self


class Recon(Section):
    """The reconstructor that is looked at most closely.

    model: the reconstructor of the headline and the laboratory.
    folds: number of reconstructors in the laboratory that each leave out a part of the training
        faces.
    teacher: the reader, one of `readers` that sees `faces` and has folds, by which reconstructors
        learn what matters for expression, if their objective asks for it; or `none`.
    """

    model: str
    folds: int = Field(ge=2)
    teacher: str


class Reconstructor(Entry):
    """An entry of `reconstructors`, its own settings aside.

    objective: what it learns from, a file of `objectives/` and its settings.
    train: settings of `train.reconstructor` that this reconstructor overrides.
    """

    objective: Objective
    train: dict[str, Any] = Field(default_factory=dict)

    @field_validator("objective")
    @classmethod
    def _is_for_reconstructors(cls, objective: Objective) -> Objective:
        if objective.name in OF_CLASSIFIERS:
            raise ValueError(f"{objective.name}: only classifiers learn so; take supervised, "
                             "adversarial, flow_matching or closed_form")  # fmt: skip
        return objective

    def training(self, defaults: Training, key: str) -> Training:
        """Return `defaults` with this reconstructor's overrides; `key` is named in errors."""
        return check(type(defaults), {**defaults.model_dump(), **self.train}, f"{key}.train")


def read_classifier() -> Named:
    """Return the entry of `classifiers` that the key `classifier` names.

    Raises UserError as `read` does, and if there is no such entry.
    """
    entries, name = load().get("classifiers"), load().get("classifier")
    if not isinstance(entries, dict) or not isinstance(name, str) or name not in entries:
        allowed = ", ".join(map(str, entries)) if isinstance(entries, dict) else "none"
        raise UserError(f"{FILE}: classifier: {name} has no entry under classifiers; choose one of "
                        f"{allowed}")  # fmt: skip
    settings = read(Entry, f"classifiers.{name}").settings
    return Named.model_validate({**settings, "name": name})


def reconstructor_names() -> list[str]:
    """Return the names of all entries under `reconstructors` in the order of the file."""
    entries = load().get("reconstructors")
    return list(entries) if isinstance(entries, dict) else []
