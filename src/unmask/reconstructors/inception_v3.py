"""InceptionV3 encoder, all frozen, with upscaling and prediction layers (paper, section 3.5).

    [B,1,24,48] -> resized to 139x139 -> InceptionV3 without its classifiers -> [B,2048,3,3]
                -> dense layers -> [B,8w,3,6]
                -> three upscalings -> [B,w,24,48] -> 3x3 convolution, sigmoid -> [B,1,24,48]

The pictures and checkpoints during training that the paper mentions exist for every reconstructor.
Since the encoder is frozen, its features are computed only once.
"""

from torch import nn

from unmask.layers.blocks import DenseDecoder
from unmask.layers.encoders import (
    EncoderDecoder,
    PretrainedDense,
    inception_v3_encoder,
)


class Params(PretrainedDense):
    """Nothing else to set."""


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    decoder = DenseDecoder((2048, 3, 3), params.hidden, params.width, params.dropout)
    return EncoderDecoder(inception_v3_encoder(params), decoder)
