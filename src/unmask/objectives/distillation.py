"""Distillation: a student learns from labels and from what teachers think of the same face.

The loss is (1 - weight) * cross-entropy of the label + weight * T^2 * KL(teachers || student), both
posteriors softened by the temperature T (Hinton, Vinyals and Dean 2015, section 2), and features *
distance of the features that the last layers read (Romero et al. 2015, "FitNets", section 2.2, who
also map the student's to the teacher's by a layer that is trained beside them).

The teachers may see what the student is never shown, such as the whole face ("privileged
information", Lopez-Paz et al. 2016, section 4). If they are right, their posterior at T = 1 is an
unbiased guess of what the hidden half says: its mean over all that is hidden is p(label | upper
half). A higher T flattens it, which a student learns from more easily. Both look at the same moved
face through their own views (Beyer et al. 2022, "A good teacher is patient and consistent",
section 3).

A teacher that has learned a face by heart only repeats its label. Cross-fitted (Dao et al. 2021,
"Knowledge distillation as semiparametric inference", section 4), each training face is taught by
the teacher that has not seen it; otherwise the posteriors of all of them are averaged.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from unmask.core.faces import CLASSES
from unmask.core.mask import view_of
from unmask.core.section import Section
from unmask.models.batches import Batch, to_unit
from unmask.models.features import features_of, last_layer
from unmask.models.folder import load_model, read_config
from unmask.params.models import Training
from unmask.training.objective import SingleLoss
from unmask.training.optimiser import optimiser_of
from unmask.training.process_group import Compute

Teacher = tuple[nn.Module, str]  # a network and its view

_POSTERIOR, _FEATURES = "posterior", "features_of_teacher_"


class Params(Section):
    """What the student's entry says, and what the stage that trains it adds.

    temperature: by which logits are divided before the posteriors are compared.
    weight: of the teachers; the labels have the rest.
    features: weight of the distance (1 - cosine) of the features, beside these two.
    cross_fitted: whether the teachers are those of the folds, in order, and batches have `fold`.
    view: what of the images in a batch the student sees; see `core.mask.view_of`.
    teachers: their model folders, which say what they see.
    """

    temperature: float = Field(default=1.0, gt=0)
    weight: float = Field(default=0.5, ge=0, le=1)
    features: float = Field(default=0.0, ge=0)
    cross_fitted: bool = False
    view: str
    teachers: list[str] = Field(min_length=1)


class Distillation(SingleLoss):
    """Teaches a classifier from batches with images and `label`, uint8 [B].

    If they have `fold`, uint8 [B], a face of fold k is taught by teacher k alone, and one of no
    fold (a validation face, which no teacher has seen) by the mean of all. If they have
    `soft_label`, float [B,7], these take the place of the labels in the loss. Accuracy is of the
    labels, and decides early stopping.
    """

    monitor, sign = "accuracy", 1

    def __init__(
        self,
        model: nn.Module,
        teachers: list[Teacher],
        params: Params,
        settings: Training,
        compute: Compute,
    ) -> None:
        super().__init__(model, settings, compute)
        self._params, self._teachers = params, teachers
        self.frozen = {f"teacher_{number}": each for number, (each, _) in enumerate(teachers)}
        if params.features:
            width = last_layer(model).in_features
            maps = [nn.Linear(width, last_layer(each).in_features) for each, _ in teachers]
            self.helpers = {"maps": nn.ModuleList(maps)}
            self._parameters += list(self.helpers["maps"].parameters())
            self.optimisers = [optimiser_of(self._parameters, settings)]

    @torch.no_grad()
    def known(self, batch: Batch) -> Batch:
        """Return the teachers' softened posterior of each face, float [B,7].

        And, if their features are wanted, those of each teacher, float [B,D], 0 for faces that it
        does not teach.
        """
        count, device = len(batch["label"]), batch["label"].device
        found = {_POSTERIOR: torch.zeros(count, len(CLASSES), device=device)}
        for number, (teacher, view) in enumerate(self._teachers):
            share, wanted = self._share(number, batch), self._params.features > 0
            rows = share.nonzero().squeeze(1)
            if wanted:
                features = torch.zeros(count, last_layer(teacher).in_features, device=device)
                found[f"{_FEATURES}{number}"] = features
            if not len(rows):
                continue
            faces = to_unit(view_of(batch, view)[rows])
            with self._compute.autocast(), features_of(teacher, wanted) as read:
                logits: Tensor = teacher(faces)
            softened = (logits.float() / self._params.temperature).softmax(1)
            found[_POSTERIOR][rows] += share[rows].unsqueeze(1) * softened
            if wanted:
                features[rows] = read[0]
        return found

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean loss of a batch, to which `known` was added, and its labels' accuracy."""
        labels, weight = batch["label"].long(), self._params.weight
        with features_of(self.model, self._params.features > 0) as features:
            logits = self.predict(to_unit(view_of(batch, self._params.view)))
        heat = self._params.temperature
        teacher_loss = functional.kl_div(
            (logits / heat).log_softmax(1), batch[_POSTERIOR], reduction="batchmean"
        )
        loss = (1 - weight) * self.label_loss(logits, batch) + weight * heat**2 * teacher_loss
        if features:
            loss = loss + self._params.features * self._distance(features[0], batch)
        return {"loss": loss, "accuracy": (logits.argmax(1) == labels).float().mean()}

    def _distance(self, features: Tensor, batch: Batch) -> Tensor:
        """Return the mean distance of the student's features, mapped, to its teachers'."""
        distance = torch.zeros((), device=features.device)
        for number in range(len(self._teachers)):
            mapped = self.helpers["maps"][number](features)  # type: ignore[index]
            theirs = batch[f"{_FEATURES}{number}"]
            apart = 1 - functional.cosine_similarity(mapped, theirs)
            distance = distance + (self._share(number, batch) * apart).mean()
        return distance

    def _share(self, number: int, batch: Batch) -> Tensor:
        """Return by how much each face is taught by this teacher, float [B]."""
        all_alike = torch.full_like(batch["label"], 1 / len(self._teachers), dtype=torch.float32)
        if not self._params.cross_fitted:
            return all_alike
        fold = batch["fold"]
        return torch.where(fold < len(self._teachers), (fold == number).float(), all_alike)


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> Distillation:
    """Return the objective for `model`; raises UserError if a teacher cannot be loaded."""
    teachers: list[Teacher] = []
    for folder in params.teachers:
        teacher, view = load_model(folder), read_config(folder).view
        # Each network of an ensemble teaches for itself: it has features of its own.
        teachers += [(network, view) for network in getattr(teacher, "members", [teacher])]
    return Distillation(model, teachers, params, settings, compute)
