"""Control: the upper half, flipped about the seam.

    [B,1,24,48] -> upside down -> [B,1,24,48]

It needs no training and adds nothing to the upper half except a second copy of it.
"""

from torch import Tensor, nn

from unmask.core.section import Section


class Params(Section):
    """Nothing to set."""


class Mirror(nn.Module):
    """Maps an upper half to its mirror image below the seam."""

    def observe(self, upper: Tensor, lower: Tensor) -> None:
        """Learn nothing from a batch of faces."""

    def forward(self, upper: Tensor) -> Tensor:
        """Return upper halves, float [B,1,24,48], upside down."""
        return upper.flip(2)


def build(params: Params) -> nn.Module:
    """Return the control."""
    return Mirror()
