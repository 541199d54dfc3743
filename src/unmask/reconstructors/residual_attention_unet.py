"""U-Net with residual blocks and attention gates (Hosen and Islam 2022, arXiv:2209.08850).

    [B,1,24,48] -> flipped upside down, so that skip connections join rows next to the seam
      w x 24x48 ----------------- gate -> w x 24x48 -> 1x1 convolution, sigmoid
        2w x 12x24 -------- gate -> 2w x 12x24             -> [B,1,24,48]
          4w x 6x12 - gate -> 4w x 6x12
            8w x 3x6 (dropout)

Each level is a residual block of two 3x3 convolutions; 2x2 max pooling leads down, upscalings lead
up. A gate (Oktay et al. 2018, figure 2) weights each position of a skip connection by the signal
from below. The paper inpaints masked colour faces of 256x256 with five levels; half a face of 24x48
has room for four.
"""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from unmask.core.section import Section
from unmask.models.blocks import Residual, upscaling

_LEVELS = 3


class Params(Section):
    """width: filters of the first level; dropout: rate at the bottom."""

    width: int = Field(default=32, ge=2)
    dropout: float = Field(default=0.2, ge=0, lt=1)


class AttentionGate(nn.Module):
    """Weights each position of `skip`, [B,C,H,W], by `signal`, [B,C,H,W]; weights are in [0,1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.of_skip = nn.Conv2d(channels, inner, kernel_size=1, bias=False)
        self.of_signal = nn.Conv2d(channels, inner, kernel_size=1)
        self.weight = nn.Conv2d(inner, 1, kernel_size=1)

    def forward(self, skip: Tensor, signal: Tensor) -> Tensor:
        """Return the weighted skip connection."""
        both = torch.relu(self.of_skip(skip) + self.of_signal(signal))
        return skip * torch.sigmoid(self.weight(both))


class ResidualAttentionUNet(nn.Module):
    """Maps upper halves to lower halves, float [B,1,24,48] in [0,1] each."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        widths = [params.width * 2**level for level in range(_LEVELS + 1)]
        self.down = nn.ModuleList(map(Residual, [1, *widths], widths))
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(params.dropout)
        self.widen = nn.ModuleList(upscaling(2 * width, width) for width in widths[:-1])
        self.gates = nn.ModuleList(AttentionGate(width) for width in widths[:-1])
        self.up = nn.ModuleList(Residual(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(params.width, 1, kernel_size=1)

    def forward(self, upper: Tensor) -> Tensor:
        """Return generated lower halves."""
        features, skips = upper.flip(2), list[Tensor]()
        for level, block in enumerate(self.down):
            features = block(features if level == 0 else self.pool(features))
            skips.append(features)
        return self._ascend(self.dropout(features), skips)

    def _ascend(self, features: Tensor, skips: Sequence[Tensor]) -> Tensor:
        for level in reversed(range(_LEVELS)):
            signal = self.widen[level](features)
            gated = self.gates[level](skips[level], signal)
            features = self.up[level](torch.cat([gated, signal], dim=1))
        return torch.sigmoid(self.head(features))


def build(params: Params) -> nn.Module:
    """Return an untrained network."""
    return ResidualAttentionUNet(params)
