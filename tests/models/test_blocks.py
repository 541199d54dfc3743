"""Blocks that models are built from."""

import subprocess
import sys

import pytest
import torch

from unmask.models.blocks import Residual

STEPS = """
import torch
from unmask.models.blocks import Residual
for threads in (1, 2):
    torch.set_num_threads(threads)
    for inputs in 3 * (2, 4, 12):
        print(threads, inputs, flush=True)
        block = Residual(inputs, 2 * inputs, stride=2).to(memory_format=torch.channels_last)
        faces = torch.rand(16, inputs, 48, 48).to(memory_format=torch.channels_last)
        block(faces.requires_grad_()).sum().backward()
"""


@pytest.mark.parametrize(("height", "width"), [(24, 48), (3, 6), (5, 7)])
def test_a_stride_halves_height_and_width_rounded_up(height, width):
    features = Residual(4, 8, stride=2)(torch.rand(2, 4, height, width))
    assert features.shape == (2, 8, -(-height // 2), -(-width // 2))


def test_a_narrow_block_with_a_stride_learns():
    # Strided 1x1 convolutions of few channels, in the memory layout of training, write past their
    # memory in oneDNN (https://github.com/uxlfoundation/oneDNN/issues/6035): the process is
    # killed, hangs or computes wrong gradients.
    subprocess.run(
        [sys.executable, "-c", STEPS],
        env={"MALLOC_PERTURB_": "7", "PYTHONPATH": ":".join(sys.path)},
        check=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_do_not_depend_on_the_memory_layout(stride):
    torch.manual_seed(0)
    block = Residual(16, 32, stride=stride)
    faces = torch.rand(4, 16, 24, 48)
    gradients = []
    for layout in (torch.contiguous_format, torch.channels_last):
        block.zero_grad()
        block.to(memory_format=layout)
        block(faces.to(memory_format=layout)).square().mean().backward()
        gradients.append([p.grad.clone() for p in block.parameters()])
    for first, second in zip(*gradients, strict=True):
        assert (first - second).abs().max() < 1e-3 * first.abs().max()
