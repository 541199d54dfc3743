"""The paper's larger generative CNN (section 3.4): 256 filters, more layers, batch normalisation.

    [B,1,24,48] -> w x 24x48 -> 2w x 12x24 -> 4w x 6x12 -> 8w x 3x6, two convolutions per size
                -> dense layers, so that each position can see the whole half -> 8w x 3x6
                -> 4w x 6x12 -> 2w x 12x24 -> w x 24x48 -> 3x3 convolution, sigmoid -> [B,1,24,48]

All convolutions are 3x3 with batch normalisation and ReLU; stride 2 leads down, transposed
convolutions lead up. The paper trains it with rotated and shifted faces, which here are settings of
training (`rotation`, `shift`).
"""

from pydantic import Field
from torch import Tensor, nn

from unmask.core.section import Section
from unmask.models.blocks import Dense, convolution, upscaling


class Params(Section):
    """width: filters of the first convolution, an eighth of the maximum (256 in the paper).

    dropout: of the dense layer.
    """

    width: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)


class DeepCNN(nn.Module):
    """Maps upper halves to lower halves, float [B,1,24,48] in [0,1] each."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        w = params.width
        self.layers = nn.Sequential(
            convolution(1, w),
            convolution(w, 2 * w, stride=2),
            convolution(2 * w, 2 * w),
            convolution(2 * w, 4 * w, stride=2),
            convolution(4 * w, 4 * w),
            convolution(4 * w, 8 * w, stride=2),
            convolution(8 * w, 8 * w),
            Dense((8 * w, 3, 6), 4 * w, hidden=512, shape=(8 * w, 3, 6), dropout=params.dropout),
            convolution(8 * w, 8 * w),
            upscaling(8 * w, 4 * w),
            convolution(4 * w, 4 * w),
            upscaling(4 * w, 2 * w),
            convolution(2 * w, 2 * w),
            upscaling(2 * w, w),
            nn.Conv2d(w, 1, kernel_size=3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, upper: Tensor) -> Tensor:
        """Return generated lower halves."""
        lower: Tensor = self.layers(upper)
        return lower


def build(params: Params) -> nn.Module:
    """Return an untrained network."""
    return DeepCNN(params)
