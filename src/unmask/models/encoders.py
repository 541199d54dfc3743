"""Encoders from torchvision: their layers, which of them are frozen, and their feature maps."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torchvision.models import (
    Inception_V3_Weights,
    ResNet50_Weights,
    VGG16_Weights,
    WeightsEnum,
    inception_v3,
    resnet50,
)
from torchvision.models.vgg import cfgs, make_layers

from unmask.core.section import Section
from unmask.models.blocks import resize
from unmask.models.pretrained import load_pretrained

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_SYMMETRIC = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))  # what InceptionV3 was trained on


class Pretrained(Section):
    """pretrained: where the encoder's weights come from: `imagenet`, `none` (noise), or the path of
        a checkpoint with torchvision's names (`.pth`, or `.safetensors`); a prefix that they share
        and mappings around them are taken off, see `unmask.models.pretrained`.
    freeze: layers that do not learn: `all` of the encoder, its `lower` ones, or `none`.
    """  # fmt: skip

    pretrained: str = Field(default="none", min_length=1)
    freeze: Literal["all", "lower", "none"] = "none"


class PretrainedDense(Pretrained):
    """hidden: units of the dense layer; width: filters at full size; dropout: of the dense layer.

    Settings of a pretrained encoder with a decoder that begins with a dense layer.
    """

    hidden: int = Field(default=512, ge=1)
    width: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)


class Encoder(nn.Module):
    """Layers of a published network, under the names of its publisher.

    layers: modules by name, run one after the other.
    taps: names of the layers whose outputs are the feature maps, in the order of `layers`.
    lower: names of the layers (or parts of them) that `freeze: lower` means.
    weights: the published ones; None if torchvision has none.
    scale: mean and standard deviation per channel that those weights expect.
    size: height and width to which images are resized; None leaves it as it is.
    """

    _mean: Tensor
    _deviation: Tensor

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        taps: Sequence[str],
        lower: Sequence[str],
        weights: WeightsEnum | None,
        params: Pretrained,
        scale: tuple[Sequence[float], Sequence[float]] = _IMAGENET,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self._names, self._taps, self._size = list(layers), set(taps), size
        self._weights, self._params = weights, params
        mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in scale)
        self.register_buffer("_mean", mean, persistent=False)
        self.register_buffer("_deviation", deviation, persistent=False)
        _initialise(self)
        self._frozen = {"all": self._names, "lower": lower, "none": ()}[params.freeze]
        for name in self._frozen:
            self.get_submodule(name).requires_grad_(False)

    @property
    def is_frozen(self) -> bool:
        """Whether no layer of the encoder learns."""
        return self._params.freeze == "all"

    def train(self, mode: bool = True) -> "Encoder":
        """Switch all layers but the frozen ones, whose batch statistics must not change either."""
        super().train(mode)
        for name in self._frozen:  # several GPUs replace layers by others of the same name
            self.get_submodule(name).eval()
        return self

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the feature maps of upper halves or whole faces, float [B,1,H,W] in [0,1]."""
        if self._size:
            images = resize(images, *self._size)
        features = (images.expand(-1, 3, -1, -1) - self._mean) / self._deviation
        maps = []
        for name in self._names:
            features = self.get_submodule(name)(features)
            if name in self._taps:
                maps.append(features)
        return maps

    def load_pretrained(self) -> dict[str, str]:
        """Load the weights that the parameters name; return what identifies them.

        Raises UserError if they are not available or do not belong to this network.
        """
        return load_pretrained(self, self._params.pretrained, self._weights)


class EncoderDecoder(nn.Module):
    """A reconstructor made of an encoder and a decoder of its feature maps."""

    def __init__(self, encoder: Encoder, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.encoder_is_frozen = encoder.is_frozen

    def load_pretrained(self) -> dict[str, str]:
        """Load the encoder's weights; see `Encoder.load_pretrained`."""
        return self.encoder.load_pretrained()

    def forward(self, upper: Tensor) -> Tensor:
        """Return generated lower halves."""
        lower: Tensor = self.decoder(*self.encoder(upper))
        return lower


class EncoderClassifier(nn.Module):
    """A classifier of faces or upper halves made of an encoder.

    The mean of its last feature map (Lin, Chen and Yan 2014, "Network in network", section 3.2)
    goes through dropout to a linear layer. What the encoder has learned can be the start of a
    reconstructor's, whose names are the same.

    channels: of the last feature map; dropout: rate before the linear layer.
    """

    def __init__(self, encoder: Encoder, channels: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, classes))

    def load_pretrained(self) -> dict[str, str]:
        """Load the encoder's weights; see `Encoder.load_pretrained`."""
        return self.encoder.load_pretrained()

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits [B,classes] of images, float [B,1,H,W] in [0,1]."""
        features = self.encoder(faces)[-1]
        logits: Tensor = self.head(features.mean(dim=(2, 3)))
        return logits


class EnlargedClassifier(Pretrained):
    """Settings of a classifier made of an encoder, which sees images larger than they are.

    scale: by how much images are enlarged; dropout: rate before the last layer.
    """

    scale: int = Field(default=1, ge=1, le=8)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    def size(self, height: int, width: int) -> tuple[int, int] | None:
        """Return the height and width that the encoder sees, or None if they stay."""
        return (self.scale * height, self.scale * width) if self.scale > 1 else None


def resnet50_encoder(
    params: Pretrained, taps: Sequence[str], size: tuple[int, int] | None = None
) -> Encoder:
    """Return ResNet50 (He et al. 2016) up to `layer3`; `layer4` would leave only 1x2.

    [B,1,24,48] -> relu 64x12x24, layer1 256x6x12, layer2 512x3x6, layer3 1024x2x3.
    """
    network = resnet50()
    names = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3")
    return Encoder(
        {name: getattr(network, name) for name in names},
        taps=taps,
        lower=("conv1", "bn1", "layer1", "layer2"),
        weights=ResNet50_Weights.IMAGENET1K_V2,
        params=params,
        size=size,
    )


def vgg16_encoder(params: Pretrained, size: tuple[int, int] | None = None) -> Encoder:
    """Return VGG16 (Simonyan and Zisserman 2015) up to block 4; block 5 would leave only 1x3.

    [B,1,24,48] -> 512x3x6. The lower layers are blocks 1 and 2.
    """
    blocks_1_to_4 = make_layers(cfgs["D"])[:23]
    return Encoder(
        {"features": blocks_1_to_4},
        taps=("features",),
        lower=("features.0", "features.2", "features.5", "features.7"),
        weights=VGG16_Weights.IMAGENET1K_V1,
        params=params,
        size=size,
    )


def inception_v3_encoder(params: Pretrained, size: int) -> Encoder:
    """Return InceptionV3 (Szegedy et al. 2016) without its classifiers, on `size` x `size` pixels.

    [B,1,24,48] -> resized to 139x139 -> 2048x3x3, or to 75x75 -> 2048x1x1. The lower layers are
    those up to Mixed_5d.
    """
    network = inception_v3(init_weights=False, aux_logits=False)
    names = [name for name, _ in network.named_children()]
    names = names[: names.index("Mixed_7c") + 1]
    return Encoder(
        {name: getattr(network, name) for name in names},
        taps=("Mixed_7c",),
        lower=names[: names.index("Mixed_5d") + 1],
        weights=Inception_V3_Weights.IMAGENET1K_V1,
        params=params,
        scale=_SYMMETRIC,
        size=(size, size),
    )


def _initialise(encoder: nn.Module) -> None:
    """Draw weights as He et al. (2015): the scale survives many layers, even frozen ones."""
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
