"""The processes that train one model together, each on its part of every batch."""

import os
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.core.errors import UserError


class Team:
    """The usual case: one process, which has nobody to share with.

    rank: number of this process, from 0; only 0 writes files.
    size: how many processes there are.
    faces, share: of the batch at hand, how many faces this process has, and which part that is.
    """

    rank, size = 0, 1

    def __init__(self) -> None:
        self.faces, self.share = 0, 1.0

    def part(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return this process's part of the rows of a batch; it is then the batch at hand."""
        mine = rows[self.rank :: self.size]
        self.faces, self.share = len(mine), len(mine) / len(rows)
        # All take the same steps: who gets no face of a small batch takes one that counts nothing.
        return mine if len(mine) else rows[:1]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make gradients of the part's mean loss those of the whole batch's mean loss."""

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over processes."""
        return values

    def synchronise(self, module: nn.Module) -> None:
        """Let batch normalisation see whole batches, where the device can."""

    def average_buffers(self, module: nn.Module) -> None:
        """Make running statistics, which each process has of its own part, their mean."""

    def wait(self) -> None:
        """Return when all processes have come here."""

    def __repr__(self) -> str:
        return f"Team(size={self.size})"


SOLO = Team()


def assemble(devices: int, nodes: int, device: torch.device) -> tuple[Team, torch.device]:
    """Return the team of `devices` processes on each of `nodes` machines, and this one's device.

    Where this is the only process of its machine so far, the others are started from here, each
    with this process's command line; torchrun and SLURM start them all.

    Raises UserError where what has been started is something else.
    """
    if devices * nodes > 1:
        # Seconds to import, so only where there is a team.
        from unmask.core.compute.fabric import FabricTeam

        team = FabricTeam(devices, nodes, device)
        return team, team.device
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise UserError(
            "params.yaml: train.devices, train.nodes: 1 each, but more processes were started; "
            "set them as they were started"
        )
    return SOLO, device
