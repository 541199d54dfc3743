"""VGG16 up to block 4, averaged over the face (Simonyan and Zisserman 2015, configuration D).

    [B,1,H,W] -> enlarged s times, three equal channels -> VGG16 up to block 4 -> [B,512,sH/8,sW/8]
              -> mean over height and width -> dropout -> logits [B,7]

The mean takes the place of the dense layers, which fit 224x224 pixels alone; block 5 would leave
1x3 of an upper half. The encoder can start from ImageNet, whose objects are larger than those of a
small face.
"""

from torch import nn

from unmask.models.encoders import EncoderClassifier, EnlargedClassifier, vgg16_encoder


class Params(EnlargedClassifier):
    """Nothing else to set."""


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    encoder = vgg16_encoder(params, params.size(height, width))
    return EncoderClassifier(encoder, 512, params.dropout, classes)
