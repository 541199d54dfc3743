"""Cross-entropy of the label: what classifiers learn from.

For labels that are rare, or hard to tell apart, there are two settings. `class_weights: balanced`
lets every class count for as much as any other (King and Zeng 2001, "Logistic regression in rare
events data", section 4.2). `groups` joins classes: what is learned is which group it is, from the
sum of its classes' probabilities. A reader that starts from one of groups learns in two phases
(after Magherini et al. 2022, "Coping with face masks", who learn the classes of AffectNet first and
regroup them then).
"""

from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn

from unmask.core.faces import CLASSES
from unmask.core.mask import view_of
from unmask.core.section import Section
from unmask.models.batches import Batch, to_unit
from unmask.params.models import Training
from unmask.training.objective import SingleLoss
from unmask.training.process_group import Compute


class Params(Section):
    """What a reader's entry says, and what the stage that trains it adds.

    class_weights: `balanced`, by the inverse of how many training faces each class has; or `none`.
    groups: lists of classes that count as one, such as [angry, disgust]; each class is in one list.
    view: what of the images in a batch the classifier sees; see `core.mask.view_of`.
    counts: training faces of each class, [7].
    """

    class_weights: Literal["balanced", "none"] = "none"
    groups: list[list[str]] = Field(default_factory=list)
    view: str
    counts: list[int] = Field(default_factory=list)

    @field_validator("groups")
    @classmethod
    def _hold_each_class_once(cls, groups: list[list[str]]) -> list[list[str]]:
        named = [name for group in groups for name in group]
        if groups and (sorted(named) != sorted(CLASSES) or not all(groups)):
            raise ValueError(f"{groups}: name each of {', '.join(CLASSES)} in one list")
        return groups


class CrossEntropy(SingleLoss):
    """Teaches a classifier from batches with images and `label`, uint8 [B].

    If a batch has `soft_label`, float [B,7], these probabilities of the classes are learned, and
    accuracy is of the labels. With groups, loss and accuracy are of groups.
    """

    monitor, sign = "accuracy", 1

    def __init__(
        self, model: nn.Module, params: Params, settings: Training, compute: Compute
    ) -> None:
        super().__init__(model, settings, compute)
        self._view = params.view
        groups = params.groups or [[name] for name in CLASSES]
        members = torch.tensor([[float(name in group) for group in groups] for name in CLASSES])
        self._groups = members.to(compute.device) if params.groups else None
        self._weights: Tensor | None = None
        if params.class_weights == "balanced":
            faces = torch.tensor(params.counts, dtype=torch.float32) @ members
            weights = torch.where(faces > 0, faces.sum() / (len(groups) * faces), 0.0)
            self._weights = weights.to(compute.device)

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return mean cross-entropy (nats) and accuracy of the batch."""
        logits = self.predict(to_unit(view_of(batch, self._view)))
        if self._groups is not None:
            logits, batch = _joined(logits, batch, self._groups)
        labels = batch["label"].long()
        return {
            "loss": self.label_loss(logits, batch, self._weights),
            "accuracy": (logits.argmax(1) == labels).float().mean(),
        }


def _joined(logits: Tensor, batch: Batch, groups: Tensor) -> tuple[Tensor, Batch]:
    """Return logits [B,G] and labels of groups; groups: [7,G], 1 where a class is in a group."""
    batch = {**batch, "label": groups.argmax(1)[batch["label"].long()]}
    if "soft_label" in batch:
        batch["soft_label"] = batch["soft_label"] @ groups
    return (logits.unsqueeze(2) + groups.log()).logsumexp(1), batch


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> CrossEntropy:
    """Return the objective for `model`."""
    return CrossEntropy(model, params, settings, compute)
