"""EfficientNet-Lite0, averaged over the face (Tan and Le 2019).

    [B,1,H,W] -> enlarged s times, three equal channels -> EfficientNet-Lite0 [B,1280,sH/32,sW/32]
              -> mean over height and width -> dropout -> logits [B,7]

It can start from ImageNet (`pretrained: package`), whose objects are larger than those of a small
face.
"""

from pydantic import Field
from torch import nn

from unmask.models.efficientnet_lite0 import EfficientNetLite0
from unmask.models.encoders import EncoderClassifier, EnlargedClassifier


class Params(EnlargedClassifier):
    """pretrained: also `package`, ImageNet's weights as a Python package."""

    scale: int = Field(default=2, ge=1, le=8)
    dropout: float = Field(default=0.2, ge=0, lt=1)


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    encoder = EfficientNetLite0(params, params.size(height, width))
    return EncoderClassifier(encoder, 1280, params.dropout, classes)
