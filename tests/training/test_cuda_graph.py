"""Steps on CUDA, which are captured as CUDA graphs."""

import pytest
import torch
from runs import LEARNING, run_classifier, run_reconstructor, same, settings

from unmask.core.errors import UserError
from unmask.training import loop
from unmask.training.cuda_graph import GraphedStep

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
    pytest.mark.usefixtures("in_folder"),
]


@pytest.fixture
def one_by_one(monkeypatch):
    """Return a function that has steps from then on taken one by one."""

    def never(step, device, capture):
        return GraphedStep(step, device, capture=False)

    return lambda: monkeypatch.setattr(loop, "GraphedStep", never)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_classifier_gets_the_bits_of_steps_taken_one_by_one(faces, one_by_one, precision):
    train = settings(gradient_clip=1.0).model_copy(update={"precision": precision})
    captured = run_classifier(faces, train)
    one_by_one()
    assert same(captured, run_classifier(faces, train))


_UNEXPLAINED = pytest.mark.xfail(reason="differs on an H200; why is not known", strict=True)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=_UNEXPLAINED) if name == "residual_attention_unet" else name
        for name in LEARNING
    ],
)
def test_a_reconstructor_gets_the_bits_of_steps_taken_one_by_one(faces, one_by_one, name):
    captured = run_reconstructor(name, faces, settings(epochs=2))
    one_by_one()
    assert same(captured, run_reconstructor(name, faces, settings(epochs=2)))


def test_a_step_that_reads_a_value_back_is_refused():
    device = torch.device("cuda")

    def read_back(batch):
        return {"loss": batch["face"] * batch["face"].sum().item()}

    step = GraphedStep(read_back, device, capture=True)
    step({"face": torch.ones(1)})
    with pytest.raises(UserError, match="could not be captured as a CUDA graph"):
        step({"face": torch.ones(1)})
