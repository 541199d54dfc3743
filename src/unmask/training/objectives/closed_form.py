"""Closed form: a reconstructor that is computed from the training faces in one pass, by no loss."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from unmask.core.compute.batches import to_unit
from unmask.core.compute.device import Compute
from unmask.core.errors import UserError
from unmask.core.params.section import Section
from unmask.core.params.training import Training
from unmask.training.reconstructor.distance import Distance, distance


class Params(Section):
    """There is nothing to set."""


class ClosedForm:
    """Shows every training batch (upper, lower), uint8 [B,1,24,48] each, to `model.observe`."""

    monitor: str = "loss"
    sign: int = -1

    def __init__(self, model: nn.Module) -> None:
        if not hasattr(model, "observe"):
            raise UserError(
                f"{type(model).__name__} cannot be computed in closed form; set its objective to "
                "supervised"
            )
        self.model = model
        self.helpers: dict[str, nn.Module] = {}
        self.optimisers: list[torch.optim.Optimizer] = []

    @torch.no_grad()
    def train_step(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Let the model observe the batch; return how it stood before."""
        figures = self.measure(batch)
        self.model.observe(*map(to_unit, batch))  # type: ignore[operator]
        return figures

    def measure(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the mean absolute error of the batch, in units of the pixel range."""
        upper, lower = map(to_unit, batch)
        return {"loss": distance(self.model(upper), lower, Distance())}

    def faults(self, figures: Mapping[str, float]) -> list[str]:
        """Return nothing: there is no descent that could go wrong."""
        return []


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> ClosedForm:
    """Return the objective for `model`."""
    return ClosedForm(model)
