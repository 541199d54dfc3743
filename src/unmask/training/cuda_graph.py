"""Training steps on CUDA are captured once as a CUDA graph, and launched as a whole from then on.

To launch the many small kernels of a step one by one takes several times as long as a GPU needs to
compute them.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from unmask.core.errors import UserError
from unmask.models.batches import Inputs

Figures = dict[str, Tensor]


class GraphedStep:
    """A step, called with what it starts from, on the CPU or on `device`.

    step: maps these inputs to scalars. On CUDA it gets them on the device. If it is captured, it
        must neither read a value back from the device nor decide by one.
    capture: whether it may be captured; on anything but CUDA it never is.
    """

    def __init__(
        self, step: Callable[[Inputs], Figures], device: torch.device, capture: bool
    ) -> None:
        self._step, self._device = step, device
        self._capture = capture and device.type == "cuda"
        self._shapes: dict[str, torch.Size] = {}
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: Inputs = {}
        self._figures: Figures = {}

    def __call__(self, inputs: Inputs) -> Figures:
        """Take the step; what it returns holds until the next one.

        Raises UserError if the step cannot be captured.
        """
        if self._device.type != "cuda":
            return self._step(inputs)
        # Pinned, so that nothing waits for the copy.
        ready = {name: t if t.is_cuda else t.pin_memory() for name, t in inputs.items()}
        if not self._capture:
            return self._step(self._on_device(ready))
        shapes = {name: tensor.shape for name, tensor in ready.items()}
        if shapes != self._shapes:
            # The first step makes what has to be there before one is captured: the moments of the
            # optimiser, handles of libraries. The last batch of an epoch is smaller than others.
            self._shapes = self._shapes or shapes
            figures = self._step(self._on_device(ready))
            return {name: value.detach() for name, value in figures.items()}
        if self._graph is None:
            # Copies of their own: those of later steps are written over them.
            own = {name: tensor.clone() for name, tensor in self._on_device(ready).items()}
            self._graph = self._captured(own)
        for name, static in self._inputs.items():
            static.copy_(ready[name], non_blocking=True)
        self._graph.replay()
        return self._figures

    def _on_device(self, inputs: Inputs) -> Inputs:
        return {name: tensor.to(self._device, non_blocking=True) for name, tensor in inputs.items()}

    def _captured(self, inputs: Inputs) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                figures = self._step(inputs)
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"a step could not be captured as a CUDA graph: {reason}; let neither model nor "
                "objective read a value back from the device (.item(), .cpu(), `if` of a tensor)"
            ) from None
        self._inputs = inputs
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
