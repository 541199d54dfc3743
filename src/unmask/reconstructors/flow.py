"""Conditional rectified flow from noise to lower halves, given the upper half.

Liu, Gong and Liu 2023, "Flow straight and fast", section 2; Lipman et al. 2023, "Flow matching for
generative modeling", section 4: a network learns the velocity that carries noise to data along
straight lines, and an integrator follows it. Where a distance teaches the blurred mean of all
mouths that could be there, this draws one of them, and another one from other noise.

    noise [B,1,24,48] and upper half, flipped upside down, so that what meets at the seam is near
      2x2 pixels as channels [B,8,12,24] -> w x 12x24 ----------------------> w x 12x24 -> [B,4,..]
                                              2w x 6x12 ---------> 2w x 6x12
                                                4w x 3x6, self-attention
    each level two residual blocks, scaled and shifted by time (Dhariwal and Nichol 2021, section 3)

A face is always given the same noise: it is a function of its upper half's pixels and the number
of the sample, so neither batches, processes nor the order of faces change what is drawn.
"""

import math
from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from unmask.core.section import Section
from unmask.models.blocks import SelfAttention

_PATCH = 2
_PRIME = 2**31 - 1
"""Of the field in which noise is computed: int64 holds every product of two of its elements."""


class Params(Section):
    """width: filters of the first level, a multiple of 8; steps: of the integrator, two
    evaluations each.
    """

    width: int = Field(default=32, ge=8, multiple_of=8)
    steps: int = Field(default=8, ge=1)


class Flow(nn.Module):
    """Maps upper halves to lower halves, float [B,1,24,48] in [0,1] each."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        self.steps = params.steps
        self.network = _UNet(params.width)

    def forward(self, upper: Tensor) -> Tensor:
        """Return the first sample."""
        return self.sample(upper, 0)

    def sample(self, upper: Tensor, number: int) -> Tensor:
        """Return sample `number`, counted from 0, by the midpoint method.

        It never asks for the velocity at the very end, where a network knows least of it: Heun's
        method, which does, leaves noise unless its steps are many.
        """
        current = self.noise(upper, number)
        size = 1 / self.steps
        for step in range(self.steps):
            time = torch.full_like(upper[:, 0, 0, 0], step * size)
            middle = current + size / 2 * self.velocity(current, time, upper)
            current = current + size * self.velocity(middle, time + size / 2, upper)
        return (current / 2 + 0.5).clamp(0, 1)

    def velocity(self, noisy: Tensor, time: Tensor, upper: Tensor) -> Tensor:
        """Return the velocity at `noisy`, [B,1,24,48], on the way to lower halves in [-1,1].

        time: float [B], from 0, noise, to 1, data; upper: float [B,1,24,48] in [0,1].
        """
        both = torch.cat([noisy, 2 * upper.flip(2) - 1], dim=1)
        patches = self.network(functional.pixel_unshuffle(both, _PATCH), time)
        return functional.pixel_shuffle(patches, _PATCH)

    @staticmethod
    def noise(upper: Tensor, number: int) -> Tensor:
        """Return standard normal noise [B,1,24,48], a function of 8-bit pixels and `number`.

        A face's pixels are hashed to a key, key and place to two uniform numbers (power maps of a
        prime field), these to a normal one (Box and Muller 1958). All of it is plain arithmetic, so
        that an exported graph draws the same as this one.
        """
        pixels = (upper.flatten(1) * 255).round().to(torch.int64)
        place = torch.arange(pixels.shape[1], device=upper.device)
        key = _scattered(pixels + 256 * place + 1).sum(1, keepdim=True) % _PRIME
        key = _scattered(key + 2 * number + 1)
        first, second = (_uniform(_scattered(key + 2 * place + odd)) for odd in (0, 1))
        normal = torch.sqrt(-2 * first.log()) * torch.cos(2 * math.pi * second)
        return normal.view_as(upper).to(upper.dtype)


def _scattered(values: Tensor) -> Tensor:
    """Map integers to others in [0, 2^31 - 1), one to one, neighbours far apart."""
    for factor, term in ((48271, 11), (69621, 1013), (39373, 90001)):
        values = (values * factor + term) % _PRIME
        square = values * values % _PRIME
        values = square * square % _PRIME * values % _PRIME  # 5 does not divide 2^31 - 2
    return values


def _uniform(values: Tensor) -> Tensor:
    return (values.double() + 0.5) / _PRIME


class _UNet(nn.Module):
    """Maps patches, float [B,8,12,24], and time, [B], to velocities of patches, [B,4,12,24]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths, about = [width, 2 * width, 4 * width], 4 * width
        self.frequencies = width
        self.time = nn.Sequential(nn.Linear(width, about), nn.SiLU(), nn.Linear(about, about))
        self.first = nn.Conv2d(2 * _PATCH**2, width, kernel_size=3, padding=1)
        self.down = nn.ModuleList(
            _Blocks([(before, after), (after, after)], about)
            for before, after in zip([width, *widths], widths, strict=False)
        )
        self.attention = SelfAttention(widths[-1])
        self.middle = _Blocks([(widths[-1], widths[-1])], about)
        self.up = nn.ModuleList(
            _Blocks([(below + own, own), (own, own)], about)
            for below, own in zip(widths[1:], widths, strict=False)
        )
        self.last = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, _PATCH**2, kernel_size=3, padding=1)
        )

    def forward(self, patches: Tensor, time: Tensor) -> Tensor:
        """Return velocities."""
        about = self.time(_waves(time, self.frequencies))
        features, skips = self.first(patches), []
        for level, blocks in enumerate(self.down):
            features = blocks(functional.avg_pool2d(features, 2) if level else features, about)
            skips.append(features)
        features = self.middle(self.attention(skips.pop()), about)
        for level in reversed(range(len(self.up))):
            features = functional.interpolate(features, scale_factor=2.0, mode="nearest")
            features = self.up[level](torch.cat([skips[level], features], dim=1), about)
        velocities: Tensor = self.last(features)
        return velocities


