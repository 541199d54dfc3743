"""EfficientNet-Lite0, averaged over the face (Tan and Le 2019).

    [B,1,H,W] -> enlarged s times, three equal channels -> EfficientNet-Lite0 [B,1280,sH/32,sW/32]
              -> mean over height and width -> dropout -> logits [B,7]

It can start from ImageNet (`pretrained: package`), whose objects are larger than those of a small
face.
"""

from pydantic import Field
from torch import Tensor, nn

from unmask.layers.efficientnet_lite0 import EfficientNetLite0
from unmask.layers.encoders import Pretrained


class Params(Pretrained):
    """pretrained: also `package`, ImageNet's weights as a Python package.

    scale: by how much images are enlarged; dropout: rate before the last layer.
    """

    scale: int = Field(default=2, ge=1, le=8)
    dropout: float = Field(default=0.2, ge=0, lt=1)


class Classifier(nn.Module):
    """Maps faces or upper halves, float [B,1,H,W] in [0,1], to logits [B,classes]."""

    def __init__(self, params: Params, height: int, width: int, classes: int) -> None:
        super().__init__()
        self.encoder = EfficientNetLite0(params, (params.scale * height, params.scale * width))
        self.head = nn.Sequential(nn.Dropout(params.dropout), nn.Linear(1280, classes))

    def load_pretrained(self) -> dict[str, str]:
        """Load the encoder's weights; see `Encoder.load_pretrained`."""
        return self.encoder.load_pretrained()

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits [B,classes]."""
        (features,) = self.encoder(faces)
        logits: Tensor = self.head(features.mean(dim=(2, 3)))
        return logits


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    return Classifier(params, height, width, classes)
