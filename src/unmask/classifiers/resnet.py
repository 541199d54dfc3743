"""A residual network for small pictures (He et al. 2016, sections 3.3 and 4.2).

    [B,1,H,W] -> 3x3 convolution -> [B,w,H,W]
              -> residual blocks: w x HxW, 2w x H/2xW/2, 4w x H/4xW/4, 8w x H/8xW/8
              -> mean over height and width -> dropout -> logits [B,7]

With two blocks per stage it is ResNet18, except for the shortcuts that halve the size (see
`Residual`) and the stem: one convolution that keeps the size, as He et al. use for CIFAR-10,
instead of two layers that reduce it to a quarter. Thanks to the mean over height and width, the
same weights read 24x48 and 48x48 pixels.
"""

from pydantic import Field
from torch import Tensor, nn

from unmask.core.section import Section
from unmask.models.blocks import Residual, convolution

_STAGES = 4


class Params(Section):
    """Settings of the classifier.

    width: filters of the first stage; each later stage has twice as many as the one before.
    blocks: residual blocks in each of the four stages.
    dropout: rate before the last layer.
    """

    width: int = Field(ge=1)
    blocks: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)


class ResNet(nn.Module):
    """Maps faces or upper halves, float [B,1,H,W] in [0,1], to logits [B,classes]."""

    def __init__(self, params: Params, classes: int) -> None:
        super().__init__()
        widths = [params.width * 2**stage for stage in range(_STAGES)]
        layers: list[nn.Module] = [convolution(1, params.width)]
        for stage, outputs in enumerate(widths):
            inputs = widths[max(stage - 1, 0)]
            layers.append(Residual(inputs, outputs, stride=2 if stage else 1))
            layers += [Residual(outputs, outputs) for _ in range(params.blocks - 1)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(params.dropout), nn.Linear(widths[-1], classes))

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits [B,classes]."""
        # Centred and scaled to about unit variance, as the usual initial weights expect.
        features = self.features((faces - 0.5) / 0.25)
        logits: Tensor = self.head(features.mean(dim=(2, 3)))
        return logits


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return an untrained classifier; height and width of the images do not matter to it."""
    return ResNet(params, classes)
