"""InceptionV3 encoder, all frozen, with upscaling and prediction layers (paper, section 3.5).

    [B,1,24,48] -> resized to 139x139 -> InceptionV3 without its classifiers -> [B,2048,3,3]
                -> dense layers -> [B,8w,3,6]
                -> three upscalings -> [B,w,24,48] -> 3x3 convolution, sigmoid -> [B,1,24,48]

The pictures and checkpoints during training that the paper mentions are there for every
reconstructor. Frozen, its features are computed once.
"""

from pydantic import Field
from torch import nn

from unmask.reconstructors.blocks import DenseDecoder
from unmask.reconstructors.encoders import EncoderDecoder, Pretrained, inception_v3_encoder


class Params(Pretrained):
    """hidden: units of the dense layer; width: filters at full size; dropout: of the dense layer.

    The others are those of `Pretrained`.
    """

    hidden: int = Field(default=512, ge=1)
    width: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    decoder = DenseDecoder((2048, 3, 3), params.hidden, params.width, params.dropout)
    return EncoderDecoder(inception_v3_encoder(params), decoder)
