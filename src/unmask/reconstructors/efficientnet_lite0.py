"""EfficientNet-Lite0 encoder with dense layers and upscalings, as the paper's pretrained ones.

    [B,1,24,48] -> twice the size -> EfficientNet-Lite0 up to block 10 -> [B,112,3,6]
                -> dense layers with dropout -> [B,8w,3,6]
                -> three upscalings -> [B,w,24,48] -> 3x3 convolution, sigmoid -> [B,1,24,48]

Not one of the paper's: its ImageNet weights are a small package that anyone can install
(`pretrained: package`), where those of the others need a download from elsewhere. Blocks 11 to 15
would leave 2x3.
"""

from torch import nn

from unmask.models.blocks import DenseDecoder
from unmask.models.efficientnet_lite0 import EfficientNetLite0
from unmask.models.encoders import EncoderDecoder, PretrainedDense


class Params(PretrainedDense):
    """pretrained: also `package`, ImageNet's weights as a Python package."""


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    encoder = EfficientNetLite0(params, size=(48, 96), blocks=11)
    decoder = DenseDecoder((112, 3, 6), params.hidden, params.width, params.dropout)
    return EncoderDecoder(encoder, decoder)
