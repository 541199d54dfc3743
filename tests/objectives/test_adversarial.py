"""Adversarial training: what is logged, what the discriminator sees, when it has collapsed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import run_reconstructor, same, settings
from torch import nn

from unmask.core.faces import FaceSet
from unmask.models.folder import build as folder_build
from unmask.models.folder import reconstructor_config
from unmask.objectives.adversarial import Params, PatchDiscriminator, _altered, build
from unmask.params.models import Training
from unmask.training.process_group import Compute

ADVERSARIAL = ["cgan", "cgan_resnet"]

pytestmark = pytest.mark.usefixtures("in_folder")


class Generator(nn.Module):
    """Generates one grey value, which it learns."""

    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(0.2))

    def forward(self, upper):
        return torch.sigmoid(self.level).expand_as(upper)


def objective(generator=None, learning_rate=0.01, **params):
    training = Training.model_validate(
        {"epochs": 1, "patience": 1, "batch_size": 8, "learning_rate": learning_rate,
         "schedule": "constant", "gradient_clip": None, "flip": 0.0, "rotation": 0.0, "shift": 0.0}
    )  # fmt: skip
    torch.manual_seed(0)
    compute = Compute(torch.device("cpu"), "float32")
    return build(generator or Generator(), Params(**params), training, compute)


def batch(seed=0):
    random = np.random.default_rng(seed)
    halves = (random.integers(0, 256, (16, 1, 24, 48), np.uint8) for _ in range(2))
    return dict(zip(("upper", "lower"), map(torch.from_numpy, halves), strict=True))


@pytest.mark.parametrize("name", ADVERSARIAL)
@pytest.mark.parametrize("gan_loss", ["hinge", "non_saturating", "relativistic"])
def test_both_losses_are_logged(few_faces, name, gan_loss):
    run_reconstructor(
        name, few_faces, settings(epochs=2), objective={"name": "adversarial", "gan_loss": gan_loss}
    )
    folder = Path("data/training/reconstructors") / name / "train"
    for figure in ("generator_loss", "discriminator_loss", "discriminator_accuracy", "loss"):
        assert len((folder / f"{figure}.tsv").read_text().splitlines()) == 3


def test_any_reconstructor_can_learn_adversarially(few_faces):
    train = settings(epochs=1)
    adversarial = {"name": "adversarial"}
    supervised = run_reconstructor("unet", few_faces, train)
    assert not same(supervised, run_reconstructor("unet", few_faces, train, objective=adversarial))


MODERN = {"gan_loss": "relativistic", "r1": 0.5, "spectral_norm": False, "augment": True}
MODERN |= {"discriminator_width": 16}


@pytest.mark.parametrize("params", [{}, MODERN], ids=["pix2pix", "since then"])
def test_the_discriminator_learns_to_tell_generated_halves(params):
    learner = objective(learning_rate=0.001, discriminator_learning_rate=5.0, **params)
    first = learner.train_step(batch())["discriminator_accuracy"]
    for seed in range(30):
        halves = batch(seed)
        halves["lower"][..., ::2] = 0  # real halves have stripes, which the generator cannot make
        figures = learner.train_step(halves)
    assert figures["discriminator_accuracy"] > max(0.9, first)


def slope(learner):
    """Return the norm of the discriminator's gradient at real faces."""
    halves = {name: tensor / 255 for name, tensor in batch(7).items()}
    faces = (2 * torch.cat([halves["upper"], halves["lower"]], 2) - 1).requires_grad_()
    discriminator = learner.helpers["discriminator"].eval()
    (found,) = torch.autograd.grad(discriminator(faces).mean((1, 2, 3)).sum(), faces)
    return float(found.square().sum((1, 2, 3)).mean())


def test_r1_is_half_the_squared_gradient_at_real_faces_and_keeps_it_small():
    slopes = []
    for r1 in (0.0, 10.0):
        learner = objective(
            spectral_norm=False, discriminator_learning_rate=0.3, discriminator_width=8, r1=r1
        )
        faces = torch.rand(4, 1, 48, 48).requires_grad_()
        logits = learner.helpers["discriminator"](faces)
        (by_face,) = torch.autograd.grad(logits.mean((1, 2, 3)).sum(), faces, retain_graph=True)
        expected = r1 / 2 * by_face.square().sum((1, 2, 3)).mean()
        torch.testing.assert_close(learner._penalty(logits, faces).detach(), expected)
        for seed in range(20):
            learner.train_step(batch(seed))
        slopes.append(slope(learner))
    assert slopes[1] < slopes[0] / 2


