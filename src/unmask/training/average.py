"""An average of the weights over the steps of training, which is judged in their place.

Its weight on the last step is 1 - decay, and 1 / steps as long as that is more: from the plain mean
(Polyak and Juditsky 1992) it turns into an exponential moving average (Tarvainen and Valpola 2017,
"Mean teachers are better role models", section 2).
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average(nn.Module):
    """The average of a model's weights and running statistics; what counts is the last count.

    PyTorch's own `AveragedModel` reads its count of steps back from the device at each of them,
    which a CUDA graph cannot do.
    """

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

    @contextmanager
    def judged(self, model: nn.Module) -> Iterator[None]:
        """Let the model have the averaged weights for a while."""
        self._swap(model)
        try:
            yield
        finally:
            self._swap(model)

    @torch.no_grad()
    def _swap(self, model: nn.Module) -> None:
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
