"""Supervised reconstruction: the distance of the generated lower half from the true one."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from unmask.batches import to_unit
from unmask.compute import Compute
from unmask.params.section import Section
from unmask.params.training import Training
from unmask.training.objective import SingleLoss

_DISTANCES = {"l1": functional.l1_loss, "l2": functional.mse_loss}


class Params(Section):
    """loss: `l1`, the mean absolute error (sharper), or `l2`, the mean squared error."""

    loss: Literal["l1", "l2"] = "l1"


class Supervised(SingleLoss):
    """Teaches a reconstructor from batches (upper, lower), both uint8 [B,1,24,48]."""

    def __init__(
        self, model: nn.Module, params: Params, settings: Training, compute: Compute
    ) -> None:
        super().__init__(model, settings, compute)
        self._distance = _DISTANCES[params.loss]

    def measure(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the mean distance of the batch, in units of the pixel range."""
        upper, lower = map(to_unit, batch)
        return {"loss": self._distance(self.predict(upper), lower)}


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> Supervised:
    """Return the objective for `model`."""
    return Supervised(model, params, settings, compute)
