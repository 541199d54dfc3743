"""The paper's conditional GAN with residual blocks in both networks (section 3.6).

Generator:

    [B,1,24,48] -> 3x3 convolutions: w x 24x48 -> 2w x 12x24 -> 4w x 6x12
                -> residual blocks at 6x12 (-> self-attention) -> dense layers added to them
                -> upscalings: 2w x 12x24 -> w x 24x48 -> 3x3 convolution, sigmoid -> [B,1,24,48]

Discriminator: residual blocks that halve the size (after Miyato et al. 2018, figure 10, but by a
strided convolution; only the shortcut is average-pooled), on the stitched face; no normalisation
other than the objective's spectral one.

    [B,1,48,48] -> v x 24x24 -> 2v x 12x12 -> 4v x 6x6 -> logits [B,1,6,6]
"""

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from unmask.core.section import Section
from unmask.models.blocks import Dense, Residual, SelfAttention, convolution, upscaling


class Params(Section):
    """width: filters at full size; blocks: residual blocks; hidden, dropout: of the dense layer.

    attention: whether self-attention follows the blocks (Zhang et al. 2019, "SAGAN"; not the
        paper's).
    """

    width: int = Field(default=16, ge=1)
    blocks: int = Field(default=3, ge=1)
    hidden: int = Field(default=512, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    attention: bool = False


class ResidualGenerator(nn.Module):
    """Maps upper halves to lower halves, float [B,1,24,48] in [0,1] each."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        w = params.width
        self.down = nn.Sequential(
            convolution(1, w), convolution(w, 2 * w, stride=2), convolution(2 * w, 4 * w, stride=2)
        )
        blocks: list[nn.Module] = [Residual(4 * w, 4 * w) for _ in range(params.blocks)]
        if params.attention:
            blocks.append(SelfAttention(4 * w))
        self.blocks = nn.Sequential(*blocks)
        self.dense = Dense((4 * w, 6, 12), 2 * w, params.hidden, (4 * w, 6, 12), params.dropout)
        self.up = nn.Sequential(
            upscaling(4 * w, 2 * w),
            upscaling(2 * w, w),
            nn.Conv2d(w, 1, kernel_size=3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, upper: Tensor) -> Tensor:
        """Return generated lower halves."""
        # Upside down, so that rows next to the seam line up, since the blocks keep positions.
        features = self.blocks(self.down(upper.flip(2)))
        lower: Tensor = self.up(features + self.dense(features))
        return lower

    @staticmethod
    def discriminator(width: int) -> nn.Module:
        """Return an untrained discriminator; `width` is that of its first block."""
        return ResidualDiscriminator(width)


class ResidualDiscriminator(nn.Module):
    """Maps stitched faces, float [B,1,48,48] in [-1,1], to logits of being real, [B,1,6,6]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (1, width, 2 * width, 4 * width)
        self.blocks = nn.Sequential(*map(_HalvingBlock, widths[:-1], widths[1:]))
        self.head = nn.Conv2d(widths[-1], 1, kernel_size=1)

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.head(self.blocks(faces))
        return logits


class _HalvingBlock(nn.Module):
    """Residual block that halves height and width, without batch normalisation.

    The discriminator's batch holds real and generated faces; their joint statistics would tell it
    what single faces do not.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=1)
        self.second = nn.Conv2d(outputs, outputs, kernel_size=3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        body = self.second(functional.leaky_relu(self.first(features), 0.2))
        return functional.leaky_relu(body + self.shortcut(functional.avg_pool2d(features, 2)), 0.2)


def build(params: Params) -> nn.Module:
    """Return an untrained generator."""
    return ResidualGenerator(params)
