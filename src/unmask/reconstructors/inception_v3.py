"""InceptionV3 encoder with upscaling and prediction layers (paper, section 3.5).

    [B,1,24,48] -> resized, say to 139x139 -> InceptionV3 without its classifiers -> [B,2048,3,3]
                -> dense layers -> [B,8w,3,6]
                -> three upscalings -> [B,w,24,48] -> 3x3 convolution, sigmoid -> [B,1,24,48]

The pictures and checkpoints during training that the paper mentions exist for every reconstructor.
The paper freezes the whole encoder (`freeze: all`). Its features are then computed only once, if
faces are not augmented.
"""

from pydantic import Field
from torch import nn

from unmask.models.blocks import DenseDecoder
from unmask.models.encoders import (
    EncoderDecoder,
    PretrainedDense,
    inception_v3_encoder,
)


class Params(PretrainedDense):
    """size: height and width, in pixels, to which the upper half is resized before the encoder."""

    size: int = Field(default=139, ge=75)  # less would leave no feature map


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    side = (params.size - 75) // 32 + 1  # of the last feature map
    decoder = DenseDecoder((2048, side, side), params.hidden, params.width, params.dropout)
    return EncoderDecoder(inception_v3_encoder(params, params.size), decoder)
