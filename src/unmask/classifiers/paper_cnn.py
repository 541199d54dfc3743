"""The paper's classifier: three convolutions with 32, 64 and 128 filters, pooling, dropout.

    [B,1,H,W] -> 3 x (3x3 convolution, 2x2 max pooling, ReLU, dropout)
              -> [B,128,H/8,W/8] -> dense, ReLU, dropout -> logits [B,7]

The same code reads the upper half (H=24) and the whole or stitched face (H=48). The paper does not
give kernel size, width of the dense layer or dropout rates; these are the usual ones of its time.
Weights are initialised as in Keras, the paper's framework: uniform after Glorot and Bengio (2010,
section 4.2.1), biases at zero. PyTorch's own initial weights are smaller; with them, one of the
sample's classifiers never learned to predict anything but the most common class.
"""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from unmask.core.section import Section


class Params(Section):
    """Settings of the classifier.

    filters: of the convolutions, each followed by a pooling that halves height and width.
    hidden: width of the dense layer.
    dropout: rate after each pooling.
    dense_dropout: rate after the dense layer.
    """

    filters: list[Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=3)
    hidden: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    dense_dropout: float = Field(ge=0, lt=1)


class PaperCNN(nn.Module):
    """Maps faces or upper halves, float [B,1,H,W] in [0,1], to logits [B,classes]."""

    def __init__(self, params: Params, height: int, width: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for filters in params.filters:
            layers += [
                nn.Conv2d(channels, filters, kernel_size=3, padding=1),
                # The same result as pooling after ReLU, at a quarter of the work.
                nn.MaxPool2d(2),
                nn.ReLU(inplace=True),
                nn.Dropout(params.dropout),
            ]
            channels, height, width = filters, height // 2, width // 2
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * height * width, params.hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(params.dense_dropout),
            nn.Linear(params.hidden, classes),
        )
        self.apply(_initialise)

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits [B,classes]."""
        # Centred and scaled to about unit variance, as the usual initial weights expect.
        logits: Tensor = self.head(self.features((faces - 0.5) / 0.25))
        return logits


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return an untrained classifier for images of `height` x `width` pixels."""
    return PaperCNN(params, height, width, classes)
