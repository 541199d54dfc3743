"""Blocks that several networks are built from. Feature maps are float [B,C,H,W]."""

from collections.abc import Sequence
from math import gcd, log

import torch
from torch import Tensor, nn
from torch.nn import functional


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution with batch normalisation and ReLU; `stride` 2 halves both sides."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def upscaling(inputs: int, outputs: int) -> nn.Sequential:
    """Return a 4x4 transposed convolution that doubles both sides, batch normalisation and ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around which the input is added (He et al. 2016, figure 2).

    If input and output differ in channels, the shortcut is a 1x1 convolution; with `stride` 2,
    which halves both sides, it follows a mean over 2x2 pixels (He et al. 2019, "Bag of tricks for
    image classification", figure 2c), since a strided 1x1 convolution would ignore three pixels of
    four. (On CPUs its backward pass can also write out of bounds, with few channels in
    channels-last order: oneDNN issue 6035.)
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(inputs, outputs, stride),
            nn.Conv2d(outputs, outputs, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
        if stride != 1:
            pool = nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False)
            self.shortcut = nn.Sequential(pool, self.shortcut)

    def forward(self, features: Tensor) -> Tensor:
        """Map [B,inputs,H,W] to [B,outputs,H/stride,W/stride], rounded up."""
        return torch.relu(self.body(features) + self.shortcut(features))


class Dense(nn.Module):
    """Maps feature maps of any size to new ones of a chosen size, through dense layers.

    Batch normalisation (features of a frozen encoder can have any scale), 1x1 convolution to
    `narrow` channels, dense layer to `hidden` with ReLU and dropout, dense layer to `shape`.
    """

    def __init__(
        self,
        inputs: tuple[int, int, int],
        narrow: int,
        hidden: int,
        shape: tuple[int, int, int],
        dropout: float,
    ) -> None:
        super().__init__()
        channels, height, width = inputs
        self._shape = shape
        self.narrow = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, narrow, kernel_size=1),
            nn.ReLU(inplace=True),
            nn.Flatten(),
        )
        self.dense = nn.Sequential(
            nn.Linear(narrow * height * width, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, shape[0] * shape[1] * shape[2]),
            nn.ReLU(inplace=True),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map [B,C,h,w] to [B,*shape]."""
        dense: Tensor = self.dense(self.narrow(features))
        return dense.view(-1, *self._shape)


class DenseDecoder(nn.Module):
    """Turns the last feature map of an encoder into a lower half, float [B,1,24,48] in [0,1].

    Dense to [B,8w,3,6], three upscalings to [B,w,24,48], 3x3 convolution, sigmoid.
    """

    def __init__(
        self, inputs: tuple[int, int, int], hidden: int, width: int, dropout: float
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Dense(inputs, narrow=128, hidden=hidden, shape=(8 * width, 3, 6), dropout=dropout),
            upscaling(8 * width, 4 * width),
            upscaling(4 * width, 2 * width),
            upscaling(2 * width, width),
            nn.Conv2d(width, 1, kernel_size=3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return generated lower halves."""
        lower: Tensor = self.layers(features)
        return lower


class SelfAttention(nn.Module):
    """Attention of every place to all others (Vaswani et al. 2017), added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._heads = gcd(4, channels)
        self.norm = nn.GroupNorm(gcd(8, channels), channels)
        self.queries_keys_values = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map [B,C,H,W] to the same."""
        batch, channels, height, width = features.shape
        parts = self.queries_keys_values(self.norm(features))
        parts = parts.reshape(batch, 3, self._heads, channels // self._heads, height * width).mT
        queries, keys, values = parts.unbind(1)
        seen = functional.scaled_dot_product_attention(queries, keys, values)
        result: Tensor = features + self.out(seen.mT.reshape(batch, channels, height, width))
        return result


def resize(images: Tensor, height: int, width: int) -> Tensor:
    """Resize [B,C,H,W] bilinearly."""
    return functional.interpolate(images, (height, width), mode="bilinear", align_corners=False)


def log_mean_softmax(logits: Sequence[Tensor]) -> Tensor:
    """Return the logarithm of the mean of the probabilities that several [B,classes] stand for."""
    logs = torch.stack([of_one.float().log_softmax(1) for of_one in logits])
    return logs.logsumexp(0) - log(len(logits))
