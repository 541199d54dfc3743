"""Training steps on CUDA are captured once as a CUDA graph, and launched as a whole from then on.

To launch the many small kernels of a step one by one takes several times as long as a GPU needs to
compute them.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from unmask.core.errors import UserError
from unmask.models.batches import Batch

Figures = dict[str, Tensor]


class GraphedStep:
    """A step, called with a batch that is on `device`.

    step: maps a batch to scalars. If it is captured, it must neither read a value back from the
        device nor decide by one.
    capture: whether it may be captured; on anything but CUDA it never is.
    """

    def __init__(
        self, step: Callable[[Batch], Figures], device: torch.device, capture: bool
    ) -> None:
        self._step = step
        self._capture = capture and device.type == "cuda"
        self._shapes: dict[str, torch.Size] = {}
        self._graph: torch.cuda.CUDAGraph | None = None
        self._batch: Batch = {}
        self._figures: Figures = {}

    def __call__(self, batch: Batch) -> Figures:
        """Take the step; what it returns holds until the next one.

        Raises UserError if the step cannot be captured.
        """
        if not self._capture:
            return self._step(batch)
        shapes = {name: tensor.shape for name, tensor in batch.items()}
        if shapes != self._shapes:
            # The first step makes what has to be there before one is captured: the moments of the
            # optimiser, handles of libraries. The last batch of an epoch is smaller than others.
            self._shapes = self._shapes or shapes
            return {name: value.detach() for name, value in self._step(batch).items()}
        if self._graph is None:
            # Copies of their own: those of later steps are written over them.
            self._graph = self._captured({name: t.clone() for name, t in batch.items()})
        for name, static in self._batch.items():
            static.copy_(batch[name])
        self._graph.replay()
        return self._figures

    def _captured(self, batch: Batch) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                figures = self._step(batch)
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"a step could not be captured as a CUDA graph: {reason}; let neither model nor "
                "objective read a value back from the device (.item(), .cpu(), `if` of a tensor)"
            ) from None
        self._batch = batch
        self._figures = {name: value.detach() for name, value in figures.items()}
        return graph


def make_capturable(optimisers: Sequence[Optimizer], device: torch.device) -> None:
    """Let steps of these optimisers be captured: what changes between steps goes to the device.

    On anything but CUDA this does nothing.
    """
    if device.type != "cuda":
        return
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["initial_lr"], group["capturable"] = group["lr"], True
            group["lr"] = torch.tensor(group["lr"], device=device)
