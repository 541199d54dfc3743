"""Steps on CUDA are recorded once and replayed.

To launch the many small kernels of a step one by one takes several times as long as a GPU needs to
compute them; a CUDA graph launches all of them at once.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from unmask.core.errors import UserError

Figures = dict[str, Tensor]


class Replay:
    """A step, called with batches on the CPU.

    step: maps a batch on `device` to scalars. Where it is recorded, it must neither read a value
        back from the device nor decide by one.
    record: whether it may be recorded; elsewhere than on CUDA it never is.
    """

    def __init__(
        self, step: Callable[[Sequence[Tensor]], Figures], device: torch.device, record: bool
    ) -> None:
        self._step, self._device = step, device
        self._record = record and device.type == "cuda"
        self._shapes: list[torch.Size] = []
        self._graph: torch.cuda.CUDAGraph | None = None
        self._batch: list[Tensor] = []
        self._figures: Figures = {}

    def __call__(self, batch: Sequence[Tensor]) -> Figures:
        """Take the step; what it returns holds until the next one.

        Raises UserError where the step cannot be recorded.
        """
        if not self._record:
            return self._step([tensor.to(self._device) for tensor in batch])
        pinned = [tensor.pin_memory() for tensor in batch]  # so that nobody waits for the copy
        shapes = [tensor.shape for tensor in batch]
        if shapes != self._shapes:
            # The first step makes what has to stand before one is recorded: the moments of the
            # optimiser, handles of libraries. The last batch of an epoch is smaller than others.
            self._shapes = self._shapes or shapes
            figures = self._step([tensor.to(self._device, non_blocking=True) for tensor in pinned])
            return {name: value.detach() for name, value in figures.items()}
        if self._graph is None:
            self._graph = self._recorded([tensor.to(self._device) for tensor in pinned])
        for static, tensor in zip(self._batch, pinned, strict=True):
            static.copy_(tensor, non_blocking=True)
        self._graph.replay()
        return self._figures

    def _recorded(self, batch: list[Tensor]) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                figures = self._step(batch)
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"a step could not be recorded on CUDA: {reason}; let neither model nor objective "
                "read a value back from the device (.item(), .cpu(), `if` of a tensor)"
            ) from None
        self._batch = batch
        self._figures = {name: value.detach() for name, value in figures.items()}
        return graph


def make_recordable(optimisers: Sequence[Optimizer], device: torch.device) -> None:
    """Let steps of these optimisers be recorded: what changes between replays goes to the device.

    Elsewhere than on CUDA this does nothing.
    """
    if device.type != "cuda":
        return
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["initial_lr"], group["capturable"] = group["lr"], True
            group["lr"] = torch.tensor(group["lr"], device=device)
