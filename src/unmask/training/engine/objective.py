"""What the training loop asks of an objective."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from unmask.core.compute.device import Compute
from unmask.core.compute.team import Team
from unmask.core.errors import UserError
from unmask.core.params.training import Training


class Objective(Protocol):
    """What a model learns from.

    model: what is trained and judged.
    helpers: other modules that are trained beside it, such as a discriminator, by name.
    optimisers: all that have state; an adversarial objective has two.
    monitor: the figure of `measure` that decides early stopping.
    sign: 1 where more of that figure is better, -1 where less is.
    """

    model: nn.Module
    helpers: dict[str, nn.Module]
    optimisers: list[torch.optim.Optimizer]
    monitor: str
    sign: int

    def train_step(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Learn from one batch; return figures of it, each a scalar."""

    def measure(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return figures of one batch without learning from it."""

    def faults(self, figures: Mapping[str, float]) -> list[str]:
        """Say what is wrong with the figures of an epoch; an empty list where nothing is."""


def step(
    loss: Tensor,
    optimiser: torch.optim.Optimizer,
    parameters: Sequence[nn.Parameter],
    settings: Training,
    team: Team,
) -> None:
    """Take one step of `optimiser` down `loss`, the gradient of `parameters` clipped if so set."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    team.sum_gradients(parameters)
    if settings.gradient_clip is not None:
        nn.utils.clip_grad_norm_(parameters, settings.gradient_clip)
    optimiser.step()


class SingleLoss(ABC):
    """The common case: one model, one loss (the figure `loss` of `measure`), Adam."""

    monitor: str = "loss"
    sign: int = -1

    def __init__(self, model: nn.Module, settings: Training, compute: Compute) -> None:
        if not any(parameter.requires_grad for parameter in model.parameters()):
            raise UserError(
                f"{type(model).__name__} has nothing that a loss could train; set its objective to "
                "closed_form"
            )
        self.model, self._settings, self._compute = model, settings, compute
        self.helpers: dict[str, nn.Module] = {}
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(self._parameters, lr=settings.learning_rate, fused=True)
        ]

    def train_step(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Take one step down the loss; return the figures of the model as it stood before."""
        figures = self.measure(batch)
        team = self._compute.team
        step(figures["loss"], self.optimisers[0], self._parameters, self._settings, team)
        return figures

    def faults(self, figures: Mapping[str, float]) -> list[str]:
        """Return nothing: a loss that is not finite ends training by itself."""
        return []

    def predict(self, *inputs: Tensor) -> Tensor:
        """Return the model's output in float32; only the model itself computes less precisely."""
        with self._compute.autocast():
            output: Tensor = self.model(*inputs)
        return output.float()

    @abstractmethod
    def measure(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return figures of one batch, `loss` among them."""
