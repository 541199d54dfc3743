"""ResNet50 encoder with dense and upscaling layers (paper, section 3.5).

    [B,1,24,48] -> ResNet50 up to layer3 -> [B,1024,2,3]
                -> dense layers -> [B,8w,3,6]
                -> three upscalings -> [B,w,24,48] -> 3x3 convolution, sigmoid -> [B,1,24,48]

The paper freezes the lower layers (`freeze: lower`), which makes sense with pretrained weights;
without them, the default is to train all.
"""

from pydantic import Field
from torch import nn

from unmask.reconstructors.blocks import DenseDecoder
from unmask.reconstructors.encoders import EncoderDecoder, Pretrained, resnet50_encoder


class Params(Pretrained):
    """hidden: units of the dense layer; width: filters at full size; dropout: of the dense layer.

    The others are those of `Pretrained`.
    """

    hidden: int = Field(default=512, ge=1)
    width: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    decoder = DenseDecoder((1024, 2, 3), params.hidden, params.width, params.dropout)
    return EncoderDecoder(resnet50_encoder(params, taps=("layer3",)), decoder)
