"""VGG16 encoder with added layers and dropout (paper, section 3.5).

    [B,1,24,48] -> VGG16 up to block 4 -> [B,512,3,6]
                -> dense layers with dropout -> [B,8w,3,6]
                -> three upscalings -> [B,w,24,48] -> 3x3 convolution, sigmoid -> [B,1,24,48]

The paper does not say which layers of the encoder learn. If it is frozen (`freeze: all`), its
features are computed only once, which also makes it affordable without a GPU.
"""

from pydantic import Field
from torch import nn

from unmask.models.blocks import DenseDecoder
from unmask.models.encoders import EncoderDecoder, PretrainedDense, vgg16_encoder


class Params(PretrainedDense):
    """dropout: higher than elsewhere, as the paper adds it to this model alone."""

    dropout: float = Field(default=0.3, ge=0, lt=1)


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    decoder = DenseDecoder((512, 3, 6), params.hidden, params.width, params.dropout)
    return EncoderDecoder(vgg16_encoder(params), decoder)
