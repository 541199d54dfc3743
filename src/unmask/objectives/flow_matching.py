"""Flow matching: the velocity that carries noise to the true lower half along a straight line.

Lipman et al. 2023, "Flow matching for generative modeling", section 4, example II; Liu, Gong and
Liu 2023, "Flow straight and fast", equation 1: the point at time t is (1 - t) noise + t data, and
the network is to say data - noise. Times are drawn from a logit-normal distribution, which looks
most at the middle of the way (Esser et al. 2024, "Scaling rectified flow transformers", section
3.1).

On validation, a face has the same noise and the same time in every epoch, so that epochs compare.
"""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from unmask.core.errors import UserError
from unmask.core.section import Section
from unmask.models.batches import Batch, to_unit
from unmask.params.models import Training
from unmask.training.objective import SingleLoss
from unmask.training.process_group import Compute


@runtime_checkable
class VelocityField(Protocol):
    """A reconstructor that follows velocities."""

    def velocity(self, noisy: Tensor, time: Tensor, upper: Tensor) -> Tensor:
        """Return the velocity at `noisy`, [B,1,24,48], at `time`, [B], for these upper halves."""

    def noise(self, upper: Tensor, number: int) -> Tensor:
        """Return the noise of these faces, standard normal, [B,1,24,48]."""


class Params(Section):
    """Nothing to set."""


class FlowMatching(SingleLoss):
    """Teaches a reconstructor with `velocity` from batches with `upper` and `lower`."""

    def __init__(self, model: nn.Module, settings: Training, compute: Compute) -> None:
        if not isinstance(model, VelocityField):
            raise UserError(
                f"{type(model).__name__} has no method velocity, which flow_matching needs; "
                "set its objective to supervised, or use a network such as flow"
            )
        super().__init__(model, settings, compute)
        self._field: VelocityField = model

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean squared error of the velocity."""
        upper, lower = to_unit(batch["upper"]), 2 * to_unit(batch["lower"]) - 1
        if self.model.training:
            noise, drawn = torch.randn_like(lower), torch.randn_like(lower[:, 0, 0, 0])
        else:
            noise, drawn = self._field.noise(upper, 0), self._field.noise(upper, 1)[:, 0, 0, 0]
        time = drawn.sigmoid()
        share = time[:, None, None, None]
        with self._compute.autocast():
            velocity = self._field.velocity((1 - share) * noise + share * lower, time, upper)
        return {"loss": (velocity.float() - (lower - noise)).square().mean()}


def build(model: nn.Module, params: Params, settings: Training, compute: Compute) -> FlowMatching:
    """Return the objective for `model`; raises UserError if it has no velocity."""
    return FlowMatching(model, settings, compute)
