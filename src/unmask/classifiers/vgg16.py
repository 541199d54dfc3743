"""VGG16 up to block 4, averaged over the face (Simonyan and Zisserman 2015, configuration D).

    [B,1,H,W] -> enlarged s times, three equal channels -> VGG16 up to block 4 -> [B,512,sH/8,sW/8]
              -> mean over height and width -> dropout -> logits [B,7]

The mean (Lin, Chen and Yan 2014, "Network in network", section 3.2) takes the place of the dense
layers, which fit 224x224 pixels alone; block 5 would leave 1x3 of an upper half. The encoder can
start from ImageNet, whose objects are larger than those of a small face.
"""

from pydantic import Field
from torch import Tensor, nn

from unmask.layers.blocks import resize
from unmask.layers.encoders import Pretrained, vgg16_encoder


class Params(Pretrained):
    """scale: by how much images are enlarged; dropout: rate before the last layer."""

    scale: int = Field(default=1, ge=1, le=8)
    dropout: float = Field(default=0.0, ge=0, lt=1)


class VGG16(nn.Module):
    """Maps faces or upper halves, float [B,1,H,W] in [0,1], to logits [B,classes]."""

    def __init__(self, params: Params, classes: int) -> None:
        super().__init__()
        self._scale = params.scale
        self.encoder = vgg16_encoder(params)
        self.head = nn.Sequential(nn.Dropout(params.dropout), nn.Linear(512, classes))

    def load_pretrained(self) -> dict[str, str]:
        """Load the encoder's weights; see `Encoder.load_pretrained`."""
        return self.encoder.load_pretrained()

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits [B,classes]."""
        if self._scale > 1:
            height, width = faces.shape[2:]
            faces = resize(faces, self._scale * height, self._scale * width)
        (features,) = self.encoder(faces)
        logits: Tensor = self.head(features.mean(dim=(2, 3)))
        return logits


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return the network, its encoder without pretrained weights; any size will do."""
    return VGG16(params, classes)
