"""The optimisers are PyTorch's, and load no compiler."""

import subprocess
import sys

import pytest
import torch
from runs import settings
from torch import nn

from unmask.training.optimiser import optimiser_of


def trained(make, steps=5):
    """Return the weights and the optimiser's state after some steps."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimiser, inputs = make(model.parameters()), torch.randn(steps, 8, 3)
    for batch in inputs:
        optimiser.zero_grad()
        model(batch).square().sum().backward()
        optimiser.step()
    state = [value for part in optimiser.state_dict()["state"].values() for value in part.values()]
    return [*model.parameters(), *state]


PYTORCH = {
    "adam": lambda parameters, decay: torch.optim.Adam(
        parameters, lr=0.01, betas=(0.8, 0.99), weight_decay=decay, fused=True
    ),
    "adamw": lambda parameters, decay: torch.optim.AdamW(
        parameters, lr=0.01, betas=(0.8, 0.99), weight_decay=decay, fused=True
    ),
    "sgd": lambda parameters, decay: torch.optim.SGD(
        parameters, lr=0.01, momentum=0.9, nesterov=True, weight_decay=decay, fused=True
    ),
}


def ours(name, decay=0.0):
    train = settings(optimiser=name, weight_decay=decay, learning_rate=0.01).classifier
    return lambda parameters: optimiser_of(parameters, train, betas=(0.8, 0.99))


@pytest.mark.parametrize("name", PYTORCH)
def test_steps_are_those_of_pytorch(name):
    theirs = trained(lambda parameters: PYTORCH[name](parameters, 0.0))
    assert all(torch.equal(*pair) for pair in zip(trained(ours(name)), theirs, strict=True))


@pytest.mark.parametrize("name", PYTORCH)
def test_weights_decay_as_in_pytorch_and_biases_do_not(name):
    found = trained(ours(name, 0.1), steps=1)[:4]
    decayed = trained(lambda parameters: PYTORCH[name](parameters, 0.1), steps=1)[:4]
    plain = trained(lambda parameters: PYTORCH[name](parameters, 0.0), steps=1)[:4]
    for ours_, theirs, free in zip(found, decayed, plain, strict=True):
        assert torch.equal(ours_, theirs if ours_.ndim > 1 else free)
        assert not torch.equal(theirs, free) or ours_.ndim == 1


def test_norms_and_biases_never_shrink():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimiser = ours("adamw", 0.5)(model.parameters())
    for _ in range(3):
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimiser.step()
    for parameter, was in zip(model.parameters(), before, strict=True):
        assert torch.equal(parameter, was) == (parameter.ndim == 1)
        if parameter.ndim > 1:
            torch.testing.assert_close(parameter, was * (1 - 0.01 * 0.5) ** 3)


BEGINS = """
import sys
from pathlib import Path
from runs import run_classifier, settings
from unmask.core.faces import FaceSet
from unmask.training.record import Record

def ended(self, *_):
    raise SystemExit(" ".join(sys.modules))

Record.epoch_ends = ended
run_classifier(FaceSet.open(Path("faces")), settings())
"""


def test_the_first_epoch_waits_for_no_library_that_it_does_not_use(faces, in_folder):
    code = f"import sys; sys.path[:0] = {sys.path!r}\n{BEGINS}"
    ended = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    loaded = set(ended.stderr.split())
    assert "torch.optim" in loaded
    for slow in ("torch._dynamo", "dvclive", "pandas", "sympy", "torchvision", "lightning_fabric"):
        assert slow not in loaded, slow
