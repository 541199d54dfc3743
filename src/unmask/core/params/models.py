"""`classifier`, `recon`, `reconstructors`: which models, and what they have in common.

What is particular to one model is typed in the model's own file.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from unmask.core.params.section import Section, check, load
from unmask.core.params.training import Training


class Named(BaseModel):
    """The name of a part, with settings that the part's own file types."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """What stands beside the name."""
        return dict(self.model_extra or {})


class Recon(Section):
    """The reconstructor that is looked at most closely.

    model: what the headline and the laboratory are about.
    folds: reconstructors in the laboratory of which each leaves out a part of the training faces.
    """

    model: str
    folds: int = Field(ge=2)


class Reconstructor(BaseModel):
    """An entry of `reconstructors`, its own settings aside.

    objective: what it learns from, a file of `training/objectives/` and its settings.
    train: settings of `train.reconstructor` that this reconstructor overrides.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    objective: Named
    train: dict[str, Any] = Field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """What is particular to this reconstructor."""
        return dict(self.model_extra or {})

    def training(self, defaults: Training, key: str) -> Training:
        """Return `defaults` with this reconstructor's overrides; `key` is named in errors."""
        return check(Training, {**defaults.model_dump(), **self.train}, f"{key}.train")


def reconstructor_names() -> list[str]:
    """Return the names of all entries under `reconstructors` in the order of the file."""
    entries = load().get("reconstructors")
    return list(entries) if isinstance(entries, dict) else []
