"""The paper's final model (section 3.7): `resnet50` made deeper.

    [B,1,24,48] -> ResNet50 -> layer3 1024x2x3 -> dense layers -> 8w x 3x6
                               layer2  512x3x6 ------------------> 8w x 3x6, residual blocks
                               layer1 256x6x12 ------------------> 4w x 6x12, residual blocks
                               relu  64x12x24 -------------------> 2w x 12x24, residual blocks
                                                                    w x 24x48, residual block
                -> 3x3 convolution, sigmoid -> [B,1,24,48]

The paper says only that layers were added. Here they are residual blocks at every size, and the
decoder sees the encoder's feature maps of the same size, flipped upside down so that the rows next
to the seam line up; an upscaling leads from each size to the next.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from unmask.models.blocks import Dense, Residual, upscaling
from unmask.models.encoders import EncoderDecoder, PretrainedDense, resnet50_encoder

_TAPS = {"relu": 64, "layer1": 256, "layer2": 512, "layer3": 1024}


class Params(PretrainedDense):
    """depth: residual blocks at each of the three smaller sizes."""

    depth: int = Field(default=2, ge=1)


class DeepDecoder(nn.Module):
    """Maps the four feature maps to lower halves, float [B,1,24,48] in [0,1]."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        sizes = [width * params.width for width in (8, 4, 2)]  # at 3x6, 6x12, 12x24
        self.dense = Dense((1024, 2, 3), 128, params.hidden, (sizes[0], 3, 6), params.dropout)
        self.skips = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(channels), nn.Conv2d(channels, size, kernel_size=1))
            for channels, size in zip((512, 256, 64), sizes, strict=True)
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                Residual(2 * size, size), *(Residual(size, size) for _ in range(params.depth - 1))
            )
            for size in sizes
        )
        self.up = nn.ModuleList(upscaling(size, size // 2) for size in sizes)
        self.head = nn.Sequential(
            Residual(params.width, params.width),
            nn.Conv2d(params.width, 1, kernel_size=3, padding=1),
        )

    def forward(self, *maps: Tensor) -> Tensor:
        """Return generated lower halves."""
        *skips, last = maps
        features = self.dense(last)
        for map_, skip, block, up in zip(
            reversed(skips), self.skips, self.blocks, self.up, strict=True
        ):
            features = up(block(torch.cat([features, skip(map_).flip(2)], dim=1)))
        return torch.sigmoid(self.head(features))


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    return EncoderDecoder(resnet50_encoder(params, tuple(_TAPS)), DeepDecoder(params))
