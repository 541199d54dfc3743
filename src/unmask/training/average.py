"""An average of the weights over the steps of training, which is judged in their place.

Its weight on the last step is 1 - decay, and 1 / steps as long as that is more: from the plain mean
(Polyak and Juditsky 1992) it turns into an exponential moving average (Tarvainen and Valpola 2017,
"Mean teachers are better role models", section 2).
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from unmask.models.batches import Batch
from unmask.training.objective import Objective


class Average(nn.Module):
    """The average of a model's weights and running statistics; what counts is the last count."""

    steps: Tensor

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.register_buffer("steps", torch.zeros(()))
        self._least = 1 - decay
        self._pairs: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        """Take in the model after a step; nothing is read back from the device."""
        self.steps.add_(1)
        share = (1 / self.steps).clamp(min=self._least)
        pairs = self._with(model)
        averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        # All tensors by one kernel each time: on a GPU, hundreds take as long as the step itself.
        mine, latest = map(list, zip(*averaged, strict=True))
        apart = torch._foreach_sub(latest, mine)
        torch._foreach_mul_(apart, share)
        torch._foreach_add_(mine, apart)
        for counted, count in pairs:
            if not counted.is_floating_point():
                counted.copy_(count)

    @torch.no_grad()
    def swap(self, model: nn.Module) -> None:
        """Exchange what is averaged and what the model has, in place."""
        for mine, latest in self._with(model):
            kept = mine.clone()
            mine.copy_(latest)
            latest.copy_(kept)

    def _with(self, model: nn.Module) -> list[tuple[Tensor, Tensor]]:
        """Return the pairs of tensors, which are where they will stay once training has begun."""
        if not self._pairs:
            mine, latest = self.model.state_dict(), model.state_dict()
            self._pairs = [(mine[name], latest[name]) for name in mine]
        return self._pairs


class Averaged(Objective):
    """An objective whose model is followed by an average; the average is one of its helpers."""

    def __init__(self, objective: Objective, decay: float) -> None:
        super().__init__(objective.model)
        self._objective, self._average = objective, Average(objective.model, decay)
        self.frozen, self.optimisers = objective.frozen, objective.optimisers
        self.helpers = {**objective.helpers, "average": self._average}
        self.monitor, self.sign = objective.monitor, objective.sign
        self.capturable = objective.capturable

    def known(self, batch: Batch) -> Batch:
        """Return what the objective wants to know of a batch before a step."""
        return self._objective.known(batch)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from one batch; return figures of the model itself."""
        figures = self._objective.train_step(batch)
        self._average.follow(self.model)
        return figures

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Return figures of one batch without learning from it."""
        return self._objective.measure(batch)

    def faults(self, figures: Mapping[str, float]) -> list[str]:
        """Return what is wrong with the figures of an epoch."""
        return self._objective.faults(figures)

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Let the model have the averaged weights for a while."""
        self._average.swap(self.model)
        try:
            yield
        finally:
            self._average.swap(self.model)
