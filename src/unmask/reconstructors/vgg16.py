"""VGG16 encoder with added layers and dropout (paper, section 3.5).

    [B,1,24,48] -> VGG16 up to block 4 -> [B,512,3,6]
                -> dense layers with dropout -> [B,8w,3,6]
                -> three upscalings -> [B,w,24,48] -> 3x3 convolution, sigmoid -> [B,1,24,48]

The paper does not say which layers of the encoder learn. Frozen (`freeze: all`), its features are
computed once; that is also how it fits a machine without a GPU.
"""

from pydantic import Field
from torch import nn

from unmask.reconstructors.blocks import DenseDecoder
from unmask.reconstructors.encoders import EncoderDecoder, Pretrained, vgg16_encoder


class Params(Pretrained):
    """hidden: units of the dense layer; width: filters at full size; dropout: of the dense layer.

    The others are those of `Pretrained`.
    """

    hidden: int = Field(default=512, ge=1)
    width: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    decoder = DenseDecoder((512, 3, 6), params.hidden, params.width, params.dropout)
    return EncoderDecoder(vgg16_encoder(params), decoder)
