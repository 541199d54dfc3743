"""Supervised reconstruction: the distance of the generated lower half from the true one."""

from torch import Tensor, nn

from unmask.models.batches import Batch, to_unit
from unmask.objectives.distance import Distance, distance
from unmask.params.training import Training
from unmask.training.objective import SingleLoss, reconstructor_inputs
from unmask.training.process_group import Compute


class Params(Distance):
    """The distance, and nothing else."""


class Supervised(SingleLoss):
    """Teaches a reconstructor from batches with `upper` (or its features) and `lower`."""

    def __init__(
        self, model: nn.Module, params: Params, settings: Training, compute: Compute
    ) -> None:
        super().__init__(model, settings, compute)
        self._distance = params

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean distance of the batch."""
        generated = self.predict(*reconstructor_inputs(batch))
        return {"loss": distance(generated, to_unit(batch["lower"]), self._distance)}


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> Supervised:
    """Return the objective for `model`."""
    return Supervised(model, params, settings, compute)
