"""ResNet50 encoder with dense and upscaling layers (paper, section 3.5).

    [B,1,24,48] -> ResNet50 up to layer3 -> [B,1024,2,3]
                -> dense layers -> [B,8w,3,6]
                -> three upscalings -> [B,w,24,48] -> 3x3 convolution, sigmoid -> [B,1,24,48]

The paper freezes the lower layers, which makes sense with pretrained weights. `params.yaml` as
shipped freezes them too (`freeze: lower`), but with `pretrained: none` they stay noise; with
`freeze: none` all layers learn.
"""

from torch import nn

from unmask.models.blocks import DenseDecoder
from unmask.models.encoders import EncoderDecoder, PretrainedDense, resnet50_encoder


class Params(PretrainedDense):
    """Nothing else to set."""


def build(params: Params) -> nn.Module:
    """Return the network, its encoder without pretrained weights."""
    decoder = DenseDecoder((1024, 2, 3), params.hidden, params.width, params.dropout)
    return EncoderDecoder(resnet50_encoder(params, taps=("layer3",)), decoder)
