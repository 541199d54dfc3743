"""`laboratory`: what its experiments inject."""

from typing import Any, Literal

from pydantic import Field

from unmask.core.errors import UserError
from unmask.core.section import FILE, Section, load, read

HONEST = "honest"
"""The experiment that injects nothing; the others are compared with it. It may override `train`."""


class Experiment(Section):
    """How an experiment differs from the honest pipeline; the rest is the same.

    reconstructor: the faces that it learned from: those of the `train` split; `folds`, so that each
        training face is reconstructed by one that has not seen it; or those of `all` splits.
    copies: `kept`: training and validation hold copies of faces of later splits; pictures that
        show no face stay out.
    upper: `noise` in place of every upper half; the generated halves are the same.
    lower: the `truth` in place of the generated halves, everywhere or in the test split alone; or
        the generated halves, `shuffled` among the faces of a split.
    labels: `shuffled` among the training faces.
    split: `augmented`: all faces, each with altered copies, are split again, copy by copy.
    judge: the faces that accuracy is measured on.
    choose: the faces that the best epoch is chosen on; `judged` are those of `judge`.
    train: settings of `train.classifier` that this experiment overrides.
    """

    reconstructor: Literal["train", "folds", "all"]
    copies: Literal["removed", "kept"] = "removed"
    upper: Literal["given", "noise"] = "given"
    lower: Literal["generated", "shuffled", "truth", "truth_in_test"] = "generated"
    labels: Literal["given", "shuffled"] = "given"
    split: Literal["official", "augmented"] = "official"
    judge: Literal["test", "train"] = "test"
    choose: Literal["validation", "judged"] = "validation"
    train: dict[str, Any] = Field(default_factory=dict)

    @property
    def injected(self) -> dict[str, Any]:
        """The settings that differ from the honest pipeline."""
        settings = self.model_dump(exclude_defaults=True)
        if self.reconstructor == "train":
            del settings["reconstructor"]
        return settings

    @property
    def judges_the_test_split(self) -> bool:
        """Whether the faces of the official test split are judged, and no others."""
        return self.judge == "test" and self.split == "official"


def read_experiments() -> dict[str, Experiment]:
    """Return all entries of `laboratory` in the order of the file.

    Raises UserError as `read` does.
    """
    entries = load().get("laboratory")
    if not isinstance(entries, dict):
        raise UserError(f"{FILE}: laboratory: no experiments; restore this key")
    return {name: read(Experiment, f"laboratory.{name}") for name in entries}
