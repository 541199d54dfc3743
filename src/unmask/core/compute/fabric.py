"""Teams of several processes, by Lightning Fabric: on one machine, under torchrun or SLURM."""

import logging
from collections.abc import Iterable

import torch
from lightning_fabric import Fabric
from torch import Tensor, distributed, nn

from unmask.core.compute.team import Team
from unmask.core.errors import UserError


class FabricTeam(Team):
    """Processes that share gradients over NCCL (CUDA) or gloo (CPU)."""

    def __init__(self, devices: int, nodes: int, device: torch.device) -> None:
        super().__init__()
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
        accelerator = device.type if device.type == "cuda" else "cpu"
        try:
            self._fabric = Fabric(
                accelerator=accelerator, strategy="ddp", devices=devices, num_nodes=nodes
            )
            self._fabric.launch()
        except (ValueError, RuntimeError) as error:
            raise UserError(f"params.yaml: train.devices, train.nodes: {error}") from None
        self.rank, self.size = self._fabric.global_rank, self._fabric.world_size
        self.device = self._fabric.device

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up the gradients, each weighed by its process's share of the batch.

        One message for all of them: small models would wait for many.
        """
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.sum(torch.cat([gradient.flatten() for gradient in gradients]) * self.share)
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over processes."""
        total = values.clone()
        distributed.all_reduce(total)  # Fabric's own waits for everybody first
        return total

    def synchronise(self, module: nn.Module) -> None:
        """Let batch normalisation see whole batches; PyTorch has no such layer for the CPU."""
        if self.device.type == "cuda":
            # It replaces layers within the module.
            nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]

    def average_buffers(self, module: nn.Module) -> None:
        """Make running statistics, which each process has of its own part, their mean."""
        for buffer in module.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self.sum(buffer.clone()) / self.size)

    def wait(self) -> None:
        """Return when all processes have come here."""
        self._fabric.barrier()
