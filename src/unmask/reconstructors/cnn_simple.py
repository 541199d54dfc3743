"""The paper's first generative CNN (section 3.4): few layers, no normalisation.

    [B,1,24,48] -> 3 x (5x5 convolution, stride 2, ReLU), widths w, 2w, 4w -> [B,4w,3,6]
                -> 2 x (4x4 transposed convolution, stride 2, ReLU), widths 2w, w
                -> 4x4 transposed convolution, stride 2, sigmoid -> [B,1,24,48]

The paper gives no widths; with strides, three layers see most of the half face.
"""

from pydantic import Field
from torch import Tensor, nn

from unmask.core.section import Section


class Params(Section):
    """width: filters of the first convolution."""

    width: int = Field(default=32, ge=1)


class SimpleCNN(nn.Module):
    """Maps upper halves to lower halves, float [B,1,24,48] in [0,1] each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_down(1, width),
            *_down(width, 2 * width),
            *_down(2 * width, 4 * width),
            *_up(4 * width, 2 * width),
            *_up(2 * width, width),
            nn.ConvTranspose2d(width, 1, kernel_size=4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, upper: Tensor) -> Tensor:
        """Return generated lower halves."""
        lower: Tensor = self.layers(upper)
        return lower


def _down(inputs: int, filters: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, filters, kernel_size=5, stride=2, padding=2), nn.ReLU(inplace=True)


def _up(inputs: int, filters: int) -> tuple[nn.Module, nn.Module]:
    transposed = nn.ConvTranspose2d(inputs, filters, kernel_size=4, stride=2, padding=1)
    return transposed, nn.ReLU(inplace=True)


def build(params: Params) -> nn.Module:
    """Return an untrained network."""
    return SimpleCNN(params.width)
