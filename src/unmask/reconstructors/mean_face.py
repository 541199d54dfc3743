"""Control: the mean lower half of the training faces, the same for every upper half.

    [B,1,24,48] -> [B,1,24,48], constant

It says nothing about the expression, so a classifier of its stitched faces has exactly what the
baseline has: the upper half.
"""

import torch
from torch import Tensor, nn

from unmask.core.section import Section


class Params(Section):
    """Nothing to set."""


class MeanFace(nn.Module):
    """Maps any upper half to the mean of the lower halves that it has observed."""

    mean: Tensor
    faces: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, 1, 24, 48))
        self.register_buffer("faces", torch.zeros(()))

    def observe(self, upper: Tensor, lower: Tensor) -> None:
        """Update the mean with a batch of lower halves; `upper` is ignored."""
        self.faces += len(lower)
        self.mean += (lower - self.mean).sum(0, keepdim=True) / self.faces

    def forward(self, upper: Tensor) -> Tensor:
        """Return the mean, float [B,1,24,48] in [0,1]."""
        return self.mean.expand_as(upper)


def build(params: Params) -> nn.Module:
    """Return a mean face that has observed nothing."""
    return MeanFace()
