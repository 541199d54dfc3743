"""Steps on CUDA, which are captured as CUDA graphs."""

import numpy as np
import pytest
import torch
from runs import EVERYTHING, LEARNING, run_classifier, run_reconstructor, same, settings
from torch.nn import functional

from unmask.core.errors import UserError
from unmask.models.batches import placed
from unmask.training import loop
from unmask.training.augmentation import alter, draw
from unmask.training.cuda_graph import GraphedStep
from unmask.training.run import begin

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


@pytest.fixture
def from_main_memory(monkeypatch):
    """Return a function that has batches come from main memory from then on."""

    def never(batches, device, say):
        return placed(batches, torch.device("cpu"), say)

    return lambda: monkeypatch.setattr(loop, "placed", never)


MOVED = {"flip": 0.5, "rotation": 10.0, "shift": 2.0, "gradient_clip": 1.0}


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
def test_a_classifier_gets_the_bits_of_steps_taken_one_by_one(
    faces, one_by_one, precision, optimiser
):
    recipe = MOVED if optimiser == "adam" else EVERYTHING | {"optimiser": optimiser}
    train = settings(**recipe).model_copy(update={"precision": precision})
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


@pytest.mark.parametrize("captured", [True, False])
def test_batches_from_the_gpu_and_from_main_memory_give_the_same_bits(
    faces, one_by_one, from_main_memory, captured
):
    if not captured:
        one_by_one()
    on_gpu = run_classifier(faces, settings(**EVERYTHING))
    from_main_memory()
    assert same(on_gpu, run_classifier(faces, settings(**EVERYTHING)))


def test_faces_are_moved_on_the_gpu_as_on_the_processor():
    faces = torch.rand(50, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    faces = functional.interpolate(faces, (48, 48), mode="bicubic").clamp(0, 1) * 255
    # Without rectangles, whose sides may be rounded the other way.
    train = settings(**EVERYTHING | {"erasing": 0.0}).classifier
    faces = faces.to(torch.uint8)
    draws = draw(np.arange(50), 1, 0, train)
    here = alter({"face": faces}, draws, train)["face"]
    there = alter({"face": faces.cuda()}, draws.cuda(), train)["face"].cpu()
    # What is rounded twice may be off by more than one.
    assert (here.int() - there.int()).abs().max() <= 2
    assert (here == there).float().mean() > 0.98


def test_float32_is_not_rounded_to_tf32():
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    begin(settings())
    images, kernels = torch.randn(8, 64, 24, 24), torch.randn(64, 64, 3, 3)
    exact = functional.conv2d(images.double(), kernels.double())
    off = functional.conv2d(images.cuda(), kernels.cuda()).cpu() - exact
    assert off.abs().max() < 2e-4  # TF32 is off by some hundredths
    left, right = torch.randn(2, 256, 256)
    off = (left.cuda() @ right.cuda()).cpu() - left.double() @ right.double()
    assert off.abs().max() < 2e-4


def test_a_step_that_reads_a_value_back_is_refused():
    device = torch.device("cuda")

    def read_back(batch):
        return {"loss": batch["face"] * batch["face"].sum().item()}

    step = GraphedStep(read_back, device, capture=True)
    step({"face": torch.ones(1, device=device)})
    with pytest.raises(UserError, match="could not be captured as a CUDA graph"):
        step({"face": torch.ones(1, device=device)})
