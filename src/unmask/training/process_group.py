"""The device that a run computes on, and the processes that train one model together.

Each process takes its part of every batch; they share gradients through Lightning Fabric, which
starts them on one machine and finds them under torchrun and SLURM.
"""

import logging
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from unmask.core.errors import UserError
from unmask.models.device import choose_device, has_bf16
from unmask.params.models import Train


class ProcessGroup:
    """The usual case: a single process, which has nothing to share.

    rank: number of this process, from 0; only 0 writes files.
    size: how many processes there are.
    faces, share: of the batch at hand, how many faces this process has, and which part that is.
    """

    rank, size = 0, 1

    def __init__(self) -> None:
        self.faces, self.share = 0, 1.0

    def part(self, values: Tensor) -> Tensor:
        """Return this process's part of a batch's values, [B,...]."""
        mine = values[self.rank :: self.size]
        # All take the same steps: a process that gets no face of a small batch takes one that
        # counts for nothing.
        return mine if len(mine) else values[:1]

    def begin(self, faces: int) -> None:
        """Note that the batch at hand, of which this process has its part, is one of `faces`."""
        self.faces = len(range(self.rank, faces, self.size))
        self.share = self.faces / faces

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Turn gradients of the part's mean loss into those of the whole batch's mean loss."""

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over processes."""
        return values

    def synchronise(self, module: nn.Module) -> None:
        """Let batch normalisation see whole batches, if the device supports it."""

    def average_buffers(self, module: nn.Module) -> None:
        """Average running statistics, which each process has of its own part."""

    def wait(self) -> None:
        """Return when all processes have reached this point."""


SINGLE = ProcessGroup()


class FabricProcessGroup(ProcessGroup):
    """Processes that share gradients over NCCL (CUDA) or gloo (CPU)."""

    def __init__(self, devices: int, nodes: int, device: torch.device) -> None:
        super().__init__()
        # Seconds to import, so only where it is needed.
        from lightning_fabric import Fabric
        from lightning_fabric.utilities.exceptions import MisconfigurationException

        for name in ("lightning_fabric", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            self._fabric = Fabric(
                accelerator=device.type, strategy="ddp", devices=devices, num_nodes=nodes
            )
            self._fabric.launch()
        except (ValueError, RuntimeError, MisconfigurationException) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"params.yaml: train.devices, train.nodes: {reason}") from None
        self.rank, self.size = self._fabric.global_rank, self._fabric.world_size
        self.device = self._fabric.device

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up the gradients, each weighted by its process's share of the batch.

        One message for all of them: with many, small models would spend their time waiting.
        """
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.sum(torch.cat([gradient.flatten() for gradient in gradients]) * self.share)
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over processes."""
        total = values.clone()
        distributed.all_reduce(total)  # Fabric's own waits for all processes first
        return total

    def synchronise(self, module: nn.Module) -> None:
        """Let batch normalisation see whole batches; PyTorch has no such layer for the CPU."""
        if self.device.type == "cuda":
            # It replaces layers within the module.
            nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]

    def average_buffers(self, module: nn.Module) -> None:
        """Average running statistics, which each process has of its own part."""
        for buffer in module.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self.sum(buffer.clone()) / self.size)

    def wait(self) -> None:
        """Return when all processes have reached this point."""
        self._fabric.barrier()


@dataclass(frozen=True)
class Compute:
    """A device, the precision of its arithmetic, and the processes that share the work."""

    device: torch.device
    precision: str
    group: ProcessGroup = SINGLE

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which a model's forward pass runs; losses are in float32."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()


def start(train: Train) -> Compute:
    """Start the processes that `train` asks for; return what this one computes with.

    If this is the only process on its machine so far, the others are started from here, each with
    the command line of this one; torchrun and SLURM start them all.

    Raises UserError if another number of processes was started.
    """
    device = choose_device()
    precision = train.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(device) else "float32"
    if train.devices * train.nodes > 1:
        group = FabricProcessGroup(train.devices, train.nodes, device)
        return Compute(group.device, precision, group)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise UserError(
            "params.yaml: train.devices, train.nodes: 1 each, but more processes were started; "
            "set them to the numbers that were started"
        )
    return Compute(device, precision)