class _Blocks(nn.Module):
    """Residual blocks of given input and output channels, one after the other."""

    def __init__(self, channels: Iterable[tuple[int, int]], about: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Block(before, after, about) for before, after in channels)

    def forward(self, features: Tensor, about: Tensor) -> Tensor:
        """Map [B,inputs,H,W] and what is known about time, [B,about], to [B,outputs,H,W]."""
        for block in self.blocks:
            features = block(features, about)
        return features


class _Block(nn.Module):
    """A residual block whose second norm is scaled and shifted by what is known about time."""

    def __init__(self, inputs: int, outputs: int, about: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(8, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1)
        )
        self.about = nn.Linear(about, 2 * outputs)
        self.norm = nn.GroupNorm(8, outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        # A block begins as its shortcut, which lets deep networks start (Goyal et al. 2017, 5.1).
        nn.init.zeros_(self.second.weight)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, features: Tensor, about: Tensor) -> Tensor:
        """Map [B,inputs,H,W] to [B,outputs,H,W]."""
        scale, shift = self.about(functional.silu(about))[:, :, None, None].chunk(2, dim=1)
        inner = self.norm(self.first(features)) * (1 + scale) + shift
        result: Tensor = self.shortcut(features) + self.second(functional.silu(inner))
        return result


def _waves(time: Tensor, count: int) -> Tensor:
    """Return sines and cosines of time, [B,count] (Vaswani et al. 2017, section 3.5)."""
    exponents = torch.arange(count // 2, device=time.device, dtype=time.dtype) / (count // 2)
    angles = 1000 * time[:, None] * 10_000.0**-exponents
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def build(params: Params) -> nn.Module:
    """Return an untrained network."""
    return Flow(params)