def test_faces_are_altered_each_in_its_own_way_and_pass_the_gradient_on():
    torch.manual_seed(0)
    faces = torch.full((50, 1, 48, 48), 0.5, requires_grad=True)
    altered = _altered(faces)
    hidden = (altered == 0).float().mean((1, 2, 3))
    assert hidden.min() > 0.05
    assert hidden.max() <= 25 * 25 / 48**2
    assert len(altered.amax((1, 2, 3)).unique()) > 40
    altered.sum().backward()
    assert (faces.grad != 0)[altered != 0].all()


def test_attention_is_a_choice_of_the_generator():
    plain, attentive = (
        folder_build(reconstructor_config("cgan_resnet", {"width": 2, "attention": attention}))
        for attention in (False, True)
    )
    added = set(attentive.state_dict()) - set(plain.state_dict())
    assert {key.rpartition(".")[0].rpartition(".")[2] for key in added} >= {"queries_keys_values"}
    upper = torch.rand(2, 1, 24, 48)
    assert attentive(upper).shape == upper.shape


def test_the_discriminator_sees_the_upper_half():
    discriminator = PatchDiscriminator(4)
    upper, other, lower = torch.rand(3, 2, 1, 24, 48)
    logits = discriminator(torch.cat([upper, lower], dim=2))
    assert not torch.equal(logits, discriminator(torch.cat([other, lower], dim=2)))


def test_the_discriminator_is_spectrally_normalised():
    learner = objective(learning_rate=0.001)  # the norm follows the weights from step to step
    for seed in range(30):
        learner.train_step(batch(seed))
    modules = learner.helpers["discriminator"].eval().modules()
    weights = [m.weight.detach().flatten(1) for m in modules if isinstance(m, nn.Conv2d)]
    assert len(weights) == 4
    for weight in weights:
        assert torch.linalg.matrix_norm(weight, 2) == pytest.approx(1, abs=0.1)


def test_the_adversarial_loss_reaches_the_generator_and_leaves_the_discriminator_alone():
    weak, strong = objective(adversarial=1e-9), objective(adversarial=10.0)
    for learner in (weak, strong):
        for seed in range(5):
            learner.train_step(batch(seed))
    assert weak.model.level.item() != pytest.approx(strong.model.level.item(), abs=1e-3)
    # The first step of the discriminator comes before the generator's, so it is the same in both.
    weak, strong = objective(adversarial=1e-9), objective(adversarial=10.0)
    for learner in (weak, strong):
        learner.train_step(batch())
    states = [learner.helpers["discriminator"].state_dict() for learner in (weak, strong)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0] if "weight" in key)


@pytest.mark.parametrize(
    ("accuracy", "words"), [(0.999, "no longer teaches"), (0.5, "it guesses"), (0.75, None)]
)
def test_a_collapsed_discriminator_is_reported(accuracy, words):
    faults = objective().faults({"train/discriminator_accuracy": accuracy})
    assert (len(faults) == 1 and words in faults[0]) if words else faults == []


def test_a_collapse_stands_in_the_facts_of_the_run_and_on_the_screen(few_faces, capfd):
    # Real halves have stripes and the generator stands still, so the discriminator wins.
    images = np.array(few_faces.images)
    images[:, :, ::2] = 0
    striped = FaceSet(images, few_faces.labels, few_faces.split, few_faces.row)
    run_reconstructor(
        "cgan", striped, settings(epochs=12, patience=12, batch_size=2, learning_rate=1e-7),
        objective={"name": "adversarial", "discriminator_learning_rate": 3e4},
    )  # fmt: skip
    training = json.loads(Path("models/reconstructors/cgan/training.json").read_text())
    assert "no longer teaches" in training["faults"]["12"][0]
    assert "warning: epoch 12: discriminator collapsed" in capfd.readouterr().err
