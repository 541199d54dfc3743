"""Supervised reconstruction: the distance of the generated lower half from the true one.

Pixels do not say what matters to a reader of expressions. Beside their distance, the stitched face
can be held near the true one in what readers of whole faces make of it: in the features that their
last layer reads (Johnson, Alahi and Fei-Fei 2016, "Perceptual losses for real-time style transfer
and super-resolution", section 3.2, whose network knows ImageNet), and in their posterior. A reader
that has memorised a face says little about its picture, so each face is read by one that was not
trained on it (see `training.cross_fitting`). These readers are not those that judge afterwards.
"""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from unmask.core.errors import UserError
from unmask.core.section import FILE
from unmask.models.batches import Batch, to_unit
from unmask.models.distance import Distance, distance
from unmask.models.features import features_of
from unmask.models.folder import load_model
from unmask.params.models import Training
from unmask.training.objective import SingleLoss, reconstructor_inputs
from unmask.training.process_group import Compute

_FEATURES, _POSTERIOR = "true_features", "true_posterior"


class Params(Distance):
    """What the entry says, and what the stage that trains it adds.

    expression: weight of the distance (1 - cosine) in the features of readers, beside the pixels'.
    posterior: weight of the divergence KL(true || stitched) of their posteriors, in nats.
    teachers: the readers' model folders, in the order of the folds that they have not seen.
    """

    expression: float = Field(default=0.0, ge=0)
    posterior: float = Field(default=0.0, ge=0)
    teachers: list[str] = Field(default_factory=list)


class Supervised(SingleLoss):
    """Teaches a reconstructor from batches with `upper` (or its features) and `lower`.

    If there are readers, batches have `upper` and `fold`, uint8 [B], as well: a face of fold k is
    read by reader k, one of no fold, which none has seen, by any of them.
    """

    def __init__(
        self,
        model: nn.Module,
        readers: Sequence[nn.Module],
        params: Params,
        settings: Training,
        compute: Compute,
    ) -> None:
        super().__init__(model, settings, compute)
        self._params, self._readers = params, readers
        self.frozen = {f"reader_{number}": reader for number, reader in enumerate(readers)}
        self.capturable = not readers  # which faces each of them reads differs from step to step

    @torch.no_grad()
    def known(self, batch: Batch) -> Batch:
        """Return what readers make of the true faces: features, [B,D], and posterior, [B,7]."""
        if not self._readers:
            return {}
        features, logits = self._read(batch, to_unit(batch["lower"]))
        return {_FEATURES: features, _POSTERIOR: logits.softmax(1)}

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean distance of the batch, and its parts if it has several."""
        generated = self.predict(*reconstructor_inputs(batch))
        pixels = distance(generated, to_unit(batch["lower"]), self._params)
        if not self._readers:
            return {"loss": pixels}
        features, logits = self._read(batch, generated)
        expression = 1 - functional.cosine_similarity(features, batch[_FEATURES]).mean()
        posterior = functional.kl_div(
            logits.log_softmax(1), batch[_POSTERIOR], reduction="batchmean"
        )
        loss = pixels + self._params.expression * expression + self._params.posterior * posterior
        return {"loss": loss, "pixels": pixels, "expression": expression, "posterior": posterior}

    def _read(self, batch: Batch, lower: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and logits of stitched faces, each by its reader."""
        faces = torch.cat([to_unit(batch["upper"]), lower], dim=2)
        reader_of = batch["fold"].long() % len(self._readers)
        rows, features, logits = list[Tensor](), list[Tensor](), list[Tensor]()
        for number, reader in enumerate(self._readers):
            rows.append((reader_of == number).nonzero().squeeze(1))
            if not len(rows[-1]):
                continue
            with self._compute.autocast(), features_of(reader) as read:
                logits.append(reader(faces[rows[-1]]).float())
            features += read
        order = torch.cat(rows).argsort()
        return torch.cat(features)[order], torch.cat(logits)[order]


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> Supervised:
    """Return the objective for `model`.

    Raises UserError if it needs readers and there are none, or they cannot be loaded.
    """
    if not params.expression and not params.posterior:
        return Supervised(model, [], params, settings, compute)
    if not params.teachers:
        raise UserError(
            f"{FILE}: recon.teacher: none, but a reconstructor whose objective has `expression` or "
            "`posterior` needs one; name a reader of faces that has folds"
        )
    readers = [load_model(folder) for folder in params.teachers]
    return Supervised(model, readers, params, settings, compute)
