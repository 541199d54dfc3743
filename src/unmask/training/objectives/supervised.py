"""Supervised reconstruction: the distance of the generated lower half from the true one."""

from collections.abc import Sequence

from torch import Tensor, nn

from unmask.core.compute.batches import to_unit
from unmask.core.compute.device import Compute
from unmask.core.params.training import Training
from unmask.training.engine.objective import SingleLoss
from unmask.training.reconstructor.distance import Distance, distance


class Params(Distance):
    """The distance, and nothing else."""


class Supervised(SingleLoss):
    """Teaches a reconstructor from batches (upper, lower), both uint8 [B,1,24,48].

    Where features of the upper half follow in the batch, they are what the model reads.
    """

    def __init__(
        self, model: nn.Module, params: Params, settings: Training, compute: Compute
    ) -> None:
        super().__init__(model, settings, compute)
        self._distance = params

    def measure(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the mean distance of the batch."""
        upper, lower, *features = map(to_unit, batch)
        generated = self.predict(*(features or [upper]))
        return {"loss": distance(generated, lower, self._distance)}


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> Supervised:
    """Return the objective for `model`."""
    return Supervised(model, params, settings, compute)
