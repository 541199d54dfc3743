"""InceptionV3, averaged over the face (Szegedy et al. 2016).

    [B,1,H,W] -> resized, say to 139x139, three equal channels -> InceptionV3 [B,2048,3,3]
              -> mean over height and width -> dropout -> logits [B,7]

Trained on faces, its encoder can be the start of the reconstructor `inception_v3`.
"""

from pydantic import Field
from torch import nn

from unmask.models.encoders import EncoderClassifier, Pretrained, inception_v3_encoder


class Params(Pretrained):
    """size: height and width, in pixels, to which images are resized before the encoder.

    dropout: rate before the last layer.
    """

    size: int = Field(default=139, ge=75)
    dropout: float = Field(default=0.0, ge=0, lt=1)


def build(params: Params, height: int, width: int, classes: int) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    encoder = inception_v3_encoder(params, params.size)
    return EncoderClassifier(encoder, 2048, params.dropout, classes)
