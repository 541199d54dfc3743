"""What the training loop asks of an objective."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from unmask.compute import Compute
from unmask.errors import UserError
from unmask.params.training import Training


class Objective(Protocol):
    """What a model learns from.

    model: what is trained, saved and judged.
    optimisers: all that have state; an adversarial objective has two.
    monitor: the figure of `measure` that decides early stopping.
    sign: 1 where more of that figure is better, -1 where less is.
    """

    model: nn.Module
    optimisers: list[torch.optim.Optimizer]
    monitor: str
    sign: int

    def train_step(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Learn from one batch; return figures of it, each a scalar."""

    def measure(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return figures of one batch without learning from it."""


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
        self.model, self._compute = model, compute
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
        ]

    def train_step(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Take one step down the loss; return the figures of the model as it stood before."""
        self.optimisers[0].zero_grad(set_to_none=True)
        figures = self.measure(batch)
        figures["loss"].backward()  # type: ignore[no-untyped-call]
        self.optimisers[0].step()
        return figures

    def predict(self, inputs: Tensor) -> Tensor:
        """Return the model's output in float32; only the model itself computes less precisely."""
        with self._compute.autocast():
            output: Tensor = self.model(inputs)
        return output.float()

    @abstractmethod
    def measure(self, batch: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return figures of one batch, `loss` among them."""
