"""The paper's conditional GAN (section 3.3): a CNN that generates the lower half from the upper.

Generator, after pix2pix (Isola et al. 2017, section 3.2.1), three sizes instead of eight, without
its skip connections:

    [B,1,24,48] -> 4x4 convolutions, stride 2: w x 12x24 -> 2w x 6x12 -> 4w x 3x6
                -> dense layers with dropout -> 4w x 3x6
                -> transposed convolutions: 2w x 6x12 -> w x 12x24 -> w x 24x48
                -> 3x3 convolution, sigmoid -> [B,1,24,48]

Batch normalisation, with leaky ReLU on the way down and ReLU on the way up. Dropout is the only
noise, as in pix2pix. The discriminator belongs to the objective, `objectives/adversarial.py`: it
sees the upper half with the real or the generated lower half.
"""

from pydantic import Field
from torch import Tensor, nn

from unmask.core.section import Section
from unmask.models.blocks import Dense, upscaling


class Params(Section):
    """width: filters of the first convolution; hidden, dropout: of the dense layer."""

    width: int = Field(default=32, ge=1)
    hidden: int = Field(default=512, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)


class Generator(nn.Module):
    """Maps upper halves to lower halves, float [B,1,24,48] in [0,1] each."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        w = params.width
        self.layers = nn.Sequential(
            *_down(1, w),
            *_down(w, 2 * w),
            *_down(2 * w, 4 * w),
            Dense((4 * w, 3, 6), 4 * w, params.hidden, (4 * w, 3, 6), params.dropout),
            upscaling(4 * w, 2 * w),
            upscaling(2 * w, w),
            upscaling(w, w),
            nn.Conv2d(w, 1, kernel_size=3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, upper: Tensor) -> Tensor:
        """Return generated lower halves."""
        lower: Tensor = self.layers(upper)
        return lower


def _down(inputs: int, filters: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, filters, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(filters),
        nn.LeakyReLU(0.2, inplace=True),
    )


def build(params: Params) -> nn.Module:
    """Return an untrained generator."""
    return Generator(params)
