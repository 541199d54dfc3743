"""ResNet50 up to its third stage, averaged over the face (He et al. 2016).

    [B,1,H,W] -> enlarged s times, three equal channels -> ResNet50 up to layer3
              -> [B,1024,sH/16,sW/16] -> mean over height and width -> dropout -> logits [B,7]

Trained on faces, its encoder can be the start of the reconstructors `resnet50` and `resnet50_deep`.
"""

from torch import nn

from unmask.models.encoders import EncoderClassifier, EnlargedClassifier, resnet50_encoder


class Params(EnlargedClassifier):
    """Nothing else to set."""


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    encoder = resnet50_encoder(params, ("layer3",), params.size(height, width))
    return EncoderClassifier(encoder, 1024, params.dropout, classes)
