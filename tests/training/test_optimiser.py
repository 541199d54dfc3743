"""The optimisers are PyTorch's, and load no compiler."""

import subprocess
import sys

import torch
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


def test_adam_takes_the_steps_of_pytorch():
    ours = trained(lambda parameters: adam(parameters, 0.01, (0.8, 0.99)))
    theirs = trained(
        lambda parameters: torch.optim.Adam(parameters, lr=0.01, betas=(0.8, 0.99), fused=True)
    )
    assert all(torch.equal(*pair) for pair in zip(ours, theirs, strict=True))


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
