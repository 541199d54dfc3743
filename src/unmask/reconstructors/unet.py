"""U-Net from upper half to lower half (paper, section 3.6; Ronneberger, Fischer and Brox 2015).

    [B,1,24,48] -> flipped upside down, so that skip connections join rows next to the seam
      w x 24x48 --------------------------------> w x 24x48 -> 1x1 convolution, sigmoid
        2w x 12x24 ------------------> 2w x 12x24               -> [B,1,24,48]
          4w x 6x12 --------> 4w x 6x12
            8w x 3x6 (dropout)

Each level is two 3x3 convolutions with batch normalisation and ReLU; 2x2 max pooling leads down,
2x2 transposed convolutions lead up. Unlike the original, padding keeps the sizes, and the input is
upside down, since here input and output are neighbours and not the same part of the image. The
transposed convolutions start with the same weights for all four pixels that they make of one, like
those of Aitken et al. 2017 ("Checkerboard artifact free sub-pixel convolution", section 3): with
four different ones they start with a pattern of dots, which a short training leaves in the picture.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from unmask.core.section import Section
from unmask.models.blocks import convolution

_LEVELS = 3


class Params(Section):
    """width: filters of the first level; dropout: rate at the bottom."""

    width: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)


class UNet(nn.Module):
    """Maps upper halves to lower halves, float [B,1,24,48] in [0,1] each."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        widths = [params.width * 2**level for level in range(_LEVELS + 1)]
        self.down = nn.ModuleList(
            _two_convolutions(inputs, outputs)
            for inputs, outputs in zip([1, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(params.dropout)
        self.widen = nn.ModuleList(_doubling(2 * width, width) for width in widths[:-1])
        self.up = nn.ModuleList(_two_convolutions(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(params.width, 1, kernel_size=1)

    def forward(self, upper: Tensor) -> Tensor:
        """Return generated lower halves."""
        features, skips = upper.flip(2), []
        for level, block in enumerate(self.down):
            features = block(features if level == 0 else self.pool(features))
            skips.append(features)
        features = self.dropout(skips.pop())
        for level in reversed(range(_LEVELS)):
            features = torch.cat([skips[level], self.widen[level](features)], dim=1)
            features = self.up[level](features)
        return torch.sigmoid(self.head(features))


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(convolution(inputs, outputs), convolution(outputs, outputs))


def _doubling(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    widen = nn.ConvTranspose2d(inputs, outputs, kernel_size=2, stride=2)
    with torch.no_grad():
        widen.weight.copy_(widen.weight[:, :, :1, :1].expand_as(widen.weight))
    return widen


def build(params: Params) -> nn.Module:
    """Return an untrained network."""
    return UNet(params)
